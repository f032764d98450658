# What the scripts of the clouds' own tools share. Each command is counted; what it should say is said beside it.
# Ends with `N commands, M failed` and the exit code of that.

commands=0
failed=0

complain() {
    failed=$((failed + 1))
    echo "FAILED ($1): ${*:2}"
    sed 's/^/    /' "$out" | tail -25
}

# says TEXT COMMAND…: it succeeds, and TEXT is in what it prints. An empty TEXT is in everything.
says() {
    local text=$1
    shift
    commands=$((commands + 1))
    if ! "$@" >"$out" 2>&1 </dev/null; then
        complain "it failed" "$@"
    elif [ -n "$text" ] && ! grep -qF -- "$text" "$out"; then
        complain "no \`$text\` in its output" "$@"
    fi
}

# hides TEXT COMMAND…: it succeeds, and TEXT is nowhere in what it prints.
hides() {
    local text=$1
    shift
    commands=$((commands + 1))
    if ! "$@" >"$out" 2>&1 </dev/null; then
        complain "it failed" "$@"
    elif grep -qF -- "$text" "$out"; then
        complain "\`$text\` is in its output" "$@"
    fi
}

# refused TEXT COMMAND…: it fails, and says TEXT.
refused() {
    local text=$1
    shift
    commands=$((commands + 1))
    if "$@" >"$out" 2>&1 </dev/null; then
        complain "it was not refused" "$@"
    elif ! grep -qF -- "$text" "$out"; then
        complain "refused, without \`$text\`" "$@"
    fi
}

# got NAME COMMAND…: what it prints is in the variable NAME, and is something.
got() {
    local name=$1
    shift
    commands=$((commands + 1))
    if ! "$@" >"$out" 2>&1 </dev/null; then
        complain "it failed" "$@"
    elif [ ! -s "$out" ] || [ "$(cat "$out")" = None ]; then
        complain "it printed nothing" "$@"
    fi
    printf -v "$name" '%s' "$(cat "$out")"
}

finish() {
    echo "$commands commands, $failed failed"
    [ "$failed" = 0 ]
    exit
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT

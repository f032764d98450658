//! Habits around statements.

use escher_grammar::Rule;

use super::{Advice, Habit, View, edit, name_from, told};
use crate::span::Span;

pub(super) const HABITS: &[Habit] = &[
    bare_undo,
    bare_report,
    quoted_step,
    loop_over,
    endless,
    assignment,
    mutable,
    walrus,
    try_block,
    elsewhere,
    assertion,
    require_text,
    require_block,
    print,
    run_word,
    mock_equals,
    elif,
    if_colon,
    unless_block,
    return_two,
    approve_first,
    catch_first,
    step_colon,
    parallel_number,
];

/// `step "Stop the machines" {`.
fn quoted_step(v: &View<'_>) -> Option<Advice> {
    if v.word(-1) != "step" || v.rule_at(0) != Some(Rule::TEXT) {
        return None;
    }
    let name = name_from(v.text_at(0));
    let title = format!("write `step {name} {}`", v.text_at(0));
    let edits = vec![edit(Span { start: v.span(0).start, end: v.span(0).start }, format!("{name} "))];
    Some(v.fixed("E0160", v.span(0), "a step has a name before its title", &title, edits))
}

/// `for m in ms { … }`.
fn loop_over(v: &View<'_>) -> Option<Advice> {
    if v.at != 0 || v.word(0) != "for" || v.word(2) != "in" {
        return None;
    }
    let item = v.word(1);
    let open = (3..v.tokens.len()).find(|i| v.rule_of(*i) == Some(Rule::LBRACE))?;
    let brace = v.span_of(open);
    let edits = vec![
        edit(v.span(0), format!("step each_{item} for")),
        edit(Span { start: brace.start, end: brace.start }, "max 10 "),
    ];
    let mut advice = v.fixed(
        "E0161",
        v.span(0),
        "changes are made for each of a list by a `step`",
        "write a step; check its bound of 10",
        edits,
    );
    advice.diagnostic.help = Some(format!(
        "write `step name for {item} in … max N {{ … }}`; to make a list of another, use `.map({item} => …)`"
    ));
    Some(advice)
}

/// `while …`.
fn endless(v: &View<'_>) -> Option<Advice> {
    let word = v.text_of(0);
    let is = matches!(word, "while" | "loop" | "do" | "until") && (v.at == 0 || v.at == 1);
    if !is {
        return None;
    }
    told(
        "E0162",
        v.span_of(0),
        format!("there is no `{word}`: a playbook always ends"),
        "wait with `wait until … every 15s timeout 10m`; reads give all pages by themselves; a `step` goes over a list",
    )
}

/// `x = 5`, `x += 1`.
fn assignment(v: &View<'_>) -> Option<Advice> {
    if v.at != 1 || v.rule_of(0) != Some(Rule::WORD) || v.rule != Rule::only_statement {
        return None;
    }
    let name = v.text_of(0);
    match v.rule_at(0)? {
        Rule::EQ if super::clauses::STEP.contains(&name) => told(
            "E0180",
            v.span_of(0),
            format!("`{name}` stands before the `{{` of a step"),
            format!("write `step a \"what it does\" for x in list {name} …, … {{`"),
        ),
        Rule::EQ => {
            let start = v.span_of(0).start;
            let edits = vec![edit(Span { start, end: start }, "let ")];
            Some(v.fixed(
                "E0163",
                v.span(0),
                format!("`{name}` is given a value with `let`"),
                &format!("write `let {name} = …`"),
                edits,
            ))
        }
        _ => None,
    }
}

/// `const x = 5` and `var x` in a body, `let mut x`.
fn mutable(v: &View<'_>) -> Option<Advice> {
    let wrong = v.text_of(0);
    if v.at == 1 && v.in_statement() && matches!(wrong, "const" | "var" | "val" | "set") && !v.word(0).is_empty() {
        return Some(v.instead("E0163", v.span_of(0), wrong, "let"));
    }
    if v.word(-1) == "mut" && v.word(-2) == "let" {
        let span = Span { start: v.span(-1).start, end: v.span(0).start };
        return Some(v.fixed("E0163", v.span(-1), "no name changes its value", "remove `mut`", vec![edit(span, "")]));
    }
    if v.word(-2) == "let" && v.rule_at(0) == Some(Rule::COMMA) {
        return told("E0164", v.span(0), "`let` names one value", "name the record, and read its members");
    }
    None
}

/// `let x := 1`.
fn walrus(v: &View<'_>) -> Option<Advice> {
    let is = v.rule_at(-1) == Some(Rule::COLON) && v.rule_at(0) == Some(Rule::EQ) && v.touch(-1, 0);
    is.then(|| v.instead("E0163", v.span(-1).join(v.span(0)), ":=", "="))
}

/// `try { … } catch e { … }`.
fn try_block(v: &View<'_>) -> Option<Advice> {
    if v.text_of(0) == "try" && v.at <= 1 {
        return told(
            "E0165",
            v.span_of(0),
            "there is no `try`: an error is an answer",
            "write `catch { \"Code\" => skip }` after a step, or `call(…) catch { missing => none }`",
        );
    }
    if matches!(v.text_of(0), "except" | "finally") && v.at <= 1 {
        return told(
            "E0165",
            v.span_of(0),
            format!("there is no `{}`: an error is an answer", v.text_of(0)),
            "write `catch { \"Code\" => … }` after the call or the step that it is about",
        );
    }
    let named = v.word(-1) == "catch" && !v.word(0).is_empty() && v.rule_at(1) == Some(Rule::LBRACE);
    if named {
        return told(
            "E0165",
            v.span(0),
            "`catch` lists what it catches",
            "write `catch { \"Code\" => skip, missing => done }`",
        );
    }
    None
}

/// `raise "…"`, `shell "…"`, `task "…" { … }`, `rollback { … }`.
fn elsewhere(v: &View<'_>) -> Option<Advice> {
    let word = v.text_of(0);
    (v.in_statement() && v.at == 1).then_some(())?;
    let (message, help) = match (word, v.rule_at(0)?) {
        ("raise" | "throw" | "fail" | "die" | "abort", _) => (
            format!("there is no `{word}`: a run ends where a `require` does not hold"),
            "write `require condition else \"why the run ends\"`",
        ),
        ("shell" | "command" | "cmd" | "exec" | "bash" | "sh", Rule::TEXT) => (
            format!("there is no `{word}`: nothing is run on this machine"),
            "call the operation itself: `aws.ec2.stop_instances(instance_ids: ids)`; `escher ops search` finds it",
        ),
        ("task" | "job" | "stage" | "action", Rule::TEXT) => (
            format!("there is no `{word}` here"),
            "what changes something is `step name \"what it does\" for x in list max N { … }`",
        ),
        ("rollback" | "revert" | "compensate" | "on_failure" | "rescue", Rule::LBRACE) => (
            format!("there is no `{word}`: a step says how it is taken back"),
            "write `undo { … }` after the `}` of the step: it takes back one item",
        ),
        _ => return None,
    };
    told("E0184", v.span_of(0), message, help)
}

/// `assert c`, `ensure c else "…"`.
fn assertion(v: &View<'_>) -> Option<Advice> {
    let wrong = v.text_of(0);
    let is = matches!(wrong, "assert" | "ensure" | "check" | "guard" | "verify") && v.at == 1 && v.in_statement();
    let right = if v.rule == Rule::only_test_statement { "expect" } else { "require" };
    is.then(|| v.instead("E0166", v.span_of(0), wrong, right))
}

/// `require c, "text"` and `require(c, "text")`.
fn require_text(v: &View<'_>) -> Option<Advice> {
    if v.text_of(0) != "require" || v.rule_at(0) != Some(Rule::COMMA) {
        return None;
    }
    let mut edits = vec![edit(v.span(0), " else")];
    if let Some(open) = v.around(v.at) {
        let close = v.forward(open)?;
        if open != 1 {
            return None;
        }
        edits.insert(0, edit(v.span_of(open), if v.span_of(0).end == v.span_of(1).start { " " } else { "" }));
        edits.push(edit(v.span_of(close), ""));
    }
    Some(v.fixed("E0167", v.span(0), "the text of `require` follows `else`", "write `require c else \"…\"`", edits))
}

/// `require c else { return }`.
fn require_block(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let otherwise = open.checked_sub(1).map(|i| v.text_of(i))?;
    (v.text_of(0) == "require" && otherwise == "else").then_some(())?;
    told("E0167", v.span_of(open), "what follows `else` is a text", "write `else \"why the run stops\"`")
}

/// `print "x"`, `log "x"`.
fn print(v: &View<'_>) -> Option<Advice> {
    let wrong = v.text_of(0);
    if v.at != 1 || !matches!(wrong, "print" | "log" | "echo" | "puts" | "info") || v.rule_at(0) != Some(Rule::TEXT) {
        return None;
    }
    let edits = vec![edit(v.span_of(0), "report {"), edit(v.span(0).after(), " }")];
    Some(v.fixed(
        "E0168",
        v.span_of(0),
        "what a run tells stands in its report",
        &format!("write `report {{ {} }}`", v.text_at(0)),
        edits,
    ))
}

/// `let r = run p()`.
fn run_word(v: &View<'_>) -> Option<Advice> {
    if !matches!(v.word(-1), "run" | "await" | "new" | "call") || v.word(0).is_empty() {
        return None;
    }
    let span = Span { start: v.span(-1).start, end: v.span(0).start };
    Some(v.fixed(
        "E0169",
        v.span(-1),
        format!("a call needs no `{}`", v.word(-1)),
        &format!("leave `{}` out", v.word(-1)),
        vec![edit(span, "")],
    ))
}

/// `mock x = …`.
fn mock_equals(v: &View<'_>) -> Option<Advice> {
    let sign = matches!(v.rule_at(0), Some(Rule::EQ | Rule::COLON | Rule::ARROW));
    let word = matches!(v.word(0), "returns" | "return" | "gives" | "answers");
    (v.text_of(0) == "mock" && (sign || word)).then(|| v.instead("E0170", v.span(0), v.text_at(0), "=>"))
}

/// `elif c {`.
fn elif(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    matches!(wrong, "elif" | "elsif" | "elseif").then(|| v.instead("E0171", v.span(0), wrong, "else if"))
}

/// `if c:`, `if c then x`.
fn if_colon(v: &View<'_>) -> Option<Advice> {
    if v.rule_at(0) == Some(Rule::COLON)
        && matches!(v.text_of(0), "if" | "for" | "with" | "else" | "while")
        && v.around(v.at).is_none()
    {
        let word = v.text_of(0);
        if v.token(1).is_none() {
            // The lines below are statements of their own; only their author knows where they end.
            return told(
                "E0172",
                v.span(0),
                "a block stands in braces",
                format!("write `{word} … {{`, and `}}` where it ends"),
            );
        }
        let edits = vec![edit(v.span(0), " {"), edit(v.span_of(v.tokens.len().checked_sub(1)?).after(), " }")];
        return Some(v.fixed(
            "E0172",
            v.span(0),
            "a block stands in braces",
            &format!("write `{word} … {{ … }}`"),
            edits,
        ));
    }
    if v.word(0) == "then" {
        return told("E0172", v.span(0), "`if` takes blocks", "write `if c { x } else { y }`");
    }
    None
}

/// `unless c { … }`.
fn unless_block(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "unless" && v.at <= 1 && v.rule != Rule::only_item)
        .then(|| v.instead("E0173", v.span_of(0), "unless", "if not"))
}

/// `return x, y`.
fn return_two(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "return" && v.rule_at(0) == Some(Rule::COMMA) && v.around(v.at).is_none()).then_some(())?;
    told("E0174", v.span(0), "`return` gives one value", "return a record: `return { a: x, b: y }`")
}

/// `approve by "manager" "text"`.
fn approve_first(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "approve" && v.at == 1 && matches!(v.rule_at(0), Some(Rule::WORD | Rule::LPAREN))).then_some(())?;
    told(
        "E0175",
        v.span(0),
        "`approve` begins with what is asked",
        "write `approve \"Go on?\" by \"manager\", within 24h`",
    )
}

/// `step s catch { … } { … }`.
fn catch_first(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "step" && matches!(v.word(0), "catch" | "undo") && v.around(v.at).is_none()).then_some(())?;
    told(
        "E0176",
        v.span(0),
        format!("`{}` follows the body of a step", v.word(0)),
        "move it behind the `}` of the body",
    )
}

/// `step a: for m in ms {`.
fn step_colon(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "step" && v.at == 2 && v.rule_at(0) == Some(Rule::COLON)).then(|| {
        v.fixed("E0177", v.span(0), "no `:` follows the name of a step", "remove `:`", vec![edit(v.span(0), "")])
    })
}

/// `undo vm.start(m)`.
fn bare_undo(v: &View<'_>) -> Option<Advice> {
    let word = v.text_of(0);
    (v.at == 0 && matches!(word, "undo" | "catch" | "else")).then_some(())?;
    told(
        "E0179",
        v.span(0),
        format!("`{word}` takes a block and follows the `}}` of what it belongs to"),
        format!("write `}} {word} {{ … }}`"),
    )
}

/// `report table(x)`.
fn bare_report(v: &View<'_>) -> Option<Advice> {
    if v.text_of(0) != "report" || v.at != 1 || v.word(0).is_empty() {
        return None;
    }
    let end = v.value_end(1);
    if end + 1 != v.tokens.len() {
        return told(
            "E0168",
            v.span(0),
            "what a report shows stands in a block",
            "write `report \"Title\" { table(x) }`, each value on its line",
        );
    }
    let at = Span { start: v.span(0).start, end: v.span(0).start };
    let edits = vec![edit(at, "{ "), edit(v.span_of(end).after(), " }")];
    Some(v.fixed(
        "E0168",
        v.span(0),
        "what a report shows stands in a block",
        &format!("write `report {{ {} }}`", v.source(1, end)),
        edits,
    ))
}

/// `parallel 5 { … }`.
fn parallel_number(v: &View<'_>) -> Option<Advice> {
    (v.at == 1 && v.text_of(0) == "parallel").then_some(())?;
    told(
        "E0178",
        v.span(0),
        "`parallel` takes a block of steps",
        "how many items at once is a clause of a step: `at_once 5`",
    )
}

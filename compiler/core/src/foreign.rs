//! Names of other languages and tools, with what to write instead: said where a name is not found.

/// Values and what begins a path: `boto3.client`, `var.env`, `datetime.now()`.
const VALUES: &[(&str, &str)] = &[
    (
        "boto3",
        "operations are called by cloud, service and name: `aws.ec2.describe_instances()`; who calls is no matter of a playbook",
    ),
    ("botocore", "operations are called by cloud, service and name: `aws.ec2.describe_instances()`"),
    ("amazon", "the clouds are `aws`, `azure` and `gcp`"),
    ("azurerm", "the clouds are `aws`, `azure` and `gcp`"),
    ("google", "the clouds are `aws`, `azure` and `gcp`"),
    ("var", "a parameter is called by its name alone"),
    ("local", "a name of the file or the body is called by itself"),
    ("params", "a parameter is called by its name alone"),
    ("inputs", "a parameter is called by its name alone"),
    ("self", "there are no objects with methods of their own: hand the value in as a parameter"),
    ("this", "there are no objects with methods of their own: hand the value in as a parameter"),
    ("console", "what a run tells stands in its report: `report \"…\" { … }`"),
    ("logger", "what a run tells stands in its report: `report \"…\" { … }`"),
    ("datetime", "write `now()`, `run.started`, or an instant such as `2026-11-21T08:00:00Z`"),
    ("Date", "write `now()`, `run.started`, or an instant such as `2026-11-21T08:00:00Z`"),
    ("time", "write `now()`, `run.started`, or wait with `sleep 5m`"),
    ("os", "what a run is given are parameters; nothing of this machine is read"),
    ("env", "what a run is given are parameters; nothing of this machine is read"),
    ("process", "what a run is given are parameters; nothing of this machine is read"),
    ("math", "there are `+`, `-`, `*`, `/`, `.sum()`, `.min()` and `.max()`"),
    ("json", "values are written as they are; `r\"\"\"…\"\"\"` holds a text with braces"),
    ("re", "a pattern stands in a type: `string(matches: r\"[a-z]+\")`"),
    ("pass", "leave it out: a block may be empty"),
    ("raise", "a run ends where a `require` does not hold: `require condition else \"why\"`"),
    ("throw", "a run ends where a `require` does not hold: `require condition else \"why\"`"),
    ("break", "nothing goes round and round: a list is cut with `.filter(…)` and `.take(…)`"),
    ("continue", "nothing goes round and round: a list is cut with `.filter(…)` and `.take(…)`"),
    ("NaN", "a number is always one"),
];

/// Functions.
const FUNCTIONS: &[(&str, &str)] = &[
    ("len", "write `list.count()`"),
    ("length", "write `list.count()`"),
    ("size", "write `list.count()`"),
    ("print", "write `report \"…\" { … }`"),
    ("log", "write `report \"…\" { … }`"),
    ("echo", "write `report \"…\" { … }`"),
    ("str", "write `\"{x}\"`"),
    ("format", "write `\"{x}\"`"),
    ("int", "write `text.to_int()`"),
    ("range", "write `0..=4` for the numbers from 0 to 4"),
    ("sorted", "write `list.sort_by(x => x)`"),
    ("reversed", "write `list.reverse()`"),
    ("sum", "write `list.sum()`"),
    ("min", "write `list.min()`"),
    ("max", "write `list.max()`"),
    ("any", "write `list.any(x => …)`"),
    ("all", "write `list.all(x => …)`"),
    ("map", "write `list.map(x => …)`"),
    ("filter", "write `list.filter(x => …)`"),
    ("zip", "write `list.zip(other)`"),
    ("enumerate", "a list has no numbers; `list.zip(0..=9)` joins two lists"),
    ("Some", "write the value itself: what may be absent is `T?`, and `none` is its absence"),
    ("Ok", "write the value itself: an error is an answer, which `catch` replaces"),
    ("Err", "an error is an answer, which `catch` replaces"),
    ("timedelta", "a length of time is written with its unit: `30d`, `1h30m`"),
    ("Date", "write `now()`, or an instant such as `2026-11-21T08:00:00Z`"),
    ("fail", "a run ends where a `require` does not hold: `require condition else \"why\"`"),
    ("exit", "a run ends where a `require` does not hold: `require condition else \"why\"`"),
    ("lookup", "write `map[\"key\"] ?? \"value\"`"),
    ("merge", "write `map.merge(other)`"),
    ("concat", "write `list.concat(other)`"),
    ("coalesce", "write `a ?? b`"),
    ("toset", "write `list.unique()`"),
    ("set", "write `list.unique()`"),
    ("env", "what a run is given are parameters; nothing of this machine is read"),
    ("getenv", "what a run is given are parameters; nothing of this machine is read"),
];

/// Methods for which there is no other of the same kind.
const METHODS: &[(&str, &str)] = &[
    ("append", "a list never changes: `list.concat([x])` is a longer one"),
    ("push", "a list never changes: `list.concat([x])` is a longer one"),
    ("add", "a list never changes: `list.concat([x])` is a longer one"),
    ("extend", "a list never changes: `list.concat(other)` is a longer one"),
    ("pop", "a list never changes: `list.last()` is its last, `list.take(n)` a part of it"),
    ("forEach", "changes are made by `step name for x in list max N { … }`; another list by `.map(x => …)`"),
    ("for_each", "changes are made by `step name for x in list max N { … }`; another list by `.map(x => …)`"),
    ("each", "changes are made by `step name for x in list max N { … }`; another list by `.map(x => …)`"),
    ("reduce", "write `.sum(x => …)`, `.min(x => …)`, `.max(x => …)` or `.group_by(x => …)`"),
    ("fold", "write `.sum(x => …)`, `.min(x => …)`, `.max(x => …)` or `.group_by(x => …)`"),
    ("items", "write `.keys()` or `.values()`"),
    ("entries", "write `.keys()` or `.values()`"),
    ("format", "a text has holes: `\"{x}\"`"),
    ("execute", "a call has ended when it gives its answer: leave `.execute()` out"),
    ("result", "a call has ended when it gives its answer: leave `.result()` out"),
    ("promise", "a call has ended when it gives its answer: leave `.promise()` out"),
    (
        "wait",
        "a call has ended when it gives its answer; for what it set going write `wait aws.ec2.instance_stopped(…)`",
    ),
    ("toBe", "write `expect a == b`"),
    ("toEqual", "write `expect a == b`"),
    ("to_equal", "write `expect a == b`"),
    ("iter", "leave it out: a list has its methods itself"),
    ("into_iter", "leave it out: a list has its methods itself"),
    ("collect", "leave it out: what a method gives is a list already"),
    ("clone", "leave it out: values never change"),
    ("all_pages", "leave it out: reads give all pages by themselves"),
];

/// Operations that other libraries have beside those of the API.
const OPERATIONS: &[(&str, &str)] = &[
    ("get_paginator", "reads give all pages by themselves: call the operation"),
    ("paginate", "reads give all pages by themselves: call the operation"),
    ("get_waiter", "write `wait aws.ec2.instance_stopped(…) timeout 10m`"),
    ("client", "call the operation: `aws.ec2.describe_instances()`"),
    ("resource", "call the operation: `aws.ec2.describe_instances()`"),
    ("generate_presigned_url", "an address that lets anybody in is nothing that a playbook makes"),
];

fn of(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(theirs, _)| *theirs == name).map(|(_, help)| *help)
}

/// What to write instead of a value of this name.
pub(crate) fn value(name: &str) -> Option<&'static str> {
    let iso = name.strip_prefix('P').is_some_and(|rest| {
        let rest = rest.strip_prefix('T').unwrap_or(rest);
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.ends_with(|c: char| c.is_ascii_uppercase())
    });
    if iso { Some("a length of time is written with its unit: `10m`, `1h30m`, `30d`") } else { of(VALUES, name) }
}

/// What to write instead of a function of this name.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    of(FUNCTIONS, name)
}

/// What to write instead of a method of this name.
pub(crate) fn method(name: &str) -> Option<&'static str> {
    of(METHODS, name)
}

/// What to write instead of an operation of this name.
pub(crate) fn operation(name: &str) -> Option<&'static str> {
    of(OPERATIONS, name)
}

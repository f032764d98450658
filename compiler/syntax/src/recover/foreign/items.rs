//! Habits around items: imports, declarations, attributes and types.

use escher_grammar::Rule;

use super::{Advice, Habit, View, edit, name_from, told};
use crate::span::Span;

pub(super) const HABITS: &[Habit] = &[
    import,
    from_import,
    double_colon,
    declaration,
    modifier,
    top_level_let,
    record_keyword,
    quoted_name,
    bare_title,
    result_colon,
    attribute,
    untyped_param,
    optional_param,
    optional_literal,
    type_brackets,
    list_type,
    event,
    template_braces,
    elsewhere,
    misspelt,
];

/// `import std.vm`.
fn import(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    (v.at == v.first() && matches!(wrong, "import" | "require" | "include") && v.rule == Rule::only_item)
        .then(|| v.instead("E0140", v.span(0), wrong, "use"))
}

/// `from std import vm`.
fn from_import(v: &View<'_>) -> Option<Advice> {
    if v.at != v.first() || v.word(0) != "from" {
        return None;
    }
    let import = (v.at..v.tokens.len()).find(|i| v.text_of(*i) == "import")?;
    let module = v.source(v.at + 1, import.checked_sub(1)?);
    let name = v.text_of(import + 1);
    let all = v.span(0).join(v.span_of(import + 1));
    let right = format!("use {module}.{name}");
    Some(v.fixed("E0140", v.span(0), "a module is named by `use`", &format!("write `{right}`"), vec![edit(all, right)]))
}

/// `std::vm`.
fn double_colon(v: &View<'_>) -> Option<Advice> {
    let colons = v.rule_at(0) == Some(Rule::COLON) && v.rule_at(1) == Some(Rule::COLON) && v.touch(0, 1);
    colons.then(|| v.instead("E0141", v.span(0).join(v.span(1)), "::", "."))
}

/// `def f`, `function f`.
fn declaration(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    let foreign = matches!(wrong, "def" | "function" | "func" | "fun");
    if v.at == v.first() && foreign {
        return Some(v.instead("E0142", v.span(0), wrong, "fn"));
    }
    (v.at == v.first() && matches!(wrong, "workflow" | "pipeline" | "task") && v.rule_at(1) == Some(Rule::WORD))
        .then(|| v.instead("E0142", v.span(0), wrong, "playbook"))
}

/// `public playbook`, `async fn`.
fn modifier(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    if v.at != v.first() || !matches!(wrong, "public" | "pub" | "private" | "export" | "async" | "static") {
        return None;
    }
    let span = Span { start: v.span(0).start, end: v.span(1).start };
    let help = format!("remove `{wrong}`: all is public but names that begin with `_`, and nothing is asynchronous");
    Some(v.fixed("E0143", v.span(0), format!("`{wrong}` says nothing here"), &help, vec![edit(span, "")]))
}

/// `let x = 5` beside playbooks.
fn top_level_let(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    let item = matches!(v.rule, Rule::only_item) && v.at == v.first();
    (item && matches!(wrong, "let" | "var" | "val")).then(|| v.instead("E0144", v.span(0), wrong, "const"))
}

/// `struct V { … }`, `type V { … }`, `enum E { … }`.
fn record_keyword(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    if v.at == v.first() && matches!(wrong, "struct" | "record" | "class" | "interface") {
        let edits = vec![edit(v.span(0), "type"), edit(v.span(1).after(), " =")];
        return Some(v.fixed(
            "E0145",
            v.span(0),
            format!("`{wrong}` is written `type … =` here"),
            "write `type Name = { … }`",
            edits,
        ));
    }
    if v.at == v.first() && wrong == "enum" {
        return told("E0145", v.span(0), "a choice is a union of texts", "write `type Name = \"a\" | \"b\"`");
    }
    if matches!(v.word(-1), "record" | "struct" | "object")
        && v.rule_at(0) == Some(Rule::LBRACE)
        && v.rule_at(-2) == Some(Rule::EQ)
    {
        let span = Span { start: v.span(-1).start, end: v.span(0).start };
        return Some(v.fixed(
            "E0145",
            v.span(-1),
            format!("a record type needs no `{}`", v.word(-1)),
            "write `type Name = { … }`",
            vec![edit(span, "")],
        ));
    }
    if v.first_word() == "type" && v.at == v.first() + 2 && v.rule_at(0) == Some(Rule::LBRACE) {
        let edits = vec![edit(v.span(-1).after(), " =")];
        return Some(v.fixed("E0145", v.span(0), "`=` is missing before the type", "write `type Name = { … }`", edits));
    }
    None
}

/// `playbook "Stop machines" {`.
fn quoted_name(v: &View<'_>) -> Option<Advice> {
    let word = v.word(-1);
    if v.rule_at(0) != Some(Rule::TEXT)
        || !matches!(word, "playbook" | "action" | "fn" | "template" | "schedule" | "trigger")
    {
        return None;
    }
    let name = name_from(v.text_at(0));
    let title = format!("write `{word} {name}`, and what it does in a doc comment above");
    Some(v.fixed("E0146", v.span(0), format!("a {word} has a name, not a text"), &title, vec![edit(v.span(0), name)]))
}

/// `test leaves_production {`.
fn bare_title(v: &View<'_>) -> Option<Advice> {
    if v.word(-1) != "test" || v.at != v.first() + 1 || v.word(0).is_empty() {
        return None;
    }
    let title = format!("\"{}\"", v.word(0).replace('_', " "));
    Some(v.fixed(
        "E0147",
        v.span(0),
        "a test has a text, not a name",
        &format!("write `test {title}`"),
        vec![edit(v.span(0), title)],
    ))
}

/// `fn f(x: T): U`.
fn result_colon(v: &View<'_>) -> Option<Advice> {
    let head = matches!(v.first_word(), "fn" | "action" | "playbook");
    (head && v.rule_at(0) == Some(Rule::COLON) && v.rule_at(-1) == Some(Rule::RPAREN))
        .then(|| v.instead("E0148", v.span(0), ":", " ->"))
}

/// `@risk high`.
fn attribute(v: &View<'_>) -> Option<Advice> {
    let value = matches!(v.rule_at(0), Some(Rule::WORD | Rule::TEXT)) && v.rule_at(-2) == Some(Rule::AT);
    if !value || super::super::cut::starts_item(v.word(0)) {
        return None;
    }
    let span = Span { start: v.span(-1).end, end: v.span(0).end };
    let right = format!("({})", v.text_at(0));
    Some(v.fixed(
        "E0149",
        v.span(0),
        "what an attribute says stands in parentheses",
        &format!("write `@{}{right}`", v.word(-1)),
        vec![edit(span, right)],
    ))
}

/// `playbook p(a = 1)`.
fn untyped_param(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let head = open.checked_sub(2).map(|i| v.text_of(i))?;
    let param = matches!(v.rule_at(0), Some(Rule::EQ | Rule::COMMA | Rule::RPAREN | Rule::WORD));
    if !param || !matches!(head, "playbook" | "action" | "fn") || v.word(-1).is_empty() {
        return None;
    }
    let before = v.rule_at(-2)?;
    if !matches!(before, Rule::LPAREN | Rule::COMMA) {
        return None;
    }
    let name = v.word(-1);
    if v.rule_at(0) == Some(Rule::WORD) {
        let edits = vec![edit(v.span(-1).after(), ":")];
        return Some(v.fixed(
            "E0150",
            v.span(0),
            "`:` is missing before the type",
            &format!("write `{name}: {}`", v.word(0)),
            edits,
        ));
    }
    told(
        "E0150",
        v.span(-1),
        format!("the parameter `{name}` has no type"),
        format!("write `{name}: string`, or what it is"),
    )
}

/// `a?: string`.
fn optional_param(v: &View<'_>) -> Option<Advice> {
    if v.rule_at(0) != Some(Rule::MAYBE) || v.rule_at(1) != Some(Rule::COLON) || v.word(-1).is_empty() {
        return None;
    }
    let end = v.value_end(v.at + 2);
    let edits = vec![edit(v.span(0), ""), edit(v.span_of(end).after(), "?")];
    Some(v.fixed(
        "E0151",
        v.span(0),
        "the type says what may be absent",
        &format!("write `{}: {}?`", v.word(-1), v.source(v.at + 2, end)),
        edits,
    ))
}

/// `"a" | "b"?`.
fn optional_literal(v: &View<'_>) -> Option<Advice> {
    (v.rule_at(0) == Some(Rule::MAYBE) && v.rule_at(-1) == Some(Rule::TEXT)).then_some(())?;
    told(
        "E0151",
        v.span(0),
        "`?` would belong to one text only",
        "write `(\"a\" | \"b\")?` for a choice that may be absent",
    )
}

/// `list[string]`, `string[]`.
fn type_brackets(v: &View<'_>) -> Option<Advice> {
    let in_type = matches!(v.rule_at(-2), Some(Rule::COLON | Rule::ARROW | Rule::LESS | Rule::PIPE))
        || (v.first_word() == "type" && v.rule_at(-2) == Some(Rule::EQ));
    if v.rule_at(0) != Some(Rule::LBRACKET) || v.word(-1).is_empty() || !in_type {
        return None;
    }
    let name = v.word(-1);
    let close = v.forward(v.at)?;
    if close == v.at + 1 {
        let all = v.span(-1).join(v.span_of(close));
        return Some(v.instead("E0152", all, &format!("{name}[]"), &format!("list<{name}>")));
    }
    let edits = vec![edit(v.span(0), "<"), edit(v.span_of(close), ">")];
    let inner = v.source(v.at + 1, close.checked_sub(1)?);
    Some(v.fixed(
        "E0152",
        v.span(0),
        "what a list holds stands in `<` and `>`",
        &format!("write `{name}<{inner}>`"),
        edits,
    ))
}

/// `[string]` as a type.
fn list_type(v: &View<'_>) -> Option<Advice> {
    let open = matches!(v.rule_at(0), Some(Rule::LBRACKET))
        && matches!(v.rule_at(-1), Some(Rule::COLON | Rule::ARROW | Rule::LESS));
    let close = if open { v.forward(v.at)? } else { return None };
    let inner = v.source(v.at + 1, close.checked_sub(1)?);
    let edits = vec![edit(v.span(0), "list<"), edit(v.span_of(close), ">")];
    Some(v.fixed("E0152", v.span(0), "a list type is written `list<…>`", &format!("write `list<{inner}>`"), edits))
}

/// `on e: event(…) => p()`.
fn event(v: &View<'_>) -> Option<Advice> {
    (v.at == v.first() && v.word(0) == "on").then_some(())?;
    told(
        "E0153",
        v.span(0),
        "an event starts a playbook by a `trigger`",
        "write `trigger name = p(…) on e: called(aws.ec2.…)`",
    )
}

/// `template t = p { env: "dev" }`.
fn template_braces(v: &View<'_>) -> Option<Advice> {
    if !matches!(v.first_word(), "template" | "schedule")
        || v.rule_at(0) != Some(Rule::LBRACE)
        || v.rule_of(v.first() + 2) != Some(Rule::EQ)
    {
        return None;
    }
    let close = v.forward(v.at)?;
    let edits = vec![edit(Span { start: v.span(-1).end, end: v.span(0).end }, "("), edit(v.span_of(close), ")")];
    Some(v.fixed("E0154", v.span(0), "arguments stand in parentheses", "write `p(name: value)`", edits))
}

const ITEMS: &[&str] = &["use", "const", "type", "action", "playbook", "template", "schedule", "trigger", "test"];

/// The item word that a misspelt one was meant to be.
pub(crate) fn nearest_item(wrong: &str) -> Option<&'static str> {
    if wrong.len() < 3 {
        return None;
    }
    ITEMS.iter().find(|w| **w != wrong && near(wrong, w)).copied()
}

/// `variable "env" {`, `resource "aws_instance" "web" {`, `name: stop machines`: what tools of infrastructure begin with.
fn elsewhere(v: &View<'_>) -> Option<Advice> {
    (v.rule == Rule::only_item && v.at == v.first()).then_some(())?;
    let word = v.text_at(0);
    let help = match (word, v.rule_at(1)) {
        ("variable" | "param" | "parameter" | "input" | "inputs" | "vars", _) => {
            "what a run is given are parameters: `playbook name(env: string = \"dev\") { … }`"
        }
        ("locals" | "local", _) => "a value that never changes is a constant: `const env = \"dev\"`",
        ("data", _) => "what there is is read where it is needed: `let all = aws.ec2.describe_instances()`",
        ("resource", _) => "things are made and changed by the steps of a playbook: `playbook name() { step … }`",
        ("provider" | "terraform" | "backend", _) => "places and credentials stand in escher.toml, never in a playbook",
        ("output", _) => "what a playbook gives is what it returns: `return list`",
        ("module", _) => "a file is used with `use \"./shared.esc\" as shared`",
        ("impl", _) => "functions stand by themselves: `fn f(x: Machine) -> string = …`",
        ("-", _) | (_, Some(Rule::COLON)) => {
            "this is no YAML: a playbook is `playbook name() { … }`, and its steps stand in it"
        }
        _ => return None,
    };
    told("E0184", v.span(0), format!("`{word}` begins nothing here"), help)
}

/// `plabook p() {`, `requre x`.
fn misspelt(v: &View<'_>) -> Option<Advice> {
    const STATEMENTS: &[&str] = &[
        "require", "confirm", "approve", "step", "parallel", "wait", "sleep", "report", "notify", "return", "match",
        "expect", "mock", "with", "let",
    ];
    let first = v.first();
    let wrong = v.text_of(first);
    // `except` follows `try`, of which it was said what to do.
    if v.rule_of(first) != Some(Rule::WORD) || wrong.len() < 3 || wrong == "except" {
        return None;
    }
    let words = match v.rule {
        Rule::only_item if v.at == first => ITEMS,
        Rule::only_head if v.at == first => ITEMS,
        Rule::only_statement | Rule::only_head
            if v.at == first + 1
                && matches!(v.rule_at(0), Some(Rule::WORD | Rule::TEXT | Rule::LBRACE | Rule::NUMBER)) =>
        {
            STATEMENTS
        }
        _ => return None,
    };
    let right = words.iter().find(|w| **w != wrong && near(wrong, w))?;
    Some(v.instead("E0155", v.span_of(first), wrong, right))
}

/// Whether two words differ by one typing mistake, or by two in a long word.
pub(super) fn near(left: &str, right: &str) -> bool {
    let allowed = if right.len() >= 6 { 2 } else { 1 };
    strsim::osa_distance(left, right) <= allowed
}

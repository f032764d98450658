//! Habits around values: operators, texts, numbers, lambdas, choices.

use escher_grammar::Rule;

use super::{Advice, Habit, View, edit, told};
use crate::span::Span;

pub(super) const HABITS: &[Habit] = &[
    sign,
    quote,
    prefix,
    template_hole,
    block_lambda,
    named_argument,
    python_lambda,
    rust_lambda,
    comprehension,
    bare_member,
    arm,
    ternary,
    python_if,
    unit,
    percent,
    dollar,
    open_range,
    spread,
    equality,
    is_none,
    modulo,
    power,
    slice_of,
    macro_call,
    guard,
    bare_list,
    apart,
    comma,
];

/// `&&`, `||`, `!`.
fn sign(v: &View<'_>) -> Option<Advice> {
    let right = match v.rule_at(0)? {
        Rule::FOREIGN_AND => "and",
        Rule::FOREIGN_OR => "or",
        Rule::FOREIGN_NOT if macro_call(v).is_some() => return None,
        Rule::FOREIGN_NOT if v.touch(-1, 0) && (v.token(1).is_none() || !v.touch(0, 1)) => {
            return Some(v.fixed("E0131", v.span(0), "`!` says nothing here", "remove `!`", vec![edit(v.span(0), "")]));
        }
        Rule::FOREIGN_NOT => "not ",
        _ => return None,
    };
    let spaced = match right {
        "not " => right.to_string(),
        word => {
            let before = if v.touch(-1, 0) { " " } else { "" };
            let after = if v.touch(0, 1) { " " } else { "" };
            format!("{before}{word}{after}")
        }
    };
    Some(v.instead("E0131", v.span(0), v.text_at(0), &spaced))
}

/// `2 ** 3`.
fn power(v: &View<'_>) -> Option<Advice> {
    let is = v.rule_at(0) == Some(Rule::STAR) && v.rule_at(-1) == Some(Rule::STAR) && v.touch(-1, 0);
    is.then_some(())?;
    told("E0123", v.span(-1).join(v.span(0)), "`**` is no operator", "multiply as often: `2 * 2 * 2`")
}

/// `ids[0:5]`.
fn slice_of(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let is = v.rule_at(0) == Some(Rule::COLON) && v.rule_of(open) == Some(Rule::LBRACKET) && open > 0;
    // What stands before it is indexed, so this is no list.
    let indexed = open.checked_sub(1).is_some_and(|i| v.span_of(i).end == v.span_of(open).start);
    (is && indexed).then_some(())?;
    told(
        "E0185",
        v.span(0),
        "a part of a list is taken by a method",
        "write `.take(5)` for the first five, `.skip(2).take(3)` for three after the second",
    )
}

/// `println!("done")`.
fn macro_call(v: &View<'_>) -> Option<Advice> {
    let is = v.rule_at(0) == Some(Rule::FOREIGN_NOT) && v.touch(-1, 0) && v.touch(0, 1) && !v.word(-1).is_empty();
    (is && matches!(v.rule_at(1), Some(Rule::LPAREN | Rule::LBRACKET))).then_some(())?;
    let name = v.word(-1);
    let help = match name {
        "println" | "print" | "eprintln" | "info" | "log" => {
            "what a run tells stands in its report: `report { \"done\" }`"
        }
        "format" => "every text has holes: `\"{name}\"`",
        "vec" => "a list is written `[a, b]`",
        _ => "functions are called without `!`",
    };
    told("E0131", v.span(-1).join(v.span(0)), format!("there is no `{name}!`"), help)
}

/// `n if n > 5 => "many"` in a `match`.
fn guard(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let in_match = (0..open).rev().take(12).any(|i| v.text_of(i) == "match");
    (in_match && v.word(0) == "if" && v.rule_of(open) == Some(Rule::LBRACE)).then_some(())?;
    told(
        "E0138",
        v.span(0),
        "an arm has values, and no condition",
        "write `if c { x } else { y }` where a condition decides",
    )
}

/// `const zones = "a", "b"`.
fn bare_list(v: &View<'_>) -> Option<Advice> {
    let is = v.rule_at(0) == Some(Rule::COMMA)
        && v.around(v.at).is_none()
        && matches!(v.text_of(v.first()), "const" | "let");
    is.then_some(())?;
    let start = v.value_start(v.at);
    let end = v.tokens.len().checked_sub(1)?;
    let at = Span { start: v.span_of(start).start, end: v.span_of(start).start };
    let edits = vec![edit(at, "["), edit(v.span_of(end).after(), "]")];
    Some(v.fixed("E0185", v.span(0), "a list stands in brackets", "write `[a, b]`", edits))
}

/// `'dev'`.
fn quote(v: &View<'_>) -> Option<Advice> {
    (v.rule_at(0) == Some(Rule::FOREIGN_TEXT)).then_some(())?;
    let inner = v.text_at(0).trim_matches('\'').replace('"', "\\\"");
    let right = format!("\"{inner}\"");
    Some(v.fixed(
        "E0132",
        v.span(0),
        "a text stands in double quotes",
        &format!("write `{right}`"),
        vec![edit(v.span(0), right)],
    ))
}

/// `f"{x}"`.
fn prefix(v: &View<'_>) -> Option<Advice> {
    let text = matches!(v.rule_at(0), Some(Rule::TEXT | Rule::TEXT_BLOCK | Rule::FOREIGN_TEXT));
    let word = matches!(v.word(-1), "f" | "F" | "b" | "u" | "s" | "fr" | "rf");
    (text && word && v.touch(-1, 0)).then(|| {
        let title = format!("remove `{}`", v.word(-1));
        v.fixed("E0132", v.span(-1), "every text has holes", &title, vec![edit(v.span(-1), "")])
    })
}

/// `"{{ x }}"`, `"{x:.2f}"`.
fn template_hole(v: &View<'_>) -> Option<Advice> {
    let token = v.token(0)?;
    if !matches!(token.rule, Rule::TEXT | Rule::TEXT_BLOCK) || v.place <= token.span.start as usize {
        return None;
    }
    let start = token.span.start as usize;
    let text = v.text_at(0);
    let open = text.find("{{")?;
    let close = text.get(open..)?.find("}}")? + open;
    let inner = text.get(open + 2..close)?.trim();
    let span = Span::new(start + open, start + close + 2);
    let right = format!("{{{inner}}}");
    let title = format!("write `{right}`");
    let mut advice = v.fixed("E0007", span, "a hole is written with one brace", &title, vec![edit(span, right)]);
    advice.diagnostic.help = Some("literal braces are `\\{` and `\\}`".to_string());
    Some(advice)
}

/// `m => { let y = …`.
fn block_lambda(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let arrow = open.checked_sub(1).and_then(|i| v.rule_of(i)) == Some(Rule::FAT_ARROW);
    let statement = matches!(v.text_of(open + 1), "let" | "return" | "if" | "require" | "report" | "step");
    (arrow && statement && v.rule_of(open) == Some(Rule::LBRACE) && v.at == open + 2).then_some(())?;
    told(
        "E0133",
        v.span_of(open + 1),
        "a lambda holds one value, no statements",
        "put the statements into an `fn` and call it here",
    )
}

/// `f(env="dev")`.
fn named_argument(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let named = v.rule_at(0) == Some(Rule::EQ) && !v.word(-1).is_empty();
    let start = matches!(v.rule_at(-2), Some(Rule::LPAREN | Rule::COMMA | Rule::LBRACE));
    if !named || !start || v.rule_of(open) == Some(Rule::LBRACKET) {
        return None;
    }
    let span = Span { start: v.span(-1).end, end: v.span(1).start };
    Some(v.instead("E0134", span, "=", ": "))
}

/// `lambda m: m.x`.
fn python_lambda(v: &View<'_>) -> Option<Advice> {
    if v.word(-1) != "lambda" {
        return None;
    }
    let colon = (v.at..v.tokens.len()).find(|i| v.rule_of(*i) == Some(Rule::COLON))?;
    let params = v.source(v.at, colon.checked_sub(1)?);
    let right = if params.contains(',') { format!("({params}) =>") } else { format!("{params} =>") };
    let span = v.span(-1).join(v.span_of(colon));
    Some(v.fixed(
        "E0135",
        v.span(-1),
        "a lambda is written `x => …`",
        &format!("write `{right} …`"),
        vec![edit(span, right)],
    ))
}

/// `|m| m.x`.
fn rust_lambda(v: &View<'_>) -> Option<Advice> {
    if v.rule_at(0) != Some(Rule::PIPE) {
        return None;
    }
    let close = (v.at + 1..v.tokens.len()).find(|i| v.rule_of(*i) == Some(Rule::PIPE))?;
    let params = v.source(v.at + 1, close.checked_sub(1)?);
    let names = params.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ' '));
    if !names || params.is_empty() {
        return None;
    }
    let right = if params.contains(',') { format!("({params}) =>") } else { format!("{params} =>") };
    let span = v.span(0).join(v.span_of(close));
    Some(v.fixed("E0135", span, "a lambda is written `x => …`", &format!("write `{right} …`"), vec![edit(span, right)]))
}

/// `[m.id for m in ms if m.ok]`.
fn comprehension(v: &View<'_>) -> Option<Advice> {
    if v.word(0) != "for" || v.word(2) != "in" {
        return None;
    }
    let open = v.around(v.at)?;
    let close = v.forward(open)?;
    if v.rule_of(open) != Some(Rule::LBRACKET) {
        return None;
    }
    let (name, value) = (v.word(1), v.source(open + 1, v.at.checked_sub(1)?));
    let filter = (v.at + 3..close).find(|i| v.text_of(*i) == "if" && v.around(*i) == Some(open));
    let list = v.source(v.at + 3, filter.unwrap_or(close).checked_sub(1)?);
    let mut right = list.to_string();
    if let Some(at) = filter {
        right.push_str(&format!(".filter({name} => {})", v.source(at + 1, close.checked_sub(1)?)));
    }
    if value != name {
        right.push_str(&format!(".map({name} => {value})"));
    }
    let span = v.span_of(open).join(v.span_of(close));
    Some(v.fixed(
        "E0136",
        v.span(0),
        "a list is made from another by `.filter` and `.map`",
        &format!("write `{right}`"),
        vec![edit(span, right)],
    ))
}

/// `.filter(.state == "running")`.
fn bare_member(v: &View<'_>) -> Option<Advice> {
    let operator = matches!(
        v.rule_at(0)?,
        Rule::EQUAL
            | Rule::NOT_EQUAL
            | Rule::LESS
            | Rule::LESS_EQUAL
            | Rule::GREATER
            | Rule::GREATER_EQUAL
            | Rule::PLUS
            | Rule::MINUS
            | Rule::STAR
            | Rule::SLASH
            | Rule::COALESCE
    ) || matches!(v.word(0), "and" | "or" | "in" | "not");
    let start = v.value_start(v.at);
    if !operator || v.rule_of(start) != Some(Rule::DOT) {
        return None;
    }
    let at = Span { start: v.span_of(start).start, end: v.span_of(start).start };
    // Each bare member up to the end of this value is one of the same item.
    let end = v.value_end(start);
    let mut edits = vec![edit(at, "x => x")];
    for index in start + 1..=end {
        let before = index.checked_sub(1).and_then(|i| v.rule_of(i));
        let bare = v.rule_of(index) == Some(Rule::DOT)
            && (matches!(v.text_of(index - 1), "and" | "or" | "not" | "in")
                || !matches!(
                    before,
                    Some(Rule::WORD | Rule::RPAREN | Rule::RBRACKET | Rule::RBRACE | Rule::MAYBE | Rule::TEXT)
                ));
        if bare {
            let at = v.span_of(index);
            edits.push(edit(Span { start: at.start, end: at.start }, "x"));
        }
    }
    Some(v.fixed(
        "E0137",
        v.span_of(start),
        "`.member` alone is a whole lambda, without operators",
        "write `x => x.member == …`",
        edits,
    ))
}

/// `case "a":`, `"a": 1`, `else =>` in a match.
fn arm(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    let head = (0..open).rev().take(24).find(|i| v.text_of(*i) == "match");
    if v.rule_of(open) != Some(Rule::LBRACE) || head.is_none() {
        return None;
    }
    if v.word(-1) == "case" {
        let span = Span { start: v.span(-1).start, end: v.span(0).start };
        return Some(v.fixed(
            "E0138",
            v.span(-1),
            "an arm begins with what it matches",
            "remove `case`",
            vec![edit(span, "")],
        ));
    }
    if matches!(v.rule_at(0), Some(Rule::COLON | Rule::ARROW | Rule::EQ)) {
        return Some(v.instead("E0138", v.span(0), v.text_at(0), if v.touch(-1, 0) { " =>" } else { "=>" }));
    }
    (v.word(0) == "else").then(|| v.instead("E0138", v.span(0), "else", "_"))
}

/// `c ? x : y`.
fn ternary(v: &View<'_>) -> Option<Advice> {
    let mark = match (v.rule_at(0), v.rule_at(-1)) {
        (Some(Rule::MAYBE), _) => v.at,
        (_, Some(Rule::MAYBE)) => v.at.checked_sub(1)?,
        _ => return None,
    };
    let start = v.value_start(mark);
    let colon =
        (mark + 1..v.tokens.len()).find(|i| v.rule_of(*i) == Some(Rule::COLON) && v.around(*i) == v.around(mark))?;
    let end = v.value_end(colon + 1);
    let condition = v.source(start, mark.checked_sub(1)?);
    choice(v, v.span_of(mark), (start, end), condition, v.source(mark + 1, colon - 1), v.source(colon + 1, end))
}

/// `x if c else y`.
fn python_if(v: &View<'_>) -> Option<Advice> {
    if v.word(0) != "if" || matches!(v.first_word(), "step" | "schedule") {
        return None;
    }
    let otherwise = (v.at + 1..v.tokens.len()).find(|i| v.text_of(*i) == "else" && v.around(*i) == v.around(v.at))?;
    let start = v.value_start(v.at);
    let end = v.value_end(otherwise + 1);
    let value = v.source(start, v.at.checked_sub(1)?);
    if v.rule_of(otherwise + 1) == Some(Rule::LBRACE) || value.is_empty() {
        return None;
    }
    choice(v, v.span(0), (start, end), v.source(v.at + 1, otherwise - 1), value, v.source(otherwise + 1, end))
}

fn choice(v: &View<'_>, span: Span, (start, end): (usize, usize), c: &str, x: &str, y: &str) -> Option<Advice> {
    let right = format!("if {c} {{ {x} }} else {{ {y} }}");
    let all = v.span_of(start).join(v.span_of(end));
    Some(v.fixed(
        "E0139",
        span,
        "a choice is written `if c { x } else { y }`",
        &format!("write `{right}`"),
        vec![edit(all, right)],
    ))
}

/// `20 GB`, `10 minutes`, `12.50USD`, `10min`.
fn unit(v: &View<'_>) -> Option<Advice> {
    let (span, digits, word) = if v.rule_at(0) == Some(Rule::NUMBER_BAD) {
        let text = v.text_at(0);
        let split = text.find(|c: char| c.is_ascii_alphabetic())?;
        (v.span(0), text.get(..split)?, text.get(split..)?)
    } else if v.rule_at(-1) == Some(Rule::NUMBER) && !v.word(0).is_empty() && !v.token(0)?.first {
        (v.span(-1).join(v.span(0)), v.text_at(-1), v.word(0))
    } else {
        return None;
    };
    let right = match word.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "milliseconds" => format!("{digits}ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => format!("{digits}s"),
        "m" | "min" | "mins" | "minute" | "minutes" => format!("{digits}m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => format!("{digits}h"),
        "d" | "day" | "days" => format!("{digits}d"),
        "w" | "week" | "weeks" => format!("{digits}w"),
        "kb" | "mb" | "gb" | "tb" | "pb" => format!("{digits}{}", word.to_ascii_uppercase()),
        "kib" | "mib" | "gib" | "tib" | "pib" => format!("{digits}{}iB", word.get(..1)?.to_ascii_uppercase()),
        "usd" | "eur" | "gbp" | "chf" | "jpy" => format!("{digits} {}", word.to_ascii_uppercase()),
        _ => return None,
    };
    let shown = crate::tree::slice(v.text, span);
    Some(v.instead("E0003", span, shown, &right))
}

/// `5 %`.
fn percent(v: &View<'_>) -> Option<Advice> {
    let operand = matches!(v.rule_at(1), Some(Rule::WORD | Rule::NUMBER | Rule::LPAREN))
        && !v.token(1)?.first
        && v.word(1) != "of";
    (v.text_at(0) == "%" && v.rule_at(-1) == Some(Rule::NUMBER) && !operand).then(|| {
        v.instead("E0003", v.span(-1).join(v.span(0)), &format!("{} %", v.text_at(-1)), &format!("{}%", v.text_at(-1)))
    })
}

/// `$12.50`.
fn dollar(v: &View<'_>) -> Option<Advice> {
    let number = matches!(v.rule_at(1), Some(Rule::NUMBER)) && v.touch(0, 1);
    (v.text_at(0) == "$" && number).then(|| {
        let right = format!("{} USD", v.text_at(1));
        v.instead("E0003", v.span(0).join(v.span(1)), &format!("${}", v.text_at(1)), &right)
    })
}

/// `1..20`.
fn open_range(v: &View<'_>) -> Option<Advice> {
    (v.rule_at(0) == Some(Rule::RANGE_OPEN)
        && v.rule_at(-1) != Some(Rule::LBRACE)
        && v.rule_at(-1) != Some(Rule::COMMA))
    .then_some(())?;
    told(
        "E0120",
        v.span(0),
        "a range says that it includes its end: `..=`",
        "write `1..=20` for 1 to 20, or `1..=19` to leave the end out",
    )
}

/// `{ ..base }`, `{ **base }`, `f(*list)`.
fn spread(v: &View<'_>) -> Option<Advice> {
    let start = matches!(v.rule_at(-1), Some(Rule::LBRACE | Rule::COMMA));
    let dots = v.rule_at(0) == Some(Rule::RANGE_OPEN) && start;
    dots.then(|| v.instead("E0121", v.span(0), "..", "..."))
}

/// `===`, `<>`, `a = b` in a condition.
fn equality(v: &View<'_>) -> Option<Advice> {
    if v.rule_at(0) == Some(Rule::EQ) && matches!(v.rule_at(-1), Some(Rule::EQUAL | Rule::NOT_EQUAL)) && v.touch(-1, 0)
    {
        let right = v.text_at(-1);
        return Some(v.instead("E0122", v.span(-1).join(v.span(0)), &format!("{right}="), right));
    }
    if v.rule_at(0) == Some(Rule::GREATER) && v.rule_at(-1) == Some(Rule::LESS) && v.touch(-1, 0) {
        return Some(v.instead("E0122", v.span(-1).join(v.span(0)), "<>", "!="));
    }
    let condition = matches!(v.text_of(0), "if" | "require" | "expect" | "wait")
        || (0..v.at).any(|i| matches!(v.text_of(i), "when" | "if"));
    (v.rule_at(0) == Some(Rule::EQ) && condition).then(|| v.instead("E0122", v.span(0), "=", "=="))
}

/// `a is none`, `a is not none`.
fn is_none(v: &View<'_>) -> Option<Advice> {
    if v.word(0) != "is" {
        return None;
    }
    let not = v.word(1) == "not";
    let span = if not { v.span(0).join(v.span(1)) } else { v.span(0) };
    Some(v.instead("E0122", span, if not { "is not" } else { "is" }, if not { "!=" } else { "==" }))
}

/// `f (x)`, `a [0]`.
fn apart(v: &View<'_>) -> Option<Advice> {
    let open = v.rule_at(0)?;
    let applies = matches!(v.rule_at(-1), Some(Rule::RPAREN | Rule::RBRACKET))
        || (!v.word(-1).is_empty() && !super::super::expected::is_reserved(v.word(-1)));
    let gap = Span { start: v.span(-1).end, end: v.span(0).start };
    if !matches!(open, Rule::LPAREN | Rule::LBRACKET) || !applies || gap.start == gap.end || v.token(0)?.first {
        return None;
    }
    let sign = v.text_at(0);
    let message = format!("`{sign}` stands directly after what it belongs to");
    Some(v.fixed("E0124", v.span(0), message, "remove the blank", vec![edit(gap, "")]))
}

/// `{ a: 1; b: 2 }`, `f(a: 1 b: 2)`.
fn comma(v: &View<'_>) -> Option<Advice> {
    let open = v.around(v.at)?;
    if v.rule_at(0) == Some(Rule::SEMI) {
        return Some(v.instead("E0125", v.span(0), ";", ","));
    }
    let ends = matches!(
        v.rule_at(-1)?,
        Rule::WORD
            | Rule::TEXT
            | Rule::NUMBER
            | Rule::RPAREN
            | Rule::RBRACKET
            | Rule::RBRACE
            | Rule::DURATION
            | Rule::SIZE
            | Rule::PERCENT
            | Rule::MONEY
            | Rule::MAYBE
    );
    let named = !v.word(0).is_empty() || v.rule_at(0) == Some(Rule::TEXT);
    if !named || v.rule_at(1) != Some(Rule::COLON) || !ends || v.at <= open + 1 {
        return None;
    }
    let at = v.span(-1).after();
    Some(v.fixed("E0125", at, format!("missing `,` before `{}`", v.text_at(0)), "write `,`", vec![edit(at, ",")]))
}

/// `a % b`.
fn modulo(v: &View<'_>) -> Option<Advice> {
    (v.text_at(0) == "%").then_some(())?;
    told(
        "E0123",
        v.span(0),
        "`%` is no operator: `5%` is a percentage",
        "write `a.remainder(b)` for what a division leaves",
    )
}

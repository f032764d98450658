//! Habits around clauses: their words, their commas, and where they stand.

use escher_grammar::Rule;

use super::{Advice, Habit, View, edit, told};
use crate::span::Span;

pub(super) const HABITS: &[Habit] =
    &[clause_in_body, clause_call, foreign_clause, foreign_for, comma_first, comma_last, comma_missing, misspelt];

/// The clauses of a step.
pub(super) const STEP: &[&str] = &[
    "max",
    "at_once",
    "tolerate",
    "retry",
    "timeout",
    "when",
    "unless",
    "may_repeat",
    "after",
    "key",
    "temporary",
    "irreversible",
];

/// Those of schedules, templates and approvals.
const OTHERS: &[&str] =
    &["cron", "zone", "every", "overlap", "missed", "within", "jitter", "runs", "until", "by", "of", "show"];

/// Words of clauses, for telling a forgotten comma from anything else.
fn is_clause(word: &str) -> bool {
    STEP.contains(&word) || OTHERS.contains(&word)
}

/// Whether the place is in a head that takes clauses.
fn in_head(v: &View<'_>) -> bool {
    matches!(v.first_word(), "step" | "schedule" | "template" | "trigger" | "approve")
        && v.around(v.at).is_none()
        && !(v.first()..v.at).any(|i| {
            v.rule_of(i) == Some(Rule::LBRACE)
                && v.forward(i).is_some_and(|c| c < v.at)
                && v.text_of(0) == "step"
                && after_block(v, i)
        })
}

fn after_block(v: &View<'_>, open: usize) -> bool {
    let before = open.checked_sub(1).and_then(|i| v.rule_of(i));
    !matches!(before, Some(Rule::EQ | Rule::LPAREN | Rule::COMMA | Rule::COLON | Rule::LBRACKET))
}

/// Whether a clause stands before the place.
fn has_clause(v: &View<'_>) -> bool {
    (v.first() + 1..v.at).any(|i| is_clause(v.text_of(i)) && v.around(i).is_none())
}

/// `step a for m in ms { max: 10 … }`.
fn clause_in_body(v: &View<'_>) -> Option<Advice> {
    let given = matches!(v.rule_at(0), Some(Rule::COLON | Rule::EQ));
    if v.text_of(0) != "step" || !given || !is_clause(v.word(-1)) {
        return None;
    }
    let open = v.around(v.at)?;
    let end = v.value_end(v.at + 1);
    let value = v.source(v.at + 1, end);
    let comma = v.rule_of(end + 1) == Some(Rule::COMMA) || v.rule_of(end + 1) == Some(Rule::SEMI);
    let gone = v.span(-1).join(v.span_of(if comma { end + 1 } else { end }));
    let word = v.word(-1);
    let before = (1..open).any(|i| is_clause(v.text_of(i)));
    let lead = if before { format!(", {word} {value}") } else { format!(" {word} {value}") };
    let head_end = open.checked_sub(1).map(|i| v.span_of(i).after())?;
    let edits = vec![edit(head_end, lead), edit(gone, "")];
    Some(v.fixed(
        "E0180",
        v.span(-1),
        format!("`{word}` stands before the `{{` of a step"),
        &format!("write `{word} {value}` in the head"),
        edits,
    ))
}

/// `step a (max: 10)`.
fn clause_call(v: &View<'_>) -> Option<Advice> {
    (v.text_of(0) == "step"
        && v.rule_at(0) == Some(Rule::LPAREN)
        && v.around(v.at).is_none()
        && v.at <= 3
        && v.word(-1) != "for")
        .then_some(())?;
    told(
        "E0180",
        v.span(0),
        "the clauses of a step stand without parentheses",
        "write `step name for x in list max 10, at_once 5 { … }`",
    )
}

/// `where`, `depends_on`, `concurrency`.
fn foreign_clause(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    let right = match (v.first_word(), wrong) {
        ("step", "where" | "if" | "only_if") => "when",
        ("step", "depends_on" | "needs" | "dependsOn" | "requires") => "after",
        ("step", "concurrency" | "forks" | "serial" | "parallel" | "max_concurrency" | "workers") => "at_once",
        ("step", "retries") => "retry",
        ("step", "limit" | "at_most") => "max",
        ("step", "max_errors" | "max_fail_percentage") => "tolerate",
        ("step", "ignore_errors" | "continue_on_error") => "tolerate all",
        ("schedule", "timezone" | "tz" | "in") => "zone",
        ("schedule", "on_overlap") => "overlap",
        ("template", "expires") => "until",
        ("approve", "timeout" | "valid") => "within",
        _ => return None,
    };
    if !in_head(v) {
        return None;
    }
    let comma = has_clause(v) && v.rule_at(-1) != Some(Rule::COMMA);
    let mut edits = Vec::new();
    if comma {
        edits.push(edit(v.span(-1).after(), ","));
    }
    edits.push(edit(v.span(0), right));
    if v.rule_at(1) == Some(Rule::EQ) {
        edits.push(edit(v.span(1), ""));
    }
    Some(v.fixed(
        "E0181",
        v.span(0),
        format!("`{wrong}` is written `{right}` here"),
        &format!("write `{right}`"),
        edits,
    ))
}

/// `step a for_each ms`, `step a with_items ms`.
fn foreign_for(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    let is = matches!(wrong, "for_each" | "foreach" | "forEach" | "with_items" | "loop" | "over" | "each");
    (is && v.text_of(0) == "step" && in_head(v)).then_some(())?;
    told(
        "E0181",
        v.span(0),
        format!("`{wrong}` is written `for x in list` here"),
        "write `step name \"what it does\" for x in list max N { … }`, and change `x` in it",
    )
}

/// `tolerte 5%`.
fn misspelt(v: &View<'_>) -> Option<Advice> {
    let wrong = v.word(0);
    (v.text_of(0) == "step" && wrong.len() > 2 && in_head(v)).then_some(())?;
    let right = STEP.iter().find(|w| super::items::near(wrong, w))?;
    Some(v.instead("E0155", v.span(0), wrong, right))
}

/// `for m in ms, max 10`.
fn comma_first(v: &View<'_>) -> Option<Advice> {
    let is = v.rule_at(0) == Some(Rule::COMMA) && in_head(v) && !has_clause(v);
    (is && (is_clause(v.word(1)) || v.word(1) == "for")).then(|| {
        v.fixed("E0182", v.span(0), "no comma stands before the first clause", "remove `,`", vec![edit(v.span(0), "")])
    })
}

/// `max 10, {`.
fn comma_last(v: &View<'_>) -> Option<Advice> {
    let end = v.rule_at(-1) == Some(Rule::COMMA) && (v.token(0).is_none() || v.rule_at(0) == Some(Rule::LBRACE));
    if !end || !matches!(v.first_word(), "step" | "schedule" | "template" | "trigger" | "approve") {
        return None;
    }
    Some(v.fixed(
        "E0182",
        v.span(-1),
        "no comma stands after the last clause",
        "remove `,`",
        vec![edit(v.span(-1), "")],
    ))
}

/// `max 10 at_once 5`.
fn comma_missing(v: &View<'_>) -> Option<Advice> {
    if !is_clause(v.word(0)) || !in_head(v) || !has_clause(v) || v.rule_at(-1) == Some(Rule::COMMA) {
        return None;
    }
    let at: Span = v.span(-1).after();
    Some(v.fixed(
        "E0183",
        at,
        format!("missing `,` before `{}`", v.word(0)),
        "write `,` between clauses",
        vec![edit(at, ",")],
    ))
}

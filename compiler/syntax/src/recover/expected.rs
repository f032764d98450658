//! "expected …, found …" in words that people use, for a mistake that nothing more particular is known about.

use escher_grammar::Rule;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::tokens::Token;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::tree::slice;

/// Where pest gave up, in bytes of the text that it parsed.
pub(crate) fn place(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// Whether pest stopped because the text nests too deeply or takes too long, rather than at a mistake.
pub(crate) fn is_limit(error: &Error<Rule>) -> bool {
    matches!(&error.variant, ErrorVariant::CustomError { .. })
}

/// The diagnostic for a failed parse. `found` is the token at the place, none at the end of a unit; `before` the one that
/// ends before it.
pub(crate) fn diagnostic(source: &str, error: &Error<Rule>, found: Option<&Token>, before: Span) -> Diagnostic {
    let wanted = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => phrases(positives),
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    let missing = missing_token(&wanted);
    let found_text = match found {
        None => format!("nothing after `{}`", shorten(slice(source, before))),
        Some(token) => format!("`{}`", shorten(slice(source, token.span))),
    };
    // A missing bracket or comma is missed after what stands before; a wrong word is wrong itself.
    let on_next_line = found.is_none_or(|t| t.first);
    let span = match found {
        Some(token) if !(missing && on_next_line) => token.span,
        _ => before.after(),
    };
    let message = match wanted.as_slice() {
        [] => format!("{found_text} does not fit here"),
        all => format!("expected {}, found {found_text}", join(all)),
    };
    let mut diagnostic = Diagnostic::error("E0101", span, message);
    diagnostic.help = help(&wanted, found.map(|t| slice(source, t.span)));
    diagnostic
}

fn missing_token(wanted: &[&'static str]) -> bool {
    !wanted.is_empty() && wanted.iter().all(|w| !matches!(*w, "an item" | "a statement"))
}

/// Sets larger than this say less than a word for all of them.
const MOST: usize = 5;

fn phrases(rules: &[Rule]) -> Vec<&'static str> {
    let mut out: Vec<&'static str> = Vec::new();
    let has = |rule: Rule| rules.contains(&rule);
    // Behind a value anything may go on: say so in one word.
    let after_value = has(Rule::index) || has(Rule::LBRACKET) && has(Rule::LPAREN) || has(Rule::PLUS);
    for rule in rules {
        let goes_on = matches!(
            rule,
            Rule::index | Rule::LBRACKET | Rule::LPAREN | Rule::arguments | Rule::FAT_ARROW | Rule::KW_IN | Rule::MAYBE
        );
        if after_value && goes_on && !has(Rule::expr) && !has(Rule::string) && !has(Rule::NUMBER) {
            if !out.contains(&"an operator") {
                out.push("an operator");
            }
            continue;
        }
        let Some(phrase) = phrase(*rule) else { continue };
        if !out.contains(&phrase) {
            out.push(phrase);
        }
    }
    // What may always go on a value is no news beside what must follow it.
    if out.len() > 1 {
        out.retain(|p| *p != "an operator" && *p != "`;`");
    }
    if out.contains(&"a value") {
        out.retain(|p| !matches!(*p, "a name" | "a text" | "`not`" | "`-`" | "`...`"));
    }
    if out.len() > MOST {
        let clauses = out.iter().filter(|p| CLAUSES.contains(p)).count();
        if clauses > 2 {
            out.retain(|p| !CLAUSES.contains(p));
            out.push("a clause");
        }
    }
    out.truncate(MOST);
    out
}

fn join(phrases: &[&'static str]) -> String {
    match phrases {
        [] => String::new(),
        [one] => (*one).to_string(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// The first line of a token, cut where it is long.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= 24 && line.len() == text.len() {
        return line.to_string();
    }
    let start: String = line.chars().take(20).collect();
    format!("{start}…")
}

fn help(wanted: &[&'static str], found: Option<&str>) -> Option<String> {
    let found = found.unwrap_or("");
    if wanted.contains(&"a name") && is_reserved(found) {
        return Some(format!("`{found}` is a word of the language; choose another name, such as `{found}_1`"));
    }
    Some(match wanted {
        ["`->`"] => "a function says what it gives: `fn f(x: int) -> int = …`".into(),
        ["a value"] => "write a value here, such as a name, `\"text\"`, `42` or `[…]`".into(),
        ["a type"] => "write a type, such as `string`, `list<int>` or `\"a\" | \"b\"`".into(),
        ["an item"] => "a file holds `use`, `const`, `type`, `fn`, `action`, `playbook`, `template`, `schedule`, \
                        `trigger` and `test`"
            .into(),
        [one] if one.starts_with('`') => format!("write {one} here"),
        _ => return None,
    })
}

/// Words that can't be names.
pub(crate) fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "not"
            | "in"
            | "true"
            | "false"
            | "none"
            | "if"
            | "else"
            | "match"
            | "let"
            | "require"
            | "confirm"
            | "approve"
            | "step"
            | "parallel"
            | "wait"
            | "sleep"
            | "with"
            | "report"
            | "notify"
            | "return"
            | "undo"
            | "catch"
            | "for"
            | "mock"
            | "expect"
    )
}

const CLAUSES: &[&str] = &[
    "`max`",
    "`at_once`",
    "`tolerate`",
    "`retry`",
    "`timeout`",
    "`when`",
    "`unless`",
    "`may_repeat`",
    "`after`",
    "`key`",
    "`temporary`",
    "`irreversible`",
    "`cron`",
    "`zone`",
    "`every`",
    "`overlap`",
    "`missed`",
    "`within`",
    "`jitter`",
    "`runs`",
    "`until`",
    "`by`",
    "`of`",
    "`show`",
    "`per`",
];

/// What people call what a rule matches; none for what goes without saying.
fn phrase(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::file | Rule::only_item | Rule::item => "an item",
        Rule::only_statement | Rule::statement | Rule::test_statement => "a statement",
        Rule::only_expr
        | Rule::expr
        | Rule::plain
        | Rule::operation
        | Rule::chain
        | Rule::string
        | Rule::list
        | Rule::braces
        | Rule::group
        | Rule::bound
        | Rule::bound_value
        | Rule::lambda_head
        | Rule::index
        | Rule::field_function
        | Rule::if_expr
        | Rule::match_expr
        | Rule::with_expr
        | Rule::mock_answer
        | Rule::until_condition
        | Rule::NUMBER
        | Rule::KW_TRUE
        | Rule::KW_FALSE
        | Rule::KW_NONE => "a value",
        Rule::only_type
        | Rule::r#type
        | Rule::optional_type
        | Rule::named_type
        | Rule::literal_type
        | Rule::record_type
        | Rule::type_group => "a type",
        Rule::NAME | Rule::WORD | Rule::path | Rule::UNDERSCORE => "a name",
        Rule::STRING | Rule::RAW | Rule::BLOCK | Rule::RAW_BLOCK => "a text",
        Rule::INSTANT | Rule::DATE => "a date or an instant",
        Rule::only_arm | Rule::match_arm | Rule::catch_arm | Rule::pattern => "an arm",
        Rule::argument | Rule::named_argument => "an argument",
        Rule::param | Rule::params => "parameters",
        Rule::block | Rule::test_block => "`{`",
        Rule::entry => "an entry",
        Rule::EOI => return None,
        Rule::COALESCE
        | Rule::EQUAL
        | Rule::NOT_EQUAL
        | Rule::LESS
        | Rule::LESS_EQUAL
        | Rule::GREATER
        | Rule::GREATER_EQUAL
        | Rule::RANGE
        | Rule::PLUS
        | Rule::MINUS
        | Rule::STAR
        | Rule::SLASH
        | Rule::KW_AND
        | Rule::KW_OR
        | Rule::NOT_IN
        | Rule::MAYBE
        | Rule::QUESTION
        | Rule::PIPE
        | Rule::DOT
        | Rule::OPTIONAL_DOT
        | Rule::member
        | Rule::catch
        | Rule::probe
        | Rule::KW_CATCH => "an operator",
        Rule::undo | Rule::KW_UNDO => return None,
        Rule::LPAREN | Rule::arguments | Rule::template_fields => "`(`",
        Rule::RPAREN => "`)`",
        Rule::LBRACKET => "`[`",
        Rule::RBRACKET => "`]`",
        Rule::LBRACE => "`{`",
        Rule::RBRACE => "`}`",
        Rule::TYPE_OPEN | Rule::type_arguments => return None,
        Rule::TYPE_CLOSE => "`>`",
        Rule::COLON => "`:`",
        Rule::COMMA => "`,`",
        Rule::SEMI => "`;`",
        Rule::AT | Rule::attribute => return None,
        Rule::EQ => "`=`",
        Rule::ARROW => "`->`",
        Rule::FAT_ARROW => "`=>`",
        Rule::SPREAD => "`...`",
        Rule::STRING_MID | Rule::STRING_TAIL | Rule::BLOCK_MID | Rule::BLOCK_TAIL => "`}`",
        Rule::KW_IN => "`in`",
        Rule::KW_ELSE => "`else`",
        Rule::KW_FOR | Rule::each => "`for`",
        Rule::KW_IF => "`if`",
        Rule::KW_ON => "`on`",
        Rule::KW_AS => return None,
        Rule::KW_AFTER => "`after`",
        Rule::KW_WITH => "`with`",
        Rule::KW_BY => "`by`",
        Rule::KW_OF => "`of`",
        Rule::KW_PER => "`per`",
        Rule::KW_MAX => "`max`",
        Rule::KW_CRON => "`cron`",
        Rule::KW_RUNS => "`runs`",
        Rule::KW_UNTIL => "`until`",
        Rule::KW_TIMEOUT => "`timeout`",
        Rule::KW_EVERY => "`every`",
        Rule::KW_WHEN => "`when`",
        Rule::KW_WITHIN => "`within`",
        Rule::KW_SHOW => "`show`",
        Rule::KW_UNLESS => return None,
        Rule::step_clause
        | Rule::schedule_clause
        | Rule::trigger_clause
        | Rule::template_clause
        | Rule::approve_clause
        | Rule::wait_clause => "a clause",
        _ => return None,
    })
}

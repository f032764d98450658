//! A command line to its words, as a POSIX shell reads them; each knows where it stands.
//!
//! What a shell would compute (variables, commands, patterns, redirections) is refused: only the shell knows its value.

use escher_core::{Diagnostic, Span};

/// A word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its text, without quotes.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) span: Span,
}

/// Where something stands in a line.
pub(crate) fn span(start: usize, end: usize) -> Span {
    let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span { start: short(start), end: short(end) }
}

/// The words of a line; a prompt in front of it is left out.
pub(crate) fn words(line: &str) -> Result<Vec<Word>, Box<Diagnostic>> {
    let mut words = Vec::new();
    let mut letters = line.char_indices().peekable();
    while let Some((start, first)) = letters.peek().copied() {
        if first.is_whitespace() {
            letters.next();
            continue;
        }
        if first == '#' {
            while letters.next_if(|(_, c)| *c != '\n').is_some() {}
            continue;
        }
        if first == '\\' && line.get(start + 1..).is_some_and(|rest| rest.starts_with(['\n', '\r'])) {
            letters.next();
            continue;
        }
        let text = word(line, &mut letters)?;
        let end = letters.peek().map_or(line.len(), |(at, _)| *at);
        words.push(Word { text, span: span(start, end) });
    }
    if words.first().is_some_and(|w| w.text == "$" || w.text == "%") {
        words.remove(0);
    }
    Ok(words)
}

/// The words of a line as white space parts them, quotes and all.
pub(crate) fn plain_words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    for part in line.split(char::is_whitespace) {
        if !part.is_empty() {
            words.push(Word { text: part.to_owned(), span: span(at, at + part.len()) });
        }
        // One more for the white space, which may be of several bytes.
        at += part.len();
        at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    words
}

type Letters<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn word(line: &str, letters: &mut Letters<'_>) -> Result<String, Box<Diagnostic>> {
    let mut text = String::new();
    while let Some((at, letter)) = letters.next_if(|(_, c)| !c.is_whitespace()) {
        match letter {
            '\'' => loop {
                match letters.next() {
                    Some((_, '\'')) => break,
                    Some((_, c)) => text.push(c),
                    None => return Err(unclosed(line, at, '\'')),
                }
            },
            '"' => quoted(line, at, letters, &mut text)?,
            '\\' => match letters.next() {
                Some((_, '\n')) | None => {}
                Some((_, c)) => text.push(c),
            },
            '$' if names(line, at) => return Err(computed(at, at + 1, "a shell variable or command")),
            '`' => return Err(computed(at, at + 1, "a shell command in back-ticks")),
            '|' | '>' | '<' | ';' | '&' => {
                let told =
                    Diagnostic::error("E0240", span(at, at + 1), format!("`{letter}` joins this with something else"));
                return Err(Box::new(told.help("convert one command at a time, without pipes and redirections")));
            }
            c => text.push(c),
        }
    }
    Ok(text)
}

fn quoted(line: &str, start: usize, letters: &mut Letters<'_>, text: &mut String) -> Result<(), Box<Diagnostic>> {
    loop {
        match letters.next() {
            Some((_, '"')) => return Ok(()),
            Some((_, '\\')) => match letters.next() {
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => text.push(c),
                Some((_, '\n')) => {}
                Some((_, c)) => text.extend(['\\', c]),
                None => return Err(unclosed(line, start, '"')),
            },
            Some((at, '$')) if names(line, at) => return Err(computed(at, at + 1, "a shell variable or command")),
            Some((at, '`')) => return Err(computed(at, at + 1, "a shell command in back-ticks")),
            Some((_, c)) => text.push(c),
            None => return Err(unclosed(line, start, '"')),
        }
    }
}

/// Whether a `$` begins something that a shell computes.
fn names(line: &str, at: usize) -> bool {
    let next = line.get(at + 1..).and_then(|rest| rest.chars().next());
    next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '{' | '('))
}

fn computed(start: usize, end: usize, what: &str) -> Box<Diagnostic> {
    let told =
        Diagnostic::error("E0240", span(start, end), format!("this is {what}, and only the shell knows its value"));
    Box::new(told.help("write the value itself; in the playbook it can become a parameter"))
}

fn unclosed(line: &str, start: usize, quote: char) -> Box<Diagnostic> {
    let told = Diagnostic::error("E0240", span(start, line.len()), format!("this text has no `{quote}` at its end"));
    Box::new(told.help(format!("add `{quote}`")))
}

/// Words as a line again, each in quotes where it needs them.
pub(crate) fn line(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,@%+".contains(c);
    let quoted = |w: &String| {
        if !w.is_empty() && w.chars().all(plain) { w.clone() } else { format!("'{}'", w.replace('\'', r"'\''")) }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{line, words};

    fn texts(line: &str) -> Vec<String> {
        words(line).unwrap().into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn quotes_are_those_of_a_shell() {
        assert_eq!(texts(r#"a 'b c' "d \"e\" f" g\ h --x='1'"2""#), ["a", "b c", "d \"e\" f", "g h", "--x=12"]);
        assert_eq!(texts("$ aws ec2 \\\n  stop # why"), ["aws", "ec2", "stop"]);
        assert_eq!(texts(r#"'' "" 'it'\''s'"#), ["", "", "it's"]);
        assert_eq!(texts("cost$ 5$"), ["cost$", "5$"]);
        assert_eq!(texts(r#""a\nb""#), ["a\\nb"]);
    }

    #[test]
    fn what_a_shell_computes_is_refused_where_it_stands() {
        for (text, at) in
            [("a $B", 2), ("a \"x$(b)\"", 4), ("a `b`", 2), ("a | b", 2), ("a > f", 2), ("a 'b", 2), ("a \"b\\", 2)]
        {
            let told = words(text).unwrap_err();
            assert_eq!((told.code, told.span.start), ("E0240", at), "{text}");
        }
        assert_eq!(texts(r"a '$B' \$C"), ["a", "$B", "$C"]);
    }

    #[test]
    fn words_survive_the_way_there_and_back() {
        let said = ["aws".to_string(), "it's".into(), "a b".into(), String::new(), "{\"a\": 1}".into(), "x=1".into()];
        assert_eq!(texts(&line(&said)), said);
    }
}

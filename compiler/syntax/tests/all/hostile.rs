//! Input that nobody writes by hand: deep nesting, endless repetition, cut-off files.

use std::time::Duration;

#[allow(clippy::disallowed_methods, reason = "the test takes a time")]
fn time<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let value = f();
    (value, start.elapsed())
}

/// Shapes that open something with every repetition.
const OPENERS: &[&str] = &[
    "(",
    "[",
    "{",
    "{ a: ",
    "f(",
    "a[",
    "[{ a: (",
    "if a { ",
    "match a { _ => ",
    "match a { _ => { ",
    "with t { ",
    "\"{",
    "x => ",
    "a ? ",
    "not ",
    "-",
    "- -",
    "list<",
    "if a { b } else ",
    "a.b.",
    "a + ",
    "a and ",
    "f() catch { _ => ",
    "f() unless ",
    "step s { ",
    "parallel { ",
    "report { ",
    "undo { ",
    "<",
    "\"\"\"{",
    "{ \"a\": ",
    "...",
    ".a(",
    "a => (",
    "@a(",
    "///\n",
    "playbook p { ",
    "r\"",
    "`",
    "\\",
];

#[test]
fn deep_nesting_is_told_of_and_never_overflows() {
    for opener in OPENERS {
        for count in [18, 100, 300, 1_500] {
            for (before, after) in
                [("const x = ", ""), ("playbook p() {\n    let x = ", "\n}\n"), ("type T = ", ""), ("", "")]
            {
                let source = format!("{before}{}{after}", opener.repeat(count));
                let (parsed, took) = time(|| escher_syntax::parse(&source));
                drop(parsed.file.clone());
                let _ = escher_syntax::format(&source);
                assert!(took < Duration::from_secs(2), "{opener:?} x {count} took {took:?}");
                assert_eq!(escher_syntax::tree(&source).text(), source, "{opener:?} x {count}");
            }
        }
    }
}

/// Closed shapes just within the limit: nothing that walks the result may need more stack than a thread of a test has.
#[test]
fn what_is_allowed_can_be_walked() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{ a: ", "1", " }"),
        ("f(", "1", ")"),
        ("\"{", "b", "}\""),
        ("with t { ", "b", " }"),
        ("if a { ", "b", " }"),
        ("match a { _ => ", "b", " }"),
        ("match a { _ => { ", "b", " } }"),
        ("f(x => ", "1", ")"),
        ("[{ a: ", "1", " }]"),
    ] {
        let brackets = open.matches(['(', '[', '{']).count();
        let count = escher_syntax::limits::MAX_DEPTH / brackets - 1;
        let source = format!("const x = {}{middle}{}\n", open.repeat(count), close.repeat(count));
        let parsed = escher_syntax::parse(&source);
        assert!(parsed.diagnostics.iter().all(|d| d.code == "E0102"), "{open}: {:?}", parsed.diagnostics);
        assert_eq!(parsed.file, parsed.file.clone());
        let _ = escher_syntax::format(&source).map(|once| assert_eq!(escher_syntax::format(&once), Ok(once)));
    }
}

#[test]
fn a_hundred_thousand_brackets_are_one_mistake() {
    for open in ["(", "[", "{"] {
        let source = format!("const x = {}", open.repeat(100_000));
        let (parsed, took) = time(|| escher_syntax::parse(&source));
        assert_eq!(parsed.diagnostics.len(), 1, "{:?}", parsed.diagnostics.len());
        assert!(took < Duration::from_secs(2), "{open} took {took:?}");
    }
}

//! The one layout: the book's examples are written in it, and laying out twice changes nothing.

use crate::support::corpus;

#[test]
fn the_corpus_stands_in_its_own_layout() {
    for (name, source) in corpus("ok") {
        let formatted = escher_syntax::format(&source).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
        assert_eq!(formatted, source, "{name}:\n{formatted}");
    }
}

/// What is accepted and written in another way, with comments in odd places.
const MESSY: &[(&str, &str)] = &[
    ("playbook p {a();b()}", "playbook p() {\n    a()\n    b()\n}\n"),
    ("type T=|\"a\"|\"b\"", "type T = \"a\" | \"b\"\n"),
    ("type T = string|none", "type T = string?\n"),
    ("type T = \"a\" | none", "type T = (\"a\")?\n"),
    ("const x = (y)=>y", "const x = y => y\n"),
    ("const x = ( y,z )=>y", "const x = (y, z) => y\n"),
    ("const x = ()=>1", "const x = () => 1\n"),
    ("const x=[1,2,]", "const x = [1, 2]\n"),
    ("const x = \"a{ b }c{f( d )}\"", "const x = \"a{b}c{f(d)}\"\n"),
    ("const x = not a==b", "const x = not a == b\n"),
    ("const x = - a+b*-c", "const x = -a + b * -c\n"),
    ("// head\n\n\n\nconst x = 1 // end", "// head\n\nconst x = 1 // end\n"),
    (
        "const x = [ // first\n1, // one\n2 // two\n// last\n]",
        "const x = [ // first\n    1, // one\n    2, // two\n    // last\n]\n",
    ),
    ("playbook p() {\n// only\n}", "playbook p() {\n    // only\n}\n"),
    (
        "playbook p() {\n\n\n    a()\n\n\n\n    b() // b\n\n    // end\n\n}",
        "playbook p() {\n    a()\n\n    b() // b\n\n    // end\n}\n",
    ),
    (
        "playbook p() { step s for m in ms timeout: 10m, max 5 { a(m) } undo { b(m) } }",
        "playbook p() {\n    step s for m in ms max 5, timeout 10m {\n        a(m)\n    }\n    undo { b(m) }\n}\n",
    ),
    ("\u{feff}const x = 1\r\nconst y = 2\r\n", "const x = 1\nconst y = 2\n"),
    ("", ""),
    ("// only a comment", "// only a comment\n"),
];

#[test]
fn what_is_accepted_is_written_in_one_way() {
    for (source, expected) in MESSY {
        assert_eq!(escher_syntax::format(source).as_deref(), Ok(*expected), "{source}");
        assert_eq!(escher_syntax::format(expected).as_deref(), Ok(*expected), "{source}");
    }
}

#[test]
fn a_broken_file_is_left_alone() {
    assert!(escher_syntax::format("playbook p( {").is_err());
}

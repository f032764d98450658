//! Every construct of the language that holds others of its kind: what opens it, what stands inside, what closes it.

/// Levels that each is nested.
pub(crate) const DEPTH: usize = 18;

/// Values.
const VALUES: &[(&str, &str, &str)] = &[
    ("(", "a", ")"),
    ("[", "a", "]"),
    ("{ a: ", "a", " }"),
    ("{ \"a\": ", "a", " }"),
    ("{ ...", "a", " }"),
    ("f(", "a", ")"),
    ("f(a: ", "a", ")"),
    ("a[", "b", "]"),
    ("a.map(x => x.", "b", ")"),
    ("if a { ", "b", " } else { c }"),
    ("if a { b } else { ", "b", " }"),
    ("if f(", "b", ") { c } else { d }"),
    ("match a { _ => ", "b", " }"),
    ("match a { _ => { ", "b", " } }"),
    ("match f(", "b", ") { _ => c }"),
    ("with t { ", "b", " }"),
    ("with f(", "t", ") { b }"),
    ("\"{", "b", "}\""),
    ("x => (", "b", ")"),
    ("(x, y) => (", "b", ")"),
    ("f() catch { _ => ", "b", " }"),
    ("f() catch { _ => { ", "b", " } }"),
    ("f(x => ", "b", ")"),
    ("not (", "b", ")"),
    ("-(", "b", ")"),
    ("a ?? (", "b", ")"),
    ("a + (", "b", ")"),
    ("a and (", "b", ")"),
    ("a in 1..=(", "b", ")"),
    ("f() unless g(", "b", ")"),
];

/// Types.
const TYPES: &[(&str, &str, &str)] =
    &[("list<", "int", ">"), ("(", "int", ")"), ("(", "int", ")?"), ("{ a: ", "int", " }"), ("A | (", "int", ")")];

/// Statements.
const STATEMENTS: &[(&str, &str, &str)] = &[
    ("if a {\n", "b()\n", "}\n"),
    ("with t {\n", "b()\n", "}\n"),
    ("parallel {\n", "b()\n", "}\n"),
    ("report {\n", "b\n", "}\n"),
    ("match a {\n_ => {\n", "b()\n", "}\n}\n"),
    ("step s for m in ms max 5 {\n", "b()\n", "}\n"),
    ("step s for m in ms max 5 {\nb()\n} undo {\n", "b()\n", "}\n"),
    ("let a = f(", "b", ")\n"),
    ("require f(", "b", ") else \"no\"\n"),
    ("wait until f(", "b", ") timeout 5m\n"),
    ("return f(", "b", ")\n"),
];

/// Each construct nested in itself, closed and cut off: what it is called, and the text.
pub(crate) fn nested() -> Vec<(String, String)> {
    let groups = [("const x = ", VALUES, "\n"), ("type T = ", TYPES, "\n"), ("playbook p() {\n", STATEMENTS, "}\n")];
    let mut found = Vec::new();
    for (before, shapes, after) in groups {
        for (open, middle, close) in shapes {
            let name = format!("{open}…{close}").replace('\n', " ");
            let opened = format!("{before}{}{middle}", open.repeat(DEPTH));
            found.push((format!("{} cut off", name.trim()), opened.clone()));
            found.push((name.trim().to_string(), format!("{opened}{}{after}", close.repeat(DEPTH))));
        }
    }
    found
}

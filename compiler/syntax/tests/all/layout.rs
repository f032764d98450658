//! The one layout: the book's examples are written in it, and laying out twice changes nothing.

use crate::support::corpus;

#[test]
fn the_examples_of_the_design_stand_in_their_own_layout() {
    for (name, source) in corpus("ok") {
        if matches!(name.as_str(), "stop_dev_vms.esc" | "retire_volumes.esc") {
            let formatted = escher_syntax::format(&source).unwrap();
            assert_eq!(formatted, source, "{name}:\n{formatted}");
        }
    }
}

#[test]
fn laying_out_twice_changes_nothing() {
    for (name, source) in corpus("ok") {
        let once = escher_syntax::format(&source).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
        let twice = escher_syntax::format(&once).unwrap_or_else(|e| panic!("{name}: {e:#?}\n{once}"));
        assert_eq!(twice, once, "{name}");
    }
}

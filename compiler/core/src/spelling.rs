//! How names are spelt: `snake_case`, and record types `PascalCase`. A warning: the name works all the same.

use escher_syntax::{Diagnostic, ast};

use crate::checker::Checker;

impl Checker<'_> {
    /// A variable, a parameter, a step, a function, a playbook.
    pub(crate) fn spelt_as_name(&mut self, name: &ast::Name) {
        let wanted = snake(&name.text);
        if wanted != name.text {
            self.say(
                Diagnostic::warning("E0213", name.span, format!("`{}` is not in snake case", name.text))
                    .help(format!("write `{wanted}`, here and wherever it is used")),
            );
        }
    }

    /// A record type.
    pub(crate) fn spelt_as_type(&mut self, name: &ast::Name) {
        let wanted = pascal(&name.text);
        if wanted != name.text {
            self.say(
                Diagnostic::warning("E0213", name.span, format!("`{}` is not in Pascal case", name.text))
                    .help(format!("a record type is written `{wanted}`, here and wherever it is used")),
            );
        }
    }
}

/// `myMachines`, `MyMachines` and `MY_MACHINES` as `my_machines`.
fn snake(name: &str) -> String {
    let shouted = !name.chars().any(char::is_lowercase);
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && !shouted && at > 0 && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// `machine_kind` as `MachineKind`. A leading `_`, which keeps it in its file, stays.
fn pascal(name: &str) -> String {
    let private = if name.starts_with('_') { "_" } else { "" };
    let words = name.split('_').filter(|w| !w.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    words.map(capital).fold(private.to_string(), |all, word| all + &word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_they_should_be() {
        for (name, wanted) in [
            ("myMachines", "my_machines"),
            ("stop", "stop"),
            ("MAX", "max"),
            ("_in_file", "_in_file"),
            ("ring_1", "ring_1"),
        ] {
            assert_eq!(snake(name), wanted);
        }
        for (name, wanted) in
            [("machine", "Machine"), ("Vm", "Vm"), ("a_kind", "AKind"), ("_row", "_Row"), ("EC2", "EC2")]
        {
            assert_eq!(pascal(name), wanted);
        }
    }
}

//! Whose code comes in: every dependency's licence against the list in `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use spdx::{Expression, ParseMode};

/// A dependency and what its manifest says of its licence.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The crate's name.
    pub name: String,
    /// Its version, for the message.
    pub version: String,
    /// The SPDX expression, where it states one.
    pub licence: Option<String>,
}

/// The part of `deny.toml` that says what may come in.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// For every crate.
    pub everywhere: BTreeSet<String>,
    /// For one crate more.
    pub exceptions: BTreeMap<String, BTreeSet<String>>,
}

impl Allowed {
    /// Reads `deny.toml`; what can't be read comes back as violations.
    pub fn read(text: &str) -> (Self, Vec<String>) {
        let mut violations = Vec::new();
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return (Self::default(), vec![format!("deny.toml: {error}")]),
        };
        let licences = table.get("licenses");
        let everywhere = strings(licences.and_then(|l| l.get("allow")));
        if everywhere.is_empty() {
            violations.push("deny.toml: [licenses] allow is missing or empty".to_owned());
        }
        let mut exceptions = BTreeMap::new();
        for exception in licences.and_then(|l| l.get("exceptions")).and_then(|e| e.as_array()).into_iter().flatten() {
            let Some(name) = exception.get("crate").and_then(|c| c.as_str()) else {
                violations.push("deny.toml: an exception without `crate`".to_owned());
                continue;
            };
            if !text.lines().any(|line| line.contains(&format!("\"{name}\"")) && line.contains("# ")) {
                violations.push(format!("deny.toml: the exception for {name} has no reason (`# …` on its line)"));
            }
            exceptions.insert(name.to_owned(), strings(exception.get("allow")));
        }
        (Self { everywhere, exceptions }, violations)
    }

    fn has(&self, name: &str, licence: &str) -> bool {
        self.everywhere.contains(licence) || self.exceptions.get(name).is_some_and(|more| more.contains(licence))
    }
}

fn strings(value: Option<&toml::Value>) -> BTreeSet<String> {
    value.and_then(|v| v.as_array()).into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_owned).collect()
}

/// Dependencies that no allowed licence covers, and exceptions that nothing needs any more.
pub fn violations(dependencies: &[Dependency], allowed: &Allowed) -> Vec<String> {
    let mut violations: Vec<String> = dependencies.iter().filter_map(|one| judge(one, allowed)).collect();
    let names: BTreeSet<_> = dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
    let stale = allowed.exceptions.keys().filter(|name| !names.contains(name.as_str()));
    violations.extend(stale.map(|name| format!("deny.toml: the exception for {name} is no longer needed")));
    violations
}

fn judge(dependency: &Dependency, allowed: &Allowed) -> Option<String> {
    let Dependency { name, version, licence } = dependency;
    let Some(licence) = licence else { return Some(format!("{name} {version} states no licence")) };
    let expression = match Expression::parse_mode(licence, ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("{name} {version}: `{licence}` is no SPDX expression: {}", error.reason)),
    };
    let covered = expression.evaluate(|requirement| allowed.has(name, &requirement.to_string()));
    (!covered).then(|| format!("{name} {version}: `{licence}` is not in deny.toml's list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
[licenses]
allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"]
exceptions = [
    { crate = "colours", allow = ["MPL-2.0"] }, # weak copyleft, file by file; used unchanged
]
"#;

    fn judged(name: &str, licence: &str) -> usize {
        let (allowed, problems) = Allowed::read(DENY);
        assert!(problems.is_empty(), "{problems:?}");
        let licence = Some(licence.to_owned());
        judge(&Dependency { name: name.to_owned(), version: "1.0.0".to_owned(), licence }, &allowed).into_iter().count()
    }

    #[test]
    fn choices_need_one_and_sums_need_all() {
        assert_eq!(judged("a", "GPL-3.0-only OR MIT"), 0);
        assert_eq!(judged("a", "MIT/Apache-2.0"), 0);
        assert_eq!(judged("a", "(MIT OR Apache-2.0) AND Unicode-3.0"), 0);
        assert_eq!(judged("a", "MIT AND GPL-3.0-only"), 1);
        assert_eq!(judged("a", "AGPL-3.0-or-later"), 1);
        assert_eq!(judged("a", "Apache-2.0 WITH LLVM-exception"), 0);
        assert_eq!(judged("a", "all rights reserved"), 1);
    }

    #[test]
    fn an_exception_is_for_one_crate_and_has_a_reason() {
        assert_eq!(judged("colours", "MPL-2.0"), 0);
        assert_eq!(judged("shapes", "MPL-2.0"), 1);
        let bare = DENY.replace("# weak copyleft, file by file; used unchanged", "");
        assert_eq!(Allowed::read(&bare).1.len(), 1);
        let (allowed, _) = Allowed::read(DENY);
        assert_eq!(violations(&[], &allowed).len(), 1, "a stale exception");
    }

    #[test]
    fn no_licence_is_no_licence() {
        let nothing = Dependency { name: "a".to_owned(), version: "1.0.0".to_owned(), licence: None };
        assert!(judge(&nothing, &Allowed::default()).is_some());
        assert!(!Allowed::read("").1.is_empty());
    }
}

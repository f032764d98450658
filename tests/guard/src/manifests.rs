//! Why a dependency is here: one line with a reason in the root manifest, and nothing stated twice.

use toml::{Table, Value};

/// Lines of the root's `[workspace.dependencies]` without a reason, and `aws-*` crates before 1.0 that aren't pinned.
pub fn root(text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let dependencies = text
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let mut count = 0;
    for line in dependencies {
        count += 1;
        let name = line.split('=').next().unwrap_or_default().trim();
        // A `#` stands in no version or feature name, so the first one starts the comment.
        let (statement, reason) = line.split_once('#').unwrap_or((line, ""));
        if reason.trim().len() < 6 {
            violations.push(format!("Cargo.toml: {name} has no reason (`# why it is here` on its line)"));
        }
        if name.starts_with("aws-") && unstable_and_loose(statement) {
            violations.push(format!("Cargo.toml: {name} is before 1.0 and moves with its family: pin it with `=`"));
        }
    }
    if count == 0 {
        violations.push("Cargo.toml: no line of [workspace.dependencies] was found".to_owned());
    }
    violations
}

/// Whether a dependency's line states a version before 1.0 without `=`.
fn unstable_and_loose(statement: &str) -> bool {
    let Ok(table) = statement.parse::<Table>() else { return true };
    let version = table.values().next().and_then(|value| match value {
        Value::String(version) => Some(version.as_str()),
        value => value.get("version").and_then(Value::as_str),
    });
    version.is_none_or(|version| version.starts_with("0.") || version == "*")
}

/// What a member's manifest states for itself that it should take from the workspace.
pub fn member(path: &str, text: &str) -> Vec<String> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("{path}: {error}")],
    };
    let mut violations = Vec::new();
    if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
        violations.push(format!("{path}: `[lints] workspace = true` is missing"));
    }
    let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    for holder in targets.filter_map(Value::as_table).chain([&table]) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in holder.get(section).and_then(Value::as_table).into_iter().flatten() {
                if value.get("workspace") != Some(&Value::Boolean(true)) {
                    violations
                        .push(format!("{path}: {name} must say `workspace = true`; its version stands in the root"));
                }
            }
        }
    }
    let inherited = table.get("package").and_then(Value::as_table);
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        let value = inherited.and_then(|package| package.get(key));
        if value.and_then(|value| value.get("workspace")) != Some(&Value::Boolean(true)) {
            violations.push(format!("{path}: `{key}.workspace = true` is missing"));
        }
    }
    violations
}

/// Requirements of the lab that aren't pinned to one version.
pub fn requirements(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !line.contains("==")).map(|line| format!("{path}: `{line}` is not pinned with `==`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dependency_says_why() {
        let good = "[workspace.dependencies]\na = \"1\" # does what a does\n# --- more ---\n\n[lints]\nb = \"1\"\n";
        assert!(root(good).is_empty());
        assert_eq!(root(&good.replace(" # does what a does", "")).len(), 1);
        assert_eq!(root(&good.replace("does what a does", "x")).len(), 1);
        assert_eq!(root("[package]\n").len(), 1, "nothing found is a mistake of the guard");
    }

    #[test]
    fn young_aws_crates_are_pinned() {
        let with = |line: &str| root(&format!("[workspace.dependencies]\n{line} # the signer of requests\n")).len();
        assert_eq!(with("aws-smithy-schema = \"=0.3.1\""), 0);
        assert_eq!(with("aws-smithy-schema = \"0.3.1\""), 1);
        assert_eq!(with("aws-smithy-schema = { version = \"0.3.1\", features = [] }"), 1);
        assert_eq!(with("aws-sigv4 = \"1.3\""), 0);
        assert_eq!(with("base64 = \"0.23\""), 0);
    }

    #[test]
    fn members_take_from_the_workspace() {
        let head = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                    rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\
                    [lints]\nworkspace = true\n";
        let with = |rest: &str| member("a/Cargo.toml", &format!("{head}{rest}")).len();
        assert_eq!(with("[dependencies]\nserde = { workspace = true, features = [\"rc\"] }\n"), 0);
        assert_eq!(with("[dependencies]\nserde = \"1\"\n"), 1);
        assert_eq!(with("[dev-dependencies]\nserde = { version = \"1\" }\n"), 1);
        assert_eq!(with("[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n"), 1);
        assert_eq!(member("a/Cargo.toml", "[package]\nname = \"a\"\n").len(), 6);
    }

    #[test]
    fn requirements_are_pinned() {
        assert!(requirements("lab.txt", "# why\nmoto[server]==5.2.5\n").is_empty());
        assert_eq!(requirements("lab.txt", "moto>=5\n").len(), 1);
    }
}

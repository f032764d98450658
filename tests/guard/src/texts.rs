//! What never belongs in a commit: paths of one machine, keys, and marks of what is unfinished.

/// What is searched for, put together here so that this file doesn't contain it.
fn patterns() -> Vec<(String, &'static str)> {
    let join = |parts: &[&str]| parts.concat();
    vec![
        (join(&["/", "work", "/"]), "a path of one machine"),
        (join(&["/", "root", "/"]), "a path of one machine"),
        (join(&["/", "tmp/", "t-"]), "a path of one machine"),
        (join(&["PRIVATE", " KEY-----"]), "a private key"),
        (join(&["<<<<", "<<< "]), "a merge left unfinished"),
        (join(&[">>>>", ">>> "]), "a merge left unfinished"),
    ]
}

/// Access keys of AWS have 20 characters and a fixed beginning; the one of their manuals may stand anywhere.
fn access_keys(line: &str) -> impl Iterator<Item = &str> {
    let beginning = ["AK", "IA"].concat();
    line.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(move |word| word.len() == 20 && word.starts_with(&beginning) && !word.ends_with("EXAMPLE"))
}

/// The violations of one file. A path counts where it begins: `https://host/work/` is none of a machine.
pub fn violations(path: &str, text: &str) -> Vec<String> {
    let patterns = patterns();
    let mut violations = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (pattern, what) in &patterns {
            if line.match_indices(pattern.as_str()).any(|(at, _)| begins(line, at)) {
                violations.push(format!("{path}:{number}: {what}"));
            }
        }
        violations.extend(access_keys(line).map(|_| format!("{path}:{number}: an access key")));
    }
    violations
}

fn begins(line: &str, at: usize) -> bool {
    let before = line.get(..at).and_then(|head| head.chars().next_back());
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | '~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found_and_addresses_are_not() {
        let folder = ["wo", "rk"].concat();
        assert_eq!(violations("a", &format!("see /{folder}/main")).len(), 1);
        assert_eq!(violations("a", &format!("\"/{folder}/main\"")).len(), 1);
        assert!(violations("a", &format!("https://example.com/{folder}/main")).is_empty());
        assert!(violations("a", &format!("./{folder}/main and ${{HOME}}/{folder}/")).is_empty());
    }

    #[test]
    fn secrets_are_found_and_examples_are_not() {
        let beginning = ["AK", "IA"].concat();
        assert_eq!(violations("a", &format!("key = {beginning}QWERTYUIOPASDFGH")).len(), 1);
        assert!(violations("a", &format!("key = {beginning}IOSFODNN7EXAMPLE")).is_empty());
        assert_eq!(violations("a", &["-----BEGIN OPENSSH PRIVATE", " KEY-----"].concat()).len(), 1);
    }
}

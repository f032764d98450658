//! What a page announces against what the compiler says.

use escher_core::{Diagnostic, Severity, TextWorld, check};

use crate::block::{Announcement, Block, Role, blocks};

/// All that is wrong with a page, each as `page:line: …`; nothing where it holds.
pub(crate) fn failures(name: &str, page: &str) -> Vec<String> {
    match blocks(page) {
        Err(why) => vec![format!("{name}:{why}")],
        Ok(blocks) if blocks.is_empty() => vec![format!("{name}:1: this page has no example")],
        Ok(blocks) => {
            let mut world = TextWorld::default();
            let mut failures = Vec::new();
            for block in &blocks {
                match &block.role {
                    Role::Example => failures.extend(compare(name, block, &world)),
                    Role::File(path) => {
                        world.files.insert(path.clone(), block.text.as_str().into());
                    }
                    Role::Link(path) => {
                        world.links.insert(path.clone());
                    }
                }
            }
            failures
        }
    }
}

fn compare(name: &str, block: &Block, world: &TextWorld) -> Vec<String> {
    let mut announced: Vec<Option<Announcement>> = block.announcements().into_iter().map(Some).collect();
    let mut failures = Vec::new();
    let place = |line: usize| format!("{name}:{}", block.line + line);
    for told in check(world, &block.text).diagnostics {
        let line = line_of(&block.text, &told);
        let matching = announced.iter_mut().find(|a| a.as_ref().is_some_and(|a| is_of(a, &told, line)));
        if let Some(matching) = matching {
            *matching = None;
            continue;
        }
        let word = word(&told);
        failures.push(format!("{}: not announced: {word}[{}]: {}", place(line), told.code, told.message));
    }
    for missing in announced.into_iter().flatten() {
        let Announcement { line, severity, code, text } = missing;
        failures.push(format!("{}: announced, but not told: {severity}[{code}]: {text}", place(line)));
    }
    failures
}

fn is_of(announcement: &Announcement, told: &Diagnostic, line: usize) -> bool {
    announcement.line == line
        && announcement.code == told.code
        && announcement.severity == word(told)
        && told.message.contains(&announcement.text)
}

fn word(told: &Diagnostic) -> &'static str {
    match told.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The line of a block at which a diagnostic begins.
fn line_of(text: &str, told: &Diagnostic) -> usize {
    text.get(..told.span.start as usize).map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::failures;

    #[test]
    fn what_is_not_announced_and_what_is_not_told_fail_with_their_lines() {
        assert_eq!(failures("p.md", "```esc\nconst a = 1\n```\n"), [""; 0]);
        let page = "```esc\nfn f() -> int = \"a\"\nconst b = 2 // error[E0201]: no\n```\n";
        assert_eq!(
            failures("p.md", page),
            [
                "p.md:2: not announced: error[E0301]: what `f` gives is `int`, and this is `\"a\"`",
                "p.md:3: announced, but not told: error[E0201]: no",
            ]
        );
        assert_eq!(failures("p.md", "no example\n"), ["p.md:1: this page has no example"]);
    }

    #[test]
    fn an_announcement_names_the_line_the_kind_and_a_part_of_the_words() {
        let page = |comment: &str| format!("```esc\nfn f() -> int = g() {comment}\n```\n");
        assert_eq!(failures("p.md", &page("// error[E0201]: no function `g`")), [""; 0]);
        assert_eq!(failures("p.md", &page("// error[E0201]: something else")).len(), 2);
        assert_eq!(failures("p.md", &page("// warning[E0201]")).len(), 2);
    }
}

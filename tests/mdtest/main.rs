//! Literate tests: the rules of the language in Markdown, each with an example that is compiled.
//!
//! In a page under `tests/spec` every block that begins with three back-ticks and `esc` is a file of its own. What the
//! compiler says of it is announced in the block, by a comment at the end of the line at which it begins, or on the
//! lines above that one (`esc file shared.esc` begins a file of the project for the blocks below, `esc link x.esc` a link
//! that leads out of it):
//!
//! ```text
//! // error[E0402]: declares risk `medium`
//! aws.ec2.stop_instances(instance_ids: [id])
//! let a = b     // warning[E0412]
//! ```
//!
//! The text after the code is a part of the message and may be left out. Whatever is told and not announced, or
//! announced and not told, is a failure. The runner knows no rule of the language itself, and runs nothing. It is a
//! test of escher-core and no crate of its own, because nobody else compiles pages yet.

#[cfg(test)]
mod block;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod places;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spec")
    }

    #[track_caller]
    #[allow(clippy::disallowed_methods, reason = "the pages are on the disk")]
    fn holds(page: &str) {
        let text = std::fs::read_to_string(folder().join(format!("{page}.md"))).unwrap();
        let failures = crate::compare::failures(&format!("tests/spec/{page}.md"), &text);
        assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    }

    macro_rules! pages {
        ($($page:ident),* $(,)?) => {
            $(
                #[test]
                fn $page() {
                    holds(stringify!($page));
                }
            )*

            const PAGES: &[&str] = &[$(stringify!($page)),*];
        };
    }

    pages![
        actions, approvals, bounds, calls, catch, clauses, clouds, foreign, habits, language, mistakes, modules, names,
        order, parallel, records, risk, secrets, standing, steps, tests, types, waits
    ];

    /// Whoever brings another language along is told what to write, not only that something is wrong.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "the page is on the disk")]
    fn every_foreign_spelling_is_answered_with_what_to_write() {
        let text = std::fs::read_to_string(folder().join("foreign.md")).unwrap();
        let blocks = crate::block::blocks(&text).unwrap();
        assert!(blocks.len() >= 150, "{} programs", blocks.len());
        for block in &blocks {
            let told = escher_core::check(&escher_core::CatalogWorld, &block.text).diagnostics;
            assert!(!told.is_empty(), "line {}: nothing is told", block.line);
            for one in told {
                assert!(one.help.is_some(), "line {}: {} has no help: {}", block.line, one.code, one.message);
            }
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the pages are on the disk")]
    fn every_page_of_the_folder_is_tested() {
        let mut files: Vec<String> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".md").to_string())
            .collect();
        files.sort();
        assert_eq!(files, PAGES);
    }
}

//! The pages of the diagnostics: complete, and their examples compiled.

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use escher_core::{Diagnostic, Entry, Fix, TextWorld, check_files, pages};
    use escher_ir::program::Method;

    /// Codes that no text can show, each with its reason.
    const WITHOUT_EXAMPLE: &[(&str, &str)] = &[
        ("E0190", "the formatter says it of its own mistake; a text that provokes it would be fixed, not kept"),
        ("E0227", "it takes a thousand modules; a test of its own makes them"),
    ];

    /// Codes whose example gives another one too, each with its reason. Shorter is better.
    const WITH_ANOTHER: &[(&str, &str, &str)] =
        &[("E0176", "E0101", "the block that follows is read as that of `undo` or `catch`, which it is not")];

    /// An example of a page.
    #[derive(Clone)]
    struct Example<'p> {
        page: &'p str,
        /// Whether it shows the mistake.
        mistaken: bool,
        /// Whether it shows something that this version says `E0199` of.
        later: bool,
        /// The file that it is, in the project that the page has shown up to here.
        path: String,
        world: TextWorld,
        text: String,
    }

    fn examples() -> Vec<Example<'static>> {
        let mut found = Vec::new();
        for code in pages::codes() {
            let mut lines = pages::page(code).unwrap().lines();
            let mut world = TextWorld::default();
            while let Some(line) = lines.next() {
                let Some(info) = line.strip_prefix("```") else { continue };
                let words: Vec<&str> = info.split(' ').collect();
                let text: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
                let text = format!("{}\n", text.join("\n"));
                let (mistaken, later, path) = match words.as_slice() {
                    ["esc", "file", path] => {
                        world.files.insert(path.to_string(), text.into());
                        continue;
                    }
                    ["esc", "link", path] => {
                        world.links.insert(path.to_string());
                        continue;
                    }
                    ["esc", "error"] => (true, false, ""),
                    ["esc", "error", "later"] => (true, true, ""),
                    ["esc", "error", path] => (true, false, *path),
                    ["esc", "ok"] => (false, false, ""),
                    ["esc", "ok", "later"] => (false, true, ""),
                    other => panic!("{code}: no example begins with {other:?}"),
                };
                let (path, world) = (path.to_string(), world.clone());
                found.push(Example { page: code, mistaken, later, path, world, text });
            }
        }
        found
    }

    /// What is told of an example, and of the modules that it uses.
    fn codes_of(example: &Example<'_>) -> BTreeSet<&'static str> {
        let entry = Entry { path: example.path.clone(), text: example.text.as_str().into() };
        check_files(&example.world, vec![entry]).iter().flat_map(|f| &f.checked.diagnostics).map(|d| d.code).collect()
    }

    /// What is told of an example's own text.
    fn told(example: &Example<'_>) -> Vec<Diagnostic> {
        let entry = Entry { path: example.path.clone(), text: example.text.as_str().into() };
        check_files(&example.world, vec![entry])
            .into_iter()
            .next()
            .map(|f| f.checked.diagnostics.clone())
            .unwrap_or_default()
    }

    #[test]
    fn each_example_gives_what_its_page_is_about() {
        let mut wrong = Vec::new();
        for example in examples() {
            let mut expected = BTreeSet::new();
            if example.mistaken {
                expected.insert(example.page);
                expected
                    .extend(WITH_ANOTHER.iter().filter(|(page, ..)| *page == example.page).map(|(_, also, _)| *also));
            }
            if example.later {
                expected.insert("E0199");
            }
            let told = codes_of(&example);
            if told != expected {
                wrong.push(format!("{}: expected {expected:?}, told {told:?}:\n{}", example.page, example.text));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// A text with some repairs done.
    fn repaired(text: &str, fixes: &[&Fix]) -> String {
        let mut edits: Vec<_> = fixes.iter().flat_map(|f| &f.edits).collect();
        edits.sort_by_key(|e| (e.span.start, e.span.end));
        let mut repaired = text.to_string();
        for edit in edits.iter().rev() {
            repaired.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
        }
        repaired
    }

    #[test]
    fn each_repair_that_is_offered_works() {
        let (mut wrong, mut tried) = (Vec::new(), 0);
        for example in examples().iter().filter(|e| e.mistaken) {
            let told = told(example);
            for (index, one) in told.iter().enumerate() {
                // An example may make its mistake twice.
                let others = told.iter().enumerate().filter(|(i, _)| *i != index).filter_map(|(_, d)| d.fixes.first());
                let others: Vec<&Fix> = others.collect();
                for fix in &one.fixes {
                    tried += 1;
                    let text = repaired(&example.text, &[&others[..], &[fix]].concat());
                    let still = escher_syntax::parse(&text).diagnostics;
                    let again = Example { text: text.clone(), ..example.clone() };
                    if !still.is_empty() || codes_of(&again).contains(one.code) {
                        wrong.push(format!("{}: `{}` gives {still:#?}:\n{text}", example.page, fix.title));
                    }
                }
            }
        }
        assert!(tried > 50, "{tried}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn help_names_only_methods_that_there_are() {
        let mut named = BTreeSet::new();
        for example in examples() {
            for told in told(&example) {
                let fixes =
                    told.fixes.iter().flat_map(|f| f.edits.iter().map(|e| e.text.clone()).chain([f.title.clone()]));
                for words in told.help.iter().cloned().chain(fixes) {
                    // `list.filter(…)`, `.map` in back-ticks: between code and words only the code has methods.
                    for code in words.split('`').skip(1).step_by(2) {
                        let methods =
                            code.split('.').skip(1).filter_map(|rest| rest.split_once('(').map(|(word, _)| word));
                        named.extend(
                            methods
                                .filter(|m| m.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                                .map(str::to_string),
                        );
                    }
                }
            }
        }
        named.remove("");
        assert!(named.contains("remainder") && named.contains("map"), "{named:?}");
        let unknown: Vec<&String> = named.iter().filter(|m| !Method::TABLE.iter().any(|(word, _)| word == m)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn each_page_says_what_is_wrong_and_shows_it_wrong_and_right() {
        let all = examples();
        for code in pages::codes() {
            let page = pages::page(code).unwrap();
            let title = page.lines().next().unwrap();
            let words = title.strip_prefix(&format!("# {code}: ")).unwrap_or_else(|| panic!("{code}: {title}"));
            let first = words.chars().next().unwrap();
            assert!(
                !first.is_uppercase() && !words.ends_with('.'),
                "{code}: a title is a phrase in lower case: {words}"
            );
            // What a run or the settings meet, the text of a playbook does not show.
            // Nor what `convert` says of a command line; `cli/tests/convert.rs` does.
            let of_command_lines = ("E0240"..="E0245").contains(&code);
            if code >= "E06" || of_command_lines || WITHOUT_EXAMPLE.iter().any(|(without, _)| *without == code) {
                continue;
            }
            let kinds: Vec<bool> = all.iter().filter(|e| e.page == code).map(|e| e.mistaken).collect();
            assert_eq!(kinds, [true, false], "{code}: one example of the mistake, then one put right");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the folder is on the disk")]
    fn the_table_and_the_folder_hold_the_same_pages() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostics");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".md").to_string())
            .collect();
        files.sort();
        assert_eq!(files, pages::codes().collect::<Vec<_>>());
        assert!(pages::page("E9999").is_none());
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the sources are on the disk")]
    fn every_code_has_a_page() {
        let mut codes = BTreeSet::new();
        for source in ["src", "../syntax/src", "../eval/src", "../../runtime", "../../cli/src"] {
            for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(source)) {
                let text = std::fs::read_to_string(file).unwrap();
                // `"E0123"`, or `"E0601: step …"` where the code stands in the message.
                let words = text.split('"').filter_map(|part| part.split(':').next());
                codes.extend(words.filter(|word| is_code(word)).map(str::to_string));
            }
        }
        assert!(codes.len() > 100, "{codes:?}");
        let without: Vec<&String> = codes.iter().filter(|code| pages::page(code).is_none()).collect();
        assert!(without.is_empty(), "no page under compiler/core/src/diagnostics for {without:?}");
        let idle: Vec<&str> = pages::codes().filter(|code| !codes.contains(*code)).collect();
        assert!(idle.is_empty(), "nothing tells {idle:?} any more");
    }

    fn is_code(word: &str) -> bool {
        word.len() == 5 && word.strip_prefix("E0").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    }

    #[allow(clippy::disallowed_methods, reason = "the sources are on the disk")]
    fn rust_files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(rust_files(&path));
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
        found
    }
}

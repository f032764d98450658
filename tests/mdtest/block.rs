//! Blocks of a page, and what is announced in them.

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the page before its first line, counted from one.
    pub(crate) line: usize,
    /// Its text.
    pub(crate) text: String,
    /// What it is to the blocks below, where it is no example.
    pub(crate) role: Role,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A file of its own, whose diagnostics are announced in it.
    Example,
    /// A file of the project, for the blocks below.
    File(String),
    /// A link that leads out of the project, for the blocks below.
    Link(String),
}

/// What a block says that the compiler will say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// The line of the block that it is about, counted from one.
    pub(crate) line: usize,
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// The code, such as `E0402`.
    pub(crate) code: String,
    /// A part of the message; may be empty.
    pub(crate) text: String,
}

/// The blocks of a page that hold a playbook, or why they cannot be told.
pub(crate) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    let mut other = false;
    for (index, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(""), Some(_)) => found.extend(open.take()),
            (Some(_), Some(block)) => return Err(format!("{}: a block begins inside another", block.line)),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (Some(info), None) if !other && info.starts_with("esc") => {
                let words: Vec<&str> = info.split(' ').collect();
                let role = match words.as_slice() {
                    ["esc"] => Role::Example,
                    ["esc", "file", path] => Role::File(path.to_string()),
                    ["esc", "link", path] => Role::Link(path.to_string()),
                    _ => return Err(format!("{}: a block is `esc`, `esc file PATH` or `esc link PATH`", index + 1)),
                };
                open = Some(Block { line: index + 1, text: String::new(), role });
            }
            (Some(_), None) => other = !other,
            (None, None) => {}
        }
    }
    match open {
        Some(block) => Err(format!("{}: this block is never closed", block.line)),
        None => Ok(found),
    }
}

impl Block {
    /// What it announces, in order of lines.
    pub(crate) fn announcements(&self) -> Vec<Announcement> {
        let mut found: Vec<Announcement> = Vec::new();
        let mut above: Vec<Announcement> = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            let Some((code, announced)) = announced(line) else {
                // A comment of another kind says nothing and is no line that something could be told at.
                if !line.trim_start().starts_with("//") {
                    found.extend(above.drain(..).map(|a| Announcement { line: index + 1, ..a }));
                }
                continue;
            };
            if code.trim().is_empty() {
                above.push(announced);
            } else {
                found.extend(above.drain(..).map(|a| Announcement { line: index + 1, ..a }));
                found.push(Announcement { line: index + 1, ..announced });
            }
        }
        // Nothing follows: about the end of the block, so that it is not passed over.
        found.extend(above.into_iter().map(|a| Announcement { line: self.text.lines().count() + 1, ..a }));
        found
    }
}

/// A line with an announcement, as what stands before it and what it says.
fn announced(line: &str) -> Option<(&str, Announcement)> {
    for (severity, opening) in [("error", "// error["), ("warning", "// warning[")] {
        if let Some((code, rest)) = line.split_once(opening) {
            let (id, text) = rest.split_once(']')?;
            let text = text.strip_prefix(':').unwrap_or(text).trim();
            return Some((code, Announcement { line: 0, severity, code: id.to_string(), text: text.to_string() }));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(line: usize, severity: &'static str, code: &str, text: &str) -> Announcement {
        Announcement { line, severity, code: code.into(), text: text.into() }
    }

    fn example(line: usize, text: &str) -> Block {
        Block { line, text: text.into(), role: Role::Example }
    }

    #[test]
    fn blocks_are_found_with_their_lines() {
        let page = "# t\n\n```esc\na\nb\n```\n\n```text\n```esc\n```\n";
        assert_eq!(blocks(page), Ok(vec![example(3, "a\nb\n")]));
        assert!(blocks("```esc\na\n").is_err());
        assert!(blocks("```esc ok\na\n```\n").is_err());
    }

    #[test]
    fn announcements_stand_above_or_behind() {
        let text = "// error[E0101]: one\n// warning[E0412]\n// a word\nx\ny // error[E0202]: two\n";
        let block = example(1, text);
        assert_eq!(
            block.announcements(),
            [
                announcement(4, "error", "E0101", "one"),
                announcement(4, "warning", "E0412", ""),
                announcement(5, "error", "E0202", "two"),
            ]
        );
    }
}

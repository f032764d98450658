//! Paths of `use "./shared.esc"`, worked out on the text alone: what a path says, never what the disk has.

/// Longest path that is written, in bytes.
const MAX_PATH: usize = 1024;

/// Why a path names no module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It begins at the root of a disk, or names a server.
    Absolute,
    /// It climbs out of the project.
    Leaves,
    /// It does not begin with `./` or `../`.
    Bare,
    /// It is no path of a playbook file.
    NoFile(&'static str),
}

/// The path, relative to the project, of what the file at `from` calls `written`.
pub(crate) fn beside(from: &str, written: &str) -> Result<String, Wrong> {
    let drive = written.as_bytes().get(1) == Some(&b':');
    if written.starts_with(['/', '~']) || written.starts_with('\\') || written.contains("://") || drive {
        return Err(Wrong::Absolute);
    }
    if written.len() > MAX_PATH {
        return Err(Wrong::NoFile("it is too long"));
    }
    if written.contains('\\') {
        return Err(Wrong::NoFile("folders are separated by `/`"));
    }
    if written.chars().any(char::is_control) {
        return Err(Wrong::NoFile("it holds a control character"));
    }
    if !written.ends_with(".esc") {
        return Err(Wrong::NoFile("a module is an `.esc` file"));
    }
    if !written.starts_with("./") && !written.starts_with("../") {
        return Err(Wrong::Bare);
    }
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for word in written.split('/') {
        match word {
            "." => {}
            ".." => {
                folders.pop().ok_or(Wrong::Leaves)?;
            }
            "" => return Err(Wrong::NoFile("it holds an empty word")),
            word => folders.push(word),
        }
    }
    Ok(folders.join("/"))
}

/// The name that a file is known by: `ops/shared.esc` is `shared`; none where that is no name of the language.
pub(crate) fn stem(path: &str) -> Option<&str> {
    let stem = path.rsplit('/').next()?.strip_suffix(".esc")?;
    let mut characters = stem.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let rest = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (first && rest).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_worked_out_from_the_file_that_wrote_it() {
        assert_eq!(beside("main.esc", "./shared.esc").as_deref(), Ok("shared.esc"));
        assert_eq!(beside("a/b/main.esc", "../lib/./tags.esc").as_deref(), Ok("a/lib/tags.esc"));
        assert_eq!(beside("", "./x/../y.esc").as_deref(), Ok("y.esc"));
    }

    #[test]
    fn no_path_leaves_the_project() {
        for written in ["../x.esc", "./a/../../x.esc", "../../../../etc/x.esc"] {
            assert_eq!(beside("main.esc", written), Err(Wrong::Leaves), "{written}");
        }
        for written in ["/etc/x.esc", "~/x.esc", "C:/x.esc", "\\\\host\\x.esc", "file:///x.esc", "https://x/y.esc"] {
            assert_eq!(beside("main.esc", written), Err(Wrong::Absolute), "{written}");
        }
    }

    #[test]
    fn what_is_no_path_is_said_to_be_none() {
        for written in ["./a\\b.esc", "./a.txt", "./a//b.esc", "./a\0.esc", "./"] {
            assert!(matches!(beside("main.esc", written), Err(Wrong::NoFile(_))), "{written:?}");
        }
        assert!(matches!(beside("main.esc", &format!("./{}.esc", "a".repeat(2000))), Err(Wrong::NoFile(_))));
        assert_eq!(beside("main.esc", "shared.esc"), Err(Wrong::Bare));
    }

    #[test]
    fn a_file_is_known_by_its_name() {
        assert_eq!(stem("ops/shared.esc"), Some("shared"));
        assert_eq!(stem("a/Big.esc"), None);
        assert_eq!(stem("a/off-hours.esc"), None);
    }
}

//! The library: modules in `.esc` that stand in `stdlib-playbooks/` and in every binary.

macro_rules! modules {
    ($($name:ident),* $(,)?) => {
        &[$((
            concat!("std.", stringify!($name)),
            include_str!(concat!("../../../stdlib-playbooks/", stringify!($name), ".esc")),
        )),*]
    };
}

/// Modules with their texts, in order of names. A test keeps it and the folder alike.
const MODULES: &[(&str, &str)] = modules![
    access_keys,
    bucket,
    disaster_copies,
    inventory,
    mark,
    off_hours,
    patch_rings,
    public_buckets,
    rightsizing,
    snapshot,
    snapshot_retention,
    tag_enforcement,
    tags,
    unattached_volumes,
    vm,
    volume,
];

/// The text of a module such as `std.tags`.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// All names, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the folder is on the disk")]
    fn the_table_and_the_folder_hold_the_same_modules() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stdlib-playbooks");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".esc").map(|stem| format!("std.{stem}")))
            .collect();
        files.sort();
        assert_eq!(files, names().collect::<Vec<_>>());
    }

    #[test]
    fn each_module_checks_without_a_word() {
        for (name, text) in MODULES {
            let told = crate::check(&crate::CatalogWorld, text).diagnostics;
            assert!(told.is_empty(), "{name}: {told:?}");
            assert_eq!(escher_syntax::format(text).as_deref(), Ok(*text), "{name} is not in the one layout");
        }
    }
}

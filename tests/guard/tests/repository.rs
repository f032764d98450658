//! The guards, run on this repository.

use guard::repository::{metadata, read, root, tracked};
use guard::{edges, licences, manifests, texts};

#[track_caller]
fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n  {}\n", violations.join("\n  "));
}

#[test]
fn crates_know_only_what_the_architecture_says() {
    let metadata = metadata().unwrap();
    let members: Vec<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    assert!(members.len() >= 12, "the workspace has lost members: {members:?}");
    let stated = edges::stated(&metadata);
    none(edges::forbidden_layers(&members, &stated));
    none(edges::forbidden_owners(&stated));
}

#[test]
fn pure_crates_bring_in_no_io() {
    none(edges::impure_reach(&metadata().unwrap()));
}

#[test]
fn licences_are_on_the_list() {
    let (allowed, mut violations) = licences::Allowed::read(&read("deny.toml").unwrap());
    let packages = metadata().unwrap().packages;
    let others = packages.into_iter().filter(|package| package.source.is_some());
    let dependencies: Vec<_> = others
        .map(|package| licences::Dependency {
            name: package.name.to_string(),
            version: package.version.to_string(),
            licence: package.license,
        })
        .collect();
    assert!(dependencies.len() > 50, "cargo metadata gave only {} dependencies", dependencies.len());
    violations.extend(licences::violations(&dependencies, &allowed));
    none(violations);
}

#[test]
fn every_dependency_has_its_reason_and_one_version() {
    let mut violations = manifests::root(&read("Cargo.toml").unwrap());
    for package in metadata().unwrap().workspace_packages() {
        let path = package.manifest_path.as_std_path();
        violations.extend(manifests::member(&path.display().to_string(), &std::fs::read_to_string(path).unwrap()));
    }
    none(violations);
}

#[test]
fn lab_requirements_are_pinned() {
    let files: Vec<_> =
        tracked().unwrap().into_iter().filter(|p| p.starts_with("xtask/") && p.ends_with(".txt")).collect();
    none(files.iter().flat_map(|path| manifests::requirements(path, &read(path).unwrap())).collect());
}

#[test]
fn every_pure_crate_forbids_the_same() {
    let packages = metadata().unwrap().packages;
    let folder = |name: &str| {
        let package = packages.iter().find(|package| *package.name == *name).unwrap();
        package.manifest_path.as_std_path().with_file_name("clippy.toml")
    };
    let first = std::fs::read_to_string(folder(edges::PURE[0])).unwrap();
    assert!(first.contains("std::fs::read\"") && first.contains("SystemTime::now"), "the list has lost its teeth");
    for name in edges::PURE {
        let own = std::fs::read_to_string(folder(name)).unwrap_or_default();
        assert_eq!(own, first, "{name}: clippy.toml differs from the other pure crates'");
    }
}

#[test]
fn one_toolchain_everywhere() {
    let manifest: toml::Table = read("Cargo.toml").unwrap().parse().unwrap();
    let toolchain: toml::Table = read("rust-toolchain.toml").unwrap().parse().unwrap();
    let minimum = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    let pinned = toolchain["toolchain"]["channel"].as_str().unwrap();
    assert!(pinned.starts_with(minimum), "rust-version is {minimum}, the pinned toolchain {pinned}");
}

#[test]
fn ci_runs_what_the_readme_says() {
    let command = "cargo xtask ci";
    assert!(read(".ci/run").unwrap().lines().any(|line| line.trim() == command), ".ci/run doesn't run `{command}`");
    if root().join("README.md").exists() {
        assert!(read("README.md").unwrap().contains(command), "README.md doesn't say `{command}`");
    }
}

#[test]
fn nothing_of_one_machine_and_no_secret_is_committed() {
    let paths = tracked().unwrap();
    assert!(paths.len() > 20, "git tracks only {} files", paths.len());
    // What isn't text (the compressed catalogue) is checked by what generates it.
    let texts = paths.iter().filter_map(|path| Some((path, std::fs::read_to_string(root().join(path)).ok()?)));
    none(texts.flat_map(|(path, text)| texts::violations(path, &text)).collect());
}

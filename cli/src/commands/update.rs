//! `escher ops update`: a newer file of operations for this project, or back to those inside the program.

use std::collections::BTreeSet;
use std::path::Path;

use escher_catalog::Catalog;
use serde_json::json;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::output;
use crate::pins;
use crate::project::{Project, SETTINGS};

/// Where the files lie in a project.
const FOLDER: &str = "catalog";

/// How many operations are named before the rest is counted.
const NAMED: usize = 10;

/// Takes a file into the project and pins it. The file is read whole first: one that is damaged changes nothing.
pub(crate) fn update(common: &Common, file: &Path, format: Format) -> Result<u8, Failure> {
    let project = Project::without_catalog(common)?;
    let root = root(&project)?;
    let bytes = pins::bytes(file)?;
    let sha256 = pins::sha256(&bytes);
    let unusable = |why| {
        Failure::usage(format!("E0803: {} can't be used: {why}", file.display())).help(
            "the files are those that a release of Escher carries beside its programs: aws.bin, azure.bin, gcp.bin",
        )
    };
    let catalog = Catalog::embedded_with([bytes.clone()]).map_err(unusable)?;
    catalog.verify().map_err(unusable)?;
    let Some(cloud) = catalog.replaced().first().map(|c| (*c).to_string()) else {
        return Err(unusable(escher_catalog::CatalogError::NotACatalog));
    };
    let name = format!("{FOLDER}/{cloud}.bin");
    let folder = root.join(FOLDER);
    let written = |e: std::io::Error| Failure::failed(format!("cannot write {}: {e}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(written)?;
    // Beside it first: who reads meanwhile has the old file or the new one.
    let beside = folder.join(format!(".{cloud}.bin.new"));
    std::fs::write(&beside, &bytes).and_then(|()| std::fs::rename(&beside, root.join(&name))).map_err(written)?;
    pin(root, |table| {
        let mut row = toml_edit::InlineTable::new();
        row.insert("file", name.as_str().into());
        row.insert("sha256", sha256.as_str().into());
        table.insert(&cloud, value(row));
    })?;
    let (new, gone) = difference(&catalog, &cloud);
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.ops_update/1", "cloud": cloud, "file": name, "sha256": sha256,
            "operations": catalog.operation_count(&cloud), "new": new, "gone": gone }));
        return Ok(0);
    }
    output::line(&format!(
        "{cloud}: {} operations, {} new, {} gone",
        catalog.operation_count(&cloud),
        new.len(),
        gone.len()
    ));
    for (sign, names) in [("+", &new), ("-", &gone)] {
        names.iter().take(NAMED).for_each(|name| output::line(&format!("  {sign} {name}")));
        if names.len() > NAMED {
            output::line(&format!("  {sign} … and {} more", names.len() - NAMED));
        }
    }
    output::note(&format!(
        "{name} is pinned in {SETTINGS}. Before clouds are reached with it: `escher trust sign --key KEY`"
    ));
    Ok(0)
}

/// Goes back to the operations inside the program: of one cloud.
pub(crate) fn builtin(common: &Common, cloud: &str, format: Format) -> Result<u8, Failure> {
    let project = Project::without_catalog(common)?;
    let root = root(&project)?;
    let Some(kept) = project.settings.catalog.get(cloud) else {
        return Err(Failure::usage(format!("`[catalog]` pins no file of `{cloud}`")));
    };
    pin(root, |table| {
        table.remove(cloud);
    })?;
    let _ = std::fs::remove_file(root.join(&kept.file));
    if format == Format::Json {
        let operations = Catalog::embedded().operation_count(cloud);
        output::json(
            &json!({ "schema": "escher.ops_update/1", "cloud": cloud, "file": null, "operations": operations }),
        );
    } else {
        output::line(&format!("{cloud}: the operations inside the program"));
    }
    Ok(0)
}

fn root(project: &Project) -> Result<&Path, Failure> {
    project.root.as_deref().ok_or_else(|| {
        Failure::usage(format!("there is no {SETTINGS} here to pin the file in")).help("run `escher init` first")
    })
}

/// Changes `[catalog]` of the settings, and nothing else of them.
fn pin(root: &Path, change: impl FnOnce(&mut Table)) -> Result<(), Failure> {
    let path = root.join(SETTINGS);
    let failed = |why: String| Failure::failed(format!("cannot change {}: {why}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| failed(e.to_string()))?;
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| failed(e.to_string()))?;
    let table = document.entry("catalog").or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_mut().ok_or_else(|| failed("`catalog` is no table of its own".into()))?;
    change(table);
    if table.is_empty() {
        document.remove("catalog");
    }
    let beside = path.with_extension("toml.new");
    std::fs::write(&beside, document.to_string()).map_err(|e| failed(e.to_string()))?;
    crate::platform::keep_permissions(&path, &beside);
    std::fs::rename(&beside, &path).map_err(|e| failed(e.to_string()))
}

/// Operations that only the new catalogue has, and those that only the one inside the program has.
fn difference(catalog: &Catalog, cloud: &str) -> (Vec<String>, Vec<String>) {
    let names = |catalog: &Catalog| -> BTreeSet<String> {
        let of = |service: &str| {
            let operations = catalog.operations(cloud, service);
            operations.iter().map(|name| format!("{cloud}.{service}.{name}")).collect::<Vec<_>>()
        };
        catalog.services(cloud).into_iter().flat_map(of).collect()
    };
    let (there, here) = (names(catalog), names(Catalog::embedded()));
    (there.difference(&here).cloned().collect(), here.difference(&there).cloned().collect())
}

//! The embedded catalogue as a whole: that all of it is there, and that names are unique and boto3's.

use std::collections::HashSet;

use escher_catalog::{Catalog, Provenance, Repeat, Risk, ShapeKind};
use sha2::{Digest, Sha256};

#[test]
fn all_of_aws_is_there() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.clouds(), ["aws"]);
    assert_eq!(catalog.services("aws").len(), 439);
    assert_eq!(catalog.operation_count("aws"), 19_796);
    let (mut operations, mut pages, mut waiters) = (0, 0, 0);
    for name in catalog.services("aws") {
        let service = catalog.try_service("aws", name).unwrap().unwrap();
        operations += service.operations.len();
        pages += service.operations.iter().filter(|o| o.paging.is_some()).count();
        waiters += service.waiters.len();
        for operation in &service.operations {
            assert!(!operation.class.effects.is_empty(), "{name}.{}", operation.name);
            let reads = operation.class.repeat == Repeat::Read;
            assert_eq!(reads, !operation.class.changes(), "{name}.{}", operation.name);
            if operation.class.provenance == Provenance::Unknown {
                assert_eq!(operation.class.risk, Risk::Critical, "{name}.{}", operation.name);
            }
        }
    }
    assert_eq!((operations, pages, waiters), (19_796, 3_449, 410));
}

#[test]
fn no_two_names_collide_and_all_can_be_written() {
    let catalog = Catalog::embedded();
    let written = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let services = catalog.services("aws");
    assert_eq!(services.iter().collect::<HashSet<_>>().len(), services.len());
    for name in services {
        assert!(written(name), "{name}");
        let service = catalog.service("aws", name).unwrap();
        let unique: HashSet<_> = service.operations.iter().map(|o| &o.name).collect();
        assert_eq!(unique.len(), service.operations.len(), "operations of {name}");
        assert!(service.operations.iter().all(|o| written(&o.name)));
        let unique: HashSet<_> = service.waiters.iter().map(|w| &w.name).collect();
        assert_eq!(unique.len(), service.waiters.len(), "waiters of {name}");
        for shape in &service.shapes {
            let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &shape.kind else { continue };
            let unique: HashSet<_> = members.iter().map(|m| &m.name).collect();
            assert_eq!(unique.len(), members.len(), "members of {name}.{}", shape.name);
            assert!(members.iter().all(|m| written(&m.name)), "members of {name}.{}", shape.name);
        }
    }
}

/// The importer wrote the digest of the names as botocore itself derives them.
#[test]
fn operations_are_spelt_as_boto3_spells_them() {
    let catalog = Catalog::embedded();
    let mut names = Vec::new();
    for service in catalog.services("aws") {
        names.extend(catalog.operations("aws", service).iter().map(|o| format!("aws.{service}.{o}\n")));
    }
    names.sort_unstable();
    let digest = hex::encode(Sha256::digest(names.concat()));
    let provenance = include_str!("../data/PROVENANCE.json");
    assert!(provenance.contains(&format!("\"names_sha256\": \"{digest}\"")));
}

#[test]
fn provenance_is_of_these_bytes() {
    let digest = hex::encode(Sha256::digest(include_bytes!("../data/aws.bin")));
    assert!(include_str!("../data/PROVENANCE.json").contains(&format!("\"sha256\": \"{digest}\"")));
}

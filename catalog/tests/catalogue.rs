//! The embedded catalogue as a whole: that all of it is there, and that names are unique, reversible, and in AWS boto3's.

use std::collections::HashSet;

use escher_catalog::{Catalog, Provenance, Repeat, Risk, ShapeKind};
use sha2::{Digest, Sha256};

const PROVENANCE: &str = include_str!("../data/PROVENANCE.json");

/// Cloud, services, least number of operations.
const CLOUDS: [(&str, usize, usize); 3] = [("aws", 439, 19_796), ("azure", 230, 12_000), ("gcp", 223, 10_600)];

#[test]
fn all_of_three_clouds_is_there_and_classed() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.clouds(), ["aws", "azure", "gcp"]);
    for (cloud, services, least) in CLOUDS {
        assert_eq!(catalog.services(cloud).len(), services);
        let (mut operations, mut unknown) = (0, 0);
        for name in catalog.services(cloud) {
            let service = catalog.try_service(cloud, name).unwrap().unwrap();
            operations += service.operations.len();
            for operation in &service.operations {
                let class = &operation.class;
                assert!(!class.effects.is_empty(), "{name}.{}", operation.name);
                assert_eq!(class.repeat == Repeat::Read, !class.changes(), "{name}.{}", operation.name);
                if class.provenance == Provenance::Unknown {
                    unknown += 1;
                    assert_eq!(class.risk, Risk::Critical, "{name}.{}", operation.name);
                }
            }
        }
        assert_eq!(operations, catalog.operation_count(cloud));
        assert!(operations >= least, "{cloud}: {operations}");
        assert!(unknown * 1000 <= operations * 15, "{cloud}: nothing is known of {unknown} operations");
    }
}

#[test]
fn pages_and_waiters_of_aws_are_there() {
    let catalog = Catalog::embedded();
    let services = || catalog.services("aws").into_iter().filter_map(|name| catalog.service("aws", name));
    assert_eq!(services().map(|s| s.operations.iter().filter(|o| o.paging.is_some()).count()).sum::<usize>(), 3_449);
    assert_eq!(services().map(|s| s.waiters.len()).sum::<usize>(), 410);
}

/// Different methods and URL templates: one request under two names counts once.
#[test]
fn azure_has_twelve_thousand_different_requests() {
    let catalog = Catalog::embedded();
    let mut requests = HashSet::new();
    for service in catalog.services("azure").into_iter().filter_map(|name| catalog.service("azure", name)) {
        requests.extend(service.operations.iter().map(|o| (o.method.to_string(), o.uri.to_lowercase())));
    }
    assert!(requests.len() >= 12_000, "{}", requests.len());
}

#[test]
fn no_two_names_collide_and_all_can_be_written() {
    let catalog = Catalog::embedded();
    let written = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    for (cloud, ..) in CLOUDS {
        let services = catalog.services(cloud);
        assert_eq!(services.iter().collect::<HashSet<_>>().len(), services.len());
        for name in services {
            assert!(written(name), "{name}");
            let service = catalog.service(cloud, name).unwrap();
            // One name, one official name, both ways.
            let names: HashSet<_> = service.operations.iter().map(|o| &o.name).collect();
            assert_eq!(names.len(), service.operations.len(), "operations of {cloud}.{name}");
            let officials: HashSet<_> = service.operations.iter().map(|o| &o.official).collect();
            assert_eq!(officials.len(), names.len(), "official names of {cloud}.{name}");
            for operation in &service.operations {
                assert!(operation.name.split('.').all(written), "{cloud}.{name}.{}", operation.name);
                assert_eq!(escher_catalog::names::operation(&operation.official), *operation.name);
            }
            let unique: HashSet<_> = service.waiters.iter().map(|w| &w.name).collect();
            assert_eq!(unique.len(), service.waiters.len(), "waiters of {name}");
            let mut shapes = HashSet::new();
            for shape in &service.shapes {
                let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &shape.kind else { continue };
                assert!(
                    cloud == "aws" || shapes.insert(shape.name.clone()),
                    "two shapes {cloud}.{name}.{}",
                    shape.name
                );
                let unique: HashSet<_> = members.iter().map(|m| &m.name).collect();
                assert_eq!(unique.len(), members.len(), "members of {cloud}.{name}.{}", shape.name);
                assert!(
                    members.iter().all(|m| written(&m.name)),
                    "members of {cloud}.{name}.{}: {members:?}",
                    shape.name
                );
            }
        }
    }
}

/// The importer wrote the digest of the names as botocore itself derives them.
#[test]
fn operations_are_spelt_as_boto3_and_the_importer_spell_them() {
    let catalog = Catalog::embedded();
    for (cloud, ..) in CLOUDS {
        let mut names = Vec::new();
        for service in catalog.services(cloud) {
            names.extend(catalog.operations(cloud, service).iter().map(|o| format!("{cloud}.{service}.{o}\n")));
        }
        names.sort_unstable();
        let digest = hex::encode(Sha256::digest(names.concat()));
        assert!(PROVENANCE.contains(&format!("\"names_sha256\": \"{digest}\"")), "{cloud}");
    }
}

#[test]
fn provenance_is_of_these_bytes() {
    let files: [&[u8]; 3] =
        [include_bytes!("../data/aws.bin"), include_bytes!("../data/azure.bin"), include_bytes!("../data/gcp.bin")];
    for bytes in files {
        let digest = hex::encode(Sha256::digest(bytes));
        assert!(PROVENANCE.contains(&format!("\"sha256\": \"{digest}\"")));
    }
    assert!(files.iter().map(|f| f.len()).sum::<usize>() <= 6_000_000);
}

//! The nearest operations of the other clouds, out of `data/equivalents.txt`. Arguments differ; this module does *not* map them.

const TABLE: &str = include_str!("../data/equivalents.txt");

/// What an operation has in common with others: what they do, and the others' full names.
pub fn of(operation: &str) -> Option<(&'static str, Vec<&'static str>)> {
    rows().find(|(_, row)| row.contains(&operation)).map(|(what, row)| {
        let others = row.into_iter().filter(|name| *name != operation && *name != "-");
        (what, others.collect())
    })
}

fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = TABLE.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('|'));
    lines.map(|(what, row)| (what, row.split('|').collect()))
}

#[cfg(test)]
mod tests {
    use super::{of, rows};
    use crate::Catalog;

    #[test]
    fn every_row_names_operations_of_the_three_clouds_once() {
        let mut seen = std::collections::HashSet::new();
        let mut count = 0;
        for (what, row) in rows() {
            assert_eq!(row.len(), 3, "{what}");
            assert!(row.iter().filter(|n| **n != "-").count() > 1, "{what}");
            for (name, cloud) in row.iter().zip(["aws.", "azure.", "gcp."]).filter(|(n, _)| **n != "-") {
                assert!(name.starts_with(cloud) && Catalog::embedded().record(name).is_some(), "{what}: {name}");
                assert!(seen.insert(*name), "{name} stands in two rows");
            }
            count += 1;
        }
        assert!(count > 50, "{count}");
        assert_eq!(of("aws.ec2.stop_instances").unwrap().1.len(), 2);
        assert!(of("aws.ec2.describe_fleets").is_none());
    }
}

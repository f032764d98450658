//! Which member identifies a shape: the id that a step's items are told apart by.
//!
//! A rule with a small table of exceptions (`data/identities.txt`: shape and member, `-` for "none"). This module does *not*
//! make identities up for shapes that have no naming member: playbooks write `key .field` there.

use std::sync::Arc;

use crate::model::{Member, Service, Shape};

const SOURCE: &str = include_str!("../data/identities.txt");

/// The identifying member of the shape called `name` in `service`.
pub(crate) fn identity(service: &Service, name: &str) -> Option<Arc<str>> {
    let shape = service.structure(name)?;
    let full = format!("{}.{}.{}", service.meta.cloud, service.meta.name, name);
    let by_name = |wanted: &str| shape.members().iter().find(|m| &*m.name == wanted).map(|m| Arc::clone(&m.name));
    match rows().find(|(shape, _)| *shape == full) {
        Some((_, "-")) => None,
        Some((_, member)) => by_name(member),
        None => by_rule(service, shape, name),
    }
}

/// Rows of the table: full name of a shape, member.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCE.lines().filter_map(|line| {
        let line = line.split_once('#').map_or(line, |(row, _)| row);
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    })
}

/// `SelfLink` of Google Cloud, `<Shape>Id`, `<Shape>Arn`, `Arn`, `<Shape>Name`, `Id`, `Name`: the first that is a text member.
fn by_rule(service: &Service, shape: &Shape, name: &str) -> Option<Arc<str>> {
    // Many models call the records of a list `…Summary` or `…Detail`; their members are named for the thing.
    let base = ["Summary", "Details", "Detail", "Description", "Info", "Item", "ListItem", "Entry", "Type"]
        .iter()
        .find_map(|end| name.strip_suffix(end).filter(|rest| !rest.is_empty()));
    let mut wanted = Vec::new();
    if &*service.meta.cloud == "gcp" {
        // A name is one within a zone or region; the link says which.
        wanted.push("SelfLink".to_owned());
    }
    for thing in [Some(name), base].into_iter().flatten() {
        wanted.push(format!("{thing}Id"));
    }
    for thing in [Some(name), base].into_iter().flatten() {
        wanted.push(format!("{thing}Arn"));
    }
    wanted.push("Arn".to_owned());
    for thing in [Some(name), base].into_iter().flatten() {
        wanted.push(format!("{thing}Name"));
        wanted.push(format!("{thing}Identifier"));
    }
    wanted.extend(["Id".to_owned(), "Name".to_owned()]);
    let text = |member: &&Member| service.is_text(member.shape);
    wanted.iter().find_map(|wanted| {
        let found = shape.members().iter().filter(text).find(|m| m.official.eq_ignore_ascii_case(wanted))?;
        Some(Arc::clone(&found.name))
    })
}

#[cfg(test)]
mod tests {
    use super::{identity, rows};
    use crate::Catalog;

    #[test]
    fn every_row_names_a_member() {
        for (shape, member) in rows() {
            let mut parts = shape.splitn(3, '.');
            let (cloud, service, name) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            let service = Catalog::embedded().service(cloud, service).unwrap_or_else(|| panic!("{shape}"));
            assert!(service.structure(name).is_some(), "{shape}");
            assert_eq!(identity(&service, name).as_deref(), (member != "-").then_some(member), "{shape}");
        }
    }
}

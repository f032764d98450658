//! Resources of AWS that rows describe: kinds, and what each operation does to them.
//!
//! Knows no operation by itself: the rows stand in the modules below, one for each service. What needs more than a row is a
//! function named in one. Members come from the catalogue's shapes: of an input is kept what the resource has too.

pub(crate) mod cloudwatch;
mod ec2;
mod engine;
mod iam;
mod rds;
mod s3;
mod secrets;
mod ssm;

pub(crate) use ec2::{tag, tags};
use serde_json::{Map, Value as Json};

use super::Handler;
use super::call::Call;
use super::error::ApiError;
use crate::protocol::Value;
use crate::world::World;
use crate::world::seed::Timing;
use crate::world::things::Thing;

/// One kind of resource.
pub(crate) struct Kind {
    /// What its resources are kept under.
    pub(crate) table: &'static str,
    /// The catalogue's structure that shows one.
    pub(crate) shape: &'static str,
    /// Member that names one, in the structure and in inputs.
    pub(crate) id: &'static str,
    /// How generated ids begin; nothing where the caller names it.
    pub(crate) prefix: &'static str,
    /// Member with the ARN, and the ARN's resource with `{}` for the id; nothing where there is none.
    pub(crate) arn: (&'static str, &'static str),
    /// Member with the state; nothing where there is none.
    pub(crate) state: &'static str,
    /// State at rest and on the way there, and how long that takes.
    pub(crate) states: (&'static str, &'static str),
    pub(crate) takes: fn(&Timing) -> u32,
    /// Member with the tags; nothing where it shows none.
    pub(crate) tags: &'static str,
    /// What lies under every body, as JSON.
    pub(crate) defaults: &'static str,
    /// Whether it belongs to an account, whatever the region.
    pub(crate) global: bool,
    /// Code, status and sentence (`{}` is the id) where there is none.
    pub(crate) missing: (&'static str, u16, &'static str),
    /// Code where there is one already.
    pub(crate) exists: &'static str,
    /// Looks at what is to be kept, with the whole input.
    pub(crate) before: Before,
    /// Adds what is worked out to what is shown.
    pub(crate) shown: fn(&World, &Call<'_>, &Thing, &mut Map<String, Json>),
    /// May refuse that one is deleted.
    pub(crate) deleted: fn(&World, &Call<'_>, &Thing) -> Result<(), ApiError>,
}

/// Looks at the body of a new resource, with the whole input.
pub(crate) type Before = fn(&mut World, &Call<'_>, &Value, &mut Map<String, Json>) -> Result<(), ApiError>;

/// Where a row says nothing.
const PLAIN: Kind = Kind {
    table: "",
    shape: "",
    id: "",
    prefix: "",
    arn: ("", ""),
    state: "",
    states: ("available", "creating"),
    takes: |_| 0,
    tags: "",
    defaults: "{}",
    global: false,
    missing: ("NotFound", 404, "{} was not found."),
    exists: "AlreadyExists",
    before: |_, _, _, _| Ok(()),
    shown: |_, _, _, _| {},
    deleted: |_, _, _| Ok(()),
};

/// What an operation does.
pub(crate) enum Verb {
    /// Makes one. The answer has it in this member, or is it where the name is empty.
    Create(&'static str),
    /// Shows some: those that this input member names (all where it is absent), in this output member.
    List(&'static str, &'static str),
    /// Shows one, as [`Verb::Create`] does.
    Get(&'static str),
    /// Changes what the input gives of it.
    Modify(&'static str),
    /// Removes one.
    Delete(&'static str),
    /// Moves one from some states by way of one to another.
    Move {
        from: &'static [&'static str],
        via: &'static str,
        to: &'static str,
        takes: fn(&Timing) -> u32,
        gives: &'static str,
    },
    /// Anything else.
    Own(Handler),
}

/// One operation.
pub(crate) struct Op {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static Kind,
    pub(crate) verb: Verb,
}

const fn op(name: &'static str, kind: &'static Kind, verb: Verb) -> Op {
    Op { name, kind, verb }
}

/// The rows of a service, by its name in the catalogue.
pub(crate) fn operations(service: &str) -> &'static [Op] {
    match service {
        "ec2" => ec2::OPERATIONS,
        "rds" => rds::OPERATIONS,
        "iam" => iam::OPERATIONS,
        "s3" => s3::OPERATIONS,
        "ssm" => ssm::OPERATIONS,
        "secretsmanager" => secrets::OPERATIONS,
        "cloudwatch" => cloudwatch::OPERATIONS,
        _ => &[],
    }
}

impl Op {
    pub(crate) fn serve(&self, input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
        match &self.verb {
            Verb::Own(handler) => handler(input, world, call),
            _ => engine::serve(self, input, world, call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escher_catalog::Catalog;

    #[test]
    fn every_row_is_one_of_the_catalogue() {
        for service in ["ec2", "rds", "iam", "s3", "ssm", "secretsmanager", "cloudwatch"] {
            let described = Catalog::embedded().service("aws", service).unwrap();
            for op in operations(service) {
                assert!(described.operations.iter().any(|o| *o.official == *op.name), "{service} {}", op.name);
                serde_json::from_str::<Map<String, Json>>(op.kind.defaults).unwrap();
                let shape = op.kind.shape;
                assert!(shape.is_empty() || described.structure(shape).is_some(), "{service} has no structure {shape}");
            }
        }
    }
}

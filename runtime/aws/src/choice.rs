//! What is kept of a structure, worked out once for a list of thousands that look alike.
//!
//! This module does *not* read anything.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use aws_smithy_schema::Schema;
use escher_catalog::model::TagNames;
use escher_catalog::{Member, ShapeKind};
use escher_ir::Value;
use escher_ir::program::Projection;

use crate::read::Words;
use crate::schema::{Node, Plan, Way};

/// What is kept of one structure.
pub(crate) struct Choice<'p> {
    /// By the place of the member in its structure.
    pub(crate) members: Vec<Option<Chosen<'p>>>,
    /// Names of what is kept, sorted, each with what stands for it where it is absent: an empty list or map, or nothing.
    pub(crate) names: Vec<(Arc<str>, Value)>,
}

/// A member that is kept or noted.
pub(crate) struct Chosen<'p> {
    pub(crate) schema: &'static Schema<'static>,
    pub(crate) inner: &'static Node,
    /// The names of key and value, where it is read as a map of tags.
    pub(crate) tags: Option<&'static TagNames>,
    /// What is kept of it and where among the names; none where it is only noted.
    pub(crate) kept: Option<(&'p Projection, usize)>,
    /// Its name, where it is noted beside the value.
    pub(crate) noted: Option<Arc<str>>,
}

/// Choices that were made, by structure and projection.
#[derive(Default)]
pub(crate) struct Choices<'p>(RefCell<HashMap<(*const Node, *const Projection), Rc<Choice<'p>>>>);

impl<'p> Choices<'p> {
    /// What is kept of a structure.
    pub(crate) fn of(
        &self,
        plan: &'static Plan,
        words: Words,
        node: &'static Node,
        wanted: &'p Projection,
    ) -> Rc<Choice<'p>> {
        let mut made = self.0.borrow_mut();
        let new = || Rc::new(Choice::of(plan, words, node, wanted, None));
        Rc::clone(made.entry((std::ptr::from_ref(node), std::ptr::from_ref(wanted))).or_insert_with(new))
    }
}

impl<'p> Choice<'p> {
    /// What is kept of a structure, and which of its members are noted, by their names in the API.
    pub(crate) fn of(
        plan: &'static Plan,
        words: Words,
        node: &'static Node,
        wanted: &'p Projection,
        noted: Option<&[Arc<str>]>,
    ) -> Choice<'p> {
        let language = words == Words::Language;
        let name = |member: &'static Member| if language { &member.name } else { &member.official };
        let members = node.members.iter().map(|(member, schema)| {
            let inner = plan.node(Way::Out, member.shape)?;
            let kept = may_be_kept(plan, member, inner, words).then(|| wanted.member(name(member))).flatten();
            let noted = noted.and_then(|noted| noted.iter().find(|n| **n == member.official));
            (kept.is_some() || noted.is_some()).then_some((*member, *schema, inner, kept, noted))
        });
        let members: Vec<_> = members.collect();
        let absent = language && matches!(node.shape.kind, ShapeKind::Structure(_));
        let kept = members.iter().flatten().filter(|(.., kept, _)| kept.is_some());
        let names = kept.map(|(member, _, inner, ..)| {
            (Arc::clone(name(member)), if absent { empty(member, inner) } else { Value::None })
        });
        let names: BTreeMap<Arc<str>, Value> = names.collect();
        let names: Vec<(Arc<str>, Value)> = names.into_iter().collect();
        let chosen = members.into_iter().map(|found| {
            let (member, schema, inner, kept, noted) = found?;
            let place = |wanted| Some((wanted, names.binary_search_by(|(n, _)| n.cmp(name(member))).ok()?));
            Some(Chosen {
                schema,
                inner,
                tags: member.tags.as_ref().filter(|_| language),
                kept: kept.and_then(place),
                noted: noted.cloned(),
            })
        });
        Choice { members: chosen.collect(), names }
    }
}

/// What stands for a list or a map that is absent.
fn empty(member: &Member, inner: &Node) -> Value {
    match &inner.shape.kind {
        ShapeKind::List { .. } if member.tags.is_none() => Value::list(Vec::new()),
        ShapeKind::List { .. } | ShapeKind::Map { .. } => Value::Map(Arc::default()),
        _ => Value::None,
    }
}

/// Whether a member may be kept: what is sensitive is a secret, and only a text or bytes can be one.
fn may_be_kept(plan: &'static Plan, member: &Member, inner: &Node, words: Words) -> bool {
    let scalar = matches!(inner.shape.kind, ShapeKind::String { .. } | ShapeKind::Blob);
    let hidden = (inner.shape.sensitive && !scalar) || sensitive_elements(plan, inner, member.tags.is_some());
    words == Words::Official || !hidden
}

/// Whether the elements of a list or map are sensitive, where the list itself does not say so.
fn sensitive_elements(plan: &'static Plan, node: &Node, tags: bool) -> bool {
    let element = node.element.as_ref().and_then(|(id, _)| plan.node(Way::Out, *id));
    // A tag whose value is sensitive is no use without it.
    element.is_some_and(|e| e.shape.sensitive || (tags && e.members.iter().any(|(_, s)| s.sensitive().is_some())))
}

//! A checked playbook, lowered: all that executes, and all that an approver reads.
//!
//! No spans, no `//` comments, no file paths, no settings: those may change without changing the digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Effect, Repeat, Risk};
use serde::{Deserialize, Serialize};

use crate::admit::holds_secret;
use crate::codec::Stored;
use crate::digest::Digest;
use crate::plan::Rollback;
use crate::types::Type;
use crate::value::Value;

/// A program: one playbook and everything that it reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Edition of the language.
    pub edition: u16,
    /// The entry point.
    pub playbook: Playbook,
    /// Functions and actions that are called, by qualified name.
    pub functions: BTreeMap<String, Function>,
    /// Every operation it can call, with the hash of its catalogue record.
    pub operations: BTreeMap<String, OperationUse>,
    /// Every waiter it asks (`aws.ec2.snapshot_completed`), with the hash of its definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiters: BTreeMap<String, Digest>,
}

impl Stored for Program {
    const FORMAT: &'static str = "escher.ir";
    const VERSION: u16 = 1;
    const FEATURES: &'static [&'static str] = &[PARTS, SECRETS, NOTICES, ROLLBACK, UNIONS, BRANCHES];

    fn requires(&self) -> Vec<&'static str> {
        let asks = |node: &Node| matches!(node.kind, NodeKind::Approve(_));
        let parts = self.playbook.body.nodes.iter().any(asks).then_some(PARTS);
        let secrets = self.playbook.params.iter().any(|param| holds_secret(&param.ty)).then_some(SECRETS);
        let notifies = |node: &Node| matches!(node.kind, NodeKind::Notify { .. });
        let notices = self.playbook.body.nodes.iter().any(notifies).then_some(NOTICES);
        let told = |node: &Node| matches!(&node.kind, NodeKind::Step(step) if step.rollback.is_some());
        let rollback = self.playbook.body.nodes.iter().any(told).then_some(ROLLBACK);
        let types = self.playbook.params.iter().map(|param| &param.ty).chain([&self.playbook.returns]);
        let unions = types.into_iter().any(has_union).then_some(UNIONS);
        let branches = self.playbook.body.nodes.iter().any(in_branch).then_some(BRANCHES);
        parts.into_iter().chain(secrets).chain(notices).chain(rollback).chain(unions).chain(branches).collect()
    }
}

/// The feature of programs and plans that are approved in parts: a reader must know it.
pub(crate) const PARTS: &str = "parts";

/// The feature of programs and plans whose parameters are secrets: a reader must know that it has references in its hands.
pub(crate) const SECRETS: &str = "secrets";

/// The feature of programs and plans that say more of how a step is taken back than whether it has an `undo`.
pub(crate) const ROLLBACK: &str = "rollback";

/// The feature of programs whose parameters or result are unions of records.
const UNIONS: &str = "unions";

/// The feature of programs with reports, notices and questions that are left out where their branch is not taken: there
/// they are `none`.
const BRANCHES: &str = "branches";

fn in_branch(node: &Node) -> bool {
    let perhaps = |e: &Expr| matches!(e, Expr::If { otherwise: None, .. });
    match &node.kind {
        NodeKind::Confirm { question } => perhaps(question),
        NodeKind::Notify { text, .. } => perhaps(text),
        NodeKind::Report { body, .. } => body.value.as_deref().is_some_and(perhaps),
        _ => false,
    }
}

fn has_union(ty: &Type) -> bool {
    match ty {
        Type::Union(_) => true,
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) | Type::Secret(inner) => has_union(inner),
        Type::Record(record) => record.fields.values().any(|field| has_union(&field.ty)),
        _ => false,
    }
}

/// The feature of programs that tell somebody something: a reader must send it, or say that it does not.
const NOTICES: &str = "notices";

/// What the program relies on of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationUse {
    /// Digest of the catalogue record (wire, shapes, class).
    pub record: Digest,
    /// What it does.
    pub effects: Vec<Effect>,
    /// How risky one call on one target is.
    pub risk: Risk,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
}

/// The entry point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Its result.
    pub returns: Type,
    /// The risk that was inferred, which the declared one is not below.
    pub risk: Risk,
    /// The risk that was declared.
    pub declared_risk: Risk,
    /// Who must approve.
    pub approval: Option<Approval>,
    /// Greatest number of targets that all steps together can change, where every bound is known.
    pub blast_radius: Option<u64>,
    /// `@freeze_exempt`: it may run while a freeze holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub freeze_exempt: bool,
    /// What it does.
    pub body: Block,
}

/// `@approval(by: "manager", of: 2, valid: 24h)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Role of the approvers.
    pub by: String,
    /// How many of them.
    pub of: u32,
    /// How long an approval holds, in seconds.
    pub valid_seconds: u64,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its type, which values are checked against at run time too.
    pub ty: Type,
    /// Its default: a constant expression.
    pub default: Option<Expr>,
}

/// A function or an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Names of its parameters.
    pub params: Vec<String>,
    /// Its body.
    pub body: Block,
}

/// Statements, and the value of the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Nodes in written order; each begins when those it names have ended.
    pub nodes: Vec<Node>,
    /// The block's value.
    pub value: Option<Box<Expr>>,
}

/// One statement, with a stable id and what must have ended before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Stable within the playbook: the name of the `let` or step, or kind and position (`require.2`).
    pub id: String,
    /// Documentation above it: an approver reads it.
    pub doc: Option<String>,
    /// Ids of nodes of the same block.
    pub after: Vec<String>,
    /// What it does.
    pub kind: NodeKind,
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NodeKind {
    /// `let x = e`.
    Let {
        /// The name.
        name: String,
        /// The value.
        value: Expr,
    },
    /// `require c else "…"`.
    Require {
        /// The condition.
        condition: Expr,
        /// What to say where it does not hold.
        otherwise: Option<Expr>,
    },
    /// `confirm "…"`.
    Confirm {
        /// The question.
        question: Expr,
    },
    /// `approve "…" by "manager"`: the run waits until the rest of it is approved.
    Approve(Box<Approve>),
    /// A step.
    Step(Box<Step>),
    /// `wait op(…) timeout 10m` or `wait until c`.
    Wait(Box<Wait>),
    /// `sleep 5m`.
    Sleep {
        /// How long.
        duration: Expr,
    },
    /// `report "…" { … }`.
    Report {
        /// Its title.
        title: Option<Expr>,
        /// What it shows.
        body: Block,
    },
    /// `notify channel "…"`.
    Notify {
        /// The channel, by its name in the settings.
        channel: String,
        /// What it is told.
        text: Expr,
    },
    /// `return e`.
    Return {
        /// The value.
        value: Option<Expr>,
    },
    /// A value that is computed for what it calls.
    Do {
        /// The value.
        value: Expr,
    },
}

/// `approve "…" by "manager", of 2, within 24h, show table(…)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What is asked.
    pub question: Expr,
    /// Who must approve, and for how long the question stands.
    pub approval: Approval,
    /// What approvers are shown beside the plan of the rest, and sign with it.
    pub show: Option<Expr>,
}

/// A wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// What it polls: a reading expression.
    pub poll: Expr,
    /// The waiter of the catalogue whose acceptors judge the answer; none where `poll` is a condition.
    pub waiter: Option<String>,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// When it gives up.
    pub timeout: Expr,
}

/// A step: the only place where the world is changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<Expr>,
    /// What it is done for; none for a step that is done once.
    pub each: Option<Each>,
    /// `max`; empty for a step that is done once.
    pub max: Vec<Bound>,
    /// The greatest value that `max` can have, from constants and parameter types.
    pub max_at_most: u64,
    /// How many items (or batches) at a time.
    pub at_once: Expr,
    /// How many items may fail: a number, a percentage of the planned, or none for `all`.
    pub tolerate: Option<Expr>,
    /// How often a failed call is tried again.
    pub retry: Expr,
    /// How long one item (or batch) may take.
    pub timeout: Expr,
    /// Asked afresh for each item; where it does not hold, the item is `unchanged`.
    pub when: Option<Expr>,
    /// What to say where `when` does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Expr>,
    /// Where it holds, the item is `unchanged` already.
    pub unless: Option<Expr>,
    /// The author accepts that a call may happen twice.
    pub may_repeat: bool,
    /// Undone at the end of the run, however it ends.
    pub temporary: bool,
    /// Steps of other branches that must have ended.
    pub after: Vec<String>,
    /// What is done.
    pub body: Block,
    /// How it is taken back.
    pub undo: Option<Block>,
    /// How it is taken back, where that is more than that it has an `undo` or has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// What happens to an item that fails.
    pub catch: Vec<CatchArm>,
    /// Its risk, with its fan-out.
    pub risk: Risk,
}

impl Step {
    /// Whether and how what it does is taken back.
    pub fn rollback(&self) -> Rollback {
        let plain = if self.undo.is_some() { Rollback::Undo } else { Rollback::None };
        self.rollback.clone().unwrap_or(plain)
    }
}

/// `for x in list by 100`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// Name of the item, or of the batch (a list) where `by` is given.
    pub variable: String,
    /// The list.
    pub list: Expr,
    /// Size of a batch.
    pub by: Option<Expr>,
    /// How an item is recognised.
    pub identity: Identity,
    /// Nodes (lets and requires) above the step that the list comes from, in order: what is asked again.
    pub sources: Vec<String>,
    /// The step whose finished items this is (`for x in STEP.items`), which is not asked again.
    pub from_step: Option<String>,
}

/// How an item is recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Identity {
    /// By a member of a catalogue shape.
    Member {
        /// The shape, such as `aws.ec2.Instance`.
        kind: String,
        /// The member, such as `instance_id`.
        member: String,
    },
    /// By `key .field`: a lambda of one parameter.
    Key(Box<Expr>),
    /// The text itself.
    Text,
}

/// A part of `max`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// A number or a percentage.
    pub value: Expr,
    /// `of fleet`: what the percentage is of.
    pub of: Option<Expr>,
    /// `per .account`: counted apart for each value of this lambda.
    pub per: Option<Expr>,
}

/// An arm of `catch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchArm {
    /// Codes of the cloud, or kinds.
    pub patterns: Vec<CatchPattern>,
    /// What happens.
    pub outcome: CatchOutcome,
}

/// What `catch` matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CatchPattern {
    /// A cloud's own code.
    Code(String),
    /// `missing denied conflict throttled unreachable timeout invalid`.
    Kind(String),
    /// `_`
    Any,
}

/// What `catch` makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CatchOutcome {
    /// A value to go on with (reads).
    Value(Box<Expr>),
    /// `skip`
    Skip,
    /// `done`
    Done,
    /// `undo`
    Undo,
    /// `fail`
    Fail,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expr {
    /// A constant.
    Literal(Value),
    /// A `let`, parameter, lambda parameter or loop variable.
    Local(String),
    /// `"…{hole}…"`
    Text(Vec<TextPart>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ name: a, ...b }`
    Record(Vec<RecordPart>),
    /// `{ "key": a }`
    Map(Vec<(Expr, Expr)>),
    /// `a.b`
    Member {
        /// `a`
        base: Box<Expr>,
        /// `b`
        name: String,
        /// `?.`: none where `a` is.
        optional: bool,
    },
    /// `a.b?`: an absent member as `none`.
    Maybe(Box<Expr>),
    /// `a[i]`
    Index {
        /// `a`
        base: Box<Expr>,
        /// `i`
        index: Box<Expr>,
    },
    /// `-a`, `not a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `if c { a } else { b }`
    If {
        /// `c`
        condition: Box<Expr>,
        /// `a`
        then: Box<Block>,
        /// `b`
        otherwise: Option<Box<Block>>,
    },
    /// `match x { … }`
    Match {
        /// `x`
        subject: Box<Expr>,
        /// The arms; the first that matches is taken.
        arms: Vec<MatchArm>,
    },
    /// `x => e`
    Lambda {
        /// Names of the parameters.
        params: Vec<String>,
        /// `e`
        body: Box<Expr>,
    },
    /// A method of the closed table.
    Method {
        /// The receiver.
        base: Box<Expr>,
        /// Which.
        method: Method,
        /// Its arguments in order; a named one stands at its place.
        arguments: Vec<Expr>,
    },
    /// A function of the language itself.
    Builtin(Builtin, Vec<Expr>),
    /// A function of the program, by qualified name.
    Function {
        /// Stable place within its node, step or function, as of a call.
        site: String,
        /// Key in [`Program::functions`].
        name: String,
        /// Its arguments in order.
        arguments: Vec<Expr>,
    },
    /// A call of a cloud.
    Call(Arc<Call>),
    /// `with t { … }`
    With {
        /// `t`
        target: Box<Expr>,
        /// What runs there.
        body: Box<Block>,
    },
    /// `stop.items`, `stop.failed`, `stop.skipped`, `stop.outcomes`.
    StepResult {
        /// The step.
        step: String,
        /// What of it.
        part: StepPart,
    },
    /// `stop.of(x)`
    StepOf {
        /// The step.
        step: String,
        /// The item.
        item: Box<Expr>,
    },
    /// `e catch { … }` around more than one call; that of a single call stands in [`Call::catch`].
    Catch {
        /// `e`
        body: Box<Expr>,
        /// The arms; the first that matches is taken.
        arms: Vec<CatchArm>,
    },
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TextPart {
    /// Characters.
    Literal(String),
    /// A value.
    Hole(Expr),
}

/// A part of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RecordPart {
    /// `name: value`
    Field(String, Expr),
    /// `...value`
    Spread(Expr),
}

/// An arm of `match`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchArm {
    /// Values that it matches; empty for `_`.
    pub values: Vec<Value>,
    /// What it gives.
    pub body: Block,
}

/// What is asked of a step's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepPart {
    /// Finished.
    Items,
    /// Failed.
    Failed,
    /// Skipped.
    Skipped,
    /// All, each with its outcome.
    Outcomes,
}

/// A call of a cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Stable place within its node, step or function: `stop_instances`, `stop_instances.2`.
    pub site: String,
    /// Full name, such as `aws.ec2.stop_instances`; key in [`Program::operations`].
    pub operation: String,
    /// Arguments by name, sorted.
    pub arguments: BTreeMap<String, Expr>,
    /// Whether it changes the world.
    pub changes: bool,
    /// What the program reads of its answer.
    pub reads: Projection,
    /// What stands for an error.
    pub catch: Vec<CatchArm>,
    /// `unless probe(x)`: asked before the call, and where it isn't known whether it arrived. A value that it gives takes
    /// the place of the answer.
    pub probe: Option<Box<Expr>>,
}

/// What a program reads of an answer. Lists and maps are looked through: the members are those of their elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Everything.
    All,
    /// These members; of a scalar, nothing below it.
    Members(BTreeMap<String, Projection>),
}

impl Default for Projection {
    fn default() -> Projection {
        Projection::Members(BTreeMap::new())
    }
}

impl Projection {
    /// What is read of this member; none where it isn't.
    pub fn member(&self, name: &str) -> Option<&Projection> {
        match self {
            Projection::All => Some(&Projection::All),
            Projection::Members(members) => members.get(name),
        }
    }

    /// Adds what another reads.
    pub fn join(&mut self, other: &Projection) {
        match (&mut *self, other) {
            (Projection::All, _) => {}
            (_, Projection::All) => *self = Projection::All,
            (Projection::Members(mine), Projection::Members(theirs)) => {
                for (name, sub) in theirs {
                    mine.entry(name.clone()).or_default().join(sub);
                }
            }
        }
    }
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Operators between operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is its word")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Range,
    Coalesce,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
    And,
    Or,
}

/// The closed table of methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is its word; the reference says what it does")]
pub enum Method {
    Filter,
    Map,
    FlatMap,
    SortBy,
    GroupBy,
    Unique,
    Count,
    Sum,
    Min,
    Max,
    Any,
    All,
    First,
    Last,
    Take,
    Skip,
    Zip,
    Join,
    Contains,
    Reverse,
    Concat,
    Flatten,
    Keys,
    Values,
    Get,
    Merge,
    Lower,
    Upper,
    Trim,
    Split,
    StartsWith,
    EndsWith,
    Replace,
    Length,
    ToInt,
    ToString,
    Remainder,
    ToInstant,
    ToMap,
}

impl Method {
    /// All of them, with their words.
    pub const TABLE: &'static [(&'static str, Method)] = &[
        ("filter", Method::Filter),
        ("map", Method::Map),
        ("flat_map", Method::FlatMap),
        ("sort_by", Method::SortBy),
        ("group_by", Method::GroupBy),
        ("unique", Method::Unique),
        ("count", Method::Count),
        ("sum", Method::Sum),
        ("min", Method::Min),
        ("max", Method::Max),
        ("any", Method::Any),
        ("all", Method::All),
        ("first", Method::First),
        ("last", Method::Last),
        ("take", Method::Take),
        ("skip", Method::Skip),
        ("zip", Method::Zip),
        ("join", Method::Join),
        ("contains", Method::Contains),
        ("reverse", Method::Reverse),
        ("concat", Method::Concat),
        ("flatten", Method::Flatten),
        ("keys", Method::Keys),
        ("values", Method::Values),
        ("get", Method::Get),
        ("merge", Method::Merge),
        ("lower", Method::Lower),
        ("upper", Method::Upper),
        ("trim", Method::Trim),
        ("split", Method::Split),
        ("starts_with", Method::StartsWith),
        ("ends_with", Method::EndsWith),
        ("replace", Method::Replace),
        ("length", Method::Length),
        ("to_int", Method::ToInt),
        ("to_string", Method::ToString),
        ("remainder", Method::Remainder),
        ("to_instant", Method::ToInstant),
        ("to_map", Method::ToMap),
    ];
}

/// Functions of the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// `now()`: the instant at which this statement runs, journaled.
    Now,
    /// `run.id`
    RunId,
    /// `run.started`
    RunStarted,
    /// `run.due`: the instant that a schedule meant; none for a run that somebody started.
    RunDue,
    /// `run.last`: what the last finished run of the same schedule returned; none where there is none.
    RunLast,
    /// `targets("group")`
    Targets,
    /// `target("group")`: the only place of a group.
    OneTarget,
    /// `x.target`: where a record was read.
    TargetOf,
    /// `table(list, columns: [...])`: a part of a report; columns are pairs of header and lambda.
    Table,
}

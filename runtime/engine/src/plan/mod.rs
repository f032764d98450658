//! Planning: reads the world and says what a run would do. Holds no handle that could change anything.
//!
//! A plan is made by the same evaluator that will run it; a change is noted and answered with a hole.

mod bounds;
mod json;
mod marks;
mod order;
mod params;
mod rest;
mod steps;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use escher_eval::EvalError;
use escher_ir::audit::AuditEvent;
use escher_ir::journal::{CallFailure, Entry, Event};
use escher_ir::operation::{StoredRecord, StoredWaiter};
use escher_ir::plan::{ItemId, Plan, PlannedArgument, PlannedCall, PlannedItem, PlannedStep, Replaced};
use escher_ir::program::{Block, Node, NodeKind, Program, Step};
use escher_ir::{Digest, Target, Value, codec, named};
use escher_policy::Action;
use escher_provider::Read;
use jiff::{SignedDuration, Timestamp};

pub(crate) use bounds::{at, count_of, too_many};
pub use json::plan_json;
pub(crate) use json::{replaced_json, verify_file};
pub(crate) use order::Order;
pub(crate) use rest::{Rest, plan_rest};
use steps::{PlannedSteps, RawStep};
pub(crate) use steps::{outer, plan_bodies};
use walk::walk;

use crate::ambient;
use crate::approve;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::identity::RawId;
use crate::journal::{self, PartState, RunState};
use crate::options::PlanOptions;
use crate::parts::Parts;
use crate::store::{Append, Commit, Head};
use crate::world::{Ask, Bindings, Mode, Notes, Question, What, World, lock};

/// A plan with the run that it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Run id: a plan starts once.
    pub run: String,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its digest: what an approval signs.
    pub digest: Digest,
    /// The program.
    pub program: Arc<Program>,
    /// Who planned.
    pub principal: String,
    /// When its first reading began.
    pub began: Timestamp,
    /// When its question was asked, where it is the rest of a run that has begun.
    pub asked: Option<Timestamp>,
}

impl Planned {
    /// Until when an approval of it can be signed and used, where it is the rest of a run: then it is planned again.
    pub fn until(&self) -> Option<Timestamp> {
        let valid = self.plan.approval.as_ref().map_or(0, |approval| approval.valid_seconds);
        let valid = SignedDuration::from_secs(i64::try_from(valid).unwrap_or(i64::MAX));
        self.asked.map(|asked| asked.checked_add(valid).unwrap_or(Timestamp::MAX))
    }
}

/// What was read while planning, for the journal, and what `catch` replaced of it, for the plan.
#[derive(Default)]
pub(crate) struct Collected(Mutex<Vec<(String, Value, Timestamp)>>, Mutex<BTreeSet<Replaced>>);

impl Collected {
    /// What `catch` replaced.
    pub(crate) fn replaced(&self) -> Vec<Replaced> {
        lock(&self.1).iter().cloned().collect()
    }
}

impl Notes for Collected {
    fn fixed(&self, path: &str, value: &Value, began: Timestamp) {
        lock(&self.0).push((path.to_string(), value.clone(), began));
    }
    fn read_failed(&self, path: &str, error: &CallFailure, caught: bool) {
        if caught {
            lock(&self.1).insert(Replaced::of(path, error));
        }
    }
}

/// Where a source of a step's list stands in its reading.
pub(crate) fn sources(block: &Block) -> BTreeSet<&str> {
    let of_step = |node| match node {
        &Node { kind: NodeKind::Step(ref step), .. } => step.each.as_ref(),
        _ => None,
    };
    block.nodes.iter().filter_map(of_step).flat_map(|each| each.sources.iter().map(String::as_str)).collect()
}

pub(crate) async fn plan(
    engine: &Engine,
    program: Arc<Program>,
    parameters: BTreeMap<String, Value>,
    read: &dyn Read,
    options: &PlanOptions,
) -> Result<Planned, EngineError> {
    match make(engine, program, parameters, read, options).await {
        Err(EngineError::Refused(refused)) => Err(crate::audit::refused(engine, None, &options.principal, refused)),
        other => other,
    }
}

async fn make(
    engine: &Engine,
    program: Arc<Program>,
    parameters: BTreeMap<String, Value>,
    read: &dyn Read,
    options: &PlanOptions,
) -> Result<Planned, EngineError> {
    let began = engine.clock.now();
    let recheck_after_ms = u64::try_from(options.recheck_after.as_millis()).unwrap_or(u64::MAX);
    let parameters = params::complete(&program, parameters)?;
    let (program_digest, program_bytes) = codec::encode(&*program)?;
    let mut objects = vec![(program_digest, program_bytes)];
    let records = records(engine, &program, &mut objects)?;
    let waiters = waiters(engine, &program, &mut objects)?;
    let parts = Parts::of(&program)?;
    let (steps, notes) = (PlannedSteps::default(), Collected::default());
    let world = World {
        program: &program,
        read,
        operations: &*engine.operations,
        clock: &*engine.clock,
        steps: &steps,
        notes: &notes,
        ambient: Arc::new(options.ambient.clone()),
        others: Vec::new(),
        groups: &options.groups,
        limits: &engine.limits,
        run: None,
        planned_at: began,
        memo: Mutex::default(),
        began: Mutex::default(),
        resolved: Mutex::default(),
        records: Mutex::new(records.0),
        backoff: std::time::Duration::from_millis(250),
        secrets: &*engine.secrets,
        revealed: Mutex::default(),
    };
    let due = options.due.map(|due| ("run.due", Value::Instant(due)));
    let fits = |last: &Value| escher_ir::admit::admits(last, &program.playbook.returns);
    let last = options.last.clone().filter(fits).map(|last| ("run.last", last));
    for (path, value) in due.into_iter().chain(last) {
        world.keep(path, value, began);
    }
    let mut places = Vec::new();
    for target in ambient::needed(&program, &options.ambient) {
        let place = world.resolve(&Arc::new(target)).await;
        let failed = |error| EngineError::Call { operation: "finding out account and region".into(), error };
        places.push(place.map_err(failed)?);
    }
    let mut places = places.into_iter();
    let ambient = places.next().unwrap_or_else(|| world.ambient.clone());
    let world = World { ambient, others: places.collect(), ..world };
    let mut parameters = parameters;
    for value in parameters.values_mut() {
        let failed = |error| EngineError::Call { operation: "finding out where a secret is".into(), error };
        *value = world.pinned(std::mem::replace(value, Value::None)).await.map_err(failed)?;
    }
    let walked = walk(&world, &parts, &steps, &parameters, None).await?;
    let (targets, planned_steps) = finish(&program, walked.steps, &world.ambient, &[]);
    let plan = Plan {
        program: program_digest,
        playbook: program.playbook.name.clone(),
        risk: program.playbook.risk,
        approval: program.playbook.approval.clone(),
        parameters,
        targets,
        operations: records.1,
        waiters,
        steps: planned_steps,
        policy: options.gate.policy.version().to_string(),
        asks: walked.asks,
        part: None,
        recheck_after_ms: Some(recheck_after_ms),
        replaced: notes.replaced(),
        under: options.under.clone(),
    };
    let (digest, bytes) = codec::encode(&plan)?;
    objects.push((digest, bytes));
    let principal = options.principal.clone();
    let mut planned = Planned {
        run: String::new(),
        plan: Arc::new(plan),
        digest,
        program: program.clone(),
        principal,
        began,
        asked: None,
    };
    let gate = &options.gate;
    let verdict = approve::verdict(engine, gate, &planned, &options.principal, &[], Action::Plan, engine.clock.now())?;
    if !verdict.allowed {
        return Err(approve::denial(verdict).into());
    }
    let (ambient, bytes) = journal::object(&ambient::kept(&world.ambient, &world.others))?;
    objects.push((ambient, bytes));
    let mut events = vec![Event::Planned {
        plan: digest,
        program: program_digest,
        principal: options.principal.clone(),
        began,
        recheck_after_ms,
        ambient,
    }];
    for (path, value, began) in lock(&notes.0).drain(..) {
        let (value, bytes) = journal::object(&value)?;
        objects.push((value, bytes));
        events.push(Event::Fixed { path, value, began });
    }
    drop((world, parts));
    planned.run = mint(engine, events, objects, &planned.plan, digest, &options.principal)?;
    Ok(planned)
}

/// Writes the first segment of a new run.
pub(crate) fn mint(
    engine: &Engine,
    events: Vec<Event>,
    objects: Vec<(Digest, Vec<u8>)>,
    plan: &Plan,
    digest: Digest,
    principal: &str,
) -> Result<String, EngineError> {
    let now = engine.clock.now();
    let run = run_id(now)?;
    let entries = events.into_iter().map(|event| Entry { at: now, event }).collect();
    let bytes = journal::segment(0, entries)?;
    let append = Append { stream: journal::stream(&run), expected: Head::EMPTY, bytes };
    let commit = Commit { objects, appends: vec![append], lease: None };
    let event = AuditEvent::Planned {
        run: run.clone(),
        playbook: plan.playbook.clone(),
        plan: digest,
        principal: principal.to_string(),
    };
    crate::audit::commit(&*engine.store, &mut crate::audit::End::default(), commit, vec![(now, event)])?;
    Ok(run)
}

/// `r-20261121-` and ten digits that nobody can guess.
pub(crate) fn run_id(now: Timestamp) -> Result<String, EngineError> {
    let random = crate::platform::random::<7>().map_err(|e| EngineError::Usage(format!("no random bits: {e}")))?;
    let digits: String = crate::store::base32(&random).chars().take(10).collect();
    Ok(format!("r-{}-{digits}", now.strftime("%Y%m%d")))
}

type Records = (HashMap<String, Arc<escher_catalog::Record>>, BTreeMap<String, Digest>);

/// The records that the program was compiled against; one that is another now is named.
fn records(engine: &Engine, program: &Program, objects: &mut Vec<(Digest, Vec<u8>)>) -> Result<Records, EngineError> {
    let (mut records, mut digests) = (HashMap::new(), BTreeMap::new());
    for (name, used) in &program.operations {
        let record = engine.operations.record(name).ok_or_else(|| {
            Refused::new(
                format!("this catalogue has no operation `{name}`"),
                "use the Escher that compiled the playbook",
            )
        })?;
        let (digest, bytes) = codec::encode(&StoredRecord((*record).clone()))?;
        if digest != used.record {
            let words =
                format!("the catalogue's record of `{name}` is not the one that the playbook was compiled with");
            return Err(Refused::new(words, "compile the playbook again").into());
        }
        objects.push((digest, bytes));
        records.insert(name.clone(), record);
        digests.insert(name.clone(), digest);
    }
    Ok((records, digests))
}

/// The waiters that the program was compiled against, kept like the records.
fn waiters(
    engine: &Engine,
    program: &Program,
    objects: &mut Vec<(Digest, Vec<u8>)>,
) -> Result<BTreeMap<String, Digest>, EngineError> {
    let mut digests = BTreeMap::new();
    for (name, used) in &program.waiters {
        let mut parts = name.splitn(3, '.');
        let mut part = || parts.next().unwrap_or_default();
        let waiter = engine.operations.waiter(part(), part(), part()).ok_or_else(|| {
            let help = "use the Escher that compiled the playbook";
            Refused::new(format!("this catalogue has no waiter `{name}`"), help)
        })?;
        let (digest, bytes) = codec::encode(&StoredWaiter((*waiter).clone()))?;
        if digest != *used {
            let words = format!("the catalogue's waiter `{name}` is not the one that the playbook was compiled with");
            return Err(Refused::new(words, "compile the playbook again").into());
        }
        objects.push((digest, bytes));
        digests.insert(name.clone(), digest);
    }
    Ok(digests)
}

/// Judges the parts of `max` for items that only the run could give.
pub(crate) async fn check_bounds(
    world: &World<'_>,
    step: &Step,
    items: &[Value],
    bindings: &Bindings,
) -> Result<u64, EngineError> {
    bounds::check(world, step, items, bindings, Mode::Look).await
}

/// A question of a node of the playbook's own block.
pub(crate) fn look<'q>(
    world: &World<'_>,
    scope: &str,
    what: What<'q>,
    bindings: &'q Bindings,
    skip_absent: bool,
) -> Question<'q> {
    Question { scope: scope.to_string(), what, bindings, target: world.ambient.clone(), mode: Mode::Look, skip_absent }
}

/// The refusal of a `require` whose condition has this value; none where it holds.
pub(crate) async fn required(
    world: &World<'_>,
    node: &str,
    condition: &Value,
    otherwise: Option<&escher_ir::program::Expr>,
    bindings: &Bindings,
) -> Result<Option<Refused>, EngineError> {
    match condition {
        Value::Bool(true) | Value::Hole(_) => return Ok(None),
        Value::Bool(false) => {}
        other => {
            let message = format!("`require` needs a truth value, not a {}", other.kind());
            return Err(EngineError::Evaluation { at: node.to_string(), message });
        }
    }
    let words = match otherwise {
        Some(words) => {
            let question = look(world, node, What::Expr(words), bindings, false);
            world.answer(&question).await.map_err(|e| outside(node, e))?.value.map(|v| escher_ir::json::to_text(&v))
        }
        None => None,
    };
    let words = words.unwrap_or_else(|| format!("`{node}` does not hold"));
    Ok(Some(Refused::new(words, "the playbook requires this before it changes anything")))
}

/// An error outside a step: a failed call keeps its type.
pub(crate) fn outside(node: &str, error: EvalError) -> EngineError {
    at(node, error)
}

/// Gives targets their numbers, and marks arguments.
///
/// Those that are `known` keep theirs.
fn finish(
    program: &Program,
    raw: Vec<RawStep<'_>>,
    ambient: &Target,
    known: &[Target],
) -> (Vec<Target>, Vec<PlannedStep>) {
    let mut targets: BTreeSet<Target> = BTreeSet::new();
    for step in &raw {
        // Where no call needs an ambient place, none was asked for.
        if step.up_to.is_some() && !ambient.account.is_empty() {
            // Items that are not known yet may turn up where calls run without a place of their own.
            targets.insert(ambient.clone());
        }
        let items = step.items.iter().map(|(id, _)| id).chain(&step.skipped);
        targets.extend(items.map(|id| (*id.target).clone()));
        targets.extend(step.items.iter().flat_map(|(_, calls)| calls).map(|call| (*call.target).clone()));
    }
    let added: Vec<Target> = targets.into_iter().filter(|target| !known.contains(target)).collect();
    let targets: Vec<Target> = known.iter().cloned().chain(added).collect();
    let planned = raw
        .into_iter()
        .map(|raw| {
            let names = marks::item_names(raw.step.each.as_ref().map(|e| e.variable.as_str()), &raw.step.body);
            let mut items: Vec<PlannedItem> = raw
                .items
                .into_iter()
                .map(|(id, calls)| PlannedItem {
                    item: number(&id, &targets),
                    calls: calls.into_iter().map(|call| planned_call(program, call, &names, &targets)).collect(),
                })
                .collect();
            // A place that a later part adds has a number behind those that it would stand before.
            items.sort_by(|a, b| a.item.cmp(&b.item));
            PlannedStep {
                name: raw.step.name.clone(),
                title: raw.title,
                max: raw.max,
                up_to: raw.up_to,
                items,
                skipped_absent: raw.skipped.iter().map(|id| number(id, &targets)).collect(),
                rollback: raw.step.rollback(),
                below: raw.below,
            }
        })
        .collect();
    (targets, planned)
}

/// An identity with its target's number; the number of a target that no plan has is out of range.
pub(crate) fn number(id: &RawId, targets: &[Target]) -> ItemId {
    let target = number_of(&id.target, targets);
    ItemId { target, kind: id.kind.clone(), id: id.id.clone() }
}

/// A target's number: those of a plan are sorted, those that later parts have added follow.
pub(crate) fn number_of(target: &Target, targets: &[Target]) -> u32 {
    let found = targets.binary_search(target).ok().or_else(|| targets.iter().position(|known| known == target));
    found.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}

pub(crate) fn planned_call(program: &Program, ask: Ask, names: &BTreeSet<String>, targets: &[Target]) -> PlannedCall {
    let used = program.operations.get(&ask.call.operation);
    let arguments = ask
        .arguments
        .into_iter()
        .map(|(name, value)| {
            let from_item = ask.call.arguments.get(&*name).is_some_and(|e| marks::mentions(e, names));
            let argument = match (value.has_hole(), from_item) {
                (true, _) => PlannedArgument::Hole(value),
                (false, true) => PlannedArgument::Item(value),
                (false, false) => PlannedArgument::Constant(value),
            };
            (name, argument)
        })
        .collect();
    let target = number_of(&ask.target, targets);
    PlannedCall {
        site: named::text(site_of(&ask.path)),
        operation: named::text(&ask.call.operation),
        target,
        arguments,
        // An operation that the program does not list counts as the worst.
        effects: used.map(|u| u.effects.clone()).unwrap_or_default(),
        risk: used.map_or(escher_catalog::Risk::Critical, |u| u.risk),
        repeat: used.map_or(escher_catalog::Repeat::Unsafe, |u| u.repeat.clone()),
    }
}

/// The stable place of a call in its item: what follows the item's scope. `retire/delete_volume` in an action.
pub(crate) fn site_of(path: &str) -> &str {
    let site = path.split_once("]/").map_or(path, |(_, site)| site);
    site.strip_prefix("undo/").unwrap_or(site)
}

/// A plan that was made before.
pub(crate) fn load(engine: &Engine, run: &str) -> Result<Planned, EngineError> {
    first(engine, &state_of(engine, run)?)
}

/// The rest of a run, where that waits for its approval.
pub(crate) fn waiting(engine: &Engine, state: &RunState) -> Result<Option<Planned>, EngineError> {
    state.waiting().map(|part| part_of(engine, state, part)).transpose()
}

/// The plan of a later part.
pub(crate) fn part_of(engine: &Engine, state: &RunState, part: &PartState) -> Result<Planned, EngineError> {
    let (_, plan): (_, Plan) = journal::load(&*engine.store, &part.plan)?;
    Ok(Planned {
        plan: Arc::new(plan),
        digest: part.plan,
        began: part.began,
        asked: Some(part.asked),
        ..first(engine, state)?
    })
}

/// The journal of a run.
pub(crate) fn state_of(engine: &Engine, run: &str) -> Result<RunState, EngineError> {
    let shown: String = run.chars().filter(|c| !c.is_control()).take(64).collect();
    RunState::load(&*engine.store, run)?.ok_or_else(|| EngineError::Usage(format!("there is no run `{shown}`")))
}

/// A run with its plan; where what the store holds was changed, that is refused and audited.
pub(crate) fn known(engine: &Engine, run: &str, principal: &str) -> Result<(RunState, Planned), EngineError> {
    let read = || {
        let state = state_of(engine, run)?;
        let planned = from_state(engine, &state)?;
        Ok((state, planned))
    };
    read().map_err(|error| crate::audit::tampered(engine, Some(run), principal, error))
}

/// What a run follows: the plan that it began with, with the steps of the parts that went on in the place of its own.
pub(crate) fn from_state(engine: &Engine, state: &RunState) -> Result<Planned, EngineError> {
    let mut planned = first(engine, state)?;
    let plan = Arc::make_mut(&mut planned.plan);
    for part in state.begun() {
        let (_, part): (_, Plan) = journal::load(&*engine.store, &part.plan)?;
        plan.targets = part.targets;
        for step in part.steps {
            if let Some(known) = plan.steps.iter_mut().find(|known| known.name == step.name) {
                *known = step;
            }
        }
    }
    Ok(planned)
}

/// The plan that a run began with.
pub(crate) fn first(engine: &Engine, state: &RunState) -> Result<Planned, EngineError> {
    let (_, plan): (_, Plan) = journal::load(&*engine.store, &state.plan)?;
    let (_, program): (_, Program) = journal::load(&*engine.store, &state.program)?;
    Ok(Planned {
        run: state.run.clone(),
        plan: Arc::new(plan),
        digest: state.plan,
        program: Arc::new(program),
        principal: state.principal.clone(),
        began: state.began,
        asked: None,
    })
}

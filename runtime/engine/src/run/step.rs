//! A step: its queue of items, what is asked again before they are changed, and how it ends.
//!
//! Workers pull from one queue, so a reading that is taken again is taken once for all that wait.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use escher_ir::journal::{Event, Outcome};
use escher_ir::plan::{ItemId, PlannedStep};
use escher_ir::program::{Block, NodeKind, Step};
use escher_ir::{Digest, Target, Value};
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::nodes::After;
use super::pressure::Pressure;
use super::{Live, Runner, age, duration, retries};
use crate::error::EngineError;
use crate::identity::{batch_scope, item_scope, target_of};
use crate::plan::{check_bounds, count_of, look, outer, required, too_many};
use crate::progress::ProgressEvent;
use crate::transitions::{ITEM, Item, ItemOn, STEP, StepOn};
use crate::world::{Bindings, What, World};

/// An item, or a batch of them, with everything that its body needs.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// What its call paths begin with.
    pub(crate) scope: String,
    /// Its items, with their values as they were checked.
    pub(crate) items: Vec<(ItemId, Value)>,
    /// Whether the journal knows an intent of it.
    pub(crate) resumed: bool,
    /// Names of the body, where this takes it back.
    pub(crate) lets: Bindings,
}

/// A step that goes on.
pub(crate) struct StepRun<'s> {
    pub(crate) runner: &'s Runner<'s>,
    pub(crate) step: &'s Step,
    pub(crate) planned: &'s PlannedStep,
    /// The body, or the `undo`.
    pub(crate) body: &'s Block,
    pub(crate) taking_back: bool,
    /// The name under which outcomes are written: the step's, or its `undo`'s where it is temporary.
    pub(crate) ledger: String,
    pub(crate) names: &'s Bindings,
    pub(crate) retry: u32,
    pub(crate) timeout: Duration,
    /// Items that may fail.
    pub(crate) tolerate: u64,
    pub(crate) queue: tokio::sync::Mutex<Queue>,
    pub(crate) failed: AtomicU64,
    /// How much of what it sends is refused as too much.
    pub(crate) pressure: Pressure,
    /// An item was left as it is, because somebody asked for the end while it waited.
    pub(crate) left_open: AtomicBool,
}

/// What waits, and the list that it came from.
#[derive(Default)]
pub(crate) struct Queue {
    /// Units that the journal knows, and those that take back: they are not asked again.
    pub(crate) units: VecDeque<Unit>,
    waiting: VecDeque<ItemId>,
    listed: HashMap<ItemId, Value>,
    /// When the reading behind the list began; none where nothing is read.
    began: Option<Timestamp>,
    batch: usize,
    shared: HashSet<Arc<str>>,
    broken: Option<String>,
}

/// A list, read.
pub(crate) struct Listing {
    pub(crate) values: HashMap<ItemId, Value>,
    began: Option<Timestamp>,
}

impl Runner<'_> {
    /// Runs a step to its end, from wherever the journal says it stands.
    pub(crate) async fn step(&self, step: &Step, names: &Bindings) -> Result<After, EngineError> {
        let Some(planned) = self.planned.plan.steps.iter().find(|p| p.name == step.name) else {
            return Ok(After::Failed(format!("step `{}` is not in the plan", step.name)));
        };
        let clause = async |expr, part: &str| -> Result<Option<Value>, EngineError> {
            Ok(outer(&self.world, step, What::Expr(expr), names, part, false).await?.value)
        };
        let mut queue = Queue::default();
        let listing = list(&self.world, self.live, step, names, "", true).await?;
        let listing = match listing {
            Ok(listing) => listing,
            Err(reason) => return Ok(After::Failed(reason)),
        };
        let mut items: Vec<ItemId> = planned.items.iter().map(|i| i.item.clone()).collect();
        if let Some(up_to) = planned.up_to {
            items = listing.values.keys().cloned().collect();
            items.sort();
            if items.len() as u64 > up_to {
                return Ok(After::Failed(too_many(&step.name, items.len() as u64, up_to).reason));
            }
            // The parts of `max` that say how many of what are known only now.
            let values: Vec<Value> = listing.values.values().cloned().collect();
            if let Err(EngineError::Refused(refused)) = check_bounds(&self.world, step, &values, names).await {
                return Ok(After::Failed(refused.reason));
            }
        }
        let total = items.len() as u64;
        let tolerate = match &step.tolerate {
            None => u64::MAX,
            Some(expr) => clause(expr, "tolerate").await?.and_then(|v| count_of(&v, total)).unwrap_or(0),
        };
        queue.batch = match step.each.as_ref().and_then(|e| e.by.as_ref()) {
            None => 0,
            Some(by) => match clause(by, "by").await? {
                Some(Value::Int(n)) if n > 0 => usize::try_from(n).unwrap_or(1),
                _ => 1,
            },
        };
        let groups = match queue.batch {
            0 => total,
            size => total.div_ceil(size as u64),
        };
        let at_once = clause(&step.at_once, "at_once").await?.and_then(|v| count_of(&v, groups)).unwrap_or(1);
        queue.shared = shared_ids(&items);
        queue.units = self.taken_up(step)?;
        let begun: HashSet<&ItemId> = queue.units.iter().flat_map(|u| u.items.iter().map(|(id, _)| id)).collect();
        queue.waiting = items
            .iter()
            .filter(|item| !begun.contains(item) && self.live.outcome(&step.name, item).is_none())
            .cloned()
            .collect();
        (queue.listed, queue.began) = (listing.values, listing.began);
        let bad = [Outcome::Failed, Outcome::Denied, Outcome::Unknown];
        let run = StepRun {
            runner: self,
            step,
            planned,
            body: &step.body,
            taking_back: false,
            ledger: step.name.clone(),
            names,
            retry: retries(clause(&step.retry, "retry").await?.as_ref()),
            timeout: duration(clause(&step.timeout, "timeout").await?.as_ref()).unwrap_or(Duration::from_secs(3_600)),
            tolerate,
            queue: tokio::sync::Mutex::new(queue),
            failed: AtomicU64::new(self.live.count(&step.name, &bad)),
            pressure: Pressure::default(),
            left_open: AtomicBool::new(false),
        };
        let title = planned.title.as_deref();
        // A step that has ended is gone through again when the run is taken up: nothing of it is news.
        if !self.state.steps_ended.contains_key(&step.name) {
            self.options.progress.event(ProgressEvent::StepStarted { step: &step.name, title, items: total });
        }
        let workers = at_once.clamp(1, groups.max(1)).min(1_000);
        try_join_all((0..workers).map(|_| run.work())).await?;
        run.end(names).await
    }

    /// Units whose calls the journal knows and that have not ended: they go on where they stood.
    fn taken_up(&self, step: &Step) -> Result<VecDeque<Unit>, EngineError> {
        // An item may stand in several: the last one counts.
        let mut last: BTreeMap<&ItemId, (u64, &str)> = BTreeMap::new();
        let mut members: HashMap<&str, &Vec<ItemId>> = HashMap::new();
        for (path, intent) in self.state.intents.iter().filter(|(_, intent)| intent.step == step.name) {
            let Some(scope) = super::unit_of(path) else { continue };
            members.insert(scope, &intent.items);
            for item in &intent.items {
                let entry = last.entry(item).or_insert((intent.order, scope));
                if intent.order >= entry.0 {
                    *entry = (intent.order, scope);
                }
            }
        }
        let open: HashSet<&str> = last
            .iter()
            .filter(|(item, _)| self.live.outcome(&step.name, item).is_none())
            .map(|(_, (_, scope))| *scope)
            .collect();
        let mut units: Vec<(u64, Unit)> = Vec::new();
        for scope in open {
            let mut items = Vec::new();
            let all = members.get(scope).copied();
            let ours = all.into_iter().flatten().filter(|item| last.get(item).is_some_and(|(_, at)| *at == scope));
            if self.shares_its_end(step, ours.clone())? {
                continue;
            }
            for item in ours {
                let value = self.live.value(&step.name, item).unwrap_or(Value::None);
                items.push((item.clone(), value));
            }
            let order = items.iter().filter_map(|(i, _)| last.get(i)).map(|(o, _)| *o).min().unwrap_or(0);
            let whole = all.is_some_and(|all| all.len() == items.len());
            let scope = match whole {
                true => scope.to_string(),
                // It was refused and split, and the other part has gone on: these are a batch of their own.
                false => {
                    let ids: Vec<ItemId> = items.iter().map(|(id, _)| id.clone()).collect();
                    batch_scope(&step.name, &ids)
                }
            };
            units.push((order, Unit { scope, items, resumed: whole, lets: Bindings::new() }));
        }
        units.sort_by_key(|(order, _)| *order);
        Ok(units.into_iter().map(|(_, unit)| unit).collect())
    }

    /// A batch of which some have ended, because its process died while it wrote that down: the others ended like them.
    fn shares_its_end<'i>(
        &self,
        step: &Step,
        items: impl Iterator<Item = &'i ItemId> + Clone,
    ) -> Result<bool, EngineError> {
        let ended = |item: &ItemId| self.state.ended.get(&(step.name.clone(), item.clone()));
        let Some(like) = items.clone().find_map(ended) else { return Ok(false) };
        let value = match like.value {
            Some(digest) => Some((self.state.value(&*self.engine.store, &digest)?, digest)),
            None => None,
        };
        for item in items.filter(|item| ended(item).is_none()) {
            let value = value.as_ref().map(|(value, digest)| (value, *digest));
            self.ended(&step.name, item, like.outcome, like.reason.clone(), value, like.request_id.clone());
        }
        Ok(true)
    }

    /// Writes down how an item ended; `value` is an object that was handed over before.
    pub(crate) fn ended(
        &self,
        step: &str,
        item: &ItemId,
        outcome: Outcome,
        reason: Option<String>,
        value: Option<(&Value, Digest)>,
        request_id: Option<String>,
    ) {
        let known = if self.live.outcome(step, item).is_some() { Item::Ended } else { Item::Open };
        if let Err(error) = ITEM.next(known, ItemOn::End) {
            // Not written, and the run ends with it.
            self.halted.store(true, Ordering::SeqCst);
            crate::world::lock(&self.impossible).get_or_insert(error);
            return;
        }
        let digest = value.map(|(_, digest)| digest);
        let event = Event::Ended {
            step: step.to_string(),
            item: item.clone(),
            outcome,
            reason: reason.clone(),
            value: digest,
            request_id: request_id.clone(),
        };
        self.journal.push(event, Vec::new());
        self.options.progress.event(ProgressEvent::ItemEnded { step, item, outcome, reason: reason.as_deref() });
        self.live.end(step, item, outcome, reason, request_id, value.map(|(value, _)| value.clone()));
    }
}

/// The items of a step's list now; `again` is the generation's prefix. With `judge`, `Err` has the words of a `require`
/// that no longer holds.
pub(crate) async fn list(
    world: &World<'_>,
    live: &Live,
    step: &Step,
    names: &Bindings,
    again: &str,
    judge: bool,
) -> Result<Result<Listing, String>, EngineError> {
    let Some(each) = &step.each else {
        let item = live.id(&step.name, &Value::None).unwrap_or_else(|| super::live::once(0));
        return Ok(Ok(Listing { values: HashMap::from([(item, Value::None)]), began: None }));
    };
    let mut fresh = names.clone();
    let mut scopes = vec![format!("{again}{}", step.name) + ".list"];
    for id in &each.sources {
        let node = world.program.playbook.body.nodes.iter().find(|n| n.id == *id);
        let Some(node) = node else { continue };
        let scope = format!("{again}{id}");
        scopes.push(scope.clone());
        let expr = match &node.kind {
            NodeKind::Let { value, .. } | NodeKind::Do { value } => value,
            // Who only wants to know what is in the list does not ask whether it may be changed.
            NodeKind::Require { condition, .. } if judge => condition,
            _ => continue,
        };
        if again.is_empty() {
            continue;
        }
        let question = look(world, &scope, What::Expr(expr), &fresh, true);
        let round = world.answer(&question).await.map_err(|e| crate::plan::outside(id, e))?;
        let value = round.value.unwrap_or(Value::None);
        match &node.kind {
            NodeKind::Require { otherwise, .. } => {
                if let Some(refused) = required(world, &scope, &value, otherwise.as_ref(), &fresh).await? {
                    return Ok(Err(refused.reason));
                }
            }
            NodeKind::Let { name, .. } => {
                fresh.insert(name.clone(), value);
            }
            _ => {}
        }
    }
    let scope = format!("{again}{}.list", step.name);
    let question = look(world, &scope, What::Expr(&each.list), &fresh, true);
    let round = world.answer(&question).await.map_err(|e| crate::plan::outside(&step.name, e))?;
    let Some(Value::List(list)) = round.value else {
        return Ok(Err(format!("the list of step `{}` is no list", step.name)));
    };
    let mut values = HashMap::with_capacity(list.len());
    for value in list.iter() {
        // An item without an identity can't be one of the plan's.
        if let Ok(id) = live.identify(&each.identity, value) {
            values.insert(id, value.clone());
        }
    }
    let began = crate::world::lock(&world.began);
    let began = scopes.iter().filter_map(|scope| began.get(scope)).min().copied();
    Ok(Ok(Listing { values, began }))
}

/// Ids that more than one item has, in different targets.
fn shared_ids(items: &[ItemId]) -> HashSet<Arc<str>> {
    let mut seen = HashSet::new();
    items.iter().filter(|item| !seen.insert(&item.id)).map(|item| item.id.clone()).collect()
}

impl Queue {
    /// A queue of units that are not asked again.
    pub(crate) fn of(units: VecDeque<Unit>) -> Queue {
        Queue { units, ..Queue::default() }
    }
}

impl StepRun<'_> {
    /// Whether nothing new may begin.
    pub(crate) fn stops(&self) -> bool {
        // What is temporary is taken back even after a cancel.
        let cancelled = self.runner.options.cancel.is_cancelled() && !self.is_temporary();
        let halted = self.runner.halted.load(Ordering::SeqCst) && !self.is_temporary();
        cancelled || halted || self.failed.load(Ordering::SeqCst) > self.tolerate
    }

    /// Whether this takes a temporary step back at the end of its own run.
    pub(crate) fn is_temporary(&self) -> bool {
        self.taking_back && self.ledger != self.step.name
    }

    pub(crate) async fn work(&self) -> Result<(), EngineError> {
        loop {
            let unit = {
                let mut queue = self.queue.lock().await;
                // What the journal knows an intent of is in flight: it is finished, however many have failed.
                let in_flight = queue.units.front().is_some_and(|unit| unit.resumed);
                if self.stops() && (self.runner.options.cancel.is_cancelled() || !in_flight) {
                    return Ok(());
                }
                self.next(&mut queue).await?
            };
            match unit {
                Some(unit) => self.unit(unit).await?,
                None => return Ok(()),
            }
        }
    }

    /// The next unit; reads the list again where what is known of it is too old.
    async fn next(&self, queue: &mut Queue) -> Result<Option<Unit>, EngineError> {
        if let Some(unit) = queue.units.pop_front() {
            return Ok(Some(unit));
        }
        let Some(first) = queue.waiting.front() else { return Ok(None) };
        let target = first.target;
        if queue.broken.is_some() {
            return Ok(None);
        }
        let now = self.runner.engine.clock.now();
        if queue.began.is_some_and(|began| age(began, now) > self.runner.recheck_after) {
            let generation = self.runner.generation.fetch_add(1, Ordering::SeqCst) + 1;
            match list(
                &self.runner.world,
                self.runner.live,
                self.step,
                self.names,
                &format!("again.{generation}/"),
                true,
            )
            .await?
            {
                Ok(listing) => (queue.listed, queue.began) = (listing.values, listing.began),
                Err(reason) => {
                    queue.broken = Some(reason);
                    return Ok(None);
                }
            }
        }
        let size = queue.batch.max(1);
        let mut items = Vec::new();
        let mut at = 0;
        while items.len() < size {
            let Some(item) = queue.waiting.get(at) else { break };
            if item.target != target {
                at += 1;
                continue;
            }
            let Some(item) = queue.waiting.remove(at) else { break };
            let name = &self.step.name;
            if let Some(step) = self.runner.live.out(name, &item) {
                let reason = format!("out: it did not get through step `{step}`");
                self.runner.ended(name, &item, Outcome::Skipped, Some(reason), None, None);
            } else if let Some(value) = queue.listed.get(&item) {
                self.runner.live.set_value(name, &item, value.clone());
                items.push((item, value.clone()));
            } else {
                let reason = match self.step.each.as_ref().and_then(|e| e.from_step.as_ref()) {
                    Some(step) => format!("step `{step}` did not finish it"),
                    None => "changed: it is no longer in the list".to_string(),
                };
                self.runner.ended(name, &item, Outcome::Skipped, Some(reason), None, None);
            }
            // A whole batch that is gone: look at the next items, of whichever target.
            if items.is_empty() && at >= queue.waiting.len() {
                break;
            }
        }
        if items.is_empty() {
            return match queue.waiting.is_empty() {
                true => Ok(None),
                false => Box::pin(self.next(queue)).await,
            };
        }
        let scope = self.scope(&items, queue);
        Ok(Some(Unit { scope, items, resumed: false, lets: Bindings::new() }))
    }

    fn scope(&self, items: &[(ItemId, Value)], queue: &Queue) -> String {
        match items {
            [(item, _)] if queue.batch == 0 => item_scope(&self.step.name, item, queue.shared.contains(&item.id)),
            _ => self.batch_scope(items),
        }
    }

    pub(crate) fn batch_scope(&self, items: &[(ItemId, Value)]) -> String {
        let ids: Vec<ItemId> = items.iter().map(|(id, _)| id.clone()).collect();
        batch_scope(&self.step.name, &ids)
    }

    /// Where the calls of a unit run that don't say so themselves.
    pub(crate) fn target(&self, unit: &Unit) -> Arc<Target> {
        let ambient = &self.runner.world.ambient;
        unit.items.first().map_or_else(|| ambient.clone(), |(_, value)| target_of(value, ambient))
    }

    /// The names of a unit's body.
    pub(crate) fn bindings(&self, unit: &Unit) -> Bindings {
        let mut names = self.names.clone();
        if let Some(each) = &self.step.each {
            let value = match (&each.by, unit.items.as_slice()) {
                (None, [(_, value)]) => value.clone(),
                (_, items) => Value::list(items.iter().map(|(_, v)| v.clone()).collect()),
            };
            names.insert(each.variable.clone(), value);
        }
        names.extend(unit.lets.iter().map(|(k, v)| (k.clone(), v.clone())));
        names
    }

    /// What is left gets its outcome; the list is read once more where the step can be taken back.
    async fn end(self, names: &Bindings) -> Result<After, EngineError> {
        let runner = self.runner;
        let name = &self.step.name;
        let queue = self.queue.into_inner();
        let left: Vec<ItemId> = queue
            .waiting
            .into_iter()
            .chain(queue.units.into_iter().flat_map(|u| u.items.into_iter().map(|i| i.0)))
            .collect();
        let failed = self.failed.load(Ordering::SeqCst);
        let exceeded = failed > self.tolerate;
        if self.left_open.load(Ordering::SeqCst) {
            // However many have failed: who takes the run up goes on with what is open, and then says so.
            runner.options.progress.event(ProgressEvent::Stopping);
            return Ok(After::Cancelled);
        }
        if !exceeded && queue.broken.is_none() && runner.options.cancel.is_cancelled() && !left.is_empty() {
            runner.options.progress.event(ProgressEvent::Stopping);
            return Ok(After::Cancelled);
        }
        if !exceeded && queue.broken.is_none() && !left.is_empty() && runner.halted.load(Ordering::SeqCst) {
            // The run has failed beside this: what is left is not reached.
            return Ok(After::GoOn);
        }
        for item in &left {
            let (outcome, reason) = match &queue.broken {
                Some(reason) => (Outcome::Skipped, format!("not begun: {reason}")),
                None => (Outcome::Skipped, "not begun: more items failed than the step tolerates".to_string()),
            };
            if runner.live.outcome(name, item).is_none() {
                runner.ended(name, item, outcome, Some(reason), None, None);
            }
        }
        if !runner.state.steps_ended.contains_key(name) {
            let mut still = None;
            if self.step.undo.is_some() && self.step.each.as_ref().is_some_and(|e| e.from_step.is_none()) {
                let generation = runner.generation.fetch_add(1, Ordering::SeqCst) + 1;
                // A reading that fails is no reason to fail what is done.
                if let Ok(Ok(listing)) =
                    list(&runner.world, runner.live, self.step, names, &format!("again.{generation}/"), false).await
                {
                    let items = self.planned.items.iter().map(|i| &i.item);
                    still = Some(items.filter(|i| listing.values.contains_key(i)).cloned().collect());
                }
            }
            STEP.next(runner.state.step(name), StepOn::End)?;
            runner.journal.push(Event::StepEnded { step: name.clone(), still_listed: still }, Vec::new());
        }
        runner.options.progress.event(ProgressEvent::StepEnded { step: name });
        if let Some(reason) = queue.broken {
            return Ok(After::Failed(reason));
        }
        if exceeded {
            let allowed = self.tolerate;
            return Ok(After::Failed(format!("step `{name}`: {failed} items failed, {allowed} were tolerated")));
        }
        Ok(After::GoOn)
    }
}

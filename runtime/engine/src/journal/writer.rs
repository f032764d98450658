//! The writer: one thread per run, which makes events that arrive together durable together.
//!
//! Every commit also renews the run's lease, and fails where somebody else has it: whoever lost it can journal no
//! intent, and so sends nothing more.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use escher_ir::codec::CodecError;
use escher_ir::journal::{CallFailure, Entry, Event, SegmentWriter};
use escher_ir::plan::Replaced;
use escher_ir::{Digest, Value};
use escher_provider::Permit;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::audit::{self, End};
use crate::clock::{Clock, later};
use crate::error::EngineError;
use crate::journal::queue::{Gathered, Queue};
use crate::journal::{Object, RunState};
use crate::limits;
use crate::store::{Append, Commit, Head, Lease, StateStore, StoreError};
use crate::transitions::{RUN, Run, of_run};
use crate::world::{Notes, lock};

pub(super) type Waiter = oneshot::Sender<Result<(), StoreError>>;

/// What is to be written.
pub(super) struct Message {
    pub(super) entry: Option<Entry>,
    pub(super) objects: Vec<Object>,
    pub(super) waiter: Option<Waiter>,
}

/// The journal of a run that goes on. Dropping it writes what is left and gives the lease back.
pub(crate) struct Journal {
    run: String,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    lost: Arc<AtomicBool>,
    /// When the lease ends, in milliseconds since the epoch.
    expires: Arc<AtomicI64>,
    /// Milliseconds of it that must be left.
    margin: i64,
    /// How the run stands.
    phase: Mutex<Run>,
    /// Answers that `catch` replaced, by path.
    replaced: Mutex<BTreeMap<String, Replaced>>,
}

/// What is written at once.
#[derive(Default)]
struct Batch {
    segment: SegmentWriter,
    /// What the audit log says of it.
    told: audit::Draft,
    objects: Vec<Object>,
    waiters: Vec<Waiter>,
    failed: Option<CodecError>,
}

struct Writer {
    run: String,
    store: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    lease: Lease,
    time: Duration,
    head: Head,
    first: u64,
    end: End,
    lost: Arc<AtomicBool>,
    expires: Arc<AtomicI64>,
    /// Objects that were written already.
    written: HashSet<Digest>,
}

impl Journal {
    /// Begins to write at the end of a run's stream.
    pub(crate) fn open(
        state: &RunState,
        store: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        lease: Lease,
        time: Duration,
    ) -> Result<Journal, EngineError> {
        let run = &state.run;
        let queue = Arc::new(Queue::default());
        let messages = queue.clone();
        let lost = Arc::new(AtomicBool::new(false));
        let expires = Arc::new(AtomicI64::new(lease.expires.as_millisecond()));
        let writer = Writer {
            run: run.clone(),
            store,
            clock: clock.clone(),
            lease,
            time,
            head: state.head,
            first: state.events,
            end: End::default(),
            lost: lost.clone(),
            expires: expires.clone(),
            written: HashSet::new(),
        };
        let thread = std::thread::Builder::new()
            .name("escher-journal".into())
            .spawn(move || writer.run(&messages))
            .map_err(|e| StoreError::Other { path: "journal".into(), reason: e.to_string() })?;
        Ok(Journal {
            run: run.clone(),
            queue,
            thread: Some(thread),
            clock,
            lost,
            expires,
            margin: i64::try_from(time.as_millis() / 4).unwrap_or(i64::MAX).min(1_000),
            phase: Mutex::new(state.phase),
            replaced: Mutex::new(state.replaced().into_iter().map(|r| (r.path.clone(), r)).collect()),
        })
    }

    fn send(&self, event: Option<Event>, objects: Vec<Object>, waiter: Option<Waiter>) {
        let entry = event.map(|event| Entry { at: self.clock.now(), event });
        self.queue.push(Message { entry, objects, waiter });
    }

    /// Writes an event down, soon. In order with all others. What happens to the run itself is committed instead.
    pub(crate) fn push(&self, event: Event, objects: Vec<Object>) {
        self.send(Some(event), objects, None);
    }

    /// Keeps an object, before the events that refer to it.
    pub(crate) fn keep(&self, object: Object) {
        self.send(None, vec![object], None);
    }

    /// Writes an event down, with all before it; durable on return, and the lease was held.
    pub(crate) async fn commit(&self, event: Event, objects: Vec<Object>) -> Result<(), EngineError> {
        if let Some(on) = of_run(&event) {
            let mut phase = lock(&self.phase);
            *phase = RUN.next(*phase, on)?;
        }
        self.wait(Some(event), objects).await
    }

    /// Answers that `catch` replaced so far, as the journal will tell of them.
    pub(crate) fn replaced(&self) -> Vec<Replaced> {
        lock(&self.replaced).values().cloned().collect()
    }

    /// Waits until all is durable.
    pub(crate) async fn flush(&self) -> Result<(), EngineError> {
        self.wait(None, Vec::new()).await
    }

    async fn wait(&self, event: Option<Event>, objects: Vec<Object>) -> Result<(), EngineError> {
        let (waiter, answer) = oneshot::channel();
        self.send(event, objects, Some(waiter));
        match answer.await {
            Ok(Ok(())) => Ok(()),
            _ if self.lost.load(Ordering::SeqCst) => Err(EngineError::LeaseLost(self.run.clone())),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StoreError::Other { path: "the journal".into(), reason: "it was closed".into() }.into()),
        }
    }

    /// The right to send as it stands when a call leaves: some of the lease must be left.
    pub(crate) fn permit(&self) -> Permit {
        let (lost, expires, clock) = (self.lost.clone(), self.expires.clone(), self.clock.clone());
        let margin = self.margin;
        Permit::new(move || surely_held(&lost, &expires, margin, &*clock))
    }

    /// Whether the lease surely holds right now, even if the machine slept since the intent was written.
    pub(crate) async fn may_send(&self) -> Result<(), EngineError> {
        if surely_held(&self.lost, &self.expires, self.margin, &*self.clock) {
            return Ok(());
        }
        self.flush().await
    }
}

fn surely_held(lost: &AtomicBool, expires: &AtomicI64, margin: i64, clock: &dyn Clock) -> bool {
    let left = expires.load(Ordering::SeqCst).saturating_sub(clock.now().as_millisecond());
    left > margin && !lost.load(Ordering::SeqCst)
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Notes for Journal {
    fn fixed(&self, path: &str, value: &Value, began: Timestamp) {
        if let Ok(object) = super::named(value) {
            lock(&self.replaced).remove(path);
            self.push(Event::Fixed { path: path.to_string(), value: object.digest, began }, vec![object]);
        }
    }

    fn read_failed(&self, path: &str, error: &CallFailure, caught: bool) {
        if caught {
            lock(&self.replaced).insert(path.to_string(), Replaced::of(path, error));
        }
        self.push(Event::ReadFailed { path: path.to_string(), error: error.clone(), caught }, Vec::new());
    }
}

impl Writer {
    fn run(mut self, queue: &Queue) {
        // Whoever waits for a thread that is no more must learn it.
        let _closed = queue.closed_at_the_end();
        let mut failed: Option<StoreError> = None;
        let renew = (self.time / 3).min(limits::RENEW);
        loop {
            let mut batch = Batch::default();
            let gathered = queue.gather(renew, |messages| self.add(&mut batch, messages));
            if matches!(gathered, Gathered::End) {
                break;
            }
            if failed.is_none() {
                let waiters = std::mem::take(&mut batch.waiters);
                failed = self.write(batch).err().map(of_store);
                answer(waiters, failed.as_ref());
            } else {
                answer(batch.waiters, failed.as_ref());
            }
        }
        let _ = self.store.release(&self.lease);
    }

    /// Makes the bytes of messages, while others come.
    fn add(&mut self, batch: &mut Batch, messages: Vec<Message>) {
        for Message { entry, objects, waiter } in messages {
            if let Some(entry) = entry {
                batch.told.tell(&self.run, &entry);
                batch.failed = batch.failed.take().or(batch.segment.push(&entry).err());
            }
            batch.objects.extend(objects.into_iter().filter(|object| self.written.insert(object.digest)));
            batch.waiters.extend(waiter);
        }
        // What is wrong with them is found when they are written.
        let _ = batch.told.ahead(&self.end);
    }

    fn write(&mut self, batch: Batch) -> Result<(), EngineError> {
        let Batch { mut segment, told, objects, failed, .. } = batch;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let until = later(self.clock.now(), self.time);
        let mut commit = Commit { lease: Some((self.lease.clone(), until)), ..Commit::default() };
        let count = segment.count();
        for object in objects {
            match count > 0 && object.bytes.len() <= limits::SMALL_OBJECT {
                true => segment.keep(object.digest, object.bytes),
                false => commit.objects.push((object.digest, object.enveloped())),
            }
        }
        if self.written.len() > limits::OBJECTS_REMEMBERED {
            self.written.clear();
        }
        if count > 0 {
            let bytes = segment.finish(self.first)?;
            commit.appends.push(Append { stream: super::stream(&self.run), expected: self.head, bytes });
        }
        let result = audit::commit_draft(&*self.store, &mut self.end, commit, told);
        match &result {
            Ok(heads) => {
                self.expires.store(until.as_millisecond(), Ordering::SeqCst);
                self.first += count;
                if let Some(head) = heads.first() {
                    self.head = *head;
                }
            }
            // Whoever else writes to this stream has taken the run over.
            Err(EngineError::Store(StoreError::LeaseLost { .. } | StoreError::Conflict { .. })) => {
                self.lost.store(true, Ordering::SeqCst);
            }
            Err(_) => {}
        }
        result.map(drop)
    }
}

fn answer(waiters: Vec<Waiter>, failed: Option<&StoreError>) {
    for waiter in waiters {
        let _ = waiter.send(failed.cloned().map_or(Ok(()), Err));
    }
}

/// What went wrong, as everybody who waits is told it: with what to do about it, where that is known.
fn of_store(error: EngineError) -> StoreError {
    match error {
        EngineError::Store(error) => error,
        other => StoreError::Other { path: "the journal".into(), reason: other.to_string() },
    }
}

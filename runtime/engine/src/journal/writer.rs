//! The writer: one thread per run, which makes events that arrive together durable together.
//!
//! Every commit also renews the run's lease, and fails where somebody else has it: whoever lost it can journal no
//! intent, and so sends nothing more.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use escher_ir::journal::{CallFailure, Entry, Event};
use escher_ir::{Digest, Value};
use escher_provider::Permit;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::audit::{self, End};
use crate::clock::{Clock, later};
use crate::error::EngineError;
use crate::limits;
use crate::store::{Append, Commit, Head, Lease, StateStore, StoreError};
use crate::world::{Notes, lock};

/// How long events that nobody waits for may lie, so that they are written with those that follow.
const LINGER: Duration = Duration::from_millis(10);

type Waiter = oneshot::Sender<Result<(), String>>;

struct Message {
    entry: Option<Entry>,
    objects: Vec<(Digest, Vec<u8>)>,
    waiter: Option<Waiter>,
}

/// The journal of a run that goes on. Dropping it writes what is left and gives the lease back.
pub(crate) struct Journal {
    run: String,
    sender: Mutex<Option<Sender<Message>>>,
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    lost: Arc<AtomicBool>,
    /// When the lease ends, in milliseconds since the epoch.
    expires: Arc<AtomicI64>,
    /// Milliseconds of it that must be left.
    margin: i64,
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
}

impl Journal {
    /// Begins to write at the end of a run's stream.
    pub(crate) fn open(
        run: &str,
        store: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        lease: Lease,
        time: Duration,
        head: Head,
        first: u64,
    ) -> Result<Journal, EngineError> {
        let (sender, receiver) = channel();
        let lost = Arc::new(AtomicBool::new(false));
        let expires = Arc::new(AtomicI64::new(lease.expires.as_millisecond()));
        let writer = Writer {
            run: run.to_string(),
            store,
            clock: clock.clone(),
            lease,
            time,
            head,
            first,
            end: End::default(),
            lost: lost.clone(),
            expires: expires.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("escher-journal".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|e| StoreError::Other { path: "journal".into(), reason: e.to_string() })?;
        Ok(Journal {
            run: run.to_string(),
            sender: Mutex::new(Some(sender)),
            thread: Some(thread),
            clock,
            lost,
            expires,
            margin: i64::try_from(time.as_millis() / 4).unwrap_or(i64::MAX).min(1_000),
        })
    }

    fn send(&self, event: Option<Event>, objects: Vec<(Digest, Vec<u8>)>, waiter: Option<Waiter>) {
        let entry = event.map(|event| Entry { at: self.clock.now(), event });
        if let Some(sender) = &*lock(&self.sender) {
            // Where the writer has ended, the waiter's other end is gone too, and that is an error there.
            let _ = sender.send(Message { entry, objects, waiter });
        }
    }

    /// Writes an event down, soon. In order with all others.
    pub(crate) fn push(&self, event: Event, objects: Vec<(Digest, Vec<u8>)>) {
        self.send(Some(event), objects, None);
    }

    /// Keeps an object, before the events that refer to it.
    pub(crate) fn keep_object(&self, digest: Digest, bytes: Vec<u8>) {
        self.send(None, vec![(digest, bytes)], None);
    }

    /// Writes an event down, with all before it; durable on return, and the lease was held.
    pub(crate) async fn commit(&self, event: Event, objects: Vec<(Digest, Vec<u8>)>) -> Result<(), EngineError> {
        self.wait(Some(event), objects).await
    }

    /// Waits until all is durable.
    pub(crate) async fn flush(&self) -> Result<(), EngineError> {
        self.wait(None, Vec::new()).await
    }

    async fn wait(&self, event: Option<Event>, objects: Vec<(Digest, Vec<u8>)>) -> Result<(), EngineError> {
        let (waiter, answer) = oneshot::channel();
        self.send(event, objects, Some(waiter));
        match answer.await {
            Ok(Ok(())) => Ok(()),
            _ if self.lost.load(Ordering::SeqCst) => Err(EngineError::LeaseLost(self.run.clone())),
            Ok(Err(reason)) => Err(StoreError::Other { path: "the journal".into(), reason }.into()),
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
        lock(&self.sender).take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Notes for Journal {
    fn fixed(&self, path: &str, value: &Value, began: Timestamp) {
        if let Ok((digest, bytes)) = super::object(value) {
            self.push(Event::Fixed { path: path.to_string(), value: digest, began }, vec![(digest, bytes)]);
        }
    }

    fn read_failed(&self, path: &str, error: &CallFailure, caught: bool) {
        self.push(Event::ReadFailed { path: path.to_string(), error: error.clone(), caught }, Vec::new());
    }
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Message>) {
        let mut failed: Option<String> = None;
        let renew = (self.time / 3).min(limits::RENEW);
        loop {
            let first = match receiver.recv_timeout(renew) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    if failed.is_none() {
                        failed = self.write(Vec::new(), Vec::new()).err().map(|e| e.to_string());
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut waiters = Vec::new();
            let (mut entries, mut objects) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(message) = next.take() {
                entries.extend(message.entry);
                objects.extend(message.objects);
                waiters.extend(message.waiter);
                if entries.len() >= limits::SEGMENT_EVENTS {
                    break;
                }
                // Whoever waits, waits for the disk alone; what nobody waits for may lie a moment.
                next = match receiver.try_recv() {
                    Ok(message) => Some(message),
                    Err(_) if waiters.is_empty() => receiver.recv_timeout(LINGER).ok(),
                    Err(_) => None,
                };
            }
            if failed.is_none() {
                failed = self.write(entries, objects).err().map(|e| e.to_string());
            }
            for waiter in waiters {
                let _ = waiter.send(failed.clone().map_or(Ok(()), Err));
            }
        }
        let _ = self.store.release(&self.lease);
    }

    fn write(&mut self, entries: Vec<Entry>, objects: Vec<(Digest, Vec<u8>)>) -> Result<(), EngineError> {
        let until = later(self.clock.now(), self.time);
        let mut commit = Commit { objects, appends: Vec::new(), lease: Some((self.lease.clone(), until)) };
        let count = entries.len() as u64;
        let events = audit::of_events(&self.run, &entries);
        if count > 0 {
            let bytes = super::segment(self.first, entries)?;
            commit.appends.push(Append { stream: super::stream(&self.run), expected: self.head, bytes });
        }
        let result = audit::commit(&*self.store, &mut self.end, commit, events);
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

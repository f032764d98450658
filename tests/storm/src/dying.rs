//! A store whose process dies at a journal event: before that commit reached the disk, or right after.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use escher_engine::{Commit, Head, Lease, StateStore, StoreError, StoredSegment};
use escher_ir::journal::Segment;
use escher_ir::{Digest, codec};
use jiff::Timestamp;
use tokio::sync::Notify;

/// The store of a process that will die.
pub struct Dying {
    inner: Box<dyn StateStore>,
    /// Journal events until then.
    left: AtomicU64,
    /// Whether the commit of the last event still reaches the disk, though nobody hears of it.
    lands: bool,
    dead: AtomicBool,
    /// Told at death.
    death: Notify,
    written: AtomicU64,
}

impl Dying {
    /// Dies at the journal event numbered `at`, counted from here.
    pub fn new(inner: impl StateStore + 'static, at: u64, lands: bool) -> Dying {
        let inner = Box::new(inner);
        let (dead, death, written) = (AtomicBool::new(false), Notify::new(), AtomicU64::new(0));
        Dying { inner, left: AtomicU64::new(at), lands, dead, death, written }
    }

    /// Whether it is dead.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Waits for its death.
    pub async fn death(&self) {
        while !self.is_dead() {
            let told = self.death.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.is_dead() {
                return;
            }
            told.await;
        }
    }

    /// Journal events that it wrote.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), StoreError> {
        match self.is_dead() {
            false => Ok(()),
            true => Err(StoreError::Other { path: "storm".into(), reason: "the process is dead".into() }),
        }
    }
}

/// Events of runs' journals in a commit.
fn events(commit: &Commit) -> u64 {
    let journals = commit.appends.iter().filter(|append| append.stream.starts_with("run/"));
    journals.filter_map(|a| codec::decode::<Segment>(&a.bytes).ok()).map(|(_, s)| s.events.len() as u64).sum()
}

impl StateStore for Dying {
    fn id(&self) -> &str {
        self.inner.id()
    }
    fn head(&self, stream: &str) -> Result<Head, StoreError> {
        self.alive()?;
        self.inner.head(stream)
    }
    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError> {
        self.alive()?;
        let count = events(commit);
        if count > 0 && self.left.load(Ordering::SeqCst) < count {
            if self.lands {
                let _ = self.inner.commit(commit);
            }
            self.dead.store(true, Ordering::SeqCst);
            self.death.notify_waiters();
            return self.alive().map(|()| Vec::new());
        }
        let heads = self.inner.commit(commit)?;
        self.left.fetch_sub(count, Ordering::SeqCst);
        self.written.fetch_add(count, Ordering::SeqCst);
        Ok(heads)
    }
    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError> {
        self.alive()?;
        self.inner.read(stream, from)
    }
    fn streams(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.alive()?;
        self.inner.streams(prefix)
    }
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.alive()?;
        self.inner.get(digest)
    }
    fn acquire(&self, name: &str, now: Timestamp, time: Duration) -> Result<Lease, StoreError> {
        self.alive()?;
        self.inner.acquire(name, now, time)
    }
    // The dead give nothing back.
    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        if self.is_dead() { Ok(()) } else { self.inner.release(lease) }
    }
    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.alive()?;
        self.inner.holder(name, now)
    }
}

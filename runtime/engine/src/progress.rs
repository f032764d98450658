//! What a run tells while it goes on, and how it is told to stop. Draws nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use escher_ir::journal::Outcome;
use escher_ir::plan::ItemId;
use tokio::sync::Notify;

/// Something that happened, for the live progress.
#[derive(Clone, Debug, PartialEq)]
pub enum ProgressEvent<'a> {
    /// The run began: number of items of all steps.
    Started {
        /// The run.
        run: &'a str,
        /// Items of all steps.
        items: u64,
    },
    /// A step began.
    StepStarted {
        /// Its name.
        step: &'a str,
        /// Its title.
        title: Option<&'a str>,
        /// Its items.
        items: u64,
    },
    /// An item began.
    ItemStarted {
        /// Its step.
        step: &'a str,
        /// Which.
        item: &'a ItemId,
    },
    /// An item ended.
    ItemEnded {
        /// Its step.
        step: &'a str,
        /// Which.
        item: &'a ItemId,
        /// How.
        outcome: Outcome,
        /// Why.
        reason: Option<&'a str>,
    },
    /// A step ended.
    StepEnded {
        /// Its name.
        step: &'a str,
    },
    /// A call failed and is tried again after a pause.
    Retrying {
        /// Full name of the operation.
        operation: &'a str,
        /// Kind of the error, such as `throttled`.
        kind: &'a str,
        /// The pause.
        after: Duration,
        /// Number of the attempt that follows.
        attempt: u32,
    },
    /// It waits for a condition.
    Waiting {
        /// Where: call path.
        at: &'a str,
    },
    /// Cancelled: what is in flight is finished.
    Stopping,
}

/// Who wants to know.
pub trait Progress: Send + Sync {
    /// Must return quickly.
    fn event(&self, event: ProgressEvent<'_>);
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&self, _: ProgressEvent<'_>) {}
}

/// Tells a run to stop: what is in flight ends, nothing new begins. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    inner: Arc<(AtomicBool, Notify)>,
}

impl Cancel {
    /// Not cancelled.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks for the end. Safe from a signal handler's task, any number of times.
    pub fn cancel(&self) {
        self.inner.0.store(true, Ordering::SeqCst);
        self.inner.1.notify_waiters();
    }

    /// Whether it was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.inner.0.load(Ordering::SeqCst)
    }

    /// Waits until it is asked for.
    pub async fn cancelled(&self) {
        loop {
            let notified = self.inner.1.notified();
            tokio::pin!(notified);
            // Registered before the flag is read, so that no call is missed in between.
            notified.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }
}

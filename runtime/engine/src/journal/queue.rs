//! What waits for the journal's thread. Calls that begin together wait together: the thread is woken once for all of
//! them, and meanwhile makes the bytes of those that are there.
//!
//! A sync is dearer than all the rest of a commit, and a thread that is woken for each message spends its time waking.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::writer::Message;
use crate::limits;
use crate::world::lock;

/// How long events that nobody waits for may lie, so that they are written with those that follow.
const LINGER: Duration = Duration::from_millis(10);
/// How long the next of those that wait together may be in coming, and how long all of them.
const NEXT: Duration = Duration::from_micros(100);
const WAVE: Duration = Duration::from_millis(1);

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    /// How many wait, with those whose messages were taken.
    waiting: usize,
    /// How many waited the last time.
    wave: usize,
    /// The thread has nothing to do: any message wakes it.
    idle: bool,
    /// It has nothing that anybody waits for: whoever waits wakes it.
    lingers: bool,
    closed: bool,
}

/// What the thread is to do.
pub(super) enum Gathered {
    /// Write what was gathered; where that is nothing, renew the lease.
    Write,
    /// Nothing will come any more.
    End,
}

impl Queue {
    /// Adds a message. After the end it is dropped, and with it whoever waits for it learns that.
    pub(super) fn push(&self, message: Message) {
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let waits = message.waiter.is_some();
        state.waiting += usize::from(waits);
        state.messages.push(message);
        let wake = state.idle || (waits && (state.lingers || state.waiting >= state.wave));
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Says that no more will come.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_one();
    }

    /// Closes the queue when it is dropped, and drops what is in it.
    pub(super) fn closed_at_the_end(&self) -> impl Drop + '_ {
        struct Closing<'q>(&'q Queue);
        impl Drop for Closing<'_> {
            fn drop(&mut self) {
                let mut state = lock(&self.0.state);
                state.closed = true;
                state.messages.clear();
            }
        }
        Closing(self)
    }

    /// Waits for messages, at most so long for the first, and hands over those that belong together as they come.
    pub(super) fn gather(&self, longest: Duration, mut add: impl FnMut(Vec<Message>)) -> Gathered {
        let mut state = lock(&self.state);
        if state.messages.is_empty() && !state.closed {
            state.idle = true;
            state = self.wait(state, longest);
            state.idle = false;
        }
        if state.messages.is_empty() {
            return if state.closed { Gathered::End } else { Gathered::Write };
        }
        let (began, mut count) = (Instant::now(), 0);
        loop {
            // No more than a segment holds: the rest comes with the next.
            let room = limits::SEGMENT_EVENTS.saturating_sub(count).min(state.messages.len());
            let rest = state.messages.split_off(room);
            let messages = std::mem::replace(&mut state.messages, rest);
            count += messages.len();
            drop(state);
            add(messages);
            state = lock(&self.state);
            if count >= limits::SEGMENT_EVENTS || state.closed {
                break;
            }
            if !state.messages.is_empty() {
                continue;
            }
            // Whoever waits, waits for the disk alone; what nobody waits for may lie a moment.
            let (next, all) = match state.waiting {
                0 => (LINGER, LINGER),
                waiting if waiting < state.wave => (NEXT, WAVE),
                _ => break,
            };
            if began.elapsed() >= all {
                break;
            }
            state.lingers = state.waiting == 0;
            state = self.wait(state, next);
            state.lingers = false;
            if state.messages.is_empty() {
                break;
            }
        }
        if state.waiting > 0 {
            // Those whose messages still lie here wait for the next time.
            let left = state.messages.iter().filter(|message| message.waiter.is_some()).count();
            state.wave = state.waiting - left;
            state.waiting = left;
        }
        Gathered::Write
    }

    fn wait<'q>(&self, state: MutexGuard<'q, State>, time: Duration) -> MutexGuard<'q, State> {
        let (state, _) = self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_handed_more_than_a_segment_holds() {
        let (queue, all) = (Queue::default(), 2 * limits::SEGMENT_EVENTS + 5);
        for _ in 0..all {
            queue.push(Message { entry: None, objects: Vec::new(), waiter: None });
        }
        queue.close();
        let mut sizes = Vec::new();
        loop {
            let mut size = 0;
            match queue.gather(Duration::ZERO, |messages| size += messages.len()) {
                Gathered::Write => sizes.push(size),
                Gathered::End => break,
            }
        }
        assert_eq!(sizes, [limits::SEGMENT_EVENTS, limits::SEGMENT_EVENTS, 5]);
    }
}

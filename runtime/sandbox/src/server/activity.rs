//! The activity log: every request and what it caused.
//!
//! Bounded in memory; the file, where there is one, has everything. Members that the model calls sensitive come in hidden.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::world::Transition;

/// Requests that are kept in memory; the oldest go first.
pub const MAX_ENTRIES: usize = 10_000;
/// Bytes of one request's parameters that are kept.
pub const MAX_PARAMETERS: usize = 16 * 1024;

/// One request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// Counts from 1.
    pub(crate) number: u64,
    /// When it came, RFC 3339.
    pub(crate) time: String,
    pub(crate) request_id: String,
    /// Access key id of the caller.
    pub(crate) principal: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) parameters: serde_json::Value,
    pub(crate) status: u16,
    /// `ok`, or the error's code.
    pub(crate) code: String,
    /// `sent`, `lost` (done, not answered) or `reset` (not done, not answered).
    pub(crate) answer: &'static str,
    pub(crate) transitions: Vec<Transition>,
}

/// The log.
#[derive(Debug)]
pub(crate) struct Activity {
    entries: VecDeque<Entry>,
    next: u64,
    file: Option<File>,
}

/// What `GET /_sandbox/activity` gives.
#[derive(Serialize)]
pub(crate) struct Page<'a> {
    schema: &'static str,
    /// To ask for with `?since=` next time.
    last: u64,
    /// Entries after `since` that are kept no longer.
    dropped: u64,
    entries: Vec<&'a Entry>,
}

impl Activity {
    pub(crate) fn open(file: Option<&Path>) -> std::io::Result<Activity> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Activity { entries: VecDeque::new(), next: 1, file: file.map(open).transpose()? })
    }

    pub(crate) fn add(&mut self, mut entry: Entry) {
        entry.number = self.next;
        self.next += 1;
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&entry).unwrap_or_default();
            line.push(b'\n');
            // One write per line: a reader never sees half of one.
            if let Err(error) = file.write_all(&line) {
                tracing::warn!(%error, "activity log not written");
            }
        }
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn since(&self, since: u64) -> Page<'_> {
        let entries: Vec<&Entry> = self.entries.iter().filter(|e| e.number > since).collect();
        let kept = self.entries.front().map_or(self.next, |e| e.number);
        let dropped = kept.saturating_sub(since.saturating_add(1));
        Page { schema: "escher.sandbox.activity/1", last: self.next - 1, dropped, entries }
    }

    /// Forgets everything; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Parameters as they are kept: whole, or their size where they are too long.
pub(crate) fn parameters(value: &impl Serialize) -> serde_json::Value {
    let json = serde_json::to_value(value).unwrap_or_default();
    match json.to_string().len() {
        long if long > MAX_PARAMETERS => serde_json::json!({ "(too long)": long }),
        _ => json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            number: 0,
            time: String::new(),
            request_id: String::new(),
            principal: None,
            account: None,
            region: None,
            service: None,
            action: None,
            parameters: serde_json::Value::Null,
            status: 200,
            code: "ok".into(),
            answer: "sent",
            transitions: Vec::new(),
        }
    }

    #[test]
    fn keeps_the_newest_and_says_what_it_dropped() {
        let mut log = Activity::open(None).unwrap();
        for _ in 0..MAX_ENTRIES + 5 {
            log.add(entry());
        }
        let page = log.since(0);
        assert_eq!((page.entries.len(), page.dropped, page.last), (MAX_ENTRIES, 5, MAX_ENTRIES as u64 + 5));
        assert_eq!(log.since(MAX_ENTRIES as u64 + 3).entries.len(), 2);
        assert_eq!(log.since(u64::MAX).entries.len(), 0);
    }

    #[test]
    fn long_parameters_are_not_kept() {
        assert_eq!(parameters(&"x".repeat(20_000))["(too long)"], 20_002);
        assert_eq!(parameters(&"x"), "x");
    }
}

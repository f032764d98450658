//! All limits in one table: what each is by default, how a project sets it, and the code of who meets it.
//!
//! Nothing that a user, a file or a server sends grows without one. The constants stand where they are kept; this names
//! them together, reads `[limits]` of `escher.toml`, and is what the page `book/src/limits.md` is checked against.

use std::time::Duration;

use escher_engine::limits as engine;
use escher_ir::units;
use serde::Deserialize;

/// `[limits]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Items of one step.
    items: Option<u64>,
    /// Pages of one reading.
    pages: Option<u64>,
    /// Elements of one reading, over all its pages.
    elements: Option<u64>,
    /// Largest answer of a cloud, such as `"64MiB"`.
    body: Option<String>,
    /// How long one attempt of a call may take, such as `"60s"`.
    call_timeout: Option<String>,
}

/// The greatest number that a limit can be set to: what is counted is held in memory.
const MOST: u64 = 10_000_000;
/// The largest answer that a project may allow.
const MOST_BODY: u64 = 1 << 30;
/// The longest that a project may wait for one answer.
const MOST_TIME: Duration = Duration::from_secs(3600);

impl Limits {
    /// What is wrong with them.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, set) in [("items", self.items), ("pages", self.pages), ("elements", self.elements)] {
            if set.is_some_and(|n| n == 0 || n > MOST) {
                return Err(format!("`limits.{name}` is a number from 1 to {MOST}"));
            }
        }
        if let Some(text) = &self.body
            && !units::parse_size(text).is_some_and(|n| (1..=MOST_BODY).contains(&n))
        {
            return Err(format!("`limits.body` is a size up to 1GiB, such as \"64MiB\", not \"{text}\""));
        }
        if let Some(text) = &self.call_timeout
            && !duration(text).is_some_and(|d| !d.is_zero() && d <= MOST_TIME)
        {
            return Err(format!("`limits.call_timeout` is a duration up to 1h, such as \"60s\", not \"{text}\""));
        }
        Ok(())
    }

    /// Those that the engine keeps.
    pub(crate) fn of_engine(&self) -> engine::Limits {
        let ours = engine::Limits::default();
        let count = |set: Option<u64>, default: usize| set.and_then(|n| usize::try_from(n).ok()).unwrap_or(default);
        engine::Limits {
            items: count(self.items, ours.items),
            pages: count(self.pages, ours.pages),
            elements: count(self.elements, ours.elements),
            call_timeout: self.call_timeout.as_deref().and_then(duration).unwrap_or(ours.call_timeout),
        }
    }

    /// Largest answer of a cloud, in bytes.
    pub(crate) fn body(&self) -> usize {
        let set = self.body.as_deref().and_then(units::parse_size);
        set.and_then(|n| usize::try_from(n).ok()).unwrap_or(escher_aws::MAX_BODY)
    }
}

fn duration(text: &str) -> Option<Duration> {
    units::parse_duration(text).and_then(|d| d.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the table: what is limited, to what, the key under `[limits]`, and the code of the error.
    struct Row(&'static str, String, Option<&'static str>, &'static str);

    fn size(bytes: usize) -> String {
        units::size_text(bytes as u64)
    }

    fn time(duration: Duration) -> String {
        units::duration_text(duration.try_into().unwrap())
    }

    fn table() -> Vec<Row> {
        let ours = engine::Limits::default();
        let fuel = engine::Evaluation::default();
        vec![
            Row("Bytes of a source file", size(crate::source::MAX_SOURCE as usize), None, "E0604"),
            Row("Brackets that nest in a source file", escher_syntax::limits::MAX_DEPTH.to_string(), None, "E0102"),
            Row("Levels of the syntax behind them", escher_syntax::limits::MAX_HEIGHT.to_string(), None, "E0102"),
            Row("Levels of a stored value", escher_ir::codec::MAX_DEPTH.to_string(), None, "E0102"),
            Row("Modules that the files of one check use", escher_core::MAX_MODULES.to_string(), None, "E0227"),
            Row("Bytes of all of them", size(escher_core::MAX_TEXT), None, "E0227"),
            Row("Modules in one chain", escher_core::MAX_DEPTH.to_string(), None, "E0227"),
            Row("Bytes of a plan file", size(crate::commands::approve::MAX_PLAN as usize), None, "E0604"),
            Row("Steps of evaluation that one expression takes", fuel.fuel.to_string(), None, "E0605"),
            Row("Levels that an evaluation goes down", fuel.depth.to_string(), None, "E0605"),
            Row("Rounds of readings that one expression needs", engine::MAX_ROUNDS.to_string(), None, "E0605"),
            Row("Items of one step", ours.items.to_string(), Some("items"), "E0601"),
            Row("Pages of one reading", ours.pages.to_string(), Some("pages"), "E0602"),
            Row("Elements of one reading, over all its pages", ours.elements.to_string(), Some("elements"), "E0602"),
            Row("Bytes of one answer of a cloud", size(escher_aws::MAX_BODY), Some("body"), "E0603"),
            Row(
                "Time that one attempt of a call takes",
                time(ours.call_timeout),
                Some("call_timeout"),
                "kind `timeout`",
            ),
            Row("`approve`s of one playbook", engine::APPROVALS.to_string(), None, "the program is refused"),
            Row("Attempts to send one call", engine::MAX_ATTEMPTS.to_string(), None, "the call's own error"),
            Row("Times that a reading is tried again", engine::READ_RETRIES.to_string(), None, "the call's own error"),
            Row(
                "Readings that are under way at once",
                engine::READS_AT_ONCE.to_string(),
                None,
                "none: the others wait",
            ),
            Row("Longest pause between two attempts", time(engine::MAX_BACKOFF), None, "none"),
            Row("Bytes of one object or segment of a journal", size(engine::MAX_OBJECT), None, "E0606"),
            Row("Events of one segment", engine::SEGMENT_EVENTS.to_string(), None, "none: the next segment takes them"),
            Row(
                "Bytes of an allowed-signers file, a statement or a signature",
                size(engine::MAX_SIGNATURE_FILE),
                None,
                "E0604",
            ),
            Row("Time that a lease on a run holds without being renewed", time(engine::LEASE), None, "none"),
        ]
    }

    #[test]
    fn the_page_of_the_book_is_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/limits.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut rows = String::from("| what | limit | key under `[limits]` | error |\n|---|---|---|---|\n");
        for Row(what, limit, key, code) in table() {
            let key = key.map_or("–".into(), |key| format!("`{key}`"));
            rows.push_str(&format!("| {what} | {limit} | {key} | {code} |\n"));
        }
        assert!(page.contains(&rows), "book/src/limits.md should hold:\n{rows}");
    }

    #[test]
    fn every_setting_stands_in_the_table_and_in_the_schema() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/escher.toml.schema.json");
        let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let told: Vec<&str> =
            schema["properties"]["limits"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut rows: Vec<&str> = table().iter().filter_map(|row| row.2).collect();
        rows.sort_unstable();
        let mut sorted = told.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, rows);
        for key in rows {
            let refused = toml::from_str::<Limits>(&format!("{key} = true")).unwrap_err().to_string();
            assert!(!refused.contains("unknown field"), "{refused}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["items = 0", "pages = 100000000", "body = \"many\"", "body = \"2GiB\"", "call_timeout = \"0s\""] {
            assert!(toml::from_str::<Limits>(text).unwrap().check().is_err(), "{text}");
        }
        let set = toml::from_str::<Limits>("items = 7\nbody = \"1MiB\"\ncall_timeout = \"5s\"").unwrap();
        assert_eq!(set.check(), Ok(()));
        assert_eq!((set.of_engine().items, set.body()), (7, 1 << 20));
        assert_eq!(set.of_engine().call_timeout, Duration::from_secs(5));
    }
}

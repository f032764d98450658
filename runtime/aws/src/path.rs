//! Paths into answers, as AWS's paginators and waiters write them: JMESPath over official names.
//!
//! This module does *not* read answers.

use std::collections::BTreeMap;

use escher_ir::Value;
use escher_ir::program::Projection;
use serde_json::Value as Json;

/// What a path finds; null where it finds nothing or isn't a path.
pub(crate) fn search(path: &str, answer: &Value) -> Json {
    let data = crate::json::of_value(answer);
    let found = jmespath::compile(path).and_then(|p| p.search(jmespath::Variable::from_serializable(&data)?));
    found.ok().and_then(|v| serde_json::to_value(&*v).ok()).unwrap_or(Json::Null)
}

/// What a plain path of names and dots finds, as it is; none for any other path.
pub(crate) fn plain<'v>(path: &str, answer: &'v Value) -> Option<&'v Value> {
    path.split('.').try_fold(answer, |at, name| match at {
        Value::Record(record) => record.get(name),
        Value::Map(map) => map.get(name),
        _ => None,
    })
}

/// Whether a path is of names and dots alone.
pub(crate) fn is_plain(path: &str) -> bool {
    path.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// What of an answer these paths may look at: everything below the first name of a plain path, all of it otherwise.
pub(crate) fn reach<'p>(paths: impl Iterator<Item = &'p str>) -> Projection {
    let mut members = BTreeMap::new();
    for path in paths {
        // Every word that could be the name of a member at the top: too many do no harm.
        for word in path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty()) {
            members.insert(word.to_owned(), Projection::All);
        }
    }
    Projection::Members(members)
}

#[cfg(test)]
mod tests {
    use super::{is_plain, plain, reach, search};
    use escher_ir::Value;
    use escher_ir::program::Projection;
    use serde_json::json;

    fn answer() -> Value {
        let state = |name: &str| Value::record([("State", Value::record([("Name", Value::text(name))]))]);
        let instances = Value::list(vec![state("stopped"), state("running")]);
        Value::record([
            ("Reservations", Value::list(vec![Value::record([("Instances", instances)])])),
            ("Keys", Value::list(vec![Value::text("a"), Value::text("b")])),
            ("Page", Value::record([("Next", Value::text("t"))])),
        ])
    }

    #[test]
    fn finds_what_the_models_ask_for() {
        let found = |path| search(path, &answer());
        assert_eq!(found("Reservations[].Instances[].State.Name"), json!(["stopped", "running"]));
        assert_eq!(found("length(Keys[]) > `0`"), json!(true));
        assert_eq!(found("NextMarker || Keys[-1]"), json!("b"));
        assert_eq!(found("Nothing.There"), json!(null));
        assert_eq!(found("]["), json!(null));
    }

    #[test]
    fn plain_paths_keep_values_as_they_are() {
        assert_eq!(plain("Page.Next", &answer()), Some(&Value::text("t")));
        assert_eq!(plain("Page.Other", &answer()), None);
        assert!(is_plain("a.b_c") && !is_plain("a[-1].b") && !is_plain("a || b"));
    }

    #[test]
    fn reaches_no_further_than_needed() {
        let reach = reach(["NextMarker || Contents[-1].Key"].into_iter());
        assert_eq!(reach.member("Contents"), Some(&Projection::All));
        assert_eq!(reach.member("Owner"), None);
    }
}

//! A plan file that says something else than the store: every member of it, changed, taken out and added.

use escher_engine::plan_json;
use serde_json::{Value as Json, json};

use super::*;

/// All places in a value, as JSON pointers; of lists the first and the last element.
fn pointers(value: &Json, at: String, all: &mut Vec<String>) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), all)),
        Json::Array(items) => {
            for (number, item) in items.iter().enumerate().filter(|(n, _)| *n == 0 || n + 1 == items.len()) {
                pointers(item, format!("{at}/{number}"), all);
            }
        }
        _ => all.push(at),
    }
}

fn other(value: &Json) -> Json {
    match value {
        Json::String(text) => json!(format!("{text}x")),
        Json::Number(n) => json!(n.as_u64().unwrap() + 1),
        Json::Bool(yes) => json!(!yes),
        _ => json!("something"),
    }
}

pub(crate) async fn rows(table: &mut Table) {
    let case = Case::approved().await;
    let engine = &case.bench.engine;
    let good = plan_json(&engine.planned(&case.run).unwrap());
    engine.verify_plan_file(&good).unwrap();
    let mut all = Vec::new();
    pointers(&good, String::new(), &mut all);
    assert!(all.len() > 40, "{all:?}");
    for pointer in &all {
        let mut file = good.clone();
        let place = file.pointer_mut(pointer).unwrap();
        *place = if pointer == "/schema" { json!("escher.plan/9") } else { other(place) };
        let words = if pointer == "/run" { "this state store has no plan" } else { "the plan file was changed" };
        table.refused(&format!("in a plan file: {pointer}"), words, &case, engine.verify_plan_file(&file));
    }
    for (what, change) in [
        ("a plan file with a member more", (|f| f["also"] = json!(1)) as fn(&mut Json)),
        ("a plan file with a member less", |f| drop(f.as_object_mut().unwrap().remove("risk"))),
        ("a plan file with a call more", |f| {
            let call = f["calls"][0].clone();
            f["calls"].as_array_mut().unwrap().push(call);
        }),
        ("a plan file with a call less", |f| drop(f["calls"].as_array_mut().unwrap().pop())),
        ("a plan file with its calls in another order", |f| f["calls"].as_array_mut().unwrap().reverse()),
        ("a plan file without steps", |f| f["steps"] = json!([])),
    ] {
        let mut file = good.clone();
        change(&mut file);
        assert_ne!(file, good);
        table.refused(what, "the plan file was changed", &case, engine.verify_plan_file(&file));
    }
    // Another store's plan file, and one of another run here.
    let stranger = Case::planned().await;
    let file = plan_json(&stranger.bench.engine.planned(&stranger.run).unwrap());
    table.refused("another store's plan file", "has no plan", &case, engine.verify_plan_file(&file));
    let mut file = good.clone();
    file["run"] = json!("run/../audit");
    table.refused("a run that is a path", "has no plan", &case, engine.verify_plan_file(&file));
    engine.verify_plan_file(&good).unwrap();
    case.start().await.unwrap();
}

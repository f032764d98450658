//! The search finds what people mean: questions that were written before it was tuned.

use escher_catalog::Catalog;
use escher_catalog::search::{Index, names_text, pack};

const QUERIES: &str = include_str!("data/queries.txt");

/// Of a hundred questions, so many have an answer among the first three.
const FLOOR: usize = 92;

fn queries() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = QUERIES.lines().filter(|l| !l.starts_with('#'));
    lines.filter_map(|l| l.split_once(" | ")).map(|(q, a)| (q, a.split(", ").collect())).collect()
}

/// `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(left) = name.strip_prefix(first) else { return false };
    (0..=left.len()).any(|at| left.get(at..).is_some_and(|left| fits(rest, left)))
}

#[test]
fn most_questions_are_answered_among_the_first_three() {
    let queries = queries();
    assert_eq!(queries.len(), 166);
    let mut missed = Vec::new();
    for (question, answers) in &queries {
        let hits = Index::embedded().search(question, None, 3);
        if !hits.iter().any(|h| answers.iter().any(|a| fits(a, &h.operation))) {
            missed.push(format!("{question}: {:?}", hits.iter().map(|h| (&h.operation, h.score)).collect::<Vec<_>>()));
        }
    }
    let share = (queries.len() - missed.len()) * 100 / queries.len();
    println!("{} of {} missed ({share} % found):\n{}", missed.len(), queries.len(), missed.join("\n"));
    assert!(share >= FLOOR, "{share} %");
}

#[test]
fn every_answer_is_an_operation() {
    let mut names = Vec::new();
    let mut service = "";
    for line in Index::embedded().text().lines() {
        match line.strip_prefix("# ") {
            Some(rest) => service = rest.split(' ').next().unwrap(),
            None => names.push(format!("{service}.{line}")),
        }
    }
    for (question, answers) in queries() {
        for answer in answers {
            assert!(names.iter().any(|n| fits(answer, n)), "{question}: {answer}");
        }
    }
}

#[test]
fn the_names_are_those_of_the_catalogue() {
    let text = names_text(Catalog::embedded());
    assert!(text == Index::embedded().text(), "`cargo run -p escher-catalog --example names > catalog/data/names.zst`");
}

#[test]
fn official_names_and_the_clouds_own_commands_come_first() {
    for (said, name) in [
        ("StopInstances", "aws.ec2.stop_instances"),
        ("aws ec2 stop-instances", "aws.ec2.stop_instances"),
        ("az vm deallocate", "azure.compute.virtual_machines.deallocate"),
        ("gcloud compute instances stop", "gcp.compute.instances.stop"),
        ("aws.ec2.stop_instances", "aws.ec2.stop_instances"),
        ("gcp.compute.instances.stop", "gcp.compute.instances.stop"),
    ] {
        let first = Index::embedded().search(said, None, 1).remove(0);
        assert_eq!(first.operation, name, "{said}");
    }
}

#[test]
fn a_cloud_can_be_chosen_and_nothing_is_found_for_nothing() {
    let index = Index::embedded();
    assert!(index.search("stop a vm", Some("gcp"), 20).iter().all(|h| h.operation.starts_with("gcp.")));
    for nothing in ["", "  ", "the", "zzzzqqqq", "🙂 — \0", "…"] {
        assert!(index.search(nothing, None, 3).is_empty(), "{nothing}");
    }
    index.search(&"stop a vm ".repeat(10_000), None, 3);
}

#[test]
fn every_service_of_the_core_exists() {
    let lines = include_str!("../src/search/services.txt").lines().filter(|l| !l.starts_with('#'));
    for name in lines.flat_map(|l| l.split('|').next().unwrap_or_default().split_whitespace()) {
        let (cloud, service) = name.split_once('.').unwrap();
        assert!(Catalog::embedded().services(cloud).contains(&service), "{name}");
    }
}

#[test]
fn damaged_names_are_refused_or_searched_but_never_panic() {
    let text = "# aws.ec2 Amazon Elastic Compute Cloud\nlist_by_owner\nstop_instances\n# gcp.compute Compute Engine\ninstances.stop\n";
    assert_eq!(Index::of(text).unwrap().text(), text);
    let bytes = pack(text).unwrap();
    for end in 0..bytes.len() {
        assert!(Index::open(bytes.get(..end).unwrap()).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for wrong in [1, 0xff] {
            let mut damaged = bytes.clone();
            *damaged.get_mut(at).unwrap() = wrong;
            if let Ok(index) = Index::open(&damaged) {
                index.search("stop a vm by owner", None, 3);
                index.text();
            }
        }
    }
}

//! Which crate may depend on which: the arrows of ARCHITECTURE.md, as a table.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{DependencyKind, Metadata};

/// Our crates and those of ours that each may name. A crate that isn't in the table fails the guard, so that a new one
/// gets its place on purpose.
pub const LAYERS: &[(&str, &[&str])] = &[
    ("escher-grammar", &[]),
    ("escher-catalog", &[]),
    ("escher-syntax", &["escher-grammar"]),
    ("escher-ir", &["escher-catalog"]),
    ("escher-eval", &["escher-ir"]),
    ("escher-core", &["escher-catalog", "escher-syntax", "escher-ir", "escher-eval"]),
    // An IR file is enough to run: nothing below knows the compiler.
    ("escher-provider", &["escher-ir", "escher-catalog"]),
    ("escher-policy", &[]),
    ("escher-engine", &["escher-ir", "escher-eval", "escher-catalog", "escher-policy", "escher-provider"]),
    ("escher-aws", &["escher-ir", "escher-catalog", "escher-provider"]),
    ("escher-rest", &["escher-ir", "escher-catalog", "escher-provider"]),
    ("escher-azure", &["escher-ir", "escher-catalog", "escher-provider", "escher-rest"]),
    ("escher-gcp", &["escher-ir", "escher-catalog", "escher-provider", "escher-rest"]),
    ("escher-sandbox", &["escher-catalog"]),
    (
        "escher",
        &[
            "escher-grammar",
            "escher-catalog",
            "escher-syntax",
            "escher-ir",
            "escher-eval",
            "escher-core",
            "escher-provider",
            "escher-policy",
            "escher-engine",
            "escher-aws",
            "escher-azure",
            "escher-gcp",
            "escher-sandbox",
        ],
    ),
    ("xtask", &["escher-catalog", "escher-grammar"]),
    ("guard", &[]),
    ("escher-faulty", &[]),
    // The fuzz targets look at everything that reads what came from outside.
    (
        "escher-fuzz-targets",
        &[
            "escher-catalog",
            "escher-syntax",
            "escher-ir",
            "escher-core",
            "escher-provider",
            "escher-engine",
            "escher-aws",
            "escher-sandbox",
        ],
    ),
    // Runs source text that the checker accepted on the real engine: the one crate that knows both halves.
    (
        "escher-storm",
        &[
            "escher-catalog",
            "escher-core",
            "escher-ir",
            "escher-provider",
            "escher-engine",
            // A share of its runs is on the practice cloud, with the real clients in front.
            "escher-aws",
            "escher-azure",
            "escher-gcp",
            "escher-sandbox",
        ],
    ),
];

/// Further arrows that only tests of a crate may use: from, to, why.
pub const TEST_LAYERS: &[(&str, &str, &str)] = &[
    ("escher-eval", "escher-catalog", "its tests write calls in IR, which carry the catalogue's risk"),
    ("escher-aws", "escher-sandbox", "the client is judged by a server that knows nothing of it"),
    ("escher-aws", "escher-faulty", "no server of others misbehaves on demand"),
    ("escher-azure", "escher-faulty", "the same"),
    ("escher-gcp", "escher-faulty", "the same"),
    ("escher-azure", "escher-sandbox", "the client is judged by a server that knows nothing of it"),
    ("escher-gcp", "escher-sandbox", "the client is judged by a server that knows nothing of it"),
    ("escher-engine", "escher-sandbox", "runs are judged by the server's own log of transitions"),
];

/// Crates of others that only some of ours may know: a name, or the beginning of one with `*`, and who may.
pub const OWNERS: &[(&str, &[&str])] = &[
    ("pest*", &["escher-grammar", "escher-syntax"]),
    ("rowan", &["escher-syntax"]),
    ("aws-*", &["escher-aws"]),
    ("azure_*", &["escher-azure"]),
    ("google-cloud-*", &["escher-gcp"]),
    ("reqwest", &["escher-rest"]),
    ("lsp-*", &["escher-lsp"]),
    ("tower-lsp*", &["escher-lsp"]),
    // Where a rule is wrong is said in miette's words by the library that reads rules.
    ("miette", &["escher", "escher-policy"]),
    ("cedar-policy*", &["escher-policy"]),
    ("clap*", &["escher"]),
    ("rusqlite", &["escher-engine"]),
    ("petgraph", &["escher-engine"]),
    (
        "tokio*",
        &[
            "escher",
            "escher-server",
            "escher-provider",
            "escher-engine",
            "escher-aws",
            "escher-rest",
            "escher-azure",
            "escher-gcp",
            "escher-sandbox",
            "escher-storm",
        ],
    ),
    ("hyper*", &["escher", "escher-server", "escher-aws", "escher-azure", "escher-gcp", "escher-sandbox"]),
];

/// The crates that do no IO, know no clock and no async.
pub const PURE: &[&str] =
    &["escher-grammar", "escher-catalog", "escher-syntax", "escher-ir", "escher-eval", "escher-core"];

/// What a pure crate may not bring in, however deep.
const IMPURE: &[&str] = &["tokio", "async-std", "smol", "mio", "hyper", "reqwest", "socket2", "rusqlite"];

/// One dependency as a manifest states it.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The crate of ours whose manifest names it.
    pub from: String,
    /// The crate that is named.
    pub to: String,
    /// Whether only tests use it.
    pub test_only: bool,
}

/// The dependencies that the manifests of the workspace's own crates state.
pub fn stated(metadata: &Metadata) -> Vec<Edge> {
    let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
    let own = metadata.packages.iter().filter(|package| members.contains(&package.id));
    own.flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            test_only: dependency.kind == DependencyKind::Development,
        })
    })
    .collect()
}

/// Arrows between our own crates that the table doesn't have.
pub fn forbidden_layers(members: &[String], edges: &[Edge]) -> Vec<String> {
    let table: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let mut violations: Vec<String> = members
        .iter()
        .filter(|member| !table.contains_key(member.as_str()))
        .map(|member| format!("{member} has no line in the table of layers (tests/guard/src/edges.rs)"))
        .collect();
    for edge in edges.iter().filter(|edge| members.contains(&edge.to)) {
        let allowed = table.get(edge.from.as_str()).is_some_and(|to| to.contains(&edge.to.as_str()));
        let in_tests = edge.test_only && TEST_LAYERS.iter().any(|(from, to, _)| *from == edge.from && *to == edge.to);
        if !allowed && !in_tests {
            violations.push(format!("{} may not depend on {}: see ARCHITECTURE.md, Invariants", edge.from, edge.to));
        }
    }
    violations
}

/// Crates of others in the hands of a crate of ours that may not know them.
pub fn forbidden_owners(edges: &[Edge]) -> Vec<String> {
    let mut violations = Vec::new();
    for edge in edges {
        for (pattern, owners) in OWNERS {
            if matches(pattern, &edge.to) && !owners.contains(&edge.from.as_str()) {
                violations.push(format!("{} may not know {}: only {} may", edge.from, edge.to, owners.join(", ")));
            }
        }
    }
    violations
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

/// What the pure crates bring in through others, with one way it comes.
pub fn impure_reach(metadata: &Metadata) -> Vec<String> {
    let names: BTreeMap<_, _> =
        metadata.packages.iter().map(|package| (&package.id, package.name.to_string())).collect();
    let Some(resolve) = &metadata.resolve else { return vec!["cargo metadata gave no resolved graph".to_owned()] };
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &resolve.nodes {
        let Some(from) = names.get(&node.id) else { continue };
        let used = node.deps.iter().filter(|d| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal));
        graph.entry(from.clone()).or_default().extend(used.filter_map(|d| names.get(&d.pkg).cloned()));
    }
    PURE.iter().flat_map(|pure| reach(&graph, pure)).collect()
}

fn reach(graph: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Vec<String> {
    let mut seen = BTreeSet::from([start.to_owned()]);
    let mut queue = VecDeque::from([vec![start.to_owned()]]);
    let mut violations = Vec::new();
    while let Some(path) = queue.pop_front() {
        let Some(last) = path.last() else { continue };
        if IMPURE.contains(&last.as_str()) {
            violations.push(format!("{start} is pure, but brings in {last}: {}", path.join(" -> ")));
            continue;
        }
        for next in graph.get(last).into_iter().flatten() {
            if seen.insert(next.clone()) {
                queue.push_back(path.iter().cloned().chain([next.clone()]).collect());
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), test_only: false }
    }

    fn members() -> Vec<String> {
        LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn the_runtime_never_knows_the_compiler() {
        for from in ["escher-provider", "escher-engine", "escher-aws", "escher-sandbox"] {
            for to in ["escher-core", "escher-syntax", "escher-grammar"] {
                assert_eq!(forbidden_layers(&members(), &[edge(from, to)]).len(), 1, "{from} -> {to}");
                let test = Edge { test_only: true, ..edge(from, to) };
                assert_eq!(forbidden_layers(&members(), &[test]).len(), 1, "{from} -> {to} in tests");
            }
        }
    }

    #[test]
    fn the_compiler_never_knows_the_runtime() {
        for to in ["escher-provider", "escher-engine", "escher-aws", "escher-sandbox"] {
            assert_eq!(forbidden_layers(&members(), &[edge("escher-core", to)]).len(), 1, "{to}");
        }
    }

    #[test]
    fn an_arrow_for_tests_is_no_arrow_for_code() {
        let test = Edge { test_only: true, ..edge("escher-aws", "escher-sandbox") };
        assert!(forbidden_layers(&members(), &[test]).is_empty());
        assert_eq!(forbidden_layers(&members(), &[edge("escher-aws", "escher-sandbox")]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_its_line() {
        assert_eq!(forbidden_layers(&["escher-new".to_owned()], &[]).len(), 1);
    }

    #[test]
    fn the_layers_have_no_cycle() {
        let table: BTreeMap<_, _> = LAYERS.iter().copied().collect();
        for (name, below) in LAYERS {
            let mut queue: VecDeque<_> = below.iter().copied().collect();
            let mut steps = 0;
            while let Some(next) = queue.pop_front() {
                assert_ne!(next, *name);
                steps += 1;
                assert!(steps < 10_000, "a cycle below {name}");
                queue.extend(table[next]);
            }
        }
    }

    #[test]
    fn owners_are_kept() {
        assert_eq!(forbidden_owners(&[edge("escher-core", "pest")]).len(), 1);
        assert_eq!(forbidden_owners(&[edge("escher-engine", "aws-sigv4")]).len(), 1);
        assert_eq!(forbidden_owners(&[edge("escher-core", "tokio-util")]).len(), 1);
        assert!(forbidden_owners(&[edge("escher-aws", "aws-sigv4"), edge("escher-syntax", "pest")]).is_empty());
    }

    #[test]
    fn impurity_is_found_at_any_depth() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let graph = BTreeMap::from([("escher-ir".to_owned(), set(&["a"])), ("a".to_owned(), set(&["b", "mio"]))]);
        let found = reach(&graph, "escher-ir");
        assert_eq!(found, ["escher-ir is pure, but brings in mio: escher-ir -> a -> mio"]);
    }
}

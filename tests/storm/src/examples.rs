//! The examples of the repository as a storm runs them, with what the judge knows of each.

use std::collections::BTreeMap;

use crate::generator::Generated;

/// An example: its text, how often an effect may come to one thing (by its steps, and by their undos besides), and steps of
/// one call with its effect.
type Example = (&'static str, &'static [(&'static str, usize, usize)], &'static [(&'static str, &'static str)]);

const EXAMPLES: &[Example] = &[
    (
        include_str!("../../../examples/stop_dev_instances.esc"),
        &[("stopped", 1, 0), ("running", 0, 1)],
        &[("stop", "stopped")],
    ),
    (
        include_str!("../../../examples/stop_dev_vms.esc"),
        &[("stopped", 1, 0), ("running", 0, 1)],
        &[("stop", "stopped")],
    ),
    (
        include_str!("../../../examples/stop_dev_everywhere.esc"),
        &[("stopped", 1, 0), ("running", 0, 1)],
        &[("stop_aws", "stopped")],
    ),
    (
        include_str!("../../../examples/retire_volumes.esc"),
        &[("snapshot", 1, 0), ("deleted", 1, 0), ("volume", 0, 1)],
        &[("delete", "deleted")],
    ),
    (
        include_str!("../../../examples/retire_spare_machines.esc"),
        &[("stopped", 1, 0), ("running", 0, 1), ("terminated", 1, 0)],
        &[("terminate", "terminated")],
    ),
];

/// One of them, in turn.
pub(crate) fn example(number: u64) -> Generated {
    let at = usize::try_from(number).unwrap_or(0) % EXAMPLES.len();
    let (source, allowed, single) = EXAMPLES[at];
    Generated {
        source: often(source),
        allowed: allowed.iter().map(|(what, body, undo)| (*what, (*body, *undo))).collect::<BTreeMap<_, _>>(),
        single: single.iter().map(|(step, what)| ((*step).to_string(), *what)).collect(),
    }
}

/// The same text, in which waiting asks more often than a real cloud would like.
pub(crate) fn often(source: &str) -> String {
    source.replace("]) timeout ", "]) every 1s timeout ")
}

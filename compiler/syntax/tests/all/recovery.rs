//! Several mistakes in a file: each is told of once, at the right token.

use crate::support::lines;

#[test]
fn each_mistake_is_told_of_once() {
    let source = "\
use std.vm

playbook one(a: int = 1) {
    let x =
    requre a > 1
    step stop \"Stop\" for m in machines max 5, {
        vm.stop(m, 1 2)
    }
    return a
}

fn two(x: int) int = x

const three = [1, 2
";
    let found = lines(source);
    assert_eq!(found.len(), 6, "{found:#?}");
    let places: Vec<&str> = found.iter().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(places, ["4:12", "5:5", "6:45", "7:22", "12:16", "14:15"], "{found:#?}");
}

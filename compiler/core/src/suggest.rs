//! "Did you mean": the nearest of the names that would have been right.

/// The nearest name, where one is near enough to be meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= 1 + c.len().min(written.len()) / 4)
        // Of two that are as near, the one that begins alike.
        .min_by_key(|(distance, c)| {
            let alike = c.bytes().zip(lower.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
            (*distance, std::cmp::Reverse(alike), c.len())
        })
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_but_not_strangers() {
        assert_eq!(nearest("runing", ["running", "stopped"]), Some("running"));
        assert_eq!(nearest("stop_instnces", ["stop_instances", "start_instances"]), Some("stop_instances"));
        assert_eq!(nearest("banana", ["running", "stopped"]), None);
        assert_eq!(nearest("x", ["y"]), Some("y"));
        assert_eq!(nearest("ec", ["ce", "ec2"]), Some("ec2"));
    }
}

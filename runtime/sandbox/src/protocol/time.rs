//! Instants as the wire writes them.
//!
//! Does *not* read the clock: see [`crate::world::clock`].

use jiff::Timestamp;

/// `2026-01-15T09:00:00.000Z`, the form EC2 answers in.
pub(crate) fn iso8601(milliseconds: i64) -> String {
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// Milliseconds since the epoch of an RFC 3339 text.
pub(crate) fn parse_iso8601(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_instants() {
        assert_eq!(iso8601(1_768_467_600_000), "2026-01-15T09:00:00.000Z");
        assert_eq!(parse_iso8601("2026-01-15T09:00:00.000Z"), Some(1_768_467_600_000));
        assert_eq!(iso8601(i64::MAX), "1970-01-01T00:00:00.000Z");
    }
}

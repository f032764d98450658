//! Literals with units: durations, sizes, percentages, money, instants. Text to value and back.

use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;

const DURATION_UNITS: [(&str, i64); 6] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

const SIZE_UNITS: [(&str, u64); 11] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("B", 1),
];

fn split_number(text: &str) -> Option<(Decimal, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    Some((number.replace('_', "").parse().ok()?, rest))
}

/// `1h30m`, `500ms`, `7d`: of exact length. None where it is malformed or too long for 64 bits of milliseconds.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let (mut rest, mut total) = (text, 0i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, tail) = after.split_at_checked(end)?;
        let (_, factor) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        let millis = number.checked_mul(Decimal::from(*factor))?.trunc();
        total = total.checked_add(i64::try_from(millis).ok()?)?;
        rest = tail;
    }
    Some(SignedDuration::from_millis(total))
}

/// A duration as the language writes it: `1h30m`, `0s`.
pub fn duration_text(duration: SignedDuration) -> String {
    let mut left = duration.as_millis();
    if left == 0 {
        return "0s".into();
    }
    let mut out = String::new();
    if left < 0 {
        out.push('-');
        left = -left;
    }
    for (unit, factor) in DURATION_UNITS.iter().rev() {
        // No weeks: `7d` and `30d` are what people write.
        let factor = i128::from(*factor);
        if *unit == "w" {
            continue;
        }
        let n = left / factor;
        if n > 0 {
            out.push_str(&format!("{n}{unit}"));
            left %= factor;
        }
    }
    out
}

/// `512MiB`, `20GB`, in bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    u64::try_from(number.checked_mul(Decimal::from(*factor))?.trunc()).ok()
}

/// A size as the language writes it, in the largest unit that divides it.
pub fn size_text(bytes: u64) -> String {
    let mut best = (format!("{bytes}B"), usize::MAX);
    for (unit, factor) in SIZE_UNITS {
        if bytes != 0 && bytes.is_multiple_of(factor) {
            let text = format!("{}{unit}", bytes / factor);
            if text.len() < best.1 {
                best = (text.clone(), text.len());
            }
        }
    }
    best.0
}

/// A decimal number, with or without underscores.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    text.replace('_', "").parse().ok()
}

/// `2026-11-21T08:00:00Z`.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// `2026-11-21`.
pub fn parse_date(text: &str) -> Option<civil::Date> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_trip() {
        for text in ["500ms", "30s", "5m", "1h30m", "7d", "30d", "0s", "1d12h"] {
            assert_eq!(duration_text(parse_duration(text).unwrap()), text);
        }
        assert_eq!(parse_duration("0.5h").unwrap(), SignedDuration::from_mins(30));
        for bad in ["", "5", "5x", "m", "99999999999999999999w", "1h-3m"] {
            assert!(parse_duration(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn sizes_round_trip() {
        for text in ["512MiB", "20GB", "1B", "3TiB"] {
            assert_eq!(size_text(parse_size(text).unwrap()), text);
        }
        assert!(parse_size("99999999999PB").is_none());
    }
}

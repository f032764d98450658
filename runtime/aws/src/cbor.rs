//! A first look at CBOR that came from outside: whether it is one whole item. The protocol's reader takes the end of the
//! bytes for the end of a list, and a truncated answer must not look like a short one.
//!
//! Iterative, so no input can exhaust the stack. This module does *not* keep any value.

/// Deeper than any answer.
const MAX_DEPTH: usize = 100;

/// How many items are still to come at one level.
enum Left {
    /// So many.
    Known(u64),
    /// Until a break.
    Open,
}

/// Whether these bytes are one item, and nothing beside it.
pub(crate) fn is_whole(mut bytes: &[u8]) -> bool {
    let mut levels: Vec<Left> = Vec::new();
    loop {
        let Some((opened, rest, ended)) = item(bytes) else { return false };
        bytes = rest;
        if ended {
            // A break ends an open level, and nothing else.
            if !matches!(levels.pop(), Some(Left::Open)) {
                return false;
            }
        } else if let Some(left) = opened {
            if levels.len() >= MAX_DEPTH {
                return false;
            }
            levels.push(left);
            if !matches!(levels.last(), Some(Left::Known(0))) {
                continue;
            }
            levels.pop();
        }
        // An item is complete: so may be what holds it.
        while let Some(Left::Known(left)) = levels.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            levels.pop();
        }
        if levels.is_empty() {
            return bytes.is_empty();
        }
    }
}

/// One head with its own bytes: what it opens, what follows, and whether it is a break.
fn item(bytes: &[u8]) -> Option<(Option<Left>, &[u8], bool)> {
    let (&first, rest) = bytes.split_first()?;
    let (major, info) = (first >> 5, first & 31);
    let width = match info {
        0..=23 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => {
            return match major {
                2..=5 => Some((Some(Left::Open), rest, false)),
                7 => Some((None, rest, true)),
                _ => None,
            };
        }
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(width)?;
    let number = argument.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
    let number = if width == 0 { u64::from(info) } else { number };
    Some(match major {
        2 | 3 => (None, rest.get(usize::try_from(number).ok()?..)?, false),
        4 => (Some(Left::Known(number)), rest, false),
        5 => (Some(Left::Known(number.checked_mul(2)?)), rest, false),
        // A tag is a level with one item.
        6 => (Some(Left::Known(1)), rest, false),
        _ => (None, rest, false),
    })
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn knows_what_is_whole() {
        for good in [
            &b"\x01"[..],
            b"\x80",
            b"\xa0",
            b"\x82\x01\x61a",
            b"\xa1\x61a\x9f\x01\xff",
            b"\xc1\x1a\x01\x02\x03\x04",
            b"\xbf\xff",
        ] {
            assert!(is_whole(good), "{good:x?}");
        }
        for bad in [
            &b""[..],
            b"\x81",
            b"\x62a",
            b"\xff",
            b"\x01\x01",
            b"\x9f\x01",
            b"\xa1\x01",
            b"\x82\x01\xff",
            b"\x1c",
            b"\xc1",
        ] {
            assert!(!is_whole(bad), "{bad:x?}");
        }
        assert!(!is_whole(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        assert!(!is_whole(&vec![0x81; 100_000]));
    }
}

//! `application/x-www-form-urlencoded` into a tree of dotted names.
//!
//! Does *not* know shapes (see [`super::input`]). A list index is a name like any other here, so
//! `Filter.999999999.Name` costs one node and allocates nothing by its number.

use std::collections::BTreeMap;

/// How many parameters one request may have.
pub(crate) const MAX_PAIRS: usize = 20_000;
/// How many dotted parts one parameter's name may have.
pub(crate) const MAX_DEPTH: usize = 16;

/// What makes a form unreadable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    /// More than [`MAX_PAIRS`].
    #[error("the request has more than {MAX_PAIRS} parameters")]
    TooMany,
    /// More than [`MAX_DEPTH`] parts.
    #[error("the name of a parameter has more than {MAX_DEPTH} parts")]
    TooDeep,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("a parameter is not properly encoded")]
    Encoding,
    /// The same name twice.
    #[error("the parameter {0} is given more than once")]
    Twice(String),
}

/// A parameter, or the parameters below a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// The text, where the name ends here.
    pub(crate) value: Option<String>,
    /// What follows the next dot.
    pub(crate) children: BTreeMap<String, Node>,
}

/// Decodes `a=1&b=2` into pairs, in order.
pub(crate) fn pairs(form: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let mut found = Vec::new();
    for pair in form.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
        if found.len() == MAX_PAIRS {
            return Err(FormError::TooMany);
        }
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        found.push((name, value));
    }
    Ok(found)
}

/// The tree of the pairs.
pub(crate) fn tree(pairs: &[(String, String)]) -> Result<Node, FormError> {
    let mut root = Node::default();
    for (name, value) in pairs {
        if name.bytes().filter(|b| *b == b'.').count() >= MAX_DEPTH {
            return Err(FormError::TooDeep);
        }
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.children.entry(part.to_owned()).or_default();
        }
        if node.value.replace(value.clone()).is_some() {
            return Err(FormError::Twice(name.clone()));
        }
    }
    Ok(root)
}

fn decode(bytes: &[u8]) -> Result<String, FormError> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(hex_digit).ok_or(FormError::Encoding)?;
                let low = rest.next().and_then(hex_digit).ok_or(FormError::Encoding)?;
                (high << 4) | low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| FormError::Encoding)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_pairs() {
        let found = pairs(b"Action=Stop+It&Tag.1.Value=%C3%A9%26&Empty=&Bare&&").unwrap();
        let expected = [("Action", "Stop It"), ("Tag.1.Value", "é&"), ("Empty", ""), ("Bare", "")];
        assert_eq!(found.iter().map(|(a, b)| (&**a, &**b)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn refuses_bad_encoding() {
        for form in [&b"a=%"[..], b"a=%4", b"a=%zz", b"%ff=1", b"a=%ff", b"a=\xff"] {
            assert_eq!(pairs(form), Err(FormError::Encoding), "{form:?}");
        }
    }

    #[test]
    fn refuses_floods_depth_and_repetition() {
        let flood = "a=1&".repeat(MAX_PAIRS + 1);
        assert_eq!(pairs(flood.as_bytes()), Err(FormError::TooMany));
        let deep = ("a.".repeat(MAX_DEPTH) + "a", String::new());
        assert_eq!(tree(&[deep]), Err(FormError::TooDeep));
        let twice = pairs(b"a.b=1&a.b=2").unwrap();
        assert_eq!(tree(&twice), Err(FormError::Twice("a.b".into())));
    }
}

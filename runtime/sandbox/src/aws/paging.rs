//! Pages of the Describe operations.
//!
//! A token says after which row to go on and which question it belongs to; it is opaque to clients and holds no secret.
//! Where no page size is given a page has the most there can be, so a huge cloud never gives one huge answer.

use super::call::{int, text};
use super::error::ApiError;
use crate::protocol::Value;
use crate::world::ids::hash;

/// Rows of a page where the call doesn't say.
pub(crate) const MAX_PAGE: usize = 1000;

/// Where a page starts and how long it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Number of the row before the first.
    pub(crate) after: u64,
    /// Most rows.
    pub(crate) limit: usize,
    question: u64,
}

impl Page {
    /// Reads `MaxResults` and `NextToken`.
    pub(crate) fn of(input: &Value, min: i64, max: i64) -> Result<Page, ApiError> {
        let limit = match int(input, "MaxResults") {
            None => MAX_PAGE,
            Some(n) if n < min => {
                return Err(ApiError::invalid(format!(
                    "Value ( {n} ) for parameter maxResults is invalid. Expecting a value greater than or equal to {min}."
                )));
            }
            Some(n) if n > max => {
                return Err(ApiError::invalid(format!(
                    "Value ( {n} ) for parameter maxResults is invalid. Expecting a value less than or equal to {max}."
                )));
            }
            Some(n) => usize::try_from(n).unwrap_or(MAX_PAGE),
        };
        let question = question(input);
        let after = match text(input, "NextToken") {
            None => 0,
            Some(token) => {
                parse(token, question).ok_or_else(|| ApiError::invalid("Unable to parse pagination token"))?
            }
        };
        Ok(Page { after, limit, question })
    }

    /// The rows of this page, and the token of the next one.
    pub(crate) fn cut<T>(&self, rows: impl Iterator<Item = (u64, T)>) -> (Vec<T>, Option<String>) {
        let mut page = Vec::new();
        let mut last = self.after;
        for (number, row) in rows {
            if page.len() == self.limit {
                return (page, Some(format!("escher-{last:x}-{:x}", self.question)));
            }
            last = number;
            page.push(row);
        }
        (page, None)
    }
}

fn parse(token: &str, question: u64) -> Option<u64> {
    let (after, of) = token.strip_prefix("escher-")?.split_once('-')?;
    let of = u64::from_str_radix(of, 16).ok()?;
    u64::from_str_radix(after, 16).ok().filter(|_| of == question)
}

/// What is asked, without where its pages begin and end: a token is of no use to another question.
fn question(input: &Value) -> u64 {
    let Value::Record(members) = input else { return 0 };
    let asked: Vec<_> = members.iter().filter(|(name, _)| name != "MaxResults" && name != "NextToken").collect();
    hash(serde_json::to_string(&asked).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::value::record;

    #[test]
    fn pages_follow_each_other() {
        let rows = || (1u64..=12).map(|n| (n, n));
        let ask = |token: Option<&str>| {
            let mut input = vec![("MaxResults".into(), Value::Int(5))];
            input.extend(token.map(|t| ("NextToken".into(), Value::from(t.to_owned()))));
            Page::of(&Value::Record(input), 5, 1000).unwrap()
        };
        let (first, token) = ask(None).cut(rows());
        assert_eq!(first, [1, 2, 3, 4, 5]);
        let page = ask(token.as_deref());
        let (second, token) = page.cut(rows().filter(|(n, _)| *n > page.after));
        assert_eq!(second, [6, 7, 8, 9, 10]);
        let page = ask(token.as_deref());
        let (third, token) = page.cut(rows().filter(|(n, _)| *n > page.after));
        assert_eq!((third.as_slice(), token), (&[11, 12][..], None));
    }

    #[test]
    fn refuses_other_sizes_and_tokens() {
        let code = |input: Value| Page::of(&input, 5, 1000).map_err(|e| e.code).err();
        let invalid = Some("InvalidParameterValue".to_owned());
        assert_eq!(code(record![("MaxResults", 4i64)]), invalid);
        assert_eq!(code(record![("MaxResults", 1001i64)]), invalid);
        for token in ["", "x", "escher-1-2", "escher--", "escher-fffffffffffffffff-0"] {
            assert_eq!(code(record![("NextToken", token.to_owned())]), invalid, "{token}");
        }
    }
}

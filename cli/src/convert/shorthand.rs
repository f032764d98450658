//! The short forms of `aws`, `az` and `gcloud` for what is not a single value, as JSON: `Name=tag:env,Values=dev,test`.

use serde_json::{Map, Value};

/// Deepest that brackets may stand in one another.
const DEEPEST: usize = 16;

/// `key=value,key=[a,b],key={…}`; a value without a key belongs to the list of the key before it.
pub(crate) fn record(text: &str) -> Result<Value, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let record = reader.record(None)?;
    if reader.rest.is_empty() { Ok(record) } else { Err(format!("`{}` is not expected here", reader.rest)) }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn eat(&mut self, letter: char) -> bool {
        let rest = self.rest.trim_start_matches(' ');
        match rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Keys and values up to the closing bracket, or to the end.
    fn record(&mut self, close: Option<char>) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let mut out = Map::new();
        let mut last: Option<String> = None;
        loop {
            if close.is_some_and(|c| self.eat(c)) || (close.is_none() && self.rest.is_empty()) {
                break;
            }
            if let Some(key) = self.key() {
                let value = self.value(close)?;
                out.insert(key.clone(), value);
                last = Some(key);
            } else {
                let value = self.value(close)?;
                let Some(slot) = last.as_ref().and_then(|k| out.get_mut(k)) else {
                    return Err("write it as `key=value`".into());
                };
                match slot {
                    Value::Array(list) => list.push(value),
                    one => *one = Value::Array(vec![one.take(), value]),
                }
            }
            if !self.eat(',') {
                match close {
                    Some(c) if !self.eat(c) => return Err(format!("a `{c}` is missing")),
                    None if !self.rest.is_empty() => return Err(format!("`{}` is not expected here", self.rest)),
                    _ => break,
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Object(out))
    }

    /// `name=`, where one stands here.
    fn key(&mut self) -> Option<String> {
        let rest = self.rest.trim_start_matches(' ');
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_.:/@$ ".contains(c)))?;
        let (key, after) = (rest.get(..end)?, rest.get(end..)?.strip_prefix('=')?);
        if key.is_empty() {
            return None;
        }
        self.rest = after;
        Some(key.to_owned())
    }

    fn value(&mut self, close: Option<char>) -> Result<Value, String> {
        if self.eat('{') {
            return self.record(Some('}'));
        }
        if self.eat('[') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("it is nested too deeply".into());
            }
            let mut list = Vec::new();
            while !self.eat(']') {
                list.push(self.value(Some(']'))?);
                if !self.eat(',') && !self.rest.trim_start_matches(' ').starts_with(']') {
                    return Err("a `]` is missing".into());
                }
            }
            self.depth -= 1;
            return Ok(Value::Array(list));
        }
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (text, rest) = rest.split_once(quote).ok_or_else(|| format!("a `{quote}` is missing"))?;
                self.rest = rest;
                return Ok(Value::String(text.to_owned()));
            }
        }
        let end = self.rest.find(|c: char| c == ',' || Some(c) == close).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(Value::String(text.trim().to_owned()))
    }
}

/// `a=b` words as one record.
pub(crate) fn pairs<'a>(words: impl Iterator<Item = &'a str>) -> Result<Value, String> {
    let mut out = Map::new();
    for word in words {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("write `{word}` as `key=value`"))?;
        out.insert(key.to_owned(), Value::String(value.to_owned()));
    }
    Ok(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use super::{pairs, record};
    use serde_json::json;

    #[test]
    fn the_short_form_of_aws() {
        for (text, value) in [
            ("Name=tag:env,Values=dev,test", json!({ "Name": "tag:env", "Values": ["dev", "test"] })),
            ("Key=a,Value=b=c", json!({ "Key": "a", "Value": "b=c" })),
            ("A=[x,y],B={C=1,D=[z]}", json!({ "A": ["x", "y"], "B": { "C": "1", "D": ["z"] } })),
            (
                "Tags=[{Key=a,Value='b, c'},{Key=d,Value=e}]",
                json!({ "Tags": [{ "Key": "a", "Value": "b, c" }, { "Key": "d", "Value": "e" }] }),
            ),
            ("A=\"x y\",B=", json!({ "A": "x y", "B": "" })),
            ("", json!({})),
        ] {
            assert_eq!(record(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_broken_is_told_and_nothing_hangs() {
        for text in
            ["x", "A=[x", "A={B=c", "A='x", "A=x}", ",", "A=[x,", &"A=[".repeat(5000), &"{".repeat(5000), "A=[x y}"]
        {
            let _ = record(text);
        }
        for text in ["x", "A=[x", "A={B=c", "A='x", &"A=[".repeat(5000)] {
            assert!(record(text).is_err(), "{text}");
        }
        assert!(pairs(["a"].into_iter()).is_err());
        assert_eq!(pairs(["a=b", "c=d=e"].into_iter()), Ok(json!({ "a": "b", "c": "d=e" })));
    }
}

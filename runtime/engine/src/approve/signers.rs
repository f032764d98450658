//! The allowed-signers file, in OpenSSH's own format (`ssh-keygen(1)`, ALLOWED SIGNERS).
//!
//! Reads text, not files. Certificate authorities are refused: an approval names a person's key.

use jiff::{Timestamp, civil, tz::TimeZone};
use ssh_key::{HashAlg, PublicKey, public::KeyData};

use crate::error::EngineError;
use crate::limits::MAX_SIGNATURE_FILE;

/// Keys with the principals that may use them.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners {
    lines: Vec<Line>,
    /// The lines that say something, as they stand.
    texts: Vec<String>,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    principals: Vec<String>,
    namespaces: Option<Vec<String>>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
    key: KeyData,
}

/// Whether a key may sign for a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    Yes,
    No(String),
}

impl AllowedSigners {
    /// Reads a file's text.
    ///
    /// Errors name the line. `valid-after` and `valid-before` without a `Z` are taken as UTC, so that one file means
    /// the same on every machine.
    pub fn parse(text: &str) -> Result<AllowedSigners, EngineError> {
        if text.len() > MAX_SIGNATURE_FILE {
            return Err(EngineError::Key("E0604: the allowed-signers file is too large".into()));
        }
        let (mut lines, mut texts) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = at + 1;
            let parsed = parse_line(line, number)
                .map_err(|reason| EngineError::Key(format!("allowed signers, line {number}: {reason}")))?;
            lines.push(parsed);
            texts.push(line.to_string());
        }
        Ok(AllowedSigners { lines, texts })
    }

    /// One key for one principal: for `--solo` and for tests.
    pub fn single(principal: &str, public_key: &str) -> Result<AllowedSigners, EngineError> {
        AllowedSigners::parse(&format!("{principal} {public_key}"))
    }

    /// The lines that say something: what the root key signs.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Principals whose pattern has no wildcard and that this public key may sign for.
    pub fn principals_of(&self, public_key: &str) -> Vec<String> {
        let Ok(key) = PublicKey::from_openssh(public_key) else { return Vec::new() };
        let lines = self.lines.iter().filter(|line| line.key == *key.key_data());
        let all = lines.flat_map(|line| line.principals.iter().cloned());
        all.filter(|p| !p.contains(['*', '?', '!'])).collect()
    }

    /// All principals whose pattern has no wildcard, each once.
    pub fn principals(&self) -> Vec<String> {
        let mut all: Vec<String> = self.lines.iter().flat_map(|line| line.principals.iter().cloned()).collect();
        all.retain(|p| !p.contains(['*', '?', '!']));
        all.sort();
        all.dedup();
        all
    }

    /// Whether this key may sign for this principal in this namespace at this time.
    pub(crate) fn allows(&self, key: &KeyData, principal: &str, namespace: &str, at: Timestamp) -> Allowed {
        let mut why = format!("the key {} is not among the allowed signers", key.fingerprint(HashAlg::Sha256));
        for line in self.lines.iter().filter(|line| line.key == *key) {
            let n = line.number;
            if !matches_any(&line.principals, principal) {
                why = format!("the key on line {n} of the allowed signers is not for `{principal}`");
            } else if line.namespaces.as_ref().is_some_and(|spaces| !matches_any(spaces, namespace)) {
                why = format!("the key on line {n} of the allowed signers may not sign in namespace {namespace}");
            } else if line.valid_after.is_some_and(|after| at < after) {
                why = format!("the key on line {n} of the allowed signers is not valid yet");
            } else if line.valid_before.is_some_and(|before| at >= before) {
                why = format!("the key on line {n} of the allowed signers is no longer valid");
            } else {
                return Allowed::Yes;
            }
        }
        Allowed::No(why)
    }
}

fn parse_line(line: &str, number: usize) -> Result<Line, String> {
    let (principals, rest) = next_word(line)?;
    let principals: Vec<String> = principals.split(',').map(str::to_string).filter(|p| !p.is_empty()).collect();
    if principals.is_empty() {
        return Err("no principal".into());
    }
    let mut parsed = Line {
        number,
        principals,
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key: KeyData::Ed25519(ssh_key::public::Ed25519PublicKey([0; 32])),
    };
    let rest = rest.trim_start();
    let key_text = match PublicKey::from_openssh(rest) {
        Ok(_) => rest,
        Err(_) => {
            let (options, key) = next_word(rest)?;
            if !key.trim().is_empty() {
                read_options(&options, &mut parsed)?;
            }
            key.trim_start()
        }
    };
    let key = PublicKey::from_openssh(key_text).map_err(|e| format!("no public key ({e})"))?;
    parsed.key = key.key_data().clone();
    Ok(parsed)
}

/// A word up to white space; quotes keep white space in, and are dropped.
fn next_word(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => {
                quoted = !quoted;
                // Options keep theirs: a comma inside them separates namespaces, not options.
                word.push('"');
            }
            c if c.is_whitespace() && !quoted => return Ok((word, text.get(at..).unwrap_or_default())),
            c => word.push(c),
        }
    }
    if quoted { Err("a quote is not closed".into()) } else { Ok((word, "")) }
}

fn read_options(options: &str, line: &mut Line) -> Result<(), String> {
    let mut quoted = false;
    let parts = options.split(|c| {
        if c == '"' {
            quoted = !quoted;
        }
        c == ',' && !quoted
    });
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => {
                return Err("`cert-authority` is not supported: name each person's key instead".into());
            }
            "namespaces" => line.namespaces = Some(value.split(',').map(str::to_string).collect()),
            "valid-after" => line.valid_after = Some(parse_time(value)?),
            "valid-before" => line.valid_before = Some(parse_time(value)?),
            // An option that is not understood may restrict the key: refused, never passed over.
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(())
}

/// `YYYYMMDD[Z]` or `YYYYMMDDHHMM[SS][Z]`.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let bad = || format!("`{text}` is no time; write YYYYMMDD or YYYYMMDDHHMM[SS], perhaps with Z");
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(bad());
    }
    let number = |from: usize, to: usize| -> Option<i16> {
        if from >= digits.len() { Some(0) } else { digits.get(from..to)?.parse().ok() }
    };
    let date_time = || -> Option<civil::DateTime> {
        let small = |from, to| number(from, to).and_then(|n| i8::try_from(n).ok());
        let (month, day) = (small(4, 6)?, small(6, 8)?);
        civil::DateTime::new(number(0, 4)?, month, day, small(8, 10)?, small(10, 12)?, small(12, 14)?, 0).ok()
    };
    let zoned = date_time().ok_or_else(bad)?.to_zoned(TimeZone::UTC).map_err(|_| bad())?;
    Ok(zoned.timestamp())
}

/// OpenSSH's pattern lists: `*`, `?`, and `!` in front for a refusal that outweighs all others.
fn matches_any(patterns: &[String], text: &str) -> bool {
    let mut yes = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(not) if matches_pattern(not, text) => return false,
            Some(_) => {}
            None => yes = yes || matches_pattern(pattern, text),
        }
    }
    yes
}

/// Linear in time: on a mismatch it goes back to the last star only.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn key() -> KeyData {
        PublicKey::from_openssh(KEY).unwrap().key_data().clone()
    }

    fn allowed(file: &str, principal: &str, when: &str) -> bool {
        AllowedSigners::parse(file).unwrap().allows(&key(), principal, "escher-approval", at(when)) == Allowed::Yes
    }

    #[test]
    fn openssh_lines_are_understood() {
        let now = "2026-11-21T08:00:00Z";
        assert!(allowed(&format!("# people\n\nmara@x.org {KEY} a comment\n"), "mara@x.org", now));
        assert!(allowed(&format!("mara,ben {KEY}"), "ben", now));
        assert!(allowed(&format!("*@x.org,!eve@x.org {KEY}"), "mara@x.org", now));
        assert!(!allowed(&format!("*@x.org,!eve@x.org {KEY}"), "eve@x.org", now));
        assert!(allowed(&format!("mara namespaces=\"git,escher-*\" {KEY}"), "mara", now));
        assert!(!allowed(&format!("mara namespaces=\"git\" {KEY}"), "mara", now));
        assert!(allowed(&format!("mara valid-after=\"20260101\",valid-before=\"20270101Z\" {KEY}"), "mara", now));
        assert!(!allowed(&format!("mara valid-after=\"202612010000\" {KEY}"), "mara", now));
        assert!(!allowed(&format!("mara valid-before=20261121080000Z {KEY}"), "mara", now));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            format!("mara cert-authority {KEY}"),
            format!("mara verify-required {KEY}"),
            format!("mara valid-after=soon {KEY}"),
            "mara ssh-ed25519 AAAA".to_string(),
            "mara".to_string(),
            "mara \"open".to_string(),
        ] {
            let error = AllowedSigners::parse(&format!("# first\n{bad}")).unwrap_err().to_string();
            assert!(error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn patterns_take_linear_time() {
        let pattern = "*a".repeat(2_000);
        assert!(!matches_pattern(&pattern, &"b".repeat(20_000)));
        assert!(matches_pattern("a*b?d", "axxbcd"));
    }
}

//! What is signed: each field of a statement, before and after the signature, and its one spelling.

use escher_ir::Digest;
use escher_ir::statement::{Statement, StatementKind};
use jiff::{SignedDuration, Timestamp};

use super::*;

/// What a statement says, and with which words that is refused though mara signed it.
type Change = (&'static str, &'static str, fn(&mut Statement));

const SIGNED: &[Change] = &[
    ("signed for a standing approval", "another kind", |s| s.kind = StatementKind::Standing),
    ("signed for a template", "another kind", |s| s.kind = StatementKind::Template),
    ("signed for a later part of a run", "another kind", |s| s.kind = StatementKind::LaterPart),
    ("signed for another digest", "another plan", |s| s.digest = Digest([7; 32])),
    ("signed for another run", "signed for run r-20261121-other", |s| s.run = "r-20261121-other".into()),
    ("signed for no run", "signed for run ,", |s| s.run.clear()),
    ("signed for another state store", "another state store", |s| s.store = "s-other".into()),
    ("signed for another playbook", "another playbook", |s| s.playbook = "start_dev_vms".into()),
    ("signed for the plan of somebody else", "a plan of `eve`", |s| s.planner = "eve".into()),
    ("signed in another's name", "is not for `ben`", |s| s.principal = "ben".into()),
    ("signed in the name of nobody", "is not for ``", |s| s.principal.clear()),
    ("signed in the name of all", "is not for `*`", |s| s.principal = "*".into()),
    ("signed for two approvers where one is needed", "for 2 approvers", |s| s.quorum = 2),
    ("signed for no approvers", "for 0 approvers", |s| s.quorum = 0),
    ("signed with another schema", "another kind", |s| s.schema = "escher.statement/1".into()),
    ("signed for longer than the playbook allows", "holds longer", |s| s.expires += SignedDuration::from_secs(1)),
    ("signed for all time", "holds longer", |s| s.expires = Timestamp::MAX),
    ("signed for a time that is over", "it ended at", |s| s.expires = s.signed),
    ("signed for a time to come", "it holds from", |s| {
        s.signed += SignedDuration::from_hours(1);
        s.expires += SignedDuration::from_hours(1);
    }),
    ("signed long ago and still valid", "holds longer", |s| s.signed -= SignedDuration::from_hours(48)),
];

/// A member of the statement that is changed after mara signed it.
const AFTERWARDS: &[(&str, &str)] = &[
    ("comment", "\"no\""),
    ("digest", "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\""),
    ("expires", "\"2027-11-22T08:00:00Z\""),
    ("kind", "\"standing\""),
    ("planner", "\"eve\""),
    ("playbook", "\"other\""),
    ("principal", "\"ben\""),
    ("quorum", "0"),
    ("run", "\"r-20261121-other\""),
    ("schema", "\"escher.statement/9\""),
    ("signed", "\"2026-11-21T07:00:00Z\""),
    ("store", "\"s-other\""),
];

/// Another spelling of the same statement, signed as it stands.
type Spelling = (&'static str, &'static str, fn(&str) -> Vec<u8>);

const SPELLINGS: &[Spelling] = &[
    ("a statement with spaces", "canonical", |t| t.replace(",\"", ", \"").into()),
    ("a statement without its line feed", "canonical", |t| t.trim_end().into()),
    ("a statement with a carriage return", "canonical", |t| t.replace('\n', "\r\n").into()),
    ("a statement with a member that nobody knows", "cannot be read", |t| t.replacen('{', "{\"also\":1,", 1).into()),
    ("a statement that says one thing twice", "cannot be read", |t| t.replacen('{', "{\"quorum\":1,", 1).into()),
    ("a statement that lacks a member", "cannot be read", |t| t.replace("\"quorum\":1,", "").into()),
    ("a statement in another order", "canonical", |t| {
        t.replace("\"quorum\":1,", "").replacen('{', "{\"quorum\":1,", 1).into()
    }),
    ("a statement with a digest in capitals", "cannot be read", |t| {
        let at = t.find("sha256:").unwrap() + 7;
        let (head, tail) = t.split_at(at);
        let (digits, rest) = tail.split_at(64);
        format!("{head}{}{rest}", digits.to_uppercase()).into()
    }),
    ("a statement with a time in another zone", "canonical", |t| t.replace("08:00:00Z", "09:00:00+01:00").into()),
    ("a statement with an escaped letter", "canonical", |t| t.replace("\"mara\"", "\"m\\u0061ra\"").into()),
    ("a statement that goes on after its end", "cannot be read", |t| format!("{t}{{}}").into()),
    ("a statement that is a list", "cannot be read", |t| format!("[{}]\n", t.trim_end()).into()),
    ("a statement that is empty", "cannot be read", |_| Vec::new()),
    ("a statement that is no text", "not text", |_| vec![0xff, 0xfe]),
    ("a statement of two mebibytes", "too large", |_| vec![b' '; 2 << 20]),
];

pub(crate) fn statement(case: &Case) -> Statement {
    case.bench.engine.statement_for(&case.run, &super::options("mara")).unwrap()
}

pub(crate) fn sign(message: &[u8], namespace: &str, seed: u8, hash: ssh_key::HashAlg) -> String {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    key.sign(namespace, hash, message).unwrap().to_pem(ssh_key::LineEnding::LF).unwrap()
}

pub(crate) async fn rows(table: &mut Table) {
    let sha512 = ssh_key::HashAlg::Sha512;
    let add = |case: &Case, statement: &[u8], signature: &str| {
        case.bench.engine.add_signature(&case.run, statement, signature, &gate())
    };
    let control = Case::planned().await;
    let bytes = statement(&control).to_bytes();
    add(&control, &bytes, &sign(&bytes, "escher-approval", 1, sha512)).unwrap();
    control.start().await.unwrap();

    let case = Case::planned().await;
    for (what, words, change) in SIGNED {
        let mut changed = statement(&case);
        change(&mut changed);
        assert_ne!(changed, statement(&case), "{what}");
        let bytes = changed.to_bytes();
        let result = add(&case, &bytes, &sign(&bytes, "escher-approval", 1, sha512));
        table.refused(what, words, &case, result);
    }
    let bytes = statement(&case).to_bytes();
    let signature = sign(&bytes, "escher-approval", 1, sha512);
    for (member, value) in AFTERWARDS {
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        assert_ne!(json[member], value);
        json[member] = value;
        let what = format!("`{member}` changed after it was signed");
        table.refused(&what, "does not count", &case, add(&case, format!("{json}\n").as_bytes(), &signature));
    }
    let text = String::from_utf8(bytes.clone()).unwrap();
    for (what, words, spell) in SPELLINGS {
        let spelled = spell(&text);
        assert_ne!(spelled, bytes, "{what}");
        let result = add(&case, &spelled, &sign(&spelled, "escher-approval", 1, sha512));
        table.refused(what, words, &case, result);
    }
    // What was refused all along was refused for its own sake.
    add(&case, &bytes, &signature).unwrap();
    case.start().await.unwrap();
}

//! Who plans and who signs. Keys are made of a number, so that a seed gives the same signatures again.

use std::collections::BTreeMap;

use escher_engine::{AllowedSigners, ApproveOptions, Engine, Gate, SigningKey};

const MANAGERS: [(&str, u8); 2] = [("mara", 1), ("ben", 2)];

fn key(seed: u8) -> SigningKey {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    SigningKey::parse(key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes(), || None).unwrap()
}

/// The gate of two managers, or one that a throw-away key passes.
pub fn gate(signed: bool) -> Gate {
    if !signed {
        return Gate { sandbox: true, ..Gate::default() };
    }
    let line = |(who, seed): (&str, u8)| format!("{who} {}\n", key(seed).public_line().unwrap());
    let file: String = MANAGERS.into_iter().map(line).collect();
    let managers = MANAGERS.map(|(who, _)| who.to_string()).to_vec();
    Gate {
        signers: AllowedSigners::parse(&file).unwrap(),
        roles: BTreeMap::from([("manager".to_string(), managers)]),
        ..Gate::default()
    }
}

/// Both sign a run, or the rest of one that waits, with these words.
pub fn sign(engine: &Engine, run: &str, comment: &str) -> Result<(), String> {
    for (who, seed) in MANAGERS {
        let options = ApproveOptions { principal: who.into(), comment: comment.into() };
        engine.approve(run, &key(seed), &options, &gate(true)).map_err(|e| format!("{who} cannot sign: {e}"))?;
    }
    Ok(())
}

/// One of them takes back what was signed so far.
pub fn take_back(engine: &Engine, run: &str, comment: &str) -> Result<(), String> {
    let [(who, seed), _] = MANAGERS;
    let options = ApproveOptions { principal: who.into(), comment: comment.into() };
    engine.revoke(run, &key(seed), &options, &gate(true)).map(drop).map_err(|e| format!("{who} cannot revoke: {e}"))
}

//! Keys and signatures: weak and foreign ones, other namespaces and hashes, and every kind of damage.

use std::process::{Command, Stdio};

use escher_engine::AllowedSigners;
use rsa::sha2::Digest as _;

use super::statements::{sign, statement};
use super::*;

fn gate_of(line: &str) -> Gate {
    Gate { signers: AllowedSigners::parse(&format!("mara {line}")).unwrap(), ..gate() }
}

/// The bytes in an armoured signature.
fn unarmoured(signature: &str) -> Vec<u8> {
    let text: String = signature.lines().filter(|line| !line.starts_with('-')).collect();
    base64(&text)
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for c in text.bytes().filter(|c| *c != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|d| *d == c).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn armoured(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// A signature of a security key, made by hand: such a key signs application, flags and counter besides.
pub(crate) fn security_key(message: &[u8], touched: bool) -> (String, String) {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[21; 32]);
    let private = ssh_key::PrivateKey::from(pair.clone());
    let public = [text(b"sk-ssh-ed25519@openssh.com"), text(&pair.public.0), text(b"ssh:")].concat();
    let data = ssh_key::SshSig::signed_data("escher-approval", ssh_key::HashAlg::Sha512, message).unwrap();
    let hash = |bytes: &[u8]| rsa::sha2::Sha256::digest(bytes).to_vec();
    let flags = [u8::from(touched), 0, 0, 0, 7];
    let signed = [hash(b"ssh:"), flags.to_vec(), hash(&data)].concat();
    let raw: ssh_key::Signature = rsa::signature::Signer::try_sign(&private, &signed).unwrap();
    let inner = [text(b"sk-ssh-ed25519@openssh.com"), text(raw.as_bytes()), flags.to_vec()].concat();
    let version = 1u32.to_be_bytes();
    let parts = [
        &b"SSHSIG"[..],
        &version,
        &text(&public),
        &text(b"escher-approval"),
        &text(b""),
        &text(b"sha512"),
        &text(&inner),
    ];
    let line = format!(
        "sk-ssh-ed25519@openssh.com {}",
        armoured(&public).lines().filter(|l| !l.starts_with('-')).collect::<String>()
    );
    (line, armoured(&parts.concat()))
}

/// A key that `ssh-keygen` makes, and its signature of a message: public line and armoured signature.
fn ssh_keygen(kind: &str, bits: &str, message: &[u8]) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let (file, message_file) = (folder.path().join("key"), folder.path().join("m"));
    std::fs::write(&message_file, message).unwrap();
    let mut make = Command::new("ssh-keygen");
    make.args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", "", "-f"]).arg(&file);
    if !make.stderr(Stdio::null()).status().ok()?.success() {
        return None;
    }
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "escher-approval", "-f"]).arg(&file).arg(&message_file);
    let _ = sign.stderr(Stdio::null()).status().ok()?;
    let public = std::fs::read_to_string(folder.path().join("key.pub")).ok()?;
    let signature = std::fs::read_to_string(folder.path().join("m.sig")).unwrap_or_default();
    Some((public.trim().to_string(), signature))
}

type Damage = (&'static str, &'static str, fn(&str) -> String);

const DAMAGES: &[Damage] = &[
    ("no signature", "cannot be read", |_| String::new()),
    ("a signature without armour", "cannot be read", |s| {
        s.lines().filter(|l| !l.starts_with('-')).collect::<Vec<_>>().join("\n")
    }),
    ("the armour of something else", "cannot be read", |s| s.replace("SSH SIGNATURE", "CERTIFICATE")),
    ("a signature that was cut off", "cannot be read", |s| {
        let bytes = unarmoured(s);
        armoured(&bytes[..bytes.len() - 9])
    }),
    ("a signature with bytes behind it", "cannot be read", |s| armoured(&[unarmoured(s), vec![0; 3]].concat())),
    ("a signature with words before its armour", "does not count", |s| format!("approved by mara\n{s}")),
    ("a signature with words behind its armour", "does not count", |s| format!("{s}approved by mara\n")),
    ("two signatures in one", "does not count", |s| format!("{s}{s}")),
    ("a signature with another magic", "cannot be read", |s| flipped(s, 0)),
    ("a signature of another version", "does not count", |s| flipped(s, 9)),
    ("a signature of two mebibytes", "too large", |s| format!("{s}{}", "\n".repeat(2 << 20))),
];

fn flipped(signature: &str, at: usize) -> String {
    let mut bytes = unarmoured(signature);
    bytes[at] ^= 1;
    armoured(&bytes)
}

pub(crate) async fn rows(table: &mut Table) {
    let sha512 = ssh_key::HashAlg::Sha512;
    let case = Case::planned().await;
    let bytes = statement(&case).to_bytes();
    let good = sign(&bytes, "escher-approval", 1, sha512);
    assert_eq!(
        armoured(&unarmoured(&good)).split_whitespace().collect::<String>(),
        good.split_whitespace().collect::<String>()
    );
    let add = |case: &Case, signature: &str| case.bench.engine.add_signature(&case.run, &bytes, signature, &gate());
    for (what, words, damage) in DAMAGES {
        let damaged = damage(&good);
        assert_ne!(damaged, good, "{what}");
        table.refused(what, words, &case, add(&case, &damaged));
    }
    // A bit anywhere: in the key, the namespace, the hash's name, the signature.
    let length = unarmoured(&good).len();
    for at in [14, 20, 50, 64, 70, 80, 92, 100, 120, length - 70, length - 30, length - 1] {
        table.refused(
            &format!("byte {at} of the signature changed"),
            "does not count",
            &case,
            add(&case, &flipped(&good, at)),
        );
    }
    for (what, namespace) in [
        ("the namespace of git", "git"),
        ("the namespace of trust", "escher-trust"),
        ("a namespace that begins alike", "escher-approval2"),
    ] {
        table.refused(what, "namespace", &case, add(&case, &sign(&bytes, namespace, 1, sha512)));
    }
    // The name of another hash than the one that was signed with.
    let named = String::from_utf8_lossy(&unarmoured(&good)).contains("sha512");
    assert!(named);
    let mut other = unarmoured(&good);
    let at = other.windows(6).position(|w| w == b"sha512").unwrap();
    other[at..at + 6].copy_from_slice(b"sha256");
    table.refused("the name of another hash", "does not fit", &case, add(&case, &armoured(&other)));
    other[at..at + 6].copy_from_slice(b"sha1\0\0");
    table.refused("the name of a hash that nobody takes", "cannot be read", &case, add(&case, &armoured(&other)));
    table.refused(
        "another's signature",
        "not for `mara`",
        &case,
        add(&case, &sign(&bytes, "escher-approval", 2, sha512)),
    );
    // Another's key put before mara's signature.
    let mut swapped = unarmoured(&good);
    let own = ssh_key::private::Ed25519Keypair::from_seed(&[1; 32]).public.0;
    let at = swapped.windows(32).position(|w| w == own).unwrap();
    swapped[at..at + 32].copy_from_slice(&ssh_key::private::Ed25519Keypair::from_seed(&[2; 32]).public.0);
    table.refused("another's key on her signature", "does not fit", &case, add(&case, &armoured(&swapped)));
    // SHA-256 inside SSHSIG is good: what `ssh-keygen -Y sign -O hashalg=sha256` makes.
    add(&case, &sign(&bytes, "escher-approval", 1, ssh_key::HashAlg::Sha256)).unwrap();
    case.start().await.unwrap();

    // Security keys count when they were touched.
    for (touched, what) in [(false, "a security key that nobody touched"), (true, "")] {
        let case = Case::planned().await;
        let bytes = statement(&case).to_bytes();
        let (line, signature) = security_key(&bytes, touched);
        let result = case.bench.engine.add_signature(&case.run, &bytes, &signature, &gate_of(&line));
        match touched {
            true => drop(result.unwrap()),
            false => table.refused(what, "not touched", &case, result),
        }
    }
    // Weak ones. Without `ssh-keygen`, or where it makes none any more, there is nothing to try.
    for (kind, bits, words, what) in [
        ("rsa", "1024", "too weak", "an RSA key of 1024 bits"),
        ("dsa", "1024", "kind ssh-dss", "a DSA key"),
        ("rsa", "2048", "", ""),
        ("rsa", "3072", "", ""),
        ("ecdsa", "256", "", ""),
        ("ecdsa", "384", "", ""),
    ] {
        let case = Case::planned().await;
        let bytes = statement(&case).to_bytes();
        let Some((line, signature)) = ssh_keygen(kind, bits, &bytes) else { continue };
        let gate = gate_of(&line);
        if !words.is_empty() && signature.is_empty() {
            // It makes the key and signs nothing with it: as a root key, say.
            let result = case.bench.engine.pin_root(&line, &gate, "mara");
            assert!(result.unwrap_err().to_string().contains(words), "{what}");
            continue;
        }
        let result = case.bench.engine.add_signature(&case.run, &bytes, &signature, &gate);
        match words {
            "" => drop(result.unwrap_or_else(|e| panic!("{kind} {bits}: {e}"))),
            words => table.refused(what, words, &case, result),
        }
    }
}

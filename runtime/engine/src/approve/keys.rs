//! Private keys that people have, in OpenSSH's format. Never written, never logged.

use std::path::Path;

use escher_ir::statement::NAMESPACE;
use ssh_key::private::{KeypairData, RsaKeypair};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use crate::error::EngineError;
use crate::limits::MAX_SIGNATURE_FILE;

/// A private key that can sign.
pub struct SigningKey {
    key: PrivateKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.fingerprint()).finish()
    }
}

impl SigningKey {
    /// Reads a private key file; `passphrase` is asked where it is encrypted (none: gives up).
    pub fn read(path: &Path, passphrase: impl FnOnce() -> Option<String>) -> Result<SigningKey, EngineError> {
        let shown = path.display();
        let text = std::fs::read(path).map_err(|e| EngineError::Key(format!("cannot read key {shown}: {e}")))?;
        if text.len() > MAX_SIGNATURE_FILE {
            return Err(EngineError::Key(format!("E0604: {shown} is too large to be a key")));
        }
        SigningKey::parse(&text, passphrase).map_err(|e| match e {
            EngineError::Key(reason) => EngineError::Key(format!("key {shown}: {reason}")),
            other => other,
        })
    }

    /// Reads a private key in OpenSSH's format.
    pub fn parse(text: &[u8], passphrase: impl FnOnce() -> Option<String>) -> Result<SigningKey, EngineError> {
        let key = PrivateKey::from_openssh(text).map_err(|e| {
            EngineError::Key(format!(
                "not a private key in OpenSSH's format ({e}); `ssh-keygen -p -f FILE` rewrites older formats"
            ))
        })?;
        let key = if key.is_encrypted() {
            let secret = passphrase().ok_or_else(|| EngineError::Key("it needs a passphrase".into()))?;
            key.decrypt(secret).map_err(|_| EngineError::Key("the passphrase does not fit".into()))?
        } else {
            key
        };
        let algorithm = key.algorithm();
        match algorithm {
            Algorithm::Ed25519 | Algorithm::Rsa { .. } | Algorithm::Ecdsa { .. } => Ok(SigningKey { key }),
            other => Err(EngineError::Key(format!(
                "keys of kind {other} cannot sign here; sign the statement with `ssh-keygen -Y sign` and add the signature"
            ))),
        }
    }

    /// A throw-away key in memory.
    pub(crate) fn throw_away() -> Result<SigningKey, EngineError> {
        let seed = crate::platform::random::<32>().map_err(|e| EngineError::Key(e.to_string()))?;
        let pair = ssh_key::private::Ed25519Keypair::from_seed(&seed);
        Ok(SigningKey { key: PrivateKey::from(pair) })
    }

    /// The public key as a line of an allowed-signers file has it.
    pub fn public_line(&self) -> Result<String, EngineError> {
        self.key.public_key().to_openssh().map_err(|e| EngineError::Key(e.to_string()))
    }

    /// `SHA256:…`
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// An armoured signature in the namespace of approvals.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String, EngineError> {
        self.sign_as(NAMESPACE, message)
    }

    /// An armoured signature in a namespace.
    pub(crate) fn sign_as(&self, namespace: &str, message: &[u8]) -> Result<String, EngineError> {
        let signature = match self.key.key_data() {
            KeypairData::Rsa(pair) => sign_rsa(pair, namespace, message),
            _ => self.key.sign(namespace, HashAlg::Sha512, message),
        };
        signature
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|e| EngineError::Key(format!("cannot sign: {e}")))
    }
}

/// RSA with SHA-512. Not `PrivateKey::sign`: in ssh-key 0.6.7 that builds the key with one prime twice, and fails.
fn sign_rsa(pair: &RsaKeypair, namespace: &str, message: &[u8]) -> ssh_key::Result<SshSig> {
    let number =
        |n: &ssh_key::Mpint| n.as_positive_bytes().map(rsa::BigUint::from_bytes_be).ok_or(ssh_key::Error::Crypto);
    let primes = vec![number(&pair.private.p)?, number(&pair.private.q)?];
    let (n, e, d) = (number(&pair.public.n)?, number(&pair.public.e)?, number(&pair.private.d)?);
    let key = rsa::RsaPrivateKey::from_components(n, e, d, primes).map_err(|_| ssh_key::Error::Crypto)?;
    if rsa::traits::PublicKeyParts::size(&key) < 256 {
        // OpenSSH takes no shorter ones either.
        return Err(ssh_key::Error::Crypto);
    }
    let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha512>::new(key);
    let data = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
    let raw = rsa::signature::Signer::try_sign(&key, &data).map_err(|_| ssh_key::Error::Crypto)?;
    let algorithm = Algorithm::Rsa { hash: Some(HashAlg::Sha512) };
    let signature = ssh_key::Signature::new(algorithm, rsa::signature::SignatureEncoding::to_vec(&raw))?;
    SshSig::new(pair.public.clone().into(), namespace, HashAlg::Sha512, signature)
}

/// Why a key is too weak to count; nothing where it isn't.
pub(crate) fn check_strength(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Rsa(rsa) => {
            let bytes = rsa.n.as_positive_bytes().unwrap_or_default();
            let first = bytes.first().map_or(0, |b| b.leading_zeros() as usize);
            let bits = (bytes.len() * 8).saturating_sub(first);
            if bits < MIN_RSA_BITS {
                Err(format!("an RSA key of {bits} bits is too weak: {MIN_RSA_BITS} at least"))
            } else {
                Ok(())
            }
        }
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        other => Err(format!("keys of kind {} do not count", other.algorithm())),
    }
}

/// RSA keys below this don't count; OpenSSH takes no shorter ones either, from 9.1 on, where it is told to.
const MIN_RSA_BITS: usize = 2048;

/// Whether a signature is a good one of its own key over these bytes, in this namespace.
pub(crate) fn check_signature(signature: &SshSig, namespace: &str, message: &[u8]) -> Result<(), String> {
    // The version is not signed: an older one would be another spelling of the same signature.
    if signature.version() != 1 {
        return Err(format!("version {} of the signature's format does not count", signature.version()));
    }
    let key = signature.public_key();
    check_strength(key)?;
    let algorithm = signature.algorithm();
    match (key, &algorithm) {
        // SHA-1: OpenSSH takes none of these in a signature file either.
        (KeyData::Rsa(_), Algorithm::Rsa { hash: None }) => {
            return Err("an RSA signature with SHA-1 does not count".into());
        }
        (KeyData::Rsa(_), Algorithm::Rsa { .. }) => {}
        (key, algorithm) if key.algorithm() != *algorithm => {
            return Err(format!(
                "a signature of kind {algorithm} does not belong to a key of kind {}",
                key.algorithm()
            ));
        }
        _ => {}
    }
    // A security key that nobody touched: anything on the machine may have asked it.
    if matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        let raw = signature.signature().as_bytes();
        let flags = raw.len().checked_sub(5).and_then(|at| raw.get(at)).copied().unwrap_or_default();
        if flags & 1 == 0 {
            return Err("the security key was not touched for this signature".into());
        }
    }
    // `verify` checks the namespace too.
    PublicKey::new(key.clone(), "")
        .verify(namespace, message, signature)
        .map_err(|_| "the signature does not fit the statement, or is of another namespace".to_string())
}

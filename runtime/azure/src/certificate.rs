//! A service principal that proves itself by a certificate: a statement signed with its private key, good for ten minutes.
//!
//! `azure_identity` has this behind OpenSSL alone; the format is Entra's (PS256, the certificate named by the SHA-256 of its
//! bytes). Only PEM is read: PFX files and keys behind a passphrase are refused by name.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use azure_core::error::{Error, ErrorKind};
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

/// Seconds for which a statement is good; Entra takes ten minutes at most.
const LIFETIME: u64 = 600;

/// A certificate with its key.
pub(crate) struct Certificate {
    client: String,
    audience: String,
    thumbprint: String,
    key: RsaKeyPair,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Certificate {
    /// The certificate and key of a PEM file, for tokens of `authority` (`https://login.microsoftonline.com`).
    pub(crate) fn read(path: &str, authority: &str, tenant: &str, client: &str) -> azure_core::Result<Certificate> {
        let bytes = std::fs::read(path).map_err(|e| wrong(path, &e.to_string()))?;
        let certificate = CertificateDer::from_pem_slice(&bytes)
            .map_err(|_| wrong(path, "it holds no certificate as PEM (a PFX file is not read: convert it)"))?;
        let key = match PrivateKeyDer::from_pem_slice(&bytes) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(wrong(path, "it holds no private RSA key as PEM without a passphrase")),
        };
        let key = key.map_err(|e| wrong(path, &format!("its private key can't be used: {e}")))?;
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        let audience = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        Ok(Certificate { client: client.to_owned(), audience, thumbprint, key })
    }

    fn statement(&self) -> Option<String> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": self.audience, "iss": self.client, "sub": self.client, "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": now, "iat": now, "exp": now + LIFETIME,
        });
        let text = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &random, text.as_bytes(), &mut signature).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.statement().ok_or_else(|| Error::with_message(ErrorKind::Credential, "the statement can't be signed"))
    }
}

fn wrong(path: &str, why: &str) -> Error {
    Error::with_message(ErrorKind::Credential, format!("AZURE_CLIENT_CERTIFICATE_PATH is {path}: {why}"))
}

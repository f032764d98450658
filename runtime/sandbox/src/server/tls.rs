//! TLS: an authority of its own, made at the start, and the certificate of this machine's names.
//!
//! Only the authority's certificate is written down, for the tools to be pointed at; its key is never on a disk, and ends with
//! the process. The authority may speak for this machine alone, so that trusting it opens nothing else.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// Makes an authority, writes its certificate, and gives what takes connections under it.
pub(super) fn acceptor(certificate: &Path) -> Result<TlsAcceptor, String> {
    let (pem, config) = make().map_err(|e| e.to_string())?;
    let fail = |e: std::io::Error| format!("{}: {e}", certificate.display());
    if let Some(folder) = certificate.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    // Beside it first: a tool that reads it never sees half of one.
    let beside = certificate.with_extension("new");
    std::fs::write(&beside, pem).map_err(fail)?;
    std::fs::rename(&beside, certificate).map_err(fail)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn make() -> Result<(String, ServerConfig), Box<dyn std::error::Error>> {
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let valid = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(i32::from(year) - 1, 1, 1);
        params.not_after = date_time_ymd(i32::from(year) + 1, 12, 31);
    };
    let mut authority = CertificateParams::default();
    valid(&mut authority);
    authority.distinguished_name.push(DnType::CommonName, "Escher practice cloud");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(std::net::Ipv6Addr::LOCALHOST.octets(), [255; 16])),
        ],
        excluded_subtrees: Vec::new(),
    });
    let authority_key = KeyPair::generate()?;
    let pem = authority.self_signed(&authority_key)?.pem();

    let mut own = CertificateParams::new(vec!["localhost".to_owned(), "practice.localhost".to_owned()])?;
    valid(&mut own);
    own.distinguished_name.push(DnType::CommonName, "localhost");
    own.subject_alt_names.push(SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()));
    own.subject_alt_names.push(SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()));
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    own.use_authority_key_identifier_extension = true;
    let own_key = KeyPair::generate()?;
    let certificate = own.signed_by(&own_key, &Issuer::new(authority, authority_key))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((pem, config))
}

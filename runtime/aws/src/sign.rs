//! Signatures of requests (SigV4).
//!
//! This module does *not* find credentials or send anything.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
    UriPathNormalizationMode, sign as make,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::http::Request;
use escher_catalog::Record;
use escher_provider::{CallError, ErrorKind};

use crate::endpoint::Place;

/// Whether the operation is signed at all, or why it can't be.
pub(crate) fn is_signed(record: &Record) -> Result<bool, CallError> {
    if record.operation.unsigned {
        return Ok(false);
    }
    match &*record.service.signature_version {
        "v4" | "s3" | "s3v4" | "v4a" | "" => Ok(true),
        "none" => Ok(false),
        other => Err(CallError::unsent(
            ErrorKind::Invalid,
            format!("{} is signed in a way that isn't supported: {other}", record.service.full_name),
        )),
    }
}

/// Adds the signature to a request that has its full address.
pub(crate) fn sign(
    record: &Record,
    http: &mut Request,
    credentials: &Credentials,
    place: &Place,
) -> Result<(), CallError> {
    let failed = |what: &str| CallError::unsent(ErrorKind::Invalid, format!("the request can't be signed: {what}"));
    let mut settings = SigningSettings::default();
    if matches!(&*record.service.signature_version, "s3" | "s3v4") {
        // Keys of objects are not paths: nothing in them is normalised, and they are encoded once.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&place.signing_region)
        .name(place.signing_name.as_deref().unwrap_or(&record.service.signing_name))
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|_| failed("a parameter is missing"))?;
    let body = if record.operation.unsigned_payload {
        SignableBody::UnsignedPayload
    } else {
        SignableBody::Bytes(http.body().bytes().unwrap_or_default())
    };
    let signable = SignableRequest::new(http.method(), http.uri(), http.headers().iter(), body);
    let signable = signable.map_err(|_| failed("its address or a header is malformed"))?;
    let signed = make(signable, &SigningParams::V4(params)).map_err(|_| failed("the signer refused it"))?;
    let (headers, _) = signed.into_parts().0.into_parts();
    for header in headers {
        let value = header.value().to_owned();
        http.headers_mut().try_insert(header.name(), value).map_err(|_| failed("a header is malformed"))?;
    }
    Ok(())
}

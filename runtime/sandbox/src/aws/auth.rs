//! Who calls, in which region, which service: the credential scope of a Signature Version 4 request.
//!
//! Reads the scope and sees that a signature is there. Does *not* verify it: the practice cloud knows no secrets.

use super::error::ApiError;

/// What a signature says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Access key id.
    pub(crate) access_key: String,
    /// Region of the call.
    pub(crate) region: String,
    /// Signing name of the service, such as `ec2`.
    pub(crate) service: String,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The scope, from the `Authorization` header or, for presigned requests, from the query string.
pub(crate) fn scope(authorization: Option<&str>, query: &[(String, String)]) -> Result<Scope, ApiError> {
    let incomplete = |what: &str| {
        ApiError::new("IncompleteSignature", format!("The request signature does not conform to AWS standards: {what}"))
            .with_status(403)
    };
    let parameter = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let (credential, signed, signature) = if let Some(header) = authorization {
        let Some(fields) = header.strip_prefix(ALGORITHM) else {
            return Err(incomplete("the algorithm is not AWS4-HMAC-SHA256"));
        };
        let field = |name: &str| {
            let mut fields = fields.split(',').map(str::trim);
            fields.find_map(|f| f.strip_prefix(name).and_then(|f| f.strip_prefix('=')))
        };
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    } else if parameter("X-Amz-Algorithm") == Some(ALGORITHM) {
        (parameter("X-Amz-Credential"), parameter("X-Amz-SignedHeaders"), parameter("X-Amz-Signature"))
    } else {
        return Err(
            ApiError::new("MissingAuthenticationToken", "Request is missing Authentication Token").with_status(403)
        );
    };
    if signed.is_none_or(str::is_empty) {
        return Err(incomplete("SignedHeaders is missing"));
    }
    if !signature.is_some_and(|s| s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(incomplete("Signature is missing or not 64 hexadecimal digits"));
    }
    let parts: Vec<&str> = credential.unwrap_or_default().split('/').collect();
    match parts.as_slice() {
        [key, date, region, service, "aws4_request"]
            if plain(key)
                && date.len() == 8
                && date.bytes().all(|b| b.is_ascii_digit())
                && plain(region)
                && plain(service) =>
        {
            Ok(Scope { access_key: (*key).to_owned(), region: (*region).to_owned(), service: (*service).to_owned() })
        }
        _ => Err(incomplete("Credential is not KEY/DATE/REGION/SERVICE/aws4_request")),
    }
}

fn plain(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credential: &str, rest: &str) -> Result<Scope, String> {
        scope(Some(&format!("AWS4-HMAC-SHA256 Credential={credential}, {rest}")), &[]).map_err(|e| e.code)
    }

    #[test]
    fn reads_the_scope() {
        let rest = format!("SignedHeaders=host;x-amz-date, Signature={}", "0a".repeat(32));
        let scope = header("AKID/20260115/eu-central-1/ec2/aws4_request", &rest).unwrap();
        assert_eq!((&*scope.access_key, &*scope.region, &*scope.service), ("AKID", "eu-central-1", "ec2"));
        for bad in [
            "",
            "AKID",
            "AKID/1/r/ec2/aws4_request",
            "/20260115/r/ec2/aws4_request",
            "A/20260115/r/ec2/x",
            "A/20260115/r\n/ec2/aws4_request",
        ] {
            assert_eq!(header(bad, &rest), Err("IncompleteSignature".into()), "{bad}");
        }
        let good = "AKID/20260115/eu-central-1/ec2/aws4_request";
        assert_eq!(header(good, "SignedHeaders=host"), Err("IncompleteSignature".into()));
        assert_eq!(header(good, "SignedHeaders=host, Signature=xyz"), Err("IncompleteSignature".into()));
    }

    #[test]
    fn a_request_without_one_is_refused() {
        let error = scope(None, &[]).unwrap_err();
        assert_eq!((error.status, &*error.code), (403, "MissingAuthenticationToken"));
        assert_eq!(scope(Some("Basic abc"), &[]).unwrap_err().code, "IncompleteSignature");
    }

    #[test]
    fn presigned_requests_carry_it_in_the_query() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let query = [
            pair("X-Amz-Algorithm", ALGORITHM),
            pair("X-Amz-Credential", "AKID/20260115/us-east-1/sts/aws4_request"),
            pair("X-Amz-SignedHeaders", "host"),
            pair("X-Amz-Signature", &"0".repeat(64)),
        ];
        assert_eq!(scope(None, &query).unwrap().service, "sts");
    }
}

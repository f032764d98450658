//! Where buckets are: S3 refuses a call in the wrong region and says which is the right one.
//!
//! A call that was refused so had no effect, so it goes out once more, also where it changes something.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::http::Headers;
use escher_ir::Value;
use escher_provider::Request;

/// The header that says where a bucket is.
const HEADER: &str = "x-amz-bucket-region";

/// Buckets that are remembered; past it all are found out again.
const MOST: usize = 10_000;

/// Buckets that are not where they were looked for, and where they are.
#[derive(Debug, Default)]
pub(crate) struct Homes(Mutex<HashMap<String, String>>);

impl Homes {
    /// Where the bucket of a request is, as far as it had to be found out.
    pub(crate) fn of(&self, request: &Request) -> Option<String> {
        let bucket = bucket(request)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    /// Remembers where S3 said that the bucket of a request is; whether that is news.
    pub(crate) fn learn(&self, request: &Request, home: &str, tried: &str) -> bool {
        let Some(bucket) = bucket(request).filter(|_| home != tried) else { return false };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(bucket.to_owned(), home.to_owned());
        true
    }
}

fn bucket(request: &Request) -> Option<&str> {
    if &*request.record.service.name != "s3" {
        return None;
    }
    request.arguments.get("bucket").and_then(Value::as_str)
}

/// What a refusal says of where the bucket is: a redirection, or a signature for another region.
pub(crate) fn said(status: u16, headers: &Headers) -> Option<String> {
    let region = headers.get(HEADER).filter(|_| matches!(status, 301 | 307 | 400))?;
    // It becomes part of a host name.
    let plain = !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    plain.then(|| region.to_owned())
}

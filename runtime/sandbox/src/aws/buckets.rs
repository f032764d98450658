//! From the path and the query of a request to S3 to its operation.

use std::collections::BTreeMap;

use escher_catalog::Service;
use escher_catalog::model::Operation;

use crate::rest::route::decode;

/// The operation of a request, and the members that its path holds. Of several, the one whose query words are all there.
pub(crate) fn find<'s>(
    service: &'s Service,
    method: &str,
    path: &str,
    query: &[(String, String)],
) -> Option<(&'s Operation, BTreeMap<String, String>)> {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let mut members = BTreeMap::new();
    for (name, value) in [("Bucket", bucket), ("Key", key)] {
        if !value.is_empty() {
            members.insert(name.to_owned(), decode(value)?);
        }
    }
    let given = |word: &str| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        query.iter().any(|(n, v)| n == name && (value.is_empty() || v == value))
    };
    let mut best: Option<(&Operation, usize)> = None;
    for operation in service.operations.iter().filter(|o| *o.method == *method) {
        let (template, words) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
        let level = template.matches('{').count();
        // Which operation it is, SDKs say besides; it tells nothing apart.
        let words: Vec<&str> = words.split('&').filter(|w| !w.is_empty() && !w.starts_with("x-id=")).collect();
        if level != members.len() || !words.iter().all(|word| given(word)) {
            continue;
        }
        if best.is_none_or(|(_, most)| words.len() > most) {
            best = Some((operation, words.len()));
        }
    }
    best.map(|(operation, _)| (operation, members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use escher_catalog::Catalog;

    #[test]
    fn words_of_the_query_tell_operations_apart() {
        let s3 = Catalog::embedded().service("aws", "s3").unwrap();
        let find = |method: &str, path: &str, query: &[&str]| {
            let query: Vec<_> = query
                .iter()
                .map(|q| q.split_once('=').unwrap_or((q, "")))
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect();
            find(&s3, method, path, &query).map(|(o, _)| o.official.to_string())
        };
        assert_eq!(find("GET", "/", &[]).as_deref(), Some("ListBuckets"));
        assert_eq!(find("PUT", "/b", &[]).as_deref(), Some("CreateBucket"));
        assert_eq!(find("PUT", "/b", &["publicAccessBlock"]).as_deref(), Some("PutPublicAccessBlock"));
        assert_eq!(find("GET", "/b", &["list-type=2", "prefix="]).as_deref(), Some("ListObjectsV2"));
        assert_eq!(find("GET", "/b/a/key", &["x-id=GetObject"]).as_deref(), Some("GetObject"));
        assert_eq!(find("HEAD", "/b", &[]).as_deref(), Some("HeadBucket"));
    }
}

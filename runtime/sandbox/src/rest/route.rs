//! From a method and a path to an operation, by the templates of the catalogue.

use std::collections::BTreeMap;

use escher_catalog::Catalog;

use super::Handler;

/// An operation with its template, cut at slashes.
pub(crate) struct Route {
    /// Official name.
    pub(crate) operation: String,
    pub(crate) handler: Handler,
    method: String,
    segments: Vec<Segment>,
}

enum Segment {
    Word(String),
    Parameter(String),
}

impl Route {
    /// A route that the catalogue does not have.
    pub(crate) fn own(operation: &str, method: &str, template: &str, handler: Handler) -> Route {
        Route { operation: operation.into(), handler, method: method.into(), segments: cut(template) }
    }

    fn takes(&self, method: &str, path: &[&str]) -> Option<BTreeMap<String, String>> {
        if self.method != method || self.segments.len() != path.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, given) in self.segments.iter().zip(path) {
            match segment {
                // Resource Manager does not tell cases apart; nothing that Google has differs in case alone.
                Segment::Word(word) if word.eq_ignore_ascii_case(given) => {}
                Segment::Word(_) => return None,
                Segment::Parameter(name) => {
                    parameters.insert(name.clone(), decode(given)?);
                }
            }
        }
        Some(parameters)
    }
}

/// Routes of operations of a service, by their official names. One that the catalogue lacks is left out, which a test
/// finds.
pub(crate) fn of_catalog(cloud: &str, service: &str, table: &[(&str, Handler)]) -> Vec<Route> {
    let Some(service) = Catalog::current().service(cloud, service) else { return Vec::new() };
    let mut routes = Vec::new();
    for (official, handler) in table {
        let found = service.operations.iter().find(|operation| *operation.official == **official);
        if let Some(operation) = found {
            routes.push(Route::own(official, &operation.method, &operation.uri, *handler));
        }
    }
    routes
}

/// The route of a request, with the parameters of its path.
pub(crate) fn find<'r>(routes: &'r [Route], method: &str, path: &str) -> Option<(&'r Route, BTreeMap<String, String>)> {
    let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    routes.iter().find_map(|route| Some((route, route.takes(method, &path)?)))
}

fn cut(template: &str) -> Vec<Segment> {
    let segments = template.trim_start_matches('/').split('/');
    segments
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.trim_start_matches('+').into()),
            None => Segment::Word(segment.into()),
        })
        .collect()
}

/// Percent-decodes; nothing where it is malformed.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let half = |b: Option<u8>| char::from(b?).to_digit(16);
        match byte {
            b'%' => bytes.push(u8::try_from(half(rest.next())? * 16 + half(rest.next())?).ok()?),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Route, decode, find};
    use crate::rest::Answer;

    #[test]
    fn finds_the_operation_of_a_path() {
        let handler = |_: &mut crate::World, _: &mut crate::rest::Call<'_>| Ok(Answer::of(204, Vec::new()));
        let routes = [
            Route::own("List", "GET", "/groups/{group}/machines", handler),
            Route::own("Stop", "POST", "/groups/{group}/machines/{name}/stop", handler),
        ];
        let (route, parameters) = find(&routes, "POST", "/Groups/a%20b/machines/m/stop").unwrap();
        assert_eq!(route.operation, "Stop");
        assert_eq!(parameters["group"], "a b");
        assert!(find(&routes, "GET", "/groups/a/machines/m/stop").is_none());
        assert!(find(&routes, "GET", "/groups/a").is_none());
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%C3%BC").as_deref(), Some("ü"));
    }
}

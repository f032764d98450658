//! From a method and a path to an operation, by the templates of the catalogue.
//!
//! Every operation of a service has a route, also those that the practice cloud does not serve: it can then say which one
//! it is that it lacks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use escher_catalog::Service;
use escher_catalog::model::Operation;

/// An operation with its template, cut at slashes, and what serves it.
pub(crate) struct Route<T> {
    /// Official name.
    pub(crate) operation: Arc<str>,
    pub(crate) serve: T,
    /// Its service, and where in it the operation stands; none where the catalogue does not have it.
    pub(crate) described: Option<(Arc<Service>, usize)>,
    segments: Vec<Segment>,
    /// What follows the last segment and a colon, as in `secrets/a:destroy`.
    pub(crate) verb: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Word(String),
    Parameter(String),
    /// Any number of segments, one at least.
    Many(String),
}

impl<T> Route<T> {
    /// The operation's description.
    pub(crate) fn description(&self) -> Option<(&Service, &Operation)> {
        let (service, at) = self.described.as_ref()?;
        Some((service, service.operations.get(*at)?))
    }

    fn takes(&self, path: &[&str]) -> Option<BTreeMap<String, String>> {
        let last = path.last()?;
        let bare = match &self.verb {
            Some(verb) => Some(last.strip_suffix(verb.as_str())?.strip_suffix(':')?),
            None => None,
        };
        let segment = |at: usize| match bare {
            Some(bare) if at + 1 == path.len() => Some(bare),
            _ => path.get(at).copied(),
        };
        let many = self.segments.iter().any(|s| matches!(s, Segment::Many(_)));
        let spare = path.len().checked_sub(self.segments.len())?;
        if spare > 0 && !many {
            return None;
        }
        let (mut parameters, mut at) = (BTreeMap::new(), 0);
        for wanted in &self.segments {
            match wanted {
                // Resource Manager does not tell cases apart; nothing that Google has differs in case alone.
                Segment::Word(word) if word.eq_ignore_ascii_case(segment(at)?) => at += 1,
                Segment::Word(_) => return None,
                Segment::Parameter(name) => {
                    parameters.insert(name.clone(), decode(segment(at)?).filter(|value| !value.is_empty())?);
                    at += 1;
                }
                Segment::Many(name) => {
                    let parts: Option<Vec<&str>> = (at..=at + spare).map(segment).collect();
                    parameters.insert(name.clone(), decode(&parts?.join("/"))?);
                    at += spare + 1;
                }
            }
        }
        Some(parameters)
    }
}

/// Routes, found by method and length.
pub(crate) struct Router<T> {
    routes: Vec<Route<T>>,
    fixed: HashMap<(String, usize), Vec<usize>>,
    open: Vec<(String, usize)>,
}

impl<T> Router<T> {
    pub(crate) fn new() -> Router<T> {
        Router { routes: Vec::new(), fixed: HashMap::new(), open: Vec::new() }
    }

    /// A route that the catalogue does not have.
    pub(crate) fn own(&mut self, operation: &str, method: &str, template: &str, serve: T) {
        let (segments, verb) = cut(template);
        self.add(method, Route { operation: operation.into(), serve, described: None, segments, verb });
    }

    /// Every operation of a service; `serve` says by what, from the operation and its template.
    pub(crate) fn service(
        &mut self,
        service: &Arc<Service>,
        cut: impl Fn(&Operation) -> (Vec<Segment>, Option<String>),
        serve: impl Fn(&Operation, &[Segment], Option<&str>) -> T,
    ) {
        for (at, operation) in service.operations.iter().enumerate() {
            let (segments, verb) = cut(operation);
            let serve = serve(operation, &segments, verb.as_deref());
            let described = Some((Arc::clone(service), at));
            let route = Route { operation: operation.official.clone(), serve, described, segments, verb };
            self.add(&operation.method, route);
        }
    }

    fn add(&mut self, method: &str, route: Route<T>) {
        let number = self.routes.len();
        if route.segments.iter().any(|s| matches!(s, Segment::Many(_))) {
            self.open.push((method.to_owned(), number));
        } else {
            self.fixed.entry((method.to_owned(), route.segments.len())).or_default().push(number);
        }
        self.routes.push(route);
    }

    /// The route of a request, with the parameters of its path. Of several, the one with the most fixed words.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<(&Route<T>, BTreeMap<String, String>)> {
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fixed = self.fixed.get(&(method.to_owned(), path.len())).into_iter().flatten().copied();
        let open = self.open.iter().filter(|(m, _)| m == method).map(|(_, number)| *number);
        let taken = fixed.chain(open).filter_map(|number| {
            let route = self.routes.get(number)?;
            Some((route, route.takes(&path)?))
        });
        let words = |route: &Route<T>| {
            let fixed = route.segments.iter().filter(|s| matches!(s, Segment::Word(_))).count();
            (fixed, usize::from(route.verb.is_some()))
        };
        // The first of equals, not the last: what is served comes before what is only known.
        taken.reduce(|best, next| if words(next.0) > words(best.0) { next } else { best })
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route<T>> {
        self.routes.iter()
    }
}

/// A template, cut at slashes, and its verb.
pub(crate) fn cut(template: &str) -> (Vec<Segment>, Option<String>) {
    let template = template.trim_matches('/');
    let (template, verb) = match template.rsplit_once(':') {
        Some((rest, verb)) if !verb.contains(['/', '}']) => (rest, Some(verb.to_owned())),
        _ => (template, None),
    };
    let segments =
        template.split('/').map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_prefix('+') {
                Some(name) => Segment::Many(name.into()),
                None => Segment::Parameter(name.into()),
            },
            None => Segment::Word(segment.into()),
        });
    (segments.collect(), verb)
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
    use super::*;

    #[test]
    fn finds_the_operation_of_a_path() {
        let mut routes = Router::new();
        routes.own("List", "GET", "/groups/{group}/machines", 1);
        routes.own("Any", "GET", "/groups/{group}/{kind}", 2);
        routes.own("Stop", "POST", "/groups/{group}/machines/{name}/stop", 3);
        routes.own("Metrics", "GET", "/{+scope}/metrics", 4);
        routes.own("Reveal", "GET", "/v1/secrets/{name}:access", 5);
        routes.own("Secret", "GET", "/v1/secrets/{name}", 6);
        let find = |method: &str, path: &str| routes.find(method, path).map(|(route, p)| (route.serve, p));
        let (stop, parameters) = find("POST", "/Groups/a%20b/machines/m/stop").unwrap();
        assert_eq!((stop, &*parameters["group"]), (3, "a b"));
        assert_eq!(find("GET", "/groups/a/machines").unwrap().0, 1);
        assert_eq!(find("GET", "/groups/a/disks").unwrap().0, 2);
        assert!(find("GET", "/groups/a/machines/m/stop").is_none());
        assert!(find("GET", "/groups/a").is_none());
        let (metrics, parameters) = find("GET", "/groups/a/machines/m/metrics").unwrap();
        assert_eq!((metrics, &*parameters["scope"]), (4, "groups/a/machines/m"));
        let (reveal, parameters) = find("GET", "/v1/secrets/s:access").unwrap();
        assert_eq!((reveal, &*parameters["name"]), (5, "s"));
        assert_eq!(find("GET", "/v1/secrets/s").unwrap().0, 6);
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%C3%BC").as_deref(), Some("ü"));
    }
}

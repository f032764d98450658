//! The Google side of the practice cloud.
//!
//! Paths and parameters come from the catalogue, what a kind of resource is from a row of [`kinds`], what is done with it
//! from [`engine`]. What the catalogue knows and the table does not is answered as an unsupported operation, by its name.

mod address;
mod buckets;
mod databases;
mod disks;
mod engine;
mod filter;
mod identity;
mod instances;
mod kinds;
mod metrics;
mod networks;
mod operations;
mod places;
mod secrets;
pub(crate) mod state;

use std::sync::OnceLock;

use escher_catalog::Catalog;
use escher_catalog::model::Operation;
use serde_json::{Value as Json, json};

use crate::rest::route::{Router, Segment, cut};
use crate::rest::{Answer, Call, Handler, Refusal};
use crate::world::World;
use engine::Verb;
use kinds::Kind;

/// Services of the catalogue that have something here.
const SERVICES: &[&str] =
    &["compute", "storage", "sqladmin", "iam", "secretmanager", "monitoring", "cloudresourcemanager_v1"];

/// Operations that are not about a resource of the table, by their official names.
const OWN: &[(&str, &str, Handler)] = &[
    ("compute", "zoneOperations.get", operations::get),
    ("compute", "zoneOperations.wait", operations::wait),
    ("compute", "zoneOperations.list", operations::list),
    ("compute", "regionOperations.get", operations::get),
    ("compute", "regionOperations.wait", operations::wait),
    ("compute", "regionOperations.list", operations::list),
    ("compute", "globalOperations.get", operations::get),
    ("compute", "globalOperations.wait", operations::wait),
    ("compute", "globalOperations.list", operations::list),
    ("compute", "globalOperations.aggregatedList", operations::aggregated),
    ("compute", "zones.list", places::zones),
    ("compute", "zones.get", places::zone_of),
    ("compute", "regions.list", places::regions),
    ("compute", "regions.get", places::region_of),
    ("compute", "machineTypes.list", places::machine_types),
    ("compute", "machineTypes.get", places::machine_type_of),
    ("compute", "projects.get", places::project),
    ("sqladmin", "operations.get", operations::get),
    ("sqladmin", "operations.list", operations::list),
    ("cloudresourcemanager_v1", "projects.list", places::projects),
    ("cloudresourcemanager_v1", "projects.get", places::project_of),
    ("monitoring", "projects.timeSeries.list", metrics::time_series),
];

/// What serves a route.
#[derive(Clone, Copy)]
pub(crate) enum Serve {
    Own(Handler),
    Kind(&'static Kind, Verb),
    /// The catalogue knows it, the practice cloud does not have it.
    Nothing,
}

/// Everything that the catalogue knows of these services, and what serves it.
pub(crate) fn routes() -> &'static Router<Serve> {
    static ROUTES: OnceLock<Router<Serve>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let mut router = Router::new();
        for name in SERVICES {
            let Some(service) = Catalog::current().service("gcp", name) else { continue };
            router.service(&service, template, |operation, _, _| serve(name, operation));
            if *name == "sqladmin" {
                // The version that Google's own tools still ask for, with the same operations.
                let beta = |operation: &Operation| cut(&operation.uri.replacen("/v1/", "/sql/v1beta4/", 1));
                router.service(&service, beta, |operation, _, _| serve(name, operation));
            }
        }
        router
    })
}

/// The segments of an operation's path. `{+name}` is any path in the template; which one it is says the operation's name, as
/// in `projects.serviceAccounts.keys.get`.
fn template(operation: &Operation) -> (Vec<Segment>, Option<String>) {
    let (segments, verb) = cut(&operation.uri);
    let Some(at) = segments.iter().position(|s| matches!(s, Segment::Many(_))) else { return (segments, verb) };
    let (before, rest) = segments.split_at_checked(at).unwrap_or_default();
    let after = rest.get(1..).unwrap_or_default();
    let mut collections: Vec<&str> = operation.official.split('.').collect();
    collections.pop();
    if let (Some(Segment::Word(word)), Some(last)) = (after.first(), collections.last())
        && word == last
    {
        collections.pop();
    }
    let pairs = collections.iter().flat_map(|collection| {
        let parameter = collection.strip_suffix('s').unwrap_or(collection);
        [Segment::Word((*collection).to_owned()), Segment::Parameter(parameter.to_owned())]
    });
    (before.iter().cloned().chain(pairs).chain(after.iter().cloned()).collect(), verb)
}

fn serve(service: &str, operation: &Operation) -> Serve {
    if let Some((.., handler)) = OWN.iter().find(|(s, name, _)| *s == service && *operation.official == **name) {
        return Serve::Own(*handler);
    }
    let Some((collection, word)) = operation.official.rsplit_once('.') else { return Serve::Nothing };
    let Some(kind) = kinds::kind(service, collection) else { return Serve::Nothing };
    let verb = match word {
        "insert" | "create" => Verb::Insert,
        "get" => Verb::Get,
        "list" => Verb::List,
        "aggregatedList" => Verb::Aggregated,
        "patch" | "update" => Verb::Patch,
        "delete" => Verb::Delete,
        "setLabels" => Verb::SetLabels,
        word => match kind.actions.iter().find(|action| action.word == word) {
            Some(action) => Verb::Act(action),
            None => return Serve::Nothing,
        },
    };
    Serve::Kind(kind, verb)
}

/// Serves a call by its route.
pub(crate) fn handle(serve: Serve, operation: &str, world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    match serve {
        Serve::Own(handler) => handler(world, call),
        Serve::Kind(kind, verb) => engine::serve(kind, verb, world, call),
        Serve::Nothing => {
            Err(Refusal::new(501, "notImplemented", format!("The practice cloud does not serve {operation}.")))
        }
    }
}

/// Refuses another project than the one there is. `-` is any.
fn own(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let asked = call.path.get("project").map(String::as_str).or_else(|| call.of_query("project"));
    if asked.is_none_or(|asked| asked == world.gcp.project || asked == "-" || asked == "_") {
        return Ok(());
    }
    Err(Refusal::new(404, "notFound", format!("The resource 'projects/{}' was not found", asked.unwrap_or_default())))
}

/// A refusal as Google's front end writes it.
pub(crate) fn refusal(refusal: &Refusal) -> Json {
    let Refusal { status, code, message } = refusal;
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({
        "error": {
            "code": status,
            "message": message,
            "status": word,
            "errors": [{ "message": message, "domain": "global", "reason": code }],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_action_of_the_table_has_its_operations() {
        let routes = routes();
        let verbs = |kind: &Kind, want: fn(&Verb) -> bool| {
            let mine = |k: &Kind| std::ptr::eq(k, kind);
            routes.iter().filter(|r| matches!(r.serve, Serve::Kind(k, v) if mine(k) && want(&v))).count()
        };
        for kind in kinds::KINDS {
            serde_json::from_str::<serde_json::Map<String, Json>>(kind.defaults).unwrap();
            let name = kind.collection;
            // A version is made by its secret, and never deleted.
            let version = name.ends_with("versions");
            assert!(version || verbs(kind, |v| matches!(v, Verb::Insert)) > 0, "{name} cannot be made");
            assert!(verbs(kind, |v| matches!(v, Verb::Get)) > 0, "{name} cannot be read");
            assert!(verbs(kind, |v| matches!(v, Verb::List)) > 0, "{name} cannot be listed");
            assert!(version || verbs(kind, |v| matches!(v, Verb::Delete)) > 0, "{name} cannot be deleted");
            assert!(verbs(kind, |v| matches!(v, Verb::Act(_))) >= kind.actions.len(), "actions of {name}");
        }
    }

    #[test]
    fn operations_with_code_of_their_own_are_ones_of_the_catalogue() {
        for (service, name, _) in OWN {
            let service = Catalog::embedded().service("gcp", service).unwrap();
            assert!(service.operations.iter().any(|o| *o.official == **name), "{name}");
        }
    }

    #[test]
    fn any_path_is_the_one_that_the_operation_says() {
        let find = |method: &str, path: &str| routes().find(method, path).map(|(route, _)| route.operation.to_string());
        let keys = "/v1/projects/p/serviceAccounts/a@b/keys";
        assert_eq!(find("GET", keys).as_deref(), Some("projects.serviceAccounts.keys.list"));
        assert_eq!(find("GET", &format!("{keys}/1")).as_deref(), Some("projects.serviceAccounts.keys.get"));
        let access = "/v1/projects/p/secrets/s/versions/latest:access";
        assert_eq!(find("GET", access).as_deref(), Some("projects.secrets.versions.access"));
        assert_eq!(find("GET", "/v3/projects/p/timeSeries").as_deref(), Some("projects.timeSeries.list"));
        assert_eq!(find("GET", "/v1/projects/p").as_deref(), Some("projects.get"));
        assert_eq!(find("GET", "/sql/v1beta4/projects/p/instances").as_deref(), Some("instances.list"));
    }
}

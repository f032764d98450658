//! The Azure side of the practice cloud: Resource Manager.
//!
//! Paths and parameters come from the catalogue, what a kind of resource is from a row of [`kinds`], what is done with it
//! from [`engine`]. What the catalogue knows and the table does not is answered as an unsupported operation, by its name.

mod address;
mod databases;
mod disks;
mod engine;
mod filter;
mod identity;
pub(crate) mod kinds;
mod machines;
mod metrics;
mod networks;
mod operations;
mod resources;
pub(crate) mod state;
mod storage;

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
const SERVICES: &[&str] = &["compute", "network", "storage", "sql", "msi", "monitor", "resource", "subscription"];

/// Operations that are not about a resource of the table, by their official names.
const OWN: &[(&str, &str, Handler)] = &[
    ("compute", "VirtualMachineSizes.List", |world, call| {
        own(world, call)?;
        Ok(Answer::ok(machines::sizes()))
    }),
    ("monitor", "Metrics.List", metrics::list),
    ("monitor", "MetricDefinitions.List", metrics::definitions),
    ("resource", "Resources.List", resources::list),
    ("resource", "Resources.ListByResourceGroup", resources::list),
    ("resource", "Tags.GetAtScope", resources::tags),
    ("resource", "Tags.UpdateAtScope", resources::tag),
    ("resource", "Tags.CreateOrUpdateAtScope", resources::tag),
    ("storage", "StorageAccounts.CheckNameAvailability", storage::name_available),
    ("subscription", "Subscriptions.List", identity::subscriptions),
    ("subscription", "Subscriptions.Get", identity::subscription),
    ("subscription", "Subscriptions.ListLocations", identity::locations),
    ("subscription", "Tenants.List", identity::tenants),
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
        let own = |router: &mut Router<Serve>, name, method, path, handler: Handler| {
            router.own(name, method, path, Serve::Own(handler));
        };
        let operation =
            "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/operations/{id}";
        own(&mut router, "Operations.Get", "GET", operation, operations::get);
        own(&mut router, "Metadata.Endpoints", "GET", "/metadata/endpoints", identity::endpoints);
        own(&mut router, "Metadata.Aliases", "GET", "/metadata/aliases", identity::aliases);
        own(&mut router, "ManagedIdentity.Token", "GET", "/metadata/identity/oauth2/token", identity::token);
        own(&mut router, "Subscriptions.List", "GET", "/subscriptions", identity::subscriptions);
        own(&mut router, "Subscriptions.Get", "GET", "/subscriptions/{subscriptionId}", identity::subscription);
        own(
            &mut router,
            "Subscriptions.ListLocations",
            "GET",
            "/subscriptions/{subscriptionId}/locations",
            identity::locations,
        );
        own(&mut router, "Tenants.List", "GET", "/tenants", identity::tenants);
        for name in SERVICES {
            let Some(service) = Catalog::current().service("azure", name) else { continue };
            router.service(
                &service,
                |operation| cut(&operation.uri),
                |operation, path, _| serve(name, operation, path),
            );
        }
        router
    })
}

fn serve(service: &str, operation: &Operation, path: &[Segment]) -> Serve {
    if let Some((.., handler)) = OWN.iter().find(|(s, name, _)| *s == service && *operation.official == **name) {
        return Serve::Own(*handler);
    }
    match verb(&operation.method, path) {
        Some((kind, verb)) => Serve::Kind(kind, verb),
        None => Serve::Nothing,
    }
}

/// What a template is about: a kind of the table, and what is asked of it.
fn verb(method: &str, path: &[Segment]) -> Option<(&'static Kind, Verb)> {
    let word = |segment: &Segment| match segment {
        Segment::Word(word) => Some(word.to_owned()),
        _ => None,
    };
    let words: Vec<Option<String>> = path.iter().map(word).collect();
    if words.first()?.as_deref() != Some("subscriptions") {
        return None;
    }
    let provider = words.iter().position(|w| w.as_deref() == Some("providers"));
    let Some(provider) = provider else {
        // Groups are the one kind without a provider in their paths.
        let group = kinds::kind(kinds::GROUP)?;
        let groups = words.get(2)?.as_deref()?.eq_ignore_ascii_case("resourcegroups");
        return match (groups, words.len()) {
            (true, 3) => (method == "GET").then_some((group, Verb::List)),
            (true, 4) => Some((group, by_method(method)?)),
            _ => None,
        };
    };
    // Other scopes than a subscription or a group are none of the table's.
    if provider != 2 && provider != 4 {
        return None;
    }
    let namespace = words.get(provider + 1)?.clone()?;
    let rest = words.get(provider + 2..)?;
    let types: Option<Vec<String>> = rest.iter().step_by(2).cloned().collect();
    let types = types?;
    let name = |types: &[String]| format!("{namespace}/{}", types.join("/"));
    if rest.len() % 2 == 0 {
        return Some((kinds::kind(&name(&types))?, by_method(method)?));
    }
    if let Some(kind) = kinds::kind(&name(&types)).filter(|_| method == "GET") {
        return Some((kind, Verb::List));
    }
    let (last, of) = types.split_last()?;
    let kind = kinds::kind(&name(of))?;
    let action = kind.actions.iter().find(|a| a.method == method && a.word.eq_ignore_ascii_case(last))?;
    Some((kind, Verb::Act(action)))
}

fn by_method(method: &str) -> Option<Verb> {
    Some(match method {
        "PUT" => Verb::Put,
        "GET" => Verb::Get,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        "HEAD" => Verb::Exists,
        _ => return None,
    })
}

/// Serves a call by its route.
pub(crate) fn handle(serve: Serve, operation: &str, world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    match serve {
        Serve::Own(handler) => handler(world, call),
        Serve::Kind(kind, verb) => engine::serve(kind, verb, world, call),
        Serve::Nothing => {
            let message = format!("The practice cloud does not serve {operation}.");
            Err(Refusal::new(400, "UnsupportedOperation", message))
        }
    }
}

/// Whether a request needs neither a token nor a version.
pub(crate) fn open(path: &str) -> bool {
    path.starts_with("/metadata/")
}

/// Refuses another subscription than the one there is.
pub(crate) fn own(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let asked = call.of_path("subscriptionId");
    if asked.eq_ignore_ascii_case(&world.azure.subscription) {
        return Ok(());
    }
    Err(Refusal::new(404, "SubscriptionNotFound", format!("The subscription '{asked}' could not be found.")))
}

/// A refusal as Resource Manager writes it.
pub(crate) fn refusal(refusal: &Refusal) -> Json {
    json!({ "error": { "code": refusal.code, "message": refusal.message } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_action_of_the_table_has_its_operations() {
        let routes = routes();
        let verbs = |name: &str, want: fn(&Verb) -> bool| {
            routes.iter().filter(|r| matches!(r.serve, Serve::Kind(k, v) if k.name == name && want(&v))).count()
        };
        for kind in kinds::KINDS {
            serde_json::from_str::<serde_json::Map<String, Json>>(kind.defaults).unwrap();
            assert!(verbs(kind.name, |v| matches!(v, Verb::Put)) > 0, "{} cannot be made", kind.name);
            assert!(verbs(kind.name, |v| matches!(v, Verb::Get)) > 0, "{} cannot be read", kind.name);
            assert!(verbs(kind.name, |v| matches!(v, Verb::List)) > 0, "{} cannot be listed", kind.name);
            assert!(verbs(kind.name, |v| matches!(v, Verb::Delete)) > 0, "{} cannot be deleted", kind.name);
            assert_eq!(verbs(kind.name, |v| matches!(v, Verb::Act(_))), kind.actions.len(), "actions of {}", kind.name);
        }
    }

    #[test]
    fn operations_with_code_of_their_own_are_ones_of_the_catalogue() {
        for (service, name, _) in OWN {
            let service = Catalog::embedded().service("azure", service).unwrap();
            assert!(service.operations.iter().any(|o| *o.official == **name), "{name}");
        }
    }
}

//! The Google side of the practice cloud: instances of Compute Engine.

pub(crate) mod instances;
pub(crate) mod state;
mod view;

use std::sync::OnceLock;

use escher_catalog::Catalog;
use serde_json::{Value as Json, json};

use crate::rest::route::{Router, cut};
use crate::rest::{Answer, Call, Handler, Refusal};
use crate::world::World;

#[derive(Clone, Copy)]
pub(crate) enum Serve {
    Own(Handler),
    Nothing,
}

/// Everything that the practice cloud has of Google Cloud.
pub(crate) fn routes() -> &'static Router<Serve> {
    static ROUTES: OnceLock<Router<Serve>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let mut router = Router::new();
        if let Some(service) = Catalog::current().service("gcp", "compute") {
            router.service(
                &service,
                |o| cut(&o.uri),
                |o, _, _| match instances::OPERATIONS.iter().find(|(n, _)| *n == &*o.official) {
                    Some((_, handler)) => Serve::Own(*handler),
                    None => Serve::Nothing,
                },
            );
        }
        router
    })
}

/// Serves a call by its route.
pub(crate) fn handle(serve: Serve, operation: &str, world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    match serve {
        Serve::Own(handler) => handler(world, call),
        Serve::Nothing => {
            Err(Refusal::new(501, "notImplemented", format!("The practice cloud does not serve {operation}.")))
        }
    }
}

/// A refusal as Google's front end writes it.
pub(crate) fn refusal(refusal: &Refusal) -> Json {
    let Refusal { status, code, message } = refusal;
    json!({
        "error": {
            "code": status,
            "message": message,
            "errors": [{ "message": message, "domain": "global", "reason": code }],
        }
    })
}

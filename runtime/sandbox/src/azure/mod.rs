//! The Azure side of the practice cloud: virtual machines of Resource Manager.

pub(crate) mod machines;
pub(crate) mod state;
mod view;

use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use crate::rest::route::{Route, of_catalog};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;

/// Everything that the practice cloud has of Azure.
pub(crate) fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let mut routes = of_catalog("azure", "compute", machines::OPERATIONS);
        routes.push(Route::own("Subscriptions.Get", "GET", "/subscriptions/{subscriptionId}", subscription));
        let operations =
            "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/operations/{id}";
        routes.push(Route::own("Operations.Get", "GET", operations, machines::operation));
        routes
    })
}

fn subscription(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let id = &world.azure.subscription;
    Ok(Answer::ok(json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "displayName": "practice",
        "state": "Enabled",
    })))
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
    #[test]
    fn every_operation_is_one_of_the_catalogue() {
        // Two are told of by other services, or by nobody.
        assert_eq!(super::routes().len(), super::machines::OPERATIONS.len() + 2);
    }
}

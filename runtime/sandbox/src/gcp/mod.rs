//! The Google side of the practice cloud: instances of Compute Engine.

pub(crate) mod instances;
pub(crate) mod state;
mod view;

use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use crate::rest::Refusal;
use crate::rest::route::{Route, of_catalog};

/// Everything that the practice cloud has of Google Cloud.
pub(crate) fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| of_catalog("gcp", "compute", instances::OPERATIONS))
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

#[cfg(test)]
mod tests {
    #[test]
    fn every_operation_is_one_of_the_catalogue() {
        assert_eq!(super::routes().len(), super::instances::OPERATIONS.len());
    }
}

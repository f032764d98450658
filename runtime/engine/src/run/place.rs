//! Whether this process stands where the plan was made for: the same account, region and endpoint.
//!
//! The plan's own places are what is called; this keeps a run from starting under other credentials, or for somebody
//! who believes to be elsewhere. Places with a role of their own are the provider's to check.

use std::sync::Arc;

use escher_ir::Target;
use escher_provider::Change;

use crate::audit;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::options::RunOptions;

/// How closely the place must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Account, region and endpoint: whoever starts a plan stands where it was made.
    Whole,
    /// The account: a run may be resumed from another machine.
    Account,
}

/// Refuses where this is another place; the refusal is audited.
pub(crate) async fn check(
    engine: &Engine,
    run: &str,
    (ambient, others): &(Arc<Target>, Vec<Arc<Target>>),
    change: &dyn Change,
    options: &RunOptions,
    fit: Fit,
) -> Result<(), EngineError> {
    for planned in std::iter::once(ambient).chain(others) {
        check_one(engine, run, planned, change, options, fit).await?;
    }
    Ok(())
}

async fn check_one(
    engine: &Engine,
    run: &str,
    planned: &Target,
    change: &dyn Change,
    options: &RunOptions,
    fit: Fit,
) -> Result<(), EngineError> {
    if planned.account.is_empty() {
        return Ok(());
    }
    let nowhere = Target { cloud: planned.cloud.clone(), ..Target::default() };
    let there = Target { account: String::new(), ..planned.clone() };
    let mut here = match fit {
        Fit::Whole => change.resolve(nowhere).await,
        Fit::Account => change.resolve(there.clone()).await,
    };
    // No region is set here, say: then there is nothing to mistake it for.
    if here.is_err() && fit == Fit::Whole {
        here = change.resolve(there).await;
    }
    let here = here.map_err(|error| EngineError::Call { operation: "asking who calls".into(), error })?;
    let shown = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "the cloud's own endpoint".into());
    let difference = if here.account != planned.account {
        Some(("account", planned.account.clone(), here.account))
    } else if fit == Fit::Account {
        None
    } else if here.region != planned.region {
        Some(("region", planned.region.clone(), here.region))
    } else if here.endpoint != planned.endpoint {
        Some(("endpoint", shown(&planned.endpoint), shown(&here.endpoint)))
    } else {
        None
    };
    match difference {
        None => Ok(()),
        Some((what, planned, here)) => {
            let reason = format!("run {run} was planned for {what} {planned}, and this is {here}");
            let help = format!("go back to {planned}, or make a plan for {here} with `escher plan`");
            Err(audit::refused(engine, Some(run), &options.principal, Refused::new(reason, help)))
        }
    }
}

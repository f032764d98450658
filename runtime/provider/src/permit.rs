//! Whether a change may still leave, asked when its bytes are about to.

use std::sync::Arc;

/// The right to send, as it stands at the moment of sending: between decision and wire a machine may have slept.
///
/// A provider asks it as late as it can, and ends a call that lost it as one that was never sent.
#[derive(Clone, Default)]
pub struct Permit(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Permit {
    /// Holds as long as `holds` says so. Called from whichever thread sends; must return at once.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Permit {
        Permit(Some(Arc::new(holds)))
    }

    /// Whether it holds now. The default always does.
    pub fn holds(&self) -> bool {
        self.0.as_ref().is_none_or(|holds| holds())
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Permit(while it holds)" } else { "Permit(always)" })
    }
}

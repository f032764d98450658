//! Texts of one answer that are alike are one: states, types and tags repeat themselves a thousand times.
//!
//! This module does *not* keep any text longer than its answer.

use std::cell::RefCell;
use std::sync::Arc;

/// Longer texts are ids and descriptions, which hardly repeat themselves.
const MAX_LENGTH: usize = 32;

/// So many texts are remembered, each until another takes its place.
const PLACES: usize = 256;

/// Texts that were met.
pub(crate) struct Texts(RefCell<Vec<Arc<str>>>);

impl Default for Texts {
    fn default() -> Texts {
        Texts(RefCell::new(Vec::new()))
    }
}

impl Texts {
    /// This text, shared with those before it.
    pub(crate) fn shared(&self, text: &str) -> Arc<str> {
        if text.len() > MAX_LENGTH {
            return Arc::from(text);
        }
        let mut places = self.0.borrow_mut();
        if places.is_empty() {
            places.resize_with(PLACES, || Arc::from(""));
        }
        let print = text.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        let Some(place) = places.get_mut(print as usize % PLACES) else { return Arc::from(text) };
        if **place != *text {
            *place = Arc::from(text);
        }
        Arc::clone(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_shared_and_stay_themselves() {
        let texts = Texts::default();
        let words: Vec<String> = (0..5_000).map(|n| format!("w{}", n % 400)).collect();
        for word in &words {
            assert_eq!(&*texts.shared(word), word);
        }
        assert!(Arc::ptr_eq(&texts.shared("running"), &texts.shared("running")));
        let long = "x".repeat(MAX_LENGTH + 1);
        assert!(!Arc::ptr_eq(&texts.shared(&long), &texts.shared(&long)));
    }
}

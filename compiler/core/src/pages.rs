//! The page of each diagnostic code, as `escher explain` shows it.

/// The page of a code such as `E0402`, in Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    let _ = code;
    None
}

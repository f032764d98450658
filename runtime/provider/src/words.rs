//! A provider's words as they may be shown: one line, of bounded length.

/// Longest message of a provider that is kept, in characters.
const MAX_MESSAGE: usize = 400;

/// One line, without control characters, of bounded length.
pub fn clean(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE + 1).collect();
    if line.chars().count() > MAX_MESSAGE {
        line.pop();
        line.push('…');
    }
    line.trim().to_owned()
}

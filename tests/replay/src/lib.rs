//! What is fuzzed: one function per target, from bytes to nothing, that fails where its property does not hold.
//!
//! `cargo fuzz` runs them on what it makes up (`tests/fuzz`); `tests/replay.rs` runs them on [`seeds`] and on what
//! fuzzing found, with every other test. A target prints nothing, touches no file and keeps nothing from one input to
//! the next.

mod approval;
mod cloud;
mod disk;
mod packs;
pub mod seeds;
mod text;

pub use approval::signers;
pub use cloud::{aws_answer, sandbox_form};
pub use disk::{catalog, ir, journal};
pub use text::{check, format, parse};

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; `tests/fuzz` has a binary for each, and a corpus.
pub const TARGETS: &[Target] = &[
    ("parse", parse),
    ("format", format),
    ("check", check),
    ("ir", ir),
    ("journal", journal),
    ("catalog", catalog),
    ("aws_answer", aws_answer),
    ("sandbox_form", sandbox_form),
    ("signers", signers),
];

/// The first byte, which says what kind of input it is, and the rest.
fn kind(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

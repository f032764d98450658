//! The clouds' wire formats, driven by the catalogue's shapes.
//!
//! Knows no operation, no world and no HTTP: bytes and shapes in, neutral [`Value`]s out, and back.

pub(crate) mod form;
pub(crate) mod input;
pub(crate) mod json;
pub(crate) mod output;
pub(crate) mod time;
pub(crate) mod value;
pub(crate) mod xml;

pub(crate) use value::Value;

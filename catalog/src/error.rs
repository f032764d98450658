//! What can be wrong with the bytes of a catalogue.

use std::fmt;

/// Why bytes are no catalogue, or a service in it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogError {
    /// The file does not begin as a catalogue does.
    NotACatalog,
    /// Written in a format that this program does not know.
    UnknownFormat(u8),
    /// The bytes end too early, or a length points outside of them.
    Truncated,
    /// A number or an index is out of range; the text says which.
    Malformed(&'static str),
    /// A chunk cannot be decompressed.
    Compression,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogError::NotACatalog => out.write_str("these bytes are not a catalogue"),
            CatalogError::UnknownFormat(format) => write!(out, "catalogue format {format} is not known here"),
            CatalogError::Truncated => out.write_str("the catalogue ends too early"),
            CatalogError::Malformed(what) => write!(out, "the catalogue is damaged: {what}"),
            CatalogError::Compression => out.write_str("a chunk of the catalogue cannot be decompressed"),
        }
    }
}

impl std::error::Error for CatalogError {}

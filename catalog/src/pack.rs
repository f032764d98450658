//! The container: a header with an index, a shared dictionary, and one compressed chunk per service.
//!
//! Written by `xtask/catalog/pack.py`. Opening one reads the index alone. This module does *not* know what a chunk holds.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use zstd::zstd_safe::{DCtx, DDict};

use crate::CatalogError;
use crate::codec::Bytes;

const MAGIC: &[u8] = b"ESCATLG";
const FORMAT: u8 = 2;

/// Greatest size of a chunk when decompressed: ten times the greatest there is. What claims more is refused unread.
const CHUNK_LIMIT: usize = 4 << 20;

/// Where a service's chunk is.
#[derive(Clone, Debug)]
struct Entry {
    name: Box<str>,
    operations: usize,
    chunk: Chunk,
}

#[derive(Clone, Debug)]
struct Chunk {
    bytes: Range<usize>,
    raw: usize,
}

/// One cloud's services, compressed.
pub(crate) struct Pack {
    data: Cow<'static, [u8]>,
    cloud: Box<str>,
    entries: Vec<Entry>,
    dictionary: Range<usize>,
    extra: Chunk,
    /// `None` inside where the dictionary's bytes are damaged.
    prepared: OnceLock<Option<DDict<'static>>>,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pack")
            .field("cloud", &self.cloud)
            .field("services", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Pack {
    /// Reads the index.
    pub(crate) fn open(data: Cow<'static, [u8]>) -> Result<Pack, CatalogError> {
        let mut bytes = Bytes::new(&data);
        if bytes.take(MAGIC.len()) != Ok(MAGIC) {
            return Err(CatalogError::NotACatalog);
        }
        match bytes.take(1)? {
            [FORMAT] => {}
            [other] => return Err(CatalogError::UnknownFormat(*other)),
            _ => return Err(CatalogError::Truncated),
        }
        let length = bytes.size()?;
        let mut head = Bytes::new(bytes.take(length)?);
        // Chunks stand behind the header, one after the other.
        let mut at = data.len() - bytes.rest().len();
        let mut place = |length: usize| {
            let end = at.checked_add(length).filter(|end| *end <= data.len()).ok_or(CatalogError::Truncated)?;
            let range = at..end;
            at = end;
            Ok::<_, CatalogError>(range)
        };
        let cloud = head.text()?.into();
        let dictionary = place(head.size()?)?;
        let extra = Chunk { bytes: place(head.size()?)?, raw: head.size()? };
        let count = head.size()?;
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..count {
            let name = head.text()?.into();
            let operations = head.size()?;
            let chunk = Chunk { bytes: place(head.size()?)?, raw: head.size()? };
            entries.push(Entry { name, operations, chunk });
        }
        if !entries.is_sorted_by(|a, b| a.name < b.name) {
            return Err(CatalogError::Malformed("services out of order"));
        }
        Ok(Pack { cloud, entries, dictionary, extra, prepared: OnceLock::new(), data })
    }

    /// The cloud that this pack describes.
    pub(crate) fn cloud(&self) -> &str {
        &self.cloud
    }

    /// Whether it lies in the program.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.data, Cow::Borrowed(_))
    }

    /// Bytes of the whole file.
    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// Names of the services, sorted.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| &*e.name)
    }

    /// Number of operations of all services, as the index counts them.
    pub(crate) fn operation_count(&self) -> usize {
        self.entries.iter().fold(0, |sum, e| sum.saturating_add(e.operations))
    }

    /// The decompressed chunk of a service.
    pub(crate) fn chunk(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        let Ok(at) = self.entries.binary_search_by(|e| (*e.name).cmp(name)) else { return Ok(None) };
        self.entries.get(at).map(|e| self.unpack(&e.chunk)).transpose()
    }

    /// The decompressed chunk beside the services: partitions and endpoint rule sets.
    pub(crate) fn extra(&self) -> Result<Vec<u8>, CatalogError> {
        self.unpack(&self.extra)
    }

    fn unpack(&self, chunk: &Chunk) -> Result<Vec<u8>, CatalogError> {
        if chunk.raw > CHUNK_LIMIT {
            return Err(CatalogError::Malformed("a chunk beyond the limit"));
        }
        let bytes = |range: &Range<usize>| self.data.get(range.clone()).ok_or(CatalogError::Truncated);
        let words = bytes(&self.dictionary)?;
        // `zstd::dict` would panic on a damaged dictionary, the layer below says so.
        let prepared =
            self.prepared.get_or_init(|| DDict::try_create(words)).as_ref().ok_or(CatalogError::Compression)?;
        let mut decoder = DCtx::try_create().ok_or(CatalogError::Compression)?;
        let mut raw = Vec::with_capacity(chunk.raw);
        decoder
            .decompress_using_ddict(&mut raw, bytes(&chunk.bytes)?, prepared)
            .map_err(|_| CatalogError::Compression)?;
        if raw.len() == chunk.raw { Ok(raw) } else { Err(CatalogError::Compression) }
    }
}

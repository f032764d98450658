//! Room in SQLite's log, made ahead: a sync of bytes that lie inside a file costs a fraction of one that makes it longer,
//! because the file system then has nothing of its own to write.
//!
//! Where room can't be made nothing is lost but time, so failures are not told.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of the log at most: by then SQLite has written it into the file, and begins at the front again.
const MOST: u64 = 5 << 20;
/// For less than this it is not worth it.
const LEAST: u64 = 256 << 10;

/// Makes the log of a database long enough for so many bytes. The caller holds the right to write: nobody else makes it
/// longer meanwhile, and SQLite takes zeros behind its last frame for the end.
pub(super) fn make(database: &Path, bytes: u64) -> io::Result<()> {
    let wanted = bytes.min(MOST);
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let log = PathBuf::from(name);
    let length = std::fs::metadata(&log)?.len();
    if wanted < LEAST || length >= wanted {
        return Ok(());
    }
    let mut file: File = OpenOptions::new().append(true).open(&log)?;
    let zeros = vec![0; 1 << 16];
    let mut left = wanted - length;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(zeros.get(..part).unwrap_or_default())?;
        left -= part as u64;
    }
    file.sync_all()
}

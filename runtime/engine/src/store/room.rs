//! Room in SQLite's log, made ahead: a sync of bytes that lie inside a file costs a fraction of one that makes it longer,
//! because the file system then has nothing of its own to write.
//!
//! Where room can't be made nothing is lost but time, so failures are not told. And some room that is kept for the end.

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

/// Bytes that are kept for the moment in which a disk is full: some pages of the log.
const SPARE: usize = 16 << 10;

fn spare(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-spare");
    PathBuf::from(name)
}

/// Keeps some room, so that who ends because a disk is full can still give its lease back.
pub(super) fn keep_spare(database: &Path) -> io::Result<()> {
    // There is a file, and not a store in memory.
    std::fs::metadata(database)?;
    let path = spare(database);
    if std::fs::metadata(&path).is_ok_and(|found| found.len() >= SPARE as u64) {
        return Ok(());
    }
    // Not what a file system knows to be empty.
    let written = std::fs::write(&path, vec![0xa5; SPARE]);
    if written.is_err() {
        std::fs::remove_file(&path)?;
    }
    written
}

/// Gives that room up; whether there was some.
pub(super) fn take_spare(database: &Path) -> bool {
    std::fs::remove_file(spare(database)).is_ok()
}

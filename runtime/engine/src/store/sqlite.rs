//! The store as one SQLite file, `state.db`, in a folder that only its owner can enter.
//!
//! Write-ahead log with full synchronisation: what a commit returns for is on the disk.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escher_ir::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::room;
use super::{Commit, Head, Lease, StateStore, StoreError, StoredSegment};
use crate::limits::MAX_OBJECT;

/// Format of the file: in `meta`, and checked before anything else is read.
const FORMAT: u32 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, prev_head BLOB NOT NULL, head BLOB NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (stream, seq));
CREATE TABLE IF NOT EXISTS heads (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, fence INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
";

/// State in a folder of this machine.
pub struct SqliteStore {
    connection: Mutex<Connection>,
    path: PathBuf,
    id: String,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).field("id", &self.id).finish()
    }
}

impl SqliteStore {
    /// Opens the state in a folder; creates folder and file where they are missing.
    ///
    /// Errors say whether it is read-only, locked, full, damaged or from a newer Escher.
    pub fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
        let shown = folder.display().to_string();
        crate::platform::private_folder(folder)
            .map_err(|e| StoreError::ReadOnly { path: shown, reason: e.to_string() })?;
        let path = folder.join("state.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(|e| explain(&path, e))?;
        SqliteStore::prepare(connection, path)
    }

    /// Opens the state in a folder of another file layer, which was registered with SQLite under this name.
    ///
    /// Such a layer need share no memory between processes: the file is this connection's alone.
    pub fn open_on(folder: &Path, layer: &str) -> Result<SqliteStore, StoreError> {
        let path = folder.join("state.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(&path, flags, layer).map_err(|e| explain(&path, e))?;
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE;").map_err(|e| explain(&path, e))?;
        SqliteStore::prepare(connection, path)
    }

    /// A store in memory, gone when it is dropped: for tests and for plans that nobody keeps.
    pub fn in_memory() -> Result<SqliteStore, StoreError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(|e| explain(&path, e))?;
        SqliteStore::prepare(connection, path)
    }

    fn prepare(mut connection: Connection, path: PathBuf) -> Result<SqliteStore, StoreError> {
        let fail = |e| explain(&path, e);
        connection.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;")
            .map_err(fail)?;
        let found: Option<u32> = connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'meta'", [], |row| row.get::<_, u32>(0))
            .map_err(fail)
            .and_then(|n| if n == 0 { Ok(None) } else { read_format(&connection, &path).map(Some) })?;
        match found {
            Some(version) if version > FORMAT => {
                return Err(StoreError::TooNew { path: path.display().to_string(), version, known: FORMAT });
            }
            Some(_) => {}
            None => {
                let id = crate::platform::random::<10>()
                    .map_err(|e| StoreError::Other { path: path.display().to_string(), reason: e.to_string() })?;
                let id = format!("s-{}", base32(&id));
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
                tx.execute_batch(SCHEMA).map_err(fail)?;
                // Another process may have been first: its rows stay.
                tx.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?1)", [FORMAT.to_string()]).map_err(fail)?;
                tx.execute("INSERT OR IGNORE INTO meta VALUES ('store', ?1)", [id]).map_err(fail)?;
                tx.commit().map_err(fail)?;
            }
        }
        let id: String = connection
            .query_row("SELECT value FROM meta WHERE name = 'store'", [], |row| row.get(0))
            .map_err(|e| explain(&path, e))?;
        Ok(SqliteStore { connection: Mutex::new(connection), path, id })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no half transaction behind: SQLite rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: rusqlite::Error) -> StoreError {
        explain(&self.path, error)
    }
}

fn read_format(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let text: String = connection
        .query_row("SELECT value FROM meta WHERE name = 'format'", [], |row| row.get(0))
        .map_err(|e| explain(path, e))?;
    text.parse().map_err(|_| StoreError::Damaged {
        what: path.display().to_string(),
        reason: "its format is not a number".to_string(),
    })
}

/// Crockford's digits, small: no letters that people mistake for one another.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = String::new();
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            let digit = DIGITS.get(((bits >> count) & 31) as usize).copied().unwrap_or(b'0');
            text.push(char::from(digit));
        }
        bits &= (1 << count) - 1;
    }
    text
}

/// SQLite's extended code of a write that the system refused.
const IOERR_WRITE: i32 = rusqlite::ffi::SQLITE_IOERR_WRITE;

fn explain(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.display().to_string();
    let reason = error.to_string();
    // A column that holds something of another kind was not written here.
    if matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    ) {
        return StoreError::Damaged { what: path, reason };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly { path, reason }
        }
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        // A quota, a limit on the size of files, a disk that dies: reads may still do.
        Some(ErrorCode::SystemIoFailure) if error.sqlite_error().is_some_and(|e| e.extended_code == IOERR_WRITE) => {
            StoreError::ReadOnly { path, reason }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { what: path, reason },
        _ => StoreError::Other { path, reason },
    }
}

fn digest_of(raw: Vec<u8>, what: &str) -> Result<Digest, StoreError> {
    let bytes: [u8; 32] = raw
        .try_into()
        .map_err(|_| StoreError::Damaged { what: what.to_string(), reason: "a head of the wrong length".into() })?;
    Ok(Digest(bytes))
}

fn head_in(connection: &Connection, stream: &str, path: &Path) -> Result<Head, StoreError> {
    let row: Option<(u64, Vec<u8>)> = connection
        .prepare_cached("SELECT seq, head FROM heads WHERE stream = ?1")
        .and_then(|mut s| s.query_row([stream], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(|e| explain(path, e))?;
    match row {
        None => Ok(Head::EMPTY),
        Some((seq, raw)) => Ok(Head { count: seq.saturating_add(1), digest: digest_of(raw, stream)? }),
    }
}

impl StateStore for SqliteStore {
    fn id(&self) -> &str {
        &self.id
    }

    fn head(&self, stream: &str) -> Result<Head, StoreError> {
        head_in(&self.lock(), stream, &self.path)
    }

    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError> {
        let sizes = commit.objects.iter().map(|(_, b)| b.len()).chain(commit.appends.iter().map(|a| a.bytes.len()));
        if let Some(size) = sizes.max().filter(|size| *size > MAX_OBJECT) {
            return Err(StoreError::TooLarge { size, limit: MAX_OBJECT });
        }
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| self.fail(e))?;
        if let Some((lease, until)) = &commit.lease {
            let renewed = tx
                .prepare_cached("UPDATE leases SET expires = ?3 WHERE name = ?1 AND fence = ?2")
                .and_then(|mut s| s.execute(params![lease.name, lease.fence, until.as_millisecond()]))
                .map_err(|e| self.fail(e))?;
            if renewed != 1 {
                return Err(StoreError::LeaseLost { name: lease.name.clone() });
            }
        }
        for (digest, bytes) in &commit.objects {
            tx.prepare_cached("INSERT OR IGNORE INTO objects VALUES (?1, ?2)")
                .and_then(|mut s| s.execute(params![&digest.0[..], bytes]))
                .map_err(|e| self.fail(e))?;
        }
        let mut heads = Vec::with_capacity(commit.appends.len());
        for append in &commit.appends {
            let before = head_in(&tx, &append.stream, &self.path)?;
            if before != append.expected {
                return Err(StoreError::Conflict { stream: append.stream.clone() });
            }
            let after = before.after(&append.bytes);
            tx.prepare_cached("INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5)")
                .and_then(|mut s| {
                    let (prev, head) = (&before.digest.0[..], &after.digest.0[..]);
                    s.execute(params![append.stream, before.count, prev, head, append.bytes])
                })
                .map_err(|e| self.fail(e))?;
            tx.prepare_cached("INSERT OR REPLACE INTO heads VALUES (?1, ?2, ?3)")
                .and_then(|mut s| s.execute(params![append.stream, before.count, &after.digest.0[..]]))
                .map_err(|e| self.fail(e))?;
            heads.push(after);
        }
        tx.commit().map_err(|e| self.fail(e))?;
        Ok(heads)
    }

    fn expect(&self, bytes: u64) {
        let mut connection = self.lock();
        // Holding the right to write; nothing is written by it.
        if let Ok(tx) = connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            let _ = room::keep_spare(&self.path);
            let _ = room::make(&self.path, bytes);
            drop(tx);
        }
    }

    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(
                "SELECT seq, prev_head, head, bytes FROM segments WHERE stream = ?1 AND seq >= ?2 ORDER BY seq",
            )
            .map_err(|e| self.fail(e))?;
        let mut rows = statement.query(params![stream, from]).map_err(|e| self.fail(e))?;
        let mut segments = Vec::new();
        let mut next = from;
        while let Some(row) = rows.next().map_err(|e| self.fail(e))? {
            let get = |e: rusqlite::Error| self.fail(e);
            let seq: u64 = row.get(0).map_err(get)?;
            if seq != next {
                let reason = format!("segment {next} is missing");
                return Err(StoreError::Damaged { what: stream.to_string(), reason });
            }
            next += 1;
            segments.push(StoredSegment {
                before: digest_of(row.get(1).map_err(get)?, stream)?,
                head: Head { count: next, digest: digest_of(row.get(2).map_err(get)?, stream)? },
                bytes: row.get(3).map_err(get)?,
            });
        }
        Ok(segments)
    }

    fn read_one(&self, stream: &str, number: u64) -> Result<Option<StoredSegment>, StoreError> {
        let row: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> = self
            .lock()
            .prepare_cached("SELECT prev_head, head, bytes FROM segments WHERE stream = ?1 AND seq = ?2")
            .and_then(|mut s| {
                s.query_row(params![stream, number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
            })
            .map_err(|e| self.fail(e))?;
        let Some((before, head, bytes)) = row else { return Ok(None) };
        let head = Head { count: number.saturating_add(1), digest: digest_of(head, stream)? };
        Ok(Some(StoredSegment { before: digest_of(before, stream)?, head, bytes }))
    }

    fn streams(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT stream FROM heads WHERE substr(stream, 1, length(?1)) = ?1 ORDER BY stream")
            .map_err(|e| self.fail(e))?;
        let rows = statement.query_map([prefix], |row| row.get(0)).map_err(|e| self.fail(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.fail(e))
    }

    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.lock()
            .prepare_cached("SELECT bytes FROM objects WHERE digest = ?1")
            .and_then(|mut s| s.query_row([&digest.0[..]], |row| row.get(0)).optional())
            .map_err(|e| self.fail(e))
    }

    fn acquire(&self, name: &str, now: Timestamp, time: Duration) -> Result<Lease, StoreError> {
        let expires = crate::clock::later(now, time);
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| self.fail(e))?;
        let row: Option<(u64, i64)> = tx
            .query_row("SELECT fence, expires FROM leases WHERE name = ?1", [name], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|e| self.fail(e))?;
        let fence = match row {
            Some((_, until)) if until > now.as_millisecond() => {
                let until = Timestamp::from_millisecond(until).unwrap_or(now);
                return Err(StoreError::Held { name: name.to_string(), until });
            }
            Some((fence, _)) => fence.saturating_add(1),
            None => 1,
        };
        tx.execute("INSERT OR REPLACE INTO leases VALUES (?1, ?2, ?3)", params![name, fence, expires.as_millisecond()])
            .map_err(|e| self.fail(e))?;
        tx.commit().map_err(|e| self.fail(e))?;
        Ok(Lease { name: name.to_string(), fence, expires })
    }

    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let give_back = || {
            let row = params![lease.name, lease.fence];
            self.lock().execute("UPDATE leases SET expires = 0 WHERE name = ?1 AND fence = ?2", row).map(drop)
        };
        match give_back().map_err(|e| self.fail(e)) {
            // Whoever goes on once there is room again need not wait for the end of a lease that nobody uses.
            Err(StoreError::Full { .. }) if room::take_spare(&self.path) => give_back().map_err(|e| self.fail(e)),
            other => other,
        }
    }

    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let row: Option<(u64, i64)> = self
            .lock()
            .query_row("SELECT fence, expires FROM leases WHERE name = ?1", [name], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|e| self.fail(e))?;
        Ok(row.filter(|(_, until)| *until > now.as_millisecond()).map(|(fence, until)| Lease {
            name: name.to_string(),
            fence,
            expires: Timestamp::from_millisecond(until).unwrap_or(now),
        }))
    }
}

//! A disk in memory under SQLite, which keeps only what was synchronised when the power goes: of each later write all,
//! nothing, or some sectors, as a seed draws.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenOptions, Vfs, WalDisabled};

/// What a drive writes whole.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What programs read.
    now: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// What is on its way there.
    pending: Vec<Pending>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Writes, truncations and synchronisations until the power goes.
    left: Option<u64>,
    operations: u64,
    /// Says that the log is synchronised, and does not do it.
    lies: bool,
}

/// The disk. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

fn apply(file: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Write(at, bytes) => {
            if file.len() < at + bytes.len() {
                file.resize(at + bytes.len(), 0);
            }
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Pending::Length(length) => file.resize(*length, 0),
    }
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

impl File {
    /// What a machine finds that is switched on again.
    fn after_the_loss(&self, seed: &mut u64) -> File {
        let mut found = self.durable.clone();
        for pending in &self.pending {
            match (next(seed) % 3, pending) {
                (0, _) => {}
                (1, whole) => apply(&mut found, whole),
                // Torn: some sectors came to the platter, in any order.
                (_, Pending::Write(at, bytes)) => {
                    for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                        if next(seed).is_multiple_of(2) {
                            apply(&mut found, &Pending::Write(at + n * SECTOR, sector.to_vec()));
                        }
                    }
                }
                (_, Pending::Length(_)) => {}
            }
        }
        File { now: found.clone(), durable: found, pending: Vec::new() }
    }
}

impl Disk {
    /// Known to SQLite by this name from now on.
    pub fn register(self, name: &str) -> Disk {
        sqlite_vfs::register(name, self.clone(), false).unwrap();
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes after so many operations.
    pub fn fails_after(&self, operations: u64) {
        self.state().left = Some(operations);
    }

    /// A disk that does not synchronise SQLite's log, as `synchronous = NORMAL` would not: what the tests must find.
    pub fn that_lies() -> Disk {
        Disk(Arc::new(Mutex::new(State { lies: true, ..State::default() })))
    }

    /// Writes, truncations and synchronisations so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Bytes that are not on the platter yet, and would be lost.
    pub fn unsynced(&self) -> usize {
        self.state().files.values().map(|file| file.pending.len()).sum()
    }

    /// The disk as it is found after the power went right now.
    pub fn after_the_loss(&self, mut seed: u64) -> Disk {
        let files =
            self.state().files.iter().map(|(name, file)| (name.clone(), file.after_the_loss(&mut seed))).collect();
        Disk(Arc::new(Mutex::new(State { files, ..State::default() })))
    }

    /// The disk with what was synchronised alone.
    pub fn synced_only(&self) -> Disk {
        let kept = |file: &File| File { now: file.durable.clone(), durable: file.durable.clone(), pending: Vec::new() };
        let files = self.state().files.iter().map(|(name, file)| (name.clone(), kept(file))).collect();
        Disk(Arc::new(Mutex::new(State { files, ..State::default() })))
    }
}

impl State {
    fn operation(&mut self) -> Result<(), Error> {
        self.operations += 1;
        match &mut self.left {
            Some(0) => Err(Error::other("the power is out")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, name: &str, pending: Pending) -> Result<(), Error> {
        self.operation()?;
        let file = self.files.entry(name.to_string()).or_default();
        apply(&mut file.now, &pending);
        file.pending.push(pending);
        Ok(())
    }
}

pub struct Open {
    disk: Disk,
    name: String,
    lock: LockKind,
}

impl DatabaseHandle for Open {
    type WalIndex = WalDisabled;

    fn size(&self) -> Result<u64, Error> {
        Ok(self.disk.state().files.get(&self.name).map_or(0, |file| file.now.len() as u64))
    }
    fn read_exact_at(&mut self, into: &mut [u8], at: u64) -> Result<(), Error> {
        let state = self.disk.state();
        let at = usize::try_from(at).unwrap();
        let found = state.files.get(&self.name).and_then(|file| file.now.get(at..at + into.len()));
        into.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn write_all_at(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.disk.state().change(&self.name, Pending::Write(usize::try_from(at).unwrap(), bytes.to_vec()))
    }
    fn sync(&mut self, _: bool) -> Result<(), Error> {
        let mut state = self.disk.state();
        state.operation()?;
        if state.lies && self.name.ends_with("-wal") {
            return Ok(());
        }
        if let Some(file) = state.files.get_mut(&self.name) {
            file.durable = file.now.clone();
            file.pending.clear();
        }
        Ok(())
    }
    fn set_len(&mut self, length: u64) -> Result<(), Error> {
        self.disk.state().change(&self.name, Pending::Length(usize::try_from(length).unwrap()))
    }
    fn lock(&mut self, lock: LockKind) -> Result<bool, Error> {
        self.lock = lock;
        Ok(true)
    }
    fn reserved(&mut self) -> Result<bool, Error> {
        Ok(false)
    }
    fn current_lock(&self) -> Result<LockKind, Error> {
        Ok(self.lock)
    }
    fn wal_index(&self, _: bool) -> Result<WalDisabled, Error> {
        Ok(WalDisabled)
    }
}

impl Vfs for Disk {
    type Handle = Open;

    fn open(&self, name: &str, options: OpenOptions) -> Result<Open, Error> {
        let mut state = self.state();
        let there = state.files.contains_key(name);
        match options.access {
            OpenAccess::Create | OpenAccess::CreateNew => {
                state.files.entry(name.to_string()).or_default();
            }
            _ if !there => return Err(ErrorKind::NotFound.into()),
            _ => {}
        }
        Ok(Open { disk: self.clone(), name: name.to_string(), lock: LockKind::None })
    }
    fn delete(&self, name: &str) -> Result<(), Error> {
        self.state().operation()?;
        self.state().files.remove(name);
        Ok(())
    }
    fn exists(&self, name: &str) -> Result<bool, Error> {
        Ok(self.state().files.contains_key(name))
    }
    fn temporary_name(&self) -> String {
        "temporary".into()
    }
    fn random(&self, buffer: &mut [i8]) {
        // SQLite salts its log with these: they must differ, and nothing depends on how.
        let mut bytes = vec![0u8; buffer.len()];
        getrandom::fill(&mut bytes).unwrap();
        buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = i8::from_ne_bytes([from]));
    }
    fn sleep(&self, duration: Duration) -> Duration {
        std::thread::sleep(duration);
        duration
    }
}

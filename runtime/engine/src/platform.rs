//! Everything that the engine asks of the operating system: the clock, random bits, permissions of folders.

use std::io;
use std::path::Path;

use jiff::Timestamp;

/// The machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Unguessable bytes.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes)
}

/// Creates a folder that only its owner can enter; an existing one is left as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

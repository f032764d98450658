//! Writes the seeds of the fuzz targets below a folder, one folder for each target.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else { return ExitCode::from(2) };
    let written = escher_fuzz_targets::seeds::all().into_iter().try_for_each(|(target, name, bytes)| {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)
    });
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

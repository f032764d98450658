//! `escher test`: the `test` items of playbooks.

use std::path::PathBuf;

use crate::args::TestFormat;
use crate::commands::check::playbook_files;
use crate::failure::Failure;
use crate::testing::{self, report};
use crate::{output, render, source};

pub(crate) fn test(paths: &[PathBuf], filter: Option<&str>, format: TestFormat) -> Result<u8, Failure> {
    let sources = source::sources(&playbook_files(paths)?)?;
    if sources.has_errors() {
        let shown = sources.shown();
        match format {
            TestFormat::Json => output::json(&render::diagnostics::json(&shown)),
            _ => shown.iter().for_each(|file| render::diagnostics::note(file)),
        }
        return Err(Failure::told(1));
    }
    let mut each = |verdict: &testing::Verdict| {
        if format == TestFormat::Human {
            report::line(verdict);
        }
    };
    let verdicts = testing::run(&sources, filter, &mut each)?;
    if let (Some(words), true) = (filter, verdicts.is_empty()) {
        return Err(Failure::usage(format!("no title of a test has `{words}` in it")));
    }
    match format {
        TestFormat::Human => output::note(&report::summary(&verdicts)),
        TestFormat::Json => output::json(&report::as_json(&verdicts)),
        TestFormat::Junit => {
            let xml = report::junit(&verdicts);
            output::line(&xml.map_err(|e| Failure::failed(format!("cannot write the results: {e}")))?);
        }
    }
    Ok(u8::from(report::failed(&verdicts) > 0))
}

//! `test` items, run: the real engine plans and runs the playbook on a cloud that the test describes, with a store in
//! memory and a clock that stands still. No network, no files, no waiting.

mod actions;
mod cloud;
mod one;
pub(crate) mod report;
mod shapes;

use std::time::{Duration, Instant};

use escher_core::CheckedTest;

use crate::failure::Failure;
use crate::render::line_column;
use crate::source::{Source, Sources};

/// What became of a test.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// Its file.
    pub(crate) file: String,
    /// Its title.
    pub(crate) title: String,
    /// The line of its title.
    pub(crate) line: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// Why it failed; none where it passed.
    pub(crate) failure: Option<Why>,
}

/// Why a test failed.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    /// Where, counted from 1.
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// What the statement says.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// More about it, a line each.
    pub(crate) more: Vec<String>,
}

/// Runs the tests of the files that were asked for, in order, and hears of each as it ends.
pub(crate) fn run(
    sources: &Sources,
    filter: Option<&str>,
    each: &mut dyn FnMut(&Verdict),
) -> Result<Vec<Verdict>, Failure> {
    let mut verdicts = Vec::new();
    for source in sources.files.iter().take(sources.asked) {
        for test in &source.checked.tests {
            if filter.is_some_and(|words| !test.title.contains(words)) {
                continue;
            }
            let verdict = one(sources, source, test)?;
            each(&verdict);
            verdicts.push(verdict);
        }
    }
    Ok(verdicts)
}

fn one(sources: &Sources, source: &Source, test: &CheckedTest) -> Result<Verdict, Failure> {
    // A runtime of its own, whose timers run only when there is nothing else to do: a test sleeps for days at once.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|e| Failure::failed(format!("cannot start: {e}")))?;
    let programs = |place: usize, name: &str| {
        let file = sources.files.iter().find(|f| f.project == source.project && f.place == place)?;
        let found = file.checked.playbooks.iter().find(|p| p.name == name)?;
        Some((found.program()?.clone(), found.functions()?.clone()))
    };
    let begun = Instant::now();
    let outcome = runtime.block_on(one::run(test, &programs));
    let text = &source.file.text;
    let failure = outcome.err().map(|failed| {
        let (line, column) = line_column(text, failed.span.start);
        let code = text.get(failed.span.start as usize..failed.span.end as usize).unwrap_or_default();
        Why { line, column, code: code.into(), message: failed.message, more: failed.more }
    });
    Ok(Verdict {
        file: source.file.path.clone(),
        title: test.title.clone(),
        line: line_column(text, test.span.start).0,
        took: begun.elapsed(),
        failure,
    })
}

//! Live progress on standard error: a bar on terminals, a line per step elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use escher_engine::{Progress, ProgressEvent, Quiet, outcome_word};
use escher_ir::journal::Outcome;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Format;
use crate::output;

/// A sign that the clouds are being read; hidden where nobody watches.
pub(crate) fn reading() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_message("reading the clouds");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// What a run tells while it goes on.
pub(crate) fn live(format: Format) -> Arc<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bar { bar: Mutex::new(ProgressBar::hidden()) })
    } else if format == Format::Json {
        Arc::new(Quiet)
    } else {
        Arc::new(Lines)
    }
}

struct Bar {
    bar: Mutex<ProgressBar>,
}

impl Bar {
    fn get(&self) -> ProgressBar {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Bar {
    fn event(&self, event: ProgressEvent<'_>) {
        match event {
            ProgressEvent::StepStarted { step, title, items } => {
                let bar = ProgressBar::new(items);
                if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {elapsed}") {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_message(title.unwrap_or(step).to_string());
                bar.enable_steady_tick(Duration::from_millis(200));
                *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
            }
            ProgressEvent::ItemEnded { item, outcome, reason, .. } => {
                let bar = self.get();
                bar.inc(1);
                if is_bad(outcome) {
                    bar.suspend(|| output::note(&trouble(&item.id, outcome, reason)));
                }
            }
            ProgressEvent::Retrying { operation, kind, after, attempt } => {
                self.get().suspend(|| output::note(&retrying(operation, kind, after, attempt)));
            }
            ProgressEvent::Waiting { at } => self.get().suspend(|| output::note(&format!("waiting for {at}"))),
            ProgressEvent::StepEnded { .. } => self.get().finish_and_clear(),
            _ => {}
        }
    }
}

struct Lines;

impl Progress for Lines {
    fn event(&self, event: ProgressEvent<'_>) {
        match event {
            ProgressEvent::StepStarted { step, title, items } => {
                output::note(&format!("{}: {items} to do", title.unwrap_or(step)));
            }
            ProgressEvent::ItemEnded { item, outcome, reason, .. } if is_bad(outcome) => {
                output::note(&trouble(&item.id, outcome, reason));
            }
            ProgressEvent::Retrying { operation, kind, after, attempt } => {
                output::note(&retrying(operation, kind, after, attempt));
            }
            ProgressEvent::Waiting { at } => output::note(&format!("waiting for {at}")),
            ProgressEvent::Stopping => output::note("stopping"),
            _ => {}
        }
    }
}

fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Denied | Outcome::Unknown)
}

fn trouble(item: &str, outcome: Outcome, reason: Option<&str>) -> String {
    format!("  {item}: {} {}", outcome_word(outcome), reason.unwrap_or_default())
}

fn retrying(operation: &str, kind: &str, after: Duration, attempt: u32) -> String {
    format!("  {operation}: {kind}, attempt {attempt} in {:.1}s", after.as_secs_f64())
}

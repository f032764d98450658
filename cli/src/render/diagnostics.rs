//! Diagnostics in four forms: for people, as JSON, as SARIF, as annotations of GitHub.

use std::sync::Arc;

use escher_core::{Diagnostic, Severity, Span};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles};
use serde_json::{Value, json};

use super::line_column;
use crate::output;

/// A file with what there is to say about it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its path, as given.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: Arc<str>,
    /// Its diagnostics.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// A diagnostic as miette draws it.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: NamedSource<Arc<str>>,
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code(&self) -> Option<Box<dyn std::fmt::Display + '_>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn std::fmt::Display + '_>> {
        self.diagnostic.help.as_ref().map(|h| Box::new(h) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let range = |s: Span| s.start as usize..s.end.max(s.start) as usize;
        // A label at the same place as the diagnostic says what there is to say there.
        let own = self.diagnostic.labels.iter().find(|l| l.span == self.diagnostic.span).map(|l| l.text.clone());
        let primary = LabeledSpan::new_primary_with_span(own, range(self.diagnostic.span));
        let others = self.diagnostic.labels.iter().filter(|l| l.span != self.diagnostic.span);
        let others = others.map(move |l| LabeledSpan::new_with_span(Some(l.text.clone()), range(l.span)));
        Some(Box::new(std::iter::once(primary).chain(others)))
    }
}

fn drawn(file: &File, diagnostic: &Diagnostic) -> String {
    let theme = if output::colour() {
        GraphicalTheme { characters: ThemeCharacters::unicode(), styles: ThemeStyles::ansi() }
    } else {
        GraphicalTheme { characters: ThemeCharacters::unicode(), styles: ThemeStyles::none() }
    };
    let report = Report { diagnostic, source: NamedSource::new(&file.path, file.text.clone()) };
    let mut out = String::new();
    let drawn =
        GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100).render_report(&mut out, &report);
    if drawn.is_err() {
        let (line, column) = line_column(&file.text, diagnostic.span.start);
        return format!("{}:{line}:{column}: {}: {}", file.path, diagnostic.code, diagnostic.message);
    }
    out
}

/// For people, on standard output: it is what `check` was asked for.
pub(crate) fn print(file: &File) {
    file.diagnostics.iter().for_each(|d| output::line(&drawn(file, d)));
}

/// For people, on standard error: beside what the command was asked for.
pub(crate) fn note(file: &File) {
    file.diagnostics.iter().for_each(|d| output::note(drawn(file, d).trim_end_matches('\n')));
}

fn span(file: &File, span: Span) -> Value {
    let (line, column) = line_column(&file.text, span.start);
    json!({ "start": span.start, "end": span.end, "line": line, "column": column })
}

/// `escher.diagnostics/1`
pub(crate) fn json(files: &[&File]) -> Value {
    let mut all = Vec::new();
    let (mut errors, mut warnings) = (0, 0);
    for file in files {
        for d in &file.diagnostics {
            if d.severity == Severity::Error {
                errors += 1
            } else {
                warnings += 1
            }
            let labels: Vec<_> =
                d.labels.iter().map(|l| json!({ "span": span(file, l.span), "text": l.text })).collect();
            let fixes: Vec<_> = d
                .fixes
                .iter()
                .map(|f| {
                    let edits: Vec<_> =
                        f.edits.iter().map(|e| json!({ "span": span(file, e.span), "text": e.text })).collect();
                    json!({ "title": f.title, "edits": edits })
                })
                .collect();
            all.push(json!({
                "code": d.code, "severity": d.severity, "message": d.message, "file": file.path,
                "span": span(file, d.span), "labels": labels, "help": d.help, "fixes": fixes,
            }));
        }
    }
    json!({
        "schema": "escher.diagnostics/1", "files": files.len(), "errors": errors, "warnings": warnings,
        "diagnostics": all,
    })
}

/// SARIF 2.1.0.
pub(crate) fn sarif(files: &[&File]) -> Value {
    let mut results = Vec::new();
    let mut rules: Vec<&str> = Vec::new();
    for file in files {
        for d in &file.diagnostics {
            if !rules.contains(&d.code) {
                rules.push(d.code);
            }
            let region = |s: Span| {
                let (line, column) = line_column(&file.text, s.start);
                let (end_line, end_column) = line_column(&file.text, s.end.max(s.start));
                json!({
                    "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
                    "byteOffset": s.start, "byteLength": s.end.saturating_sub(s.start),
                })
            };
            let place =
                |s: Span| json!({ "artifactLocation": { "uri": file.path.replace('\\', "/") }, "region": region(s) });
            let related: Vec<_> = d
                .labels
                .iter()
                .map(|l| json!({ "physicalLocation": place(l.span), "message": { "text": l.text } }))
                .collect();
            let text = match &d.help {
                Some(help) => format!("{}. {help}", d.message),
                None => d.message.clone(),
            };
            results.push(json!({
                "ruleId": d.code,
                "level": if d.severity == Severity::Error { "error" } else { "warning" },
                "message": { "text": text },
                "locations": [{ "physicalLocation": place(d.span) }],
                "relatedLocations": related,
            }));
        }
    }
    rules.sort_unstable();
    let rules: Vec<_> = rules.iter().map(|r| json!({ "id": r })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "escher", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Annotations of GitHub Actions, a line each.
pub(crate) fn github(file: &File) {
    let escape = |s: &str| s.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    for d in &file.diagnostics {
        let (line, column) = line_column(&file.text, d.span.start);
        let kind = if d.severity == Severity::Error { "error" } else { "warning" };
        let help = d.help.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
        let path = escape(&file.path).replace(',', "%2C").replace(':', "%3A");
        output::line(&format!(
            "::{kind} file={path},line={line},col={column},title={}::{}",
            d.code,
            escape(&format!("{}{help}", d.message))
        ));
    }
}

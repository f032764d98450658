//! What became of tests: for people, as JSON, as JUnit's XML.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Value, json};

use super::{Verdict, Why};
use crate::output;

/// A line for people, as a test ends.
pub(crate) fn line(verdict: &Verdict) {
    let word = if verdict.failure.is_some() { output::red("FAIL") } else { "ok  ".to_string() };
    output::line(&format!("{word} {}: {}", verdict.file, verdict.title));
    if let Some(why) = &verdict.failure {
        details(why, &verdict.file).iter().for_each(|line| output::line(&format!("     {line}")));
    }
}

/// The whole of it, in a line.
pub(crate) fn summary(verdicts: &[Verdict]) -> String {
    let failed = failed(verdicts);
    let count = crate::commands::check::count(verdicts.len(), "test");
    format!("{count}: {} passed, {failed} failed", verdicts.len() - failed)
}

/// How many failed.
pub(crate) fn failed(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|v| v.failure.is_some()).count()
}

fn details(why: &Why, file: &str) -> Vec<String> {
    let mut lines = vec![format!("{file}:{}:{}: {}", why.line, why.column, why.message)];
    lines.extend(why.code.lines().take(8).map(|l| format!("  {}", l.trim_end())));
    lines.extend(why.more.iter().cloned());
    lines
}

/// `escher.test/1`
pub(crate) fn as_json(verdicts: &[Verdict]) -> Value {
    let results: Vec<Value> = verdicts
        .iter()
        .map(|v| {
            let failure = v
                .failure
                .as_ref()
                .map(|why| json!({ "line": why.line, "column": why.column, "message": why.message, "help": why.more }));
            json!({
                "file": v.file, "title": v.title, "line": v.line, "seconds": v.took.as_secs_f64(),
                "status": if v.failure.is_some() { "failed" } else { "passed" }, "failure": failure,
            })
        })
        .collect();
    json!({
        "schema": "escher.test/1", "tests": verdicts.len(), "failed": failed(verdicts), "results": results,
    })
}

/// JUnit's XML, a suite for each file.
pub(crate) fn junit(verdicts: &[Verdict]) -> std::io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let seconds = |v: &[&Verdict]| format!("{:.3}", v.iter().map(|v| v.took.as_secs_f64()).sum::<f64>());
    let all: Vec<&Verdict> = verdicts.iter().collect();
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "escher"),
            ("tests", verdicts.len().to_string().as_str()),
            ("failures", failed(verdicts).to_string().as_str()),
            ("time", seconds(&all).as_str()),
        ])
        .write_inner_content(|writer| {
            let mut rest = all.as_slice();
            while let Some(first) = rest.first() {
                let end = rest.iter().position(|v| v.file != first.file).unwrap_or(rest.len());
                let (suite, others) = rest.split_at(end);
                rest = others;
                let failures = suite.iter().filter(|v| v.failure.is_some()).count();
                writer
                    .create_element("testsuite")
                    .with_attributes([
                        ("name", first.file.as_str()),
                        ("tests", suite.len().to_string().as_str()),
                        ("failures", failures.to_string().as_str()),
                        ("errors", "0"),
                        ("skipped", "0"),
                        ("time", seconds(suite).as_str()),
                    ])
                    .write_inner_content(|writer| suite.iter().try_for_each(|v| case(writer, v)))?;
            }
            Ok(())
        })?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
}

fn case(writer: &mut Writer<Vec<u8>>, verdict: &Verdict) -> std::io::Result<()> {
    let time = format!("{:.3}", verdict.took.as_secs_f64());
    let element = writer.create_element("testcase").with_attributes([
        ("name", verdict.title.as_str()),
        ("classname", verdict.file.as_str()),
        ("line", verdict.line.to_string().as_str()),
        ("time", time.as_str()),
    ]);
    match &verdict.failure {
        None => element.write_empty()?,
        Some(why) => element.write_inner_content(|writer| {
            let failure = writer.create_element("failure").with_attributes([("message", why.message.as_str())]);
            failure.write_text_content(BytesText::new(&details(why, &verdict.file).join("\n")))?;
            Ok(())
        })?,
    };
    Ok(())
}

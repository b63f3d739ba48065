//! The report as SARIF 2.1.0, which code scanning services and editors read.
//!
//! Results are written as they come; only the rules, which stand before them,
//! and notes, which stand after them, are held. Braces in messages are not
//! doubled, although the standard says so: messages here have no arguments, and
//! what reads SARIF shows them as they stand.

mod fingerprint;
mod place;

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::excerpt::visible;
use super::{Conclusion, Report, Workspace};
use crate::crun::Audit;
use crate::finding::{
    Applicability, Edit, Finding, Fix, Location, Origin, Rule, Severity, Suppression,
};
use fingerprint::Fingerprints;
use place::{Use, artifact, region};

/// Where the schema of the format is kept by those who made it.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of what [`Fingerprints`] makes, with the version of how.
const FINGERPRINT: &str = "seclint/v1";

/// Writes reports as SARIF, a result a line.
#[derive(Debug)]
pub struct Sarif<W> {
    out: W,
    rules: Vec<&'static Rule>,
    workspace: Workspace,
    is_begun: bool,
    is_first: bool,
    notes: Vec<Value>,
}

impl<W: Write> Sarif<W> {
    /// A report to `out` of files in a workspace, whose head describes `rules`: all
    /// that findings may be of.
    pub const fn new(out: W, rules: Vec<&'static Rule>, workspace: Workspace) -> Self {
        Self {
            out,
            rules,
            workspace,
            is_begun: false,
            is_first: true,
            notes: Vec::new(),
        }
    }

    /// Everything before the results. Audits of several roots share one.
    fn head(&mut self) -> io::Result<()> {
        if self.is_begun {
            return Ok(());
        }
        self.is_begun = true;
        let version = env!("CARGO_PKG_VERSION");
        let driver = json!({
            "name": "seclint",
            "version": version,
            "semanticVersion": version,
            "rules": self.rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        });
        // Where that is on this machine is nobody's business but this machine's.
        let base = json!({
            place::BASE: {"description": {"text": self.workspace.description()}},
        });
        write!(
            self.out,
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
             \"originalUriBaseIds\":{base},\"defaultEncoding\":\"utf-8\",\
             \"columnKind\":\"unicodeCodePoints\",\"results\":["
        )
    }

    fn result(&self, finding: &Finding, fingerprint: &str) -> Value {
        let rule = finding.rule;
        let mut text = message(&finding.message);
        if let Some(help) = &finding.help {
            text.push_str("\nhelp: ");
            text.push_str(&message(help));
        }
        let mut result = Map::new();
        result.insert("ruleId".to_owned(), json!(rule.id));
        if let Some(index) = self.rules.iter().position(|known| known.id == rule.id) {
            result.insert("ruleIndex".to_owned(), json!(index));
        }
        result.insert("level".to_owned(), json!(level(finding.severity)));
        result.insert("message".to_owned(), json!({"text": text}));
        let here = self.location(&finding.location, finding.here.as_deref());
        result.insert("locations".to_owned(), json!([here]));
        if !finding.labels.is_empty() {
            let labels = finding.labels.iter().enumerate();
            let related = labels.map(|(index, label)| {
                let mut place = self.location(&label.location, Some(&label.message));
                place.insert("id".to_owned(), json!(index + 1));
                Value::Object(place)
            });
            result.insert("relatedLocations".to_owned(), related.collect());
        }
        let fingerprints = json!({FINGERPRINT: fingerprint});
        result.insert("partialFingerprints".to_owned(), fingerprints);
        if let Some(fix) = &finding.fix {
            result.insert(
                "fixes".to_owned(),
                json!([self.repair(&finding.location, fix)]),
            );
        }
        // Said of all, since whoever says it of some must.
        let suppressions = finding.suppression.iter().map(suppression);
        result.insert("suppressions".to_owned(), suppressions.collect());
        if !finding.facts.is_empty() {
            let properties = json!({"facts": finding.facts});
            result.insert("properties".to_owned(), properties);
        }
        Value::Object(result)
    }

    fn location(&self, location: &Location, here: Option<&str>) -> Map<String, Value> {
        let mut physical = Map::new();
        let file = artifact(&self.workspace.path(&location.source));
        physical.insert("artifactLocation".to_owned(), file);
        if let Some(span) = location.span {
            let region = region(&location.source, span, Use::Show);
            physical.insert("region".to_owned(), region);
        }
        let mut place = Map::new();
        place.insert("physicalLocation".to_owned(), Value::Object(physical));
        // The pointer of a whole document is empty, and no name.
        let pointer = location.pointer.as_deref();
        if let Some(pointer) = pointer.filter(|pointer| !pointer.is_empty()) {
            let name = json!([{"fullyQualifiedName": visible(pointer)}]);
            place.insert("logicalLocations".to_owned(), name);
        }
        if let Some(here) = here {
            place.insert("message".to_owned(), json!({"text": message(here)}));
        }
        place
    }

    fn repair(&self, location: &Location, fix: &Fix) -> Value {
        let replacement = |edit: &Edit| {
            let deleted = region(&location.source, edit.span, Use::Replace);
            if edit.text.is_empty() {
                json!({"deletedRegion": deleted})
            } else {
                json!({"deletedRegion": deleted, "insertedContent": {"text": edit.text}})
            }
        };
        let description = match fix.applicability {
            Applicability::Safe => {
                "Every runtime makes the same filter of the profile as before, or made none of it before."
            }
            Applicability::Unsafe => {
                "The filter changes, or a comment is lost: a person should look."
            }
        };
        json!({
            "description": {"text": description},
            "artifactChanges": [{
                "artifactLocation": artifact(&self.workspace.path(&location.source)),
                "replacements": fix.edits.iter().map(replacement).collect::<Vec<_>>(),
            }],
            "properties": {"applicability": fix.applicability},
        })
    }
}

impl<W: Write> Report for Sarif<W> {
    fn begin(&mut self) -> io::Result<()> {
        self.head()
    }

    fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        self.head()?;
        let mut fingerprints = Fingerprints::default();
        for finding in findings {
            self.out
                .write_all(if self.is_first { b"\n" } else { b",\n" })?;
            self.is_first = false;
            let result = self.result(finding, &fingerprints.of(finding, &self.workspace));
            serde_json::to_writer(&mut self.out, &result)?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Conclusion<'_>) -> io::Result<()> {
        Ok(())
    }

    fn audit(&mut self, audit: &Audit) -> io::Result<()> {
        let notes = audit.notes.iter().map(|note| {
            let text = message(&format!("{}: {note}", audit.root));
            json!({"level": "note", "message": {"text": text}})
        });
        self.notes.extend(notes);
        self.findings(&audit.findings)
    }

    fn finish(&mut self, is_complete: bool) -> io::Result<()> {
        self.head()?;
        let mut invocation = Map::new();
        invocation.insert("executionSuccessful".to_owned(), json!(is_complete));
        if !self.notes.is_empty() {
            let notes = std::mem::take(&mut self.notes);
            invocation.insert("toolExecutionNotifications".to_owned(), Value::Array(notes));
        }
        let invocation = Value::Object(invocation);
        writeln!(self.out, "\n],\"invocations\":[{invocation}]}}]}}")?;
        self.out.flush()
    }
}

/// What is told of a rule. How often rules are wrong has not been measured, and
/// how much harm a finding does depends on what a profile guards, so there is
/// no `precision` and no `security-severity`.
fn descriptor(rule: &Rule) -> Value {
    let summary = rule.summary();
    let why = rule.section("Why it hurts");
    let first = why.split("\n\n").next().unwrap_or_default();
    let mut help = vec![summary.clone(), why.to_owned()];
    help.extend(
        Some(rule.section("When to ignore it"))
            .filter(|text| !text.is_empty())
            .map(|text| format!("When to ignore it:\n{text}")),
    );
    help.retain(|text| !text.is_empty());
    json!({
        "id": rule.id,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": format!("{summary} {}", first.replace('\n', " ")).trim_end()},
        "help": {"text": help.join("\n\n"), "markdown": rule.page},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "category": rule.category,
            "tags": ["seccomp", rule.category.name()],
        },
    })
}

fn suppression(suppression: &Suppression) -> Value {
    let kind = match suppression.origin {
        Origin::InSource => "inSource",
        Origin::External => "external",
    };
    let justification = message(&suppression.reason);
    json!({"kind": kind, "status": "accepted", "justification": justification})
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A text as a plain text message: what stands in a profile must not become a
/// link, which is written `[text](address)` there.
fn message(text: &str) -> String {
    visible(text).replace("](", "\\](")
}

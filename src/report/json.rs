//! The report as JSON, for programs: `seclint.report/1` and
//! `seclint.cache-audit/1`, of which each state root gives one, on a line of its
//! own. Their schemas are in `schemas/`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Against, Conclusion, Report, reported};
use crate::crun::{
    Attribution, Audit, AuditSummary, Container, Crun, Entry, Pruned, Scheme, Status,
};
use crate::finding::{Applicability, Finding, Label, Location, Severity};
use crate::target::{Target, Uname};
use crate::text::{Position, Span};

/// Writes reports as JSON, a finding a line.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    is_first: bool,
}

impl<W: Write> Json<W> {
    /// A report to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            is_first: true,
        }
    }
}

impl<W: Write> Report for Json<W> {
    fn begin(&mut self) -> io::Result<()> {
        let tool = tool();
        let schema = r#"{"schema":"seclint.report/1""#;
        write!(self.out, "{schema},\"tool\":{tool},\"findings\":[")
    }

    fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        for finding in reported(findings) {
            self.out
                .write_all(if self.is_first { b"\n" } else { b",\n" })?;
            self.is_first = false;
            serde_json::to_writer(&mut self.out, &FindingJson::from(finding))?;
        }
        Ok(())
    }

    fn end(&mut self, conclusion: &Conclusion<'_>) -> io::Result<()> {
        let against = conclusion.against;
        let summary = serde_json::to_string(conclusion.summary)?;
        write!(self.out, "\n],\"summary\":{summary}")?;
        if let Some(gone) = conclusion.gone {
            write!(self.out, ",\"gone\":{}", serde_json::to_string(gone)?)?;
        }
        let (target, targets) = (target(against), targets(against));
        writeln!(self.out, ",\"target\":{target},\"targets\":{targets}}}")?;
        self.out.flush()
    }

    fn audit(&mut self, audit: &Audit) -> io::Result<()> {
        let report = AuditJson {
            schema: "seclint.cache-audit/1",
            tool: tool(),
            root: &audit.root,
            runtime: &audit.runtime,
            libseccomp: audit.libseccomp.map(|release| release.to_string()),
            uname: audit.uname.as_ref(),
            key_scheme: audit.key_scheme,
            entries: audit.entries.iter().map(EntryJson::from).collect(),
            containers: &audit.containers,
            findings: audit.findings.iter().map(FindingJson::from).collect(),
            notes: &audit.notes,
            summary: audit.summary,
        };
        serde_json::to_writer(&mut self.out, &report)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    fn finish(&mut self, _: bool) -> io::Result<()> {
        self.out.flush()
    }
}

fn tool() -> Value {
    json!({"name": "seclint", "version": env!("CARGO_PKG_VERSION")})
}

/// What holds of all targets.
fn target(against: Against<'_>) -> Value {
    let common = |fact| common(against.targets.iter().map(Target::facts), fact);
    json!({
        "architectures": common("architectures").unwrap_or_else(|| json!([])),
        "kernel": common("kernel"),
        "libseccomp": common("libseccomp"),
        "engines": against.engines.iter().map(|engine| engine.name()).collect::<Vec<_>>(),
        "dialects": against.dialects.map(|dialects| dialects.names().collect::<Vec<_>>()),
    })
}

/// What all have of a fact, if they have the same.
fn common(mut all: impl Iterator<Item = Map<String, Value>>, fact: &str) -> Option<Value> {
    let first = all.next()?.remove(fact)?;
    all.all(|other| other.get(fact) == Some(&first))
        .then_some(first)
}

/// Each target that the user named.
fn targets(against: Against<'_>) -> Value {
    let named = (against.targets.iter()).filter(|target| target.name.is_some());
    named.map(|target| Value::Object(target.facts())).collect()
}

#[derive(Serialize)]
struct AuditJson<'a> {
    schema: &'static str,
    tool: Value,
    root: &'a str,
    runtime: &'a Crun,
    libseccomp: Option<String>,
    uname: Option<&'a Uname>,
    key_scheme: Scheme,
    entries: Vec<EntryJson<'a>>,
    containers: &'a [Container],
    findings: Vec<FindingJson<'a>>,
    notes: &'a [String],
    summary: AuditSummary,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    name: &'a str,
    bytes: u64,
    links: u64,
    pinned: bool,
    stale: Option<bool>,
    modified: &'a str,
    status: Status,
    attributed: &'a [Attribution],
    hidden: Vec<HiddenJson<'a>>,
    pruned: Option<Pruned>,
}

#[derive(Serialize)]
struct HiddenJson<'a> {
    syscall: &'a str,
    #[serde(flatten)]
    place: PlaceJson<'a>,
}

#[derive(Serialize)]
struct FindingJson<'f> {
    rule: &'static str,
    severity: Severity,
    message: &'f str,
    #[serde(flatten)]
    place: PlaceJson<'f>,
    labels: Vec<LabelJson<'f>>,
    help: Option<&'f str>,
    facts: &'f Map<String, Value>,
    fix: Option<FixJson<'f>>,
}

#[derive(Serialize)]
struct PlaceJson<'f> {
    path: &'f str,
    pointer: Option<&'f str>,
    span: Option<SpanJson>,
}

#[derive(Serialize)]
struct SpanJson {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct LabelJson<'f> {
    message: &'f str,
    #[serde(flatten)]
    place: PlaceJson<'f>,
}

#[derive(Serialize)]
struct FixJson<'f> {
    applicability: Applicability,
    edits: Vec<EditJson<'f>>,
}

#[derive(Serialize)]
struct EditJson<'f> {
    span: SpanJson,
    text: &'f str,
}

impl SpanJson {
    fn new(location: &Location, span: Span) -> Self {
        Self {
            start: location.source.position(span.start),
            end: location.source.position(span.end),
        }
    }
}

impl<'f> From<&'f Location> for PlaceJson<'f> {
    fn from(location: &'f Location) -> Self {
        Self {
            path: location.source.name(),
            pointer: location.pointer.as_deref(),
            span: location.span.map(|span| SpanJson::new(location, span)),
        }
    }
}

impl<'f> From<&'f Label> for LabelJson<'f> {
    fn from(label: &'f Label) -> Self {
        Self {
            message: &label.message,
            place: PlaceJson::from(&label.location),
        }
    }
}

impl<'f> From<&'f Finding> for FindingJson<'f> {
    fn from(finding: &'f Finding) -> Self {
        let fix = finding.fix.as_ref().map(|fix| FixJson {
            applicability: fix.applicability,
            edits: (fix.edits.iter())
                .map(|edit| EditJson {
                    span: SpanJson::new(&finding.location, edit.span),
                    text: &edit.text,
                })
                .collect(),
        });
        Self {
            rule: finding.rule.id,
            severity: finding.severity,
            message: &finding.message,
            place: PlaceJson::from(&finding.location),
            labels: finding.labels.iter().map(LabelJson::from).collect(),
            help: finding.help.as_deref(),
            facts: &finding.facts,
            fix,
        }
    }
}

impl<'a> From<&'a Entry> for EntryJson<'a> {
    fn from(entry: &'a Entry) -> Self {
        let hidden = entry.hidden().map(|hidden| HiddenJson {
            syscall: &hidden.syscall,
            place: PlaceJson::from(&hidden.location),
        });
        Self {
            name: &entry.name,
            bytes: entry.bytes,
            links: entry.links,
            pinned: entry.pinned,
            stale: entry.stale,
            modified: &entry.modified,
            status: entry.status,
            attributed: &entry.attributed,
            hidden: hidden.collect(),
            pruned: entry.pruned,
        }
    }
}

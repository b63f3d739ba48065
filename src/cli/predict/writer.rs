//! How predictions are written, as they come.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Ending;
use crate::cli::engine::EngineRefusal;
use crate::cli::options::ListFormat;
use crate::report::visible;
use crate::runtime::Outcome;

/// How many names of a list people are shown.
const SHOWN_NAMES: usize = 20;

/// What a runtime does with a file.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) runtime: RuntimeReport<'a>,
    pub(super) libseccomp: String,
    pub(super) outcome: Outcome,
    pub(super) certain: bool,
    pub(super) error: Option<String>,
    pub(super) warned: Vec<String>,
    pub(super) dropped: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) notes: Vec<String>,
}

/// What a prediction is of.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Subject<'a> {
    pub(super) path: &'a str,
    /// What the profile is called there, if it has a name.
    pub(super) profile: Option<&'a str>,
    pub(super) target: Option<&'a str>,
}

#[derive(Serialize)]
struct InFile<'a> {
    #[serde(flatten)]
    of: Subject<'a>,
    #[serde(flatten)]
    report: Report<'a>,
}

#[derive(Serialize)]
pub(super) struct RuntimeReport<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

/// Writes predictions.
pub(super) struct Writer<W: Write> {
    out: W,
    format: ListFormat,
    is_first: bool,
    /// The profiles that no runtime gets.
    refused: Vec<Value>,
}

impl Writer<BufWriter<io::StdoutLock<'static>>> {
    pub(super) fn new(format: ListFormat) -> io::Result<Self> {
        let mut out = BufWriter::new(io::stdout().lock());
        if let ListFormat::Json = format {
            write!(out, r#"{{"schema":"seclint.predict/1","predictions":["#)?;
        }
        Ok(Self {
            out,
            format,
            is_first: true,
            refused: Vec::new(),
        })
    }
}

impl<W: Write> Writer<W> {
    /// Writes what is predicted of a profile, and tells how that ends. `notes` are about all of it.
    pub(super) fn reports(
        &mut self,
        of: Subject<'_>,
        mut reports: Vec<Report<'_>>,
        mut notes: Vec<String>,
    ) -> io::Result<Ending> {
        let starts = |report: &Report<'_>| report.outcome == Outcome::Starts && report.certain;
        let ending = if reports.iter().all(starts) {
            Ending::Clean
        } else {
            Ending::Findings
        };
        match self.format {
            ListFormat::Human => {
                notes.splice(..0, take_shared_notes(&mut reports));
                self.head(of)?;
                for note in &notes {
                    writeln!(self.out, "  {:<16}{}", "note", visible(note))?;
                }
                reports
                    .iter()
                    .try_for_each(|report| print(&mut self.out, report))?;
            }
            ListFormat::Json => {
                for mut report in reports {
                    report.notes.extend_from_slice(&notes);
                    write!(self.out, "{}", if self.is_first { "\n" } else { ",\n" })?;
                    let report = InFile { of, report };
                    serde_json::to_writer(&mut self.out, &report).map_err(io::Error::from)?;
                    self.is_first = false;
                }
            }
        }
        Ok(ending)
    }

    /// Writes that an engine refuses a profile, so that no runtime gets it.
    pub(super) fn refusal(&mut self, of: Subject<'_>, refusal: &EngineRefusal) -> io::Result<()> {
        match self.format {
            ListFormat::Human => {
                self.head(of)?;
                let (engine, words) = (refusal.engine.title(), visible(&refusal.words));
                let does = refusal.does.trim_end_matches(" on");
                writeln!(self.out, "  {engine:<16}{does}: {words}")
            }
            ListFormat::Json => {
                let engine = refusal.engine.name();
                let error = &refusal.words;
                let Subject {
                    path,
                    profile,
                    target,
                } = of;
                self.refused.push(
                    json!({"path": path, "profile": profile, "target": target, "engine": engine, "error": error}),
                );
                Ok(())
            }
        }
    }

    fn head(&mut self, of: Subject<'_>) -> io::Result<()> {
        let before = if self.is_first { "" } else { "\n" };
        self.is_first = false;
        let name = of.profile.map(|name| format!(" ({})", visible(name)));
        let on = of.target.map(|target| format!(" on {target}"));
        let (name, on) = (name.unwrap_or_default(), on.unwrap_or_default());
        writeln!(self.out, "{before}{}{name}{on}", visible(of.path))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if let ListFormat::Json = self.format {
            writeln!(self.out, "\n],\"refused\":{}}}", Value::from(self.refused))?;
        }
        self.out.flush()
    }
}

/// Takes out the notes that all of several runtimes have.
fn take_shared_notes(reports: &mut [Report<'_>]) -> Vec<String> {
    let [first, others @ ..] = &*reports else {
        return Vec::new();
    };
    if others.is_empty() {
        return Vec::new();
    }
    let is_shared = |note: &&String| others.iter().all(|report| report.notes.contains(note));
    let shared: Vec<String> = first.notes.iter().filter(is_shared).cloned().collect();
    for report in reports {
        report.notes.retain(|note| !shared.contains(note));
    }
    shared
}

fn print(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let runtime = format!("{} {}", report.runtime.name, report.runtime.version);
    let outcome = match report.outcome {
        Outcome::Starts if report.certain => "starts",
        Outcome::Starts => "starts or dies",
        Outcome::Dies => "dies",
        Outcome::Refuses => "refuses",
    };
    write!(out, "  {runtime:<16}{outcome}")?;
    match &report.error {
        Some(error) => writeln!(out, ": {}", visible(error))?,
        None => writeln!(out)?,
    }
    let mut line = |what: &str, text: &str| writeln!(out, "    {what:<11}{}", visible(text));
    if !report.warned.is_empty() {
        line("warns of", &listed(&report.warned))?;
    }
    if !report.dropped.is_empty() {
        line("drops", &listed(&report.dropped))?;
    }
    if let Some(key) = &report.key {
        line("caches", key)?;
    }
    report.notes.iter().try_for_each(|note| line("note", note))
}

/// Names, the first of them if they are many.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN_NAMES);
    let shown: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

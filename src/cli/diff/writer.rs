//! How comparisons are written.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::compared::{ChangeReport, Compared, Side, Status};
use crate::cli::options::{ListFormat, write_json};
use crate::cli::runtime::Foreseen;
use crate::policy::Direction;
use crate::report::visible;

/// All that was compared.
#[derive(Serialize)]
pub(super) struct Report {
    schema: &'static str,
    runtime: RuntimeReport,
    libseccomp: String,
    diffs: Vec<Compared>,
    summary: Summary,
    /// Whether some file has several profiles, which names must tell apart.
    #[serde(skip)]
    pub(super) has_namesakes: bool,
    /// Whether people are told only how many are unchanged.
    #[serde(skip)]
    pub(super) counts_unchanged: bool,
}

#[derive(Serialize)]
struct RuntimeReport {
    name: &'static str,
    version: String,
}

/// How much of what there is.
#[derive(Default, Serialize)]
struct Summary {
    /// Profiles that were compared, of which a file may have several.
    profiles: usize,
    changed: usize,
    new: usize,
    deleted: usize,
    refused: usize,
    /// Profiles of which a part was not seen.
    unknown: usize,
    /// Files that hold no profile.
    skipped: usize,
    loosens: usize,
    tightens: usize,
    other: usize,
}

impl Report {
    pub(super) fn new(runtime: &Foreseen) -> Self {
        Self {
            schema: "seclint.diff/1",
            runtime: RuntimeReport {
                name: runtime.model.name(),
                version: runtime.model.version().to_owned(),
            },
            libseccomp: runtime.libseccomp.release.to_string(),
            diffs: Vec::new(),
            summary: Summary::default(),
            has_namesakes: false,
            counts_unchanged: false,
        }
    }

    pub(super) fn add(&mut self, compared: Compared) {
        let summary = &mut self.summary;
        summary.profiles += 1;
        match compared.status {
            Status::Same => {}
            Status::Changed => summary.changed += 1,
            Status::New => summary.new += 1,
            Status::Deleted => summary.deleted += 1,
            Status::Refused => summary.refused += 1,
            Status::Unknown => summary.unknown += 1,
        }
        for direction in compared.directions() {
            match direction {
                Direction::Loosens => summary.loosens += 1,
                Direction::Tightens => summary.tightens += 1,
                Direction::Other => summary.other += 1,
            }
        }
        self.diffs.push(compared);
    }

    /// Counts a file that holds no profile.
    pub(super) fn skip(&mut self) {
        self.summary.skipped += 1;
    }
}

pub(super) fn write(format: ListFormat, report: &Report) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        ListFormat::Json => {
            write_json(&mut out, report)?;
        }
        ListFormat::Human => print(&mut out, report)?,
    }
    out.flush()
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let is_told = |it: &&Compared| !(report.counts_unchanged && it.is_nothing_new());
    for compared in report.diffs.iter().filter(is_told) {
        print_one(out, compared, report)?;
        writeln!(out)?;
    }
    let Summary {
        profiles,
        skipped,
        loosens,
        tightens,
        other,
        ..
    } = report.summary;
    let with = |status: Status| {
        let all = report.diffs.iter();
        all.filter(|it| it.status == status).count()
    };
    let counts = [
        (loosens, "loosens"),
        (tightens, "tightens"),
        (other, "other"),
        (with(Status::New), "new"),
        (with(Status::Deleted), "deleted"),
        (with(Status::Refused), "refused"),
        (with(Status::Unknown), "not known"),
    ];
    let counts = counts.into_iter().filter(|&(count, _)| count > 0);
    let counts: Vec<_> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let said = match (profiles, counts.as_slice()) {
        (0, _) => "nothing was compared".to_owned(),
        (_, []) => "no changes".to_owned(),
        (_, counts) => counts.join(", "),
    };
    let left_out = report.diffs.iter().filter(|it| !is_told(it)).count();
    let said = match left_out {
        0 => said,
        count => format!("{said}, {count} unchanged"),
    };
    match skipped {
        0 => writeln!(out, "{said}"),
        1 => writeln!(out, "{said}; 1 file that holds no profile was passed over"),
        several => writeln!(
            out,
            "{said}; {several} files that hold no profile were passed over"
        ),
    }
}

fn print_one(out: &mut impl Write, compared: &Compared, report: &Report) -> io::Result<()> {
    let place = |side: &Side| {
        let path = visible(side.path.as_deref().unwrap_or_default());
        match side.profile.as_deref().filter(|_| report.has_namesakes) {
            Some(name) => format!("{path} ({})", visible(name)),
            None => path,
        }
    };
    let (old, mut new) = (place(&compared.old), place(&compared.new));
    if let Some(path) = &compared.renamed_from {
        new = format!("{new}, renamed from {}", visible(path));
    }
    match compared.status {
        Status::New => write!(
            out,
            "{new}: new, so that there is nothing to compare it with; only --fail-on any fails for it"
        )?,
        Status::Deleted => write!(
            out,
            "{old}: deleted, so that there is nothing to compare it with; only --fail-on any fails for it"
        )?,
        Status::Same => write!(out, "{old} -> {new}: the same filter")?,
        Status::Changed | Status::Refused | Status::Unknown => write!(out, "{old} -> {new}")?,
    }
    let RuntimeReport { name, version } = &report.runtime;
    writeln!(
        out,
        " (under {name} {version} with libseccomp {})",
        report.libseccomp
    )?;
    for note in &compared.notes {
        writeln!(out, "note: {}", visible(note))?;
    }
    if let (Some(why), true) = (&compared.new.refused, compared.unchanged) {
        let why = visible(why);
        writeln!(out, "unchanged, and nothing runs with it, as before: {why}")?;
        return Ok(());
    }
    for (what, side) in [("old", &compared.old), ("new", &compared.new)] {
        if let Some(why) = &side.refused {
            writeln!(out, "nothing runs with the {what} one: {}", visible(why))?;
        }
        if let Some(why) = &side.no_filter {
            writeln!(out, "everything runs with the {what} one: {}", visible(why))?;
        }
    }
    if compared.same_key {
        writeln!(
            out,
            "crun's cache does not notice the change: both versions have the same key, and a host that has run the old one goes on with its filter"
        )?;
    }
    if let Some(default) = &compared.default {
        let (old, new) = (&default.old.text, &default.new.text);
        let word = default.direction.word();
        writeln!(out, "{word:<9} the default action: {old} -> {new}")?;
    }
    compared
        .changes
        .iter()
        .try_for_each(|change| print_change(out, change))
}

fn print_change(out: &mut impl Write, change: &ChangeReport) -> io::Result<()> {
    let arches = change.architectures.join(", ");
    let (subject, on) = match change.about {
        "syscalls" => (change.syscalls.join(", "), format!(" on {arches}")),
        "unnamed" => ("calls without a name".to_owned(), format!(" on {arches}")),
        "architecture" => (format!("all calls of {arches}"), String::new()),
        _ => ("calls of other architectures".to_owned(), String::new()),
    };
    let (old, new) = (&change.old.text, &change.new.text);
    let when = match (&change.when, change.always) {
        (Some(when), _) => format!(" where {when}"),
        (None, true) => String::new(),
        (None, false) if change.about == "syscalls" => " for some arguments".to_owned(),
        (None, false) => " for some".to_owned(),
    };
    let text = format!("{subject}: {old} -> {new}{when}{on}");
    let word = change.direction.word();
    for (place, line) in wrapped(&text).into_iter().enumerate() {
        let before = if place == 0 { word } else { "" };
        writeln!(out, "{before:<9} {line}")?;
    }
    if !change.always && change.about == "syscalls" {
        writeln!(out, "{:<9} such as {}", "", visible(&change.witness.text))?;
    }
    Ok(())
}

/// A text in lines that fit a terminal.
fn wrapped(text: &str) -> Vec<String> {
    const WIDTH: usize = 90;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

//! How an answer is written.

use std::io::{self, BufWriter, Write};

use super::report::{Case, EntryRef, NotDeciding, OnArch, Report, WayIn};
use crate::cli::options::{ListFormat, write_json};
use crate::report::visible;

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
    let call = format!("{}({})", report.syscall, report.arguments.join(", "));
    let path = visible(&report.path);
    write!(out, "{path}: {}", visible(&call))?;
    match (&report.runtime, &report.libseccomp) {
        (Some(runtime), Some(release)) => writeln!(
            out,
            " under {} {} with libseccomp {release}",
            runtime.name, runtime.version
        )?,
        _ => writeln!(out)?,
    }
    for note in &report.notes {
        writeln!(out, "note: {}", visible(note))?;
    }
    if let Some(why) = &report.refused {
        return writeln!(out, "nothing runs: {}", visible(why));
    }
    if let Some(why) = &report.no_filter {
        return writeln!(
            out,
            "every call runs, since there is no filter: {}",
            visible(why)
        );
    }
    print_ways(out, report)?;
    if !report.passed_over.is_empty() {
        writeln!(out, "rule entries that name it, and are not in the filter:")?;
        (report.passed_over.iter()).try_for_each(|it| print_lost(out, it, "  "))?;
    }
    Ok(())
}

/// Writes the ways by which the call comes, those together of which the same is to be said.
fn print_ways(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut told: Vec<(Vec<String>, Vec<u8>)> = Vec::new();
    let mut tell =
        |head: String, body: Vec<u8>| match told.iter_mut().find(|(_, other)| *other == body) {
            Some((heads, _)) => heads.push(head),
            None => told.push((vec![head], body)),
        };
    for on in &report.architectures {
        let note = on.note.as_deref().map(visible);
        if on.ways.is_empty() {
            let mut body = Vec::new();
            writeln!(body, "  {}", note.as_deref().unwrap_or_default())?;
            tell(on.arch.to_owned(), body);
        }
        for way in &on.ways {
            let mut body = Vec::new();
            if let Some(note) = note.as_deref().filter(|_| way.via.is_none()) {
                writeln!(body, "  {note}")?;
            }
            print_way(&mut body, way)?;
            tell(head(on, way, &report.syscall), body);
        }
    }
    for (heads, body) in told {
        writeln!(out, "{}", heads.join("; "))?;
        out.write_all(&body)?;
    }
    Ok(())
}

fn head(on: &OnArch, way: &WayIn, asked: &str) -> String {
    let (arch, number) = (on.arch, way.number);
    match (way.via, on.syscall) {
        (Some(via), _) => format!("{arch} by {via} ({number})"),
        (None, Some(name)) if name != asked => format!("{arch} ({number}: {name})"),
        (None, _) => format!("{arch} ({number})"),
    }
}

fn print_way(out: &mut impl Write, way: &WayIn) -> io::Result<()> {
    for case in &way.cases {
        let Case {
            when,
            decision,
            by,
            otherwise_by,
        } = case;
        let when = match when {
            Some(when) => format!(" where {when}"),
            None if way.cases.len() > 1 => " otherwise".to_owned(),
            None => String::new(),
        };
        let by_other = otherwise_by.map_or_else(String::new, |who| format!(", by the {who}"));
        let by_other = by_other.replace("the runc's", "runc's");
        writeln!(out, "  {}{when}{by_other}", decision.text)?;
        for entry in by {
            writeln!(out, "    by {}", entry_words(entry))?;
        }
    }
    way.lost
        .iter()
        .try_for_each(|lost| print_lost(out, lost, "  not "))
}

fn print_lost(out: &mut impl Write, lost: &NotDeciding, before: &str) -> io::Result<()> {
    let entry = entry_words(&lost.entry);
    writeln!(out, "{before}{entry}: {}", visible(&lost.reason))
}

fn entry_words(entry: &EntryRef) -> String {
    let place = visible(&entry.place);
    match &entry.conditions {
        Some(conditions) => format!("{place} where {conditions}"),
        None => place,
    }
}

//! How an answer is written.

use std::io::{self, BufWriter, Write};

use super::report::{Case, EntryRef, NotDeciding, OnArch, Report, WayIn};
use crate::cli::options::{ListFormat, write_json};
use crate::finding::Location;
use crate::report::{Look, Mark, excerpts, visible};

/// As many rule entries of a kind are shown, or one more.
const MOST_ENTRIES: usize = 8;

pub(super) fn write(format: ListFormat, look: Look, report: &Report) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        ListFormat::Json => {
            write_json(&mut out, report)?;
        }
        ListFormat::Human => print(&mut out, look, report)?,
    }
    out.flush()
}

fn print(out: &mut impl Write, look: Look, report: &Report) -> io::Result<()> {
    let call = format!("{}({})", report.syscall, report.shown.join(", "));
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
    let passed_over = &report.passed_over;
    if !passed_over.is_empty() {
        writeln!(out, "rule entries that name it, and are not in the filter:")?;
        let (shown, more) = first(passed_over);
        shown.iter().try_for_each(|it| print_lost(out, it, ""))?;
        print_more(out, "  ", more, "are not in the filter")?;
    }
    if speaks_of_arguments(report) {
        writeln!(out, "(a0 to a5 are the call's six arguments)")?;
    }
    let places = places(report);
    let labels: Vec<_> = places.iter().map(|it| it.labels.join(" or ")).collect();
    let marks = places.iter().zip(&labels).enumerate();
    let marks = marks
        .filter_map(|(index, (place, label))| Mark::new(place.location, Some(label), index == 0));
    let marks: Vec<_> = marks.collect();
    if !marks.is_empty() {
        writeln!(out)?;
    }
    excerpts(out, marks, look)
}

/// Whether any condition is told.
fn speaks_of_arguments(report: &Report) -> bool {
    let mut ways = report.architectures.iter().flat_map(|on| &on.ways);
    ways.any(|way| {
        let lost = way.lost.iter().map(|lost| &lost.entry);
        let mut entries = way.cases.iter().flat_map(|case| &case.by).chain(lost);
        entries.any(|entry| entry.conditions.is_some()) || way.cases.len() > 1
    })
}

/// A place in a source, and what is to be said of it.
struct Place<'r> {
    location: &'r Location,
    labels: Vec<String>,
}

/// Where rule entries name the call, each place once. What decides anywhere comes first, and is not
/// said to lose elsewhere.
fn places(report: &Report) -> Vec<Place<'_>> {
    let ways = || report.architectures.iter().flat_map(|on| &on.ways);
    let cases = ways().flat_map(|way| &way.cases);
    let deciding = cases.flat_map(|case| {
        let label = format!("decides: {}", case.decision.text);
        let (by, _) = first(&case.by);
        by.iter().map(move |entry| (entry, label.clone(), true))
    });
    let lost = ways().flat_map(|way| first(&way.lost).0);
    let lost = lost.map(|lost| (&lost.entry, "does not decide".to_owned(), false));
    let (passed_over, _) = first(&report.passed_over);
    let passed_over = passed_over.iter();
    let passed_over = passed_over.map(|it| (&it.entry, "not in the filter".to_owned(), false));
    let mut places: Vec<Place<'_>> = Vec::new();
    for (entry, label, decides) in deciding.chain(lost).chain(passed_over) {
        let Some(location) = &entry.named else {
            continue;
        };
        let is_there = |place: &&mut Place<'_>| {
            place.location.span == location.span
                && place.location.source.name() == location.source.name()
        };
        match places.iter_mut().find(is_there) {
            Some(place) if decides && !place.labels.contains(&label) => place.labels.push(label),
            Some(_) => {}
            None => places.push(Place {
                location,
                labels: vec![label],
            }),
        }
    }
    places
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
        (Some(via), _) => format!("{arch} by way of {via} (number {number})"),
        (None, Some(name)) if name != asked => format!("{arch} (number {number}: {name})"),
        (None, _) => format!("{arch} (number {number})"),
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
        let is_said = |conditions: &String| when.as_ref() == Some(conditions);
        let when = match when {
            Some(when) => format!(" where {when}"),
            None if way.cases.len() > 1 => " otherwise".to_owned(),
            None => String::new(),
        };
        writeln!(out, "  {}{when}: {}", decision.text, decision.outcome)?;
        match otherwise_by {
            Some(who @ "default action") => writeln!(out, "    decided by the {who}")?,
            Some(who) => writeln!(out, "    decided by {who}")?,
            None => {}
        }
        let (shown, more) = first(by);
        for entry in shown {
            let words = match &entry.conditions {
                // Said already.
                Some(conditions) if is_said(conditions) => visible(&entry.place),
                _ => entry_words(entry),
            };
            writeln!(out, "    decided by {words}")?;
        }
        print_more(out, "    ", more, "decide so for some of these arguments")?;
    }
    let (shown, more) = first(&way.lost);
    let mut shown = shown.iter();
    shown.try_for_each(|lost| print_lost(out, lost, "not by "))?;
    print_more(out, "  ", more, "do not decide")
}

/// The first of many, and how many are left.
fn first<T>(all: &[T]) -> (&[T], usize) {
    // What is left in a line of its own is as well shown there.
    let shown = if all.len() <= MOST_ENTRIES + 1 {
        all.len()
    } else {
        MOST_ENTRIES
    };
    (&all[..shown], all.len() - shown)
}

fn print_more(out: &mut impl Write, indent: &str, more: usize, do_what: &str) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    let more = thousands(more);
    writeln!(out, "{indent}and {more} others that {do_what}")
}

/// A number as people write it: `3,990`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

fn print_lost(out: &mut impl Write, lost: &NotDeciding, before: &str) -> io::Result<()> {
    let entry = entry_words(&lost.entry);
    writeln!(out, "  {before}{entry}: {}", visible(&lost.reason))
}

fn entry_words(entry: &EntryRef) -> String {
    let place = visible(&entry.place);
    match &entry.conditions {
        Some(conditions) => format!("{place} where {conditions}"),
        None => place,
    }
}

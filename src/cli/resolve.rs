//! `seclint resolve`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::engine::{ChosenEngine, EngineOptions, EngineRefusal};
use super::host::OneTarget;
use super::input::read;
use super::options::{ListFormat, write_json};
use super::profile::{ProfileOptions, part_notes, written_place};
use super::{CliError, Ending, complain};
use crate::engine::{Circumstances, Engine, Resolved, Verdict, names, resolve, unread_conditions};
use crate::profile::{self, ProfileFile, is_container_configuration};
use crate::report::visible;
use crate::text::{Node, Source};

/// Print the section that an engine makes of a profile for the runtime, or null for no filter.
///
/// The engine is given the profile as a file: `docker run --security-opt seccomp=PROFILE`, or a
/// Kubernetes profile of type Localhost.
///
/// Exit codes: 0 there is a section or none is wanted (null), 1 the engine refuses the profile, 2 the
/// job could not be done.
#[derive(Debug, Args)]
#[command(mut_arg("engine", |engine| engine.required(true)))]
pub(super) struct Arguments {
    /// A profile, a Kubernetes manifest with a profile in it, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    #[command(flatten)]
    which: ProfileOptions,
    /// Print instead of the section why each rule entry is in it or not
    #[arg(long)]
    explain: bool,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human, requires = "explain")]
    format: ListFormat,
    #[command(flatten)]
    target: OneTarget,
    #[command(flatten)]
    engine: EngineOptions,
}

/// Names that are shown of a rule entry.
const SHOWN_NAMES: usize = 3;

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let host = arguments.target.host();
    let chosen = arguments.engine.chosen(&host)?;
    let Some(ChosenEngine {
        engine,
        circumstances,
    }) = chosen
    else {
        return Err(CliError::Usage("say which --engine".to_owned()));
    };
    let source = read(&arguments.profile)?;
    let name = source.name();
    let bases = arguments.which.bases.given(&[])?;
    let files = profile::files(&source, &bases);
    let file = arguments.which.one(&files, &source, "a section")?;
    let of_host = arguments.engine.notes(&host, true);
    for note in part_notes(file, &source).into_iter().chain(of_host) {
        complain("note", &format!("{name}: {note}"));
    }
    let resolved = resolve(file.bytes(), file.document(), engine, &circumstances);
    let resolved = resolved.map_err(|refusal| {
        let refusal = EngineRefusal::new(engine, &source, &refusal, file);
        complain("error", &refusal.to_string());
        refusal
    });
    let mut out = BufWriter::new(io::stdout().lock());
    match (arguments.explain, arguments.format, &resolved) {
        (true, ListFormat::Json, _) => {
            let explained = as_json(engine, &circumstances, &source, file, &resolved);
            write_json(&mut out, &explained)?;
        }
        (_, _, Err(_)) => {}
        (false, _, Ok(resolved)) => {
            if let Err(reason) = &resolved.section {
                let root = file.document().root();
                let hint = if root.is_some_and(is_container_configuration) {
                    "; engines do not look into a container's configuration"
                } else {
                    ""
                };
                complain("note", &format!("{name}: no filter: {reason}{hint}"));
            }
            let section = resolved.section.as_ref().ok();
            write_json(&mut out, &section)?;
        }
        (true, ListFormat::Human, Ok(resolved)) => {
            explain(&mut out, engine, &source, file, resolved)?;
        }
    }
    out.flush()?;
    Ok(match resolved {
        Ok(_) => Ending::Clean,
        Err(_) => Ending::Findings,
    })
}

fn explain(
    out: &mut impl Write,
    engine: Engine,
    source: &Source,
    file: &ProfileFile<'_>,
    resolved: &Resolved<'_>,
) -> io::Result<()> {
    if let Err(reason) = &resolved.section {
        return writeln!(out, "{}: no filter: {reason}", visible(source.name()));
    }
    for &(node, verdict) in &resolved.entries {
        let base = file.in_base(node);
        let place = match (file.origin(node), base) {
            (Some(there), _) => written_place(source, there.span()),
            (None, Some((base, there))) => written_place(base.source(), there.span()),
            (None, None) => source.name().to_owned(),
        };
        let names: Vec<&str> = names(node).filter_map(Node::as_str).collect();
        let mut shown = names.iter().take(SHOWN_NAMES).copied().collect::<Vec<_>>();
        let more = match names.len().saturating_sub(SHOWN_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if shown.is_empty() {
            shown.push("no syscall");
        }
        let head = format!("{place}: {}{more}", shown.join(", "));
        let state = match verdict {
            Verdict::In => "in".to_owned(),
            verdict => format!("out, because {verdict}"),
        };
        let unread = unread_conditions(engine, node);
        let unread: Vec<_> = unread.iter().map(|name| format!("`{name}`")).collect();
        let unread = match unread.as_slice() {
            [] => String::new(),
            unread => format!(
                "; {} does not read its {}",
                engine.title(),
                unread.join(", ")
            ),
        };
        let from = base.map_or_else(String::new, |(base, _)| {
            format!("; from the base profile `{}`", visible(base.name()))
        });
        writeln!(out, "{}: {state}{unread}{from}", visible(&head))?;
    }
    let total = resolved.entries.len();
    let held = resolved.entries.iter();
    let held = held.filter(|(_, verdict)| *verdict == Verdict::In).count();
    writeln!(out, "in the section: {held} of {total} rule entries")
}

fn as_json(
    engine: Engine,
    circumstances: &Circumstances,
    source: &Source,
    file: &ProfileFile<'_>,
    resolved: &Result<Resolved<'_>, EngineRefusal>,
) -> Value {
    let entries = resolved.iter().flat_map(|resolved| &resolved.entries);
    let entries = entries.map(|&(node, verdict)| {
        let base = file.in_base(node);
        let source = base.map_or(source, |(base, _)| base.source());
        let there = base.map(|(_, there)| there).or_else(|| file.origin(node));
        let there = there.unwrap_or(node);
        let span = there.span();
        let reason = (verdict != Verdict::In).then(|| verdict.to_string());
        json!({
            "pointer": there.pointer(),
            "span": {"start": source.position(span.start), "end": source.position(span.end)},
            "names": names(node).filter_map(Node::as_str).collect::<Vec<_>>(),
            "verdict": verdict.name(),
            "reason": reason,
            "unread": unread_conditions(engine, node),
            "base": base.map(|(base, _)| json!({"name": base.name(), "path": base.source().name()})),
        })
    });
    let section = resolved.as_ref().ok().map(|resolved| &resolved.section);
    let no_filter = section.and_then(|section| section.as_ref().err());
    json!({
        "schema": "seclint.resolve/1",
        "path": source.name(),
        "engine": engine.name(),
        "arch": circumstances.arch.name(),
        "kernel": circumstances.kernel.to_string(),
        "capabilities": circumstances.capabilities,
        "privileged": circumstances.is_privileged,
        "refused": resolved.as_ref().err().map(|refusal| &refusal.words),
        "no_filter": no_filter.map(ToString::to_string),
        "section": section.and_then(|section| section.as_ref().ok()),
        "entries": entries.collect::<Vec<_>>(),
    })
}

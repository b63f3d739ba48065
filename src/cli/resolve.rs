//! `seclint resolve`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::engine::{ChosenEngine, EngineOptions, EngineRefusal, written_place};
use super::input::read;
use super::options::ListFormat;
use super::{CliError, Ending, complain};
use crate::engine::{Circumstances, Engine, Resolved, Verdict, names, resolve};
use crate::report::visible;
use crate::target::Uname;
use crate::text::{Node, Source, json};

/// Print the section that an engine makes of a profile for the runtime, or null for no filter.
///
/// The engine is given the profile as a file: `docker run --security-opt seccomp=PROFILE`, or a
/// Kubernetes profile of type Localhost.
///
/// Exit codes: 0 there is a section or none is wanted, 1 the engine refuses the profile, 2 the job
/// could not be done.
#[derive(Debug, Args)]
#[command(mut_arg("engine", |engine| engine.required(true)))]
pub(super) struct Arguments {
    /// A profile, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    #[command(flatten)]
    engine: EngineOptions,
    /// Print instead of the section why each rule entry is in it or not
    #[arg(long)]
    explain: bool,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human, requires = "explain")]
    format: ListFormat,
}

/// Names that are shown of a rule entry.
const SHOWN_NAMES: usize = 3;

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let chosen = arguments.engine.chosen(&Uname::of_this_machine())?;
    let Some(ChosenEngine {
        engine,
        circumstances,
    }) = chosen
    else {
        return Err(CliError::Usage("say which --engine".to_owned()));
    };
    let source = read(&arguments.profile)?;
    let document = json::parse(source.bytes());
    let resolved = match resolve(source.bytes(), &document, engine, &circumstances) {
        Ok(resolved) => resolved,
        Err(refusal) => {
            let refusal = EngineRefusal::new(engine, &source, &refusal, false);
            complain("error", &refusal.to_string());
            return Ok(Ending::Findings);
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match (arguments.explain, arguments.format) {
        (false, _) => {
            let section = resolved.section.as_ref().ok();
            serde_json::to_writer_pretty(&mut out, &section).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        (true, ListFormat::Json) => {
            let explained = as_json(engine, &circumstances, &source, &resolved);
            serde_json::to_writer_pretty(&mut out, &explained).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        (true, ListFormat::Human) => explain(&mut out, &source, &resolved)?,
    }
    out.flush()?;
    Ok(Ending::Clean)
}

fn explain(out: &mut impl Write, source: &Source, resolved: &Resolved<'_>) -> io::Result<()> {
    if let Err(reason) = &resolved.section {
        return writeln!(out, "{}: no filter: {reason}", visible(source.name()));
    }
    for &(node, verdict) in &resolved.entries {
        let place = written_place(source, node.span());
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
        writeln!(out, "{}: {state}", visible(&head))?;
    }
    let total = resolved.entries.len();
    let held = resolved.entries.iter();
    let held = held.filter(|(_, verdict)| *verdict == Verdict::In).count();
    writeln!(out, "{held} of {total} rule entries are in the section")
}

fn as_json(
    engine: Engine,
    circumstances: &Circumstances,
    source: &Source,
    resolved: &Resolved<'_>,
) -> Value {
    let entries = resolved.entries.iter().map(|&(node, verdict)| {
        let span = node.span();
        let reason = (verdict != Verdict::In).then(|| verdict.to_string());
        json!({
            "pointer": node.pointer(),
            "span": {"start": source.position(span.start), "end": source.position(span.end)},
            "names": names(node).filter_map(Node::as_str).collect::<Vec<_>>(),
            "verdict": verdict.name(),
            "reason": reason,
        })
    });
    json!({
        "schema": "seclint.resolve/1",
        "path": source.name(),
        "engine": engine.name(),
        "arch": circumstances.arch.name(),
        "kernel": circumstances.kernel.to_string(),
        "capabilities": circumstances.capabilities,
        "privileged": circumstances.is_privileged,
        "no_filter": resolved.section.as_ref().err().map(ToString::to_string),
        "section": resolved.section.as_ref().ok(),
        "entries": entries.collect::<Vec<_>>(),
    })
}

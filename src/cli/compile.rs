//! `seclint compile`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::input::read;
use super::meaning::{Meaning, MeaningOptions, Reader};
use super::runtime::Foreseen;
use super::{CliError, Ending, complain};
use crate::filter::{CompileError, compile, linked};

/// Make the filter that a runtime makes of a profile: the bare program, as crun's cache keeps it and
/// as `seclint disasm` reads it.
///
/// It is in the byte order of the host's architecture, and made by the libseccomp that seclint runs
/// with: other releases may make other bytes. Without --engine the profile is taken as the section
/// that reaches the runtime, or is taken from a container's config.json.
///
/// Exit codes: 0 the filter is written, 1 there is none, since the engine or the runtime refuses the
/// profile, or starts containers without a filter, 2 the job could not be done.
#[derive(Debug, Args)]
#[command(mut_arg("libseccomp", |arg| arg.help("libseccomp release that the runtime runs with [default: the target's, or else the one that seclint is linked to]")))]
pub(super) struct Arguments {
    /// A profile, a config.json, a Kubernetes manifest with a profile in it, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// File to write; without it the filter goes to standard output, unless that is a terminal
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: MeaningOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let Some(made_by) = linked() else {
        return Err(CliError::Usage(CompileError::NoLibrary.to_string()));
    };
    if arguments.output.is_none() && io::stdout().is_terminal() {
        let words = "a filter is nothing for a terminal: give a file by --output, or pipe it into `seclint disasm -`";
        return Err(CliError::Usage(words.to_owned()));
    }
    let reader = Reader::new(&arguments.options, Some(made_by), &[])?;
    let source = read(&arguments.profile)?;
    let operand = reader.read(&source, arguments.options.which.name.as_deref())?;
    let name = source.name();
    let note = |words: &str| complain("note", &format!("{name}: {words}"));
    operand.notes.iter().for_each(|words| note(words));
    let refuse = |words: String| {
        complain("error", &format!("{name}: {words}"));
        Ok(Ending::Findings)
    };
    let of = match &operand.meaning {
        Meaning::Plan(of) => of,
        Meaning::NoFilter(why) | Meaning::Refused(why) => return refuse(why.clone()),
        Meaning::Filter(_) => {
            return Err(CliError::Usage(format!("{name}: that is a filter already")));
        }
    };
    let Foreseen { model, libseccomp } = &reader.runtime;
    for (names, does) in [(&of.warned, "warns of"), (&of.dropped, "passes over")] {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            note(&format!(
                "{} {} {does} {names}",
                model.name(),
                model.version()
            ));
        }
    }
    let filter = match compile(&of.plan) {
        Ok(filter) => filter,
        Err(error) if error.is_of_section() => return refuse(error.to_string()),
        Err(error @ CompileError::Syscalls { .. }) => {
            return Err(CliError::Usage(format!(
                "{name}: {error}; --libseccomp {made_by} makes the filter of a runtime that does not know them either"
            )));
        }
        Err(error) => return Err(CliError::Usage(format!("{name}: {error}"))),
    };
    let is_all_known = of.warned.is_empty() && of.dropped.is_empty();
    if libseccomp.release == made_by && !is_all_known {
        note(&format!(
            "made by the linked libseccomp {made_by}: names that it does not know are left out"
        ));
    } else if libseccomp.release != made_by {
        note(&format!(
            "made by libseccomp {made_by}; {} may make another filter of it",
            libseccomp.release
        ));
    }
    if let Some(path) = &arguments.output {
        fs::write(path, filter.bytes()).map_err(|error| {
            let path = path.display();
            CliError::Usage(format!("{path}: the filter could not be written: {error}"))
        })?;
    } else {
        let mut out = io::stdout().lock();
        out.write_all(&filter.bytes())?;
        out.flush()?;
    }
    Ok(Ending::Clean)
}

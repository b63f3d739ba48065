//! `seclint why`.

mod answer;
mod call;
mod report;
mod writer;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::input::read;
use super::meaning::{Meaning, MeaningOptions, Reader, is_open};
use super::options::ListFormat;
use super::output::LookOptions;
use super::{CliError, Ending};
use crate::filter::Diagrams;
use answer::Asker;
use call::AskedCall;
use report::Report;

/// Say what happens to a call, and which rule entry decides, for each architecture of the filter.
///
/// An argument is a number (38, 0x26, -1; 046 and 0o46 are octal, as in C), or names of flags joined
/// by | (`AF_ALG`, `CLONE_NEWNS|CLONE_NEWPID`), or _ for whatever it may be: what is decided for its
/// values is listed case by case, as it is for arguments that are not given.
///
/// A name has to be one of the argument's: `CLONE_NEWUSER` is none of socket's. Known are those of
/// calls that take signals, commands, options or flags as values: clone, fcntl, futex, ioctl (of
/// terminals), keyctl, kill, mmap, mount, openat, personality, prctl, ptrace, socket and others.
///
/// Without --engine a profile that is for an engine is taken as the engine of its dialect reads it,
/// and every other one as the section that reaches the runtime.
///
/// Exit codes: 0 there is an answer, 1 the engine, the runtime or the kernel refuses the profile or
/// filter, 2 the job could not be done.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A profile, a config.json, a Kubernetes manifest with a profile in it, an entry of crun's cache, or - for standard input
    #[arg(value_name = "PROFILE-OR-ENTRY")]
    profile: PathBuf,
    /// The syscall's name, or its number
    syscall: String,
    /// Its arguments, as far as they are of interest
    #[arg(value_name = "ARG", num_args = 0..=6, allow_negative_numbers = true)]
    args: Vec<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    #[command(flatten)]
    look: LookOptions,
    #[command(flatten)]
    options: MeaningOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let call = AskedCall::parse(&arguments.syscall, &arguments.args)?;
    let reader = Reader::new(&arguments.options, None, &[])?;
    let name = arguments.options.which.name.as_deref();
    let mut operand = reader.read(&read(&arguments.profile)?, name)?;
    let mut diagrams = Diagrams::default();
    let diagram = operand.diagram(&mut diagrams, |diagrams, whole, arches| {
        arches.iter().any(|&arch| {
            let of_arch = diagrams.architecture(whole, arch.audit_arch());
            let mut ways = call.ways(arch);
            ways.any(|(_, number)| is_open(diagrams, diagrams.number(of_arch, number)))
        })
    })?;
    let mut report = Report::new(&operand, &reader.runtime, &call);
    if let (Some(diagram), Meaning::Plan(_) | Meaning::Filter(_)) = (diagram, &operand.meaning) {
        let asker = Asker::new(&operand, &reader.runtime, &call, diagram);
        asker
            .ask(&mut diagrams, &mut report)
            .map_err(|error| CliError::Usage(format!("{}: {error}", operand.source.name())))?;
    }
    let look = arguments.look.on(io::stdout().is_terminal());
    writer::write(arguments.format, look, &report)?;
    Ok(match operand.meaning {
        Meaning::Refused(_) => Ending::Findings,
        _ => Ending::Clean,
    })
}

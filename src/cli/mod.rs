//! The command line: what seclint is asked, and with which code it ends.
//!
//! One file a subcommand. Each returns how it ended, or an error that says why
//! the job could not be done.

mod base;
mod baseline;
mod cache_audit;
mod cache_key;
mod check;
mod compile;
mod diff;
mod disasm;
mod engine;
mod explain;
mod fix;
mod host;
mod input;
mod meaning;
mod options;
mod output;
mod predict;
mod profile;
mod replace;
mod resolve;
mod rules;
mod runtime;
mod settings;
mod syscalls;
mod targets;
mod why;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::visible;

/// Finds what is wrong with seccomp profiles, and what crun's cache hides.
///
/// Exit codes: 0 nothing found at or above --fail-on, 1 something was, 2 the job
/// could not be done.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lint profiles
    Check(check::Arguments),
    /// Audit crun's cache: which entries hide warnings, and what they were made from
    CacheAudit(cache_audit::Arguments),
    /// Print the name that crun gives a profile's cache entry
    CacheKey(cache_key::Arguments),
    /// Say what a change does to the filter, call by call: loosens, tightens, other
    Diff(diff::Arguments),
    /// Say what happens to a call, and which rule entry decides
    Why(why::Arguments),
    /// Print the section that an engine makes of a profile for the runtime
    Resolve(resolve::Arguments),
    /// Say what runtimes do with a profile: start, refuse, warn, drop names, cache
    Predict(predict::Arguments),
    /// Make the filter that a runtime makes of a profile
    Compile(compile::Arguments),
    /// List what a filter does, such as an entry of crun's cache, instruction by instruction
    Disasm(disasm::Arguments),
    /// Print the table of syscalls
    Syscalls(syscalls::Arguments),
    /// List the platforms that --target knows
    Targets(targets::Arguments),
    /// List the rules
    Rules(rules::Arguments),
    /// Print what the rule book says of a rule
    Explain(explain::Arguments),
}

/// How a command that could do its job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// Nothing at or above the threshold.
    Clean,
    /// Findings at or above the threshold.
    Findings,
    /// Some of the job could not be done; why has been said.
    Incomplete,
}

/// Why a command could not do its job.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{0}: {1}")]
    Fix(String, io::Error),
    #[error("{0}: {1}")]
    Read(String, io::Error),
    #[error("the report could not be written: {0}")]
    Write(#[from] io::Error),
    #[error("{}: the report could not be written: {}", .0.display(), .1)]
    Report(PathBuf, io::Error),
    #[error(transparent)]
    Rule(#[from] crate::lint::SelectionError),
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Host(#[from] crate::crun::HostError),
    #[error(transparent)]
    Root(#[from] crate::crun::RootError),
    #[error("{}: {}", .0.display(), .1)]
    Baseline(PathBuf, crate::report::BaselineError),
    #[error("{0}: {1}")]
    Key(String, crate::crun::KeyError),
    #[error("{0}")]
    Usage(String),
}

/// What a shell says of a program that `SIGPIPE` ended.
const OF_SIGPIPE: u8 = 141;

/// Runs seclint with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let ending = match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::CacheAudit(arguments) => cache_audit::run(&arguments),
        Command::CacheKey(arguments) => cache_key::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Disasm(arguments) => disasm::run(&arguments),
        Command::Syscalls(arguments) => syscalls::run(&arguments),
        Command::Targets(arguments) => targets::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    };
    match ending {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::from(1),
        Ok(Ending::Incomplete) => ExitCode::from(2),
        // Whoever reads the report has seen enough, as in `seclint ... | head`. What is not read is
        // not looked for either, so that this is neither 0 nor 1.
        Err(CliError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(OF_SIGPIPE)
        }
        Err(error) => {
            complain("error", &error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Says something on standard error. Nobody may be there to read it. The names of
/// files are in it, and those may hold what a terminal obeys, or a line of
/// their own.
fn complain(kind: &str, message: &str) {
    let _ = writeln!(io::stderr(), "seclint: {kind}: {}", visible(message));
}

//! `seclint check`.

use std::path::PathBuf;
use std::thread;

use clap::Args;
use rayon::prelude::*;

use super::engine::EnginesOption;
use super::input::{Input, inputs};
use super::options::{Dialect, FailOn, SelectionOptions, TargetOptions};
use super::output::{OutputOptions, Reports};
use super::{CliError, Ending, complain};
use crate::lint::{Linted, Linter, lint_rules};
use crate::profile::may_hold_profile;
use crate::report::{Against, Summary};

/// How many files are read ahead of the report: memory does not grow with their number.
const WINDOW: usize = 256;

/// Lint profiles.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files, directories, or - for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Take every file for a profile in this dialect, instead of finding out
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Pass over named files that hold no profile, as in directories
    #[arg(long)]
    skip_non_profiles: bool,
    /// Least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    engines: EnginesOption,
    #[command(flatten)]
    selection: SelectionOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let selection = arguments.selection.selection()?;
    let selected = lint_rules().iter().copied();
    let linter = Linter {
        rules: selected
            .filter(|rule| selection.holds(&rule.rule))
            .collect(),
        targets: arguments.target.targets(),
        engines: arguments.engines.engines(),
        dialects: arguments.dialect.map(Dialect::dialects),
    };
    let mut reports = arguments.output.open(&arguments.paths)?;
    let against = Against {
        targets: &linter.targets,
        engines: &linter.engines,
        dialects: linter.dialects,
    };
    reports.write(|report| report.begin(against))?;
    let mut run = Run {
        reports,
        fail_on: arguments.fail_on,
        summary: Summary::default(),
        ending: Ending::Clean,
    };
    let lint = |input: Result<Input, CliError>| lint(&linter, &input?, arguments.skip_non_profiles);
    let mut inputs = inputs(&arguments.paths);
    let mut window: Vec<_> = inputs.by_ref().take(WINDOW).collect();
    if window.len() == 1 {
        // Starting threads costs more than linting a file.
        run.files(window.drain(..).map(lint))?;
        window.extend(inputs.by_ref().take(WINDOW));
    }
    let mut linted = Vec::new();
    while !window.is_empty() || !linted.is_empty() {
        let files = std::mem::take(&mut window);
        // While a window is linted, what came of the one before is reported, and
        // the one after is looked for.
        linted = thread::scope(|scope| {
            let linting = scope.spawn(|| files.into_par_iter().map(lint).collect::<Vec<_>>());
            run.files(linted)?;
            window.extend(inputs.by_ref().take(WINDOW));
            linting
                .join()
                .map_err(|_| CliError::Usage("a thread of the linter died".to_owned()))
        })?;
    }
    if run.summary.files == 0 && run.ending == Ending::Clean {
        complain("note", "there is no file to check");
    }
    let summary = run.summary;
    run.reports.write(|report| report.end(&summary))?;
    run.reports.finish(run.ending != Ending::Incomplete)?;
    Ok(run.ending)
}

/// Lints a file; `None` if it is to be passed over.
fn lint(linter: &Linter, input: &Input, skips: bool) -> Result<Option<Linted>, CliError> {
    let Some(source) = input.read()? else {
        return Ok(None);
    };
    let may_pass = input.is_found || skips;
    if may_pass && !may_hold_profile(&source) {
        return Ok(None);
    }
    let linted = linter.lint(&source);
    let is_passed_over = may_pass && linted.profiles == 0;
    Ok((!is_passed_over).then_some(linted))
}

/// A run of the linter, as far as it has come.
struct Run {
    reports: Reports,
    fail_on: FailOn,
    summary: Summary,
    ending: Ending,
}

impl Run {
    fn files(
        &mut self,
        files: impl IntoIterator<Item = Result<Option<Linted>, CliError>>,
    ) -> Result<(), CliError> {
        for file in files {
            match file {
                Ok(Some(linted)) => self.file(&linted)?,
                Ok(None) => {
                    self.summary.files += 1;
                    self.summary.skipped += 1;
                }
                // The other files are still worth their while.
                Err(error) => {
                    complain("error", &error.to_string());
                    self.ending = Ending::Incomplete;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, linted: &Linted) -> Result<(), CliError> {
        self.summary.files += 1;
        self.summary.profiles += linted.profiles;
        for finding in &linted.findings {
            self.summary.count(finding);
            if self.ending == Ending::Clean && self.fail_on.fails(finding) {
                self.ending = Ending::Findings;
            }
        }
        self.reports
            .write(|report| report.findings(&linted.findings))
    }
}

//! `seclint check`.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::Args;
use rayon::prelude::*;

use super::input::{Input, inputs};
use super::output::{OutputOptions, Reports};
use super::settings::{ConfigOptions, Finder, LintOptions, Settings};
use super::{CliError, Ending, complain};
use crate::lint::Linted;
use crate::profile::may_hold_profile;
use crate::report::Summary;

/// How many files are read ahead of the report: memory does not grow with their number.
const WINDOW: usize = 256;

/// Lint profiles.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files, directories, or - for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Pass over named files that hold no profile, as in directories
    #[arg(long)]
    skip_non_profiles: bool,
    #[command(flatten)]
    options: LintOptions,
    #[command(flatten)]
    config: ConfigOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// A file, and how it is checked.
struct Job {
    input: Input,
    /// `None` if that is not known.
    settings: Option<Arc<Settings>>,
}

/// What came of a file.
struct Outcome {
    /// `None` if it was passed over.
    linted: Option<Linted>,
    settings: Arc<Settings>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let look = arguments.output.look(io::stderr().is_terminal());
    let mut finder = Finder::new(&arguments.options, &arguments.config, look)?;
    let mut reports = arguments.output.open(&arguments.paths)?;
    reports.write(|report| report.begin())?;
    let mut run = Run {
        reports,
        summary: Summary::default(),
        ending: Ending::Clean,
    };
    let lint = |job: Result<Job, CliError>| lint(job?, arguments.skip_non_profiles);
    let mut jobs = inputs(&arguments.paths).map(|input| {
        let input = input?;
        let settings = finder.of(input.directory())?.settings;
        Ok(Job { input, settings })
    });
    let mut window: Vec<_> = jobs.by_ref().take(WINDOW).collect();
    if window.len() == 1 {
        // Starting threads costs more than linting a file.
        run.files(window.drain(..).map(lint))?;
        window.extend(jobs.by_ref().take(WINDOW));
    }
    let mut linted = Vec::new();
    while !window.is_empty() || !linted.is_empty() {
        let files = std::mem::take(&mut window);
        // While a window is linted, what came of the one before is reported, and
        // the one after is looked for.
        linted = thread::scope(|scope| {
            let linting = scope.spawn(|| files.into_par_iter().map(lint).collect::<Vec<_>>());
            run.files(linted)?;
            window.extend(jobs.by_ref().take(WINDOW));
            linting
                .join()
                .map_err(|_| CliError::Usage("a thread of the linter died".to_owned()))
        })?;
    }
    drop(jobs);
    if run.summary.files == 0 && run.ending == Ending::Clean {
        complain("note", "there is no file to check");
    }
    let (summary, checked) = (run.summary, finder.against());
    run.reports
        .write(|report| report.end(&summary, checked.against()))?;
    run.reports.finish(run.ending != Ending::Incomplete)?;
    Ok(run.ending)
}

/// Lints a file; `None` if nobody knows how.
fn lint(job: Job, skips: bool) -> Result<Option<Outcome>, CliError> {
    let Some(settings) = job.settings else {
        return Ok(None);
    };
    let linted = match job.input.read()? {
        Some(source) => {
            let may_pass = job.input.is_found || skips;
            let is_passed_over = may_pass && !may_hold_profile(&source);
            let linted = (!is_passed_over).then(|| settings.lint(&source));
            linted.filter(|linted| !may_pass || linted.profiles > 0)
        }
        None => None,
    };
    Ok(Some(Outcome { linted, settings }))
}

/// A run of the linter, as far as it has come.
struct Run {
    reports: Reports,
    summary: Summary,
    ending: Ending,
}

impl Run {
    fn files(
        &mut self,
        files: impl IntoIterator<Item = Result<Option<Outcome>, CliError>>,
    ) -> Result<(), CliError> {
        for file in files {
            match file {
                Ok(Some(outcome)) => self.file(&outcome)?,
                // Why has been said.
                Ok(None) => self.ending = Ending::Incomplete,
                // The other files are still worth their while.
                Err(error) => {
                    complain("error", &error.to_string());
                    self.ending = Ending::Incomplete;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, outcome: &Outcome) -> Result<(), CliError> {
        self.summary.files += 1;
        let Some(linted) = &outcome.linted else {
            self.summary.skipped += 1;
            return Ok(());
        };
        self.summary.profiles += linted.profiles;
        let fail_on = outcome.settings.fail_on;
        for finding in &linted.findings {
            self.summary.count(finding);
            let fails = fail_on.is_some_and(|least| finding.severity >= least);
            if self.ending == Ending::Clean && fails {
                self.ending = Ending::Findings;
            }
        }
        self.reports
            .write(|report| report.findings(&linted.findings))
    }
}

//! `seclint check`.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::Args;
use rayon::prelude::*;

use super::base::BaseOptions;
use super::baseline::Comparison;
use super::fix::{Change, FixOptions, say_held_back};
use super::input::{Input, inputs};
use super::output::{Main, OutputOptions, Reports};
use super::settings::{ConfigOptions, Finder, LintOptions, Settings};
use super::{CliError, Ending, complain};
use crate::finding::Finding;
use crate::lint::{HeldBack, Linted};
use crate::profile::{GivenBases, may_hold_profile, speaks_of_profiles};
use crate::report::{Against, Conclusion, Look, Picture, Summary};
use crate::text::{MAX_BYTES, Source};

/// How many files are read ahead of the report: memory does not grow with their number.
const WINDOW: usize = 512;

/// What the options do not say: how findings are ignored, and every key of `seclint.toml`.
const AFTER: &str = concat!(
    "\
Not reporting a finding:
  A comment says so where it stands, with the reason. A rule entry of Docker's and Podman's JSON
  has a comment of its own, for all that is in it; one in YAML is about its line, or the next, and
  the string that begins there:

      \"comment\": \"seclint-ignore: RULE -- REASON\"
      # seclint-ignore: RULE -- REASON

  Elsewhere an [[ignore]] does in a seclint.toml. --baseline takes over what was there before.

A seclint.toml is found upwards from each file. These are its keys, each of which may be left out:

",
    include_str!("example.toml")
);

/// Lint profiles.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct Arguments {
    /// Files, directories, or - for standard input. Of a directory, what is in hidden ones is left
    /// out; links to files are followed, those to directories are not
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Pass over named files that hold no profile, as in directories
    #[arg(long)]
    skip_non_profiles: bool,
    /// Do not report again what this earlier JSON report holds; say what of it is gone
    #[arg(long, value_name = "REPORT")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    bases: BaseOptions,
    #[command(flatten)]
    fix: FixOptions,
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
    /// Its real path; `None` for standard input.
    file: Option<PathBuf>,
}

/// What came of a file.
struct Outcome {
    /// `None` if it was passed over.
    linted: Option<Linted>,
    /// The text as it was, and a better one.
    change: Option<Change>,
    /// What was not corrected of what was asked for.
    held_back: Vec<HeldBack>,
    /// What is left of the findings where nobody but people wants to know of them.
    shown: Option<Shown>,
    path: PathBuf,
    name: String,
    settings: Arc<Settings>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let mut finder = Finder::new(&arguments.options, &arguments.config, &arguments.output)?;
    let baseline = arguments
        .baseline
        .as_ref()
        .map(Comparison::read)
        .transpose()?;
    // A report without what the baseline has is no baseline itself.
    let kept = arguments.paths.iter().chain(&arguments.baseline);
    let main = arguments.fix.main(&arguments.paths, &arguments.output)?;
    let mut reports = arguments
        .output
        .open_beside(&kept.cloned().collect::<Vec<_>>(), main)?;
    reports.write(|report| report.begin())?;
    let mut run = Run {
        reports,
        baseline,
        fix: arguments.fix,
        summary: Summary::default(),
        ending: Ending::Clean,
    };
    let bases = arguments.bases.given(&arguments.paths)?;
    // Until a baseline has been asked, it is not known what is reported.
    let is_known = main == Main::StandardOutput && run.baseline.is_none();
    let look = arguments.output.only_look().filter(|_| is_known);
    let lint = |job: Result<Job, CliError>| {
        let outcome = lint(job?, arguments, &bases)?;
        Ok(outcome.map(|outcome| outcome.shown(look)))
    };
    let mut jobs = inputs(&arguments.paths).map(|input| {
        let input = input?;
        let found = finder.of(input.directory())?;
        Ok(Job {
            settings: found.settings,
            file: found
                .directory
                .and_then(|directory| input.within(&directory)),
            input,
        })
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
    for (settings, mut findings) in finder.unused(&arguments.paths) {
        let name = settings.config.as_ref().map_or("", |it| it.source.name());
        run.findings(name, &settings, &mut findings)?;
    }
    let checked = finder.against();
    run.end(checked.against())?;
    run.reports.finish(run.ending != Ending::Incomplete)?;
    if arguments.fix.shows_patch() && run.ending == Ending::Findings {
        complain(
            "note",
            "the patch is not all: without --diff the report says what was found",
        );
    }
    Ok(run.ending)
}

/// Findings that are drawn and counted where they were made, while the file is at hand, so that
/// neither is kept until its turn comes.
struct Shown {
    picture: Picture,
    tally: Tally,
}

/// What findings come to.
#[derive(Default)]
struct Tally {
    count: Summary,
    /// Whether one of them makes the run fail.
    fails: bool,
}

impl Tally {
    fn of(findings: &[Finding], settings: &Settings) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            tally.count.count(finding);
            tally.fails |= settings.fails(finding);
        }
        tally
    }
}

impl Outcome {
    /// Draws the findings, unless corrections may yet change them.
    fn shown(mut self, look: Option<Look>) -> Self {
        let look = look.filter(|_| self.change.is_none());
        let (Some(look), Some(linted)) = (look, &mut self.linted) else {
            return self;
        };
        let Ok(picture) = Picture::of(&linted.findings, look) else {
            return self;
        };
        let findings = std::mem::take(&mut linted.findings);
        linted.source = Arc::default();
        let tally = Tally::of(&findings, &self.settings);
        self.shown = Some(Shown { picture, tally });
        self
    }
}

/// Lints a file; `None` if nobody knows how.
fn lint(job: Job, arguments: &Arguments, bases: &GivenBases) -> Result<Option<Outcome>, CliError> {
    let Some(settings) = job.settings else {
        return Ok(None);
    };
    let mut outcome = Outcome {
        linted: None,
        change: None,
        held_back: Vec::new(),
        shown: None,
        path: job.input.path().to_owned(),
        name: job.input.name(),
        settings,
    };
    let Some(source) = job.input.read()? else {
        return Ok(Some(outcome));
    };
    let may_pass = job.input.is_found || arguments.skip_non_profiles;
    if may_pass && !may_hold_profile(&source) {
        outcome.change = arguments.fix.unchanged(&source);
        return Ok(Some(outcome));
    }
    let lint = |source: &Arc<Source>| outcome.settings.lint(source, job.file.as_deref(), bases);
    let linted = lint(&source);
    let fix = if job.input.is_link {
        // Its file is in no directory that the user named.
        FixOptions::default()
    } else {
        arguments.fix
    };
    let corrected = fix.correct(linted, lint)?;
    outcome.change = corrected.change;
    outcome.held_back = corrected.held_back;
    // What is too large to be read must not pass for what holds no profile.
    let is_unread = source.bytes().len() > MAX_BYTES && speaks_of_profiles(&source);
    let is_kept = |linted: &Linted| !may_pass || linted.profiles > 0 || is_unread;
    outcome.linted = Some(corrected.linted).filter(is_kept);
    Ok(Some(outcome))
}

/// A run of the linter, as far as it has come.
struct Run {
    reports: Reports,
    baseline: Option<Comparison>,
    fix: FixOptions,
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
                Ok(Some(outcome)) => self.file(outcome)?,
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

    fn file(&mut self, outcome: Outcome) -> Result<(), CliError> {
        let Outcome {
            mut linted,
            change,
            held_back,
            shown,
            path,
            name,
            settings,
        } = outcome;
        say_held_back(&name, &held_back);
        if let Some(change) = change {
            match self.fix.make(change, &path) {
                Ok((after, count)) => {
                    self.summary.fixed += count;
                    linted = after.or(linted);
                }
                Err(error @ CliError::Write(_)) => return Err(error),
                Err(error) => {
                    complain("error", &error.to_string());
                    self.ending = Ending::Incomplete;
                }
            }
        }
        self.summary.files += 1;
        self.summary.skipped += usize::from(linted.is_none());
        self.summary.profiles += linted.as_ref().map_or(0, |linted| linted.profiles);
        let mut findings = linted.map_or_else(Vec::new, |linted| linted.findings);
        let Some(shown) = shown else {
            return self.findings(&name, &settings, &mut findings);
        };
        self.add(&shown.tally);
        self.reports.write(|report| report.picture(&shown.picture))
    }

    fn add(&mut self, tally: &Tally) {
        self.summary.add(&tally.count);
        if tally.fails && self.ending == Ending::Clean {
            self.ending = Ending::Findings;
        }
    }

    /// Reports what was found in a file.
    fn findings(
        &mut self,
        name: &str,
        settings: &Arc<Settings>,
        findings: &mut [Finding],
    ) -> Result<(), CliError> {
        if let Some(baseline) = &mut self.baseline {
            baseline.meet(name, settings, findings);
        }
        self.add(&Tally::of(findings, settings));
        self.reports.write(|report| report.findings(findings))
    }

    /// Ends the reports.
    fn end(&mut self, against: Against<'_>) -> Result<(), CliError> {
        let gone = self.baseline.as_ref().map(Comparison::gone);
        let conclusion = Conclusion {
            summary: &self.summary,
            against,
            gone: gone.as_deref(),
        };
        self.reports.write(|report| report.end(&conclusion))
    }
}

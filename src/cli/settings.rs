//! How each file is checked: what the command line says, and for the rest the `seclint.toml` that
//! the file is under.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::engine::EnginesOption;
use super::options::{Checker, Dialect, FailOn, SelectionOptions, StrictOptions, TargetOptions};
use super::output::OutputOptions;
use super::{CliError, complain};
use crate::config::{self, Config, ConfigError};
use crate::engine::Engine;
use crate::finding::{Finding, Origin, Severity, Suppression};
use crate::lint::{Demands, Linted, Linter, lint_rules, unused_ignore};
use crate::profile::{Dialects, GivenBases};
use crate::report::Against;
use crate::target::Target;
use crate::text::Source;

/// Which `seclint.toml` is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigOptions {
    /// Read this file instead of the nearest seclint.toml above each file that is checked
    #[arg(long, value_name = "PATH", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no seclint.toml at all
    #[arg(long, visible_alias = "isolated")]
    no_config: bool,
}

/// What is said of files on the command line. It beats what a `seclint.toml` says.
#[derive(Debug, Args)]
pub(super) struct LintOptions {
    /// Take every file for a profile in this dialect, instead of finding out
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Least severity that makes the exit code 1 [default: error]
    #[arg(long, value_enum)]
    fail_on: Option<FailOn>,
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    engines: EnginesOption,
    #[command(flatten)]
    sets: StrictOptions,
    #[command(flatten)]
    selection: SelectionOptions,
}

/// How files are checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) linter: Linter,
    /// `None` if nothing fails.
    pub(super) fail_on: Option<Severity>,
    pub(super) config: Option<Config>,
    /// Whether each of the configuration's ignores has ignored something.
    used: Vec<AtomicBool>,
}

impl Settings {
    fn new(options: &LintOptions, config: Option<Config>) -> Result<Self, CliError> {
        let said = config.as_ref();
        let selection = (options.selection).selection(&options.sets, said, Checker::Check)?;
        let rules = lint_rules().iter().copied();
        let dialect = options.dialect.map(Dialect::dialects);
        let fail_on = options.fail_on.map(FailOn::least);
        let ignores = said.map_or(0, |config| config.ignores.len());
        Ok(Self {
            used: std::iter::repeat_with(AtomicBool::default)
                .take(ignores)
                .collect(),
            linter: Linter {
                rules: rules.filter(|rule| selection.holds(&rule.rule)).collect(),
                targets: options.target.or(said).targets(),
                engines: options.engines.engines(said),
                dialects: dialect.or_else(|| said?.dialect),
                demands: said.map_or_else(Demands::default, |config| config.demands.clone()),
            },
            fail_on: fail_on
                .or_else(|| said?.fail_on)
                .unwrap_or(Some(Severity::Error)),
            config,
        })
    }

    /// Checks a source. `file` is its real path; `None` for standard input. `bases` are those that
    /// other files have.
    pub(super) fn lint(
        &self,
        source: &Arc<Source>,
        file: Option<&Path>,
        bases: &GivenBases,
    ) -> Linted {
        let mut linted = self.linter.lint_with(source, bases);
        if let Some(config) = &self.config {
            let path = file.and_then(|file| file.strip_prefix(&config.directory).ok());
            let path = path.map(|path| path.display().to_string());
            for finding in &mut linted.findings {
                self.grade(finding);
                self.ignore(config, finding, path.as_deref());
            }
        }
        linted
    }

    fn grade(&self, finding: &mut Finding) {
        let severities = self.config.iter().flat_map(|config| &config.severities);
        for (rule, severity) in severities {
            if rule.id == finding.rule.id {
                finding.severity = *severity;
            }
        }
    }

    fn ignore(&self, config: &Config, finding: &mut Finding, path: Option<&str>) {
        let mut ignores = config.ignores.iter().zip(&self.used);
        let ignore = ignores.find(|(ignore, _)| ignore.covers(finding, path));
        if let Some((ignore, used)) = ignore {
            used.store(true, Ordering::Relaxed);
            finding.suppression.get_or_insert_with(|| Suppression {
                origin: Origin::External,
                reason: ignore.reason.clone(),
            });
        }
    }

    /// Whether a finding is reported, and makes the exit code 1.
    pub(super) fn fails(&self, finding: &Finding) -> bool {
        let fails = self.fail_on.is_some_and(|least| finding.severity >= least);
        fails && finding.suppression.is_none()
    }

    pub(super) fn checks(&self, rule: &str) -> bool {
        self.linter.rules.iter().any(|run| run.rule.id == rule)
    }

    /// The ignores that have ignored nothing, though their rules were checked.
    fn unused(&self) -> Vec<Finding> {
        let ignores = self.config.iter().flat_map(|config| &config.ignores);
        let idle = ignores
            .zip(&self.used)
            .filter(|(ignore, used)| !used.load(Ordering::Relaxed) && self.checks(ignore.rule.id));
        let findings = idle.map(|(ignore, _)| unused_ignore(ignore.rule, ignore.location.clone()));
        let mut findings: Vec<_> = findings.filter(|it| self.checks(it.rule.id)).collect();
        for finding in &mut findings {
            self.grade(finding);
            if let Some(config) = &self.config {
                self.ignore(config, finding, None);
            }
        }
        findings
    }
}

/// How the files of a directory are checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// `None` if the `seclint.toml` cannot be used; why has been said.
    pub(super) settings: Option<Arc<Settings>>,
    /// The directory itself, without links in its path.
    pub(super) directory: Option<Arc<Path>>,
}

/// Finds the settings of each file.
pub(super) struct Finder<'o> {
    options: &'o LintOptions,
    output: &'o OutputOptions,
    /// Whether directories are searched.
    searches: bool,
    /// What is so where nothing is found.
    fallback: Arc<Settings>,
    /// By directories as they are written in the paths of files.
    written: HashMap<PathBuf, Found>,
    /// By real directories.
    real: HashMap<PathBuf, Found>,
    /// All that were found.
    all: Vec<Arc<Settings>>,
}

impl<'o> Finder<'o> {
    pub(super) fn new(
        options: &'o LintOptions,
        config: &ConfigOptions,
        output: &'o OutputOptions,
    ) -> Result<Self, CliError> {
        let read = |path: &PathBuf| config::read(path).map_err(|error| say(error, output));
        let explicit = config.config.as_ref().map(read).transpose()?;
        Ok(Self {
            options,
            output,
            searches: explicit.is_none() && !config.no_config,
            fallback: Arc::new(Settings::new(options, explicit)?),
            written: HashMap::new(),
            real: HashMap::new(),
            all: Vec::new(),
        })
    }

    /// How the files of a directory are checked, given as in their paths. A directory is looked
    /// into once, however many files it has.
    pub(super) fn of(&mut self, directory: &Path) -> Result<Found, CliError> {
        if let Some(found) = self.written.get(directory) {
            return Ok(found.clone());
        }
        // That there is no such directory is said where its files are read.
        let real = directory.canonicalize().ok();
        let mut found = match real.as_ref().filter(|_| self.searches) {
            Some(real) => self.search(real)?,
            None => self.fallback(),
        };
        found.directory = real.map(Into::into);
        self.written.insert(directory.to_owned(), found.clone());
        Ok(found)
    }

    fn fallback(&mut self) -> Found {
        let settings = Arc::clone(&self.fallback);
        if !self.all.iter().any(|other| Arc::ptr_eq(other, &settings)) {
            self.all.push(Arc::clone(&settings));
        }
        Found {
            settings: Some(settings),
            directory: None,
        }
    }

    fn search(&mut self, directory: &Path) -> Result<Found, CliError> {
        let mut passed = Vec::new();
        let mut found = None;
        for ancestor in directory.ancestors() {
            found = self.real.get(ancestor).cloned();
            if found.is_some() {
                break;
            }
            passed.push(ancestor);
            found = match config::find(ancestor) {
                Ok(None) => continue,
                Ok(Some(config)) => {
                    let settings = Arc::new(Settings::new(self.options, Some(config))?);
                    self.all.push(Arc::clone(&settings));
                    Some(Found {
                        settings: Some(settings),
                        directory: None,
                    })
                }
                Err(error) => {
                    let error = say(error, self.output);
                    complain("error", &format!("{error}; no file below it is checked"));
                    Some(Found {
                        settings: None,
                        directory: None,
                    })
                }
            };
            break;
        }
        let found = found.unwrap_or_else(|| self.fallback());
        for directory in passed {
            self.real.insert(directory.to_owned(), found.clone());
        }
        Ok(found)
    }

    /// The ignores of no use in each `seclint.toml` whose directory is in one of `paths`: of others
    /// only a part of what they are about was checked.
    pub(super) fn unused(&self, paths: &[PathBuf]) -> Vec<(Arc<Settings>, Vec<Finding>)> {
        let walked: Vec<_> = paths.iter().filter(|path| path.is_dir()).collect();
        let walked: Vec<_> = walked
            .iter()
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let is_whole = |settings: &&Arc<Settings>| {
            let config = settings.config.as_ref();
            config.is_some_and(|it| walked.iter().any(|path| it.directory.starts_with(path)))
        };
        let all = self.all.iter().filter(is_whole);
        all.map(|settings| (Arc::clone(settings), settings.unused()))
            .collect()
    }

    /// What all files were checked against.
    pub(super) fn against(&self) -> Checked {
        let fallback = std::slice::from_ref(&self.fallback);
        let all = if self.all.is_empty() {
            fallback
        } else {
            &self.all
        };
        let mut targets: Vec<Target> = Vec::new();
        for target in all.iter().flat_map(|it| &it.linter.targets) {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        let same_engines = all
            .windows(2)
            .all(|it| it[0].linter.engines == it[1].linter.engines);
        let same_dialects = all
            .windows(2)
            .all(|it| it[0].linter.dialects == it[1].linter.dialects);
        let first = all.first().map(|it| &it.linter);
        let engines = first.filter(|_| same_engines).map(|it| it.engines.clone());
        Checked {
            targets,
            engines: engines.unwrap_or_default(),
            dialects: first.filter(|_| same_dialects).and_then(|it| it.dialects),
        }
    }
}

/// What files were checked against.
pub(super) struct Checked {
    targets: Vec<Target>,
    engines: Vec<Engine>,
    dialects: Option<Dialects>,
}

impl Checked {
    pub(super) fn against(&self) -> Against<'_> {
        Against {
            targets: &self.targets,
            engines: &self.engines,
            dialects: self.dialects,
        }
    }
}

/// Shows the mistakes in a `seclint.toml`; what is left to say of it is the error.
fn say(error: ConfigError, output: &OutputOptions) -> CliError {
    if let ConfigError::Mistakes(mistakes) = &error {
        // Nobody may be there to read it.
        let _ = output.aside().findings(mistakes);
    }
    error.into()
}

//! How each file is checked: what the command line says, and for the rest the `seclint.toml` that
//! the file is under.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::engine::EnginesOption;
use super::options::{Dialect, FailOn, SelectionOptions, TargetOptions};
use super::{CliError, complain};
use crate::config::{self, Config, ConfigError};
use crate::engine::Engine;
use crate::finding::Severity;
use crate::lint::{Linted, Linter, Policy, lint_rules};
use crate::profile::Dialects;
use crate::report::{Against, Human, Look, Report};
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
    selection: SelectionOptions,
}

/// How files are checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) linter: Linter,
    /// `None` if nothing fails.
    pub(super) fail_on: Option<Severity>,
    pub(super) config: Option<Config>,
}

impl Settings {
    fn new(options: &LintOptions, config: Option<Config>) -> Result<Self, CliError> {
        let said = config.as_ref();
        let selection = options.selection.selection(said)?;
        let rules = lint_rules().iter().copied();
        let dialect = options.dialect.map(Dialect::dialects);
        let fail_on = options.fail_on.map(FailOn::least);
        Ok(Self {
            linter: Linter {
                rules: rules.filter(|rule| selection.holds(&rule.rule)).collect(),
                targets: options.target.or(said).targets(),
                engines: options.engines.engines(said),
                dialects: dialect.or_else(|| said?.dialect),
                policy: said.map_or_else(Policy::default, |config| config.policy.clone()),
            },
            fail_on: fail_on
                .or_else(|| said?.fail_on)
                .unwrap_or(Some(Severity::Error)),
            config,
        })
    }

    /// Checks a source.
    pub(super) fn lint(&self, source: &Arc<Source>) -> Linted {
        let mut linted = self.linter.lint(source);
        for finding in &mut linted.findings {
            let severities = self.config.iter().flat_map(|config| &config.severities);
            for (rule, severity) in severities {
                if rule.id == finding.rule.id {
                    finding.severity = *severity;
                }
            }
        }
        linted
    }
}

/// How the files of a directory are checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// `None` if the `seclint.toml` cannot be used; why has been said.
    pub(super) settings: Option<Arc<Settings>>,
}

/// Finds the settings of each file.
pub(super) struct Finder<'o> {
    options: &'o LintOptions,
    look: Look,
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
        look: Look,
    ) -> Result<Self, CliError> {
        let read = |path: &PathBuf| config::read(path).map_err(|error| say(error, look));
        let explicit = config.config.as_ref().map(read).transpose()?;
        Ok(Self {
            options,
            look,
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
        let found = match real.filter(|_| self.searches) {
            Some(real) => self.search(&real)?,
            None => self.fallback(),
        };
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
                    })
                }
                Err(error) => {
                    let error = say(error, self.look);
                    complain("error", &format!("{error}; no file below it is checked"));
                    Some(Found { settings: None })
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
fn say(error: ConfigError, look: Look) -> CliError {
    if let ConfigError::Mistakes(mistakes) = &error {
        // Nobody may be there to read it.
        let _ = Human::new(io::stderr().lock(), look).findings(mistakes);
    }
    error.into()
}

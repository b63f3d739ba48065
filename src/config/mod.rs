//! `seclint.toml`: what a repository says once of all its profiles, so that nobody has to say it on
//! the command line.
//!
//! [`Config::parse`] reads one, and tells of every mistake in it at once; [`find()`] looks for the one
//! that a directory's files are under. Its JSON Schema is `schemas/seclint.toml.1.json`.

mod find;
mod glob;
mod ignore;
mod reader;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

pub use find::{ConfigError, FILE_NAME, find, read};
pub use glob::Pattern;
pub use ignore::Ignore;

use crate::engine::Engine;
use crate::finding::{Category, Finding, Rule, Severity};
use crate::lint::{Demand, Demands, find_rule};
use crate::profile::Dialects;
use crate::syscalls::{self, Arch, KernelVersion, Release, Spelling, Syscall};
use crate::target::{Target, platforms};
use crate::text::{Source, Span};
use reader::{Problem, Reader, Value, one_of, unknown};

/// The keys at the top.
pub const KEYS: [&str; 10] = [
    "targets",
    "architectures",
    "kernel",
    "libseccomp",
    "engines",
    "dialect",
    "fail-on",
    "rules",
    "ignore",
    "policy",
];
/// The keys of `rules`.
pub const RULES_KEYS: [&str; 4] = ["strict", "select", "ignore", "severity"];
/// The keys of an `ignore`.
pub const IGNORE_KEYS: [&str; 5] = ["rule", "path", "syscall", "pointer", "reason"];
/// The keys of `policy`.
pub const POLICY_KEYS: [&str; 2] = ["forbid", "require"];
/// The keys of a `policy.forbid` and of a `policy.require`.
pub const DEMAND_KEYS: [&str; 2] = ["syscalls", "reason"];

/// What a `seclint.toml` says. What it does not say is empty, or `None`.
#[derive(Debug)]
pub struct Config {
    /// The file.
    pub source: Arc<Source>,
    /// The directory that it stands in, which paths in it are relative to.
    pub directory: PathBuf,
    /// The platforms' names, [`Target::HOST`] among them.
    pub targets: Vec<&'static str>,
    /// The hosts' architectures.
    pub architectures: Vec<Arch>,
    /// The hosts' kernel.
    pub kernel: Option<KernelVersion>,
    /// The runtime's libseccomp.
    pub libseccomp: Option<Release>,
    /// The engines that will read the profiles.
    pub engines: Vec<Engine>,
    /// The dialect that they are in.
    pub dialect: Option<Dialects>,
    /// The least severity that fails; the inner `None` for none at all.
    pub fail_on: Option<Option<Severity>>,
    /// Whether the strict rules are checked as well.
    pub is_strict: bool,
    /// The only rules that are checked.
    pub select: Vec<&'static Rule>,
    /// The rules that are not checked.
    pub ignore: Vec<&'static Rule>,
    /// The severity of all findings of a rule.
    pub severities: Vec<(&'static Rule, Severity)>,
    /// The findings that are not reported.
    pub ignores: Vec<Ignore>,
    /// What is wanted of every profile.
    pub demands: Demands,
}

impl Config {
    /// Reads a `seclint.toml` that stands in `directory`.
    ///
    /// # Errors
    /// All the mistakes in it, in their order.
    pub fn parse(source: &Arc<Source>, directory: &Path) -> Result<Self, Vec<Finding>> {
        let mut reader = Reader {
            source,
            mistakes: Vec::new(),
        };
        let text = match std::str::from_utf8(source.bytes()) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                reader.mistake(at..at + 1, "this is not UTF-8".to_owned(), None);
                return Err(reader.mistakes);
            }
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or_default();
            reader.mistake(span, error.message().to_owned(), None);
        }
        // What could be read of a document that is no TOML says little.
        let is_toml = reader.mistakes.is_empty();
        let config = reader.config(table.get_ref(), directory);
        if reader.mistakes.is_empty() {
            return Ok(config);
        }
        if !is_toml {
            reader.mistakes.truncate(1);
        }
        let place = |finding: &Finding| finding.location.span;
        reader.mistakes.sort_by_key(place);
        Err(reader.mistakes)
    }
}

impl<'t> Reader<'_> {
    fn config(&mut self, table: &DeTable<'t>, directory: &Path) -> Config {
        let [
            targets,
            architectures,
            kernel,
            libseccomp,
            engines,
            dialect,
            fail_on,
            rules,
            ignore,
            policy,
        ] = self.members(table, KEYS);
        let rules = self.table(rules);
        let [is_strict, select, ignored, severities] =
            rules.map_or([None; 4], |rules| self.members(rules, RULES_KEYS));
        Config {
            source: Arc::clone(self.source),
            directory: directory.to_owned(),
            targets: self.list(targets, target),
            architectures: self.list(architectures, architecture),
            kernel: self.parsed(kernel, |text| {
                text.parse().map_err(|error| Problem::new(&error))
            }),
            libseccomp: self.parsed(libseccomp, |text| {
                text.parse().map_err(|error| Problem::new(&error))
            }),
            engines: self.list(engines, engine),
            dialect: self.parsed(dialect, dialect_of),
            fail_on: self.parsed(fail_on, threshold),
            is_strict: self.bool(is_strict).unwrap_or_default(),
            select: self.list(select, rule),
            ignore: self.ignored(ignored, select),
            severities: self.severities(severities),
            ignores: self.ignores(ignore),
            demands: self.policy(policy),
        }
    }

    /// The rules that are not checked, none of which may be selected.
    fn ignored(
        &mut self,
        value: Option<&Value<'t>>,
        select: Option<&Value<'t>>,
    ) -> Vec<&'static Rule> {
        let selected = select.and_then(|it| it.get_ref().as_array());
        let selected = selected.into_iter().flatten();
        let selected: Vec<_> = selected.filter_map(|it| it.get_ref().as_str()).collect();
        self.list(value, |written| match rule(written) {
            Ok(rule) if selected.contains(&rule.id) => Err(Problem {
                message: format!("`{written}` is selected as well"),
                help: Some("leave it out of one of the two".to_owned()),
            }),
            found => found,
        })
    }

    fn severities(&mut self, value: Option<&Value<'t>>) -> Vec<(&'static Rule, Severity)> {
        let mut severities = Vec::new();
        for (name, value) in self.table(value).into_iter().flatten() {
            let severity = self.parsed(Some(value), |text| severity(text).map_err(no_severity));
            match (rule(name.get_ref()), severity) {
                (Ok(rule), Some(severity)) => severities.push((rule, severity)),
                (Ok(_), None) => {}
                (Err(Problem { message, help }), _) => self.mistake(name.span(), message, help),
            }
        }
        severities
    }

    fn ignores(&mut self, value: Option<&Value<'t>>) -> Vec<Ignore> {
        let mut ignores = Vec::new();
        let example = "`[[ignore]]`, and below it `rule = \"RULE\"` and `reason = \"WHY\"`";
        for (table, span) in self.tables(value, example) {
            let [name, path, syscall, pointer, reason] = self.members(table, IGNORE_KEYS);
            let location = self.place(span.clone());
            let is_named = self.needed(name, span.clone(), "rule").is_some();
            let rule = name.filter(|_| is_named);
            let rule = rule.and_then(|name| self.parsed(Some(name), self::rule));
            let path = path.and_then(|path| self.parsed(Some(path), pattern));
            let syscall = self.string(syscall).map(str::to_owned);
            let pointer = pointer.and_then(|it| self.parsed(Some(it), pointer_of));
            let reason = self.needed(reason, span, "reason");
            if let (Some(rule), Some(reason)) = (rule, reason) {
                ignores.push(Ignore {
                    rule,
                    path,
                    syscall,
                    pointer,
                    reason: reason.to_owned(),
                    location,
                });
            }
        }
        ignores
    }

    fn policy(&mut self, value: Option<&Value<'t>>) -> Demands {
        let Some(table) = self.table(value) else {
            return Demands::default();
        };
        let [forbid, require] = self.members(table, POLICY_KEYS);
        let demands = Demands {
            forbid: self.demands_of(forbid, "forbid"),
            require: self.demands_of(require, "require"),
        };
        let forbidden = demands.forbid.iter().flat_map(|it| &it.syscalls);
        let forbidden: Vec<_> = forbidden.map(|it| it.name()).collect();
        for required in &demands.require {
            let mut names = required.syscalls.iter().map(|it| it.name());
            let span = required.location.span.map(Span::range);
            if let (Some(name), Some(span)) = (names.find(|it| forbidden.contains(it)), span) {
                let message = format!("`{name}` is required here, and forbidden as well");
                self.mistake(span, message, None);
            }
        }
        demands
    }

    fn demands_of(&mut self, value: Option<&Value<'t>>, key: &str) -> Vec<Demand> {
        let mut demands = Vec::new();
        let example = format!(
            "`[[policy.{key}]]`, and below it `syscalls = [\"NAME\"]` and `reason = \"WHY\"`"
        );
        for (table, span) in self.tables(value, &example) {
            let [names, reason] = self.members(table, DEMAND_KEYS);
            let location = names.map_or(span.clone(), Value::span);
            let location = self.place(location);
            let is_empty =
                |names: &Value<'_>| names.get_ref().as_array().is_some_and(|it| it.is_empty());
            if names.is_none_or(is_empty) {
                let span = names.map_or(span.clone(), Value::span);
                self.mistake(span, "the syscalls are missing".to_owned(), None);
            }
            let syscalls = self.list(names, syscall);
            if let Some(reason) = self.needed(reason, span, "reason") {
                demands.push(Demand {
                    syscalls,
                    reason: reason.to_owned(),
                    location,
                });
            }
        }
        demands
    }
}

fn target(written: &str) -> Result<&'static str, Problem> {
    let names = platforms().iter().map(|platform| platform.name);
    let names = names.chain([Target::HOST]);
    let found = names.clone().find(|name| *name == written);
    found.ok_or_else(|| unknown("target", names, written))
}

fn architecture(written: &str) -> Result<Arch, Problem> {
    let arch = Arch::from_name(written).or_else(|| Arch::from_token(written));
    let names = Arch::ALL.iter().map(|arch| arch.name());
    arch.ok_or_else(|| unknown("architecture", names, written))
}

fn engine(written: &str) -> Result<Engine, Problem> {
    one_of(
        "engine",
        Engine::ALL.map(|engine| (engine.name(), engine)),
        written,
    )
}

fn dialect_of(written: &str) -> Result<Dialects, Problem> {
    one_of("dialect", Dialects::named(), written)
}

fn severity(written: &str) -> Result<Severity, Problem> {
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    one_of("severity", severities.map(|it| (it.word(), it)), written)
}

/// Nearly all who write another word want to hear nothing.
fn no_severity(problem: Problem) -> Problem {
    let help = "write error, warning or info; a rule that is not to be checked goes into `rules.ignore`, and findings that are not to be reported into an `[[ignore]]`";
    Problem {
        help: Some(help.to_owned()),
        ..problem
    }
}

fn threshold(written: &str) -> Result<Option<Severity>, Problem> {
    if written == "never" {
        return Ok(None);
    }
    severity(written).map(Some).map_err(|_| {
        unknown(
            "such threshold as",
            ["error", "warning", "info", "never"],
            written,
        )
    })
}

fn rule(written: &str) -> Result<&'static Rule, Problem> {
    let rule = find_rule(written).map_err(|error| Problem::new(&error))?;
    if rule.category == Category::Cache {
        let message =
            format!("`{written}` is a rule of `seclint cache-audit`, which reads no seclint.toml");
        return Err(Problem::new(&message));
    }
    Ok(rule)
}

/// Paths of files below the directory of the `seclint.toml`.
fn pattern(written: &str) -> Result<Pattern, Problem> {
    let is_below = !written.starts_with('/') && written.split('/').all(|part| part != "..");
    if written.is_empty() || !is_below {
        return Err(Problem {
            message: "no file that this is about has such a path".to_owned(),
            help: Some(
                "a path begins at the directory of the seclint.toml: `legacy/**`".to_owned(),
            ),
        });
    }
    Ok(Pattern::new(written))
}

/// A JSON Pointer.
fn pointer_of(written: &str) -> Result<String, Problem> {
    if written.is_empty() || written.starts_with('/') {
        return Ok(written.to_owned());
    }
    Err(Problem {
        message: "a JSON Pointer begins with a slash".to_owned(),
        help: Some(format!("write `/{written}`")),
    })
}

fn syscall(written: &str) -> Result<&'static Syscall, Problem> {
    let nearest = match syscalls::spelling(written) {
        Spelling::Known(syscall) => return Ok(syscall),
        Spelling::Alias(alias) => alias.candidates.first().map(|it| it.name()),
        Spelling::Malformed(malformed) => malformed.correction.map(Syscall::name),
        Spelling::NotACall(_) | Spelling::Unknown => syscalls::suggest(written),
    };
    Err(Problem {
        message: format!("no architecture has a syscall `{written}`"),
        help: nearest.map(|name| format!("did you mean `{name}`?")),
    })
}

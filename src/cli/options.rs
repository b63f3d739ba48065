//! Options that several subcommands have.

use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{CliError, complain};
use crate::config::Config;
use crate::crun::{Host, HostError};
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{all_rules, parse_rules};
use crate::profile::Dialects;
use crate::syscalls::{Arch, KernelVersion, Release};
use crate::target::{Kernel, Libseccomp, Platform, Runtime, Target, Uname, platforms};

/// What profiles will run on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetOptions {
    /// Platform of the hosts: debian-12, ..., or host for this machine (may be repeated; `seclint
    /// targets` lists them). The options below say otherwise for all of them
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = target_names(), hide_possible_values = true)]
    target: Vec<String>,
    /// Architecture of the hosts (may be repeated)
    #[arg(long, help = "Architecture of the hosts: x86_64, aarch64, ... (may be repeated)", value_name = "ARCH", value_parser = parse_arch, value_delimiter = ',')]
    arch: Vec<Arch>,
    /// Kernel of the hosts, such as 5.10
    #[arg(long, value_name = "VERSION")]
    kernel: Option<KernelVersion>,
    /// libseccomp release that the runtime runs with, such as 2.5.4
    #[arg(long, value_name = "RELEASE")]
    pub(super) libseccomp: Option<Release>,
}

impl TargetOptions {
    /// The same, with what a `seclint.toml` says of what is not said here.
    pub(super) fn or(&self, config: Option<&Config>) -> Self {
        let target = || config.map(|it| it.targets.iter().map(ToString::to_string).collect());
        let arch = || config.map(|it| it.architectures.clone());
        let given = |is_empty: bool| (!is_empty).then_some(());
        Self {
            target: (given(self.target.is_empty()).map(|()| self.target.clone()))
                .or_else(target)
                .unwrap_or_default(),
            arch: (given(self.arch.is_empty()).map(|()| self.arch.clone()))
                .or_else(arch)
                .unwrap_or_default(),
            kernel: self.kernel.or_else(|| config?.kernel),
            libseccomp: self.libseccomp.or_else(|| config?.libseccomp),
        }
    }

    /// Every target that was named, once, with what the other options say; without names one
    /// target of what they say.
    pub(super) fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for name in &self.target {
            if targets.iter().all(|target| target.name != Some(name)) {
                targets.push(Platform::named(name).map_or_else(host, Target::from));
            }
        }
        if targets.is_empty() {
            targets.push(Target::default());
        }
        for target in &mut targets {
            if !self.arch.is_empty() {
                target.architectures.clone_from(&self.arch);
            }
            target.kernel = self.kernel.map(Into::into).or(target.kernel);
            target.libseccomp = self.libseccomp.map(Into::into).or(target.libseccomp);
            if target.name == Some(Target::HOST) && target.libseccomp.is_none() {
                complain(
                    "note",
                    "no crun here says which libseccomp it runs with, so names are held against the kernel of `host` only; --libseccomp says it",
                );
            }
        }
        targets
    }
}

pub(super) fn target_names() -> PossibleValuesParser {
    let names = platforms().iter().map(|platform| platform.name);
    PossibleValuesParser::new(names.chain([Target::HOST]))
}

/// This machine.
pub(super) fn host() -> Target {
    let uname = Uname::of_this_machine();
    Target {
        name: Some(Target::HOST),
        architectures: Arch::from_name(&uname.machine).into_iter().collect(),
        kernel: uname.release.parse().ok().map(|version| Kernel {
            version,
            // As in 4.18.0-553.el8_10.x86_64.
            has_later_calls: uname.release.contains(".el"),
        }),
        libseccomp: Host::installed_libseccomp().ok().map(|release| Libseccomp {
            release,
            backported: None,
        }),
        crun: Host::installed_crun().ok(),
        runc: None,
    }
}

pub(super) fn parse_arch(name: &str) -> Result<Arch, String> {
    Arch::from_name(name)
        .or_else(|| Arch::from_token(name))
        .ok_or_else(|| {
            let names: Vec<_> = Arch::ALL.iter().map(|arch| arch.name()).collect();
            format!("the architectures are {}", names.join(", "))
        })
}

/// The host whose crun made a cache. What is not said is asked of this machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Host")]
pub(super) struct HostOptions {
    /// Runtime that made the cache; without a version the installed one is asked
    #[arg(long, value_name = "NAME[@VERSION]", default_value = "crun")]
    runtime: Runtime,
    /// libseccomp release that the runtime runs with; otherwise the installed crun is asked
    #[arg(long, value_name = "RELEASE")]
    pub(super) libseccomp: Option<Release>,
    /// Kernel of another host, as `uname -r`, `-v` and `-m` say it there
    #[arg(long, value_name = "RELEASE|VERSION|MACHINE")]
    uname: Option<Uname>,
}

impl HostOptions {
    /// What crun's keys hold of the host; crun is asked only for what was not said.
    pub(super) fn host(&self) -> Result<Host, HostError> {
        let crun = match &self.runtime.version {
            Some(version) => version.clone(),
            None => Host::installed_crun()?,
        };
        let libseccomp = match self.libseccomp {
            Some(release) => release,
            None => Host::installed_libseccomp()?,
        };
        let uname = self.uname.clone().unwrap_or_else(Uname::of_this_machine);
        Ok(Host {
            crun,
            libseccomp,
            uname,
        })
    }

    /// Refuses runtimes that have no cache.
    pub(super) fn check_runtime(&self) -> Result<(), CliError> {
        if self.runtime.name == "crun" {
            return Ok(());
        }
        let name = &self.runtime.name;
        Err(CliError::Usage(format!(
            "`{name}` keeps no cache of filters; crun does (--runtime crun@VERSION)"
        )))
    }
}

/// Which dialect profiles are in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Dialect {
    /// Docker's
    Docker,
    /// That of Podman, Buildah and CRI-O
    Podman,
    /// The runtime specification's linux.seccomp
    Oci,
    /// That of security-profiles-operator, without the Kubernetes object around it
    Operator,
}

impl Dialect {
    pub(super) const fn dialects(self) -> Dialects {
        match self {
            Dialect::Docker => Dialects::DOCKER,
            Dialect::Podman => Dialects::PODMAN,
            Dialect::Oci => Dialects::OCI,
            Dialect::Operator => Dialects::OPERATOR,
        }
    }
}

/// Which findings are reported.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct SelectionOptions {
    /// Check only these rules (may be repeated; `seclint rules` lists them)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not check these rules (may be repeated)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
}

/// Whether strict rules are checked; the cache has none.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct StrictOptions {
    /// Check the strict rules as well: what they find is true, and often meant that way
    #[arg(long, overrides_with = "no_strict")]
    strict: bool,
    /// Check the strict rules only where they are selected, though a seclint.toml has `strict = true`
    #[arg(long)]
    no_strict: bool,
}

/// A command that checks rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checker {
    Check,
    CacheAudit,
}

impl Checker {
    /// The one that has a rule.
    fn of(rule: &Rule) -> Self {
        match rule.category {
            Category::Cache => Self::CacheAudit,
            _ => Self::Check,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::CacheAudit => "cache-audit",
        }
    }
}

/// A choice of rules.
pub(super) struct Selection {
    is_strict: bool,
    select: Vec<&'static Rule>,
    ignore: Vec<&'static Rule>,
}

impl SelectionOptions {
    /// Of a `seclint.toml` only counts what the command line says nothing else of: with
    /// `--select` none of its choices, with `--strict` only what it leaves out.
    ///
    /// # Errors
    /// If `command` has not all the rules that the command line selects, or none is left.
    pub(super) fn selection(
        &self,
        sets: &StrictOptions,
        config: Option<&Config>,
        command: Checker,
    ) -> Result<Selection, CliError> {
        let mut selection = Selection {
            is_strict: sets.strict,
            select: parse_rules(&self.select)?,
            ignore: parse_rules(&self.ignore)?,
        };
        let others = selection
            .select
            .iter()
            .map(|rule| (rule, Checker::of(rule)));
        if let Some((rule, other)) = others.into_iter().find(|(_, other)| *other != command) {
            return Err(CliError::Usage(format!(
                "`{}` is a rule of `seclint {}`: `seclint {}` cannot check it",
                rule.id,
                other.name(),
                command.name()
            )));
        }
        if let Some(config) = config.filter(|_| self.select.is_empty()) {
            selection.ignore.extend(&config.ignore);
            if !sets.strict {
                selection.is_strict = config.is_strict && !sets.no_strict;
                selection.select.extend(&config.select);
            }
        }
        let all = all_rules();
        let mut own = all.iter().filter(|rule| Checker::of(rule) == command);
        if !own.any(|rule| selection.holds(rule)) {
            let words = "no rule is left to check: what is selected is ignored as well";
            return Err(CliError::Usage(words.to_owned()));
        }
        Ok(selection)
    }
}

impl Selection {
    pub(super) fn holds(&self, rule: &Rule) -> bool {
        let is_among = |rules: &[&Rule]| rules.iter().any(|other| other.id == rule.id);
        let is_asked_for = if self.select.is_empty() {
            self.is_strict || rule.set == RuleSet::Default
        } else {
            is_among(&self.select)
        };
        is_asked_for && !is_among(&self.ignore)
    }
}

/// The least severity that makes the exit code 1.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    /// The severity; `None` if nothing fails.
    pub(super) const fn least(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }

    pub(super) fn fails(self, finding: &Finding) -> bool {
        self.least().is_some_and(|least| finding.severity >= least)
    }
}

/// How a list is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

/// Writes what programs read, and ends its line.
pub(super) fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

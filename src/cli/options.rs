//! Options that several subcommands have.

use clap::{Args, ValueEnum};

use super::CliError;
use crate::crun::{Host, HostError};
use crate::engine::{CapabilityOptions, Circumstances, Engine};
use crate::finding::{Finding, Rule, RuleSet, Severity};
use crate::lint::{SelectionError, parse_rules};
use crate::profile::Dialects;
use crate::syscalls::{Arch, KernelVersion, Release};
use crate::target::{Runtime, Target, Uname};

/// What profiles will run on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct TargetOptions {
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
    pub(super) fn target(&self) -> Target {
        Target {
            architectures: self.arch.clone(),
            kernel: self.kernel,
            libseccomp: self.libseccomp,
        }
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

/// The engines that profiles are for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct EnginesOption {
    /// Engine that reads the profiles (may be repeated)
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<EngineName>,
}

impl EnginesOption {
    /// Each engine that was named, once, in the order of [`Engine::ALL`].
    pub(super) fn engines(&self) -> Vec<Engine> {
        let is_named = |engine: &Engine| {
            let mut named = self.engine.iter().map(|&name| Engine::from(name));
            named.any(|named| named == *engine)
        };
        Engine::ALL.into_iter().filter(is_named).collect()
    }
}

/// The engine that reads profiles, and what it looks at besides them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineOptions {
    /// Engine that reads the profile
    #[arg(long, value_enum)]
    engine: EngineName,
    /// Architecture of the host; otherwise this machine's
    #[arg(long, value_name = "ARCH", value_parser = parse_arch)]
    arch: Option<Arch>,
    /// Kernel of the host, such as 5.10; otherwise this machine's
    #[arg(long, value_name = "VERSION")]
    kernel: Option<KernelVersion>,
    /// Capability that the container gets besides the engine's default ones, or all (may be repeated)
    #[arg(long, value_name = "CAP", value_delimiter = ',')]
    cap_add: Vec<String>,
    /// Capability that it does not get, or all (may be repeated)
    #[arg(long, value_name = "CAP", value_delimiter = ',')]
    cap_drop: Vec<String>,
    /// The container is privileged
    #[arg(long)]
    privileged: bool,
}

impl EngineOptions {
    /// The engine that was chosen.
    pub(super) fn engine(&self) -> Engine {
        self.engine.into()
    }

    /// What it looks at; this machine is asked for what was not said.
    pub(super) fn circumstances(&self) -> Result<Circumstances, CliError> {
        let engine = self.engine();
        let asked = CapabilityOptions {
            add: self.cap_add.clone(),
            drop: self.cap_drop.clone(),
            is_privileged: self.privileged,
        };
        let capabilities = engine.capabilities(&asked);
        let unknown = |option: &str, value: String| {
            CliError::Usage(format!("`{value}` is unknown here: say it with {option}"))
        };
        let machine = Uname::of_this_machine();
        let arch = match self.arch.or_else(|| Arch::from_name(&machine.machine)) {
            Some(arch) if arch.runs_engines() => arch,
            Some(arch) => {
                let title = engine.title();
                return Err(CliError::Usage(format!("{title} does not run on {arch}")));
            }
            None => return Err(unknown("--arch", machine.machine)),
        };
        let Some(kernel) = self.kernel.or_else(|| machine.release.parse().ok()) else {
            return Err(unknown("--kernel", machine.release));
        };
        Ok(Circumstances {
            arch,
            kernel,
            capabilities: capabilities.map_err(|error| CliError::Usage(error.to_string()))?,
            is_privileged: self.privileged,
        })
    }
}

/// The engines' names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineName {
    /// Docker
    Docker,
    /// Podman and Buildah
    Podman,
    /// CRI-O
    Crio,
    /// containerd, for Kubernetes
    Containerd,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Docker => Self::Docker,
            EngineName::Podman => Self::Podman,
            EngineName::Crio => Self::Crio,
            EngineName::Containerd => Self::Containerd,
        }
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
    /// Check the strict rules as well: what they find is true, and often meant that way
    #[arg(long)]
    strict: bool,
    /// Check only these rules (may be repeated; `seclint rules` lists them)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not check these rules (may be repeated)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
}

/// A choice of rules.
pub(super) struct Selection {
    is_strict: bool,
    select: Vec<&'static Rule>,
    ignore: Vec<&'static Rule>,
}

impl SelectionOptions {
    pub(super) fn selection(&self) -> Result<Selection, SelectionError> {
        Ok(Selection {
            is_strict: self.strict,
            select: parse_rules(&self.select)?,
            ignore: parse_rules(&self.ignore)?,
        })
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
    pub(super) fn fails(self, finding: &Finding) -> bool {
        match self {
            FailOn::Error => finding.severity >= Severity::Error,
            FailOn::Warning => finding.severity >= Severity::Warning,
            FailOn::Info => true,
            FailOn::Never => false,
        }
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

//! The host that a command supposes: what options say of it, or else a target, or else this machine.

use clap::Args;

use super::CliError;
use super::options::{host, target_names};
use crate::syscalls::{Arch, KernelVersion};
use crate::target::{Platform, Target, Uname};

/// The platform of the host, where a command is about one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct OneTarget {
    /// Platform of the host: debian-12, ..., or host for this machine (`seclint targets` lists
    /// them). Of what it does not say the default is taken, and options say otherwise
    #[arg(long, value_name = "NAME", value_parser = target_names(), hide_possible_values = true)]
    target: Option<String>,
}

/// The same, where a command can be about several.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct SeveralTargets {
    /// Platform of the hosts: debian-12, ..., or host for this machine (may be repeated; `seclint
    /// targets` lists them). Of what one does not say the default is taken, and options say
    /// otherwise for all of them
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = target_names(), hide_possible_values = true)]
    target: Vec<String>,
}

impl OneTarget {
    pub(super) fn host(&self) -> SupposedHost {
        SupposedHost::new(self.target.as_deref(), None)
    }
}

impl SeveralTargets {
    /// The hosts that are meant, each once: this machine, if none was named.
    pub(super) fn hosts(&self, uname: Option<&Uname>) -> Vec<SupposedHost> {
        let mut names: Vec<&str> = Vec::new();
        for name in &self.target {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return vec![SupposedHost::new(None, uname)];
        }
        let hosts = names.into_iter();
        hosts
            .map(|name| SupposedHost::new(Some(name), uname))
            .collect()
    }
}

/// The host that a profile is to run on.
pub(super) struct SupposedHost {
    /// Its kernel, as far as it is known: otherwise this machine's.
    pub(super) uname: Uname,
    /// The platform, if one was named.
    pub(super) target: Option<Target>,
    /// Whether nobody said what `uname` says there.
    is_elsewhere: bool,
}

impl SupposedHost {
    fn new(target: Option<&str>, uname: Option<&Uname>) -> Self {
        let target = target.map(|name| Platform::named(name).map_or_else(host, Target::from));
        let is_other = target
            .as_ref()
            .is_some_and(|it| it.name != Some(Target::HOST));
        Self {
            uname: uname.cloned().unwrap_or_else(Uname::of_this_machine),
            is_elsewhere: is_other && uname.is_none(),
            target,
        }
    }

    /// A host of which all is known that `uname` says.
    pub(super) fn of(uname: Uname) -> Self {
        Self {
            uname,
            target: None,
            is_elsewhere: false,
        }
    }

    /// What the platform is called, if one was named.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.target.as_ref()?.name
    }

    /// The architecture: the one that was said, by `--uname` too, or the platform's, or that of the
    /// kernel.
    pub(super) fn native(&self, arch: Option<Arch>) -> Result<Arch, CliError> {
        let machine = &self.uname.machine;
        arch.or_else(|| self.of_platform()?.architectures.first().copied())
            .or_else(|| Arch::from_name(machine))
            .ok_or_else(|| {
                let words =
                    format!("`{machine}` is no architecture that is known: give one by --arch");
                CliError::Usage(words)
            })
    }

    /// The kernel: the one that was said, or the platform's, or the one that is running.
    pub(super) fn kernel(&self, said: Option<KernelVersion>) -> Result<KernelVersion, CliError> {
        let release = &self.uname.release;
        said.or_else(|| Some(self.of_platform()?.kernel?.version))
            .or_else(|| release.parse().ok())
            .ok_or_else(|| {
                CliError::Usage(format!("`{release}` is unknown here: say it with --kernel"))
            })
    }

    /// The platform, if what it says is not said by `--uname`.
    fn of_platform(&self) -> Option<&Target> {
        self.target.as_ref().filter(|_| self.is_elsewhere)
    }

    /// What is to be said of facts that the platform lacks: the architecture, and the kernel if it
    /// `matters`.
    pub(super) fn notes(
        &self,
        arch: Option<Arch>,
        kernel: Option<KernelVersion>,
        matters: bool,
    ) -> Vec<String> {
        let Some(target) = self.of_platform() else {
            return Vec::new();
        };
        let name = target.name.unwrap_or_default();
        let says = |fact: &str, option: &str, instead: &str| {
            format!(
                "{name} says nothing of the {fact}: {instead}, this machine's, is taken ({option})"
            )
        };
        let lacks_arch = arch.is_none() && target.architectures.is_empty();
        let lacks_kernel = matters && kernel.is_none() && target.kernel.is_none();
        let arch = lacks_arch.then(|| says("architecture", "--arch", &self.uname.machine));
        let kernel = lacks_kernel.then(|| says("kernel", "--kernel", &self.uname.release));
        arch.into_iter().chain(kernel).collect()
    }

    /// Why no key can be told: it would hold another kernel than the one that is meant.
    pub(super) fn no_key(&self, arch: Option<Arch>) -> Option<String> {
        let begins = "no key of a cache entry is told";
        if let Some(target) = self.of_platform() {
            let name = target.name.unwrap_or_default();
            return Some(format!(
                "{begins}: the kernel's release and version are in it, and nobody knows those of a host with {name}; --uname says them"
            ));
        }
        let (arch, machine) = (arch?, &self.uname.machine);
        (Arch::from_name(machine) != Some(arch)).then(|| {
            format!(
                "{begins}: --arch says {arch}, and the kernel that would be in it {machine}; --uname says another one"
            )
        })
    }
}

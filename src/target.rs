//! What a profile will run on.
//!
//! Everything in a [`Target`] is optional: what is not said is not judged. A
//! rule that needs a fact which the target does not hold stays silent.

mod platform;

use std::str::FromStr;

use serde_json::{Map, Value, json};

use crate::syscalls::{Arch, KernelVersion, Release, Syscall};

pub use platform::{Platform, platforms};

/// A platform that profiles are checked against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What the user calls it: a [`Platform`]'s name, or `host`.
    pub name: Option<&'static str>,
    /// The hosts' own architectures; empty if none was said.
    pub architectures: Vec<Arch>,
    /// The kernel.
    pub kernel: Option<Kernel>,
    /// The libseccomp that the runtime is linked to.
    pub libseccomp: Option<Libseccomp>,
    /// The version of crun there, as it prints it: `1.21`.
    pub crun: Option<String>,
    /// The version of runc there, as it prints it: `1.1.15`.
    pub runc: Option<String>,
}

impl Target {
    /// What the user calls this machine.
    pub const HOST: &str = "host";

    /// The facts as reports and lists tell them; `null` is what is not known.
    #[must_use]
    pub fn facts(&self) -> Map<String, Value> {
        let (kernel, libseccomp) = (self.kernel, self.libseccomp);
        let architectures = self.architectures.iter().map(|arch| arch.name());
        let facts = [
            ("name", json!(self.name)),
            ("architectures", architectures.collect()),
            (
                "kernel",
                json!(kernel.map(|kernel| kernel.version.to_string())),
            ),
            (
                "kernel_has_later_calls",
                json!(kernel.map(|kernel| kernel.has_later_calls)),
            ),
            (
                "libseccomp",
                json!(libseccomp.map(|libseccomp| libseccomp.release.to_string())),
            ),
            (
                "backported",
                json!(libseccomp.and_then(|libseccomp| libseccomp.backported)),
            ),
            ("crun", json!(self.crun)),
            ("runc", json!(self.runc)),
        ];
        let facts = facts.map(|(name, fact)| (name.to_owned(), fact));
        facts.into_iter().collect()
    }
}

/// A kernel, and whether its version says what calls it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The version that it gives itself.
    pub version: KernelVersion,
    /// Whether the distribution adds calls of later kernels, so that nobody can say by the version
    /// which ones it lacks.
    pub has_later_calls: bool,
}

/// A libseccomp, as a distribution builds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libseccomp {
    /// The release that it gives itself.
    pub release: Release,
    /// The names that the distribution added to the release, in byte order; `None` if that is not
    /// known.
    pub backported: Option<&'static [&'static str]>,
}

impl From<KernelVersion> for Kernel {
    fn from(version: KernelVersion) -> Self {
        Self {
            version,
            has_later_calls: false,
        }
    }
}

/// Upstream's.
impl From<Release> for Libseccomp {
    fn from(release: Release) -> Self {
        Self {
            release,
            backported: Some(&[]),
        }
    }
}

impl Kernel {
    /// Whether it is from before a call that came with `first`, and does not have it.
    #[must_use]
    pub fn lacks(&self, first: KernelVersion) -> bool {
        !self.has_later_calls && self.version < first
    }
}

impl Libseccomp {
    /// Whether it is from before a name, which nobody is known to have added to it.
    #[must_use]
    pub fn lacks(&self, syscall: &Syscall) -> bool {
        let backported = self.backported.unwrap_or_default();
        self.release < syscall.first_release() && !backported.contains(&syscall.name())
    }

    /// Whether it is known to know a name: its release does, or it was added to it.
    #[must_use]
    pub fn knows(&self, syscall: &Syscall) -> bool {
        let backported = self.backported.unwrap_or_default();
        syscall.known_to(self.release) || backported.contains(&syscall.name())
    }
}

/// A container runtime, with its version where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The runtime's name: `crun`.
    pub name: String,
    /// Its version as it prints it: `1.21`.
    pub version: Option<String>,
}

/// What `uname` says of a host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Uname {
    /// Kernel release: `6.1.0-23-amd64`.
    pub release: String,
    /// Kernel version: `#1 SMP PREEMPT_DYNAMIC Debian 6.1.99-1 (2024-07-15)`.
    pub version: String,
    /// Hardware name: `x86_64`.
    pub machine: String,
}

/// Why an option about the target could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not `RELEASE|VERSION|MACHINE`.
    #[error(
        "expected RELEASE|VERSION|MACHINE, the output of: uname -r; uname -v; uname -m, joined by `|`"
    )]
    Uname,
    /// An empty name or version.
    #[error("expected a runtime such as `crun`, or with its version `crun@1.21`")]
    Runtime,
}

impl FromStr for Uname {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let mut parts = text.split('|').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(release), Some(version), Some(machine), None) => Ok(Self {
                release,
                version,
                machine,
            }),
            _ => Err(TargetError::Uname),
        }
    }
}

impl Uname {
    /// That of the running kernel.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let uname = rustix::system::uname();
        Self {
            release: uname.release().to_string_lossy().into_owned(),
            version: uname.version().to_string_lossy().into_owned(),
            machine: uname.machine().to_string_lossy().into_owned(),
        }
    }
}

impl FromStr for Runtime {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        if name.is_empty() || version.as_deref() == Some("") {
            return Err(TargetError::Runtime);
        }
        Ok(Self {
            name: name.to_owned(),
            version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Runtime, Uname};

    /// A cache that was copied from another host is audited with that host's uname.
    #[test]
    fn a_uname_has_three_parts() {
        let uname: Uname = "6.1|#1 SMP|x86_64".parse().unwrap();
        assert_eq!(uname.version, "#1 SMP");
        assert!("6.1|#1 SMP".parse::<Uname>().is_err());
        assert!("6.1|#1 SMP|x86_64|".parse::<Uname>().is_err());
    }

    /// `crun@` is a typing mistake, not a request to ask the installed crun.
    #[test]
    fn a_version_is_not_empty() {
        let runtime: Runtime = "crun@1.21".parse().unwrap();
        assert_eq!(runtime.version.as_deref(), Some("1.21"));
        assert_eq!("crun".parse::<Runtime>().unwrap().version, None);
        assert!("crun@".parse::<Runtime>().is_err());
        assert!("@1".parse::<Runtime>().is_err());
    }
}

//! What a profile will run on.
//!
//! Everything in a [`Target`] is optional: what is not said is not judged. A
//! rule that needs a fact which the target does not hold stays silent.

use std::str::FromStr;

use crate::syscalls::{Arch, KernelVersion, Release};

/// The platform that profiles are checked against.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The hosts' own architectures; empty if none was said.
    pub architectures: Vec<Arch>,
    /// The kernel.
    pub kernel: Option<KernelVersion>,
    /// The libseccomp release that the runtime is linked to.
    pub libseccomp: Option<Release>,
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

//! The host whose crun made a cache.

use std::process::Command;

use serde_json::Value;

use crate::filter::ByteOrder;
use crate::syscalls::{Arch, Release};
use crate::target::Uname;

/// What a cache key holds of the host.
#[derive(Clone, Debug)]
pub struct Host {
    /// crun's version, as `crun --version` prints it.
    pub crun: String,
    /// The libseccomp release that crun runs with.
    pub libseccomp: Release,
    /// The running kernel.
    pub uname: Uname,
}

/// Why the installed crun could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be run.
    #[error(
        "crun cannot be asked for its version ({0}); say it with --runtime crun@VERSION, and its libseccomp with --libseccomp RELEASE"
    )]
    NotRun(std::io::Error),
    /// It cannot be run, and only its libseccomp is not known.
    #[error(
        "crun cannot be asked which libseccomp it runs with ({0}); say it with --libseccomp RELEASE"
    )]
    NotRunForLibseccomp(std::io::Error),
    /// It does not say its version.
    #[error("`crun --version` does not say its version; say it with --runtime crun@VERSION")]
    NoVersion,
    /// It does not say which libseccomp it runs with.
    #[error(
        "`crun features` does not say which libseccomp it runs with; say it with --libseccomp RELEASE"
    )]
    NoLibseccomp,
}

impl Host {
    /// Whether the host's integers begin with their low byte. The hash is over
    /// integers as they lie in memory.
    pub(super) fn is_little_endian(&self) -> bool {
        Arch::from_name(&self.uname.machine).is_none_or(Arch::is_little_endian)
    }

    /// The byte order of filters there; `None` if the machine's name does not tell, as on MIPS,
    /// where `uname` says the same of both.
    pub(super) fn byte_order(&self) -> Option<ByteOrder> {
        match Arch::from_name(&self.uname.machine)? {
            Arch::Mips | Arch::Mips64 => None,
            arch => Some(ByteOrder::of(arch)),
        }
    }

    /// The version of the installed crun.
    ///
    /// # Errors
    /// If there is none, or it does not say.
    pub fn installed_crun() -> Result<String, HostError> {
        // "crun version 1.21", then the commit and more.
        let said = ask("--version").map_err(HostError::NotRun)?;
        let version = said
            .lines()
            .find_map(|line| line.strip_prefix("crun version "));
        version
            .map(|version| version.trim().to_owned())
            .ok_or(HostError::NoVersion)
    }

    /// The libseccomp release that the installed crun runs with.
    ///
    /// # Errors
    /// If there is no crun, or it does not say.
    pub fn installed_libseccomp() -> Result<Release, HostError> {
        let said = ask("features").map_err(HostError::NotRunForLibseccomp)?;
        let features: Value = serde_json::from_str(&said).unwrap_or_default();
        let version = &features["annotations"]["io.github.seccomp.libseccomp.version"];
        let release = version.as_str().and_then(|version| version.parse().ok());
        release.ok_or(HostError::NoLibseccomp)
    }
}

fn ask(question: &str) -> std::io::Result<String> {
    let output = Command::new("crun").arg(question).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

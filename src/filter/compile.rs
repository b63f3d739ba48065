//! Plans made into filters by libseccomp, the one that seclint is linked to.

mod asked;
#[cfg(feature = "libseccomp")]
mod library;
#[cfg(not(feature = "libseccomp"))]
#[path = "compile/no_library.rs"]
mod library;

use std::io;
use std::time::Duration;

use self::asked::{ASKED, MOST_ABANDONED};
use super::stub::stub;
use super::{ByteOrder, Filter, Refused};
use crate::runtime::Plan;
use crate::syscalls::{Arch, Release};

pub use library::linked;

/// How long libseccomp may take. The largest filters that the kernel takes are made in a second or
/// two, and a busy machine must not change what is found.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// There is no libseccomp in this build.
    #[error(
        "this seclint was built without libseccomp, which makes filters: build it with --features libseccomp (Debian, Ubuntu: apt-get install libseccomp-dev)"
    )]
    NoLibrary,
    /// libseccomp refuses the default action.
    #[error("libseccomp makes no filter with this default action")]
    DefaultAction,
    /// The linked release does not know the architecture.
    #[error("libseccomp {0}, which seclint is linked to, does not know the architecture {1}")]
    Architecture(Release, Arch),
    /// The linked release does not know names that the plan's release knows.
    #[error("libseccomp {release}, which seclint is linked to, does not know {}", listed(.names))]
    Syscalls {
        /// The linked release.
        release: Release,
        /// The names.
        names: Vec<&'static str>,
    },
    /// On this machine libseccomp cannot tell a call of the plan's machine from another one.
    #[error(
        "libseccomp takes `{syscall}` for `{other}` where the machine is not {native}: only there can this be compiled"
    )]
    OneNumber {
        /// The call.
        syscall: &'static str,
        /// What it would be taken for.
        other: String,
        /// The plan's machine.
        native: Arch,
    },
    /// libseccomp does not add a rule.
    #[error("libseccomp does not add the rule for `{syscall}` of rule entry {}: {words}", .entry + 1)]
    Rule {
        /// The rule's call.
        syscall: &'static str,
        /// The rule entry, counted from 0.
        entry: usize,
        /// What `strerror` says of its errno.
        words: &'static str,
    },
    /// libseccomp is not done with a rule after seconds, and most likely never would be.
    #[error("libseccomp does not come to an end with the rule for `{syscall}` of rule entry {}", .entry + 1)]
    Endless {
        /// The rule's call.
        syscall: &'static str,
        /// The rule entry, counted from 0.
        entry: usize,
    },
    /// libseccomp has added all rules, and does not come to an end with the program.
    #[error("libseccomp does not come to an end with the program")]
    EndlessProgram,
    /// It was not asked, since this process has left several filters to it that do not come to an
    /// end.
    #[error(
        "libseccomp does not come to an end with {MOST_ABANDONED} filters that it was asked for before, and is asked no more"
    )]
    GivenUp,
    /// The kernel would not take the program: it is too large.
    #[error("the kernel refuses the program: {0}")]
    Refused(#[from] Refused),
    /// libseccomp fails otherwise.
    #[error("libseccomp: {0}")]
    Library(String),
    /// The program could not be had from libseccomp.
    #[error("no filter could be made: {0}")]
    System(#[from] io::Error),
}

impl CompileError {
    /// Whether the runtime comes to the same with this section, rather than only seclint here.
    #[must_use]
    pub fn is_of_section(&self) -> bool {
        matches!(
            self,
            Self::DefaultAction
                | Self::Rule { .. }
                | Self::Endless { .. }
                | Self::EndlessProgram
                | Self::Refused(_)
        )
    }
}

/// What a runtime's plan comes to: the filter, byte for byte, that a host of the plan's native
/// architecture gets where its libseccomp is of the release that is [`linked`] here. Of the stubs
/// that runc makes of a plan, which differ in the order of architectures, it has one.
///
/// libseccomp never comes to an end with some rules. It is left to them after a few seconds, in a
/// thread that goes on until the process ends. A process that has four such threads asks libseccomp
/// nothing more ([`CompileError::GivenUp`]); there are more of them than that only by those that
/// were at work at the same time as the last one.
///
/// # Errors
/// If libseccomp does not make the filter, or the kernel would not take it.
pub fn compile(plan: &Plan) -> Result<Filter, CompileError> {
    let order = ByteOrder::of(plan.native);
    let mut bytes = Vec::new();
    if let Some(limits) = &plan.stub {
        let stub = stub(plan, limits).into_iter();
        bytes.extend(stub.flat_map(|raw| raw.bytes(order)));
    }
    bytes.extend(program(plan)?);
    Ok(Filter::read(&bytes, order)?)
}

/// libseccomp's program, without what runc puts before it, if it is made in some time.
pub(super) fn program(plan: &Plan) -> Result<Vec<u8>, CompileError> {
    ASKED.program(plan, PATIENCE, library::program)
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

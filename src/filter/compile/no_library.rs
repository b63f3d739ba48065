//! A build without libseccomp.

use std::sync::atomic::AtomicUsize;

use super::CompileError;
use crate::runtime::Plan;
use crate::syscalls::Release;

/// The release of the libseccomp that filters are made with: `None`, since there is none in this
/// build.
#[must_use]
pub fn linked() -> Option<Release> {
    None
}

pub(super) fn program(_: &Plan, _: &AtomicUsize) -> Result<Vec<u8>, CompileError> {
    Err(CompileError::NoLibrary)
}

//! Compares the syscall table with the two other places that know system calls: the libseccomp that
//! is linked, whatever release it is ([`library`]), and the `syscalls` crate ([`second_source`]).
//! Both comparisons go name by name and architecture by architecture, in both directions. Every
//! difference has a reason in a list; a difference without one fails, and so does a reason that no
//! difference needs any more.
//!
//! To make the table anew, run this where the new libseccomp is the one that is linked:
//!
//! ```text
//! SECLINT_WRITE_SYSCALLS=data/syscalls.tsv cargo test --test syscall_table
//! ```
//!
//! Then give the new names a row in `data/libseccomp_releases.tsv` and in
//! `data/syscall_kernel_versions.tsv`; the build says which are missing. Names that the library has
//! dropped stay, without numbers, and need their last release there.
#![allow(clippy::print_stdout, reason = "the figures go into the log")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[cfg(feature = "libseccomp")]
mod architectures;
#[cfg(feature = "libseccomp")]
mod library;
#[cfg(feature = "libseccomp")]
mod linked;
#[cfg(feature = "libseccomp")]
mod platforms;
mod prototypes;
mod second_source;

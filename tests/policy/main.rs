//! What plans mean. If one of these fails, seclint says that a call is let through which is not, or
//! the other way round.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, which says how much it compared"
)]

mod call;
#[cfg(feature = "libseccomp")]
mod oracle;
#[cfg(feature = "libseccomp")]
mod pairs;
#[cfg(feature = "libseccomp")]
mod plans;
#[cfg(feature = "libseccomp")]
mod sections;
#[cfg(feature = "libseccomp")]
mod worker;

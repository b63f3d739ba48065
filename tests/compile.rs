//! Filters that libseccomp makes of runtimes' plans, as `seclint compile` writes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod support;

#[cfg(feature = "libseccomp")]
#[path = "compile/library.rs"]
mod library;

#[cfg(not(feature = "libseccomp"))]
use support::{file, run};

/// Somebody who installed it without libseccomp would look for a fault in the profile.
#[cfg(not(feature = "libseccomp"))]
#[test]
fn a_build_without_libseccomp_says_so() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let ran = run(["compile", &path.display().to_string()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("--features libseccomp"),
        "{}",
        ran.stderr
    );
}

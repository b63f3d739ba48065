//! Runs the real runtimes: see `README.md` beside this file.
//!
//! - [`roots`] makes Debian roots with runtimes in them.
//! - [`namespaces`] makes a root one that containers can run in, and runs commands there.
//! - [`program`] is what runs in the containers.
//! - [`observe`] says what a runtime does with a section.
//! - [`messages`] reads what the runtimes print.
//! - [`predictions`] asks seclint what it would do.
//! - [`compare`] compares what was observed with both.
//! - [`filters`] compares the filters that runtimes load with those that seclint makes.
//! - [`kernel`] compares what filters do in the kernel with what seclint says they do.
//! - [`generate`] makes sections for the record.
//! - [`profiles`] are some that are in use.
//! - [`inputs`] are the profiles that engines are given.
//! - [`engines`] asks Podman what it makes of them.
//! - [`golang`] asks the code of Docker, containers/common and containerd.
//! - [`resolve`] compares both with `seclint resolve`.
//! - [`suite`] does all this for one root, and [`inside`] what needs namespaces.
//! - [`buildah`] reproduces the bug that hides warnings, and seclint's way out.
//! - [`caches`] makes caches of every kind, and has seclint tell them apart.
//! - [`storage`] has seclint explain entries by profiles for Podman, and by its containers.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, whose report is what it prints"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod buildah;
mod caches;
mod compare;
#[path = "../support/engines.rs"]
mod engine_records;
mod engines;
mod filters;
mod generate;
mod golang;
mod inputs;
mod inside;
mod kernel;
mod messages;
mod namespaces;
mod observe;
mod predictions;
mod profiles;
mod program;
mod resolve;
mod roots;
#[path = "../support/runtimes.rs"]
mod runtimes;
mod storage;
mod suite;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use suite::{Mode, Tally};

/// Why nothing, or not all, could be run.
#[derive(Debug, thiserror::Error)]
enum LiveError {
    /// Something that this needs is not there.
    #[error("this needs {what}: {remedy}\nSECLINT_LIVE=skip leaves the runtimes out")]
    Missing { what: String, remedy: String },
    /// debootstrap or apt failed.
    #[error("{0}: making the root failed: {1}")]
    Making(String, String),
    /// What runs in a root failed. It has said why.
    #[error("{0}: not all could be run")]
    Inside(String),
    /// The arguments are none of those that there are.
    #[error(
        "usage: live [caches | engines | filters | kernel | storage | observe SECTIONS DIRECTORY | generate SEED COUNT]"
    )]
    Usage,
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LiveError {
    fn missing(what: &str, remedy: &str) -> Self {
        let [what, remedy] = [what, remedy].map(str::to_owned);
        Self::Missing { what, remedy }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => mode().map_or(Ok(true), |mode| {
            let kernel = kernel::judge()?;
            passes(kernel, |suite| suite::run(suite, &mode))
        }),
        ["kernel"] => kernel::judge().map(told),
        [work @ ("caches" | "engines" | "filters" | "storage")] => {
            mode().map_or(Ok(true), |mode| {
                let none = Tally::default();
                passes(none, |suite| suite::run_only(suite, work, &mode))
            })
        }
        ["observe", sections, directory] => {
            let mode = Mode::Observe(sections.into(), directory.into());
            each(&roots::SUITES, |suite| suite::run(suite, &mode)).map(|_| true)
        }
        ["generate", seed, count] => generate(seed, count),
        ["inside", ref work @ ..] => inside::work(work).map(|()| true),
        _ => Err(LiveError::Usage),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("live: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the environment says is to be done, if anything.
fn mode() -> Option<Mode> {
    match std::env::var("SECLINT_LIVE").as_deref() {
        Ok("skip") => {
            println!("live: SKIPPED, since SECLINT_LIVE=skip: no runtime was run");
            None
        }
        Ok("record") => Some(Mode::Record),
        _ => Some(Mode::Compare),
    }
}

/// Whether all passed `before`, and all passes that is done with each root.
fn passes(
    before: Tally,
    work: impl Fn(&str) -> Result<Tally, LiveError> + Sync,
) -> Result<bool, LiveError> {
    let [first, second] = roots::SUITES;
    let tally = each(&[first, second, roots::GO], work)?;
    Ok(told([before, tally].into_iter().sum()))
}

/// Whether all passed.
fn told(tally: Tally) -> bool {
    println!("{} passed, {} failed", tally.passed, tally.failed);
    tally.failed == 0
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Does the work for the roots side by side.
fn each(
    names: &[&str],
    work: impl Fn(&str) -> Result<Tally, LiveError> + Sync,
) -> Result<Tally, LiveError> {
    check_requirements()?;
    let tallies = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = names
            .iter()
            .map(|name| scope.spawn(move || work(name)))
            .collect();
        let threads = threads.into_iter();
        let joined = threads.map(|thread| thread.join().expect("a suite does not panic"));
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(tallies.into_iter().sum())
}

fn check_requirements() -> Result<(), LiveError> {
    if program::executable().is_none() {
        let remedy = "there is no program for this one's containers";
        return Err(LiveError::missing("an x86_64 or aarch64 machine", remedy));
    }
    if !rustix::process::geteuid().is_root() {
        let remedy = "run it as root, in a machine or container that you can lose";
        return Err(LiveError::missing("root's rights", remedy));
    }
    match namespaces::available() {
        Ok(true) => {}
        Ok(false) => {
            let remedy =
                "in a container, give it CAP_SYS_ADMIN, no seccomp profile and no AppArmor profile";
            let what = "mount and PID namespaces, and cgroup2";
            return Err(LiveError::missing(what, remedy));
        }
        Err(_) => {
            return Err(LiveError::missing(
                "unshare and mount",
                "install the package util-linux",
            ));
        }
    }
    Ok(())
}

/// Prints generated sections.
fn generate(seed: &str, count: &str) -> Result<bool, LiveError> {
    let (Ok(seed), Ok(count)) = (seed.parse(), count.parse()) else {
        return Err(LiveError::Usage);
    };
    for case in generate::cases(seed, count) {
        println!("{case}");
    }
    Ok(true)
}

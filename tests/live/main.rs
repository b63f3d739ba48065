//! Runs the real runtimes: see `README.md` beside this file.
//!
//! - [`namespaces`] makes a root that containers can run in.
//! - [`program`] is what runs in the containers.
//! - [`observe`] says what a runtime does with a section.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, whose report is what it prints"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(dead_code)]

mod namespaces;
mod observe;
mod program;
#[path = "../support/runtimes.rs"]
mod runtimes;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use observe::{Root, Runtime};
use runtimes::{Case, Record};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["observe", sections, output] => observe_all(
            Path::new(sections),
            Path::new(output),
            Path::new("/nonexistent"),
        ),
        ["inside", root, sections, output, records] => observe_inside(
            Path::new(root),
            Path::new(sections),
            Path::new(output),
            Path::new(records),
        ),
        _ => Err(io::Error::other("usage: live observe SECTIONS OUTPUT")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live: {error}");
            ExitCode::FAILURE
        }
    }
}

const SUITES: [&str; 2] = ["trixie", "sid"];

fn observe_all(sections: &Path, output: &Path, records: &Path) -> io::Result<()> {
    std::fs::create_dir_all(output)?;
    let roots = PathBuf::from(std::env::var_os("SECLINT_LIVE_ROOTS").expect("SECLINT_LIVE_ROOTS"));
    let mut children = Vec::new();
    for suite in SUITES {
        let mut command = namespaces::enter()?;
        command
            .arg("inside")
            .arg(roots.join(suite))
            .args([sections, output, records]);
        children.push(command.stdin(Stdio::null()).spawn()?);
    }
    let mut ok = true;
    for mut child in children {
        ok &= child.wait()?.success();
    }
    match ok {
        true => Ok(()),
        false => Err(io::Error::other("not all could be run")),
    }
}

fn observe_inside(root: &Path, sections: &Path, output: &Path, records: &Path) -> io::Result<()> {
    let cases = Case::all(sections);
    namespaces::mount(root)?;
    let root = Root::new(root)?;
    for runtime in Runtime::ALL {
        let start = std::time::Instant::now();
        let record = root.observe(runtime, &cases, |header, case| {
            let record = Record::read(records, &header.name());
            record
                .and_then(|it| it.of(case).map(|it| it.hung))
                .unwrap_or_default()
        })?;
        println!(
            "{}: {} cases in {:.1} s",
            record.header.name(),
            record.observations.len(),
            start.elapsed().as_secs_f64()
        );
        record.write(output)?;
    }
    Ok(())
}

//! What filters do in the kernel against what seclint says they do: filters of generated sections
//! are made, loaded, and asked about calls.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use seclint::filter::{Call, Filter, compile, linked};
use seclint::profile::Action;
use seclint::runtime::{Model, Surroundings, any_size};
use seclint::syscalls::{Arch, lookup};
use seclint::text::json;

use crate::generate;
use crate::suite::Tally;
use crate::{LiveError, repository};

/// The sections: another seed makes others.
const SEED: u64 = 6;
const SECTIONS: usize = 1_000;

/// A number that no call has.
const NO_CALL: u32 = 1_000;
/// Calls that come to the same however often they are made, and of which nothing lasts.
const NAMES: [&str; 18] = [
    "acct",
    "adjtimex",
    "bpf",
    "chroot",
    "flock",
    "getitimer",
    "getppid",
    "kcmp",
    "link",
    "memfd_create",
    "mkdir",
    "mknod",
    "openat",
    "quotactl",
    "sendfile",
    "socket",
    "statx",
    "swapon",
];

/// What sections compare arguments with, and what is beside it.
const ARGUMENTS: [[u64; 6]; 6] = [
    [0; 6],
    [1, 2, 0, 40, 1, 0x1_0000_0000],
    [2, 0x8000_0000, 1, 0, 40, 2],
    [40, 41, u64::MAX, 0x1_0000_0001, 0, 1],
    [0x1_0000_0000, 0, 0x8000_0000, 2, 0x7fff_ffff, 3],
    [u64::MAX; 6],
];

/// Makes the filters, and has the kernel run them. Each filter is a comparison.
pub(crate) fn judge() -> Result<Tally, LiveError> {
    let mut tally = Tally::default();
    let native = Arch::from_name(std::env::consts::ARCH);
    let (Some(native), Some(libseccomp)) = (native, linked()) else {
        let remedy = "build it with the feature libseccomp";
        return Err(LiveError::missing("libseccomp", remedy));
    };
    let numbers = NAMES
        .iter()
        .filter_map(|name| lookup(name)?.direct_number(native));
    let numbers: Vec<_> = numbers.chain([NO_CALL]).collect();
    let calls: Vec<_> = (numbers.iter())
        .flat_map(|&number| ARGUMENTS.map(|arguments| (number, arguments)))
        .collect();
    let surroundings = Surroundings {
        libseccomp: libseccomp.into(),
        native,
        no_new_privileges: true,
        fits: any_size,
    };
    let mut input = String::new();
    let mut filters = Vec::new();
    let mut refused = 0;
    for case in generate::cases(SEED, usize::MAX) {
        if filters.len() == SECTIONS {
            break;
        }
        let section = case["section"].as_str().unwrap_or_default();
        let document = json::parse(section.as_bytes());
        let [_, (name, version, _), _, (other, its, _)] = Model::RECORDED;
        // Every other one with runc's stub and tree.
        let (name, version) = if filters.len() % 2 == 0 {
            (name, version)
        } else {
            (other, its)
        };
        let model = Model::of(name, version).expect("a recorded runtime");
        let prediction = model.predict(&document, section.as_bytes(), surroundings);
        let Some(Ok(filter)) = prediction.plan.as_ref().map(compile) else {
            refused += 1;
            continue;
        };
        let bytes = filter.bytes();
        let program = bytes.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        let asked = asked(&calls, filters.len());
        input += &lines(&program, asked);
        filters.push(filter);
    }
    let output = ask(&(lines("-", calls.iter()) + &input))?;
    let mut output = output.lines();
    let without: Vec<_> = output.by_ref().take(calls.len()).collect();
    let (mut made, mut changed) = (0, 0);
    for (place, filter) in filters.iter().enumerate() {
        let mut is_right = true;
        for call in asked(&calls, place) {
            let same = calls.iter().position(|other| other == call);
            let without = same.and_then(|place| without.get(place)).copied();
            let expected = expected(filter, native, *call, without.unwrap_or_default());
            let observed = output.next().unwrap_or_default();
            made += 1;
            changed += usize::from(without != Some(observed));
            if expected != observed {
                is_right = false;
                println!(
                    "kernel: filter {place}: {call:x?}: {expected} expected, {observed} observed"
                );
            }
        }
        tally.count(is_right);
    }
    println!(
        "kernel: {made} calls behind {} filters, {changed} of them otherwise than without; {} filters do what seclint says ({refused} more sections came to none)",
        filters.len(),
        tally.passed
    );
    Ok(tally)
}

type Asked = (u32, [u64; 6]);

/// The calls that a filter is asked about: a third of all, each time another one.
fn asked(calls: &[Asked], place: usize) -> impl Iterator<Item = &Asked> {
    calls.iter().skip(place % 3).step_by(3)
}

/// The input for calls behind a filter.
fn lines<'c>(program: &str, calls: impl Iterator<Item = &'c Asked>) -> String {
    let mut program = program;
    let mut lines = String::new();
    for (number, arguments) in calls {
        let words = arguments.map(|it| format!(" {it:x}")).concat();
        let _ = writeln!(lines, "{program} {number:x}{words}");
        if program != "-" {
            program = "=";
        }
    }
    lines
}

/// What becomes of a call behind a filter, if it comes to `without` by itself.
fn expected(filter: &Filter, native: Arch, (number, arguments): Asked, without: &str) -> String {
    let verdict = filter.evaluate(&Call {
        number,
        architecture: native.audit_arch(),
        arguments,
        instruction_pointer: 0,
    });
    match verdict.action {
        Action::Allow | Action::Log => without.to_owned(),
        Action::Errno => verdict.data.to_string(),
        // Nobody traces, and nobody listens: ENOSYS.
        Action::Trace | Action::Notify => "38".to_owned(),
        Action::KillProcess | Action::KillThread | Action::Trap => "killed".to_owned(),
    }
}

/// Has the program beside this file ask the kernel.
fn ask(input: &str) -> Result<String, LiveError> {
    let directory = tempfile::tempdir()?;
    let program = directory.path().join("kernel");
    build("kernel.c", &program)?;
    run(&program, input)
}

/// Builds a program of this directory.
pub(crate) fn build(source: &str, program: &Path) -> Result<(), LiveError> {
    let built = Command::new("cc")
        .args(["-O1", "-static", "-o"])
        .arg(program)
        .arg(repository("tests/live").join(source))
        .status();
    if !built.is_ok_and(|status| status.success()) {
        let remedy = "install the packages gcc and libc6-dev";
        return Err(LiveError::missing("a C compiler", remedy));
    }
    Ok(())
}

fn run(program: &Path, input: &str) -> Result<String, LiveError> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // If it ends early, its output tells.
            let _ = stdin
                .take()
                .map(|mut stdin| stdin.write_all(input.as_bytes()));
        });
        child.wait_with_output()
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

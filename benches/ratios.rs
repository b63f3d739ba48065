//! What seclint costs, each time beside what a user would use instead, in one
//! run and in turns, since machines are noisy: `dev/bench.sh`.
//!
//! `SECLINT_PROFILES` is the directory with the default profiles of Docker and
//! Podman. Every figure is a median.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use seclint::filter::{ByteOrder, INSTRUCTION_BYTES, Raw};
use seclint::lint::{Demands, Linter, lint_rules};
use seclint::syscalls::Arch;
use seclint::target::Target;
use seclint::text::Source;
use serde_json::Value;
use tempfile::TempDir;

fn main() {
    let profiles = std::env::var_os("SECLINT_PROFILES").map(PathBuf::from);
    let profiles = profiles.expect("SECLINT_PROFILES is set: run dev/bench.sh");
    let docker = profiles.join("docker.json");
    let podman = profiles.join("podman.json");
    one_process(&docker);
    in_process(&docker);
    many_files(&[docker, podman]);
    many_entries();
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times
        .get(times.len() / 2)
        .map_or(0.0, Duration::as_secs_f64)
}

/// Times each of some things in turns, so that noise falls on all alike.
fn in_turns<const N: usize>(rounds: usize, mut things: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..rounds + 2 {
        for (thing, times) in things.iter_mut().zip(&mut times) {
            let start = Instant::now();
            thing();
            // The first rounds warm the caches.
            if round >= 2 {
                times.push(start.elapsed());
            }
        }
    }
    times.map(median)
}

fn seclint() -> Command {
    Command::new(env!("CARGO_BIN_EXE_seclint"))
}

fn wait(command: &mut Command) {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().expect("the program runs");
}

/// A commit hook: one profile, one process.
fn one_process(docker: &Path) {
    let [seclint, truth, jq] = in_turns(
        200,
        [
            &mut || wait(seclint().arg("check").arg(docker)),
            &mut || wait(&mut Command::new("/bin/true")),
            &mut || wait(Command::new("jq").arg("empty").arg(docker)),
        ],
    );
    println!("one process on Docker's default profile");
    println!("  seclint check {:6.2} ms", seclint * 1e3);
    println!(
        "  /bin/true     {:6.2} ms   seclint takes {:.2} ms more",
        truth * 1e3,
        (seclint - truth) * 1e3
    );
    println!(
        "  jq empty      {:6.2} ms   seclint takes {:.2} times that",
        jq * 1e3,
        seclint / jq
    );
}

fn linter() -> Linter {
    Linter {
        rules: lint_rules().to_vec(),
        targets: vec![Target::default()],
        engines: Vec::new(),
        dialects: None,
        demands: Demands::default(),
    }
}

/// Parsing, typing, and all rules, beside a parse that forgets where things were.
fn in_process(docker: &Path) {
    let bytes = fs::read(docker).expect("Docker's default profile");
    let source = Arc::new(Source::new("docker.json", bytes.clone()));
    let linter = linter();
    let repeat = |thing: &dyn Fn()| (0..20).for_each(|_| thing());
    let [lint, parse] = in_turns(
        100,
        [
            &mut || repeat(&|| drop(black_box(linter.lint(&source)))),
            &mut || repeat(&|| drop(black_box(serde_json::from_slice::<Value>(&bytes)))),
        ],
    );
    println!(
        "in process, on the {} bytes of Docker's default profile",
        bytes.len()
    );
    println!(
        "  lint, {} rules      {:7.1} us",
        linter.rules.len(),
        lint / 20.0 * 1e6
    );
    println!(
        "  serde_json to Value {:7.1} us   seclint takes {:.2} times that",
        parse / 20.0 * 1e6,
        lint / parse
    );
}

/// A tree of profiles: `count` copies of real ones in directories of 100.
fn tree(profiles: &[PathBuf], count: usize) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let contents: Vec<_> = profiles
        .iter()
        .map(|path| fs::read(path).expect("a profile"))
        .collect();
    for number in 0..count {
        let folder = directory.path().join(format!("{:03}", number / 100));
        fs::create_dir_all(&folder).expect("a directory");
        let contents = &contents[number % contents.len()];
        fs::write(folder.join(format!("{number:05}.json")), contents).expect("a file");
    }
    directory
}

/// The same files, read and parsed on the same cores, and forgotten.
fn parse_all(directory: &Path) {
    let files: Vec<_> = walkdir::WalkDir::new(directory)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .collect();
    files.par_iter().for_each(|entry| {
        let bytes = fs::read(entry.path()).expect("a file");
        drop(black_box(serde_json::from_slice::<Value>(&bytes)));
    });
}

/// The most memory that a run held, in KiB, as the kernel counts it.
fn peak_memory(command: &mut Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).spawn().expect("seclint runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_micros(200));
    }
    peak
}

/// A CI gate: many files, one process.
fn many_files(profiles: &[PathBuf]) {
    let few = tree(profiles, 1_000);
    let many = tree(profiles, 10_000);
    let [lint, parse] = in_turns(
        5,
        [
            &mut || wait(seclint().arg("check").arg(many.path())),
            &mut || parse_all(many.path()),
        ],
    );
    println!(
        "10,000 files, {} cores",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    println!("  seclint check          {:7.0} ms", lint * 1e3);
    println!(
        "  serde_json on each     {:7.0} ms   seclint takes {:.2} times that",
        parse * 1e3,
        lint / parse
    );
    let memory = [&few, &many].map(|tree| peak_memory(seclint().arg("check").arg(tree.path())));
    println!("  memory, 1,000 files    {:7} KiB", memory[0]);
    println!("  memory, 10,000 files   {:7} KiB", memory[1]);
}

/// A filter of `size` bytes, as libseccomp makes them: it kills calls of other architectures, asks for
/// numbers from one on, and allows all.
fn filter(number: u32, size: usize) -> Vec<u8> {
    const KILL: Raw = instruction(0x06, 0, 0);
    const ALLOW: Raw = instruction(0x06, 0, 0x7fff_0000);
    const fn instruction(code: u16, jump_true: u8, constant: u32) -> Raw {
        Raw {
            code,
            jump_true,
            jump_false: 0,
            constant,
        }
    }
    let arch = Arch::X86_64.audit_arch();
    let start = [
        instruction(0x20, 0, 4),
        instruction(0x15, 1, arch),
        KILL,
        instruction(0x20, 0, 0),
    ];
    let asks = (number..).map(|number| instruction(0x15, 0, number));
    let program = start.into_iter().chain(asks);
    let program = program.take(size / INSTRUCTION_BYTES - 1).chain([ALLOW]);
    program.flat_map(|it| it.bytes(ByteOrder::NATIVE)).collect()
}

/// A host: an audit of 10,000 entries beside reading and hashing them.
fn many_entries() {
    const SIZE: usize = 8 * 600;
    let directory = TempDir::new().expect("a directory");
    let cache = directory.path().join(".cache/seccomp");
    fs::create_dir_all(&cache).expect("a directory");
    for path in [directory.path(), cache.parent().expect("a parent"), &cache] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a mode");
    }
    for number in 0..10_000_u32 {
        let contents = filter(number, SIZE);
        let entry = cache.join(blake3::hash(&contents).to_hex().as_str());
        fs::write(&entry, &contents).expect("an entry");
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o700)).expect("a mode");
    }
    let read_and_hash = || {
        for entry in fs::read_dir(&cache).expect("a cache") {
            let bytes = fs::read(entry.expect("an entry").path()).expect("an entry");
            black_box(blake3::hash(&bytes));
        }
    };
    let host = ["--runtime=crun@1.21", "--libseccomp=2.6.0"];
    let [human, json, read] = in_turns(
        10,
        [
            &mut || {
                wait(
                    seclint()
                        .arg("cache-audit")
                        .args(host)
                        .arg(directory.path()),
                );
            },
            &mut || {
                wait(
                    seclint()
                        .arg("cache-audit")
                        .args(host)
                        .arg("--format=json")
                        .arg(directory.path()),
                );
            },
            &mut || read_and_hash(),
        ],
    );
    println!("10,000 entries of {SIZE} bytes, none explained");
    println!("  read and hash (BLAKE3)       {:6.0} ms", read * 1e3);
    println!(
        "  seclint cache-audit          {:6.0} ms   {:.2} times that",
        human * 1e3,
        human / read
    );
    println!(
        "  seclint cache-audit, as JSON {:6.0} ms   {:.2} times that",
        json * 1e3,
        json / read
    );
}

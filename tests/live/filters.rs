//! The filters that runtimes load, byte for byte, against those that `seclint compile` makes with
//! the same libseccomp.
//!
//! crun's are the entries in its cache. runc keeps none: the kernel tells the filter of the program
//! in the container (`PTRACE_SECCOMP_GET_FILTER`), and where none runs, strace prints what runc hands
//! the kernel.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use seclint::filter::{ByteOrder, INSTRUCTION_BYTES, MAX_INSTRUCTIONS, Raw};

use crate::LiveError;
use crate::buildah::Step;
use crate::kernel;
use crate::namespaces;
use crate::observe::{Container, Root, Runtime};
use crate::runtimes::{Case, Outcome, Record};

/// How long a container may take. It takes half a second under strace.
const LIMIT: Duration = Duration::from_secs(15);

/// The most that the kernel takes of a filter.
const MOST_BYTES: usize = MAX_INSTRUCTIONS * INSTRUCTION_BYTES;

/// Runs the sections under both runtimes of a root that has been [mounted](namespaces::mount).
pub(crate) fn steps(root: &Root, seclint: &Path, runtimes: &Path) -> Result<Vec<Step>, LiveError> {
    fs::copy(seclint, root.path().join("mnt/seclint"))?;
    kernel::build("enforced.c", &root.path().join("mnt/enforced"))?;
    let cases = Case::all(&runtimes.join("sections.jsonl"));
    let mut steps = Vec::new();
    for runtime in Runtime::ALL {
        let header = root.header(runtime)?;
        let title = format!("{} {}", header.runtime, header.version);
        let record = Record::read(runtimes, &header.name());
        let mut tally = Tally::default();
        for (number, case) in cases.iter().enumerate() {
            let known = record.as_ref().and_then(|record| record.of(&case.case));
            let loads_none = match runtime {
                Runtime::Crun => known.is_some_and(|known| known.key.is_none()),
                Runtime::Runc => known.is_some_and(|known| known.outcome == Outcome::Refuses),
            };
            if loads_none {
                continue;
            }
            let container = root.container(runtime, number);
            container.lay_out(case)?;
            container.clear()?;
            let observed = match runtime {
                Runtime::Crun => entry(&container)?,
                // A process that cannot live behind its filter may not end while it is traced.
                Runtime::Runc if known.is_some_and(|it| it.outcome != Outcome::Starts) => {
                    handed(&container)?
                }
                Runtime::Runc => {
                    let enforced = enforced(&container)?;
                    tally.enforced += usize::from(enforced.is_some());
                    container.clear()?;
                    // The record may be another's.
                    enforced.map_or_else(|| handed(&container), |it| Ok(Some(it)))?
                }
            };
            if let Some(observed) = observed {
                let made = compiled(
                    root,
                    &container,
                    &format!("{}@{}", header.runtime, header.version),
                )?;
                tally.count(&case.case, &observed, &made);
            }
            container.clear()?;
        }
        steps.push(tally.step(&title));
    }
    Ok(steps)
}

/// The entry that crun leaves.
fn entry(container: &Container<'_>) -> io::Result<Option<Vec<u8>>> {
    let output = container.path("output");
    namespaces::run(&mut container.command(&[]), &output, LIMIT, || true)?;
    let Some(key) = container.key() else {
        return Ok(None);
    };
    let entry = container.path("state/.cache/seccomp").join(key);
    fs::read(entry).map(Some)
}

/// The filter that the kernel has for the program in the container, if that runs.
fn enforced(container: &Container<'_>) -> io::Result<Option<Vec<u8>>> {
    let mut command = container.command(&["/mnt/enforced", "/tmp/enforced"]);
    let status = namespaces::run(&mut command, &container.path("output"), LIMIT, || true)?;
    if !status.is_some_and(|status| status.success()) {
        return Ok(None);
    }
    fs::read(container.path("enforced")).map(Some)
}

/// The filter that runc hands the kernel.
fn handed(container: &Container<'_>) -> io::Result<Option<Vec<u8>>> {
    let trace = container.path("trace");
    let mut command = container.command(&[
        "strace",
        "--follow-forks",
        "--quiet=all",
        "--trace=seccomp,prctl",
        "--signal=none",
        "--abbrev=none",
        "--const-print-style=raw",
        "--output=/tmp/trace",
    ]);
    let filter = || {
        let trace = fs::read(&trace).unwrap_or_default();
        let trace = String::from_utf8_lossy(&trace).into_owned();
        // A line that is being written has no end.
        let whole = trace.rfind('\n').map_or("", |end| &trace[..end]);
        whole.lines().find_map(traced)
    };
    // Ended as soon as it is there: see `Container::loads_a_filter`.
    namespaces::run(&mut command, &container.path("output"), LIMIT, || {
        filter().is_none()
    })?;
    Ok(filter())
}

/// The filter in a line such as `29 prctl(0x16, 0x2, {len=2, filter=[BPF_STMT(0|0|0x20, 0x4),
/// BPF_JUMP(0x5|0|0x10, 0xc000003e, 0x1, 0)]}) = 0`, unless the kernel did not take it.
fn traced(line: &str) -> Option<Vec<u8>> {
    let (_, program) = line.split_once("filter=[")?;
    let (program, rest) = program.split_once(']')?;
    if rest.contains("= -1") {
        return None;
    }
    let mut bytes = Vec::new();
    for instruction in program.split("BPF_").skip(1) {
        let (_, operands) = instruction.split_once('(')?;
        let (operands, _) = operands.split_once(')')?;
        let mut operands = operands.split(", ").map(value);
        let mut next = || operands.next().unwrap_or(Some(0));
        let raw = Raw {
            code: next()?.try_into().ok()?,
            constant: next()?,
            jump_true: next()?.try_into().ok()?,
            jump_false: next()?.try_into().ok()?,
        };
        bytes.extend(raw.bytes(ByteOrder::NATIVE));
    }
    Some(bytes)
}

/// `0x50000|0x26`.
fn value(text: &str) -> Option<u32> {
    let mut value = 0;
    for part in text.split('|') {
        value |= match part.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => part.parse().ok()?,
        };
    }
    Some(value)
}

/// What seclint makes in the root of the same configuration, or what it says.
fn compiled(root: &Root, container: &Container<'_>, runtime: &str) -> io::Result<Made> {
    let made = compile(root, container, runtime)?;
    if made.is_ok() {
        return Ok(made);
    }
    // crun looks at the flags after it has left the entry, and may refuse or crash then.
    // By another name they are no flags, and nothing of them is in the filter.
    let config = root.path().join("mnt/bundle/config.json");
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace("\"flags\"", "\"no flags\""))?;
    compile(root, container, runtime)
}

type Made = Result<Vec<u8>, String>;

fn compile(root: &Root, container: &Container<'_>, runtime: &str) -> io::Result<Made> {
    let mut command = namespaces::command(root.path());
    command.args(["/mnt/seclint", "compile", "--output=/tmp/filter"]);
    command.arg(format!("--runtime={runtime}"));
    let output = command.arg("/mnt/bundle/config.json").output()?;
    if output.status.success() {
        return fs::read(container.path("filter")).map(Ok);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(Err(said.lines().next_back().unwrap_or_default().to_owned()))
}

/// What came of the comparisons.
#[derive(Default)]
struct Tally {
    equal: usize,
    /// Equal but for the order of architectures in runc's stub, which is another one each time.
    reordered: usize,
    /// Larger than the kernel takes, as seclint says; crun leaves the entry before it asks.
    too_large: usize,
    /// Read from the kernel, of a live process.
    enforced: usize,
    otherwise: BTreeMap<String, String>,
}

impl Tally {
    fn count(&mut self, case: &str, observed: &[u8], made: &Made) {
        let how = match made {
            Ok(made) if made == observed => {
                self.equal += 1;
                return;
            }
            Ok(made) if stub(made).is_some_and(|stub| Some(stub) == self::stub(observed)) => {
                self.reordered += 1;
                return;
            }
            Ok(made) => format!("{} bytes, and {} were made", observed.len(), made.len()),
            Err(said) if observed.len() > MOST_BYTES && said.contains("the kernel refuses") => {
                self.too_large += 1;
                return;
            }
            Err(said) => said.clone(),
        };
        self.otherwise.insert(case.to_owned(), how);
    }

    fn step(&self, runtime: &str) -> Step {
        let mut said = format!(
            "{runtime}: {} filters are what seclint makes, byte for byte",
            self.equal
        );
        if self.reordered > 0 {
            let count = self.reordered;
            let _ = write!(said, ", {count} more but for the order in the stub");
        }
        if self.too_large > 0 {
            let count = self.too_large;
            let _ = write!(said, ", {count} more are too large, as it says");
        }
        if self.enforced > 0 {
            let _ = write!(said, "; {} were read from the live process", self.enforced);
        }
        for (case, how) in &self.otherwise {
            let _ = write!(said, "\n  {case:?}: {how}");
        }
        Step {
            passed: self.otherwise.is_empty() && self.equal > 100,
            said,
        }
    }
}

/// What a program with a stub of runc's does, but for the order of its architectures: for each
/// `AUDIT_ARCH_*` value the instructions that are led to, with their jumps counted from the end of
/// the stub; and the program after the stub.
type Stub = (BTreeMap<u32, Vec<(u16, u32, i64, i64)>>, Vec<u8>);

fn stub(program: &[u8]) -> Option<Stub> {
    const JUMP: u16 = 0x05;
    const JUMP_EQUAL: u16 = 0x15;
    let (chunks, _) = program.as_chunks::<INSTRUCTION_BYTES>();
    let raw: Vec<_> = chunks
        .iter()
        .map(|&it| Raw::of(it, ByteOrder::NATIVE))
        .collect();
    let arches = raw
        .iter()
        .skip(1)
        .take_while(|it| it.code == JUMP_EQUAL)
        .count();
    let first = arches + 1;
    let end = first + 1 + raw.get(first).filter(|it| it.code == JUMP)?.constant as usize;
    let distance = |index: usize, skipped: u32| {
        end.cast_signed() as i64 - (index.cast_signed() as i64 + 1 + i64::from(skipped))
    };
    let mut sections = BTreeMap::new();
    for index in 1..first {
        let test = raw.get(index)?;
        let mut section = Vec::new();
        let mut at = index + 1 + usize::from(test.jump_true);
        while at < end {
            let it = raw.get(at)?;
            if it.code == JUMP {
                section.push((it.code, 0, distance(at, it.constant), 0));
                break;
            }
            // Jumps within the section are as long wherever it stands.
            let jump = |skipped: u8| match distance(at, skipped.into()) {
                to_end @ 0..=1 => -1 - to_end,
                _ => i64::from(skipped),
            };
            section.push((
                it.code,
                it.constant,
                jump(it.jump_true),
                jump(it.jump_false),
            ));
            at += 1;
        }
        sections.insert(test.constant, section);
    }
    Some((sections, program.get(end * INSTRUCTION_BYTES..)?.to_vec()))
}

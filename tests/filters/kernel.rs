//! What the kernel made of programs and calls, as `record.py` wrote it down.

use std::fs;

use seclint::filter::{ByteOrder, Call, Filter};
use seclint::profile::Action;
use seclint::syscalls::Arch;
use serde_json::Value;

use crate::support::repository;

struct Record {
    program: Vec<u8>,
    taken: bool,
    arguments: Option<[u64; 6]>,
    outcome: Value,
}

fn records() -> Vec<Record> {
    let text = fs::read_to_string(repository("tests/filters/linux-x86_64.jsonl")).expect("records");
    let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("hex");
    let records = text.lines().skip(1).map(|line| {
        let record: Value = serde_json::from_str(line).expect("a record");
        let program = record["program"].as_str().expect("a program");
        let bytes = program.as_bytes().chunks(2).map(|digits| {
            let digits = std::str::from_utf8(digits).expect("digits");
            hex(digits) as u8
        });
        let times = record["times"].as_u64().expect("a number") as usize;
        let arguments = record["arguments"].as_array().map(|arguments| {
            let words = arguments
                .iter()
                .map(|word| hex(word.as_str().expect("hex")));
            words.collect::<Vec<_>>().try_into().expect("six arguments")
        });
        Record {
            program: bytes.collect::<Vec<_>>().repeat(times),
            taken: record["taken"].as_bool().expect("whether it was taken"),
            arguments,
            outcome: record["outcome"].clone(),
        }
    });
    records.collect()
}

/// An entry that works would be removed, or one that stops every container be called clean.
#[test]
fn what_the_kernel_takes_is_a_filter_and_nothing_else_is() {
    let records = records();
    let mut wrong = Vec::new();
    for record in &records {
        let read = Filter::read(&record.program, ByteOrder::Little);
        if read.is_ok() != record.taken {
            let (program, taken) = (&record.program, record.taken);
            wrong.push(format!("{program:02x?}: taken: {taken}, but {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let taken = records.iter().filter(|record| record.taken).count();
    assert!(taken > 700 && records.len() - taken > 700, "{taken}");
}

/// What is said of a call would not be what happens to it.
#[test]
fn calls_end_as_they_did_under_the_kernel() {
    let mut compared = 0;
    for record in records() {
        let Some(arguments) = record.arguments else {
            continue;
        };
        let filter = Filter::read(&record.program, ByteOrder::Little).expect("it was taken");
        // A number that no call has: what is let through fails with ENOSYS.
        let verdict = filter.evaluate(&Call {
            number: 1000,
            architecture: Arch::X86_64.audit_arch(),
            arguments,
            ..Call::default()
        });
        let outcome = match verdict.action {
            Action::Allow | Action::Log | Action::Notify | Action::Trace => 38.into(),
            Action::Errno => verdict.data.into(),
            Action::KillProcess | Action::KillThread | Action::Trap => Value::from("killed"),
        };
        assert_eq!(outcome, record.outcome, "{:02x?}", record.program);
        compared += 1;
    }
    assert!(compared > 600, "{compared}");
}

//! `seclint disasm`, as a user runs it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use seclint::filter::{ByteOrder, MAX_BYTES};
use serde_json::Value;

use crate::support::{Ran, file, repository, run, seclint};
use crate::{ERRNO, assemble, entries};

fn disasm(path: &Path, format: &str) -> Ran {
    run([
        Path::new("disasm"),
        path,
        Path::new("--format"),
        Path::new(format),
    ])
}

/// The listing is what a reviewer reads.
#[test]
fn a_cached_filter_is_listed_for_people() {
    let entries = repository("tests/fixtures/cache/clean/root/.cache/seccomp");
    let entry = fs::read_dir(entries)
        .expect("a cache")
        .next()
        .expect("an entry")
        .expect("an entry");
    let ran = disasm(&entry.path(), "human");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
}

/// A program that reads the listing would find something else than the schema promises.
#[test]
fn the_listing_for_programs_fits_its_schema() {
    for path in entries() {
        let report = disasm(&path, "json").report();
        assert_eq!(report["byte_order"], "little");
        assert_eq!(report["faults"], Value::Array(Vec::new()));
    }
    let big = assemble(
        &[(0x20, 0, 0, 16), (0x16, 0, 0, 0), (0x06, 0, 0, ERRNO | 2)],
        ByteOrder::Big,
    );
    let (_directory, path) = file("filter", big);
    let report = disasm(&path, "json").report();
    assert_eq!(report["byte_order"], "big");
    assert_eq!(report["instructions"][0]["text"], "A = args[0].high");
    assert_eq!(report["instructions"][2]["reachable"], false);
    let verdict = serde_json::json!({"action": "SCMP_ACT_ERRNO", "data": 2, "known": true});
    assert_eq!(report["instructions"][2]["verdict"], verdict);
    assert!(disasm(&path, "human").stdout.contains("nothing leads here"));
}

/// What is in a file is never a reason for exit code 2, which scripts take for a failed job.
#[test]
fn what_is_no_filter_is_told_and_exits_with_1() {
    let faulty = assemble(&[(0x34, 0, 0, 0), (0x28, 0, 0, 0)], ByteOrder::Little);
    let (_directory, path) = file("filter", faulty);
    let ran = disasm(&path, "human");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("instruction 0 divides by 0"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("instruction 1: operation 0x0028"),
        "{}",
        ran.stderr
    );
    let ran = disasm(&path, "json");
    assert_eq!(ran.code, 1);
    let report = ran.report();
    assert_eq!(report["faults"][0]["instruction"], 0);
    assert_eq!(
        report["faults"][1]["message"],
        "operation 0x0028 is none that a filter may have"
    );

    let (_directory, path) = file("text", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
    let ran = disasm(&path, "json");
    assert_eq!(
        (ran.code, &ran.report()["faults"][0]["instruction"]),
        (1, &Value::Null)
    );
    // Thousands of faults are not thousands of lines.
    let (_directory, path) = file("garbage", vec![0xff; MAX_BYTES]);
    let ran = disasm(&path, "human");
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr.lines().count(), 11, "{}", ran.stderr);
}

/// A device or a log that is given by mistake would be read until memory is full.
#[test]
fn no_more_is_read_than_a_filter_can_be_long() {
    let ran = disasm(Path::new("/dev/zero"), "human");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("more than 32768 bytes are no filter"),
        "{}",
        ran.stderr
    );
}

/// A filter can come from another program; and what is not there is no finding.
#[test]
fn filters_are_read_from_standard_input() {
    let mut child = seclint()
        .args(["disasm", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seclint runs");
    let bytes = assemble(&[(0x06, 0, 0, ERRNO | 0x26)], ByteOrder::Little);
    (child.stdin.take().expect("a pipe"))
        .write_all(&bytes)
        .expect("it reads");
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(
        ran.stdout,
        "# 1 instruction, little-endian\n   0  return ERRNO(ENOSYS)\n"
    );
    assert_eq!(run(["disasm", "/nonexistent/filter"]).code, 2);
    assert_eq!(run(["disasm", "/"]).code, 2);
}

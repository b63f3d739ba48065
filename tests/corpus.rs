//! Real files, outside the project: `SECLINT_CORPUS=DIR cargo test --test corpus`.
//! If this fails, seclint falls over on what people really have, misses what it is known to hold, or
//! says something else of it than was looked through.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::run;

/// Where the files are, if they are given.
fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("SECLINT_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("SKIPPED: SECLINT_CORPUS is not set");
    }
    corpus
}

/// The report on all files together.
fn report(corpus: &Path, arguments: &[&str]) -> Value {
    let check = ["check", "--isolated", "--format=json"].map(std::ffi::OsStr::new);
    let arguments = arguments.iter().map(std::ffi::OsStr::new);
    let ran = run(check
        .into_iter()
        .chain(arguments)
        .chain([corpus.as_os_str()]));
    assert!(ran.code < 2, "{}", ran.stderr);
    ran.report()
}

fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().expect("findings")
}

fn text<'f>(finding: &'f Value, key: &str) -> &'f str {
    finding[key].as_str().expect(key)
}

/// Every file, one by one, ends in 0 or 1, and its report fits the schema.
#[test]
fn every_real_file_is_handled() {
    let Some(corpus) = corpus() else { return };
    let files = fs::read_dir(&corpus).expect("the corpus");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let mut profiles = 0;
    for path in &files {
        let ran = run(["check".as_ref(), "--format=json".as_ref(), path.as_os_str()]);
        assert!(ran.code < 2, "{}: {}", path.display(), ran.stderr);
        let report = ran.report();
        profiles += report["summary"]["profiles"].as_u64().expect("a count");
    }
    assert!(
        !files.is_empty(),
        "there is nothing in {}",
        corpus.display()
    );
    println!("{} files, {profiles} profiles", files.len());
}

/// How often each rule speaks, of how many files: a rule that grows noisy, or silent, is seen here
/// before users see it. Every change of the table is to be looked at in the findings themselves.
#[test]
fn each_rule_says_as_much_as_was_looked_through() {
    let Some(corpus) = corpus() else { return };
    // Files and findings, of the default set and with the strict rules.
    let mut table = BTreeMap::<String, [(BTreeSet<String>, usize); 2]>::new();
    let mut summaries = String::new();
    for (place, set) in [(0, None), (1, Some("--strict"))] {
        let report = report(&corpus, set.as_slice());
        let count = |key: &str| report["summary"][key].as_u64().expect(key);
        for finding in findings(&report) {
            let rule = format!("{:8} {}", text(finding, "severity"), text(finding, "rule"));
            let (files, number) = &mut table.entry(rule).or_default()[place];
            files.insert(text(finding, "path").to_owned());
            *number += 1;
        }
        writeln!(
            summaries,
            "{}: {} files, {} profiles, {} errors, {} warnings, {} infos",
            set.unwrap_or("default"),
            count("files"),
            count("profiles"),
            count("errors"),
            count("warnings"),
            count("infos"),
        )
        .expect("a text grows");
    }
    let mut lines = format!(
        "{summaries}\n{:49} {:>15} {:>15}\n{:49} {:>15} {:>15}\n",
        "", "default", "--strict", "severity rule", "files findings", "files findings"
    );
    for (rule, counts) in &table {
        let [default, strict] = counts.each_ref().map(|(files, findings)| {
            let files = files.len();
            format!("{files:5} {findings:9}")
        });
        writeln!(lines, "{rule:49} {default} {strict}").expect("a text grows");
    }
    insta::assert_snapshot!(lines);
}

/// Mistakes that are known to be there: the rule, words of its message, and how many files have it.
const KNOWN: [(&str, &str, usize); 19] = [
    // A monitoring product's chart, and the manifests rendered from it.
    ("syscall-alias", "`futimens`", 10),
    ("unknown-syscall", "`setsidaccept4`", 1),
    // Functions of libc, and what is misspelt, taken for calls.
    ("syscall-alias", "`sys_chroot`", 1),
    ("syscall-alias", "`fstatat`", 1),
    ("syscall-alias", "`initgroups`", 1),
    ("syscall-alias", "`pread`", 1),
    ("syscall-alias", "`pwrite`", 1),
    ("syscall-alias", "`wait3`", 1),
    ("syscall-alias", "`timerfd_settime_time64`", 1),
    // Events of tracers.
    ("unknown-syscall", "`signaldeliver`", 3),
    ("unknown-syscall", "`procexit`", 3),
    // A shipped default.
    ("unknown-architecture", "`SCMP_ARCH_RISCV`", 2),
    ("unknown-action", "`SCMP_ACT_ENOSYS`", 1),
    // Podman's defaults, and their kin.
    ("conflicting-unconditional-rules", "`setns`", 16),
    ("conflicting-unconditional-rules", "`perf_event_open`", 4),
    // Titus's defaults: `clone` is masked, `clone3` is not.
    ("conflicting-unconditional-rules", "`clone3`", 5),
    // Docker's and Podman's defaults: AF_ALG or AF_VSOCK, and AF_NETLINK.
    ("int-arg-upper-bits-bypass", "`socket`", 33),
    ("redundant-conditional-rule", "`clone`", 9),
    ("redundant-conditional-rule", "`setns`", 4),
];

#[test]
fn the_known_mistakes_are_found() {
    let Some(corpus) = corpus() else { return };
    let report = report(&corpus, &[]);
    let found = KNOWN.map(|(rule, words, _)| {
        let findings = findings(&report).iter().filter(|finding| {
            text(finding, "rule") == rule && text(finding, "message").contains(words)
        });
        let files: BTreeSet<_> = findings.map(|finding| text(finding, "path")).collect();
        (rule, words, files.len())
    });
    assert_eq!(found, KNOWN);
}

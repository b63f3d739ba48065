//! Which files a command reads, of the paths that it is given.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use support::run;
use tempfile::TempDir;

const WRONG: &str = r#"{"defaultAction":"SCMP_ACT_DENY"}"#;

fn check(path: &Path, options: &[&str]) -> serde_json::Value {
    let path = path.display().to_string();
    let fixed = ["check", "--format=json", "--select=unknown-action", &path];
    run(fixed.iter().chain(options)).report()
}

fn paths(report: &serde_json::Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    let paths = findings
        .iter()
        .map(|it| it["path"].as_str().expect("a path"));
    paths.collect()
}

/// What nobody has looked into would pass for clean.
#[test]
fn what_is_too_large_in_a_directory_is_told() {
    let directory = TempDir::new().expect("a directory");
    let blank = " ".repeat(8 << 20);
    let path = directory.path().join("large.json");
    fs::write(&path, format!("{WRONG}{blank}")).expect("a file");
    // Nothing in it looks like a profile.
    fs::write(
        directory.path().join("other.json"),
        format!("{{\"name\":\"x\"}}{blank}"),
    )
    .expect("a file");
    let path = directory.path().display().to_string();
    let ran = run(["check", "--format=json", &path]);
    let report = ran.report();
    assert_eq!(paths(&report), [format!("{path}/large.json")]);
    assert_eq!(report["summary"]["skipped"], 1);
    assert_eq!(ran.code, 1);
}

/// Kubernetes mounts the files of a `ConfigMap` as links into a hidden directory: they would pass
/// unchecked.
#[test]
fn links_to_files_are_followed_unless_the_file_is_walked() {
    let outer = TempDir::new().expect("a directory");
    let directory = outer.path().join("mounted");
    let version = directory.join("..2026_01_01");
    fs::create_dir_all(&version).expect("a directory");
    fs::write(version.join("p.json"), WRONG).expect("a file");
    symlink("..2026_01_01", directory.join("..data")).expect("a link");
    symlink("..data/p.json", directory.join("p.json")).expect("a link");
    // The same file once more, by another name.
    symlink("..data/p.json", directory.join("q.json")).expect("a link");
    let linked = directory.join("p.json").display().to_string();
    let report = check(&directory, &[]);
    assert_eq!(paths(&report), [linked.as_str()]);
    assert_eq!(report["summary"]["files"], 1);

    // A file of the directory is found as itself, and nothing loops or leads astray.
    let walked = directory.join("walked.json");
    fs::write(&walked, WRONG).expect("a file");
    symlink("walked.json", directory.join("alias.json")).expect("a link");
    symlink(".", directory.join("loop")).expect("a link");
    symlink("nowhere", directory.join("dangling")).expect("a link");
    symlink("/dev/zero", directory.join("zero.json")).expect("a link");
    let path = directory.display().to_string();
    let ran = run(["check", "--format=json", "--select=unknown-action", &path]);
    for name in ["dangling", "zero.json"] {
        let is_told = ran.stderr.contains(&format!("{path}/{name}: passed over"));
        assert_eq!(is_told, name == "dangling", "{name}: {}", ran.stderr);
    }
    let report = ran.report();
    let walked = walked.display().to_string();
    assert_eq!(paths(&report), [linked.as_str(), walked.as_str()]);
    assert_eq!(report["summary"]["files"], 2);
}

/// A correction stays within the directory that the user named.
#[test]
fn files_that_links_lead_to_are_not_fixed() {
    let outer = TempDir::new().expect("a directory");
    let directory = outer.path().join("named");
    fs::create_dir(&directory).expect("a directory");
    let outside = outer.path().join("outside.json");
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read","read"],"action":"SCMP_ACT_LOG"}]}"#;
    fs::write(&outside, text).expect("a file");
    fs::write(directory.join("own.json"), text).expect("a file");
    symlink("../outside.json", directory.join("p.json")).expect("a link");
    let path = directory.display().to_string();
    run(["check", "--fix", "--unsafe-fixes", &path]);
    let read = |path: &Path| fs::read_to_string(path).expect("a file");
    assert_ne!(read(&directory.join("own.json")), text);
    assert_eq!(read(&outside), text);
}

/// A file named twice is one file.
#[test]
fn a_file_is_checked_once() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("p.json");
    fs::write(&path, WRONG).expect("a file");
    let shown = path.display().to_string();
    let dotted = directory.path().join("./p.json").display().to_string();
    let report = check(&path, &[&shown, &dotted]);
    assert_eq!(paths(&report), [shown.as_str()]);
    assert_eq!(report["summary"]["files"], 1);
}

/// A choice that leaves nothing to check would be a clean run.
#[test]
fn a_choice_that_leaves_no_rule_is_a_mistake() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().display().to_string();
    for (arguments, answer) in [
        (
            &["check", "--select=cache-hides-warnings"][..],
            "`cache-hides-warnings` is a rule of `seclint cache-audit`",
        ),
        (
            &["cache-audit", "--select=unknown-syscall"],
            "`unknown-syscall` is a rule of `seclint check`",
        ),
        (
            &[
                "check",
                "--select=unknown-syscall",
                "--ignore=unknown-syscall",
            ],
            "no rule is left to check",
        ),
    ] {
        let ran = run(arguments.iter().copied().chain([path.as_str()]));
        assert_eq!(ran.code, 2, "{answer}: {}", ran.stderr);
        assert!(ran.stderr.contains(answer), "{}", ran.stderr);
    }
}

/// What a runtime does not refuse needs saying all the more.
#[test]
fn calls_that_nobody_answers_are_told() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("p.json");
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}]}"#;
    fs::write(&path, text).expect("a file");
    let path = path.display().to_string();
    let ran = run(["predict", "--runtime=crun@1.28", &path]);
    let words = "calls that go to a listener fail with ENOSYS";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    let ran = run(["predict", "--runtime=runc@1.3.6", &path]);
    assert!(ran.stdout.contains("dies"), "{}", ran.stdout);
    let ran = run(["check", &path]);
    assert!(
        ran.stdout.contains("under runc the container dies"),
        "{}",
        ran.stdout
    );
}

/// Names as C has them, as a rule book has them not, and numbers of a log find their way.
#[test]
fn what_is_nearly_a_name_is_answered() {
    for (arguments, code, answer) in [
        (
            &["explain", "UNKNOWN-SYSCALL"][..],
            2,
            "did you mean `unknown-syscall`?",
        ),
        (&["syscalls", "__NR_read"], 2, "did you mean `read`?"),
        (&["syscalls", "SYS_read"], 2, "did you mean `read`?"),
        (
            &["syscalls", "4000000000"],
            2,
            "no architecture has a syscall with the number",
        ),
        (&["syscalls", "41"], 0, "socket\n"),
        (&["syscalls", "socket"], 0, "socketcall, 359\n"),
        (&["cache-audit", "--help"], 0, "With --prune: say"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(answer), "{arguments:?}: {said}");
    }
}

/// The person who checks a compiled filter is told what reads it.
#[test]
fn a_compiled_filter_is_told_from_other_files() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("f.bpf");
    // Returns SECCOMP_RET_ALLOW.
    let filter: [u8; 8] = 0x7fff_0000_0000_0006_u64.to_le_bytes();
    fs::write(&path, filter).expect("a file");
    let path = path.display().to_string();
    let ran = run(["check", &path]);
    assert!(ran.stdout.contains("seclint disasm"), "{}", ran.stdout);
}

/// What was removed is not told as if it were there.
#[test]
fn a_summary_says_what_was_removed() {
    let root = support::StateRoot::of("unknown1");
    let would = root.audit(&["--prune", "--dry-run"]).stdout;
    assert!(would.contains("; 1 of them would be removed"), "{would}");
    let removed = root.audit(&["--prune"]).stdout;
    assert!(removed.contains("; 1 of them removed now"), "{removed}");
}

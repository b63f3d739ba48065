//! `seclint diff`, as a user runs it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Ran, run};
use tempfile::TempDir;

const ARCH: &str = "--arch=x86_64";

/// A profile that allows all but what its rule entries say.
fn profile(default: &str, rules: &[&str]) -> String {
    let rules = rules.join(",");
    format!(
        r#"{{"defaultAction":"SCMP_ACT_{default}","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{rules}]}}"#
    )
}

fn rule(names: &str, rest: &str) -> String {
    let names: Vec<_> = names.split(' ').collect();
    format!(r#"{{"names":{},"action":"SCMP_ACT_{rest}}}"#, json!(names))
}

/// Compares two texts; what is printed has no places of this machine.
fn diff(old: &str, new: &str, arguments: &[&str]) -> Ran {
    let directory = TempDir::new().expect("a directory");
    let [old, new] = [("old.json", old), ("new.json", new)].map(|(name, text)| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    });
    let mut ran = run(["diff", ARCH, &old, &new].iter().chain(arguments));
    ran.stdout = (ran.stdout).replace(&format!("{}/", directory.path().display()), "");
    ran
}

fn changes(report: &Value) -> Vec<String> {
    let changes = report["diffs"][0]["changes"].as_array().expect("changes");
    let told = changes.iter().map(|it| {
        let words = |value: &Value| {
            let words = value.as_array().expect("an array").iter();
            words
                .map(|it| it.as_str().expect("a word"))
                .collect::<Vec<_>>()
                .join(",")
        };
        format!(
            "{} {} {}: {} -> {}{} on {}",
            it["direction"].as_str().expect("a direction"),
            it["about"].as_str().expect("a word"),
            words(&it["syscalls"]),
            it["old"]["text"].as_str().expect("a text"),
            it["new"]["text"].as_str().expect("a text"),
            it["when"]
                .as_str()
                .map_or_else(String::new, |when| format!(" where {when}")),
            words(&it["architectures"]),
        )
    });
    told.collect()
}

/// A reviewer reads what a change does, not what it looks like.
#[test]
fn changes_are_told_call_by_call() {
    let old = profile(
        "ALLOW",
        &[
            &rule("chmod fchmod", r#"ERRNO""#),
            &rule("mkdir", r#"ERRNO""#),
            &rule("personality", r#"NOTIFY""#),
            &rule("open", r#"LOG""#),
        ],
    );
    let new = profile(
        "ALLOW",
        &[
            &rule("mkdir", r#"ERRNO","errnoRet":13"#),
            &rule(
                "socket",
                r#"KILL","args":[{"index":0,"value":38,"op":"SCMP_CMP_EQ"}]"#,
            ),
            &rule(
                "unshare",
                r#"ERRNO","args":[{"index":0,"value":268435456,"valueTwo":268435456,"op":"SCMP_CMP_MASKED_EQ"}]"#,
            ),
        ],
    );
    let ran = diff(&old, &new, &[]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.stdout);
    let report = diff(&old, &new, &["--format=json"]).report();
    assert_eq!(
        changes(&report),
        [
            "loosens syscalls chmod,fchmod: ERRNO(EPERM) -> ALLOW on x86_64,x86,x32",
            "loosens syscalls personality: NOTIFY -> ALLOW on x86_64,x86,x32",
            "tightens syscalls socket: ALLOW -> KILL_THREAD where a0 == 38 (AF_ALG) on x86_64,x86,x32",
            "tightens syscalls unshare: ALLOW -> ERRNO(EPERM) where a0 & 0x10000000 == 0x10000000 on x86_64,x86,x32",
            "tightens syscalls socketcall: ALLOW -> KILL_THREAD where a0 == 1 (SYS_SOCKET) on x86",
            "other syscalls open: LOG -> ALLOW on x86_64,x86,x32",
            "other syscalls mkdir: ERRNO(EPERM) -> ERRNO(EACCES) on x86_64,x86,x32",
        ]
    );
    let witness = &report["diffs"][0]["changes"][2]["witness"];
    assert_eq!(witness["text"], "socket(AF_ALG)");
    assert_eq!(witness["number"], 41);
    assert_eq!(witness["arguments"][0], "0x26");
}

/// A gate lets pass what it is told to let pass.
#[test]
fn the_exit_code_is_for_the_changes_that_were_named() {
    let loose = profile("ALLOW", &[]);
    let tight = profile("ALLOW", &[&rule("chmod", r#"ERRNO""#)]);
    let other = profile("ALLOW", &[&rule("chmod", r#"KILL""#)]);
    for (old, new, fail_on, code) in [
        (&tight, &loose, "loosens", 1),
        (&loose, &tight, "loosens", 0),
        (&tight, &other, "loosens", 0),
        (&tight, &loose, "tightens", 0),
        (&loose, &tight, "tightens", 1),
        (&tight, &other, "tightens", 0),
        (&tight, &other, "any", 1),
        (&tight, &tight, "any", 0),
        (&tight, &loose, "none", 0),
    ] {
        let ran = diff(old, new, &["--fail-on", fail_on]);
        assert_eq!(ran.code, code, "{fail_on} {ran:?}");
    }
    assert_eq!(diff(&tight, &loose, &[]).code, 1);
}

/// The default action decides about everything that is not named: it comes first, and with it the
/// numbers that have no name.
#[test]
fn a_changed_default_action_is_said_first() {
    let old = profile("ERRNO", &[&rule("read write", r#"ALLOW""#)]);
    let new = profile("ALLOW", &[&rule("read write", r#"KILL""#)]);
    let ran = diff(&old, &new, &[]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(
        lines[1],
        "loosens   the default action: ERRNO(EPERM) -> ALLOW"
    );
    assert_eq!(
        ran.stdout.matches("calls without a name").count(),
        1,
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("tightens  read, write: ALLOW -> KILL_THREAD on"),
        "{}",
        ran.stdout
    );
}

/// An architecture that a filter gets or loses is one line, not hundreds.
#[test]
fn an_architecture_that_comes_or_goes_is_said_once() {
    let old = profile("ALLOW", &[]).replace(r#","SCMP_ARCH_X32""#, "");
    let new = profile("ALLOW", &[]).replace(r#""SCMP_ARCH_X86","#, "");
    let report = diff(&old, &new, &["--format=json"]).report();
    assert_eq!(
        changes(&report),
        [
            "loosens architecture : KILL_THREAD -> ALLOW on x32",
            "tightens architecture : ALLOW -> KILL_THREAD on x86",
        ]
    );
}

/// What is written in another way does the same.
#[test]
fn another_way_to_write_it_is_no_change() {
    let old = profile(
        "ALLOW",
        &[
            &rule("chmod fchmod", r#"ERRNO""#),
            &rule("read", r#"ALLOW""#),
        ],
    );
    let new = profile(
        "ALLOW",
        &[
            &rule("fchmod", r#"ERRNO","errnoRet":1"#),
            &rule("chmod", r#"ERRNO""#),
        ],
    );
    let ran = diff(&old, &new, &["--fail-on=any"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("the same filter"), "{}", ran.stdout);
    assert_eq!(
        diff(&old, &new, &["--format=json"]).report()["diffs"][0]["status"],
        "same"
    );
}

/// Whoever corrects a misspelling, or an errno, must learn that hosts go on with the old filter.
#[test]
fn a_change_that_crun_s_cache_does_not_notice_is_told() {
    let right = profile("ALLOW", &[&rule("mkdir", r#"ERRNO""#)]);
    let wrong = right.replace("mkdir", "mk\",\"dir");
    let other = right.replace("ERRNO\"", "ERRNO\",\"errnoRet\":13");
    for old in [&wrong, &other] {
        let ran = diff(old, &right, &[]);
        assert!(
            ran.stdout.contains("crun's cache does not notice"),
            "{}",
            ran.stdout
        );
        let report = diff(old, &right, &["--format=json"]).report();
        assert_eq!(report["diffs"][0]["same_key"], true);
        let ran = diff(old, &right, &["--runtime=runc@1.3.6"]);
        assert!(!ran.stdout.contains("cache"), "{}", ran.stdout);
    }
    let ran = diff(&profile("ALLOW", &[]), &right, &[]);
    assert!(!ran.stdout.contains("cache"), "{}", ran.stdout);
}

/// Where nobody can tell what the filter does, a change that lets something through would pass.
/// libseccomp does not come to an end with these rules.
#[test]
fn what_cannot_be_told_is_not_the_same() {
    let rule = |index: u32, value: u32| {
        format!(
            r#"{{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":1,"op":"SCMP_CMP_NE"}},
            {{"index":{index},"value":{value},"op":"SCMP_CMP_EQ"}}]}}"#
        )
    };
    let logged = |value| rule(2, value).replace("ALLOW", "LOG");
    let profile = |value| {
        let rules = [rule(1, 3), logged(value)].join(",");
        format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{rules}]}}"#)
    };
    let ran = diff(&profile(16), &profile(17), &[]);
    if cfg!(feature = "libseccomp") {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("cannot be told"), "{}", ran.stderr);
    } else {
        assert_ne!(ran.code, 0, "{ran:?}");
    }
}

/// Docker does not run crun: what crun does with its profile is not what happens.
#[test]
fn an_engine_runs_its_own_runtime() {
    let good = profile("ERRNO", &[&rule("read", r#"ALLOW""#)]);
    for (engine, runtime) in [
        ("docker", "runc"),
        ("containerd", "runc"),
        ("podman", "crun"),
        ("crio", "crun"),
    ] {
        let engine = format!("--engine={engine}");
        let report = diff(&good, &good, &[&engine, "--format=json"]).report();
        assert_eq!(report["runtime"]["name"], runtime, "{engine}");
    }
    let asked = ["--engine=docker", "--runtime=crun@1.28", "--format=json"];
    assert_eq!(
        diff(&good, &good, &asked).report()["runtime"]["name"],
        "crun"
    );
}

/// A profile that no container starts with is no way to pass the gate, and one without a filter
/// lets everything run.
#[test]
fn refusals_and_profiles_without_a_filter_fail() {
    let good = profile("ERRNO", &[&rule("read", r#"ALLOW""#)]);
    let ran = diff(
        &good,
        r#"{"defaultAction":"SCMP_ACT_NONE"}"#,
        &["--fail-on=none"],
    );
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("nothing runs with the new one: crun"),
        "{}",
        ran.stdout
    );
    // What was so before is no reason to stop a change of something else; another mistake is.
    let bad = r#"{"defaultAction":"SCMP_ACT_NONE"}"#;
    let ran = diff(bad, bad, &["--fail-on=any"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("as before: crun"), "{}", ran.stdout);
    let ran = diff(bad, r#"{"defaultAction":"SCMP_ACT_NO"}"#, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = diff(&good, "{}", &["--engine=docker"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("everything runs with the new one"),
        "{}",
        ran.stdout
    );
    let report = diff(&good, "{}", &["--engine=docker", "--format=json"]).report();
    assert_eq!(report["diffs"][0]["status"], "changed");
}

/// A filter is compared with a profile as two profiles are.
#[test]
#[cfg(feature = "libseccomp")]
fn a_filter_is_compared_with_what_it_was_made_from() {
    let old = profile("ALLOW", &[&rule("chmod", r#"ERRNO""#)]);
    let new = profile("ALLOW", &[&rule("chmod fchmod", r#"ERRNO""#)]);
    let (directory, path) = support::file("old.json", &old);
    let filter = directory.path().join("filter");
    let [path, filter] = [path, filter].map(|path| path.display().to_string());
    let made = run(["compile", ARCH, &path, "--output", &filter]);
    assert_eq!(made.code, 0, "{made:?}");
    let same = run(["diff", ARCH, &path, &filter, "--format=json"]).report();
    assert_eq!(same["diffs"][0]["status"], "same");
    fs::write(&path, new).expect("a file");
    let report = run(["diff", ARCH, &filter, &path, "--format=json"]).report();
    assert_eq!(
        changes(&report),
        ["tightens syscalls fchmod: ALLOW -> ERRNO(EPERM) on x86,x86_64,x32"]
    );
}

/// Two files are two files.
#[test]
fn old_and_new_are_both_needed() {
    let one = run(["diff", "a.json"]);
    assert_eq!(one.code, 2);
    assert!(one.stderr.contains("OLD and NEW"), "{}", one.stderr);
    assert_eq!(run(["diff", "a", "b", "c"]).code, 2);
    assert_eq!(run(["diff"]).code, 2);
    assert_eq!(run(["diff", "/nonexistent/a", "/nonexistent/b"]).code, 2);
}

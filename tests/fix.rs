//! Corrections that seclint makes itself. If one of these fails, it spoils a file, or says that it
//! corrected what it did not.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::fixing::{PROFILE, RULES, SAFE, check, directory, read};
use support::{Ran, repository, seclint};
use tempfile::TempDir;

/// Whoever has arranged a file wants it back as it was, but for the mistakes.
#[test]
fn fixes_change_what_is_wrong_and_nothing_else() {
    let directory = directory(&[("a.json", PROFILE)]);
    let run = |option: &str| {
        let ran = check(
            directory.path(),
            &["a.json", "--format=json", RULES, option],
        );
        (
            ran.code,
            ran.report()["summary"].clone(),
            read(&directory, "a.json"),
        )
    };
    let (code, summary, text) = run("--fix");
    assert_eq!((code, text.as_str()), (1, SAFE));
    assert_eq!(
        (&summary["fixed"], &summary["errors"], &summary["warnings"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let (code, summary, text) = run("--unsafe-fixes");
    assert_eq!((code, text), (0, SAFE.replace("mkdirr", "mkdir")));
    assert_eq!(
        (&summary["fixed"], &summary["errors"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(run("--fix").1["fixed"], 0);
    let human = |option: &str| check(directory.path(), &["a.json", RULES, option]).stdout;
    fs::write(directory.path().join("a.json"), PROFILE).expect("a file");
    assert!(human("--fix").contains("1 error in 1 profile; 2 fixed"));
}

/// What is not to be reported is not to be changed either.
#[test]
fn ignored_findings_are_left_alone() {
    let config = "[[ignore]]\nrule = 'duplicate-entry'\nreason = 'meant'\n";
    let directory = directory(&[("a.json", PROFILE), ("seclint.toml", config)]);
    check(directory.path(), &["a.json", "--fix", RULES]);
    assert_eq!(
        read(&directory, "a.json"),
        SAFE.replace("\"read\" ,", "\"read\",\"read\" ,")
    );
}

/// Two removals beside each other share a comma.
#[test]
fn fixes_that_touch_each_other_are_made_one_after_the_other() {
    let list = |names: &str| {
        format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":[{names}],"action":"SCMP_ACT_ALLOW"}}]}}"#
        )
    };
    for (before, after) in [
        (r#""read", "read", "read""#, r#""read""#),
        (
            r#""read","write","read","write","read""#,
            r#""read","write""#,
        ),
        (r#""reed", "read", "reed""#, r#""read""#),
    ] {
        let directory = directory(&[("a.json", &list(before))]);
        let ran = check(directory.path(), &["a.json", "--unsafe-fixes", RULES]);
        assert_eq!(
            (read(&directory, "a.json"), ran.code),
            (list(after), 0),
            "{before}"
        );
    }
}

/// A finding that only stands elsewhere afterwards, or that an error hid, must keep nobody from a fix
/// that the report calls safe; the more rules are asked for, the more it would.
#[test]
fn what_moves_or_is_uncovered_holds_no_safe_fix_back() {
    let denied = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mount","action":"SCMP_ACT_ERRNO"}]}"#;
    let dated = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["x86_64"],"syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW"}]}"#;
    let refused = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mount","names":["umount"],"action":"SCMP_ACT_ERRNO"}]}"#;
    for (before, old, new) in [
        (denied, r#""name":"mount""#, r#""names":["mount"]"#),
        (
            refused,
            r#""name":"mount","names":["umount"]"#,
            r#""names":["umount", "mount"]"#,
        ),
        (dated, r#""name":"read""#, r#""names":["read"]"#),
    ] {
        let after = before
            .replace(old, new)
            .replace("x86_64", "SCMP_ARCH_X86_64");
        for more in [&[][..], &["--strict"]] {
            let directory = directory(&[("a.json", before)]);
            let ran = check(directory.path(), &[&["a.json", "--fix"], more].concat());
            assert_eq!(read(&directory, "a.json"), after, "{more:?}");
            assert_eq!(ran.stderr, "");
        }
    }
}

/// Who asked for all fixes must learn which were not made, and why; the others are made all the same,
/// and none is left for a second run.
#[test]
fn what_is_held_back_is_said() {
    let before = r#"{"defaultAction":"SCMP_ACT_ERNO","syscalls":[{"names":["reed","read","reed"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let directory = directory(&[("a.json", before)]);
    for fixed in [4, 0] {
        let ran = check(
            directory.path(),
            &["a.json", "--unsafe-fixes", "--format=json"],
        );
        assert_eq!(
            ran.stderr,
            "seclint: note: a.json: a fix is held back: unknown-action would bring a finding of missing-runtime-syscalls\n"
        );
        assert_eq!(ran.report()["summary"]["fixed"], fixed);
        let after = before.replace(r#""reed","read","reed""#, r#""read""#);
        assert_eq!(read(&directory, "a.json"), after);
    }
    assert_eq!(check(directory.path(), &["a.json", "--fix"]).stderr, "");
}

/// What is no profile may be no JSON either, but another language that has comments and spare commas.
#[test]
fn what_holds_no_profile_is_not_corrected() {
    let other = "// a library\n{\n  names: ['a', 'b',],\n  \"more\": [1,],\n}\n";
    let directory = directory(&[("a.json", other)]);
    for paths in [".", "a.json"] {
        check(directory.path(), &[paths, "--unsafe-fixes"]);
        assert_eq!(read(&directory, "a.json"), other, "{paths}");
    }
}

/// Comments document a profile: nobody expects that they are lost by what is called safe. Who wants
/// them gone wants all of them gone, however many there are, and no blank lines in their place.
#[test]
fn comments_stay_unless_they_are_to_go() {
    let comments = "  // a remark\n".repeat(30);
    let clean = "{\n  \"defaultAction\": \"SCMP_ACT_ALLOW\"\n}\n";
    let before = clean
        .replace("{\n", &format!("{{\n{comments}"))
        .replace("W\"", "W\",  /* the last */");
    let directory = directory(&[("a.json", &before)]);
    let run = |level: &str| {
        let ran = check(directory.path(), &["a.json", level, "--format=json"]);
        let fixed = ran.report()["summary"]["fixed"].as_u64();
        (fixed, ran.stderr, read(&directory, "a.json"))
    };
    // Past twenty places of a file that is no JSON only their number is told.
    assert_eq!(run("--fix"), (Some(0), String::new(), before.clone()));
    assert_eq!(
        run("--unsafe-fixes"),
        (Some(32), String::new(), clean.to_owned())
    );
}

/// The API server refuses an object for what a list names twice.
#[test]
fn a_name_too_many_in_a_block_of_yaml_goes_with_its_line() {
    let before = "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\nmetadata: {name: p}\nspec:\n  defaultAction: SCMP_ACT_ALLOW\n  syscalls:\n  - action: SCMP_ACT_ERRNO\n    names:\n    - reboot\n    # the next one stays\n    - mount # of all kinds\n    - reboot\n    - 'mount'\n    - mount # why";
    let directory = directory(&[("a.yaml", before)]);
    check(directory.path(), &["a.yaml", "--fix", RULES]);
    let after = before.replace("    - reboot\n    - 'mount'\n", "");
    assert_eq!(read(&directory, "a.yaml"), after);
}

const MANIFEST: &str = r#"# a profile of each kind
apiVersion: v1
kind: ConfigMap
metadata: {name: profiles}
data:
  block.json: |
    {
      "defaultAction": "SCMP_ACT_ERRNO",
      "syscalls": [{"names": ["read", "read", "mkdirr"], "action": "SCMP_ACT_ALLOW"}]
    }
  quoted.json: "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"mkdirr\", \"rmdirr\"], \"action\": \"SCMP_ACT_ALLOW\"}]}"
---
apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: {name: p}
spec:
  defaultAction: SCMP_ACT_ERRNO
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: [read, 'rmdirr'] # both
  - action: SCMP_ACT_ALLOW
    names:
    - mkdirr # one
"#;

/// A manifest is edited as it is written: in blocks, in quotes and in YAML itself.
#[test]
fn manifests_keep_their_form() {
    let directory = directory(&[("a.yaml", MANIFEST)]);
    let ran = check(
        directory.path(),
        &["a.yaml", "--unsafe-fixes", RULES, "--format=json"],
    );
    let expected = MANIFEST.replace("\"read\", \"read\"", "\"read\"");
    let expected = expected
        .replace("mkdirr", "mkdir")
        .replace("rmdirr", "rmdir");
    assert_eq!(read(&directory, "a.yaml"), expected);
    assert_eq!(
        (ran.code, &ran.report()["summary"]["fixed"]),
        (0, &json!(6))
    );
}

/// The findings of a report without what moves, and what may be counted again.
fn told(ran: &Ran) -> Vec<(String, String)> {
    let report = ran.report();
    let findings = report["findings"].as_array().expect("findings").iter();
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let told = findings.map(|it| (text(&it["rule"]), text(&it["facts"]["syscall"])));
    told.collect()
}

/// Whether a safe fix left the filter as it was, or there was none.
fn is_same_filter(directory: &Path, original: &Path, name: &str) -> bool {
    let mut command = seclint();
    command.current_dir(directory);
    let diff = command
        .args(["diff", "--fail-on=any"])
        .arg(original)
        .arg(name);
    let ran = Ran::from(diff.output().expect("seclint runs"));
    ran.stdout.contains("no changes") || ran.stdout.contains("nothing runs with the old one")
}

/// Fixes a copy of a file, and checks what came of it. Returns how much was fixed.
fn fixed(original: &Path, arguments: &[&str], level: &str) -> u64 {
    let directory = TempDir::new().expect("a directory");
    let copy = directory.path().join(original.file_name().expect("a name"));
    // Not its mode: it may be write-protected.
    let copied = || fs::write(&copy, fs::read(original).expect("a file")).expect("a copy");
    copied();
    let config = original.with_file_name("seclint.toml");
    if config.exists() {
        fs::copy(config, directory.path().join("seclint.toml")).expect("a copy");
    }
    let name = copy
        .file_name()
        .and_then(|name| name.to_str())
        .expect("UTF-8");
    let run = |more: &[&str]| {
        check(
            directory.path(),
            &[&[name, "--format=json"], arguments, more].concat(),
        )
    };
    let before = run(&[]);
    let ran = run(&[level]);
    let what = format!("{} {arguments:?} {level}", original.display());
    assert!(ran.code < 2, "{what}: {}", ran.stderr);
    let count = ran.report()["summary"]["fixed"].as_u64().expect("a count");
    let after = run(&[]);
    // What it said is left is left.
    assert_eq!(told(&after), told(&ran), "{what}");
    let report = after.report();
    let mut left = report["findings"].as_array().expect("findings").iter();
    let is_meant = |finding: &Value| match finding["fix"]["applicability"].as_str() {
        Some("safe") => true,
        Some(_) => level == "--unsafe-fixes",
        None => false,
    };
    let is_profile = report["summary"]["profiles"] != 0;
    if is_profile && left.any(is_meant) {
        assert!(ran.stderr.contains("held back"), "{what}: dropped silently");
    }
    assert_eq!(
        run(&[level]).report()["summary"]["fixed"],
        0,
        "{what}: not all at once"
    );
    let mut known = told(&before);
    let mut new = told(&after);
    new.retain(|finding| match known.iter().position(|it| it == finding) {
        Some(place) => {
            known.swap_remove(place);
            false
        }
        None => true,
    });
    assert!(
        known.len() as u64 >= count.min(1),
        "{what}: nothing is gone"
    );
    let errors = |ran: &Ran| ran.report()["summary"]["errors"].as_u64();
    // What an error hid is seen without it, but only what is corrected safely is known to hide it.
    let may_uncover = errors(&before) > Some(0) && count > 0;
    if level == "--unsafe-fixes" && may_uncover && !new.is_empty() {
        copied();
        let uncovered = told(&run(&["--fix"]));
        new.retain(|finding| !uncovered.contains(finding));
        assert!(new.is_empty(), "{what}: new: {new:?}");
    }
    assert!(new.is_empty() || may_uncover, "{what}: new: {new:?}");
    if level == "--fix" && count > 0 {
        let is_same = is_same_filter(directory.path(), original, name);
        assert!(is_same, "{what}: another filter");
    }
    count
}

/// Every bad example of the rule book, under its own rule and under all.
#[test]
fn the_rule_books_examples_are_fixed_without_new_findings() {
    let directory = TempDir::new().expect("a directory");
    let mut count = 0;
    for category in fs::read_dir(repository("rules")).expect("rules") {
        for page in fs::read_dir(category.expect("a category").path()).expect("pages") {
            let page = fs::read_to_string(page.expect("a page").path()).expect("a page");
            for example in page.split("\n```").filter(|it| it.contains(" bad")) {
                let (info, text) = example.split_once('\n').expect("a fence");
                let mut words = info.split_whitespace();
                let language = words.next().unwrap_or_default();
                if words.next() != Some("bad") || language == "cache" {
                    continue;
                }
                let options: Vec<_> = words.collect();
                let path = directory.path().join(format!("profile.{language}"));
                fs::write(&path, text).expect("a file");
                count += fixed(&path, &options, "--fix");
                count += fixed(&path, &options, "--unsafe-fixes");
            }
        }
    }
    assert!(count > 60, "only {count} findings were fixed");
}

/// What people really have, outside the project.
#[test]
fn the_corpus_is_fixed_without_new_findings() {
    let Some(corpus) = std::env::var_os("SECLINT_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: SECLINT_CORPUS is not set");
        return;
    };
    let mut count = [0, 0];
    for file in fs::read_dir(&corpus).expect("the corpus") {
        let path = file.expect("a file").path();
        count[0] += fixed(&path, &[], "--fix");
        count[1] += fixed(&path, &[], "--unsafe-fixes");
    }
    println!(
        "{} findings are fixed safely, {} in all",
        count[0], count[1]
    );
    assert!(count[1] > 0, "nothing is fixed in {}", corpus.display());
}

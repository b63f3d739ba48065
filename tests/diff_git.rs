//! `seclint diff --against`, as CI runs it.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use support::{Ran, seclint};
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

/// A repository of its own, with git as a user has it.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(TempDir::new().expect("a directory"));
        repository.git(&["init", "--quiet"]);
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn command(&self, mut command: Command) -> Command {
        command
            .current_dir(self.path())
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"];
        let mut command = self.command(Command::new("git"));
        let ran = command.args(identity).args(arguments).output();
        let ran = ran.expect("git runs: dev/test.sh installs it");
        assert!(ran.status.success(), "{ran:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "a"]);
    }

    fn diff(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(seclint());
        command.args(["diff", ARCH]).args(arguments);
        command.output().expect("seclint runs").into()
    }
}

/// What CI runs: the profiles of a change, held against those that it starts from.
#[test]
fn profiles_are_compared_with_a_revision() {
    let tight = profile("ALLOW", &[&rule("chmod", r#"ERRNO""#)]);
    let loose = profile("ALLOW", &[]);
    let repository = Repository::new();
    repository.write("a/changed.json", &tight);
    repository.write("a/deleted.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    repository.write("README.md", "words\n");
    repository.commit();
    repository.write("a/changed.json", &loose);
    repository.write("a/new.json", &tight);
    repository.write("README.md", "other words\n");
    fs::remove_file(repository.path().join("a/deleted.json")).expect("a file");
    let names = [
        "README.md",
        "a/changed.json",
        "a/deleted.json",
        "a/new.json",
    ];
    let ran = repository.diff(&[&["--against", "HEAD"], &names[..]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
    // So is a directory, from anywhere.
    let directory = repository.path().join("a").display().to_string();
    let mut command = seclint();
    command.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    command.env("HOME", repository.path());
    command.args(["diff", ARCH, "--against=HEAD", "--format=json", &directory]);
    let report = Ran::from(command.output().expect("seclint runs")).report();
    let status = report["diffs"].as_array().expect("diffs").iter();
    let status: Vec<_> = status
        .map(|it| it["status"].as_str().expect("a status"))
        .collect();
    assert_eq!(status, ["changed", "deleted", "new"]);
    assert_eq!(report["summary"]["loosens"], 1);
    // What is the same in both is so.
    repository.commit();
    let ran = repository.diff(&["--against=HEAD", "a/changed.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Without paths all that is here is compared.
    let ran = repository.diff(&["--against=HEAD"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("no changes"), "{}", ran.stdout);
    repository.write("a/changed.json", &tight);
    repository.commit();
    repository.write("a/changed.json", &loose);
    assert_eq!(repository.diff(&["--against=HEAD"]).code, 1);
}

/// A profile that is moved and loosened would pass the gate as a new one.
#[test]
fn a_renamed_profile_is_compared_with_what_it_was() {
    let rules: Vec<_> = ["chmod", "fchmod", "mkdir", "mount", "bpf", "reboot"]
        .map(|name| rule(name, r#"ERRNO""#))
        .into();
    let all: Vec<_> = rules.iter().map(String::as_str).collect();
    let (tight, loose) = (profile("ALLOW", &all), profile("ALLOW", &all[1..]));
    let repository = Repository::new();
    repository.write("old/deny.json", &tight);
    repository.write("old/same.json", &profile("ERRNO", &[]));
    repository.write("old/code.py", "print()\n");
    repository.commit();
    repository.git(&["mv", "old", "new"]);
    repository.write("new/deny.json", &loose);
    repository.write(
        "new/other.json",
        r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[]}"#,
    );
    let expected = "new/deny.json, renamed from old/deny.json (under";
    for untracked in [false, true] {
        if untracked {
            repository.git(&["reset", "--quiet"]);
        }
        // All that is here; what CI has from git; what a hook has, which is only what there is.
        for paths in [
            &[][..],
            &[
                "old/deny.json",
                "new/deny.json",
                "old/same.json",
                "new/same.json",
                "new/other.json",
            ],
            &["new/deny.json", "new/same.json", "new/other.json"],
        ] {
            let ran = repository.diff(&[&["--against=HEAD"], paths].concat());
            assert_eq!(ran.code, 1, "{ran:?}");
            let shown = &ran.stdout;
            assert!(shown.contains("HEAD:old/deny.json -> "), "{shown}");
            assert!(shown.contains(expected), "{shown}");
            assert!(
                shown.contains("loosens   chmod: ERRNO(EPERM) -> ALLOW"),
                "{shown}"
            );
            let same = "new/same.json, renamed from old/same.json: the same filter";
            assert!(shown.contains(same), "{shown}");
            // What is like nothing else is new.
            assert!(shown.contains("new/other.json: new"), "{shown}");
            assert!(!shown.contains("deleted"), "{shown}");
        }
    }
    // Also from within a directory, where git's paths are others.
    let directory = repository.path().join("new");
    let mut command = repository.command(seclint());
    command
        .current_dir(&directory)
        .args(["diff", ARCH, "--against=HEAD", "deny.json"]);
    let ran = Ran::from(command.output().expect("seclint runs"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("HEAD:old/deny.json -> deny.json"),
        "{}",
        ran.stdout
    );
}

/// What a hook says of one file would be something else than what CI says of all.
#[test]
fn what_a_profile_was_does_not_depend_on_what_is_compared() {
    let rules: Vec<_> = ["chmod", "fchmod", "mkdir", "mount", "bpf", "reboot"]
        .map(|name| rule(name, r#"ERRNO""#))
        .into();
    let all: Vec<_> = rules.iter().map(String::as_str).collect();
    let repository = Repository::new();
    repository.write("old.json", &profile("ALLOW", &all));
    repository.write("z.yaml", "a: b\n");
    repository.commit();
    fs::remove_file(repository.path().join("old.json")).expect("a file");
    fs::remove_file(repository.path().join("z.yaml")).expect("a file");
    // The second is more like it.
    repository.write("a.json", &profile("ALLOW", &all[2..]));
    repository.write("b.json", &profile("ALLOW", &all[1..]));
    for (paths, expected) in [
        (&[][..], &["a.json new -", "b.json changed old.json"][..]),
        (&["a.json"], &["a.json new -"]),
        (&["b.json"], &["b.json changed old.json"]),
        (&["b.json", "./b.json"], &["b.json changed old.json"; 2]),
        // What it became is what there is to say of it.
        (&["old.json"], &["b.json changed old.json"]),
    ] {
        let arguments = [&["--against=HEAD", "--format=json"], paths].concat();
        let report = repository.diff(&arguments).report();
        let diffs = report["diffs"].as_array().expect("diffs").iter();
        let told = diffs.map(|it| {
            let path = it["new"]["path"].as_str().expect("a path");
            let path = path.trim_start_matches("./");
            let status = it["status"].as_str().expect("a status");
            format!(
                "{path} {status} {}",
                it["renamed_from"].as_str().unwrap_or("-")
            )
        });
        assert_eq!(told.collect::<Vec<_>>(), expected, "{paths:?}");
        assert_eq!(report["summary"]["profiles"], expected.len());
    }
}

/// A change that moves thousands of files would keep a gate busy for hours, or pass it unseen.
#[test]
fn so_many_files_are_looked_at_for_what_a_profile_was() {
    let rules: Vec<_> = ["chmod", "fchmod", "mkdir", "mount", "bpf", "reboot"]
        .map(|name| rule(name, r#"ERRNO""#))
        .into();
    let all: Vec<_> = rules.iter().map(String::as_str).collect();
    let repository = Repository::new();
    repository.write("moved.json", &profile("LOG", &all));
    repository.write("changed.json", &profile("ALLOW", &all));
    for number in 0..1_000 {
        repository.write(&format!("other/{number}.json"), &number.to_string());
    }
    repository.commit();
    for name in ["moved.json", "changed.json"] {
        fs::remove_file(repository.path().join(name)).expect("a file");
    }
    repository.write("a/changed.json", &profile("ALLOW", &all[1..]));
    repository.write("a/moved.json", &profile("LOG", &all));
    let note =
        "note: whether it was renamed and changed is not known: 1001 files are gone and 1 are new";
    for is_many in [false, true] {
        if is_many {
            fs::remove_dir_all(repository.path().join("other")).expect("a directory");
        }
        let ran = repository.diff(&["--against=HEAD", "a"]);
        let shown = &ran.stdout;
        let moved = "a/moved.json, renamed from moved.json: the same filter";
        assert!(shown.contains(moved), "{shown}");
        let changed = shown.contains("a/changed.json, renamed from changed.json");
        let new = shown.contains("a/changed.json: new");
        assert_eq!((changed, new), (!is_many, is_many), "{shown}");
        assert_eq!(shown.contains(note), is_many, "{shown}");
    }
}

/// Who reads only the exit code of a gate must know what it says nothing of.
#[test]
fn new_and_deleted_profiles_are_for_the_gate_only_if_it_is_told() {
    let repository = Repository::new();
    repository.write(
        "deleted.json",
        &profile("ALLOW", &[&rule("chmod", r#"ERRNO""#)]),
    );
    repository.commit();
    fs::remove_file(repository.path().join("deleted.json")).expect("a file");
    let ran = repository.diff(&["--against=HEAD"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("deleted.json: deleted, "),
        "{}",
        ran.stdout
    );
    assert_eq!(
        repository.diff(&["--against=HEAD", "--fail-on=any"]).code,
        1
    );
    repository.commit();
    repository.write("new.json", &profile("ALLOW", &[]));
    let ran = repository.diff(&["--against=HEAD"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("new.json: new, "), "{}", ran.stdout);
    assert!(ran.stdout.contains("--fail-on any"), "{}", ran.stdout);
    assert_eq!(
        repository.diff(&["--against=HEAD", "--fail-on=any"]).code,
        1
    );
    assert_eq!(
        repository.diff(&["--against=HEAD", "--fail-on=none"]).code,
        0
    );
}

/// A gate that could not look must not say that all is well.
#[test]
fn what_git_cannot_tell_is_an_error() {
    let repository = Repository::new();
    repository.write("a.json", &profile("ALLOW", &[]));
    repository.commit();
    for (arguments, words) in [
        (
            ["--against=nosuch", "a.json"],
            "git knows no revision `nosuch`",
        ),
        (
            ["--against=HEAD", "b.json"],
            "b.json: neither here nor in HEAD",
        ),
        (["--against=--output=x", "a.json"], "is no revision"),
    ] {
        let ran = repository.diff(&arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    fs::remove_dir_all(repository.path().join(".git")).expect("a repository");
    let ran = repository.diff(&["--against=HEAD", "a.json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("not a git repository"),
        "{}",
        ran.stderr
    );
    let ran = Ran::from(
        seclint()
            .current_dir(repository.path())
            .args(["diff", "--against=HEAD", "a.json"])
            .output()
            .expect("seclint runs"),
    );
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("git could not be run"),
        "{}",
        ran.stderr
    );
}

//! What others run seclint from: the hooks for pre-commit, as far as they can be
//! tried without it (`dev/try-hook.sh` tries them with it), and the unit for
//! systemd.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::process::Command;

use support::{Ran, repository, seclint};
use tempfile::TempDir;

const BAD: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["kexec_file_lod"],"action":"SCMP_ACT_ERRNO"}]}"#;
const GOOD: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}"#;
const PACKAGE: &str = r#"{"name":"app","version":"1.0.0"}"#;

/// A hook of the manifest: its keys and their values, in order.
type Hook = Vec<(String, String)>;

/// Reads the manifest, which is to keep to the plainest YAML there is: comments,
/// and a list of maps with a line for each key.
fn hooks() -> Vec<Hook> {
    let manifest = fs::read_to_string(repository(".pre-commit-hooks.yaml")).expect("a manifest");
    let mut hooks: Vec<Hook> = Vec::new();
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        let (start, pair) = line
            .split_at_checked(2)
            .unwrap_or_else(|| panic!("no key: {line}"));
        let (key, value) = pair
            .split_once(": ")
            .unwrap_or_else(|| panic!("no pair: {line}"));
        assert!(
            !value.contains([':', '#', '\'', '"', '&', '*', '|', '>']),
            "YAML may read more into this than the test does: {line}"
        );
        match start {
            "- " => hooks.push(Vec::new()),
            "  " => {}
            _ => panic!("neither a hook nor one of its keys: {line}"),
        }
        let hook = hooks.last_mut().expect("a hook before its keys");
        assert!(hook.iter().all(|(other, _)| other != key), "twice: {line}");
        hook.push((key.to_owned(), value.to_owned()));
    }
    hooks
}

fn value<'h>(hook: &'h Hook, key: &str) -> &'h str {
    let found = hook.iter().find(|(name, _)| name == key);
    found.map_or_else(|| panic!("no {key}: {hook:?}"), |(_, value)| value)
}

/// What pre-commit runs for a hook, on files of a directory.
fn command(hook: &Hook, directory: &TempDir, files: &[&str]) -> Command {
    let mut words = value(hook, "entry").split(' ');
    assert_eq!(words.next(), Some("seclint"), "{hook:?}");
    let mut command = seclint();
    command
        .current_dir(directory.path())
        .args(words)
        .args(files);
    command
}

fn run(mut command: Command) -> Ran {
    Ran::from(command.output().expect("seclint runs"))
}

fn project() -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    for (name, contents) in [
        ("bad.json", BAD),
        ("good.json", GOOD),
        ("package.json", PACKAGE),
    ] {
        fs::write(directory.path().join(name), contents).expect("a temporary file");
    }
    directory
}

/// Two ids that differ in who builds seclint, and in nothing that it does.
#[test]
fn the_hooks_do_the_same() {
    let hooks = hooks();
    let what = |hook: &Hook| {
        ["id", "language"]
            .map(|key| value(hook, key).to_owned())
            .join(" ")
    };
    let whats: Vec<_> = hooks.iter().map(what).collect();
    assert_eq!(whats, ["seclint rust", "seclint-system system"]);
    for hook in &hooks {
        for key in ["name", "entry", "types_or", "require_serial"] {
            assert_eq!(value(hook, key), value(&hooks[0], key), "{key}");
        }
        // pre-commit shuffles the files of hooks that it runs in parallel.
        assert_eq!(value(hook, "require_serial"), "true");
        assert_eq!(value(hook, "types_or"), "[json, yaml]");
        assert!(!value(hook, "description").is_empty());
    }
}

/// A bad profile stops the commit, and is all that is spoken of.
#[test]
fn a_bad_profile_stops_the_commit() {
    let project = project();
    for hook in hooks() {
        let ran = run(command(
            &hook,
            &project,
            &["bad.json", "good.json", "package.json"],
        ));
        assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
        assert!(ran.stdout.contains("bad.json:1:"), "{}", ran.stdout);
        assert!(ran.stdout.contains("kexec_file_load"), "{}", ran.stdout);
        for other in ["good.json", "package.json"] {
            assert!(!ran.stdout.contains(other), "{}", ran.stdout);
        }
        let ran = run(command(&hook, &project, &["good.json", "package.json"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let ran = run(command(&hook, &project, &["package.json"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

/// Options that a configuration adds as `args` stand between the entry and the files.
#[test]
fn a_configuration_may_add_options() {
    let project = project();
    for hook in hooks() {
        let files = ["--fail-on=never", "--libseccomp", "2.5.4", "bad.json"];
        assert_eq!(run(command(&hook, &project, &files)).code, 0);
    }
}

/// The service runs a command that there is, and the timer starts the service.
#[test]
fn the_unit_runs_seclint() {
    let unit = |kind: &str| {
        let path = format!("contrib/systemd/seclint-cache-audit.{kind}");
        fs::read_to_string(repository(&path)).expect("a unit")
    };
    let service = unit("service");
    let starts: Vec<_> = (service.lines())
        .filter_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/seclint "))
        .collect();
    assert_eq!(starts.len(), 1, "{service}");
    let mut command = seclint();
    command.args(starts[0].split(' ')).arg("--help");
    assert_eq!(run(command).code, 0, "{}", starts[0]);
    // Without `Unit=` a timer starts the service of its own name.
    assert!(!unit("timer").contains("Unit="));
}

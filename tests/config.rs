//! `seclint.toml`: what a repository says once. If one of these fails, profiles are checked against
//! something else than their owners wrote down, or a mistake in the file goes unseen.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use seclint::config::{self, Config};
use seclint::text::Source;
use serde_json::{Value, json};
use support::{Ran, seclint};
use tempfile::TempDir;

/// A misspelt name, a newer one and a flag that is none.
const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_X"],
"syscalls":[{"names":["mkdirr","mseal"],"action":"SCMP_ACT_ERRNO"}]}"#;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (name, contents) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, contents).expect("a file");
    }
    directory
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = seclint();
    command.current_dir(directory).arg("check").args(arguments);
    command
}

fn check(directory: &Path, arguments: &[&str]) -> Ran {
    let output = command(directory, arguments).output();
    Ran::from(output.expect("seclint runs"))
}

/// The rules of a report's findings, with their files and severities.
fn found(ran: &Ran) -> Vec<String> {
    let report = ran.report();
    let findings = report["findings"].as_array().expect("findings");
    let told = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().expect("text").to_owned();
        format!("{} {} {}", text("path"), text("severity"), text("rule"))
    };
    findings.iter().map(told).collect()
}

/// A file is under the nearest one, wherever seclint is run, and under no other.
#[test]
fn the_nearest_file_above_a_profile_counts() {
    let tree = tree(&[
        ("seclint.toml", "rules.ignore = ['unknown-flag']"),
        ("a.json", PROFILE),
        ("sub/deep/b.json", PROFILE),
        (
            "other/seclint.toml",
            "libseccomp = '2.5.4'\nrules.ignore = ['unknown-syscall']",
        ),
        ("other/c.json", PROFILE),
    ]);
    let root = tree.path();
    let run = |directory: &str, paths: &[&str]| {
        let arguments = [paths, &["--format=json"]].concat();
        found(&check(&root.join(directory), &arguments))
    };
    assert_eq!(
        run("", &["."]),
        [
            "./a.json error unknown-syscall",
            "./other/c.json error unknown-flag",
            "./other/c.json warning syscall-newer-than-target",
            "./sub/deep/b.json error unknown-syscall",
        ]
    );
    assert_eq!(
        run("sub", &["deep/b.json"]),
        ["deep/b.json error unknown-syscall"]
    );
    assert_eq!(
        run("sub/deep", &["../../a.json"]),
        ["../../a.json error unknown-syscall"]
    );
    let elsewhere = run("other", &["../a.json", "c.json"]);
    assert_eq!(elsewhere.len(), 3, "{elsewhere:?}");
    // Standard input is where it is asked about.
    let stdin = |directory: &str| {
        let mut command = command(&root.join(directory), &["-", "--format=json"]);
        let profile = fs::File::open(root.join("a.json")).expect("a file");
        let output = command.stdin(Stdio::from(profile)).output();
        found(&Ran::from(output.expect("seclint runs")))
    };
    assert_eq!(stdin("sub"), ["<stdin> error unknown-syscall"]);
    assert_eq!(stdin("other").len(), 2);
}

#[test]
fn a_file_can_be_named_or_left_out() {
    let tree = tree(&[
        ("seclint.toml", "rules.ignore = ['unknown-flag']"),
        ("strange name", "rules.select = ['unknown-flag']"),
        ("a.json", PROFILE),
    ]);
    let run = |option: &[&str]| {
        let arguments = [option, &["a.json", "--format=json"]].concat();
        found(&check(tree.path(), &arguments)).len()
    };
    assert_eq!(run(&[]), 1);
    assert_eq!(run(&["--config", "strange name"]), 1);
    assert_eq!(run(&["--no-config"]), 2);
    assert_eq!(run(&["--isolated"]), 2);
    let ran = check(tree.path(), &["--config", "missing.toml", "a.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("missing.toml: No such file"),
        "{}",
        ran.stderr
    );
}

/// Each key does what its option does, and the option beats it.
#[test]
fn the_command_line_beats_the_file() {
    let config = r#"
targets = ["debian-12"]
architectures = ["aarch64"]
kernel = "5.4"
engines = ["podman"]
dialect = "podman"
fail-on = "never"
[rules]
strict = true
ignore = ["unknown-flag"]
[rules.severity]
unknown-syscall = "info"
"#;
    let tree = tree(&[("seclint.toml", config), ("a.json", PROFILE)]);
    let run = |options: &[&str]| {
        let arguments = [options, &["a.json", "--format=json"]].concat();
        check(tree.path(), &arguments)
    };
    let ran = run(&[]);
    let report = ran.report();
    assert_eq!(ran.code, 0);
    assert_eq!(report["target"]["architectures"], json!(["aarch64"]));
    assert_eq!(report["target"]["kernel"], "5.4");
    assert_eq!(report["target"]["libseccomp"], "2.5.4");
    assert_eq!(report["target"]["engines"], json!(["podman"]));
    assert_eq!(report["target"]["dialects"], json!(["podman"]));
    assert_eq!(report["targets"][0]["name"], "debian-12");
    let all = found(&ran);
    assert!(
        all.contains(&"a.json info unknown-syscall".to_owned()),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|it| it.ends_with("unknown-flag")),
        "{all:?}"
    );
    let others = run(&[
        "--arch=x86_64",
        "--target=debian-13",
        "--engine=docker",
        "--dialect=docker",
        "--kernel=6.12",
    ]);
    let target = others.report()["target"].clone();
    assert_eq!(target["architectures"], json!(["x86_64"]));
    assert_eq!(target["kernel"], "6.12");
    assert_eq!(target["engines"], json!(["docker"]));
    assert_eq!(target["dialects"], json!(["docker"]));
    assert_eq!(run(&["--fail-on=info"]).code, 1);
    assert_eq!(
        found(&run(&["--select=unknown-flag"])),
        ["a.json error unknown-flag"]
    );
    let lax = found(&run(&["--no-strict"]));
    assert!(lax.iter().all(|it| all.contains(it)), "{lax:?}");
    assert!(lax.len() < all.len(), "{all:?}");
    assert_eq!(found(&run(&["--no-strict", "--strict"])), all);
    let ignored = found(&run(&["--ignore=unknown-syscall"]));
    assert!(
        !ignored.iter().any(|it| it.contains("unknown-")),
        "{ignored:?}"
    );
}

/// Who changes a `seclint.toml` in a pull request sees its mistakes there, not in a log.
#[test]
fn mistakes_are_annotations_in_a_workflow() {
    let tree = tree(&[("seclint.toml", "kernel = 'new'\n"), ("a.json", PROFILE)]);
    let ran = check(tree.path(), &["a.json", "--format=github"]);
    assert_eq!(ran.code, 2);
    let command = "::error file=seclint.toml,line=1,endLine=1,col=10,endColumn=15,title=seclint (seclint.toml)::";
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with(command), "{}", ran.stderr);
}

/// Someone who waits for the tenth run to learn of the tenth mistake gives up.
#[test]
fn all_mistakes_are_shown_where_they_stand() {
    let config = r#"targtes = ["debian-12"]
architectures = ["x86_46", 3]
kernel = "new"
dialect = 4
fail-on = "fatal"
[rules]
select = ["unknown-sycall"]
severity = { unknown-flag = "loud", no-such-rule-at-all = "info" }
[[ignore]]
rule = "unknown-flag"
[[ignore]]
reason = "none"
[policy]
forbid = [{ syscalls = ["mountt"], reason = " " }]
require = { syscalls = [] }
"#;
    // What contradicts itself, and a file that is not there.
    for (config, said) in [
        (
            "[rules]\nselect = ['unknown-flag']\nignore = ['unknown-flag']\n",
            "seclint.toml:3:11",
        ),
        (
            "[[policy.forbid]]\nsyscalls = ['mount']\nreason = 'r'\n[[policy.require]]\nsyscalls = ['read', 'mount']\nreason = 'r'\n",
            "seclint.toml:5:12",
        ),
    ] {
        let tree = tree(&[("seclint.toml", config), ("a.json", PROFILE)]);
        let ran = check(tree.path(), &["a.json"]);
        assert!(
            ran.code == 2 && ran.stderr.contains(said),
            "{said}: {ran:?}"
        );
    }
    let lost = tree(&[("a.json", PROFILE)]);
    std::os::unix::fs::symlink("nowhere", lost.path().join("seclint.toml")).expect("a link");
    assert_eq!(check(lost.path(), &["a.json"]).code, 2);

    let tree = tree(&[
        ("seclint.toml", config),
        ("a.json", PROFILE),
        ("b.json", PROFILE),
    ]);
    for arguments in [
        &["a.json", "b.json"][..],
        &["a.json", "--config=seclint.toml"],
    ] {
        let ran = check(tree.path(), arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(!ran.stdout.contains("unknown-syscall"), "{}", ran.stdout);
        for said in [
            "seclint.toml:1:1",
            "did you mean `targets`?",
            "did you mean `x86_64`?",
            "not an integer",
            "`fatal`",
            "did you mean `unknown-syscall`?",
            "`loud`",
            "`no-such-rule-at-all`",
            "the reason is missing",
            "the rule is missing",
            "did you mean `mount`?",
            "the reason is empty",
            "an array of tables must stand here, not a table",
        ] {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
    }
    fs::write(tree.path().join("seclint.toml"), "targets = [\n").expect("a file");
    let ran = check(tree.path(), &["a.json"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("error[seclint.toml]: "),
        "{}",
        ran.stderr
    );
}

/// One directory's mistake does not keep the others from being checked.
#[test]
fn files_under_another_configuration_are_still_checked() {
    let tree = tree(&[
        ("a/seclint.toml", "nothing = 1"),
        ("a/x.json", PROFILE),
        ("a/b/y.json", PROFILE),
        ("c/z.json", PROFILE),
    ]);
    let ran = check(tree.path(), &[".", "--format=json"]);
    assert_eq!(ran.code, 2);
    assert_eq!(found(&ran).len(), 2);
    assert_eq!(
        ran.stderr.matches("nothing").count(),
        2,
        "message and excerpt, once: {}",
        ran.stderr
    );
}

/// Who has no web at hand learns the file from `--help`, and copies from it.
#[test]
fn the_help_shows_every_key_in_a_file_that_can_be_read() {
    let ran = support::run(["check", "--help"]);
    let (_, example) = ran
        .stdout
        .split_once("may be left out:\n\n")
        .expect("an example");
    let source = Arc::new(Source::new(
        "seclint.toml".to_owned(),
        example.as_bytes().to_vec(),
    ));
    let config = Config::parse(&source, Path::new("/")).expect("no mistakes");
    assert!(config.is_strict && config.ignores.len() == 1 && config.demands.require.len() == 1);
    let table: toml::Table = example.parse().expect("TOML");
    let keys = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
    let known = |keys: &[&str]| keys.iter().map(ToString::to_string).collect();
    assert_eq!(keys(&table), known(&config::KEYS));
    let rules = table["rules"].as_table().expect("rules");
    assert_eq!(keys(rules), known(&config::RULES_KEYS));
    let first = |value: &toml::Value| value[0].as_table().expect("a table").clone();
    assert_eq!(keys(&first(&table["ignore"])), known(&config::IGNORE_KEYS));
    let policy = table["policy"].as_table().expect("a policy");
    assert_eq!(keys(policy), known(&config::POLICY_KEYS));
    for demand in config::POLICY_KEYS {
        assert_eq!(keys(&first(&policy[demand])), known(&config::DEMAND_KEYS));
    }
    for comment in [
        "\"comment\": \"seclint-ignore: RULE -- REASON\"",
        "# seclint-ignore: RULE -- REASON",
    ] {
        assert!(ran.stdout.contains(comment), "{}", ran.stdout);
    }
}

/// The forms that people try first.
#[test]
fn a_wrong_form_is_answered_with_the_right_one() {
    for (text, help) in [
        (
            "[policy]\nforbid = ['keyctl']",
            "write `[[policy.forbid]]`, and below it `syscalls = [\"NAME\"]` and `reason",
        ),
        (
            "[policy.require]\nsyscalls = ['read']",
            "write `[[policy.require]]`",
        ),
        (
            "ignore = ['unknown-syscall']",
            "write `[[ignore]]`, and below it `rule = \"RULE\"` and `reason",
        ),
        (
            "[rules.severity]\nunknown-syscall = 'off'",
            "goes into `rules.ignore`",
        ),
    ] {
        let tree = tree(&[("seclint.toml", text), ("a.json", PROFILE)]);
        let ran = check(tree.path(), &["a.json"]);
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(said.contains(help), "{text}: {}", ran.stderr);
    }
}

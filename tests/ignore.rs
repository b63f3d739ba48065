//! Findings that somebody has decided not to hear of. If one of these fails, a decision hides more
//! than it was about, or less, or stays when its reason is gone.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Ran, results, seclint};
use tempfile::TempDir;

const IN_ENTRY: &str = r#"{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    {
      "names": ["mkdirr"],
      "action": "SCMP_ACT_ERRNO",
      "comment": "about directories\nseclint-ignore: unknown-syscall, unknown-action -- our kernel's own"
    },
    { "names": ["mkdirr"], "action": "SCMP_ACT_ERRNO", "args": [] }
  ]
}
"#;

const OBJECT: &str =
    "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n";

fn check(files: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let directory = TempDir::new().expect("a directory");
    for (name, contents) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, contents).expect("a file");
    }
    let mut command = seclint();
    command
        .current_dir(directory.path())
        .arg("check")
        .args(arguments);
    Ran::from(command.output().expect("seclint runs"))
}

/// Rule and line of each finding, and how many were suppressed.
fn found(files: &[(&str, &str)], arguments: &[&str]) -> (Vec<String>, u64) {
    let rules = "--select=unknown-syscall,unknown-action,unused-ignore,invalid-ignore";
    let ran = check(files, &[arguments, &["--format=json", rules]].concat());
    assert_eq!(ran.stderr, "");
    let report = ran.report();
    let findings = report["findings"].as_array().expect("findings");
    let told = |finding: &Value| {
        let rule = finding["rule"].as_str().expect("a rule");
        format!("{}:{rule}", finding["span"]["start"]["line"])
    };
    let suppressed = report["summary"]["suppressed"].as_u64().expect("a count");
    (findings.iter().map(told).collect(), suppressed)
}

/// A comment holds for its own rule entry, and for the rules that it names.
#[test]
fn a_comment_of_a_rule_entry_holds_for_it_alone() {
    let (rules, suppressed) = found(&[("a.json", IN_ENTRY)], &["a.json"]);
    assert_eq!(rules, ["7:unused-ignore", "9:unknown-syscall"]);
    assert_eq!(suppressed, 1);
    // The runtime specification has no such field, and whoever wrote it is told.
    let (rules, suppressed) = found(&[("a.json", IN_ENTRY)], &["a.json", "--dialect=oci"]);
    let unheard = |rule: &&String| rule.ends_with(":invalid-ignore");
    assert_eq!(
        (
            rules.iter().filter(unheard).count(),
            rules.len(),
            suppressed
        ),
        (1, 3, 0)
    );
}

/// Without the rule nobody knows whether the ignore is of use.
#[test]
fn nothing_is_unused_whose_rule_was_not_run() {
    let ran = |rules: &str| {
        let ran = check(&[("a.json", IN_ENTRY)], &["a.json", "--format=json", rules]);
        ran.report()["findings"].as_array().expect("findings").len()
    };
    assert_eq!(ran("--select=unused-ignore"), 0);
    assert_eq!(ran("--select=unused-ignore,unknown-syscall"), 1);
    assert_eq!(ran("--select=unused-ignore,unknown-action"), 1);
    assert_eq!(ran("--select=unknown-action"), 0);
}

#[test]
fn a_comment_of_yaml_holds_for_a_line() {
    let profile = format!(
        "{OBJECT}# seclint-ignore: unknown-action -- in front of nothing
spec:
  defaultAction: SCMP_ACT_ALLOW
  syscalls:
    # seclint-ignore: unknown-action -- the line below
    # another word
    - action: SCMP_ACT_NONE
      names:
        - mkdirr # seclint-ignore: unknown-syscall -- this line
        - rmdirr
        # seclint-ignore: unknown-syscall -- the line below

        - chmodd
    - action: SCMP_ACT_ERRNO
      names: ['# seclint-ignore: unknown-syscall -- no comment', 'creatt']
"
    );
    let (rules, suppressed) = found(&[("a.yaml", &profile)], &["a.yaml"]);
    assert_eq!(
        rules,
        [
            "3:unused-ignore",
            "12:unknown-syscall",
            "17:unknown-syscall"
        ]
    );
    assert_eq!(suppressed, 3);
}

/// Whoever keeps profiles in a `ConfigMap` has no other comments, unless the JSON has its own; the
/// string may stand in one line or in many, and the next one is another profile.
#[test]
fn a_comment_of_yaml_holds_for_the_string_that_begins_in_its_line() {
    let json = |name: &str| {
        format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["{name}"],"action":"SCMP_ACT_ERRNO"}}]}}"#
        )
    };
    let lines = |name: &str, begin: &str| json(name).replace(",\"", &format!(",\n    {begin}\""));
    let map = format!(
        "apiVersion: v1
kind: ConfigMap
data:
  # seclint-ignore: unknown-syscall -- below
  a.json: '{}'
  b.json: '{}' # seclint-ignore: unknown-syscall -- here
  # seclint-ignore: unknown-syscall -- all of it
  c.json: |
    {}
  d.json: | # seclint-ignore: unknown-syscall -- all of it
    {}
  # seclint-ignore: unknown-syscall
  e.json: '{}'
  # seclint-ignore: unknown-syscall, unknown-action -- all of it
  f.json: \"{}\"
",
        json("mkdirr"),
        json("rmdirr"),
        lines("chmodd", ""),
        lines("chownn", ""),
        json("renamee"),
        lines("unlinkk", "").replace('"', "\\\""),
    );
    let (rules, suppressed) = found(&[("a.yaml", &map)], &["a.yaml"]);
    assert_eq!(
        rules,
        [
            "16:invalid-ignore",
            "17:unknown-syscall",
            "18:unused-ignore"
        ]
    );
    assert_eq!(suppressed, 5);
}

/// What is missing must be said, or its author waits for what does not come.
#[test]
fn an_ignore_that_cannot_be_taken_says_why() {
    for (comment, why) in [
        ("seclint-ignore: unknown-syscall", "the reason is missing"),
        (
            "seclint-ignore: unknown-syscall --",
            "the reason is missing",
        ),
        ("seclint-ignore: -- reason", "no rule is named"),
        ("seclint-ignore:", "no rule is named"),
        (
            "seclint-ignore unknown-syscall -- reason",
            "a colon is missing",
        ),
        (
            "seclint-ignore: unknown-sycall -- x",
            "did you mean `unknown-syscall`?",
        ),
        ("seclint-ignore: unknown-syscall, -- x", "no rule is named"),
        (
            "seclint-ignore: unknown-syscall unknown-action -- x",
            "write `seclint-ignore: unknown-syscall, unknown-action -- REASON`",
        ),
        ("seclint-ignore: unknown-syscall - x", "`--` is missing"),
        (
            "seclint-ignore: unknown-syscall \u{2013} x",
            "`--` is missing",
        ),
        ("seclint-ignore: unknown-syscall ours", "`--` is missing"),
        (
            "seclint-ignore: unknown-syscall -- x # seclint-ignore: unknown-action -- x",
            "write `seclint-ignore: unknown-syscall, unknown-action -- REASON`",
        ),
        ("SECLINT-IGNORE: unknown-syscall -- x", "it does not say"),
        ("Seclint-Ignore: unknown-syscall -- x", "it does not say"),
        ("seclint-ignor: unknown-syscall -- x", "it does not say"),
        ("SECLINT: ignore", "it does not say"),
    ] {
        let profile = format!(
            "{OBJECT}spec:\n  defaultAction: SCMP_ACT_ALLOW\n  syscalls:\n  - action: SCMP_ACT_ERRNO\n    names: [mkdirr] # {comment}\n"
        );
        let (rules, suppressed) = found(&[("a.yaml", &profile)], &["a.yaml"]);
        assert_eq!(
            rules,
            ["7:unknown-syscall", "7:invalid-ignore"],
            "{comment}"
        );
        assert_eq!(suppressed, 0, "{comment}");
        let said = check(&[("a.yaml", &profile)], &["a.yaml"]).stdout;
        assert!(said.contains(why), "{comment}: {said}");
    }
}

#[test]
fn a_configuration_ignores_by_rule_path_syscall_and_pointer() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
{"names":["mkdirr"],"action":"SCMP_ACT_ERRNO"},
{"names":["mkdirr","rmdirr"],"action":"SCMP_ACT_NONE"}]}"#;
    let lines = |narrowed: &str| {
        let config = format!("[[ignore]]\nrule = 'unknown-syscall'\nreason = 'r'\n{narrowed}");
        let files = [("p/a.json", profile), ("seclint.toml", &config)];
        let (rules, suppressed) = found(&files, &["p/a.json"]);
        (rules.join(" "), suppressed)
    };
    let both = ("3:unknown-action".to_owned(), 3);
    let none = (
        "2:unknown-syscall 3:unknown-syscall 3:unknown-syscall 3:unknown-action".to_owned(),
        0,
    );
    assert_eq!(lines(""), both);
    assert_eq!(lines("path = 'p/*.json'"), both);
    assert_eq!(lines("path = '*.json'"), none);
    assert_eq!(
        lines("syscall = 'mkdirr'"),
        ("3:unknown-syscall 3:unknown-action".to_owned(), 2)
    );
    assert_eq!(
        lines("pointer = '/syscalls/0'"),
        (
            "3:unknown-syscall 3:unknown-syscall 3:unknown-action".to_owned(),
            1
        )
    );
    assert_eq!(lines("pointer = '/sys'"), none);
    assert_eq!(lines("syscall = 'rmdirr'\npointer = '/syscalls/0'"), none);
}

/// Of a part of the files nobody can say that an ignore is of no use.
#[test]
fn an_unused_entry_of_a_configuration_is_found_with_all_files() {
    let config = "[[ignore]]\nrule = 'unknown-syscall'\nreason = 'r'\npath = 'b.json'\n\n[[ignore]]\nrule = 'unknown-action'\nreason = 'r'\n";
    let files = [
        ("a.json", IN_ENTRY),
        ("b.json", IN_ENTRY),
        ("seclint.toml", config),
    ];
    let run = |arguments: &[&str]| {
        let ran = check(&files, &[arguments, &["--format=json"]].concat());
        let report = ran.report();
        let findings = report["findings"].as_array().expect("findings").clone();
        let in_config = findings
            .into_iter()
            .filter(|it| it["path"] == "seclint.toml");
        in_config.collect::<Vec<_>>()
    };
    let rules = "--select=unknown-syscall,unknown-action,unused-ignore";
    let all = run(&[".", rules]);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["span"]["start"]["line"], 6);
    assert_eq!(all[0]["facts"]["ignored"], "unknown-action");
    assert!(run(&["a.json", "b.json", rules]).is_empty());
    assert!(run(&[".", "--select=unknown-syscall,unused-ignore"]).is_empty());
}

/// A service must know what was suppressed, and why; a gate must not fail for it.
#[test]
fn every_format_counts_what_was_suppressed() {
    let profile = IN_ENTRY.replace(
        "\"args\": []",
        "\"comment\": \"seclint-ignore: unknown-syscall -- b\"",
    );
    let profile = profile.replace(", unknown-action", "");
    let files = [("a.json", profile.as_str())];
    let run = |format: &str| check(&files, &["a.json", "--select=unknown-syscall", format]);
    for format in ["--format=human", "--format=github"] {
        let ran = run(format);
        assert_eq!(ran.code, 0);
        assert!(
            ran.stdout
                .contains("no findings in 1 profile; 2 suppressed"),
            "{}",
            ran.stdout
        );
        assert!(!ran.stdout.contains("mkdirr"), "{}", ran.stdout);
    }
    let summary = run("--format=json").report()["summary"].clone();
    assert_eq!(
        (&summary["suppressed"], &summary["errors"]),
        (&json!(2), &json!(0))
    );
    let sarif = run("--format=sarif").sarif();
    let results = results(&sarif);
    assert_eq!(results.len(), 2);
    assert_eq!(
        results[0]["suppressions"],
        json!([{"kind": "inSource", "status": "accepted", "justification": "our kernel's own"}])
    );
    let config = "[[ignore]]\nrule = 'unknown-syscall'\nreason = 'elsewhere'\n";
    let files = [("a.json", IN_ENTRY), ("seclint.toml", config)];
    let sarif = check(&files, &["a.json", "--format=sarif"]).sarif();
    let kinds: Vec<_> = (support::results(&sarif).iter())
        .map(|result| result["suppressions"][0]["kind"].clone())
        .collect();
    assert!(
        kinds.contains(&json!("external")) && kinds.contains(&Value::Null),
        "{kinds:?}"
    );
}

/// What other linters take is tried first. Not being about it, seclint's name in a comment is prose.
#[test]
fn a_comment_that_nearly_is_an_ignore_is_answered_with_the_right_one() {
    let files: Vec<_> = [
        (
            "a",
            "# seclint ignore unknown-syscall",
            "unknown-syscall -- REASON`",
        ),
        (
            "b",
            "# seclint:disable=unknown-syscall,unknown-action",
            "unknown-syscall, unknown-action -- REASON`",
        ),
        ("c", "#seclint-ignore", "RULE -- REASON`"),
        (
            "d",
            "#seclint-ignore: unknown-syscall",
            "unknown-syscall -- REASON`",
        ),
        ("e", "# checked by seclint, which ignores nothing", ""),
    ]
    .map(|(name, comment, help)| {
        (
            format!("{name}.yaml"),
            format!("{OBJECT}spec: {{defaultAction: SCMP_ACT_ALLOW}}\n{comment}\n"),
            help,
        )
    })
    .into();
    let given: Vec<_> = files
        .iter()
        .map(|(name, text, _)| (name.as_str(), text.as_str()))
        .collect();
    let select = "--select=invalid-ignore";
    let report = check(&given, &["--format=json", select]).report();
    for (name, _, help) in &files {
        let findings = report["findings"].as_array().expect("findings").iter();
        let mut told = findings.filter(|it| it["path"] == format!("./{name}"));
        let told = told
            .next()
            .map_or("", |it| it["help"].as_str().expect("help"));
        assert!(
            told.ends_with(help) && told.is_empty() == help.is_empty(),
            "{name}: {told}"
        );
    }
    // JSON has no such place, and what to write depends on what has.
    let json =
        "// seclint-ignore: unknown-syscall -- ours\n{\"defaultAction\": \"SCMP_ACT_ALLOW\"}\n";
    let report = check(&[("a.json", json)], &["--format=json", select]).report();
    let told = report["findings"][0]["help"].as_str().expect("help");
    assert!(told.contains("`\"comment\": \"seclint-ignore"), "{told}");
    let oci = check(
        &[("a.json", json)],
        &["--format=json", select, "--dialect=oci"],
    )
    .report();
    let told = oci["findings"][0]["help"].as_str().expect("help");
    assert!(
        told.contains("`[[ignore]]`") && !told.contains("comment"),
        "{told}"
    );
}

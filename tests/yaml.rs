//! YAML that is broken, or that is no YAML yet: what is told of it, and where.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::Value;
use support::{file, run};

/// Rule, line and column of each finding.
fn told(name: &str, contents: impl AsRef<[u8]>) -> Vec<(String, u64, u64)> {
    let (_directory, path) = file(name, contents);
    let path = path.display().to_string();
    let report = run(["check", &path, "--format=json"]).report();
    let findings = report["findings"].as_array().expect("findings").iter();
    let place = |finding: &Value, what: &str| finding["span"]["start"][what].as_u64().unwrap_or(0);
    let told = findings.map(|finding| {
        let rule = finding["rule"].as_str().expect("a rule").to_owned();
        (rule, place(finding, "line"), place(finding, "column"))
    });
    told.collect()
}

fn one(rule: &str, line: u64, column: u64) -> (String, u64, u64) {
    (rule.to_owned(), line, column)
}

const HEAD: &str = "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\n\
    kind: SeccompProfile\nmetadata:\n  name: it\n";

/// One mistake that is told as three sends its reader to two places that are right.
#[test]
fn what_follows_from_a_mistake_in_the_yaml_is_not_told() {
    let unclosed = HEAD.replace("metadata:\n  name: it", "metadata: {name: it");
    let unclosed = format!("{unclosed}spec:\n  defaultAction: SCMP_ACT_ERRNO\n");
    assert_eq!(told("it.yaml", unclosed), [one("yaml-syntax", 4, 5)]);
    let indented = format!(
        "{HEAD}spec:\n  architectures: [SCMP_ARCH_X]\n  defaultAction: SCMP_ACT_ERRNO\n   syscalls:\n"
    );
    // What stands before it is as wrong as ever.
    let expected = [
        one("unknown-architecture", 6, 19),
        one("yaml-syntax", 8, 12),
    ];
    assert_eq!(told("it.yaml", indented), expected);
}

/// A tab cannot be seen: its place is all that helps to find it.
#[test]
fn a_tab_is_told_where_it_stands() {
    for (blank, line) in [("", 7), ("\n \t\n", 9)] {
        let contents = format!(
            "{HEAD}spec:\n  defaultAction: SCMP_ACT_ERRNO\n{blank}\tsyscalls:\n  - names: [read]\n"
        );
        assert_eq!(told("it.yaml", contents), [one("yaml-syntax", line, 1)]);
    }
}

/// A file in another encoding has one mistake, not one a letter.
#[test]
fn bytes_that_are_no_utf8_are_told_once() {
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|it| it as u8).collect() };
    let good = latin(&format!(
        "{HEAD}# für ältere Geräte\nspec:\n  defaultAction: SCMP_ACT_ALLOW # é\n"
    ));
    assert_eq!(told("it.yaml", good), [one("yaml-syntax", 5, 4)]);
    let other = latin("defäultAction: SCMP_ACT_ERRNO\nx: é\n");
    assert_eq!(told("it.yaml", other), [one("yaml-syntax", 1, 4)]);
    let json = latin("{\"defaultAction\": \"SCMP_ACT_ALLOW\", // für ältere\n\"syscalls\": []}");
    let utf8 = told("it.json", json);
    let places = utf8
        .iter()
        .filter(|it| *it != &one("json-syntax", 1, 37))
        .count();
    assert_eq!(
        (utf8.len(), places),
        (2, 1),
        "a comment, and its letters: {utf8:?}"
    );
}

fn object(rest: &str) -> String {
    format!("{HEAD}spec:\n  defaultAction: SCMP_ACT_ALLOW\n{rest}")
}

/// What a name does not tell, the first line does: in a directory, such a file would be
/// passed over, and on standard input taken for JSON that is broken everywhere.
#[test]
fn manifests_and_templates_are_known_by_how_they_begin() {
    let bad = object("  syscalls: [{names: [raed], action: SCMP_ACT_ALLOW}]\n");
    let template = format!("{{{{- if .Values.x }}}}\n{bad}{{{{- end }}}}\n");
    let directory = tempfile::TempDir::new().expect("a directory");
    let put = |name: &str, contents: &str| {
        fs::write(directory.path().join(name), contents).expect("a file");
    };
    put("a.tpl", &bad);
    put("b.yaml.gotmpl", &template);
    put("c", &format!("{}{bad}", "# licence\n".repeat(200)));
    let path = directory.path().display().to_string();
    let report = run(["check", &path, "--format=json", "--select=unknown-syscall"]).report();
    assert_eq!(report["summary"]["errors"], 3, "{report:#}");
    assert_eq!(report["summary"]["skipped"], 0);
    let expected = [one("yaml-syntax", 1, 1), one("unknown-syscall", 8, 23)];
    assert_eq!(told("unnamed", &template), expected);
    // Two braces are a mistake in JSON all the same.
    let twice = told("unnamed", r#"{{"defaultAction": "SCMP_ACT_ERRNO"}}"#);
    assert_eq!(twice, [one("json-syntax", 1, 2)]);
    assert_eq!(told("it.yaml", ""), [one("yaml-syntax", 1, 1)]);
}

/// A profile whose kind is misspelled is installed by nobody, whatever stands beside it.
#[test]
fn a_profile_of_another_kind_is_told() {
    let other = object("").replace("kind: SeccompProfile", "kind: SeccompProfle");
    let beside = format!("{}---\n{other}", object(""));
    assert_eq!(told("it.yaml", other), [one("not-a-profile", 2, 7)]);
    assert_eq!(told("it.yaml", beside), [one("not-a-profile", 9, 7)]);
}

/// The newest API is no help to whoever has an older operator.
#[test]
fn an_api_is_advised_that_the_operator_has() {
    let contents = object("").replace("v1beta1", "v1alpha2");
    let (_directory, path) = file("it.yaml", contents);
    let path = path.display().to_string();
    let report = run(["check", &path, "--format=json"]).report();
    let help = report["findings"][0]["help"].as_str().expect("help");
    assert!(
        help.contains("/v1`") && help.contains("/v1beta1`"),
        "{help}"
    );
    let message = &report["findings"][0]["message"];
    let expected = "no release of the operator has `SeccompProfile` in the API \
        `security-profiles-operator.x-k8s.io/v1alpha2`";
    assert_eq!(message, expected);
}

/// A manifest that speaks of templates in a comment is none, and is checked as a whole.
#[test]
fn a_manifest_that_only_speaks_of_templates_is_none() {
    let spec = "spec:\n  syscalls: []\n";
    let speaking = HEAD.replace(
        "  name: it\n",
        "  # made by {{ tool }}\n  annotations: {by: \"{{ tool }}\"}\n",
    );
    let expected = [one("missing-required-field", 7, 3)];
    assert_eq!(told("it.yaml", format!("{speaking}{spec}")), expected);
    let filled = format!("{speaking}{spec}  defaultAction: \"{{{{ .x }}}}\"\n");
    assert_eq!(told("it.yaml", filled), [one("yaml-syntax", 4, 13)]);
}

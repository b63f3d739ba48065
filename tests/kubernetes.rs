//! Profiles in Kubernetes objects: `SeccompProfile`s of security-profiles-operator,
//! profiles in the text of `ConfigMap`s, and Helm's templates of both.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Ran, file, fixed, repository, run, seclint};
use tempfile::TempDir;

fn check_as(name: &str, contents: &str, options: &[&str]) -> Ran {
    let (_directory, path) = file(name, contents);
    let path = path.display().to_string();
    let arguments = ["check", &path, "--format=json"];
    run(arguments.into_iter().chain(options.iter().copied()))
}

fn findings(report: &Value) -> Vec<Value> {
    report["findings"].as_array().expect("findings").clone()
}

/// Rule, and what stands in the file where the finding is.
fn told(contents: &str, report: &Value) -> Vec<(String, String)> {
    let findings = findings(report);
    let told = findings.iter().map(|finding| {
        let byte = |end: &str| finding["span"][end]["byte"].as_u64().map(|at| at as usize);
        let span = byte("start").and_then(|start| contents.get(start..byte("end")?));
        let rule = finding["rule"].as_str().expect("a rule");
        (rule.to_owned(), span.unwrap_or("").to_owned())
    });
    told.collect()
}

fn pair(rule: &str, text: &str) -> (String, String) {
    (rule.to_owned(), text.to_owned())
}

/// A `SeccompProfile` whose spec is `spec`, indented by two.
fn object(spec: &str) -> String {
    let spec: String = spec.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "  {line}");
        all
    });
    format!(
        "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n\
         metadata:\n  name: it\nspec:\n{spec}"
    )
}

const BAD: &str =
    "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n- action: SCMP_ACT_ERRNO\n  names: [kexec_file_lod]";
const GOOD: &str =
    "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n- action: SCMP_ACT_ERRNO\n  names: [acct]";
const JSON: &str = r#"{
  "defaultAction": "SCMP_ACT_ALLOW",

  "syscalls": [
    {"comment": "é 'it' \"", "names": ["kexec_file_lod"],
     "action": "SCMP_ACT_ERRNO"}
  ]
}"#;

fn indented(text: &str, by: &str, line_end: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "" => line_end.to_owned(),
        line => format!("{by}{line}{line_end}"),
    });
    lines.collect()
}

/// JSON in each of YAML's ways to write a text, as members of `data`.
fn in_every_style(text: &str) -> Vec<(&'static str, String)> {
    let quoted = serde_json::to_string(text).expect("a string");
    // A blank line stands for a line feed, and more indented lines are not folded.
    let folded = text.replace('\n', "\n\n");
    vec![
        ("literal", format!("|\n{}", indented(text, "    ", "\n"))),
        ("marked", format!("|2+\n{}\n", indented(text, "    ", "\n"))),
        (
            "crlf",
            format!("|-\r\n{}", indented(text, "      ", "\r\n")),
        ),
        ("folded", format!(">-\n{}", indented(&folded, "    ", "\n"))),
        ("double", format!("{quoted}\n")),
        (
            "escaped",
            format!(
                "{}\n",
                quoted.replace("\\\"", "\\x22").replace('é', "\\u00e9")
            ),
        ),
        (
            "broken",
            format!("{}\n", quoted.replace("\\n", "\\n\\\n      \\\n    ")),
        ),
        (
            "single",
            format!("'{}'\n", folded.replace('\'', "''").replace('\n', "\n    ")),
        ),
    ]
}

/// A finding that points elsewhere sends its reader to a line that is right.
#[test]
fn findings_in_a_text_are_where_the_text_stands_in_the_file() {
    for (style, value) in in_every_style(JSON) {
        let contents =
            format!("kind: ConfigMap\napiVersion: v1\ndata:\n  a: x\n  b/c.json: {value}  z: y\n");
        let report = check_as("map.yaml", &contents, &[]).report();
        let expected = [pair("unknown-syscall", "kexec_file_lod")];
        assert_eq!(told(&contents, &report), expected, "{style}\n{contents}");
        let pointer = &report["findings"][0]["pointer"];
        assert_eq!(pointer, "/data/b~1c.json/syscalls/0/names/0", "{style}");
        assert_eq!(report["summary"]["profiles"], 1, "{style}");
    }
    let contents =
        json!({"kind": "ConfigMap", "apiVersion": "v1", "data": {"p": JSON}}).to_string();
    let report = check_as("map.json", &contents, &[]).report();
    let expected = [pair("unknown-syscall", "kexec_file_lod")];
    assert_eq!(told(&contents, &report), expected);
}

/// Every bad example of the rule book gives the same in a `ConfigMap` as in a file,
/// however the text is written; and a fix that is still offered there settles its
/// finding, and breaks nothing.
#[test]
fn a_profile_in_a_text_is_checked_as_in_a_file() {
    let (mut examples, mut literal, mut others) = (0, 0, 0);
    for category in fs::read_dir(repository("rules")).expect("rules") {
        for page in fs::read_dir(category.expect("a category").path()).expect("pages") {
            let page = fs::read_to_string(page.expect("a page").path()).expect("a page");
            for example in page.split("```json bad").skip(1) {
                let (options, example) = example.split_once('\n').expect("a fence");
                let (profile, _) = example.split_once("```").expect("a fence");
                let options: Vec<_> = options.split_whitespace().collect();
                let report = check_as("profile.json", profile, &options).report();
                let is_bare = !profile.contains("ociVersion");
                if report["summary"]["profiles"] != 1 || !is_bare || profile.contains('\u{feff}') {
                    continue;
                }
                let expected: Vec<_> = (findings(&report).iter()).map(essence).collect();
                for (style, value) in in_every_style(profile.trim_end()) {
                    let of = |value: &str| {
                        let contents =
                            format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  p: {value}  z: y\n");
                        let report = check_as("map.yaml", &contents, &options).report();
                        (contents, findings(&report))
                    };
                    let (contents, found) = of(&value);
                    let got: Vec<_> = found.iter().map(essence).collect();
                    assert_eq!(got, expected, "{style}\n{contents}");
                    for finding in found.iter().filter(|finding| !finding["fix"].is_null()) {
                        let after = fixed(&contents, [finding]);
                        let report = check_as("map.yaml", &after, &options).report();
                        let left = findings(&report);
                        let what =
                            format!("{style}: {finding} of\n{contents}gave\n{after}{left:?}");
                        let is = |other: &&Value| essence(other) == essence(finding);
                        let count = |all: &[Value]| all.iter().filter(is).count();
                        assert!(count(&left) < count(&found), "{what}");
                        assert_eq!(report["summary"]["profiles"], 1, "{what}");
                        let broken = |all: &[Value]| {
                            let syntax = |it: &&Value| {
                                it["rule"] == "json-syntax" || it["rule"] == "yaml-syntax"
                            };
                            all.iter().filter(syntax).count()
                        };
                        assert!(broken(&left) <= broken(&found), "{what}");
                        if style == "literal" {
                            literal += 1;
                        } else {
                            others += 1;
                        }
                    }
                }
                examples += 1;
            }
        }
    }
    assert!(
        examples > 30 && literal > 30 && others > 60,
        "{examples} {literal} {others}"
    );
}

/// What is said, without where.
fn essence(finding: &Value) -> [Value; 3] {
    ["rule", "severity", "message"].map(|key| finding[key].clone())
}

/// Each profile of a file counts, and a broken document hides none.
#[test]
fn every_document_of_a_file_is_checked() {
    let contents = format!(
        "{}---\n# nothing\n---\nmetadata: [\n---\napiVersion: v1\nkind: Service\n---\n{}",
        object(GOOD),
        object(BAD),
    );
    let ran = check_as("all.yaml", &contents, &[]);
    let report = ran.report();
    assert_eq!(ran.code, 1);
    assert_eq!(report["summary"]["profiles"], 2);
    let rules: Vec<_> = told(&contents, &report)
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    assert_eq!(rules, ["yaml-syntax", "unknown-syscall"]);
    let facts: Vec<_> = (findings(&report).iter())
        .map(|finding| finding["facts"]["document"].clone())
        .collect();
    assert_eq!(facts, [2, 4]);
    assert_eq!(findings(&report)[1]["pointer"], "/spec/syscalls/0/names/0");
    let alone = check_as("one.yaml", &object(BAD), &[]).report();
    assert_eq!(alone["findings"][0]["facts"].get("document"), None);
}

/// Lists are what `kubectl get -o yaml` writes, and JSON what `-o json` writes.
#[test]
fn lists_and_json_hold_objects_too() {
    for kind in ["List", "SeccompProfileList"] {
        let item = |spec: &str| indented(&object(spec), "    ", "\n").replacen("    ", "  - ", 1);
        let contents = format!(
            "apiVersion: v1\nkind: {kind}\nitems:\n{}{}",
            item(GOOD),
            item(BAD)
        );
        let report = check_as("list.yaml", &contents, &[]).report();
        assert_eq!(report["summary"]["profiles"], 2, "{contents}");
        let expected = [pair("unknown-syscall", "kexec_file_lod")];
        assert_eq!(told(&contents, &report), expected);
        assert_eq!(
            report["findings"][0]["pointer"],
            "/items/1/spec/syscalls/0/names/0"
        );
    }
    // What is wrong with the text is told once, not for each profile in it.
    let item = "- {kind: SeccompProfile, spec: {defaultAction: SCMP_ACT_LOG}}\n".repeat(600);
    let contents = format!("kind: List\nx: !x y\nitems:\n{item}");
    let report = check_as("list.yaml", &contents, &["--select=yaml-syntax"]).report();
    assert_eq!(report["summary"]["profiles"], 600);
    assert_eq!(told(&contents, &report), [pair("yaml-syntax", "!x")]);
    let contents = r#"{"kind":"SeccompProfile","apiVersion":"security-profiles-operator.x-k8s.io/v1",
        "spec":{"defaultAction":"SCMP_ACT_ALLOW","archMap":[]}}"#;
    let report = check_as("profile.json", contents, &[]).report();
    assert_eq!(told(contents, &report), [pair("unknown-field", "archMap")]);
}

/// A name behind an alias denies as little as one that is written out, and is
/// corrected in one place.
#[test]
fn aliases_and_merge_keys_are_followed() {
    let spec = "defaultAction: &default SCMP_ACT_ALLOW\nsyscalls:\n\
        - &deny\n  action: SCMP_ACT_ERRNO\n  names: &names [kexec_file_lod]\n\
        - <<: *deny\n  errnoRet: 1\n  args: []\n\
        - <<: [*deny, {errnoRet: 5000}]\n  action: *default\n\
        - {action: SCMP_ACT_TRAP, names: *names}";
    let contents = object(spec);
    let report = check_as("it.yaml", &contents, &[]).report();
    let expected = [
        pair("unknown-syscall", "kexec_file_lod"),
        pair("unknown-syscall", "kexec_file_lod"),
        pair("errno-on-non-errno-action", "5000"),
    ];
    assert_eq!(told(&contents, &report), expected, "{report:#}");
    let messages: Vec<_> = findings(&report)
        .iter()
        .map(|it| it["message"].clone())
        .collect();
    assert_ne!(
        messages[0], messages[1],
        "denied in one place, allowed in the other"
    );
}

/// What YAML can say and Kubernetes does not take must not pass for nothing.
#[test]
fn what_kubernetes_does_not_read_is_told() {
    for (spec, rule, text) in [
        ("defaultAction: *gone", "yaml-syntax", "*gone"),
        ("defaultAction: !act SCMP_ACT_ERRNO", "yaml-syntax", "!act"),
        (
            "defaultAction: SCMP_ACT_ERRNO\n? [a]\n: b",
            "yaml-syntax",
            "[",
        ),
        ("defaultAction: SCMP_ACT_ERRNO\n<<: 3", "yaml-syntax", "3"),
        (
            "defaultAction: SCMP_ACT_ERRNO\nsyscalls: &a [*a]",
            "yaml-syntax",
            "*a",
        ),
        (
            "defaultAction: SCMP_ACT_ERRNO\ndefaultAction: SCMP_ACT_LOG",
            "duplicate-key",
            "defaultAction",
        ),
        ("defaultAction: yes", "wrong-json-type", "yes"),
        (
            "defaultAction: SCMP_ACT_ERRNO\nDefaultAction: x",
            "field-case-mismatch",
            "DefaultAction",
        ),
        (
            "defaultAction: SCMP_ACT_ERRNO\nnotes: x",
            "unknown-field",
            "notes",
        ),
        (
            "architectures: []",
            "missing-required-field",
            "architectures",
        ),
    ] {
        let contents = object(spec);
        let report = check_as("it.yaml", &contents, &[]).report();
        let told = told(&contents, &report);
        assert!(told.contains(&pair(rule, text)), "{told:?} of\n{contents}");
    }
    let lossy = object("defaultAction: SCMP_ACT_ALLOW # \u{fffd}");
    let bytes = lossy
        .as_bytes()
        .iter()
        .map(|&byte| if byte > 0x7f { 0xff } else { byte });
    let (_directory, path) = file("it.yaml", bytes.collect::<Vec<_>>());
    let report = run(["check".as_ref(), path.as_os_str(), "--format=json".as_ref()]).report();
    assert_eq!(report["findings"][0]["facts"]["deviation"], "bad-utf8");
}

/// What is right in an operator's profile and would be wrong in a file.
#[test]
fn the_operators_profiles_are_not_judged_as_files() {
    let spec = "defaultAction: SCMP_ACT_ERRNO\nflags: []\nstate: Disabled\nsyscalls:\n\
        - action: SCMP_ACT_ALLOW\n  names: [personality]\n  args:\n  - index: 0\n    op: SCMP_CMP_EQ\n\
        - action: SCMP_ACT_ALLOW\n  names: [kill]\n  errnoRet: 0\n";
    let contents = object(spec);
    let others = "--ignore=missing-runtime-syscalls,runc-enosys-stub,int-arg-upper-bits-reject";
    let report = check_as("it.yaml", &contents, &["--strict", others]).report();
    assert!(told(&contents, &report).is_empty(), "{report:#}");
    // The same without the object around it, and an argument that is to be less than 0.
    let bare = spec.replace("SCMP_CMP_EQ", "SCMP_CMP_LT");
    let report = check_as("it.yaml", &bare, &["--dialect=operator", others]).report();
    let rules: Vec<_> = told(&bare, &report)
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    assert_eq!(rules, ["impossible-condition"], "{report:#}");
}

/// Other tools have a kind of the same name, and most objects are none of ours.
#[test]
fn what_is_no_profile_is_told_once_or_passed_over() {
    let kubescape = "apiVersion: spdx.softwarecomposition.kubescape.io/v1beta1\n\
        kind: SeccompProfile\nspec:\n  containers: []\n";
    let service = "apiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: ConfigMap\n\
        data:\n  a.json: '{\"name\": 1}'\n";
    let chart = "apiVersion: v1\nkind: ConfigMap\ndata:\n{{ toYaml .Values.SCMP_ACT_X }}\nx: [\n";
    for (contents, expected) in [
        (kubescape, "not-a-profile"),
        (service, "not-a-profile"),
        (chart, "yaml-syntax"),
        (
            "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n",
            "not-a-profile",
        ),
    ] {
        let report = check_as("it.yaml", contents, &[]).report();
        let rules: Vec<_> = told(contents, &report)
            .into_iter()
            .map(|(rule, _)| rule)
            .collect();
        assert_eq!(rules, [expected], "{contents}");
        assert_eq!(report["summary"]["profiles"], 0);
        let ran = check_as("it.yaml", contents, &["--skip-non-profiles"]);
        assert_eq!(
            (ran.code, &ran.report()["summary"]["skipped"]),
            (0, &json!(1))
        );
    }
    assert_eq!(
        check_as("chart.yaml", chart, &[]).code,
        0,
        "a template may be anything"
    );
}

/// A directory of manifests is checked like one of JSON files, whatever else is in it.
#[test]
fn a_walk_finds_profiles_in_yaml() {
    let directory = TempDir::new().expect("a directory");
    let put = |name: &str, contents: &str| {
        fs::write(directory.path().join(name), contents).expect("a file");
    };
    put("a.yaml", &object(BAD));
    put("b.yml", &object(BAD));
    put("c.txt", &object(BAD));
    put("d.yaml", "on: push\njobs: {}\n");
    put("e.yaml", "{{ broken\n  - : SCMP_ACT_ALLOW");
    put("f.YAML", &object(GOOD));
    let path = directory.path().display().to_string();
    let ran = run(["check", &path, "--format=json"]);
    let report = ran.report();
    let paths: Vec<_> = (findings(&report).iter())
        .map(|finding| finding["path"].as_str().expect("a path").replace(&path, ""))
        .collect();
    assert_eq!(paths, ["/a.yaml", "/b.yml", "/c.txt"]);
    let summary = &report["summary"];
    assert_eq!(
        [&summary["files"], &summary["profiles"], &summary["skipped"]],
        [6, 4, 2]
    );
}

/// `helm template . | seclint check -`
#[test]
fn standard_input_may_be_yaml() {
    let mut command = seclint();
    command.args(["check", "-", "--format=json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("seclint runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = format!("---\n# Source: chart\n{}", object(BAD));
    stdin.write_all(text.as_bytes()).expect("a pipe");
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().expect("seclint ends"));
    assert_eq!(ran.report()["findings"][0]["rule"], "unknown-syscall");
}

/// In a template, words are wrong whatever it becomes; that something is missing or
/// there twice may be its very point.
#[test]
fn a_template_is_checked_word_by_word() {
    let json = indented(
        r#"{
  "defaultAction": "{{ .Values.action }}",
{{- if .Values.extra }}
  "architectures": {{ .Values.architectures | toJson }},
{{- end }}
  "syscalls": [
    {"names": [
      {{- range .Values.names }}"{{ . }}",{{ end }}
      "kexec_file_lod", "read", "{{ .prefix }}kill", {{/* }} */}}
      {{ if .Values.old }}"read"{{ else }}"read"{{ end }}
    ], "action": "SCMP_ACT_ALLOW"},
    {{ include "more" . }}
  ]
}"#,
        "    ",
        "\n",
    );
    let contents = format!(
        "{{{{- if .Values.enabled }}}}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  \
         name: {{{{ .Release.Name }}}}\ndata:\n  p.json: |\n{json}{{{{ end }}}}\n---\n{}",
        object("syscalls:\n{{ toYaml .x }}\n- names: [raed]\n  action: {{ .y }}\n- {names: []}")
    );
    let report = check_as("it.yaml", &contents, &[]).report();
    let expected = [
        pair("yaml-syntax", "{{- if .Values.enabled }}"),
        pair("unknown-syscall", "kexec_file_lod"),
        pair("unknown-syscall", "raed"),
    ];
    assert_eq!(told(&contents, &report), expected, "{contents}\n{report:#}");
    assert_eq!(report["findings"][0]["severity"], "info");
    assert_eq!(report["summary"]["profiles"], 2);
}

/// The file that the operator writes has no errno of 0: whoever reads on would think that calls
/// succeed which fail with EPERM, and the other way round of what stands in a `ConfigMap`.
#[test]
fn an_errno_of_0_is_what_the_operator_makes_of_it() {
    let entry = "- {names: [mkdir], action: SCMP_ACT_ERRNO, errnoRet: 0}";
    let alone = object(&format!(
        "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n{entry}\n"
    ));
    let base = alone.replace("  name: ", "  name: base-");
    let own = object(
        "defaultAction: SCMP_ACT_ALLOW\nbaseProfileName: base-it\nsyscalls:\n- {names: [rmdir], action: SCMP_ACT_LOG}\n",
    );
    let map = "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.json: '{\"defaultAction\": \"SCMP_ACT_ALLOW\", \
        \"syscalls\": [{\"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 0}]}'\n";
    for (contents, name, expected) in [
        (alone.clone(), "it", None),
        (format!("{own}---\n{base}"), "it", None),
        (map.to_owned(), "a.json", Some(0)),
    ] {
        let (_directory, path) = file("it.yaml", &contents);
        let path = path.display().to_string();
        let ran = run(["resolve", "--engine=crio", "--name", name, &path]);
        let section: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
        let entries = section["syscalls"].as_array().expect("rule entries").iter();
        let mut denied = entries.filter(|it| it["action"] == "SCMP_ACT_ERRNO");
        let errno = denied.next().expect(&contents).get("errnoRet").cloned();
        assert_eq!(errno.and_then(|it| it.as_u64()), expected, "{contents}");
    }
}

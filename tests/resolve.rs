//! `seclint resolve`, as a user runs it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{Ran, file, run};

const PROFILE: &str = r#"{
  "defaultAction": "SCMP_ACT_ERRNO",
  "archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
  "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_ALLOW", "comment": "for all"},
    {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
    {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}
  ]
}"#;

fn resolve(profile: &str, options: &[&str]) -> Ran {
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let arguments = ["resolve", &path].into_iter();
    let ran = run(arguments.chain(options.iter().copied()));
    Ran {
        stderr: ran.stderr.replace(&path, "profile.json"),
        stdout: ran.stdout.replace(&path, "profile.json"),
        ..ran
    }
}

fn section(options: &[&str]) -> Value {
    let ran = resolve(PROFILE, options);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn names(section: &Value) -> Vec<&str> {
    let entries = section["syscalls"].as_array().expect("rule entries");
    let names = entries.iter().map(|entry| entry["names"][0].as_str());
    names.map(|name| name.expect("a name")).collect()
}

/// Each engine makes another section of one profile, and the host and the container another one
/// again: a user compares them before a profile goes from one to the other.
#[test]
fn engines_hosts_and_containers_differ() {
    let docker = ["--engine=docker", "--arch=arm64", "--kernel=6.1"];
    let section = section_with(&docker, &[]);
    let expected = json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "architectures": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"},
        ],
    });
    assert_eq!(section, expected);
    let old = section_with(&docker[..2], &["--kernel=4.7.10-generic"]);
    assert_eq!(names(&old), ["read"]);
    let first = section_with(&docker[..2], &["--kernel=4.8.0-1-amd64"]);
    assert_eq!(names(&first), ["read", "ptrace"]);
    let podman = ["--engine=podman", "--arch=x86_64", "--kernel=4.7"];
    let section = section_with(&podman, &[]);
    assert_eq!(names(&section), ["read", "ptrace"]);
    assert!(section.get("architectures").is_none());
    for options in [["--cap-add=bpf"], ["--privileged"], ["--cap-add=all"]] {
        let section = section_with(&podman, &options);
        assert_eq!(names(&section), ["read", "bpf", "ptrace"], "{options:?}");
    }
    let containerd = section_with(&["--engine=containerd"], &[]);
    assert_eq!(names(&containerd), ["read", "bpf", "ptrace"]);
}

fn section_with(options: &[&str], more: &[&str]) -> Value {
    section(&[options, more].concat())
}

/// A container that runs without a filter must not look like one whose filter allows nothing.
#[test]
fn null_is_no_filter() {
    for engine in ["docker", "podman", "crio"] {
        let ran = resolve("{}", &["--engine", engine]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "null\n"), "{engine}");
    }
    // containerd hands on what is empty, and leaves it to the runtime.
    let ran = resolve("{}", &["--engine=containerd"]);
    assert_eq!(ran.stdout, "{\n  \"defaultAction\": \"\"\n}\n");
    for engine in ["crio", "containerd"] {
        let ran = resolve(PROFILE, &["--engine", engine, "--privileged"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "null\n"), "{engine}");
    }
    let ran = resolve("{}", &["--engine=docker", "--explain"]);
    let said =
        "profile.json: no filter: the profile has neither a default action nor a rule entry\n";
    assert_eq!(ran.stdout, said);
}

/// A script that goes on after a refusal would start containers that the engine does not start; a
/// user who is not told where must search.
#[test]
fn a_refusal_is_told_in_the_engines_words_with_its_place() {
    let profile =
        "{\n \"defaultAction\": \"SCMP_ACT_ERRNO\",\n \"syscalls\": [\n  {\"names\": \"read\"}]}";
    let ran = resolve(profile, &["--engine=podman"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(
        ran.stderr,
        "seclint: error: profile.json:4:13: Podman refuses the profile: decoding seccomp profile \
         failed: json: cannot unmarshal string (/syscalls/0/names must be an array)\n"
    );
    let ran = resolve("{\"defaultAction\": \"x\",}", &["--engine=docker"]);
    assert_eq!(
        ran.stderr,
        "seclint: error: profile.json:1:23: Docker refuses the profile: Decoding seccomp profile \
         failed: invalid character '}' looking for beginning of object key string\n"
    );
    let ran = resolve("", &["--engine=crio"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("unexpected end of JSON input"),
        "{}",
        ran.stderr
    );
}

/// What cannot be asked is no refusal: a script that tells the two apart would take a slip of the
/// pen for a bad profile.
#[test]
fn bad_arguments_end_with_2() {
    for options in [
        &[][..],
        &["--engine=rkt"],
        &["--engine=docker", "--cap-add=NET_ADMON"],
        &["--engine=podman", "--cap-add=bpf", "--cap-drop=bpf"],
        &["--engine=docker", "--arch=x32"],
        &["--engine=docker", "--arch=vax"],
        &["--engine=docker", "--kernel=six"],
        &["--engine=docker", "--format=json"],
    ] {
        let ran = resolve(PROFILE, options);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{options:?}");
        assert!(!ran.stderr.is_empty());
    }
    assert_eq!(run(["resolve", "/nonexistent", "--engine=docker"]).code, 2);
}

/// Why a rule entry is not in force is what a user asks when a container may do less, or more, than
/// the profile says.
#[test]
fn every_rule_entry_is_explained() {
    let options = [
        "--engine=docker",
        "--arch=x86_64",
        "--kernel=4.7",
        "--explain",
    ];
    let ran = resolve(PROFILE, &options);
    assert_eq!(
        ran.stdout,
        "profile.json:5:5: read: in\n\
         profile.json:6:5: bpf: out, because it includes CAP_BPF, which the container does not have\n\
         profile.json:7:5: ptrace: out, because it includes kernels from 4.8 on\n\
         in the section: 1 of 3 rule entries\n"
    );
    let ran = resolve(PROFILE, &[&options[..], &["--format=json"]].concat());
    let report = ran.report();
    let verdicts: Vec<_> = (report["entries"].as_array().expect("entries").iter())
        .map(|entry| (entry["pointer"].clone(), entry["verdict"].clone()))
        .collect();
    let expected = [
        ("/syscalls/0", "in"),
        ("/syscalls/1", "lacks-capability"),
        ("/syscalls/2", "lacks-kernel"),
    ];
    assert_eq!(verdicts, expected.map(|(a, b)| (json!(a), json!(b))));
    assert_eq!(names(&report["section"]), ["read"]);
    let ran = resolve("{}", &[&options[..], &["--format=json"]].concat());
    assert_eq!(ran.report()["section"], Value::Null);
}

/// Who asks why a rule entry is in force must learn that its conditions are not looked at.
#[test]
fn conditions_that_the_engine_does_not_read_are_told() {
    let podman = ["--engine=podman", "--arch=x86_64", "--explain"];
    let ran = resolve(PROFILE, &podman);
    let said = "ptrace: in; Podman does not read its `includes.minKernel`\n";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    let containerd = ["--engine=containerd", "--explain", "--format=json"];
    let report = resolve(PROFILE, &containerd).report();
    assert_eq!(report["entries"][0]["unread"], json!([]));
    assert_eq!(report["entries"][1]["unread"], json!(["includes.caps"]));
    let ran = resolve(PROFILE, &["--engine=docker", "--arch=x86_64", "--explain"]);
    assert!(!ran.stdout.contains("does not read"), "{}", ran.stdout);
    let profile = r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm"]}}]}"#;
    let ran = resolve(profile, &podman);
    let said = "its `includes.arches` does not name `amd64`, the host's architecture";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}

/// `null` alone tells nobody that the file was of another kind than the engine reads.
#[test]
fn why_there_is_null_is_said() {
    let config = r#"{"ociVersion":"1.0.0","process":{},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}}"#;
    let ran = resolve(config, &["--engine=docker"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "null\n"));
    let said = "engines do not look into a container's configuration";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

/// The operator and the kubelet take profiles out of manifests before an engine reads them.
#[test]
fn profiles_in_manifests_are_resolved() {
    let spec = r#""spec":{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let manifest = format!(
        r#"{{"apiVersion":"security-profiles-operator.x-k8s.io/v1","kind":"SeccompProfile",{spec}}}"#
    );
    let ran = resolve(&manifest, &["--engine=crio"]);
    let section: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(names(&section), ["read"]);
    let ran = resolve(&manifest, &["--engine=crio", "--explain", "--format=json"]);
    assert_eq!(ran.report()["entries"][0]["pointer"], "/spec/syscalls/0");
    let deployment = r#"{"apiVersion":"apps/v1","kind":"Deployment"}"#;
    let ran = resolve(deployment, &["--engine=crio"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr
            .contains("a Kubernetes manifest without a profile"),
        "{}",
        ran.stderr
    );
}

/// A program that asks for JSON gets some, also where the engine crashes on the profile.
#[test]
fn a_refusal_is_in_the_report() {
    let null = r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[null]}"#;
    let ran = resolve(null, &["--engine=podman", "--explain", "--format=json"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("Podman crashes on the profile"),
        "{}",
        ran.stderr
    );
    let report = ran.report();
    let words = report["refused"].as_str().expect("words");
    assert!(words.contains("nil pointer dereference"), "{words}");
    assert_eq!(report["section"], Value::Null);
}

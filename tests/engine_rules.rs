//! What `seclint check --engine` says of engines, held against what `seclint resolve` says that they
//! do, which is held against real ones in `engines.rs`. If one of these fails, a user hears of
//! something that an engine does not do, or does not hear of something that it does.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use seclint::engine::{Circumstances, Engine, resolve};
use seclint::syscalls::{Arch, KernelVersion};
use seclint::text::json;
use serde_json::{Value, json};
use support::{file, run};

fn report(name: &str, text: &str, options: &[&str]) -> Value {
    let (_directory, path) = file(name, text);
    let path = path.display().to_string();
    let arguments = ["check", &path, "--format=json"];
    run(arguments.into_iter().chain(options.iter().copied())).report()
}

/// The messages of a rule's findings.
fn told(profile: &str, rule: &str, engine: Engine, options: &[&str]) -> Vec<String> {
    let select = format!("--select={rule}");
    let engine = format!("--engine={}", engine.name());
    let mut all = vec![select.as_str(), engine.as_str()];
    all.extend(options);
    messages(&report("profile.json", profile, &all))
}

fn messages(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| finding["message"].as_str().expect("a message").to_owned())
        .collect()
}

/// The section that an engine makes, as JSON.
fn section(profile: &str, engine: Engine, arch: Arch, kernel: KernelVersion) -> Value {
    let document = json::parse(profile.as_bytes());
    let circumstances = Circumstances {
        arch,
        kernel,
        capabilities: Vec::new(),
        is_privileged: false,
    };
    let resolved = resolve(profile.as_bytes(), &document, engine, &circumstances);
    let section = resolved.expect("resolved").section.expect("a section");
    serde_json::to_value(section).expect("JSON")
}

const KERNEL: KernelVersion = KernelVersion::new(6, 1);

/// On each host on which an engine passes over `archMap` it says so, and on no other.
#[test]
fn archmap_is_said_to_be_ignored_where_it_is() {
    let mut ignored = 0;
    for engine in [Engine::Docker, Engine::Podman, Engine::Crio] {
        for host in Arch::ALL.into_iter().filter(|host| host.runs_engines()) {
            let profile = json!({
                "defaultAction": "SCMP_ACT_ERRNO",
                "archMap": [{"architecture": host.token(), "subArchitectures": [host.token()]}],
                "syscalls": [],
            })
            .to_string();
            let section = section(&profile, engine, host, KERNEL);
            let is_ignored = section["architectures"].is_null();
            let told = told(&profile, "archmap-ignored-for-arch", engine, &[]);
            assert_eq!(!told.is_empty(), is_ignored, "{engine:?} on {host}");
            ignored += usize::from(is_ignored);
        }
    }
    assert!(ignored > 10, "{ignored} ignored");
}

/// The rule entries that containerd is said to apply to every container are those that it applies
/// and Docker does not.
#[test]
fn conditions_are_said_to_be_ignored_where_they_are() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{},"excludes":{"caps":[]}},
        {"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}},
        {"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"9.0"}},
        {"names":["mount"],"action":"SCMP_ACT_ERRNO","excludes":{"arches":["amd64"]}}]}"#;
    let count = |engine: Engine| {
        let section = section(profile, engine, Arch::X86_64, KERNEL);
        section["syscalls"].as_array().expect("rule entries").len()
    };
    let lost = count(Engine::Containerd) - count(Engine::Docker);
    assert_eq!(lost, 3);
    let rule = "docker-format-in-oci";
    let message = told(profile, rule, Engine::Containerd, &[]).concat();
    let expected = format!("{lost} rule entries hold for every container");
    assert!(message.ends_with(&expected), "{message}");
    for engine in [Engine::Docker, Engine::Podman, Engine::Crio] {
        assert!(told(profile, rule, engine, &[]).is_empty(), "{engine:?}");
    }
}

/// A bound is said to be ignored for the kernels on which it is.
#[test]
fn min_kernel_is_said_to_be_ignored_where_it_is() {
    let rule = "min-kernel-ignored";
    for side in ["includes", "excludes"] {
        let profile = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
            {{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","{side}":{{"minKernel":"4.8"}}}}]}}"#
        );
        for kernel in [KernelVersion::new(4, 4), KernelVersion::new(4, 8), KERNEL] {
            let option = format!("--kernel={kernel}");
            let meant = section(&profile, Engine::Docker, Arch::X86_64, kernel);
            for engine in [Engine::Docker, Engine::Podman, Engine::Crio] {
                let differs = section(&profile, engine, Arch::X86_64, kernel) != meant;
                let told = told(&profile, rule, engine, &[&option]);
                assert_eq!(!told.is_empty(), differs, "{engine:?}, {side}, {kernel}");
            }
        }
    }
}

/// An errno by name is said to be lost where the section does not have it; and what seclint
/// suggests brings it back.
#[test]
fn errnos_by_name_are_said_to_be_lost_where_they_are() {
    let rule = "errno-string-not-portable";
    for (errno, beside) in [
        ("ENOSYS", ""),
        ("ENOSYS", r#","errnoRet":38"#),
        ("ENOSYS", r#","errnoRet":1"#),
        ("EPERM", ""),
        ("13", ""),
    ] {
        let profile = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {{"names":["mount"],"action":"SCMP_ACT_ERRNO","errno":"{errno}"{beside}}}]}}"#
        );
        let made = |profile: &str, engine: Engine| {
            let section = section(profile, engine, Arch::X86_64, KERNEL);
            section["syscalls"][0]["errnoRet"].as_u64().unwrap_or(1)
        };
        let engine = Engine::Docker;
        let differs = made(&profile, engine) != made(&profile, Engine::Podman);
        let options = [
            format!("--select={rule}"),
            format!("--engine={}", engine.name()),
        ];
        let options = options.each_ref().map(String::as_str);
        let report = report("profile.json", &profile, &options);
        let finding = &report["findings"][0];
        assert_eq!(!finding.is_null(), differs, "{profile}");
        if differs {
            let better = support::fixed(&profile, [finding]);
            assert_eq!(
                made(&better, engine),
                made(&profile, Engine::Podman),
                "{better}"
            );
        }
    }
}

/// What no engine reads as a file, a runtime's section or an object of the operator's, is not
/// spoken of as if one did; what a `ConfigMap` carries to a node is, in its place.
#[test]
fn only_what_engines_read_is_spoken_of() {
    let everything = [
        "--engine=docker,podman,crio,containerd",
        "--strict",
        "--select=docker-format-in-oci,errno-string-not-portable,min-kernel-ignored,\
         archmap-ignored-for-arch,podman-validate-gap,denied-by-engine-difference",
    ];
    let operator = "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n\
        metadata: {name: it}\nspec:\n  defaultAction: SCMP_ACT_KILL_PROCESS\n";
    let found = report("operator.yaml", operator, &everything);
    assert_eq!(messages(&found), [""; 0]);
    let section = r#"{"ociVersion":"1.0.2","linux":{"seccomp":{"defaultAction":"SCMP_ACT_KILL_PROCESS",
        "syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ALLOW"}]}}}"#;
    let found = report("config.json", section, &everything);
    assert_eq!(messages(&found), [""; 0]);
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata:\n  it.json: |\n    \
        {\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"bpf\"],\n    \
        \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": [\"CAP_BPF\"]}}]}\n";
    let found = report("map.yaml", map, &everything);
    assert_eq!(messages(&found).len(), 1, "{found}");
    assert_eq!(found["findings"][0]["rule"], "docker-format-in-oci");
    assert_eq!(found["findings"][0]["span"]["start"]["line"], 7);
}

/// A report that does not say whom it is about cannot be compared with another.
#[test]
fn the_report_names_the_engines() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}"#;
    let engines =
        |options: &[&str]| report("profile.json", profile, options)["target"]["engines"].clone();
    assert_eq!(engines(&[]), json!([]));
    let named = engines(&["--engine=crio", "--engine=docker", "--engine=crio"]);
    assert_eq!(named, json!(["docker", "crio"]));
    let ran = run(["check", "--engine=rkt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("containerd"), "{}", ran.stderr);
}

/// Before anybody says who reads them, profiles as Docker and Podman ship them are not complained
/// of: fields of one engine say that the file is for that engine.
#[test]
fn a_format_alone_is_no_mistake() {
    let docker = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
        "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},
                   {"architecture":"SCMP_ARCH_MIPS64N32","subArchitectures":["SCMP_ARCH_MIPS"]},
                   {"architecture":"SCMP_ARCH_PPC64LE","subArchitectures":null}],
        "syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
                    {"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}"#;
    let podman = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"defaultErrno":"ENOSYS",
        "syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"errno":"EPERM"},
                    {"names":["sync"],"action":"SCMP_ACT_ERRNO","errno":"EIO"}]}"#;
    // Podman ignores this, Docker does not.
    let either = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[],
        "archMap":[{"architecture":"SCMP_ARCH_PPC64","subArchitectures":["SCMP_ARCH_PPC"]}]}"#;
    for profile in [docker, podman, either] {
        let found = report(
            "profile.json",
            profile,
            &["--ignore=missing-runtime-syscalls"],
        );
        assert_eq!(messages(&found), [""; 0]);
    }
}

/// A safe fix of `name` changes no engine's section, and an engine that does not read it is told of.
#[test]
fn a_name_is_brought_up_to_date_for_who_reads_it() {
    for entry in [
        r#"{"name":"reboot","action":"SCMP_ACT_ERRNO"}"#,
        r#"{"name":"reboot","names":[],"action":"SCMP_ACT_ERRNO"}"#,
    ] {
        let profile = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{entry}]}}"#);
        for engines in [
            &[Engine::Docker][..],
            &[Engine::Podman],
            &[Engine::Containerd],
            &[Engine::Docker, Engine::Containerd],
        ] {
            let names = engines.iter().map(|it| format!("--engine={}", it.name()));
            let names: Vec<_> = names.collect();
            let mut options: Vec<_> = names.iter().map(String::as_str).collect();
            options.push("--select=deprecated-name,docker-format-in-oci");
            let report = report("profile.json", &profile, &options);
            let findings = report["findings"].as_array().expect("findings");
            let rules: Vec<_> = findings.iter().map(|it| &it["rule"]).collect();
            let loses = engines.contains(&Engine::Containerd);
            assert_eq!(rules.contains(&&json!("docker-format-in-oci")), loses);
            let dated = findings.iter().find(|it| it["rule"] == "deprecated-name");
            let Some(dated) = dated else {
                assert_eq!(engines, [Engine::Containerd], "{profile}");
                continue;
            };
            let made = |profile: &str, engine: Engine| {
                let section = section(profile, engine, Arch::X86_64, KERNEL);
                section["syscalls"][0]["names"].clone()
            };
            let better = support::fixed(&profile, [dated]);
            let is_same = |engine: &Engine| made(&profile, *engine) == made(&better, *engine);
            let applicability = &dated["fix"]["applicability"];
            assert_eq!(
                applicability == "safe",
                engines.iter().all(is_same),
                "{better}"
            );
            assert_eq!(made(&better, Engine::Containerd), json!(["reboot"]));
        }
    }
}

/// A filter's field is judged by those that read the profile.
#[test]
fn filters_are_judged_for_the_engines_that_are_named() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["bpf"],
        "action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BFP"],"arches":["loong64"],"minKernel":"5.4.0"}}]}"#;
    for (engine, rules) in [
        (Engine::Docker, [1, 1, 1]),
        (Engine::Podman, [1, 0, 0]),
        (Engine::Crio, [1, 0, 0]),
        (Engine::Containerd, [0, 0, 0]),
    ] {
        let told = [
            "unknown-capability",
            "arches-filter-never-matches",
            "invalid-min-kernel",
        ]
        .map(|rule| told(profile, rule, engine, &[]).len());
        assert_eq!(told, rules, "{}", engine.name());
    }
}

/// To Podman the first rule entry asks for ENOSYS and decides; to Docker it asks for what the default
/// does, and is left out.
#[test]
fn an_errno_by_name_counts_where_it_is_read() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["chmod"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"},
        {"names":["chmod"],"action":"SCMP_ACT_ALLOW"}]}"#;
    for (engine, told_of) in [(Engine::Podman, [0, 1]), (Engine::Docker, [1, 0])] {
        let rules = ["ineffective-deny", "conflicting-unconditional-rules"];
        let told = rules.map(|rule| told(profile, rule, engine, &[]).len());
        assert_eq!(told, told_of, "{}", engine.name());
    }
}

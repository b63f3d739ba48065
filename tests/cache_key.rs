//! `seclint cache-key`. That keys are those of the entries that real cruns left is for `runtimes.rs`:
//! the record has the key of every section.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use seclint::crun::{self, Host, cache_key};
use seclint::engine::{Circumstances, Engine, resolve};
use seclint::profile::{self, Found};
use seclint::syscalls::Arch;
use seclint::text::json;
use serde_json::Value;
use support::{file, repository, run};

/// Podman reads a profile and writes it anew, without what is empty. The audit
/// must find the entry of a profile that went this way as well.
#[test]
fn a_profile_that_went_through_podman_has_the_key_of_what_podman_wrote() {
    let recorded = fs::read(repository("tests/fixtures/podman.json")).expect("a fixture");
    let recorded: Value = serde_json::from_slice(&recorded).expect("JSON");
    let host = Host {
        crun: "1.21".to_owned(),
        libseccomp: "2.6.0".parse().expect("a release"),
        uname: "6.1.0|#1 SMP|x86_64".parse().expect("a uname"),
    };
    let key = |text: &[u8]| {
        let document = json::parse(text);
        let Found::Profile(profile) = profile::find(&document, None) else {
            panic!("a profile");
        };
        let section = crun::section(&document, text, &profile, &host.crun);
        cache_key(&section.expect("a section"), false, &host).expect("a key")
    };
    let [profile, section] = ["profile", "section"].map(|field| {
        let text = recorded[field].as_str().expect("text");
        text.as_bytes()
    });
    let document = json::parse(profile);
    let circumstances = Circumstances {
        arch: Arch::X86_64,
        kernel: "6.1".parse().expect("a kernel"),
        capabilities: Vec::new(),
        is_privileged: false,
    };
    let resolved = resolve(profile, &document, Engine::Podman, &circumstances);
    let resolved = resolved.expect("a section").to_json().expect("JSON");
    assert_eq!(key(&resolved), key(section));
    assert_ne!(key(profile), key(section));
}

/// A profile that an engine resolves first has no key of its own.
#[test]
fn profiles_for_engines_are_refused_a_key() {
    let host = [
        "--runtime=crun@1.21",
        "--libseccomp=2.6.0",
        "--uname=6.1.0|#1 SMP|x86_64",
    ];
    for (field, profile) in [
        (
            "archMap",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64"}],"syscalls":[]}"#,
        ),
        (
            "includes",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}"#,
        ),
        (
            "name",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"name":"bpf","action":"SCMP_ACT_ALLOW"}]}"#,
        ),
        (
            "errno",
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errno":"EPERM"}]}"#,
        ),
    ] {
        let (_directory, path) = file("profile.json", profile);
        let path = path.display().to_string();
        let ran = run(["cache-key", &path].into_iter().chain(host));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{field}");
        assert!(
            ran.stderr.contains(&format!("`{field}` is for an engine")),
            "{}",
            ran.stderr
        );
    }
}

/// Somebody who looks for an entry by a key that crun never makes takes the cache for evicted.
#[test]
fn what_crun_refuses_has_no_key() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_KILL","errnoRet":1}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let host = ["--runtime=crun@1.21", "--libseccomp=2.6.0"];
    let uname = "--uname=6.1.0|#1 SMP|x86_64";
    let ran = run(["cache-key", &path, uname].into_iter().chain(host));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    let words = "crun refuses this profile: errno value specified for action `SCMP_ACT_KILL`";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let engine = ["--engine=docker", "--arch=arm64"];
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let path = path.display().to_string();
    let arguments = ["cache-key", &path, uname].into_iter().chain(host);
    let ran = run(arguments.clone().chain(engine));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--arch says aarch64"), "{}", ran.stderr);
    assert_eq!(run(arguments).code, 0);
}

/// Advice to give what was given sends a user in circles.
#[test]
fn only_what_is_missing_is_asked_for() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let ran = run([
        "cache-key",
        &path.display().to_string(),
        "--runtime=crun@1.21",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("--libseccomp RELEASE"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("--runtime"), "{}", ran.stderr);
}

/// A crun that is newer than what was measured may name entries in another way.
#[test]
fn an_unknown_crun_is_said_to_be_unknown() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
    let path = path.display().to_string();
    let ran = run([
        "cache-key",
        &path,
        "--runtime=crun@1.40",
        "--libseccomp=2.6.1",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("crun 1.40"), "{}", ran.stderr);
}

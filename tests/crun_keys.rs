//! Keys that real cruns gave real sections: `tests/fixtures/crun_keys.jsonl` and
//! `crun_keys_odd.jsonl`, a line for each section and crun. If one of these fails,
//! the audit attributes entries to profiles that did not make them, or to none.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use seclint::crun::{self, Host, KeyError, cache_key};
use seclint::engine::{Circumstances, Engine, resolve};
use seclint::profile::{self, Dialects, Found};
use seclint::syscalls::Arch;
use seclint::text::json;
use serde_json::Value;
use support::{file, repository, run};

/// A section that was run, and what came of it.
struct Observed(Value);

impl Observed {
    fn all(file: &str) -> Vec<Self> {
        let lines = fs::read_to_string(repository("tests/fixtures").join(file)).expect(file);
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.map(Self).collect()
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0[field].as_str()
    }

    fn host(&self) -> Host {
        Host {
            crun: self.text("crun").expect("crun").to_owned(),
            libseccomp: self
                .text("libseccomp")
                .and_then(|it| it.parse().ok())
                .expect("libseccomp"),
            uname: self
                .text("uname")
                .and_then(|it| it.parse().ok())
                .expect("uname"),
        }
    }

    fn fails_on_unknown(&self) -> bool {
        let value = self.text("annotation");
        value.is_some_and(|value| value.split('\0').next() != Some("0"))
    }

    /// The key that seclint gives the section.
    fn key(&self, section: &str) -> Result<String, KeyError> {
        let document = json::parse(section.as_bytes());
        let found = profile::find(&document, Some(Dialects::OCI));
        let Found::Profile(profile) = found else {
            return Err(KeyError::NoSection);
        };
        let host = self.host();
        let section = crun::section(&document, section.as_bytes(), &profile, &host.crun)?;
        cache_key(&section, self.fails_on_unknown(), &host)
    }
}

#[test]
fn keys_are_those_of_the_entries_that_crun_left() {
    let mut compared = std::collections::BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    for observed in Observed::all("crun_keys.jsonl") {
        let case = observed.text("case").expect("case");
        let crun = observed.text("crun").expect("crun");
        let Some(left) = observed.text("key") else {
            continue;
        };
        let made = observed.key(observed.text("section").expect("section"));
        if made.as_deref() != Ok(left) {
            wrong.push(format!("crun {crun}, {case}: {made:?}, crun's is {left}"));
        }
        *compared.entry(crun.to_owned()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        compared.len() >= 2 && compared.values().all(|&count| count >= 100),
        "{compared:?}"
    );
}

/// Sections that versions of crun read in different ways: each is read as its version reads it.
#[test]
fn odd_sections_have_the_key_of_their_crun() {
    let mut wrong = Vec::new();
    let mut same = 0;
    for observed in Observed::all("crun_keys_odd.jsonl") {
        let (Some(section), Some(left)) = (observed.text("section"), observed.text("key")) else {
            continue;
        };
        match observed.key(section) {
            Ok(made) if made == left => same += 1,
            made => wrong.push(format!(
                "{:?}: {made:?}, crun's is {left}",
                observed.text("case")
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(same > 200, "{same} keys");
}

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

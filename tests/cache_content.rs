//! Whether the entries of a cache are what their configurations ask for. If one of these fails, a
//! container that runs with another filter than its own passes for a healthy one, or crun and
//! libseccomp are accused of what they did not do.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use seclint::crun::{Host, cache_key};
use seclint::filter::{Filter, compile, linked};
use seclint::runtime::Plan;
use seclint::runtime::crun::{Conditions, Parser, plan, read};
use seclint::syscalls::{Arch, Release};
use seclint::text::json;
use serde_json::{Value, json};
use support::{Ran, StateRoot, run};
use tempfile::TempDir;

fn entry<'r>(root: &StateRoot, report: &'r Value, container: &str) -> &'r Value {
    let key = &root.record["keys"][container];
    let entries = report["entries"].as_array().expect("entries");
    let entry = entries.iter().find(|entry| entry["name"] == *key);
    entry.expect("an entry")
}

fn findings<'r>(report: &'r Value, rule: &str) -> Vec<&'r Value> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.filter(|it| it["rule"] == rule).collect()
}

/// `mkdir` and `chmod` did in these containers what the witnesses say: it was tried.
#[test]
fn who_got_the_filter_of_another_is_told_by_a_call() {
    let root = StateRoot::of("collided");
    let report = root.audit(&["--format=json"]).report();
    for (container, former, syscall, has) in [
        ("denies", "pretends", "mkdir", ("SCMP_ACT_ERRNO", 0)),
        ("joined", "parted", "chmod", ("SCMP_ACT_ALLOW", 0)),
    ] {
        let entry = entry(&root, &report, container);
        assert_eq!(entry["status"], "mismatch");
        let witness = &entry["content"]["witness"];
        let call = json!({
            "architecture": "x86_64",
            "number": if syscall == "mkdir" { 83 } else { 90 },
            "syscall": syscall,
            "arguments": vec!["0x0"; 6],
        });
        assert_eq!(witness["call"], call);
        let asked = json!({"action": "SCMP_ACT_ERRNO", "data": 1, "known": true});
        assert_eq!(witness["configuration"], asked);
        assert_eq!(
            witness["entry"],
            json!({"action": has.0, "data": has.1, "known": true})
        );
        let told = findings(&report, "cache-content-mismatch");
        let told = told.iter().find(|it| it["facts"]["container"] == container);
        let told = told.expect("a finding");
        // Where the one who is wronged asks for something else.
        let label = &told["labels"][0];
        let path = label["path"].as_str().expect("a path");
        assert!(
            path.ends_with(&format!("{container}/config.json")),
            "{path}"
        );
        assert_eq!(label["pointer"], "/linux/seccomp/syscalls/0/names/0");
        assert_eq!(label["message"], "this rule entry asks for ERRNO(EPERM)");
        let help = told["help"].as_str().expect("help");
        assert!(
            help.contains(&format!("container {former} asks for")),
            "{help}"
        );
    }
    assert_eq!(report["summary"]["mismatch"], 2);
    assert_eq!(findings(&report, "cache-key-collision").len(), 2);

    // The first one is gone, and nobody knows any more where the filter came from.
    for container in ["pretends", "parted"] {
        fs::remove_dir_all(root.path().join(container)).expect("a container");
    }
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["mismatch"], 2);
    assert_eq!(findings(&report, "cache-key-collision").len(), 0);

    let pruned = root.audit(&["--prune"]);
    assert_eq!(pruned.stdout.matches(": removed\n").count(), 2);
    assert_eq!(
        root.audit(&["--format=json"]).report()["summary"]["entries"],
        0
    );
}

/// Profiles that will collide are told of before anything was run.
#[test]
fn profiles_with_one_key_are_told_without_an_entry() {
    let root = StateRoot::of("clean");
    let profiles = support::repository("tests/fixtures/cache/collided/profiles");
    let option = format!("--profile={}", profiles.display());
    let report = root.audit(&["--format=json", &option]).report();
    let told = findings(&report, "cache-key-collision");
    let syscalls: Vec<_> = told.iter().map(|it| &it["facts"]["syscall"]).collect();
    assert_eq!(syscalls, ["mkdir", "chmod"]);
    assert_eq!(told[0]["facts"]["paths"].as_array().map(Vec::len), Some(2));
}

/// Who can write to the cache can have all that follow run with a filter of theirs.
#[test]
fn planted_filters_are_found() {
    let root = StateRoot::of("planted");
    let report = root.audit(&["--format=json"]).report();
    let planted = entry(&root, &report, "clean");
    assert_eq!(planted["status"], "mismatch");
    assert_eq!(
        planted["content"]["witness"]["entry"]["action"],
        "SCMP_ACT_ALLOW"
    );

    // A program that nobody can see through is no way out: A = nr + 1; if A == 1 ...
    let name = planted["name"].as_str().expect("a name");
    let bytes = b"\x20\0\0\0\0\0\0\0\x04\0\0\0\x01\0\0\0\x15\0\0\x01\x01\0\0\0\
                  \x06\0\0\0\0\0\0\0\x06\0\0\0\0\0\xff\x7f";
    fs::write(root.path().join(".cache/seccomp").join(name), bytes).expect("an entry");
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(entry(&root, &report, "clean")["status"], "mismatch");
}

/// Who is to correct a profile, or to know what was taken from it, looks for the line.
#[test]
fn the_default_action_is_shown_where_it_decides() {
    let made = Made::new(linked().unwrap_or(Release::new(2, 5, 4)));
    let section = section(&json!([]));
    // ERRNO(EPERM) for everything.
    let filter = Filter::detect(&[6, 0, 0, 0, 1, 0, 5, 0]).expect("a filter");
    made.entry(&section, &filter);
    made.container("one", &section);
    let report = made.audit().report();
    let label = &findings(&report, "cache-content-mismatch")[0]["labels"][0];
    assert_eq!(label["message"], "the default action asks for ALLOW");
    assert_eq!(label["pointer"], "/linux/seccomp/defaultAction");
}

/// What stands in the cache of a host, made as crun makes it with the libseccomp that is linked.
struct Made {
    directory: TempDir,
    host: Host,
}

const UNAME: &str = "6.1.0|#1 SMP|x86_64";

impl Made {
    /// Of a crun with that libseccomp.
    fn new(libseccomp: Release) -> Self {
        let directory = TempDir::new().expect("a directory");
        let cache = directory.path().join(".cache/seccomp");
        fs::create_dir_all(&cache).expect("a cache");
        for directory in [&cache, cache.parent().expect("a parent"), directory.path()] {
            private(directory);
        }
        let host = Host {
            crun: "1.21".to_owned(),
            libseccomp,
            uname: UNAME.parse().expect("a uname"),
        };
        Self { directory, host }
    }

    fn plan(&self, section: &Value, native: Arch) -> Plan {
        let text = section.to_string();
        let document = json::parse(text.as_bytes());
        let section = read(&document, text.as_bytes(), Parser::Yajl);
        let conditions = Conditions {
            parser: Parser::Yajl,
            libseccomp: self.host.libseccomp.into(),
            native,
            fails_on_unknown: false,
        };
        let planned = plan(&section.expect("a section").expect("a section"), conditions);
        planned.plan.expect("a plan").expect("a plan")
    }

    /// A container with that section.
    fn container(&self, id: &str, section: &Value) {
        let container = self.directory.path().join(id);
        fs::create_dir(&container).expect("a container");
        let config = json!({"ociVersion": "1.0.0", "linux": {"seccomp": section}});
        fs::write(container.join("config.json"), config.to_string()).expect("a configuration");
    }

    /// The section's entry.
    fn entry(&self, section: &Value, filter: &Filter) {
        let text = section.to_string();
        let document = json::parse(text.as_bytes());
        let section = read(&document, text.as_bytes(), Parser::Yajl);
        let section = section.expect("a section").expect("a section");
        let key = cache_key(&section, false, &self.host).expect("a key");
        let path = self.directory.path().join(".cache/seccomp").join(key);
        fs::write(&path, filter.bytes()).expect("an entry");
        private(&path);
    }

    fn audit(&self) -> Ran {
        let libseccomp = self.host.libseccomp;
        run([
            "cache-audit",
            &self.directory.path().display().to_string(),
            "--format=json",
            "--runtime=crun@1.21",
            &format!("--libseccomp={libseccomp}"),
            &format!("--uname={UNAME}"),
        ])
    }
}

fn private(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a mode");
}

fn section(entries: &Value) -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": entries})
}

/// A host has many containers of few profiles: what is the same is made once.
#[test]
fn a_thousand_entries_are_compared_and_each_section_is_compiled_once() {
    let Some(linked) = linked() else {
        return;
    };
    let made = Made::new(linked);
    for number in 0..1000 {
        let args = json!([{"index": 0, "value": number, "op": "SCMP_CMP_EQ"}]);
        let section = section(&json!([
            {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": args}
        ]));
        let filter = compile(&made.plan(&section, Arch::X86_64)).expect("a filter");
        made.entry(&section, &filter);
        made.container(&format!("one-{number}"), &section);
        if number % 10 == 0 {
            made.container(&format!("two-{number}"), &section);
        }
    }
    let report = made.audit().report();
    let summary = &report["summary"];
    assert_eq!(
        (&summary["entries"], &summary["clean"]),
        (&1000.into(), &1000.into())
    );
    assert_eq!(summary["compiled"], 1000);
    let entries = report["entries"].as_array().expect("entries");
    let by_bytes = entries
        .iter()
        .filter(|it| it["content"]["compared"] == "bytes");
    assert_eq!(by_bytes.count(), 1000);
}

/// On a Raspberry Pi, the kernel often has 64 bits, and the system with crun 32.
#[test]
fn a_narrow_crun_on_a_wide_kernel_is_not_accused() {
    let Some(linked) = linked() else {
        return;
    };
    let made = Made::new(linked);
    let section = section(&json!([{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]));
    let filter = compile(&made.plan(&section, Arch::X86)).expect("a filter");
    made.entry(&section, &filter);
    made.container("narrow", &section);
    let report = made.audit().report();
    assert_eq!(report["entries"][0]["status"], "clean");
    assert_eq!(report["entries"][0]["content"]["compared"], "meaning");
}

/// GHSA-4q85-33p6-j5g6: what libseccomp got wrong is not tampering, but a hole all the same.
#[test]
fn what_libseccomp_gets_wrong_is_told_as_its_fault() {
    let less = |value: u64, action: &str| {
        let args = json!([{"index": 0, "value": value, "op": "SCMP_CMP_LT"}]);
        json!({"names": ["personality"], "action": action, "args": args})
    };
    let section = json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        less((1 << 33) + 0x10, "SCMP_ACT_ALLOW"),
        less((1 << 33) + 5, "SCMP_ACT_KILL_PROCESS"),
    ]});
    let fixed = Release::new(2, 6, 1);
    let Some(linked) = linked().filter(|&linked| linked < fixed) else {
        return;
    };
    // With another release than the linked one, there is nothing to compare with but the meaning.
    let other = Release::new(2, 6, 0);
    for release in [linked, other] {
        // Whether crun would make it again, is known of the linked one.
        let expected = if release == linked {
            ("clean", "bytes", "update libseccomp")
        } else {
            ("mismatch", "meaning", "remove this entry")
        };
        let made = Made::new(release);
        let filter = compile(&made.plan(&section, Arch::X86_64)).expect("a filter");
        made.entry(&section, &filter);
        made.container("one", &section);
        let report = made.audit().report();
        let entry = &report["entries"][0];
        assert_eq!(
            (&entry["status"], &entry["content"]["compared"]),
            (&expected.0.into(), &expected.1.into())
        );
        let told = findings(&report, "cache-vulnerable-build");
        assert_eq!(told.len(), 1, "{report:#}");
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(1));
        let [message, help] = ["message", "help"].map(|it| told[0][it].as_str().expect("text"));
        assert!(message.contains("GHSA-4q85-33p6-j5g6"), "{message}");
        assert!(help.starts_with(expected.2), "{help}");
        assert_eq!(told[0]["facts"]["container"], "one");
        let label = &told[0]["labels"][0];
        assert_eq!(label["pointer"], "/linux/seccomp/syscalls/1/names/0");

        // Whoever plants a filter cannot pass it off as libseccomp's mistake by making that as well.
        let mut planted = section.clone();
        let allowed = json!({"names": ["mount"], "action": "SCMP_ACT_ALLOW"});
        let entries = planted["syscalls"].as_array_mut().expect("rule entries");
        entries.push(allowed);
        let filter = compile(&made.plan(&planted, Arch::X86_64)).expect("a filter");
        made.entry(&section, &filter);
        let report = made.audit().report();
        let told = findings(&report, "cache-content-mismatch");
        assert_eq!(told.len(), 1, "{report:#}");
        assert_eq!(told[0]["facts"]["syscall"], "mount");

        // Elsewhere a difference is a difference.
        made.entry(
            &section,
            &Filter::detect(&[6, 0, 0, 0, 0, 0, 0xff, 0x7f]).expect("a filter"),
        );
        let report = made.audit().report();
        assert_eq!(report["entries"][0]["status"], "mismatch");
    }
}

/// After an update the containers that run keep the filter of the library from before, though crun
/// looks for their entries under other names.
#[test]
fn what_containers_have_from_a_vulnerable_library_is_told_after_the_update() {
    let mut root = StateRoot::of("vulnerable");
    root.record["libseccomp"] = "2.6.1".into();
    let report = root.audit(&["--format=json"]).report();
    let told = findings(&report, "cache-vulnerable-build");
    assert_eq!(told.len(), 1, "{report:#}");
    let help = told[0]["help"].as_str().expect("help");
    assert!(help.starts_with("make the containers anew"), "{help}");
    assert_eq!(entry(&root, &report, "bounds")["status"], "clean");
}

/// An update that keeps the release leaves the entry under the name that crun looks for.
#[test]
fn what_a_vulnerable_library_made_can_be_removed() {
    let root = StateRoot::of("vulnerable");
    if linked() == Some(Release::new(2, 6, 0)) {
        // Then crun might make the same again.
        return;
    }
    let pruned = root.audit(&["--prune", "--select=cache-vulnerable-build"]);
    assert_eq!(pruned.stdout.matches(": removed\n").count(), 1);
    assert_eq!(root.audit(&["--format=json"]).code, 0);
}

/// Whoever can start containers could keep the audit from ever ending, with rules of which some
/// releases of libseccomp never make a filter.
#[test]
fn the_audit_ends_where_libseccomp_does_not() {
    let made = Made::new(linked().unwrap_or(Release::new(2, 5, 4)));
    let compare =
        |index: u32, value: u64, op: &str| json!({"index": index, "value": value, "op": op});
    let entry = |action: &str, args: [Value; 2]| json!({"names": ["personality"], "action": action, "args": args});
    let section = section(&json!([
        entry(
            "SCMP_ACT_ERRNO",
            [compare(0, 3, "SCMP_CMP_LT"), compare(2, 1, "SCMP_CMP_GE")]
        ),
        entry(
            "SCMP_ACT_KILL_PROCESS",
            [compare(2, 1, "SCMP_CMP_NE"), compare(0, 3, "SCMP_CMP_LE")]
        ),
    ]));
    made.entry(
        &section,
        &Filter::detect(&[6, 0, 0, 0, 0, 0, 0xff, 0x7f]).expect("a filter"),
    );
    made.container("one", &section);
    let report = made.audit().report();
    assert_eq!(report["entries"][0]["status"], "mismatch");
}

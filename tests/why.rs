//! `seclint why`, as a user runs it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod support;

use serde_json::Value;
use support::{ARCH, PROFILE, decided, file, on, run, why};

/// A person who reads this finds the line to change.
#[test]
fn the_deciding_rule_entry_and_those_that_lost_are_shown() {
    let asked = [
        vec!["read"],
        vec!["write", "1"],
        vec!["socket"],
        vec!["mseal"],
    ];
    let shown = asked.map(|asked| why(PROFILE, &asked).stdout);
    insta::assert_snapshot!(shown.join("\n"));
}

/// Default profiles have rule entries of hundreds of names over as many lines: their first line says
/// nothing of the call.
#[test]
fn the_name_is_shown_where_it_stands_in_a_long_rule_entry() {
    let names: Vec<_> = (seclint::syscalls::all().iter().take(200))
        .map(|call| format!("        \"{}\"", call.name()))
        .collect();
    let place = names.iter().position(|name| name.contains("\"bind\""));
    let line = place.expect("a name") + 5;
    let profile = format!(
        "{{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [\n  {{\n    \"action\": \"SCMP_ACT_ALLOW\",\n    \"names\": [\n{}\n    ]\n  }}\n]}}\n",
        names.join(",\n")
    );
    let ran = why(&profile, &["bind"]);
    let shown = &ran.stdout;
    assert!(
        shown.contains("decided by profile.json:2:3 (/syscalls/0)"),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("[profile.json:{line}:10]")),
        "{shown}"
    );
    assert!(shown.contains("decides: ALLOW"), "{shown}");
    assert!(!shown.contains("\x1b["), "{shown}");
    // As in the report of `seclint check`, colour is for terminals, or on demand.
    let ran = why(&profile, &["bind", "--color=always"]);
    assert!(ran.stdout.contains("\x1b["), "{}", ran.stdout);
    let ran = why(&profile, &["bind", "--color=always", "--format=json"]);
    assert!(!ran.stdout.contains('\x1b'), "{}", ran.stdout);
}

/// Programs read the same, by the schema.
#[test]
fn the_report_tells_places_and_reasons() {
    let report = why(PROFILE, &["read", "2", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "LOG");
    let way = &on(&report, "x86_64")["ways"][0];
    assert_eq!(way["cases"][0]["by"][0]["pointer"], "/syscalls/1");
    assert_eq!(way["cases"][0]["by"][0]["span"]["start"]["line"], 6);
    assert_eq!(way["lost"][0]["pointer"], "/syscalls/0");
    assert_eq!(way["lost"][0]["conditions"], "a0 == 1");
    let report = why(PROFILE, &["write", "--format=json"]).report();
    assert_eq!(report["passed_over"][0]["pointer"], "/syscalls/3");
}

/// A name that the host's libseccomp does not know comes to nothing, and nobody says so there.
#[test]
fn a_name_that_the_release_does_not_know_is_told() {
    let report = why(PROFILE, &["mseal", "--libseccomp=2.5.4", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ERRNO(EPERM)");
    let reason = &report["passed_over"][0]["reason"];
    assert_eq!(reason, "libseccomp 2.5.4 does not know the name");
    let report = why(PROFILE, &["mseal", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ALLOW");
}

/// On x86 programs reach sockets by `socketcall` too, where the filter cannot see the family: who is
/// told only of `socket` thinks that it is denied.
#[test]
fn a_carried_call_is_asked_for_both_ways() {
    let profile = PROFILE.replace("\"errnoRet\": 97, \"args\"", "\"args\"");
    let profile = profile.replace("SCMP_ACT_ERRNO\",\n  \"arch", "SCMP_ACT_ALLOW\",\n  \"arch");
    let report = why(&profile, &["socket", "AF_ALG", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ERRNO(EPERM)");
    assert_eq!(decided(&report, "x86"), "ERRNO(EPERM)");
    let by_carrier = &on(&report, "x86")["ways"][1];
    assert_eq!(by_carrier["via"], "socketcall");
    assert_eq!(by_carrier["cases"][0]["decision"]["text"], "ERRNO(EPERM)");
    let report = why(&profile, &["socket", "AF_INET", "--format=json"]).report();
    assert_eq!(decided(&report, "x86"), "ALLOW");
    let by_carrier = &on(&report, "x86")["ways"][1];
    assert_eq!(by_carrier["cases"][0]["decision"]["text"], "ERRNO(EPERM)");
}

/// Somebody asks of aarch64 about a call that it does not have.
#[test]
fn a_call_that_an_architecture_lacks_is_said_so() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["open"],"action":"SCMP_ACT_KILL"}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let ran = run(["why", &path, "open", "--arch=aarch64"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("aarch64\n  there is no such call\n"),
        "{}",
        ran.stdout
    );
}

/// Docker's list of families lets through what the kernel takes for `AF_ALG`: it looks at 32 bits of
/// the argument, and the filter at 64.
#[test]
fn docker_s_way_of_leaving_out_a_family_can_be_passed() {
    let rule = |op: &str, value: u32| {
        format!(
            r#"{{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":{value},"op":"SCMP_CMP_{op}"}}]}}"#
        )
    };
    let rules = [rule("LT", 38), rule("EQ", 39), rule("GT", 39)].join(",");
    let profile = format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{rules}]}}"#);
    let report = why(&profile, &["socket", "AF_ALG", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ERRNO(EPERM)");
    let report = why(&profile, &["socket", "0x100000026", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ALLOW");
}

/// Podman's default means to allow `perf_event_open` with `CAP_PERFMON`; the rule entry that denies
/// it without `CAP_SYS_ADMIN` comes first.
#[test]
fn podman_s_first_rule_entry_wins() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","defaultErrnoRet":38,"syscalls":[
        {"names":["perf_event_open"],"action":"SCMP_ACT_ERRNO","errno":"EPERM","errnoRet":1,"includes":{},"excludes":{"caps":["CAP_SYS_ADMIN"]}},
        {"names":["perf_event_open"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_PERFMON"]},"excludes":{}}]}"#;
    let capable = [
        "perf_event_open",
        "--engine=podman",
        "--cap-add=CAP_PERFMON",
        "--format=json",
    ];
    let report = why(profile, &capable).report();
    assert_eq!(decided(&report, "x86_64"), "ERRNO(EPERM)");
    let lost = &on(&report, "x86_64")["ways"][0]["lost"][0];
    assert_eq!(lost["pointer"], "/syscalls/1");
    // Without --engine it is the dialect's, which is said.
    let report = why(profile, &["perf_event_open", "--format=json"]).report();
    assert_eq!(report["engine"], "podman");
    let note = report["notes"][0].as_str().expect("a note");
    assert!(note.contains("taken as Podman reads it"), "{note}");
    let reason = report["passed_over"][0]["reason"]
        .as_str()
        .expect("a reason");
    assert!(reason.contains("CAP_PERFMON"), "{reason}");
}

/// Rules that overlap are told as the linked libseccomp orders them. Up to 2.6.0 it forgets the
/// second one below 2^33 (GHSA-4q85-33p6-j5g6).
#[test]
#[cfg(feature = "libseccomp")]
fn what_libseccomp_s_order_decides_is_told_as_the_linked_release_does_it() {
    let rule = |action: &str, value: u64| {
        format!(
            r#"{{"names":["read"],"action":"SCMP_ACT_{action}","args":[{{"index":0,"value":{value},"op":"SCMP_CMP_LT"}}]}}"#
        )
    };
    let rules = [rule("ALLOW", (1 << 33) + 0x10), rule("KILL", (1 << 33) + 5)].join(",");
    let profile = format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{rules}]}}"#);
    let linked = seclint::filter::linked().expect("a release");
    let has_bug = linked < seclint::syscalls::Release::new(2, 6, 1);
    for (argument, expected) in [
        ("0", if has_bug { "ALLOW" } else { "KILL_THREAD" }),
        ("0x200000004", "KILL_THREAD"),
        ("0x200000005", "ALLOW"),
        ("0x200000010", "ERRNO(EPERM)"),
    ] {
        let report = why(&profile, &["read", argument, "--format=json"]).report();
        assert_eq!(decided(&report, "x86_64"), expected, "{argument} {linked}");
        let note = report["notes"][0].as_str().expect("a note");
        assert!(
            note.contains(&format!("told as libseccomp {linked}")),
            "{note}"
        );
    }
    // Of another call all is known.
    let report = why(&profile, &["write", "--format=json"]).report();
    assert_eq!(report["notes"], serde_json::json!([]));
}

/// An entry of crun's cache has no rule entries, and means the same as what it was made from.
#[test]
fn a_filter_is_asked_as_a_profile_is() {
    let entry = support::repository("tests/fixtures/cache/clean/root/.cache/seccomp");
    let mut entries = std::fs::read_dir(entry).expect("a cache");
    let path = entries.next().expect("an entry").expect("an entry").path();
    let path = path.display().to_string();
    let report = run(["why", &path, "getpid", "--format=json"]).report();
    assert_eq!(report["runtime"], Value::Null);
    let bytes = std::fs::read(&path).expect("an entry");
    let filter = seclint::filter::Filter::detect(&bytes).expect("a filter");
    let call = seclint::filter::Call {
        number: 39,
        architecture: seclint::syscalls::Arch::X86_64.audit_arch(),
        ..Default::default()
    };
    let verdict = filter
        .evaluate(&call)
        .words(seclint::syscalls::Arch::X86_64.audit_arch());
    assert_eq!(decided(&report, "x86_64"), verdict);
}

/// Who asks about a profile that no container starts with must not take it for an answer.
#[test]
fn no_filter_and_no_container_are_told_apart() {
    let refused = why(r#"{"defaultAction":"SCMP_ACT_NONE"}"#, &["read"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stdout.contains("nothing runs: crun"),
        "{}",
        refused.stdout
    );
    let none = why("{}", &["read", "--engine=docker", "--format=json"]);
    assert_eq!(none.code, 0, "{none:?}");
    assert!(none.report()["no_filter"].is_string());
    let (_directory, path) = file("entry", b"\x01\0\0\0\0\0\0\0");
    let ran = run(["why", &path.display().to_string(), "read"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("the kernel refuses it"),
        "{}",
        ran.stdout
    );
}

/// The real ones.
#[test]
fn the_known_truths_come_out_of_the_real_profiles() {
    let Some(corpus) = std::env::var_os("SECLINT_CORPUS") else {
        println!("SKIPPED: SECLINT_CORPUS is not set");
        return;
    };
    let find = |start: &str| {
        let mut files = std::fs::read_dir(&corpus).expect("a corpus");
        let is_it = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(start);
        let found = files.find_map(|entry| {
            let path = entry.expect("an entry").path();
            is_it(path.file_name()?).then_some(path)
        });
        found.expect(start).display().to_string()
    };
    let docker = find("cb217aa19993");
    let ask = |path: &str, arguments: &[&str]| {
        let first = ["why", ARCH, path, "--format=json"];
        let arguments = first.iter().chain(arguments);
        decided(&run(arguments).report(), "x86_64")
    };
    assert_eq!(ask(&docker, &["socket", "AF_ALG"]), "ERRNO(EPERM)");
    assert_eq!(ask(&docker, &["socket", "0x100000026"]), "ALLOW");
    let podman = find("886ae167646b");
    let cap = [
        "--engine=podman",
        "--cap-add=CAP_PERFMON",
        "perf_event_open",
    ];
    assert_eq!(ask(&podman, &cap), "ERRNO(EPERM)");
}

/// A section with a rule entry on `read` for each of these values.
fn of_many(values: std::ops::Range<u32>, last: &str) -> String {
    let entries = values.map(|value| {
        format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":{value},"op":"SCMP_CMP_EQ"}}]}}"#)
    });
    let entries: Vec<_> = entries.collect();
    format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{}{last}]}}"#,
        entries.join(",")
    )
}

/// A filter that the kernel does not take decides nothing, and working out what it would decide can
/// take minutes.
#[test]
fn a_filter_that_is_too_large_is_said_to_be_refused() {
    let profile = of_many(0..60_000, "");
    let ran = why(&profile, &["read"]);
    assert_eq!(ran.code, 1);
    let words = "nothing runs: the kernel refuses it: the filter has more than 4096 instructions";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    let (_directory, path) = file("profile.json", &profile);
    let path = path.display().to_string();
    // Refused before, and unchanged.
    let ran = run(["diff", ARCH, &path, &path]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("4096"), "{}", ran.stdout);
}

/// The answer is not to be looked for above thousands of lines.
#[test]
fn of_many_rule_entries_that_lose_some_are_shown() {
    let winner = r#",{"names":["read"],"action":"SCMP_ACT_LOG"}"#;
    let profile = of_many(0..2000, winner);
    let ran = why(&profile, &["read"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stdout.matches("not by").count(), 8, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("\n  and 1,992 others that do not decide\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.matches("does not decide").count(), 8);
    let report = why(&profile, &["read", "--format=json"]).report();
    let lost = on(&report, "x86_64")["ways"][0]["lost"].as_array();
    assert_eq!(lost.expect("entries").len(), 2000);
}

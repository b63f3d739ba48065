//! The tables about what calls can do, held against what others say of the same calls, and the
//! rules that use them, where the examples of their pages do not reach. If one of these fails, a
//! user hears of a danger that is none, or does not hear of one.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use seclint::syscalls::{Arch, KernelVersion, lookup};
use serde_json::Value;
use support::{file, repository, run};

fn rows(path: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(repository(path)).expect("a table");
    let rows = text.lines().skip(1);
    rows.map(|row| row.split('\t').map(str::to_owned).collect())
        .collect()
}

fn findings(rule: &str, profile: &str, options: &[&str]) -> Vec<Value> {
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let arguments = ["check", "--select", rule, "--format=json", &path];
    let ran = run(arguments.into_iter().chain(options.iter().copied()));
    let report = ran.report();
    report["findings"].as_array().expect("findings").clone()
}

/// A call that every container of Docker or Podman may make would be called dangerous, or the help
/// would name a capability by which neither of them goes. The fixture is from moby/profiles
/// 614a5c2 and containers/common f437c58a.
#[test]
fn dangerous_calls_are_gated_by_docker_and_podman_too() {
    let recorded = rows("tests/fixtures/default_profiles.tsv");
    let recorded: BTreeMap<_, _> = recorded.iter().map(|row| (&row[0], &row[1..])).collect();
    let mut gated = 0;
    for row in rows("data/dangerous_syscalls.tsv") {
        let ours: Vec<_> = row[2].split(' ').collect();
        for call in row[1].split(' ') {
            for gate in recorded[&call.to_owned()] {
                assert_ne!(gate, "always", "{call}");
                for capability in gate.split(' ').filter(|gate| gate.starts_with("CAP_")) {
                    // Either lets administrators do whatever else they allow.
                    let is_known = ours.contains(&capability) || capability == "CAP_SYS_ADMIN";
                    assert!(is_known, "{call}: {capability}");
                    gated += 1;
                }
            }
        }
    }
    assert!(gated > 20, "{gated}");
}

/// A denylist would be told to deny an older call because a newer one is denied, which is how
/// programs are made to fall back; or a call of which nothing runs where the other does.
#[test]
fn substitutes_are_not_older_and_run_in_the_same_places() {
    let old = KernelVersion::new(0, 0);
    for row in rows("data/substitute_syscalls.tsv") {
        let denied = lookup(&row[0]).expect("a call");
        let since = denied.first_kernel().unwrap_or(old);
        for name in row[1].split(' ') {
            let other = lookup(name).expect("a call");
            assert!(other.first_kernel().unwrap_or(old) >= since, "{name}");
            let mut both = Arch::ALL.into_iter().filter(|&arch| denied.exists_on(arch));
            assert!(both.any(|arch| other.exists_on(arch)), "{} {name}", row[0]);
            assert!(name != row[0] && other.unimplemented().is_none(), "{name}");
        }
    }
}

/// A denylist would be told that a call does the same as another, of which nobody else thinks so. The
/// fixture is what systemd's `systemd-analyze syscall-filter` lists (262.1-1 in Debian; of `clone`,
/// `kill` and `open` and what does the same 252.38), but for the sets that are about privileges and
/// services.
#[test]
fn substitutes_are_in_one_set_of_systemds() {
    let sets = rows("tests/fixtures/systemd_sets.tsv");
    let sets: BTreeMap<_, BTreeSet<_>> = sets
        .iter()
        .map(|row| (row[0].as_str(), row[1].split(' ').collect()))
        .collect();
    // systemd's sets are by purpose: what every program needs, what is obsolete, and what is for
    // several purposes stand in others.
    let apart = [
        ("execve", "execveat"),
        ("mount", "open_tree"),
        ("mprotect", "pkey_mprotect"),
        ("ptrace", "process_vm_readv"),
        ("ptrace", "process_vm_writev"),
        ("quotactl", "quotactl_fd"),
        ("setrlimit", "prlimit64"),
        ("stime", "clock_settime"),
        ("stime", "clock_settime64"),
        ("stime", "settimeofday"),
    ];
    let mut together = 0;
    for row in rows("data/substitute_syscalls.tsv") {
        let denied = row[0].as_str();
        for other in row[1].split(' ') {
            let mut shared = sets[denied].intersection(&sets[other]);
            let is_together = shared.any(|set| set.starts_with('@'));
            let is_apart = apart.contains(&(denied, other));
            assert_ne!(is_together, is_apart, "{denied} {other}");
            together += usize::from(is_together);
        }
    }
    assert!(together > 40, "{together}");
}

/// runc and crun leave out a rule entry that denies `socketcall` as the default does, and then the
/// call goes through: a user would think that it is denied.
#[test]
fn a_socketcall_that_is_denied_as_by_default_is_open() {
    let profile = |denied: &str| {
        format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[
            {{"names":["socketcall"],"action":"SCMP_ACT_ERRNO"{denied}}},
            {{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":1,"op":"SCMP_CMP_EQ"}}]}}]}}"#
        )
    };
    let rule = "multiplexed-syscall-condition";
    assert_eq!(findings(rule, &profile(""), &[]).len(), 1);
    assert_eq!(findings(rule, &profile(r#","errnoRet":1"#), &[]).len(), 1);
    assert_eq!(findings(rule, &profile(r#","errnoRet":38"#), &[]).len(), 0);
    // The target's architectures count before those that the profile names.
    let other = ["--arch", "aarch64"];
    assert_eq!(
        findings(rule, &profile("").replace("X86", "AARCH64"), &other).len(),
        0
    );
}

/// A condition that holds an argument of the call to something is gone around with what is in a
/// register; the two outcomes are not alike.
#[test]
fn what_becomes_of_a_condition_on_socket_depends_on_its_argument() {
    let severity = |args: &str| {
        let profile = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[
            {{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{args}]}}]}}"#
        );
        let found = findings("multiplexed-syscall-condition", &profile, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]["severity"].as_str().expect("text").to_owned()
    };
    let family = r#"{"index":0,"value":38,"op":"SCMP_CMP_EQ"}"#;
    let protocol = r#"{"index":2,"value":9,"op":"SCMP_CMP_EQ"}"#;
    assert_eq!(severity(family), "warning");
    assert_eq!(severity(protocol), "error");
    assert_eq!(severity(&format!("{family},{protocol}")), "error");
}

/// Whoever has the fixed library would be told to rewrite a profile that is right.
#[test]
fn the_merge_bug_is_that_of_old_releases_and_of_one_order() {
    let profile = |first: &str, second: &str, op: &str| {
        let entry = |value: &str, errno| {
            format!(
                r#"{{"names":["getpriority"],"action":"SCMP_ACT_ERRNO","errnoRet":{errno},"args":[{{"index":0,"value":{value},"op":"SCMP_CMP_{op}"}}]}}"#
            )
        };
        let (first, second) = (entry(first, 13), entry(second, 14));
        format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{first},{second}]}}"#)
    };
    let rule = "libseccomp-64bit-merge-bug";
    let (large, small) = ("8589934608", "8589934597");
    let count = |profile: String, options: &[&str]| findings(rule, &profile, options).len();
    assert_eq!(count(profile(large, small, "LT"), &[]), 1);
    assert_eq!(
        count(profile(large, small, "LE"), &["--libseccomp", "2.6.0"]),
        1
    );
    assert_eq!(
        count(profile(large, small, "LT"), &["--libseccomp", "2.6.1"]),
        0
    );
    assert_eq!(count(profile(small, large, "LT"), &[]), 0);
    assert_eq!(count(profile(large, small, "GT"), &[]), 0);
    assert_eq!(count(profile("16", "5", "LT"), &[]), 0);
}

/// A container that was given the capability on purpose would be a finding.
#[test]
fn a_capability_of_the_container_is_reason_enough() {
    let configuration = |capability: &str| {
        format!(
            r#"{{"ociVersion":"1.0.0","process":{{"capabilities":{{"bounding":["{capability}"]}}}},
            "linux":{{"seccomp":{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
            {{"names":["kexec_load"],"action":"SCMP_ACT_ALLOW"}}]}}}}}}"#
        )
    };
    let rule = "dangerous-syscall-permitted";
    assert_eq!(findings(rule, &configuration("CAP_CHOWN"), &[]).len(), 1);
    assert_eq!(findings(rule, &configuration("CAP_SYS_BOOT"), &[]).len(), 0);
}

/// A kernel that lacks a call, or a profile of 64-bit programs, would get findings about calls that
/// nobody there can make.
#[test]
fn only_substitutes_that_are_there_count() {
    let denies = |names: &str, architectures: &str| {
        format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","architectures":[{architectures}],"syscalls":[{{"names":[{names}],"action":"SCMP_ACT_ERRNO"}}]}}"#
        )
    };
    let rule = "incomplete-deny-family";
    let clock = r#""settimeofday","clock_settime""#;
    let x86 = r#""SCMP_ARCH_X86_64","SCMP_ARCH_X86""#;
    assert_eq!(findings(rule, &denies(clock, ""), &[]).len(), 0);
    assert_eq!(findings(rule, &denies(clock, x86), &[]).len(), 1);
    let modules = denies(r#""init_module","quotactl""#, "");
    assert_eq!(findings(rule, &modules, &[]).len(), 2);
    assert_eq!(findings(rule, &modules, &["--kernel", "5.10"]).len(), 1);
    // Where there is no such call, what is there in its place.
    assert_eq!(findings(rule, &denies(r#""umount""#, ""), &[]).len(), 1);
    assert_eq!(
        findings(rule, &denies(r#""umount","umount2""#, ""), &[]).len(),
        0
    );
    assert_eq!(
        findings(rule, &denies(r#""open""#, r#""SCMP_ARCH_AARCH64""#), &[]).len(),
        1
    );
    // Of conditions on `clone` another rule speaks.
    let clone = denies(r#""clone""#, "");
    assert_eq!(findings(rule, &clone, &[]).len(), 1);
    let args = r#""SCMP_ACT_ERRNO","args":[{"index":0,"value":131072,"valueTwo":131072,"op":"SCMP_CMP_MASKED_EQ"}]"#;
    let conditional = clone.replace(r#""SCMP_ACT_ERRNO""#, args);
    assert_eq!(findings(rule, &conditional, &[]).len(), 0);
    assert_eq!(findings("clone3-unfilterable", &conditional, &[]).len(), 1);
    // What is misspelt is told as that.
    let misspelt = denies(r#""kexec_load","kexec_file_lod""#, "");
    assert_eq!(findings(rule, &misspelt, &[]).len(), 0);
    // An errno of its own is no hole: everything else is denied as well.
    let allowlist = denies(clock, x86).replace("SCMP_ACT_ALLOW", "SCMP_ACT_KILL");
    assert_eq!(findings(rule, &allowlist, &[]).len(), 0);
}

/// What libseccomp makes of a section on this machine, taken for x86-64.
#[cfg(feature = "libseccomp")]
fn filter(section: &str) -> seclint::filter::Filter {
    let (directory, path) = file("section.json", section);
    let output = directory.path().join("filter");
    let (path, written) = (path.display().to_string(), output.display().to_string());
    let ran = run(["compile", "--arch=x86_64", "--output", &written, &path]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let bytes = fs::read(&output).expect("a filter");
    seclint::filter::Filter::detect(&bytes).expect("a filter")
}

/// The page and the messages would say of libseccomp what it does not do. The kernel did the same
/// with the filters of crun 1.21 and 1.28.
#[cfg(feature = "libseccomp")]
#[test]
fn conditions_are_lost_through_socketcall() {
    use seclint::filter::Call;
    let allows = |section: &str, name: &str, arguments: [u64; 3]| {
        let [first, second, third] = arguments;
        let call = Call {
            number: (lookup(name).expect("a call").direct_number(Arch::X86)).expect("a number"),
            architecture: Arch::X86.audit_arch(),
            instruction_pointer: 0,
            arguments: [first, second, third, 0, 0, 0],
        };
        let verdict = filter(section).evaluate(&call);
        verdict.action == seclint::profile::Action::Allow
    };
    let section = |default: &str, more: &str, action: &str, args: &str| {
        format!(
            r#"{{"defaultAction":"SCMP_ACT_{default}","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{more}
            {{"names":["socket"],"action":"SCMP_ACT_{action}","args":[{args}]}}]}}"#
        )
    };
    let not_16 = r#"{"index":0,"value":16,"op":"SCMP_CMP_NE"}"#;
    let is_16 = r#"{"index":0,"value":16,"op":"SCMP_CMP_EQ"}"#;
    let protocol = r#"{"index":2,"value":0,"op":"SCMP_CMP_EQ"}"#;
    let opens = section("ERRNO", "", "ALLOW", not_16);
    assert!(!allows(&opens, "socket", [16, 3, 0]));
    assert!(allows(&opens, "socketcall", [1, 0x1000, 7]));
    assert!(!allows(&opens, "socketcall", [4, 0x1000, 7]));
    let shuts = section("ALLOW", "", "ERRNO", is_16);
    assert!(allows(&shuts, "socket", [1, 3, 0]));
    assert!(!allows(&shuts, "socketcall", [1, 0x1000, 7]));
    let leaks = section("ALLOW", "", "ERRNO", &format!("{is_16},{protocol}"));
    assert!(!allows(&leaks, "socketcall", [1, 0x1000, 0]));
    assert!(allows(&leaks, "socketcall", [1, 0x1000, 7]));
    let denied = |errno| {
        let more =
            format!(r#"{{"names":["socketcall"],"action":"SCMP_ACT_ERRNO","errnoRet":{errno}}},"#);
        section("ERRNO", &more, "ALLOW", not_16)
    };
    assert!(allows(&denied(1), "socketcall", [1, 0x1000, 7]));
    assert!(!allows(&denied(38), "socketcall", [1, 0x1000, 7]));
}

/// A seclint that cannot ask libseccomp would name a winner that it made up, or hold its tongue.
#[test]
fn where_nobody_can_tell_who_wins_it_is_said_to_be_open() {
    let profile = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]},
        {"names": ["socket"], "action": "SCMP_ACT_KILL_PROCESS", "args": [
            {"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}]}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let severity = |arch: &str| {
        let select = "--select=overlapping-conditions";
        let ran = run(["check", "--no-config", "--format=json", select, arch, &path]);
        ran.report()["findings"][0]["severity"].clone()
    };
    // On 32 bits the arguments are others than the rule entries were held against.
    assert_eq!(severity("--arch=arm"), "warning");
    let is_known = cfg!(feature = "libseccomp");
    let expected = if is_known { "error" } else { "warning" };
    assert_eq!(severity("--arch=x86_64"), expected);
}

//! Filters that are made, by a build that can.

use std::sync::Arc as Shared;

use libseccomp::ScmpSyscall;
use seclint::filter::{ByteOrder, Call, CompileError, Filter, compile, linked};
use seclint::profile::{Action, Comparison, Effect};
use seclint::runtime::{Plan, Rule};
use seclint::syscalls::{self, Arch, Release, Syscall};

use crate::support::{file, run, seclint};

const ALLOW: Effect = Effect {
    action: Action::Allow,
    errno: 0,
};
const DENY: Effect = Effect {
    action: Action::Errno,
    errno: 13,
};

fn rule(syscall: &'static Syscall, comparisons: &[Comparison]) -> Rule {
    Rule {
        effect: DENY,
        syscall,
        comparisons: Shared::from(comparisons),
        entry: 0,
    }
}

fn plan(native: Arch, rules: Vec<Rule>) -> Plan {
    Plan {
        default: ALLOW,
        native,
        architectures: Vec::new(),
        rules,
        stub: None,
        is_tree: false,
    }
}

fn release() -> Release {
    linked().expect("libseccomp is there")
}

fn known_arches() -> impl Iterator<Item = Arch> {
    (Arch::ALL.into_iter()).filter(|arch| arch.first_release() <= release())
}

fn is_denied(filter: &Filter, arch: Arch, number: u32) -> bool {
    let verdict = filter.evaluate(&Call {
        number,
        architecture: arch.audit_arch(),
        ..Call::default()
    });
    verdict.action == Action::Errno && verdict.data == 13
}

/// A filter made here for another machine would deny other calls there than the one made there.
#[test]
fn every_call_is_found_on_every_architecture() {
    const UNTOLD: [&str; 2] = ["switch_endian", "sys_debug_setcontext"];
    let mut found = 0;
    for arch in known_arches() {
        for syscall in syscalls::all() {
            if !syscall.known_to(release()) {
                continue;
            }
            let name = syscall.name();
            let filter = match compile(&plan(arch, vec![rule(syscall, &[])])) {
                Ok(filter) => filter,
                // Two names have one number in libseccomp wherever there are no such calls.
                Err(CompileError::OneNumber { .. }) if UNTOLD.contains(&name) => continue,
                Err(why) => panic!("{name} on {arch}: {why}"),
            };
            assert_eq!(filter.order(), ByteOrder::of(arch), "{arch}");
            let token = arch.token().parse().unwrap();
            let number = ScmpSyscall::from_name_by_arch(name, token).map(i32::from);
            // Below 0 are names that the architecture lacks, or has in a multiplexer.
            if let Ok(number @ 0..) = number {
                let number = number.cast_unsigned();
                assert!(is_denied(&filter, arch, number), "{name} on {arch}");
                assert!(!is_denied(&filter, arch, number + 1), "{name} on {arch}");
            }
            found += 1;
        }
    }
    assert!(found > 8_000, "{found}");
}

const PROFILE: &str = r#"{
  "defaultAction": "SCMP_ACT_ERRNO",
  "syscalls": [{ "names": ["read", "mkdri", "openat"], "action": "SCMP_ACT_ALLOW" }]
}"#;

fn arguments<'a>(profile: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["compile", "--arch=x86_64", profile];
    arguments.extend(more);
    arguments
}

/// What is written would not be what `disasm` and crun read.
#[test]
fn a_filter_goes_into_a_file_or_through_a_pipe() {
    let (directory, path) = file("profile.json", PROFILE);
    let path = path.display().to_string();
    let output = directory.path().join("filter").display().to_string();
    let ran = run(arguments(&path, &["--output", &output]));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("crun 1.28 warns of `mkdri`"),
        "{}",
        ran.stderr
    );
    let piped = seclint().args(arguments(&path, &[])).output().unwrap();
    let written = std::fs::read(&output).unwrap();
    assert!(piped.status.success() && piped.stdout == written);
    let listing = run(["disasm", &output]);
    assert_eq!(listing.code, 0);
    for line in [
        "nr == 0 (read)",
        "nr == 257 (openat)",
        "return ERRNO(EPERM)",
    ] {
        assert!(
            listing.stdout.contains(line),
            "{line} in {}",
            listing.stdout
        );
    }
}

/// A filter for a big-endian machine would be one for nobody.
#[test]
fn filters_of_other_machines_are_in_their_byte_order() {
    let (directory, path) = file("profile.json", PROFILE);
    let path = path.display().to_string();
    let output = directory.path().join("filter").display().to_string();
    let runtime = "--runtime=runc@1.3.6";
    let ran = run([
        "compile",
        "--arch=s390x",
        runtime,
        "--output",
        &output,
        &path,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let listing = run(["disasm", &output]).stdout;
    for line in [
        "big-endian",
        "arch == s390x",
        "nr > 288 (openat)",
        "return ERRNO(ENOSYS)",
    ] {
        assert!(listing.contains(line), "{line} in {listing}");
    }
}

/// A build would go on with the filter of the last time, or with none.
#[test]
fn what_a_runtime_refuses_or_takes_for_nothing_is_told() {
    let unknown = r#"{"defaultAction":"SCMP_ACT_DENY"}"#;
    let flag = r#"{"defaultAction":"SCMP_ACT_LOG","flags":["SECCOMP_FILTER_FLAG_NO"]}"#;
    for (profile, words) in [
        (
            unknown,
            "crun 1.28 refuses the profile: seccomp get action `SCMP_ACT_DENY`",
        ),
        (flag, "unknown seccomp option `SECCOMP_FILTER_FLAG_NO`"),
        (
            "null",
            "crun 1.28 makes no filter: the container runs without a filter",
        ),
    ] {
        let (directory, path) = file("profile.json", profile);
        let output = directory.path().join("filter");
        let shown = output.display().to_string();
        let ran = run(arguments(
            &path.display().to_string(),
            &["--output", &shown],
        ));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(!output.exists());
    }
}

/// Somebody who sends notifications to a listener could not look at the filter.
#[test]
fn a_listener_is_not_needed() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/listener",
        "syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}"#;
    let (directory, path) = file("profile.json", profile);
    let output = directory.path().join("filter").display().to_string();
    for runtime in ["--runtime=crun@1.28", "--runtime=runc@1.3.6"] {
        let path = path.display().to_string();
        let ran = run(arguments(&path, &[runtime, "--output", &output]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(run(["disasm", &output]).stdout.contains("return NOTIFY"));
    }
}

/// An engine's profile would be compiled as the runtime never sees it.
#[test]
fn an_engine_makes_the_section_first() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_SYS_ADMIN"]}}]}"#;
    let (directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let output = directory.path().join("filter").display().to_string();
    let lists_it = |options: &[&str]| {
        let ran = run(arguments(
            &path,
            &[options, &["--output", &output]].concat(),
        ));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        run(["disasm", &output]).stdout.contains("(mkdir)")
    };
    assert!(!lists_it(&["--engine=docker"]));
    assert!(lists_it(&["--engine=docker", "--cap-add=SYS_ADMIN"]));
}

/// A release's names that the library here lacks would be missing from the filter in silence. Where
/// the library is as new as the table, there are none.
#[test]
fn names_that_the_library_lacks_are_not_left_out() {
    let newest = syscalls::TABLE_RELEASE;
    let Some(name) =
        (syscalls::all().iter()).find(|it| it.known_to(newest) && !it.known_to(release()))
    else {
        return;
    };
    let name = name.name();
    let profile = format!(
        r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["{name}"],"action":"SCMP_ACT_ERRNO"}}]}}"#
    );
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let output = format!("--output={path}.filter");
    let ran = run(arguments(&path, &[&format!("--libseccomp={newest}")]));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains(&format!("does not know `{name}`")),
        "{}",
        ran.stderr
    );
    // There is a way out, and it is the default.
    let linked = format!("--libseccomp {}", release());
    assert!(ran.stderr.contains(&linked), "{}", ran.stderr);
    let help = run(["compile", "--help"]).stdout;
    assert!(help.contains("seclint is linked to]"), "{help}");
    let ran = run(arguments(&path, &[&output]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let words = "names that it does not know are left out";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

/// seclint would hang where crun and runc do: with two rules that share an inequality of 64 bits
/// (libseccomp 2.5.4, 2.6.0 and 2.6.1; a later one may come to an end).
#[test]
fn what_libseccomp_never_ends_with_is_given_up() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[
            {"index":0,"op":"SCMP_CMP_NE","value":1},{"index":1,"op":"SCMP_CMP_EQ","value":3}]},
        {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[
            {"index":0,"op":"SCMP_CMP_NE","value":1},{"index":2,"op":"SCMP_CMP_EQ","value":16}]}]}"#;
    let (directory, path) = file("profile.json", profile);
    let output = directory.path().join("filter").display().to_string();
    let ran = run(arguments(
        &path.display().to_string(),
        &["--output", &output],
    ));
    if ran.code == 0 {
        assert!(release() > Release::new(2, 6, 1), "{}", release());
        return;
    }
    let words = "libseccomp does not come to an end with the rule for `mkdir` of rule entry 2";
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

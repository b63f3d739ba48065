//! Profiles that are made to cost: time, memory, or a disk full of findings. If
//! one of these fails, one file in a tree keeps all others from being checked.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use support::{Ran, file, run};

fn check(contents: &str, options: &[&str]) -> Ran {
    let (_directory, path) = file("profile.json", contents);
    let path = path.display().to_string();
    run(["check", &path].into_iter().chain(options.iter().copied()))
}

/// A file that breaks a rule in every place must not fill a disk, or a terminal.
#[test]
fn what_is_said_of_a_hostile_file_is_bounded() {
    let list = |item: &str, times: usize| vec![item; times].join(",");
    let profile = |key: &str, items: &str| {
        format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","{key}":[{items}]}}"#)
    };
    let entry = |names: &str, args: &str| {
        format!(r#"{{"names":[{names}],"action":"SCMP_ACT_ALLOW","args":[{args}]}}"#)
    };
    let condition = r#"{"index":0,"value":1,"op":"SCMP_CMP_EQ"}"#;
    let unknown: Vec<_> = (0..20_000)
        .map(|number| format!("\"mkdir{number}x\""))
        .collect();
    for (what, hostile) in [
        (
            "unknown names",
            profile("syscalls", &entry(&unknown.join(","), "")),
        ),
        (
            "one name again and again",
            profile("syscalls", &entry(&list("\"read\"", 20_000), "")),
        ),
        (
            "one rule entry again and again",
            profile("syscalls", &list(&entry("\"read\"", ""), 10_000)),
        ),
        (
            "conditions",
            profile(
                "syscalls",
                &entry(&list("\"read\"", 1_000), &list(condition, 2_000)),
            ),
        ),
        ("flags", profile("flags", &list("\"NONE\"", 50_000))),
        (
            "architectures",
            profile("architectures", &list("\"SCMP_ARCH_NATIVE\"", 50_000)),
        ),
        (
            "one key again and again",
            format!("{{{}}}", list(r#""defaultAction":"x""#, 50_000)),
        ),
        (
            "a long name",
            profile(
                "syscalls",
                &entry(&format!("\"{}\"", "x".repeat(1 << 20)), ""),
            ),
        ),
        ("brackets", "[".repeat(9_000) + &"}".repeat(200_000)),
    ] {
        for format in ["--format=human", "--format=json"] {
            let ran = check(&hostile, &[format]);
            assert!(ran.code < 2, "{what}: {}", ran.stderr);
            // Two megabytes are the long name, as written and in a fact.
            let most = 4 << 20;
            assert!(
                ran.stdout.len() < most,
                "{what}: {} bytes",
                ran.stdout.len()
            );
        }
    }
    let report = check(
        &profile("syscalls", &entry(&unknown.join(","), "")),
        &["--format=json"],
    )
    .report();
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 501);
    let end = findings.last().expect("a finding");
    assert_eq!(
        end["message"],
        "19500 more findings of this rule are left out"
    );
}

//! Profiles that are made to cost: time, memory, or a disk full of findings. If
//! one of these fails, one file in a tree keeps all others from being checked.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fmt::Write as _;

use support::{Ran, file, object, run};

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
        &["--format=json", "--select=unknown-syscall"],
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

/// YAML that grows, nests or goes on for ever keeps nobody from the next file.
#[test]
fn hostile_yaml_is_bounded_too() {
    let object = "kind: SeccompProfile\napiVersion: security-profiles-operator.x-k8s.io/v1\n";
    let bomb = |leaf: &str| {
        let mut text = format!("{object}a0: &a0 {leaf}\n");
        for level in 1..30 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
        }
        text + "spec: {defaultAction: *a29, syscalls: *a29}\n"
    };
    let merges = {
        let mut text = format!("{object}a0: &a0 {{k: v}}\n");
        for level in 1..2_000 {
            let below = level - 1;
            let _ = writeln!(text, "a{level}: &a{level}\n  <<: *a{below}\n  k{level}: v");
        }
        text + "spec:\n  <<: [*a1999, *a1998, *a1997]\n  defaultAction: x\n"
    };
    let values = (0..20_000).map(|number| format!("k{number}: '{{\"defaultAction\":\"x\"}}', "));
    let values = values.collect::<Vec<_>>().concat();
    let template = "{{ x }}'{\"defaultAction\":\"{{ y }}\"}'\n";
    let spec = |text: &str| format!("{object}spec:\n  defaultAction: SCMP_ACT_LOG\n  {text}");
    for (what, hostile) in [
        ("an alias bomb", bomb("SCMP_ACT_LOG")),
        ("an alias bomb of text", bomb(&"x".repeat(100_000))),
        ("merges of merges", merges),
        ("a recursive alias", spec("syscalls: &a [*a, *a]")),
        (
            "brackets",
            spec(&format!("syscalls: {}", "[".repeat(1 << 20))),
        ),
        ("braces", format!("kind: {}", "{a: ".repeat(1 << 18))),
        (
            "dashes",
            spec(&format!("syscalls:\n  {}", "- ".repeat(1 << 20))),
        ),
        (
            "ignores",
            spec(&"# seclint-ignore: unknown-syscall -- why\n".repeat(5_000)),
        ),
        ("question marks", "? ".repeat(1 << 20)),
        ("keys of keys", "kind: [{".repeat(1 << 17)),
        ("documents", "--- SeccompProfile\n".repeat(200_000)),
        ("broken documents", "---\n[SeccompProfile\n".repeat(20_000)),
        (
            "errors in documents",
            format!("{}---\n", object.replace(": ", ": [")).repeat(20_000),
        ),
        (
            "profiles",
            format!("{}\n---\n", spec("x: y")).repeat(12_000),
        ),
        (
            "maps",
            format!("kind: ConfigMap\napiVersion: v1\ndata: {{{values}}}"),
        ),
        (
            "templates",
            format!(
                "kind: ConfigMap\napiVersion: v1\ndata:\n  a: |\n    {}",
                template.repeat(50_000)
            ),
        ),
        ("open directives", "SCMP_ACT_X: {{".repeat(200_000)),
        (
            "anchors",
            spec(&format!("x: [{}]", "&a b, ".repeat(200_000))),
        ),
        ("a long word", spec(&format!("x: {}", "y".repeat(4 << 20)))),
        (
            "a long text",
            spec(&format!("x: |\n{}", "    y\n".repeat(1 << 20))),
        ),
        ("comments", spec(&"# x\n".repeat(1 << 20))),
        (
            "an open quote",
            spec(&format!("x: \"{}", "\\".repeat(1 << 20))),
        ),
    ] {
        let (_directory, path) = file("profile.yaml", hostile);
        let path = path.display().to_string();
        let ran = run(["check", &path, "--format=json"]);
        assert!(ran.code < 2, "{what}: {}", ran.stderr);
        let most = 8 << 20;
        assert!(
            ran.stdout.len() < most,
            "{what}: {} bytes",
            ran.stdout.len()
        );
        assert!(ran.report()["findings"].is_array(), "{what}");
    }
}

/// A profile with these rule entries, each of which is about one call.
fn with_entries(entries: impl Iterator<Item = String>) -> String {
    let entries: Vec<_> = entries.collect();
    format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{}]}}"#,
        entries.join(",")
    )
}

fn allowed(name: &str, conditions: &[String]) -> String {
    let conditions = conditions.join(",");
    format!(r#"{{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{conditions}]}}"#)
}

fn equal(index: usize, value: usize) -> String {
    format!(r#"{{"index":{index},"value":{value},"op":"SCMP_CMP_EQ"}}"#)
}

/// What `filter-too-large` says of a profile with these rule entries, each with its severity.
fn said_of_size(entries: impl Iterator<Item = String>) -> String {
    let select = [
        "--format=json",
        "--select=filter-too-large",
        "--arch=x86_64",
    ];
    let report = check(&with_entries(entries), &select).report();
    let findings = report["findings"].as_array().expect("findings").clone();
    let said = findings.into_iter().map(|it| {
        let [severity, message] = ["severity", "message"].map(|key| it[key].to_string());
        format!("{severity} {message}")
    });
    said.collect::<Vec<_>>().join("\n")
}

/// A call with as many values of an argument.
fn values(name: &'static str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| allowed(name, &[equal(1, number * 7)]))
}

/// libseccomp takes minutes with a few hundred rules of several conditions. If seclint waited for
/// it, or said nothing, the first to learn of it would be the containers that do not start. Without
/// libseccomp it is not known, and there is an estimate.
#[test]
fn what_libseccomp_takes_long_for_is_said() {
    let several = |name: &'static str| {
        (0..4_000).map(move |number| {
            let conditions = [0, 1, 2].map(|index| equal(index, number * 7 + index));
            allowed(name, &conditions)
        })
    };
    let expected = if cfg!(feature = "libseccomp") {
        "\"warning\" \"libseccomp takes long"
    } else {
        "\"error\" \"the filter has about 40000 instructions"
    };
    let said = said_of_size(several("clone"));
    assert!(said.starts_with(expected), "{said}");
    // x86-64 has no such call, and so its filter no such rules.
    assert_eq!(
        said_of_size(values("ioctl", 700).chain(several("send"))),
        ""
    );
}

/// Between the two lies what crun loads, and not runc, which puts some instructions before it.
#[test]
fn what_only_runc_makes_too_large_is_said() {
    if cfg!(feature = "libseccomp") {
        let said = |count| said_of_size(values("ioctl", count));
        assert_eq!(said(4_040), "");
        let few = said(4_060);
        assert!(
            few.starts_with("\"warning\" \"with the instructions that runc puts"),
            "{few}"
        );
        assert!(said(4_100).starts_with("\"error\""));
    }
}

/// A profile with which no container starts would pass for a good one.
#[test]
fn what_the_kernel_does_not_take_is_said() {
    let said = said_of_size(values("ioctl", 5_000));
    assert!(
        said.starts_with("\"error\" \"the filter has more than 4096"),
        "{said}"
    );
    let others = values("ioctl", 700).chain(values("send", 5_000));
    assert_eq!(said_of_size(others), "");
    // What is written again and again is one rule.
    let again = (0..5_000).map(|_| allowed("ioctl", &[equal(1, 7)]));
    assert_eq!(said_of_size(again), "");
}

/// Fixes are tried one after the other, and the file is checked after each.
#[test]
fn fixes_of_hostile_files_are_bounded() {
    let names = vec!["\"umount2\",\"newstat\",\"read\""; 5_000].join(",");
    let profile = format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":[{names}],"action":"SCMP_ACT_ALLOW"}}]}}"#
    );
    let (_directory, path) = file("profile.json", &profile);
    let path = path.display().to_string();
    let ran = run(["check", "--fix", "--unsafe-fixes", "--format=json", &path]);
    assert!(ran.code < 2, "{}", ran.stderr);
    let fixed = std::fs::read_to_string(&path).expect("the file");
    let fixed = serde_json::from_str::<serde_json::Value>(&fixed);
    assert!(fixed.is_ok_and(|it| it["syscalls"][0]["action"] == "SCMP_ACT_ALLOW"));
    // What is left is said.
    let report = ran.report();
    assert!(!report["findings"].as_array().expect("findings").is_empty());
}

/// Places in one long line are found without reading it from its start for each.
#[test]
fn one_long_line_is_explained() {
    let entries = (0..8_000).map(|_| {
        r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","comment":"\u00fc\u00fc\u00fc\u00fc"}"#
            .replace("\\u00fc", "\u{fc}")
    });
    let profile = with_entries(entries);
    let (_directory, path) = file("profile.json", &profile);
    let path = path.display().to_string();
    let ran = run([
        "resolve",
        "--engine=docker",
        "--explain",
        "--format=json",
        &path,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let explained: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let last = &explained["entries"][7_999]["span"]["end"];
    assert_eq!(last["column"], profile.chars().count() - 1);
}

/// Hundreds of profiles of a small file that name one large base would take all memory there is, whatever the
/// base is large by.
#[test]
fn a_large_base_is_not_merged_for_ever() {
    let condition = ["{index: 0, value: 1, op: SCMP_CMP_EQ}"; 10].join(", ");
    let conditions = format!("{{action: SCMP_ACT_ALLOW, names: [read], args: [{condition}]}}");
    let conditions = vec![conditions; 1_000].join(", ");
    let [name, list] = ["x".repeat(1 << 20), vec!["1"; 100_000].join(", ")];
    let name = format!("{{action: SCMP_ACT_ALLOW, names: [{name}]}}");
    let list = format!("{{action: SCMP_ACT_ALLOW, names: [read], other: [{list}]}}");
    for (what, entries) in [
        ("conditions", conditions),
        ("a name", name),
        ("a list", list),
    ] {
        let profiles = (0..600).map(|at| object(&format!("p{at}"), "base", ""));
        let text = object("base", "", &entries) + &profiles.collect::<String>();
        let (_directory, path) = file("profiles.yaml", text);
        let path = path.display().to_string();
        let report = run([
            "check",
            "--format=json",
            "--select=base-profile-unseen",
            &path,
        ]);
        let findings = report.report()["findings"].clone();
        let findings = findings.as_array().expect("findings");
        // More of a rule are counted only.
        assert_eq!(findings.len(), 501, "{what}");
        let message = findings[0]["message"].as_str().expect("a message");
        assert!(message.contains("too much together"), "{what}: {message}");
        let help = findings[0]["help"].as_str().expect("a help");
        assert!(help.contains("several files"), "{what}: {help}");
        let why = |name: &str| run(["why", &path, "read", "--arch=x86_64", "--name", name]).stdout;
        let (merged, left) = (why("p0"), why("p599"));
        assert!(
            merged.contains("with the rule entries of its base"),
            "{what}: {merged}"
        );
        assert!(
            left.contains("put the profiles into several files"),
            "{what}: {left}"
        );
    }
}

/// Commands that look for one profile of many, or for the bases of one, would take for ever, or fall
/// over.
#[test]
fn many_profiles_and_deep_chains_are_answered() {
    let entry = "{action: SCMP_ACT_ALLOW, names: [read]}";
    let many = |base: &dyn Fn(usize) -> String, count: usize| -> String {
        let all = (0..count).map(|at| object(&format!("p{at}"), &base(at), entry));
        all.collect()
    };
    let chain = |at: usize| match at {
        999 => String::new(),
        at => format!("p{}", at + 1),
    };
    for (what, text, count, refused) in [
        ("documents", many(&|_| String::new(), 5_000), 5_000, 0),
        // The operator gives up after fourteen.
        ("a chain", many(&chain, 1_000), 1_000, 985),
        ("one name", object("p0", "", entry).repeat(5_000), 5_000, 0),
    ] {
        let (_directory, path) = file("profiles.yaml", text);
        let path = path.display().to_string();
        if what != "one name" {
            let options = ["--format=json", "--runtime=crun@1.21", "--arch=x86_64"];
            let ran = run(["predict", &path].into_iter().chain(options));
            let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
            let predictions = report["predictions"].as_array().expect("predictions");
            assert_eq!(predictions.len(), count - refused, "{what}");
            let told = ran
                .stderr
                .matches("there are more than 14 base profiles")
                .count();
            assert_eq!(told, refused, "{what}");
        }

        let which = format!("--name=p{}", count - 1);
        let crio = ["--engine=crio", "--arch=x86_64", "--kernel=6.1"];
        let resolve = run(["resolve", &path, &which].into_iter().chain(crio));
        let why = run(["why", &path, "read", "--arch=x86_64", &which]);
        if what == "one name" {
            assert_eq!((resolve.code, why.code), (2, 2), "{what}");
            assert!(why.stderr.len() < 10_000, "{what}");
        } else {
            assert_eq!((resolve.code, why.code), (0, 0), "{what}: {resolve:?}");
            assert!(why.stdout.contains("ALLOW"), "{what}: {}", why.stdout);
        }
        let unnamed = run(["why", &path, "read", "--arch=x86_64"]);
        assert_eq!(unnamed.code, 2, "{what}");
        assert!(unnamed.stderr.len() < 10_000, "{what}");
    }
}

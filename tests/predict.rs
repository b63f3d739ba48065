//! `seclint predict`, as a user runs it. That what it says is true is for `predictions.rs` and
//! `tests/live`.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use support::{file, run};

const HOST: &str = "--uname=6.1.0|#1 SMP|x86_64";

const PROFILE: &str = r#"{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    { "names": ["mkdir", "unknown1"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13 },
    { "names": ["rmdir"], "action": "SCMP_ACT_KILL", "errnoRet": 1 }
  ]
}"#;

/// A person who reads this decides whether a profile can be shipped.
#[test]
fn each_runtime_is_told_of_with_what_it_says() {
    let (directory, path) = file("profile.json", PROFILE);
    let path = path.display().to_string();
    let ran = run(["predict", HOST, &path]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let shown = ran
        .stdout
        .replace(&directory.path().display().to_string(), "");
    insta::assert_snapshot!(shown);
}

/// Programs read the same, by the schema.
#[test]
fn the_report_holds_a_prediction_for_each_file_and_runtime() {
    let (directory, path) = file("a.json", PROFILE);
    let other = directory.path().join("b.json");
    std::fs::write(&other, r#"{"defaultAction":"SCMP_ACT_LOG"}"#).expect("a file");
    let [path, other] = [path, other].map(|path| path.display().to_string());
    let runtimes = ["--runtime=runc@1.3.6", "--runtime=crun@1.28"];
    let arguments = ["predict", "--format=json", HOST, &path, &other];
    let report = run(arguments.into_iter().chain(runtimes)).report();
    let told: Vec<_> = (report["predictions"].as_array().expect("an array").iter())
        .map(|it| {
            (
                it["path"].clone(),
                it["runtime"]["name"].clone(),
                it["outcome"].clone(),
            )
        })
        .map(|it| format!("{} {} {}", it.0, it.1, it.2).replace('"', ""))
        .collect();
    let expected = [
        format!("{path} runc starts"),
        format!("{path} crun refuses"),
        format!("{other} runc starts"),
        format!("{other} crun starts"),
    ];
    assert_eq!(told, expected);
}

/// A profile for an engine reaches no runtime as it is: what is said of it as it stands would be
/// taken for what happens under Docker.
#[test]
fn what_only_engines_read_is_said() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","archMap":[],"syscalls":[]}"#;
    let (_directory, path) = file("profile.json", profile);
    let ran = run(["predict", HOST, &path.display().to_string()]);
    let note = "runtimes do not read `archMap`: this is for an engine";
    assert_eq!(ran.stdout.matches(note).count(), 4, "{}", ran.stdout);
}

/// A version that nobody ran is not spoken of as if somebody had.
#[test]
fn versions_that_were_not_run_are_said_to_be_so() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let path = path.display().to_string();
    let ran = run(["predict", HOST, "--runtime=crun@1.14.1", &path]);
    let note =
        "crun 1.14.1 was not compared with its predictions; the nearest that was is crun 1.21";
    assert!(ran.stdout.contains(note), "{}", ran.stdout);
    let ran = run(["predict", HOST, "--runtime=runc@1.1.15+ds1", &path]);
    assert!(!ran.stdout.contains("not compared"), "{}", ran.stdout);
}

/// A typing mistake on the command line is not a prediction.
#[test]
fn other_runtimes_and_no_versions_are_refused() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let path = path.display().to_string();
    for (runtime, words) in [
        (
            "youki@0.5",
            "`youki` is not among the runtimes that can be predicted: crun and runc",
        ),
        (
            "crun@new",
            "`new` is no version of crun: expected one such as 1.21",
        ),
        ("runc", "say which version of runc: --runtime runc@VERSION"),
    ] {
        let ran = run(["predict", HOST, &path, "--runtime", runtime]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{runtime}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

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

/// A profile for an engine reaches no runtime as it is: what is said of it as it stands, or the key of
/// it, would be taken for what happens under Docker.
#[test]
fn what_is_for_an_engine_is_taken_as_it_reads_it() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","archMap":[],"syscalls":[
        {"names":["mkdir"],"action":"SCMP_ACT_ERRNO"},
        {"names":["execve"],"action":"SCMP_ACT_KILL","includes":{"caps":["CAP_SYS_ADMIN"]}}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let by_dialect = run(["predict", HOST, &path]);
    assert_eq!(by_dialect.code, 0, "{}", by_dialect.stdout);
    let note = "  note            it is for an engine: taken as Docker reads it (--engine)\n";
    assert_eq!(
        by_dialect.stdout.matches(note).count(),
        1,
        "{}",
        by_dialect.stdout
    );
    let asked = run(["predict", HOST, &path, "--engine=docker"]);
    assert_eq!(by_dialect.stdout.replacen(note, "", 1), asked.stdout);
    // What the engine refuses, it refuses so too.
    let profile = profile.replace("\"mkdir\"", "0");
    let (_directory, path) = file("profile.json", &profile);
    let ran = run([
        "predict",
        HOST,
        "--format=json",
        &path.display().to_string(),
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert_eq!(ran.report()["refused"][0]["engine"], "docker");
}

/// Which of the profiles of a manifest dies, its path does not tell.
#[test]
fn the_profiles_of_a_manifest_are_named() {
    let object = |name: &str| {
        format!(
            "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n\
             metadata: {{{name}}}\nspec: {{defaultAction: SCMP_ACT_LOG}}\n---\n"
        )
    };
    let names = [
        "name: app",
        "name: web, namespace: a",
        "name: web, namespace: b",
    ];
    let (_directory, path) = file("all.yaml", names.map(object).concat());
    let path = path.display().to_string();
    let ran = run(["predict", HOST, &path]);
    let report = run([
        "predict",
        HOST,
        "--format=json",
        "--runtime=crun@1.28",
        &path,
    ])
    .report();
    for (place, name) in ["app", "a/web", "b/web"].into_iter().enumerate() {
        let header = format!("all.yaml ({name})\n");
        assert!(ran.stdout.contains(&header), "{}", ran.stdout);
        assert_eq!(report["predictions"][place]["profile"], name);
    }
}

/// Every runtime reads `defaultErrnoRet`: a user who is told otherwise takes it out. A
/// `SeccompProfile` is for runtimes as it is.
#[test]
fn what_runtimes_read_is_not_said_to_be_an_engines() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"syscalls":[]}"#;
    let (_directory, path) = file("profile.json", profile);
    let ran = run(["predict", HOST, &path.display().to_string()]);
    assert!(!ran.stdout.contains("an engine"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("defaultErrnoRet"), "{}", ran.stdout);
    let manifest = r#"{"apiVersion":"security-profiles-operator.x-k8s.io/v1","kind":"SeccompProfile","spec":{"defaultAction":"SCMP_ACT_LOG","disabled":false}}"#;
    let (_directory, path) = file("profile.json", manifest);
    let ran = run(["predict", HOST, &path.display().to_string()]);
    assert!(!ran.stdout.contains("do not read"), "{}", ran.stdout);
}

/// A program that reads predictions of many files must not lose all of them to one, nor take what
/// was said of some for what holds of all.
#[test]
fn a_file_that_cannot_be_read_does_not_end_the_report() {
    let (directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let manifest = directory.path().join("manifest.yaml");
    std::fs::write(&manifest, "apiVersion: apps/v1\nkind: Deployment\n").expect("a file");
    let missing = directory.path().join("missing.json");
    let [path, manifest, missing] = [path, manifest, missing].map(|it| it.display().to_string());
    let runtimes = "--runtime=runc@1.3.6,crun@1.28,runc@1.3.6";
    let ran = run([
        "predict",
        "--format=json",
        HOST,
        runtimes,
        &missing,
        &manifest,
        &path,
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("missing.json: No such file"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("a Kubernetes manifest without a profile"),
        "{}",
        ran.stderr
    );
    let predictions = &ran.report()["predictions"];
    assert_eq!(
        predictions.as_array().map(Vec::len),
        Some(2),
        "{predictions}"
    );
    assert_eq!(predictions[0]["path"], path.as_str());
}

/// A directory in which nothing was looked at must not look like one in which all is well.
#[test]
fn what_is_passed_over_is_said() {
    let (directory, path) = file("package.json", r#"{"name":"x"}"#);
    let directory = directory.path().display().to_string();
    let ran = run(["predict", HOST, &directory]);
    assert!(
        ran.stderr
            .contains("1 file that holds no profile was passed over"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(path).expect("a file");
    let ran = run(["predict", HOST, &directory]);
    assert!(ran.stderr.contains("there is no file"), "{}", ran.stderr);
}

/// A listener at such a path would start nothing: crun refuses it before it looks.
#[test]
fn a_path_that_crun_refuses_is_not_said_to_start_a_container() {
    for (listener, is_noted) in [("run/agent", false), ("/run/agent", true)] {
        let text = format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "{listener}",
            "syscalls": [{{"names": ["swapon"], "action": "SCMP_ACT_NOTIFY"}}]}}"#
        );
        let (_directory, path) = file("profile.json", &text);
        let path = path.display().to_string();
        let ran = run(["predict", HOST, "--runtime=crun@1.21", &path]);
        let note = ran.stdout.contains("the container starts");
        assert_eq!(note, is_noted, "{}", ran.stdout);
    }
}

/// A key of one host's kernel and another's architecture is the name of no entry; neither is one
/// with a package's version. What nobody has seen is not told as if somebody had.
#[test]
fn no_key_is_made_up_and_what_was_not_seen_is_said() {
    let (_directory, path) = file("profile.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    let path = path.display().to_string();
    let ran = run(["predict", HOST, "--runtime=crun@1.21", &path]);
    assert!(
        ran.stdout.contains("caches") && !ran.stdout.contains("note"),
        "{}",
        ran.stdout
    );
    for (options, said) in [
        (
            ["--runtime=crun@1.21", "--arch=arm64"],
            "--arch says aarch64",
        ),
        (
            ["--runtime=crun@1.21", "--arch=arm64"],
            "was seen on x86_64 only",
        ),
        (
            ["--runtime=crun@1.21-1", "--arch=x86_64"],
            "is not what `crun --version` prints",
        ),
    ] {
        let ran = run(["predict", HOST, &path].into_iter().chain(options));
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
        assert!(!ran.stdout.contains("caches"), "{}", ran.stdout);
    }
    let ran = run(["predict", HOST, "--libseccomp=2.5.4", &path]);
    assert_eq!(
        ran.stdout
            .matches("with libseccomp 2.5.4 were not compared")
            .count(),
        1
    );
    let uname = "--uname=6.1.0|#1 SMP|aarch64";
    let ran = run([
        "predict",
        uname,
        "--runtime=crun@1.21",
        "--arch=arm64",
        &path,
    ]);
    assert!(ran.stdout.contains("caches"), "{}", ran.stdout);
}

/// What a profile does on another machine would be what it does on this one.
#[test]
fn the_machine_is_that_of_uname_where_the_rest_is_this_host() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["arch_prctl"],"action":"SCMP_ACT_ERRNO"}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let note = "was seen on x86_64 only; on aarch64";
    for (machine, is_other) in [("x86_64", false), ("aarch64", true)] {
        let uname = format!("--uname=6.1.0|#1 SMP|{machine}");
        let with = ["--target=host", "--runtime=crun@1.28", "--libseccomp=2.6.1"];
        let ran = run(["predict", &uname, &path].into_iter().chain(with));
        assert_eq!(ran.stdout.contains(note), is_other, "{}", ran.stdout);
    }
}

/// A generated profile with a hundred thousand names of another kernel must not bury the answer;
/// an empty name is there to be seen.
#[test]
fn people_are_shown_the_first_of_many_names() {
    let names: Vec<_> = (0..30).map(|number| format!("\"no{number}\"")).collect();
    let names = names.join(",");
    let profile = format!(
        r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["",{names}],"action":"SCMP_ACT_LOG"}}]}}"#
    );
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let ran = run(["predict", HOST, "--runtime=crun@1.21", &path]);
    assert!(
        ran.stdout.contains("warns of   ``, `no0`, "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("`no18` and 11 more\n"),
        "{}",
        ran.stdout
    );
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
        ("youki", "`youki` is not among the runtimes"),
        ("crun", "crun cannot be asked for its version"),
    ] {
        let ran = run(["predict", HOST, &path, "--runtime", runtime]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{runtime}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

/// The kernel's `Invalid argument` says nothing of size; who builds without libseccomp must not be
/// told that such a container starts.
#[test]
fn a_filter_that_is_too_large_is_told_of_or_not_known() {
    let path = support::repository("tests/fixtures/profiles/too-large.json");
    let path = path.display().to_string();
    for runtime in ["crun@1.28", "runc@1.3.6"] {
        let ran = run(["predict", "--format=json", "--runtime", runtime, &path]);
        assert_eq!(ran.code, 1, "{ran:?}");
        let prediction = &ran.report()["predictions"][0];
        let notes = prediction["notes"].to_string();
        if cfg!(feature = "libseccomp") {
            assert_eq!(prediction["outcome"], "refuses", "{prediction:#}");
            assert!(notes.contains("more than 4096 instructions"), "{notes}");
            // crun has written its entry by then.
            assert_eq!(prediction["key"].is_string(), runtime.starts_with("crun"));
        } else {
            assert_eq!(prediction["certain"], false, "{prediction:#}");
            assert!(notes.contains("built without libseccomp"), "{notes}");
        }
    }
}

/// What `check` says of a container's start is what is predicted, whether it has `noNewPrivileges`
/// or not: otherwise one of the two sends its author away with a container that does not start.
#[test]
fn check_knows_which_containers_start() {
    const NEEDED: &str = "access brk capget capset chdir close close_range epoll_ctl execve exit exit_group \
        faccessat2 fcntl fstat fstatfs futex getcwd getdents64 getpid getppid mmap newfstatat openat openat2 \
        prctl read readlinkat rt_sigaction rt_sigprocmask rt_sigreturn setgid setgroups setresgid setresuid \
        setuid statx tgkill write";
    let mut dead = 0;
    for without in NEEDED.split_whitespace() {
        let names: Vec<_> = NEEDED
            .split_whitespace()
            .filter(|it| *it != without)
            .collect();
        for has_no_new_privileges in [false, true] {
            let configuration = serde_json::json!({
                "ociVersion": "1.0.2",
                "process": {"noNewPrivileges": has_no_new_privileges},
                "linux": {"seccomp": {
                    "defaultAction": "SCMP_ACT_ERRNO",
                    "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"}],
                }},
            });
            let (_directory, path) = file("config.json", configuration.to_string());
            let path = path.display().to_string();
            let predicted = run(["predict", "--format=json", HOST, &path]).report();
            let predicted = predicted["predictions"]
                .as_array()
                .expect("predictions")
                .iter();
            let mut dies: Vec<_> = predicted
                .filter(|it| it["outcome"] == "dies")
                .map(|it| it["runtime"]["name"].as_str().expect("a name").to_owned())
                .collect();
            dies.dedup();
            // Nothing is said of crun alone.
            if dies == ["crun"] {
                dies.clear();
            }
            let select = "--select=missing-runtime-syscalls";
            let checked = run(["check", "--no-config", "--format=json", select, &path]).report();
            let findings = checked["findings"].as_array().expect("findings").iter();
            let mut told: Vec<_> = findings
                .flat_map(|it| {
                    it["facts"]["runtimes"]
                        .as_object()
                        .expect("runtimes")
                        .keys()
                })
                .map(|title| title.split(' ').next().expect("a word").to_owned())
                .collect();
            told.dedup();
            assert_eq!(
                told, dies,
                "{without}, noNewPrivileges {has_no_new_privileges}"
            );
            dead += usize::from(!dies.is_empty());
        }
    }
    assert!(dead > 20, "{dead}");
}

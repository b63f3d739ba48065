//! Adopting seclint with findings that are there already. If one of these fails, an old finding
//! stops a build, or a new one passes for old.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Ran, seclint};
use tempfile::TempDir;

fn profile(entries: &[&str]) -> String {
    let entry = |names: &&str| {
        let names: Vec<_> = names.split(' ').collect();
        json!({"names": names, "action": "SCMP_ACT_ERRNO"})
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": entries});
    format!("{profile:#}\n")
}

struct Repository(TempDir);

impl Repository {
    /// A repository whose findings have been recorded.
    fn adopted(entries: &[&str]) -> Self {
        let repository = Self(TempDir::new().expect("a directory"));
        repository.put("a.json", &profile(entries));
        let ran = repository.check(&["./a.json", "--format=json"]);
        repository.put("baseline.json", &ran.stdout);
        repository
    }

    fn put(&self, name: &str, contents: &str) {
        fs::write(self.0.path().join(name), contents).expect("a file");
    }

    fn check(&self, arguments: &[&str]) -> Ran {
        self.check_in("", arguments)
    }

    fn check_in(&self, directory: &str, arguments: &[&str]) -> Ran {
        let mut command = seclint();
        command
            .current_dir(self.0.path().join(directory))
            .args(["check", "--select=unknown-syscall,unknown-action"]);
        Ran::from(command.args(arguments).output().expect("seclint runs"))
    }

    /// What is new, how much is suppressed, and what is gone, by syscall.
    fn compared(&self, arguments: &[&str]) -> (Vec<String>, Value, Vec<String>) {
        let ran = self.check(&[&["--baseline=baseline.json", "--format=json"], arguments].concat());
        let report = ran.report();
        let names = |list: &Value| {
            let list = list.as_array().expect("a list").iter();
            let name = |it: &Value| it["facts"]["syscall"].as_str().expect("a name").to_owned();
            list.map(name).collect::<Vec<_>>()
        };
        let new = names(&report["findings"]);
        assert_eq!(ran.code, i32::from(!new.is_empty()));
        (
            new,
            report["summary"]["suppressed"].clone(),
            names(&report["gone"]),
        )
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_is_known_is_not_reported_wherever_it_has_moved() {
    let repository = Repository::adopted(&["mkdirr", "rmdirr"]);
    assert_eq!(repository.compared(&["a.json"]), (none(), json!(2), none()));
    repository.put(
        "a.json",
        &profile(&["read", "write mkdirr", "open", "rmdirr"]),
    );
    assert_eq!(repository.compared(&["."]), (none(), json!(2), none()));
    repository.put("a.json", &profile(&["chmodd", "rmdirr", "mkdirr"]));
    assert_eq!(
        repository.compared(&["a.json"]),
        (vec!["chmodd".to_owned()], json!(2), none())
    );
}

/// The same mistake made again is a new one.
#[test]
fn so_many_are_known_as_there_were() {
    let repository = Repository::adopted(&["mkdirr", "mkdirr"]);
    let run = |entries: &[&str]| {
        repository.put("a.json", &profile(entries));
        repository.compared(&["a.json"])
    };
    let mkdirr = || vec!["mkdirr".to_owned()];
    assert_eq!(
        run(&["mkdirr", "mkdirr", "mkdirr"]),
        (mkdirr(), json!(2), none())
    );
    assert_eq!(run(&["mkdirr"]), (none(), json!(1), mkdirr()));
    // Of several the one that has not moved is the known one.
    let ran = repository.check(&["a.json", "--format=json"]);
    repository.put("baseline.json", &ran.stdout);
    repository.put("a.json", &profile(&["mkdirr", "mkdirr"]));
    let ran = repository.check(&["a.json", "--format=json", "--baseline=baseline.json"]);
    assert_eq!(
        ran.report()["findings"][0]["pointer"],
        "/syscalls/1/names/0"
    );
}

/// What an ignore hides needs no baseline, and takes no place in it from what is not ignored.
#[test]
fn what_is_ignored_leaves_the_baseline_to_the_others() {
    let text = |others: &[&str], is_first: bool| {
        let entry = |name: &str| json!({"names": [name], "action": "SCMP_ACT_ERRNO"});
        let mut entries: Vec<_> = others.iter().map(|name| entry(name)).collect();
        let mut ignored = entry("foo_bar");
        ignored["comment"] = json!("seclint-ignore: unknown-syscall -- ours");
        entries.insert(if is_first { 0 } else { entries.len() }, ignored);
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": entries}).to_string()
    };
    let repository = Repository::adopted(&[]);
    repository.put("a.json", &text(&["getpid", "foo_bar"], false));
    let ran = repository.check(&["./a.json", "--format=json"]);
    repository.put("baseline.json", &ran.stdout);
    for (others, is_first) in [
        (&["getpid", "foo_bar"][..], false),
        (&["foo_bar"], false),
        (&["getpid", "foo_bar"], true),
        (&["close", "getpid", "foo_bar"], false),
    ] {
        repository.put("a.json", &text(others, is_first));
        let expected = (none(), json!(2), none());
        assert_eq!(
            repository.compared(&["a.json"]),
            expected,
            "{others:?}, {is_first}"
        );
    }
}

/// What was corrected is worth a word; what was not looked at is not gone.
#[test]
fn what_is_gone_is_said_of_what_was_checked() {
    let repository = Repository::adopted(&["mkdirr"]);
    repository.put("b.json", &profile(&["read"]));
    assert_eq!(repository.compared(&["b.json"]), (none(), json!(0), none()));
    repository.put("a.json", &profile(&["mkdir"]));
    let gone = vec!["mkdirr".to_owned()];
    assert_eq!(
        repository.compared(&["a.json"]),
        (none(), json!(0), gone.clone())
    );
    assert_eq!(
        repository.compared(&["a.json", "--ignore=unknown-syscall"]),
        (none(), json!(0), none())
    );
    let ran = repository.check(&["a.json", "--baseline=baseline.json"]);
    assert!(
        ran.stderr
            .contains("note: gone since the baseline: ./a.json: unknown-syscall: "),
        "{}",
        ran.stderr
    );
    fs::remove_file(repository.0.path().join("a.json")).expect("a file");
    assert_eq!(repository.compared(&["b.json"]), (none(), json!(0), gone));
    let report = repository.check(&["b.json", "--format=json"]).report();
    assert_eq!(report.get("gone"), None);
}

#[test]
fn what_is_no_baseline_is_2_and_says_what_to_do() {
    let repository = Repository::adopted(&["mkdirr"]);
    for (contents, why) in [
        ("", "no report of seclint"),
        ("[]", "no report of seclint"),
        ("{\"findings\": []}", "`seclint check --format json`"),
        (
            "{\"schema\": \"seclint.cache-audit/1\", \"findings\": []}",
            "this is a `seclint.cache-audit/1`",
        ),
        (
            "{\"schema\": \"seclint.report/1\", \"findings\": [{}]}",
            "no report of seclint",
        ),
    ] {
        repository.put("bad.json", contents);
        let ran = repository.check(&["a.json", "--baseline=bad.json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{contents}");
        assert!(
            ran.stderr.contains(why) && ran.stderr.contains("bad.json"),
            "{}",
            ran.stderr
        );
    }
    let ran = repository.check(&["a.json", "--baseline=missing.json"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("missing.json: No such file"),
        "{}",
        ran.stderr
    );
    // Written without what it has, it would have nothing the next time.
    let ran = repository.check(&[
        "a.json",
        "--baseline=baseline.json",
        "--report=json=baseline.json",
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("would replace"), "{}", ran.stderr);
}

/// Nobody types a path twice in the same way, and a script may run elsewhere.
#[test]
fn a_file_is_the_same_however_its_path_is_written() {
    let repository = Repository(TempDir::new().expect("a directory"));
    for directory in ["sub/deep", "other"] {
        fs::create_dir_all(repository.0.path().join(directory)).expect("a directory");
    }
    for (name, wrong) in [
        ("a.json", "chownn"),
        ("sub/a.json", "mkdirr"),
        ("sub/b.json", "rmdirr"),
    ] {
        repository.put(name, &profile(&[wrong]));
    }
    let root = repository.0.path().display().to_string();
    let absolute = format!("{root}/sub/");
    let here: &[(&str, &str)] = &[
        ("", "."),
        ("", "sub"),
        ("", "sub/"),
        ("", ".//sub/../sub/b.json"),
        ("", &absolute),
        ("sub", "b.json"),
        ("sub", "."),
        ("sub/deep", "../b.json"),
        ("other", "../sub"),
    ];
    for (made_in, made_of) in [("", "."), ("", "./sub/"), ("", absolute.as_str())] {
        let ran = repository.check_in(made_in, &[made_of, "--format=json"]);
        repository.put("baseline.json", &ran.stdout);
        for (directory, path) in here {
            if (*directory, *path) == ("", ".") && made_of != "." {
                continue;
            }
            let baseline = format!("--baseline={root}/baseline.json");
            let ran = repository.check_in(directory, &[path, &baseline, "--format=json"]);
            let told = format!("{made_of:?}: {path:?} in {directory:?}: {ran:?}");
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{told}");
            assert_eq!(ran.report()["gone"], json!([]), "{told}");
        }
    }
    // A file of the same name in another directory is another one.
    repository.put("a.json", &profile(&["read"]));
    let ran = repository.check_in("", &["sub", "--format=json"]);
    repository.put("baseline.json", &ran.stdout);
    repository.put("a.json", &profile(&["mkdirr"]));
    assert_eq!(
        repository
            .check(&["a.json", "--baseline=baseline.json"])
            .code,
        1
    );
}

/// Names repeat from directory to directory: what was recorded of one file would hide what is found in
/// another.
#[test]
fn a_file_of_the_same_name_elsewhere_is_another_one() {
    let repository = Repository::adopted(&["mkdirr"]);
    fs::create_dir(repository.0.path().join("sub")).expect("a directory");
    repository.put("sub/a.json", &profile(&["mkdirr"]));
    let known = |path: &str| {
        let arguments = [path, "--baseline=../baseline.json"];
        repository.check_in("sub", &arguments).code
    };
    assert_eq!((known("../a.json"), known("a.json")), (0, 1));
    let ran = repository.check_in("sub", &["a.json", "--baseline=../baseline.json"]);
    assert!(
        ran.stderr.contains("move it if it is about those"),
        "{}",
        ran.stderr
    );
}

/// Made of another checkout, it would have every finding pass for a new one.
#[test]
fn a_baseline_of_other_files_is_told() {
    let repository = Repository::adopted(&["mkdirr"]);
    let text = fs::read_to_string(repository.0.path().join("baseline.json")).expect("a report");
    repository.put(
        "baseline.json",
        &text.replace("./a.json", "/builds/7/a.json"),
    );
    let ran = repository.check(&["a.json", "--baseline=baseline.json"]);
    let note = "note: the baseline is about none of the files that were checked: there is no /builds/7/a.json";
    assert!(ran.code == 1 && ran.stderr.contains(note), "{ran:?}");
}

//! Where base profiles come from, and what has bases: files that can be read once or not at all,
//! names that several have, bases without end, a cache. If one of these fails, seclint hangs, takes a
//! profile for another one, or leaves something out and does not say so.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Ran, StateRoot, give_to_user, object, run, seclint, seclint_as_user};
use tempfile::TempDir;

const WEB: &str = "{action: SCMP_ACT_ALLOW, names: [accept4, bind, listen]}";
const COMMON: &str = "{action: SCMP_ACT_ALLOW, names: [read, write, add_keyy]}";

/// Files in a directory of their own, and their paths.
fn files<const N: usize>(files: [(&str, &str); N]) -> (TempDir, [String; N]) {
    let directory = TempDir::new().expect("a directory");
    let paths = files.map(|(name, text)| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    });
    (directory, paths)
}

/// Runs a command with something to read on standard input, through a pipe.
fn piped(command: &mut Command, input: &str) -> Ran {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().expect("seclint runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("it is read");
    drop(stdin);
    Ran::from(child.wait_with_output().expect("seclint ends"))
}

fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|it| it["rule"].as_str().expect("a rule"))
        .collect()
}

/// What is read for its bases would be gone when it is checked; a pipe that was given as a base would
/// not be read, or for ever.
#[test]
fn what_can_be_read_once_is_read_once() {
    let (_directory, [web]) = files([("web.yaml", &object("web", "common", WEB))]);
    let check = |arguments: &[&str]| {
        let mut check = seclint();
        let select = "--select=base-profile-unseen,unknown-syscall";
        check.args(["check", "--no-config", "--format=json", select]);
        check.args(arguments);
        piped(&mut check, &object("common", "", COMMON))
    };
    let both = check(&[&web, "/dev/stdin"]).report();
    assert_eq!(rules(&both), ["base-profile-unseen", "unknown-syscall"]);
    let mut predict = seclint();
    let runtime = ["--runtime=crun@1.21", "--arch=x86_64", "--format=json"];
    predict.args(["predict", &web, "/dev/stdin"]).args(runtime);
    let predicted = piped(&mut predict, &object("common", "", COMMON)).report();
    let predictions = predicted["predictions"].as_array().expect("predictions");
    let profiles: Vec<_> = predictions.iter().map(|it| &it["profile"]).collect();
    assert_eq!(profiles, ["web", "common"]);
    let given = check(&[&web, "--base-profile=/dev/stdin"]).report();
    assert_eq!(rules(&given), Vec::<&str>::new());
    let dash = run(["check", &web, "--base-profile=-"]);
    assert_eq!(dash.code, 2, "{}", dash.stdout);
    assert!(dash.stderr.contains("--base-profile"), "{}", dash.stderr);
}

/// A profile would be judged without the base that was given, as if there were none.
#[test]
fn a_base_that_cannot_be_read_is_an_error() {
    let (directory, [web, secret]) = files([
        ("web.yaml", &object("web", "common", WEB)),
        ("secret.yaml", &object("common", "", COMMON)),
    ]);
    let lib = directory.path().join("lib");
    fs::create_dir(&lib).expect("a directory");
    fs::rename(&secret, lib.join("secret.yaml")).expect("a file");
    give_to_user(directory.path());
    let open = |path: &Path, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).expect("a mode");
    };
    open(directory.path(), 0o777);
    open(&lib.join("secret.yaml"), 0);
    let lib = lib.display().to_string();
    let file = format!("{lib}/secret.yaml");
    let host = [
        "--runtime=crun@1.21",
        "--libseccomp=2.6.0",
        "--uname=6|#1|x86_64",
    ];
    for command in [
        vec!["check"],
        vec!["predict"],
        vec!["resolve", "--engine=crio"],
        vec!["compile", "--output=/dev/null"],
        vec!["why", "read"],
        [&["cache-key"], &host[..]].concat(),
        vec!["diff", &web],
    ] {
        for base in [&lib, &file, "/no/such/file"] {
            let mut seclint = seclint_as_user(directory.path());
            let (name, options) = command.split_first().expect("a name");
            let rest = options.iter().filter(|it| !it.starts_with("--"));
            seclint.args([name, web.as_str()]).args(rest);
            seclint.args(options.iter().filter(|it| it.starts_with("--")));
            seclint.args(["--base-profile", base]);
            let ran = Ran::from(seclint.output().expect("seclint runs"));
            let named = if base == "/no/such/file" { base } else { &file };
            let is_named = ran.stderr.contains(&format!("--base-profile {named}: "));
            assert!(ran.code == 2 && is_named, "{command:?} {base}: {ran:?}");
        }
    }
}

/// The kernel refuses the filter of a small profile with a large base, and no container starts.
#[cfg(feature = "libseccomp")]
#[test]
fn the_size_of_a_filter_is_that_with_its_base() {
    let condition = |value: usize| format!("{{index: 1, value: {value}, op: SCMP_CMP_EQ}}");
    let entries = |values: std::ops::Range<usize>| {
        let entries = values.map(|value| {
            let condition = condition(value * 7);
            format!("{{action: SCMP_ACT_ALLOW, names: [ioctl], args: [{condition}]}}")
        });
        entries.collect::<Vec<_>>().join(", ")
    };
    // Each alone is small enough.
    let (_directory, [web, common]) = files([
        ("web.yaml", &object("web", "common", &entries(0..2_500))),
        ("common.yaml", &object("common", "", &entries(2_500..5_000))),
    ]);
    let base = format!("--base-profile={common}");
    let check = |arguments: &[&str]| {
        let fixed = ["check", "--no-config", "--format=json"];
        let fixed = fixed.iter().chain(&["--select=filter-too-large"]);
        run(fixed.chain(arguments)).report()
    };
    for alone in [&web, &common] {
        assert_eq!(rules(&check(&[alone])), Vec::<&str>::new());
    }
    let report = check(&[&web, &base]);
    assert_eq!(rules(&report), ["filter-too-large"]);
    assert_eq!(report["findings"][0]["path"], web.as_str());
}

/// The entry of a profile with a base would be said to be explained by nothing, or by a profile that
/// lacks what the base adds.
#[test]
fn the_cache_is_explained_by_profiles_with_their_bases() {
    let denying = |name: &str, base: &str, entries: &str| {
        let text = object(name, base, &entries.replace("_ALLOW", "_KILL"));
        text.replace("_ERRNO", "_ALLOW")
    };
    let (_directory, [web, common]) = files([
        ("web.yaml", &denying("web", "common", WEB)),
        ("common.yaml", &denying("common", "", COMMON)),
    ]);
    let root = StateRoot::of("clean");
    let base = ["--base-profile".to_owned(), common.clone()];
    let key = ["cache-key".to_owned(), web.clone()].into_iter();
    let key = run(key.chain(base).chain(root.host()));
    let key = key.stdout.trim();
    let cache = root.path().join(".cache/seccomp");
    let entries = fs::read_dir(&cache).expect("a cache");
    let other = entries.map(|it| it.expect("an entry").path()).next();
    fs::copy(other.expect("an entry"), cache.join(key)).expect("an entry");
    let audit = |profiles: &[&String]| {
        let profiles = profiles.iter().flat_map(|it| ["--profile", it.as_str()]);
        let arguments: Vec<_> = ["--format=json"].into_iter().chain(profiles).collect();
        root.audit(&arguments).report()
    };
    let entry = |report: &Value| {
        let entries = report["entries"].as_array().expect("entries").iter();
        let mut entries = entries.filter(|it| it["name"] == key);
        entries.next().expect("the entry").clone()
    };
    let report = audit(&[&web, &common]);
    let told = entry(&report);
    assert_eq!(told["attributed"][0]["path"], web.as_str(), "{told:#}");
    assert_eq!(told["hidden"][0]["syscall"], "add_keyy");
    assert_eq!(told["hidden"][0]["path"], common.as_str());
    // Where the profile asks for something else is said of the file where it does.
    let findings = report["findings"].as_array().expect("findings").iter();
    let labels = findings.flat_map(|it| it["labels"].as_array().expect("labels"));
    let asks = |label: &&Value| {
        label["message"]
            .to_string()
            .contains("this rule entry asks")
    };
    let asked: Vec<_> = labels.filter(asks).map(|it| &it["path"]).collect();
    assert_eq!(asked, [common.as_str()], "{:#}", report["findings"]);

    let alone = audit(&[&web]);
    let attributed = entry(&alone)["attributed"].to_string();
    assert!(!attributed.contains(&web), "{attributed}");
    let notes = alone["notes"].to_string();
    assert!(
        notes.contains("explains no entry") && notes.contains("`common` is in no file"),
        "{notes}"
    );
}

/// Which of two profiles of a name is meant could not be said, though they are in two namespaces; or
/// what could be written would not be told.
#[test]
fn profiles_of_a_name_are_told_apart_or_said_to_be_alike() {
    let of = |metadata: &str, call: &str| {
        let entry = format!("{{action: SCMP_ACT_ALLOW, names: [{call}]}}");
        object(metadata, "", &entry)
    };
    let text = [
        of("web", "read"),
        of("web, namespace: shop", "write"),
        of("web, namespace: blog", "open"),
        of("twice", "read"),
        of("twice", "write"),
    ]
    .concat();
    let (_directory, [all]) = files([("all.yaml", &text)]);
    let why = |call: &str, name: &str| run(["why", &all, call, "--arch=x86_64", name]);
    for (name, call) in [("web", "read"), ("shop/web", "write"), ("blog/web", "open")] {
        for other in ["read", "write", "open"] {
            let ran = why(other, &format!("--name={name}"));
            let is_allowed = ran.stdout.contains("ALLOW");
            assert_eq!(is_allowed, other == call, "{name} {other}: {ran:?}");
        }
    }
    let none = why("read", "--name=gone");
    let listed = "--name says which: web, shop/web, blog/web, twice at ";
    assert!(none.stderr.contains(listed), "{}", none.stderr);
    let twice = why("read", "--name=twice");
    assert_eq!(twice.code, 2, "{}", twice.stdout);
    for line in ["all.yaml:23:3", "all.yaml:29:3"] {
        assert!(twice.stderr.contains(line), "{}", twice.stderr);
    }
    assert!(twice.stderr.contains("rename them"), "{}", twice.stderr);
}

/// The profiles that stand behind one without an end of bases would be left out.
#[test]
fn one_bad_profile_does_not_hide_the_others() {
    let text = [
        object("a", "a", WEB),
        object("b", "", WEB),
        object("c", "c", WEB),
        object("d", "", WEB),
    ]
    .concat();
    let (_directory, [all]) = files([("all.yaml", &text)]);
    let runtime = ["--runtime=crun@1.21", "--arch=x86_64", "--format=json"];
    let ran = run(["predict", &all].into_iter().chain(runtime));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let report = ran.report();
    let predictions = report["predictions"].as_array().expect("predictions");
    let named: Vec<_> = predictions.iter().map(|it| &it["profile"]).collect();
    assert_eq!(named, ["b", "d"]);
    for line in [
        "all.yaml:5:3: there is no end",
        "all.yaml:18:3: there is no end",
    ] {
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
    }
}

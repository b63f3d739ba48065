//! `seclint cache-audit` on state roots that real cruns left. If one of these fails, a host keeps
//! filters that do not do what their profiles say, and nobody is told.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};
use support::{StateRoot, cached, repository, run};

/// Where `text` stands in a file, in the words of a report.
fn place(path: &Path, text: &str) -> Value {
    let source = fs::read_to_string(path).expect("a file");
    let start = source.find(text).expect("the text is there");
    let at = |byte: usize| {
        let before = &source[..byte];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().expect("a line").chars().count() + 1;
        json!({"byte": byte, "line": line, "column": column})
    };
    json!({"start": at(start), "end": at(start + text.len())})
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
}

/// The story that seclint exists for: a misspelt name, a cache, and silence.
#[test]
fn the_entry_that_keeps_a_warning_from_being_seen_is_found() {
    for story in ["unknown1", "unknown1-crun-1.28"] {
        let recorded = |file: &str| {
            let path = repository(&format!("tests/fixtures/cache/{story}/{file}"));
            fs::read_to_string(path).expect(file)
        };
        let warning = "unknown seccomp syscall `unknown1` ignored";
        assert!(
            recorded("run1.stderr").contains(warning),
            "{story}: the first run warned"
        );
        assert!(
            !recorded("run2.stderr").contains(warning),
            "{story}: the second did not"
        );

        let root = StateRoot::of(story);
        let entry = cached(&root.path());
        let profile = repository(&format!("tests/fixtures/cache/{story}/profile.json"));
        let profile_path = profile.display().to_string();
        let ran = root.audit(&["--format=json", "--profile", &profile_path]);
        assert_eq!(ran.code, 1, "{story}: {}", ran.stderr);
        let report = ran.report();
        assert_eq!(report["key_scheme"]["state"], "verified", "{story}");
        assert_eq!(report["summary"]["hides_warnings"], 1, "{story}");
        let [only] = report["entries"].as_array().expect("entries").as_slice() else {
            panic!("{story}: one entry: {report:#}");
        };
        assert_eq!(only["name"], name(&entry), "{story}");
        assert_eq!(only["status"], "hides-warnings", "{story}");
        let configuration = fs::read_dir(root.path()).expect("a root");
        let configuration = configuration
            .map(|entry| entry.expect("an entry").path().join("config.json"))
            .find(|path| path.exists())
            .expect("a container");
        let container = name(configuration.parent().expect("a directory")).to_owned();
        let shown = configuration.display().to_string();
        assert_eq!(
            only["attributed"],
            json!([
                {"path": shown, "container": container, "by": "link", "resolved": null},
                {"path": shown, "container": container, "by": "key", "resolved": null},
                {"path": profile_path, "container": null, "by": "key", "resolved": null},
            ]),
            "{story}"
        );
        let places = [&configuration, &profile].map(|path| place(path, "unknown1\", \"kexec"));
        for (hidden, place) in only["hidden"]
            .as_array()
            .expect("hidden")
            .iter()
            .zip(&places)
        {
            assert_eq!(hidden["syscall"], "unknown1", "{story}");
            assert_eq!(hidden["span"]["start"], place["start"], "{story}");
        }
        assert_eq!(
            only["hidden"][0]["pointer"], "/linux/seccomp/syscalls/0/names/3",
            "{story}"
        );
        assert_eq!(
            only["hidden"][1]["pointer"], "/syscalls/0/names/3",
            "{story}"
        );
        let [finding] = report["findings"].as_array().expect("findings").as_slice() else {
            panic!("{story}: one finding: {report:#}");
        };
        assert_eq!(finding["rule"], "cache-hides-warnings", "{story}");
        assert_eq!(finding["path"], entry.display().to_string(), "{story}");
        assert_eq!(finding["facts"]["syscall"], "unknown1", "{story}");
        assert_eq!(
            finding["facts"]["containers"],
            json!([container]),
            "{story}"
        );
        assert_eq!(finding["labels"][0]["path"], shown, "{story}");
        assert_eq!(finding["labels"][1]["path"], profile_path, "{story}");

        for path in [&profile, &configuration] {
            let path = path.display().to_string();
            let key = run(["cache-key".to_owned(), path]
                .into_iter()
                .chain(root.host()));
            assert_eq!(
                (key.code, key.stdout.trim_end()),
                (0, name(&entry)),
                "{}",
                key.stderr
            );
        }
    }
}

#[test]
fn the_report_for_people_tells_the_story() {
    let root = StateRoot::of("unknown1");
    insta::assert_snapshot!(root.without_place(&root.audit(&[]).stdout));
}

/// What crun warned of on the first run is what the audit says is hidden: names
/// in rule entries that do what happens anyway are not among it.
#[test]
fn hidden_names_are_those_that_crun_warned_of() {
    let root = StateRoot::of("mixed");
    let profiles = repository("tests/fixtures/cache/mixed/profiles")
        .display()
        .to_string();
    let report = root
        .audit(&["--format=json", "--profile", &profiles])
        .report();
    let warned = root.record["warned"].as_object().expect("warned");
    assert!(
        warned
            .values()
            .any(|names| names.as_array().is_some_and(|names| names.len() > 1))
    );
    for (container, names) in warned {
        let key = &root.record["keys"][container];
        let entries = report["entries"].as_array().expect("entries");
        let entry = entries
            .iter()
            .find(|entry| entry["name"] == *key)
            .expect("an entry");
        let first = entry["attributed"][0]["path"].as_str().expect("a path");
        let hidden: Vec<_> = (entry["hidden"].as_array().expect("hidden").iter())
            .filter(|hidden| hidden["path"] == first)
            .map(|hidden| hidden["syscall"].clone())
            .collect();
        assert_eq!(Value::from(hidden), *names, "{container}");
        let silent = names.as_array().is_some_and(Vec::is_empty);
        let status = if silent { "clean" } else { "hides-warnings" };
        assert_eq!(entry["status"], status, "{container}");
    }
}

/// An entry whose container is gone is explained by its profile, or by nothing.
#[test]
fn an_entry_that_nothing_explains_is_said_to_be_so() {
    let root = StateRoot::of("mixed");
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["unattributed"], 1);
    let gone = root.record["keys"]["gone"].as_str().expect("a key");
    let rules: Vec<_> = (report["findings"].as_array().expect("findings").iter())
        .filter(|finding| {
            finding["path"]
                .as_str()
                .is_some_and(|path| path.ends_with(gone))
        })
        .map(|finding| finding["rule"].as_str().expect("a rule"))
        .collect();
    assert_eq!(rules, ["cache-unattributed"]);
    let stdout = root.audit(&[]).stdout;
    assert!(
        stdout.ends_with(": 4 entries: 1 hiding warnings, 2 clean, 1 not explained\n"),
        "{stdout}"
    );
}

/// Without a crun to ask, the links of running containers still tell much.
#[test]
fn without_crun_entries_are_attributed_by_link() {
    let root = StateRoot::of("unknown1");
    let path = root.path().display().to_string();
    let ran = run(["cache-audit", &path, "--format=json"]);
    assert_eq!(ran.code, 1);
    let report = ran.report();
    assert_eq!(
        report["key_scheme"],
        json!({"name": null, "state": "unknown", "agreeing": 0, "differing": 0})
    );
    let attributed = report["entries"][0]["attributed"]
        .as_array()
        .expect("attributed");
    assert_eq!(attributed.len(), 1);
    assert_eq!(attributed[0]["by"], "link");
    assert!(
        report["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("--runtime crun@"))
    );
}

/// A profile that explains nothing since nobody knows which crun it was must not look like one
/// whose entries are not there.
#[test]
fn a_profile_that_cannot_be_used_is_no_success() {
    let root = StateRoot::of("clean");
    let path = root.path().display().to_string();
    let profile = repository("tests/fixtures/cache/clean/profile.json");
    let profile = profile.display().to_string();
    let ran = run(["cache-audit", &path, "--profile", &profile]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let words = "error: --profile explained nothing: crun cannot be asked";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 entry"), "the report is there");
    assert_eq!(root.audit(&["--profile", &profile]).code, 0);
}

/// In a copy the links are often gone: a container is not without a filter for that.
#[test]
fn a_container_whose_filter_was_not_copied_is_not_said_to_have_none() {
    let root = StateRoot::of("clean");
    let filter = root.path().join("clean/seccomp.bpf");
    fs::remove_file(filter).expect("a link");
    let ran = root.audit(&["--format=json"]);
    let report = ran.report();
    assert_eq!(
        report["containers"],
        json!([{"id": "clean", "filter": "missing"}])
    );
    assert!(
        report["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("1 container has a seccomp section"))
    );
    let said = root.audit(&[]).stdout;
    assert!(
        said.contains("1 container whose filter is not there"),
        "{said}"
    );
    assert!(!said.contains("without a filter"), "{said}");
}

/// Keys of another crun than the one that made the cache explain nothing. They
/// must not be believed where a container proves them wrong.
#[test]
fn keys_that_a_container_contradicts_are_not_used() {
    let root = StateRoot::of("unknown1");
    let path = root.path().display().to_string();
    let uname = root.record["uname"].as_str().expect("uname");
    let host = [
        "--runtime=crun@1.20",
        "--libseccomp=2.6.0",
        "--uname",
        uname,
    ];
    let ran = run(["cache-audit", &path, "--format=json"]
        .into_iter()
        .chain(host));
    let report = ran.report();
    assert_eq!(report["key_scheme"]["state"], "contradicted");
    assert_eq!(
        report["entries"][0]["attributed"].as_array().map(Vec::len),
        Some(1)
    );
    assert!(
        report["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("keys explain nothing"))
    );
}

/// A person who names the wrong root is told what is wrong with it.
#[test]
fn a_root_that_cannot_be_audited_is_answered() {
    let root = StateRoot::of("clean");
    let path = root.path();
    let link = path.with_file_name("link");
    symlink(&path, &link).expect("a link");
    let file = path.join("clean/config.json");
    let missing = path.join("missing");
    for (root, answer) in [
        (&missing, "no such directory"),
        (&link, "a symbolic link"),
        (&file, "not a directory"),
    ] {
        let ran = run(["cache-audit".as_ref(), root.as_os_str()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{answer}");
        assert!(ran.stderr.contains(answer), "{}", ran.stderr);
    }
    // A directory near the root would otherwise pass for a cache in which all is well.
    let meant = format!("did you mean {}?", path.display());
    let above = path.parent().expect("a parent").to_owned();
    for near in [
        above,
        path.join(".cache"),
        path.join(".cache/seccomp"),
        path.join("clean"),
    ] {
        let ran = run(["cache-audit".as_ref(), near.as_os_str()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{near:?}");
        assert!(
            ran.stderr.contains("not a state root of crun"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(&meant), "{}", ran.stderr);
    }
    // A crun that caches nothing leaves an empty root.
    let empty = path.with_file_name("empty");
    fs::create_dir(&empty).expect("a directory");
    let ran = run(["cache-audit".as_ref(), empty.as_os_str()]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr.contains("not a crun state root"),
        "{}",
        ran.stderr
    );
    let ran = run(["cache-audit", "--runtime=runc", "."]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("keeps no cache"), "{}", ran.stderr);
}

/// Without a root named, crun's own places are looked at, and nothing else.
#[test]
fn the_default_root_is_that_of_the_user() {
    let root = StateRoot::of("unknown1");
    let mut command = support::seclint();
    command
        .arg("cache-audit")
        .env("XDG_RUNTIME_DIR", root.path().parent().expect("a parent"));
    let ran = support::Ran::from(command.output().expect("seclint runs"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("unknown1"), "{}", ran.stdout);
}

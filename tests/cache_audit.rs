//! `seclint cache-audit` on state roots that real cruns left, and on what an
//! attacker could leave. If one of these fails, a host keeps filters that do not
//! do what their profiles say, and nobody is told; or the audit reads or changes
//! what it must not.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::{StateRoot, repository, run};

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

fn cached(root: &Path) -> PathBuf {
    let mut entries = fs::read_dir(root.join(".cache/seccomp")).expect("a cache");
    entries.next().expect("an entry").expect("an entry").path()
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

/// crun evicts entries by their access time, and an audit must leave a host as
/// it found it.
#[test]
fn nothing_is_changed_not_even_access_times() {
    let root = StateRoot::of("mixed");
    let mut paths = vec![root.path()];
    let mut at = 0;
    while let Some(path) = paths.get(at).cloned() {
        if path.is_dir() {
            paths.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .map(|entry| entry.expect("an entry").path()),
            );
        }
        at += 1;
    }
    // Long ago, so that any read would be recorded under relatime.
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    for path in &paths {
        let file = fs::File::open(path).expect("a file");
        file.set_times(fs::FileTimes::new().set_accessed(past))
            .expect("times");
    }
    let state = || -> Vec<_> {
        let meta = paths
            .iter()
            .map(|path| (path, fs::symlink_metadata(path).expect("a file")));
        meta.map(|(path, meta)| {
            (
                path.clone(),
                meta.atime(),
                meta.mtime(),
                meta.ctime(),
                meta.mode(),
                meta.nlink(),
                meta.size(),
            )
        })
        .collect()
    };
    let before = state();
    assert_eq!(root.audit(&[]).code, 1);
    assert_eq!(state(), before);
}

/// A cache directory may belong to an attacker: nothing is read through a link,
/// nothing that blocks is opened.
#[test]
fn nothing_is_read_through_links_and_nothing_blocks() {
    let secret = support::file(
        "secret.json",
        fs::read(repository(
            "tests/fixtures/cache/unknown1/root/unknown1/config.json",
        ))
        .expect("a configuration"),
    );
    let root = StateRoot::of("clean");
    let path = root.path();
    // A container whose configuration is a link to one that names `unknown1`.
    fs::create_dir(path.join("linked")).expect("a directory");
    symlink(&secret.1, path.join("linked/config.json")).expect("a link");
    fs::hard_link(cached(&path), path.join("linked/seccomp.bpf")).expect("a link");
    // A container that is a link itself, one whose configuration is a fifo, one that is a directory.
    symlink(secret.0.path(), path.join("elsewhere")).expect("a link");
    for (container, kind) in [
        ("blocking", rustix::fs::FileType::Fifo),
        ("odd", rustix::fs::FileType::Socket),
    ] {
        fs::create_dir(path.join(container)).expect("a directory");
        let file = path.join(container).join("config.json");
        let mode = rustix::fs::Mode::from(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, file, kind, mode, 0).expect("a node");
    }
    fs::create_dir_all(path.join("nested/config.json")).expect("a directory");
    // An entry that is a link, and one that is a fifo.
    let cache = path.join(".cache/seccomp");
    symlink(&secret.1, cache.join("0".repeat(64))).expect("a link");
    let fifo = cache.join("1".repeat(64));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .expect("a fifo");

    let ran = root.audit(&["--format=json"]);
    let report = ran.report();
    assert!(
        !ran.stdout.contains("unknown1"),
        "the linked configuration was read: {report:#}"
    );
    let messages: Vec<_> = (report["findings"].as_array().expect("findings").iter())
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap_or_default(),
                finding["message"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        messages,
        [
            (
                "cache-permissions",
                "a symbolic link in the place of a cache entry"
            ),
            ("cache-permissions", "a fifo in the place of a cache entry"),
        ]
    );
}

/// A link in the place of the cache would make the audit speak of another one.
#[test]
fn a_cache_that_is_a_link_is_reported_and_not_entered() {
    for replaced in [".cache", ".cache/seccomp"] {
        let elsewhere = StateRoot::of("unknown1");
        let root = StateRoot::of("clean");
        let path = root.path().join(replaced);
        fs::remove_dir_all(&path).expect("a directory");
        symlink(elsewhere.path().join(replaced), &path).expect("a link");
        let report = root.audit(&["--format=json"]).report();
        assert_eq!(report["entries"], json!([]), "{replaced}");
        assert_eq!(
            report["findings"][0]["rule"], "cache-permissions",
            "{replaced}"
        );
    }
}

/// Whoever can write to the cache chooses the filters of the next containers.
#[test]
fn entries_that_others_can_write_are_errors() {
    let root = StateRoot::of("clean");
    for path in [root.path().join(".cache/seccomp"), cached(&root.path())] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o722)).expect("a mode");
        let ran = root.audit(&["--format=json"]);
        let report = ran.report();
        assert_eq!(ran.code, 1);
        assert_eq!(report["findings"][0]["rule"], "cache-permissions");
        assert_eq!(report["findings"][0]["path"], path.display().to_string());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("a mode");
    }
    assert_eq!(root.audit(&[]).code, 0);
}

/// Names that no crun gives are not crun's. Odd names must not reach a terminal.
#[test]
fn foreign_files_are_shown_and_harmless_to_a_terminal() {
    use std::os::unix::ffi::OsStrExt;
    let root = StateRoot::of("clean");
    let cache = root.path().join(".cache/seccomp");
    for name in [&b"\x1b[2Jgone"[..], b"\xff\xfe", b".hidden", &[b'A'; 64]] {
        fs::write(cache.join(std::ffi::OsStr::from_bytes(name)), "").expect("a file");
    }
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["foreign"], 4);
    let ran = root.audit(&["--fail-on=info"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.stdout.contains('\x1b'), "{:?}", ran.stdout);
    assert!(
        ran.stdout.contains("4 foreign files beside them"),
        "{}",
        ran.stdout
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

//! `seclint cache-audit` on what an attacker could leave in a cache. If one of these fails, the audit
//! reads or changes what it must not, or is silent about who can choose filters.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use serde_json::json;
use support::{StateRoot, cached, repository};

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

//! `seclint cache-audit --prune`, and cache directories made by someone who wants
//! it to hang, to read elsewhere, or to remove what it should not. If one of
//! these fails, running the audit as root is a risk.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use serde_json::{Value, json};
use support::StateRoot;
use tempfile::TempDir;

fn cache(root: &StateRoot) -> std::path::PathBuf {
    root.path().join(".cache/seccomp")
}

/// Names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn pruned(report: &Value) -> BTreeMap<String, String> {
    let entries = report["entries"].as_array().expect("entries").iter();
    entries
        .filter_map(|entry| {
            let name = entry["name"].as_str().expect("a name").to_owned();
            Some((name, entry["pruned"].as_str()?.to_owned()))
        })
        .collect()
}

/// One instruction: everything is allowed.
const FILTER: [u8; 8] = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];

/// A file with the mode that crun gives, which is no finding of its own.
fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a mode");
}

/// What is flagged goes, and nothing else; the container that runs with the
/// entry keeps its filter.
#[test]
fn exactly_the_flagged_entries_are_removed() {
    let root = StateRoot::of("mixed");
    let malformed = "b".repeat(64);
    put(&cache(&root).join(&malformed), b"odd");
    put(&cache(&root).join("README"), b"");
    let before = names(&cache(&root));
    let two = root.record["keys"]["two"]
        .as_str()
        .expect("a key")
        .to_owned();

    let dry = root.audit(&["--format=json", "--prune", "--dry-run"]);
    let would: BTreeMap<_, _> = [&two, &malformed]
        .map(|name| (name.clone(), "would-be-removed".to_owned()))
        .into();
    assert_eq!(pruned(&dry.report()), would);
    assert_eq!(names(&cache(&root)), before, "a dry run removes nothing");

    let ran = root.audit(&["--format=json", "--prune"]);
    assert_eq!(
        ran.code, 1,
        "what was found is found, whether or not it was removed"
    );
    let did: BTreeMap<_, _> = [&two, &malformed]
        .map(|name| (name.clone(), "removed".to_owned()))
        .into();
    assert_eq!(pruned(&ran.report()), did);
    let left: Vec<_> = before
        .into_iter()
        .filter(|name| ![&two, &malformed].contains(&name))
        .collect();
    assert_eq!(names(&cache(&root)), left);
    assert!(
        root.path().join("two/seccomp.bpf").exists(),
        "the container keeps its filter"
    );

    let again = root.audit(&["--format=json", "--prune"]);
    assert_eq!((again.code, pruned(&again.report())), (0, BTreeMap::new()));
}

/// Rules that were not asked for flag nothing, and so remove nothing.
#[test]
fn ignored_rules_remove_nothing() {
    let root = StateRoot::of("unknown1");
    let before = names(&cache(&root));
    let ran = root.audit(&["--prune", "--ignore=cache-hides-warnings"]);
    assert_eq!(ran.code, 0);
    assert_eq!(names(&cache(&root)), before);
}

/// People see what was done.
#[test]
fn the_report_says_what_was_removed() {
    for (arguments, words) in [
        (&["--prune", "--dry-run"][..], "would be removed"),
        (&["--prune"], "removed"),
    ] {
        let root = StateRoot::of("unknown1");
        let stdout = root.without_place(&root.audit(arguments).stdout);
        let line = format!(
            "/run/crun/.cache/seccomp/52d919833844440f4ede66ce5cc31bcba2150814bb0c552eed7b528d10765de8: {words}\n"
        );
        assert!(stdout.contains(&line), "{stdout}");
    }
    assert_eq!(
        StateRoot::of("clean").audit(&["--dry-run"]).code,
        2,
        "--dry-run alone means nothing"
    );
}

/// Everything that can stand in a directory, under the names of flagged entries
/// and others: no hang, nothing read elsewhere, nothing removed but one file.
#[test]
fn whatever_stands_in_the_cache_is_survived() {
    let outside = TempDir::new().expect("a directory");
    let secret = outside.path().join("secret");
    put(&secret, b"odd");
    let root = StateRoot::of("unknown1");
    let cache = cache(&root);
    let flagged = root.record["keys"]["unknown1"]
        .as_str()
        .expect("a key")
        .to_owned();
    let name = |digit: char| cache.join(digit.to_string().repeat(64));
    let node = |path: &Path, kind, device| {
        // Devices need a privilege that not every user of the tests has.
        let made = mknodat(CWD, path, kind, Mode::from(0o600), device);
        assert!(made.is_ok() || matches!(kind, FileType::CharacterDevice | FileType::BlockDevice));
    };
    symlink(&secret, name('0')).expect("a link");
    symlink("/nonexistent", name('1')).expect("a link");
    symlink(name('2'), name('2')).expect("a link to itself");
    node(&name('3'), FileType::Fifo, 0);
    node(&name('4'), FileType::Socket, 0);
    node(
        &name('5'),
        FileType::CharacterDevice,
        rustix::fs::makedev(1, 5),
    );
    fs::create_dir(name('6')).expect("a directory");
    put(&name('6').join("inside"), b"odd");
    symlink(outside.path(), cache.join("elsewhere")).expect("a link");
    put(
        &cache.join(std::ffi::OsStr::from_bytes(b"\xff\xfe\n\x1b[2J")),
        b"odd",
    );
    // A sparse file of 10 GB, in the place of an entry and of a configuration.
    for path in [name('7'), root.path().join("huge/config.json")] {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        put(&path, b"");
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(10 << 30))
            .expect("a sparse file");
    }
    put(&name('8'), &FILTER);
    fs::set_permissions(name('8'), fs::Permissions::from_mode(0o000)).expect("a mode");
    // Containers whose files are anything but files.
    for (id, kind) in [("fifo", FileType::Fifo), ("socket", FileType::Socket)] {
        for file in ["config.json", "seccomp.bpf"] {
            fs::create_dir_all(root.path().join(id)).expect("a directory");
            node(&root.path().join(id).join(file), kind, 0);
        }
    }
    fs::create_dir_all(root.path().join("directory/config.json")).expect("a directory");
    symlink(&secret, root.path().join("directory/seccomp.bpf")).expect("a link");
    symlink(outside.path(), root.path().join("linked")).expect("a link");

    let ran = root.audit(&["--format=json", "--prune"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let expected = [(flagged, "removed"), ("7".repeat(64), "removed")];
    assert_eq!(
        pruned(&ran.report()),
        expected.map(|(name, did)| (name, did.to_owned())).into()
    );
    assert_eq!(fs::read(&secret).expect("the secret is there"), b"odd");
    assert_eq!(
        fs::read(name('6').join("inside")).expect("the directory is there"),
        b"odd"
    );
    for digit in ['0', '1', '2', '3', '4', '6', '8'] {
        assert!(
            name(digit).symlink_metadata().is_ok(),
            "{digit} is no plain flagged file"
        );
    }
    assert!(!root.audit(&[]).stdout.contains('\x1b'));
}

/// A cache of 200,000 entries is audited, and pruned of the one that is flagged.
#[test]
fn a_crowded_cache_is_audited() {
    let root = StateRoot::of("unknown1");
    let cache = cache(&root);
    let first = cache.join(format!("{:064x}", 0));
    put(&first, &FILTER);
    for number in 1..200_000 {
        // Hard links: as many names, and no time spent on writing files.
        let from = if number % 30_000 == 0 {
            let path = cache.join(format!("{number:064x}"));
            put(&path, &FILTER);
            continue;
        } else {
            cache.join(format!("{:064x}", number / 30_000 * 30_000))
        };
        fs::hard_link(from, cache.join(format!("{number:064x}"))).expect("a link");
    }
    let ran = root.audit(&["--prune"]);
    let last = ran.stdout.lines().last().expect("a last line");
    let counts = ": 200001 entries: 1 hiding warnings, 200000 not explained; 1 of them removed now";
    assert!(last.ends_with(counts), "{last}");
    assert_eq!(ran.stdout.matches(": removed\n").count(), 1);
    assert_eq!(fs::read_dir(&cache).expect("a cache").count(), 200_000);
}

/// Entries that vanish, and are swapped for links, directories and other files
/// while the audit is at work: what they point to stays, and so does what was
/// never flagged.
#[test]
fn a_cache_that_changes_under_the_audit_is_survived() {
    let outside = TempDir::new().expect("a directory");
    let secret = outside.path().join("secret");
    put(&secret, b"odd");
    let root = StateRoot::of("clean");
    let cache = cache(&root);
    let kept = names(&cache);
    let swapped: Vec<_> = (0..64)
        .map(|number| cache.join(format!("{number:064x}")))
        .collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = Over(&is_over);
        scope.spawn(|| {
            // Each may fail: the audit removes files as well.
            let mut round = 0_usize;
            while !is_over.load(Ordering::Relaxed) {
                for path in &swapped {
                    let _ = fs::remove_file(path);
                    let _ = fs::remove_dir(path);
                    let _ = match round % 4 {
                        0 => fs::write(path, b"odd"),
                        1 => symlink(&secret, path),
                        2 => fs::create_dir(path),
                        _ => Ok(()),
                    };
                    round += 1;
                }
                round += 1;
            }
        });
        for _ in 0..20 {
            let ran = root.audit(&["--format=json", "--prune"]);
            assert!(ran.code < 2, "{}", ran.stderr);
            ran.report();
        }
        drop(over);
    });
    assert_eq!(fs::read(&secret).expect("the secret is there"), b"odd");
    let left = names(&cache);
    assert!(kept.iter().all(|name| left.contains(name)), "{left:?}");
}

/// Entries that change places with directories, also in the moment between the
/// last look and the removal: that is no error, and the directories stay.
#[test]
fn entries_that_change_places_with_directories_are_survived() {
    for _ in 0..20 {
        let root = StateRoot::of("clean");
        let outside = TempDir::new().expect("a directory");
        let pairs: Vec<_> = (0..64)
            .map(|number| format!("{number:064x}"))
            .map(|name| (cache(&root).join(&name), outside.path().join(&name)))
            .collect();
        for (entry, directory) in &pairs {
            put(entry, b"odd");
            fs::create_dir(directory).expect("a directory");
        }
        let is_over = AtomicBool::new(false);
        let ran = thread::scope(|scope| {
            let _over = Over(&is_over);
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for (entry, other) in &pairs {
                        // It fails where the audit removed one of the two.
                        let _ = renameat_with(CWD, entry, CWD, other, RenameFlags::EXCHANGE);
                    }
                }
            });
            root.audit(&["--format=json", "--prune"])
        });
        assert!(ran.code < 2, "{}", ran.stderr);
        let directories = pairs
            .iter()
            .filter(|(entry, other)| entry.is_dir() || other.is_dir());
        assert_eq!(directories.count(), pairs.len(), "a directory was removed");
    }
}

/// Ends the threads that go on until they are told, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The directory itself is swapped for a link to another cache, again and again:
/// nothing there is removed.
#[test]
fn a_cache_that_is_swapped_for_a_link_is_survived() {
    let elsewhere = StateRoot::of("unknown1");
    let there = cache(&elsewhere);
    put(&there.join("c".repeat(64)), b"odd");
    let before = names(&there);
    let root = StateRoot::of("clean");
    let here = cache(&root);
    let aside = here.with_file_name("aside");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = Over(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = fs::rename(&here, &aside);
                let _ = symlink(&there, &here);
                let _ = fs::remove_file(&here);
                let _ = fs::rename(&aside, &here);
            }
        });
        for _ in 0..40 {
            let ran = root.audit(&["--format=json", "--prune"]);
            assert!(ran.code < 2, "{}", ran.stderr);
        }
        drop(over);
    });
    assert_eq!(names(&there), before, "the other cache was touched");
}

/// A user who may not write there is told so, and the exit code says it.
#[test]
fn what_could_not_be_removed_is_2() {
    let root = StateRoot::of("unknown1");
    let (path, cache) = (root.path(), cache(&root));
    let outer = path.parent().expect("a parent");
    fs::set_permissions(outer, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o500)).expect("a mode");
    support::give_to_user(&path);
    let mut command = support::seclint_as_user(outer);
    command
        .args(["cache-audit", "--format=json", "--prune"])
        .args(root.host())
        .arg(&path);
    let ran = support::Ran::from(command.output().expect("seclint runs"));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("not all could be removed"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        pruned(&ran.report()).values().collect::<Vec<_>>(),
        ["failed"]
    );
}

/// Several hosts' roots, or root's and a user's, are audited in one call, and one
/// that is not there hides none of the others.
#[test]
fn several_roots_are_audited_in_one_call() {
    let (one, two) = (StateRoot::of("clean"), StateRoot::of("unknown1"));
    let paths = [one.path(), two.path()].map(|path| path.display().to_string());
    let run = |options: &[&str], roots: &[&str]| {
        let arguments = [&["cache-audit"], options, roots].concat();
        support::run(arguments.into_iter().map(str::to_owned).chain(one.host()))
    };
    let audited = |ran: &support::Ran| {
        let reports = ran.stdout.lines().map(|line| {
            serde_json::from_str::<Value>(line).expect("a report a line")["root"].clone()
        });
        Value::Array(reports.collect())
    };
    let ran = run(&["--format=json"], &[&paths[0], &paths[1]]);
    assert_eq!((ran.code, audited(&ran)), (1, json!(paths)));
    let root = one.path();
    let above = root.parent().expect("a parent").display().to_string();
    let roots = ["/missing", &paths[0], &above, &paths[1]];
    let ran = run(&["--format=json"], &roots);
    assert_eq!((ran.code, audited(&ran)), (2, json!(paths)));
    for said in ["/missing: no such directory", ": not a state root"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let report = run(&["--format=sarif"], &["/missing"]).sarif();
    let invocation = &report["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
}

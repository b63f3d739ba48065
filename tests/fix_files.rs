//! Where corrected texts go: into files, to standard output, into a patch. If one of these fails, a
//! file is not what it was, or a patch does not fit.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;

use serde_json::Value;
use support::fixing::{PROFILE, RULES, SAFE, check, directory, read};
use support::{Ran, seclint};

#[test]
fn a_patch_is_what_patch_takes_and_nothing_is_written() {
    let directory = directory(&[("a.json", PROFILE), ("b.json", SAFE)]);
    let ran = check(
        directory.path(),
        &["a.json", "b.json", "--diff", RULES, "--report=json=r.json"],
    );
    assert_eq!(ran.code, 1);
    assert_eq!(read(&directory, "a.json"), PROFILE);
    assert_eq!(
        ran.stdout,
        "--- a/a.json\n+++ b/a.json\n@@ -1,4 +1,4 @@\n {\r\n \t\"defaultAction\":   \"SCMP_ACT_ERRNO\",\r\n-  \"syscalls\": [ {\"names\": [\"read\",\"read\" ,\"mkdirr\"],\r\n- \"action\":\"SCMP_ACT_ALLOW\" ,\"errnoRet\": 1 } ]}\n\\ No newline at end of file\n+  \"syscalls\": [ {\"names\": [\"read\" ,\"mkdirr\"],\r\n+ \"action\":\"SCMP_ACT_ALLOW\" } ]}\n\\ No newline at end of file\n"
    );
    let takes = std::process::Command::new("git")
        .args(["apply", "--check", "-"])
        .current_dir(directory.path())
        .env("GIT_CEILING_DIRECTORIES", directory.path())
        .stdin(Stdio::piped())
        .spawn()
        .and_then(|mut git| {
            let mut patch = git.stdin.take().expect("a pipe");
            std::io::Write::write_all(&mut patch, ran.stdout.as_bytes())?;
            drop(patch);
            git.wait()
        });
    assert!(takes.expect("git").success(), "{}", ran.stdout);
    let report: Value = serde_json::from_str(&read(&directory, "r.json")).expect("JSON");
    assert_eq!(report["findings"].as_array().expect("findings").len(), 4);
    let more = check(
        directory.path(),
        &["a.json", "--diff", "--unsafe-fixes", RULES],
    )
    .stdout;
    assert!(more.contains("\"mkdir\""), "{more}");
    assert_eq!(read(&directory, "a.json"), PROFILE);
    let ran = check(directory.path(), &["a.json", "--diff", "--format=json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

/// An editor that pipes a buffer through seclint must get it back, corrected or not.
#[test]
fn standard_input_goes_to_standard_output() {
    let directory = directory(&[
        ("a.json", PROFILE),
        ("b.json", SAFE),
        ("c.txt", "no profile\n"),
    ]);
    for (name, expected) in [
        ("a.json", SAFE),
        ("b.json", SAFE),
        ("c.txt", "no profile\n"),
    ] {
        for skips in [&[][..], &["--skip-non-profiles"]] {
            let mut command = seclint();
            command
                .current_dir(directory.path())
                .args(["check", "-", "--fix", RULES])
                .args(skips);
            let input = fs::File::open(directory.path().join(name)).expect("a file");
            let output = command.stdin(Stdio::from(input)).output();
            let ran = Ran::from(output.expect("seclint runs"));
            assert_eq!(ran.stdout, expected, "{name}");
            assert!(
                name == "c.txt" || ran.stderr.contains("mkdirr"),
                "{}",
                ran.stderr
            );
        }
    }
    let huge = vec![b' '; 9 << 20];
    fs::write(directory.path().join("huge"), &huge).expect("a file");
    let mut command = seclint();
    let input = fs::File::open(directory.path().join("huge")).expect("a file");
    let output = command
        .args(["check", "-", "--fix"])
        .stdin(Stdio::from(input))
        .output();
    let ran = Ran::from(output.expect("seclint runs"));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

/// A file is another one, and still whose it was, as readable as it was, and where it was.
#[test]
fn files_are_replaced_with_their_modes_and_links() {
    let directory = directory(&[("a.json", PROFILE), ("b.json", SAFE)]);
    let path = |name: &str| directory.path().join(name);
    let meta = |name: &str| fs::metadata(path(name)).expect(name);
    fs::set_permissions(path("a.json"), fs::Permissions::from_mode(0o640)).expect("a mode");
    symlink("a.json", path("link.json")).expect("a link");
    let before = (meta("a.json").ino(), meta("b.json").ino());
    check(
        directory.path(),
        &["link.json", "a.json", "b.json", "--fix", RULES],
    );
    assert!(path("link.json").is_symlink());
    assert_eq!(read(&directory, "a.json"), SAFE);
    assert_eq!(meta("a.json").mode() & 0o7777, 0o640);
    assert_ne!(meta("a.json").ino(), before.0, "written in place");
    assert_eq!(
        meta("b.json").ino(),
        before.1,
        "written though nothing changed"
    );
    let left = fs::read_dir(directory.path()).expect("a directory").count();
    assert_eq!(left, 3, "a temporary file is left");
}

/// What cannot be written is not corrected, and the report must not say so.
#[test]
fn a_file_that_cannot_be_replaced_is_2_and_reported_as_it_is() {
    let directory = directory(&[("a.json", PROFILE)]);
    support::give_to_user(directory.path());
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).expect("a mode");
    let mut command = support::seclint_as_user(directory.path());
    command.current_dir(directory.path());
    let output = command
        .args(["check", "a.json", "--fix", "--format=json", RULES])
        .output();
    let ran = Ran::from(output.expect("seclint runs"));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let why = "a.json: it could not be written: Permission denied";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert_eq!(ran.report()["summary"]["fixed"], 0);
    assert_eq!(
        ran.report()["findings"].as_array().expect("findings").len(),
        3
    );
    assert_eq!(read(&directory, "a.json"), PROFILE);
}

/// A file must not change hands, lose its other names or its protection, because a name in it was
/// misspelt; whoever runs seclint must learn why it is as it was.
#[test]
fn a_file_that_would_not_be_the_same_one_is_left_alone() {
    let directory = directory(&[
        ("a.json", PROFILE),
        ("b.json", PROFILE),
        ("d.json", PROFILE),
    ]);
    let path = |name: &str| directory.path().join(name);
    fs::set_permissions(path("a.json"), fs::Permissions::from_mode(0o444)).expect("a mode");
    fs::hard_link(path("b.json"), path("c.json")).expect("a link");
    support::give_to_user(directory.path());
    let mut names = vec![("a.json", "write-protected"), ("b.json", "hard links")];
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path("d.json"), Some(0), Some(0)).expect("an owner");
        names.push(("d.json", "run seclint as its owner"));
    }
    for (name, why) in names {
        let mut command = support::seclint_as_user(directory.path());
        command.current_dir(directory.path());
        let output = command.args(["check", name, "--fix", RULES]).output();
        let ran = Ran::from(output.expect("seclint runs"));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!(read(&directory, name), PROFILE);
    }
}

/// What stands in a pipe is not there any more when it could be corrected.
#[test]
fn a_pipe_is_not_fixed_in_place() {
    let directory = directory(&[("a.json", PROFILE)]);
    let mut command = seclint();
    let mut cat = std::process::Command::new("cat");
    let mut cat = (cat.arg(directory.path().join("a.json")))
        .stdout(Stdio::piped())
        .spawn()
        .expect("cat runs");
    let pipe = cat.stdout.take().expect("a pipe");
    let output = command
        .args(["check", "/dev/stdin", "--fix", RULES])
        .stdin(Stdio::from(pipe))
        .output();
    let ran = Ran::from(output.expect("seclint runs"));
    cat.wait().expect("cat ends");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("`-` reads standard input"),
        "{}",
        ran.stderr
    );
}

/// A patch that names a file as neither takes it is of no use, and one that leaves a file out must
/// say so.
#[test]
fn a_patch_names_files_as_git_and_patch_take_them() {
    let directory = directory(&[("outside.json", PROFILE)]);
    let inner = directory.path().join("in");
    fs::create_dir(&inner).expect("a directory");
    let names: [&[u8]; 6] = [
        b"a b.json",
        "\u{e4}.json".as_bytes(),
        b"new\nline.json",
        b"tab\tquote\"back\\.json",
        b"esc\x1b.json",
        b"latin\xe4.json",
    ];
    let path = |name: &[u8]| inner.join(std::ffi::OsStr::from_bytes(name));
    for name in names {
        fs::write(path(name), PROFILE).expect("a file");
    }
    let own = inner.canonicalize().expect("a path");
    let paths = [".", "../in/a b.json", own.to_str().expect("UTF-8")];
    for (tool, options) in [
        ("git", &["apply", "-"][..]),
        ("patch", &["-p1", "--binary"]),
    ] {
        for name in names {
            fs::write(path(name), PROFILE).expect("a file");
        }
        let ran = check(
            &inner,
            &[&paths[..], &["../outside.json", "--diff", RULES]].concat(),
        );
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("../outside.json: no patch can name it"),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stdout.matches("\n+++ ").count() + 1, names.len() + 1);
        let child = std::process::Command::new(tool)
            .args(options)
            .current_dir(&inner)
            .env("GIT_CEILING_DIRECTORIES", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let Ok(mut child) = child else {
            println!("SKIPPED: there is no {tool}");
            continue;
        };
        let mut input = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut input, ran.stdout.as_bytes()).expect("a patch");
        drop(input);
        assert!(
            child.wait().expect(tool).success(),
            "{tool}\n{}",
            ran.stdout
        );
        for name in names {
            let after = fs::read_to_string(path(name)).expect("a file");
            assert_eq!(after, SAFE, "{tool}\n{}", ran.stdout);
        }
    }
}

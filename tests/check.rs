//! `seclint check` as people use it: in a terminal, a pipe, a script, on good
//! files, bad ones, and files that are no profiles at all.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Ran, file, run, seclint};
use tempfile::TempDir;

const GOOD: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}"#;
/// Of interest for what `ONLY` selects; other rules speak of it as well.
const BAD: &str = r#"{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    {
      "names": ["kexec_load", "kexec_file_lod"],
      "action": "SCMP_ACT_ERRNO"
    }
  ]
}
"#;

const ONLY: &str = "--select=unknown-syscall";

fn check(contents: impl AsRef<[u8]>, options: &[&str]) -> Ran {
    let (_directory, path) = file("profile.json", contents);
    let path = path.display().to_string();
    let mut ran = run(["check", &path].into_iter().chain(options.iter().copied()));
    ran.stdout = ran.stdout.replace(&path, "profile.json");
    ran
}

fn rules(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().expect("findings");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (findings.iter())
        .map(|finding| (text(&finding["rule"]), text(&finding["severity"])))
        .collect()
}

/// What a person sees of the mistake that seclint exists for.
#[test]
fn a_misspelt_syscall_is_shown_where_it_stands() {
    insta::assert_snapshot!(check(BAD, &[ONLY]).stdout);
}

/// CI goes by the exit code, whatever the format.
#[test]
fn the_exit_code_tells_whether_something_was_found() {
    let newer = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mseal"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let about = "--select=syscall-newer-than-target";
    for format in ["human", "json", "sarif", "github"] {
        let format = &format!("--format={format}");
        assert_eq!(check(GOOD, &[format]).code, 0);
        assert_eq!(check(BAD, &[format]).code, 1);
        assert_eq!(check(BAD, &[format, "--fail-on=never"]).code, 0);
        assert_eq!(check(newer, &[format, about, "--libseccomp=2.5.4"]).code, 0);
        assert_eq!(
            check(
                newer,
                &[format, about, "--libseccomp=2.5.4", "--fail-on=warning"]
            )
            .code,
            1
        );
        assert_eq!(
            check(newer, &[format, about, "--arch=x86_64", "--fail-on=info"]).code,
            0
        );
    }
}

/// Bad arguments, and files that cannot be read, must not pass for a good profile.
#[test]
fn what_cannot_be_done_is_2_and_says_why() {
    let (directory, path) = file("bad.json", BAD);
    let missing = directory.path().join("missing.json");
    let ran = run(["check".as_ref(), missing.as_os_str(), path.as_os_str()]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("missing.json: No such file"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stdout.contains("kexec_file_lod"),
        "the other file is still linted"
    );
    for (arguments, why) in [
        (
            &["check", "--select", "unknown-sycall"][..],
            "did you mean `unknown-syscall`?",
        ),
        (&["check", "--libseccomp", "two"], "two"),
        (&["check", "--arch", "x87"], "the architectures are"),
        (&["check", "--kernel", "new"], "new"),
        (&["explain", "nothing"], "no rule is called `nothing`"),
        (&["syscalls", "mkdirr"], "did you mean `mkdir`?"),
        (&["lint"], "unrecognized subcommand"),
        (&[], "Usage"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(why), "{arguments:?}: {}", ran.stderr);
    }
}

/// A file that may not be read must not count as checked.
#[test]
fn a_file_that_may_not_be_read_is_2() {
    let (directory, path) = file("profile.json", GOOD);
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("a mode");
    let mut command = support::seclint_as_user(directory.path());
    let ran = Ran::from(
        command
            .arg("check")
            .arg(&path)
            .output()
            .expect("seclint runs"),
    );
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Permission denied"), "{}", ran.stderr);
}

#[test]
fn standard_input_is_a_profile_too() {
    let mut command = seclint();
    command
        .args(["check", "-", "--format=json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("seclint runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(BAD.as_bytes()).expect("a pipe");
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().expect("seclint ends"));
    assert_eq!(ran.code, 1);
    assert_eq!(ran.report()["findings"][0]["path"], "<stdin>");
}

/// `seclint check . | head` must not end in a panic, nor with a code by which a script with
/// `pipefail` takes the profiles for clean.
#[test]
fn a_reader_that_goes_away_ends_it_as_sigpipe_would() {
    let directory = TempDir::new().expect("a directory");
    for number in 0..200 {
        fs::write(directory.path().join(format!("{number}.json")), BAD).expect("a file");
    }
    let mut command = seclint();
    command
        .arg("check")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("seclint runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("seclint ends");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// A directory is walked in the order of names; what is no profile is passed
/// over and counted, hidden directories are not entered.
#[test]
fn a_directory_is_walked_in_order() {
    let directory = TempDir::new().expect("a directory");
    let put = |name: &str, contents: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, contents).expect("a file");
    };
    put("b.json", BAD);
    put("a/z.json", BAD);
    put("c.conf", BAD);
    put("package.json", r#"{"name": "x", "syscalls": 3}"#);
    put("README.md", "# read me");
    put("empty.json", "");
    put(".git/config.json", BAD);
    put(".hidden.json", BAD);
    let path = directory.path().display().to_string();
    let ran = run(["check", &path, "--format=json", ONLY]);
    let report = ran.report();
    let found: Vec<_> = (report["findings"].as_array().expect("findings").iter())
        .map(|finding| finding["path"].as_str().expect("a path").replace(&path, ""))
        .collect();
    assert_eq!(found, ["/.hidden.json", "/a/z.json", "/b.json", "/c.conf"]);
    assert_eq!(report["summary"]["files"], 7);
    assert_eq!(report["summary"]["skipped"], 3);
    let again = run(["check", &path, "--format=json", ONLY]);
    assert_eq!(again.stdout, ran.stdout);
}

/// Named files are meant: that one is no profile is a finding. A hook passes
/// files by pattern, and asks for those to be passed over.
#[test]
fn a_named_file_that_is_no_profile_is_a_finding() {
    for (contents, rule) in [
        (
            &br#"{"name": "x", "version": "1.0.0"}"#[..],
            "not-a-profile",
        ),
        (
            br#"{"ociVersion": "1.0.0", "process": {}, "linux": {}}"#,
            "not-a-profile",
        ),
        (b"[]", "not-a-profile"),
        (br#"{"syscalls": ["read", "write"]}"#, "not-a-profile"),
        (b"{}", "seccomp-disabled"),
        (br#"{"syscalls": null}"#, "seccomp-disabled"),
        (b"kind: SeccompProfile\n", "not-a-profile"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not-a-profile"),
        (b"", "json-syntax"),
        (b"{\"name\": }", "json-syntax"),
        (b"\xff\xfe{\x00}\x00", "json-syntax"),
    ] {
        let ran = check(contents, &["--format=json"]);
        assert_eq!(ran.code, 1, "{}", contents.escape_ascii());
        let report = ran.report();
        assert_eq!(rules(&report), [(rule.to_owned(), "error".to_owned())]);
        assert_eq!(report["summary"]["profiles"], 0);
        let ran = check(contents, &["--format=json", "--skip-non-profiles"]);
        assert_eq!(
            (ran.code, &ran.report()["summary"]["skipped"]),
            (0, &json!(1))
        );
    }
}

/// A huge file is refused in a sentence, and does not take the machine's memory.
#[test]
fn a_huge_file_is_a_finding() {
    let mut huge = GOOD.as_bytes().to_vec();
    huge.resize(9 << 20, b' ');
    let report = check(&huge, &["--format=json"]).report();
    assert_eq!(
        rules(&report),
        [("json-syntax".to_owned(), "error".to_owned())]
    );
    assert_eq!(report["findings"][0]["facts"]["deviation"], "too-large");
    huge.truncate(7 << 20);
    assert_eq!(check(&huge, &[]).code, 0);
}

/// Three things that an unknown name can be, each with its own answer.
#[test]
fn no_syscall_a_newer_one_and_one_of_another_architecture_are_told_apart() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"names":["raed","mseal","riscv_hwprobe","arm_fadvise64_64"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let found = |options: &[&str]| {
        let fixed = ["--format=json", "--ignore=missing-runtime-syscalls"];
        let options: Vec<_> = fixed.iter().chain(options).copied().collect();
        let report = check(profile, &options).report();
        let findings = report["findings"].as_array().expect("findings").clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let told = |finding: &Value| {
            [
                text(&finding["facts"]["syscall"]),
                text(&finding["rule"]),
                text(&finding["severity"]),
            ]
            .join(" ")
        };
        findings.iter().map(told).collect::<Vec<_>>()
    };
    let nowhere = "raed unknown-syscall error";
    assert_eq!(found(&[]), [nowhere]);
    let newer = |name: &str| format!("{name} syscall-newer-than-target warning");
    let absent = |name: &str| format!("{name} syscall-not-on-arch info");
    assert_eq!(
        found(&["--libseccomp=2.5.4"]),
        [nowhere.to_owned(), newer("mseal"), newer("riscv_hwprobe")]
    );
    assert_eq!(
        found(&["--kernel=6.9"]),
        [nowhere.to_owned(), newer("mseal")]
    );
    assert_eq!(
        found(&["--arch=x86_64"]),
        [
            nowhere.to_owned(),
            absent("riscv_hwprobe"),
            absent("arm_fadvise64_64")
        ]
    );
    assert_eq!(
        found(&["--arch=riscv64"]),
        [nowhere.to_owned(), absent("arm_fadvise64_64")]
    );
    // Two rules would say that riscv_hwprobe has no effect; one finding a place is enough.
    assert_eq!(
        found(&["--arch=x86_64", "--libseccomp=2.5.4"]),
        [
            nowhere.to_owned(),
            newer("mseal"),
            absent("riscv_hwprobe"),
            absent("arm_fadvise64_64")
        ]
    );
}

#[test]
fn rules_can_be_chosen() {
    let profile = r#"{"defaultAction":"SCMP_ACT_DENY","syscalls":[{"names":["raed"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let found = |options: &[&str]| {
        let fixed = ["--format=json", "--ignore=missing-runtime-syscalls"];
        let options: Vec<_> = fixed.iter().chain(options).copied().collect();
        let rules = rules(&check(profile, &options).report());
        rules.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), ["unknown-action", "unknown-syscall"]);
    assert_eq!(found(&["--select=unknown-action"]), ["unknown-action"]);
    assert_eq!(found(&["--ignore=unknown-action"]), ["unknown-syscall"]);
    assert_eq!(
        found(&[
            "--select=unknown-action,unknown-syscall",
            "--ignore=unknown-syscall"
        ]),
        ["unknown-action"]
    );
}

/// One run tells all that is wrong, in the order of the file.
#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let profile = "{
  // comment
  \"defaultAction\": \"scmp_act_allow\",
  \"syscalls\": [
    {\"names\": [\"mkdirr\", 3, \"pread\", \" read\"], \"action\": \"SCMP_ACT_ERRNO\", \"arg\": []},
    {\"names\": \"open\"},
    {\"names\": [\"open\"], \"names\": [\"opne\"], \"action\": \"SCMP_ACT_ERRNO\",
     \"args\": [{\"index\": 0, \"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\"}]},
  ],
}";
    insta::assert_snapshot!(check(profile, &[]).stdout);
}

/// Most profiles that reach a host are one long line. The place must be seen
/// without the rest of it.
#[test]
fn long_lines_are_clipped_around_what_is_wrong() {
    let filler = r#""read","write","open","close","stat","fstat","lstat","poll","lseek","mmap","mprotect","munmap","brk","rt_sigaction","#;
    let profile = format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":[{filler}"mkdirr",{filler}"é","rmdirr"],"action":"SCMP_ACT_ALLOW","action":"SCMP_ACT_ALLOW"}}]}}"#
    );
    insta::assert_snapshot!(
        check(
            profile,
            &["--ignore=duplicate-entry,missing-runtime-syscalls"]
        )
        .stdout
    );
}

/// A profile may hold what a terminal obeys: colours, cursor movements, or marks
/// that turn the direction of the text.
#[test]
fn nothing_in_a_profile_reaches_the_terminal_as_a_command() {
    let profile = "{\"defaultAction\": \"\\u001b[31m\", \"syscalls\": [{\"names\": [\"\x1b[2J\x07\", \"a\u{202e}b\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";
    for format in ["human", "json", "sarif", "github"] {
        let stdout = check(profile, &[&format!("--format={format}")]).stdout;
        assert!(!stdout.contains(['\x1b', '\x07']), "{stdout:?}");
    }
    assert!(!check(profile, &[]).stdout.contains('\u{202e}'));
}

/// Colours help in a terminal, and spoil a log file.
#[test]
fn colour_is_for_terminals_or_on_demand() {
    assert!(!check(BAD, &[]).stdout.contains('\x1b'));
    assert!(check(BAD, &["--color=always"]).stdout.contains('\x1b'));
    assert!(
        check(BAD, &["--color=always"])
            .stdout
            .contains("error[unknown-syscall]")
    );
}

/// A terminal that knows ASCII only would show boxes of question marks.
#[test]
fn an_ascii_locale_gets_ascii() {
    let (_directory, path) = file("profile.json", BAD);
    let mut command = seclint();
    command.arg("check").arg(&path).env("LC_ALL", "C");
    let ran = Ran::from(command.output().expect("seclint runs"));
    assert!(ran.stdout.is_ascii(), "{}", ran.stdout);
}

/// Programs go by the report: every field that the schema promises, for every
/// kind of finding that there is.
#[test]
fn spans_pointers_and_fixes_are_exact() {
    let report = check(BAD, &["--format=json", ONLY]).report();
    let finding = &report["findings"][0];
    assert_eq!(finding["pointer"], "/syscalls/0/names/1");
    assert_eq!(
        finding["span"],
        json!({
            "start": {"byte": 92, "line": 5, "column": 32},
            "end": {"byte": 106, "line": 5, "column": 46},
        })
    );
    assert_eq!(
        finding["facts"],
        json!({"syscall": "kexec_file_lod", "suggestion": "kexec_file_load"})
    );
    assert_eq!(finding["fix"]["applicability"], "unsafe");
    assert_eq!(finding["fix"]["edits"][0]["text"], "kexec_file_load");
    assert_eq!(
        report["summary"],
        json!({"files": 1, "profiles": 1, "skipped": 0, "errors": 1, "warnings": 0, "infos": 0, "suppressed": 0, "fixed": 0})
    );
}

/// Files are linted ahead and in parallel; the report is the same each time.
#[test]
fn many_files_come_in_the_order_of_their_names() {
    let directory = TempDir::new().expect("a directory");
    for number in 0..600 {
        let name = format!("{number:03}.json");
        fs::write(directory.path().join(name), BAD).expect("a file");
    }
    let ran = run([
        "check".as_ref(),
        "--format=json".as_ref(),
        ONLY.as_ref(),
        directory.path().as_os_str(),
    ]);
    let report = ran.report();
    let paths: Vec<_> = (report["findings"].as_array().expect("findings").iter())
        .map(|finding| finding["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(paths.len(), 600);
    assert!(paths.is_sorted());
}

/// A script that looks for a number would not find the sockets of 32 bit programs.
#[test]
fn a_multiplexed_call_has_its_own_number_too() {
    let ran = run(["syscalls", "socket", "--format=json"]);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report[0]["numbers"]["x86"], "socketcall");
    assert_eq!(report[0]["direct_numbers"]["x86"], 359);
    assert!(report[0]["direct_numbers"]["x86_64"].is_null());
}

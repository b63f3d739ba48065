//! What `seclint why` takes a call and its arguments for. If one of these fails, the answer is about
//! another call than the one that was meant.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use serde_json::Value;
use support::{PROFILE, decided, file, on, run, why};

/// Arguments are compared in 64 bits where the architecture has them, and in 32 where not.
#[test]
fn the_upper_half_of_an_argument_counts_where_there_is_one() {
    let report = why(PROFILE, &["socket", "0x100000026", "--format=json"]).report();
    assert_eq!(decided(&report, "x86_64"), "ERRNO(EPERM)");
    assert_eq!(decided(&report, "x86"), "ERRNO(EAFNOSUPPORT)");
}

/// A question that means nothing is not answered.
#[test]
fn what_is_no_call_or_argument_is_refused() {
    for (arguments, words) in [
        (["mkdirr", "1"], "did you mean `mkdir`?"),
        (["socket", "AF_ALGG"], "did you mean `AF_ALG`?"),
        (
            ["socket", "0x1ffffffffffffffff"],
            "neither a number of 64 bits",
        ),
        (["socket", ""], "neither a number of 64 bits"),
    ] {
        let ran = why(PROFILE, &arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = why(PROFILE, &["read", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

/// An answer about another value than the one that was meant would be believed.
#[test]
fn a_name_is_taken_only_where_it_means_something() {
    for (arguments, words) in [
        (
            &["socket", "AF_INET", "CLONE_NEWUSER"][..],
            "`CLONE_NEWUSER` is no value of argument 1 of socket; it belongs to argument 0 of clone, unshare, argument 1 of setns",
        ),
        (
            &["kill", "SIGKILL"],
            "`SIGKILL` is no value of argument 0 of kill; it belongs to argument 1 of kill (",
        ),
        (&["kill", "_", "SIGKIL"], "did you mean `SIGKILL`?"),
        (&["getpid", "AF_UNIX"], "argument 0 of socket, socketpair"),
        (
            &["clone3", "CLONE_INTO_CGROUP"],
            "in what an argument points to",
        ),
        (
            &["socket", "AF_INET|AF_UNIX"],
            "cannot be both `AF_INET` and `AF_UNIX`",
        ),
    ] {
        let ran = why(PROFILE, arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    for taken in [
        &["prctl", "PR_SET_SECCOMP", "SECCOMP_MODE_FILTER"][..],
        &[
            "socket",
            "AF_INET",
            "SOCK_STREAM|SOCK_CLOEXEC",
            "IPPROTO_TCP",
        ],
        &["clone", "CLONE_NEWUSER|SIGCHLD"],
        &["futex", "_", "FUTEX_WAIT|FUTEX_PRIVATE_FLAG"],
        &["keyctl", "KEYCTL_READ", "KEY_SPEC_SESSION_KEYRING"],
        &["mount", "_", "_", "_", "MS_BIND|MS_REC"],
        &["umount2", "_", "MNT_DETACH"],
        &["bpf", "BPF_PROG_LOAD"],
        &[
            "seccomp",
            "SECCOMP_SET_MODE_FILTER",
            "SECCOMP_FILTER_FLAG_TSYNC",
        ],
        &["fcntl", "_", "F_SETFL", "O_NONBLOCK"],
    ] {
        let ran = why(PROFILE, taken);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

/// A signal has another number on MIPS, the flags of clone another place on s390x, and on x86 mmap
/// has one argument.
#[test]
fn names_stand_for_what_they_are_on_the_architecture() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["kill"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":16,"op":"SCMP_CMP_EQ"}]},
        {"names":["clone"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":268435456,"valueTwo":268435456,"op":"SCMP_CMP_MASKED_EQ"}]}]}"#;
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let ask = |arch: &str, arguments: &[&str]| {
        let options = ["why", &path, "--format=json", arch];
        run(options.iter().chain(arguments)).report()
    };
    let signal = ["kill", "_", "SIGUSR1"];
    let denied = "ERRNO(EPERM)";
    assert_eq!(decided(&ask("--arch=mips", &signal), "mips"), denied);
    assert_eq!(decided(&ask("--arch=aarch64", &signal), "aarch64"), "ALLOW");
    let first = ["clone", "CLONE_NEWUSER"];
    let second = ["clone", "_", "CLONE_NEWUSER"];
    assert_eq!(decided(&ask("--arch=s390x", &second), "s390x"), denied);
    let noted = |report: &Value, arch: &str, words: &str| {
        let note = on(report, arch)["note"].as_str().expect("a note");
        assert!(note.contains(words), "{note}");
    };
    let words = "`CLONE_NEWUSER` is no value of argument 0 of clone";
    noted(&ask("--arch=s390x", &first), "s390x", words);
    let words = "`CLONE_NEWUSER` is no value of argument 1 of clone";
    noted(&ask("--arch=x86_64", &second), "x86_64", words);
    let protection = ["mmap", "_", "_", "PROT_EXEC"];
    let words = "argument 2 of mmap; it belongs to argument 2 of mmap2, mprotect";
    noted(&ask("--arch=x86", &protection), "x86", words);
    assert_eq!(decided(&ask("--arch=mips", &protection), "mips"), "ALLOW");
    // By its number a call is another one on each architecture.
    let numbered = ["62", "_", "SIGUSR1"];
    assert_eq!(decided(&ask("--arch=x86_64", &numbered), "x86_64"), "ALLOW");
    noted(&ask("--arch=aarch64", &numbered), "aarch64", "of lseek");
    noted(
        &ask("--arch=mips", &["kill", "_", "SIGSTKFLT"]),
        "mips",
        "means nothing",
    );
}

/// Flags have the values of the architecture, and negative numbers 64 bits.
#[test]
fn arguments_are_numbers_or_flags() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_ARM"],"syscalls":[
        {"names":["openat"],"action":"SCMP_ACT_ERRNO","args":[
            {"index":0,"value":18446744073709551516,"op":"SCMP_CMP_EQ"},
            {"index":2,"value":16384,"valueTwo":16384,"op":"SCMP_CMP_MASKED_EQ"}]}]}"#;
    for (first, flags, expected) in [
        ("-100", "O_RDWR|O_DIRECTORY", "ERRNO(EPERM)"),
        ("AT_FDCWD", "0x4000", "ERRNO(EPERM)"),
        ("3", "O_DIRECTORY", "ALLOW"),
        ("-100", "O_RDWR", "ALLOW"),
    ] {
        let arguments = [
            "openat",
            first,
            "_",
            flags,
            "--format=json",
            "--arch=aarch64",
        ];
        let (_directory, path) = file("profile.json", profile);
        let path = path.display().to_string();
        let report = run(["why", &path].iter().chain(&arguments)).report();
        assert_eq!(decided(&report, "aarch64"), expected, "{first} {flags}");
        assert_eq!(decided(&report, "arm"), expected, "{first} {flags}");
    }
    let ran = why(PROFILE, &["mmap", "_", "_", "_", "MAP_32BIT"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A call is asked for by its number too, which on each architecture is another one.
#[test]
fn a_number_means_what_it_means_there() {
    let report = why(PROFILE, &["1", "--format=json"]).report();
    assert_eq!(on(&report, "x86_64")["syscall"], "write");
    assert_eq!(on(&report, "x86")["syscall"], "exit");
    let report = why(PROFILE, &["open", "--arch=aarch64", "--format=json"]);
    assert_eq!(report.code, 2, "two values for one option");
}

/// C and strace write modes in octal digits: `chmod 0644` asked in decimal is about another mode.
#[test]
fn a_leading_zero_is_octal_as_in_c() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["chmod"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":420,"op":"SCMP_CMP_EQ"}]}]}"#;
    for mode in ["0644", "0o644", "0x1a4", "0X1a4", "420"] {
        let report = why(profile, &["chmod", "_", mode, "--format=json"]).report();
        assert_eq!(decided(&report, "x86_64"), "ALLOW", "{mode}");
    }
    let report = why(profile, &["chmod", "_", "644", "--format=json"]).report();
    assert!(decided(&report, "x86_64").starts_with("ERRNO"));
    let shown = why(profile, &["chmod", "_", "0644"]).stdout;
    assert!(shown.contains("chmod(_, 0644 = 420)"), "{shown}");
    let shown = why(profile, &["chmod", "_", "420"]).stdout;
    assert!(shown.contains("chmod(_, 420)"), "{shown}");
    let ran = why(profile, &["chmod", "_", "0689"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("octal"), "{}", ran.stderr);
}

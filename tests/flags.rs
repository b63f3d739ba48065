//! The names of arguments' values, held against the headers that are installed.

#![cfg(target_arch = "x86_64")]
#![allow(clippy::expect_used, reason = "a test")]

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use seclint::syscalls::{Arch, flags};

/// A user who asks by a name would be told of another value than programs pass. The headers are
/// this machine's: those of the other architectures are for whoever changes the table.
#[test]
fn the_values_are_those_of_the_headers() {
    let mut program = String::from(
        "#define _GNU_SOURCE\n#include <linux/sched.h>\n#include <linux/ptrace.h>\n#include <linux/personality.h>\n\
         #include <linux/fcntl.h>\n#include <linux/mman.h>\n#include <asm/ioctls.h>\n#include <asm/termbits.h>\n\
         #include <linux/ioctl.h>\n#include <sys/socket.h>\n#include <stdio.h>\nint main(void) {\n",
    );
    for flag in flags() {
        let name = flag.name();
        writeln!(
            program,
            "printf(\"{name} %llu\\n\", (unsigned long long)(long long)({name}));"
        )
        .expect("a String");
    }
    program.push_str("return 0; }\n");
    let directory = tempfile::TempDir::new().expect("a directory");
    let source = directory.path().join("flags.c");
    fs::write(&source, program).expect("a file");
    let binary = directory.path().join("flags");
    let mut cc = Command::new("cc");
    let compiled = cc.arg(&source).arg("-o").arg(&binary).output();
    let compiled = compiled.expect("cc runs: dev/test.sh installs it");
    let words = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{words}");
    let printed = Command::new(&binary).output().expect("the program runs");
    let printed = String::from_utf8(printed.stdout).expect("names and numbers");
    let ours = flags().iter().map(|flag| {
        let value = flag.value(Arch::X86_64).expect("a value on x86_64");
        format!("{} {value}", flag.name())
    });
    let theirs: Vec<&str> = printed.lines().collect();
    assert_eq!(ours.collect::<Vec<_>>(), theirs);
    assert!(theirs.len() > 200, "{}", theirs.len());
}

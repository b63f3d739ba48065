//! The names of arguments' values, held against the headers that are installed.

#![cfg(target_arch = "x86_64")]
#![allow(clippy::expect_used, reason = "a test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use seclint::syscalls::{Arch, flag, flags};
use support::repository;

/// What a program prints that has the headers: the names of the table that are asked for, with their
/// values.
fn printed(headers: &str, is_asked: impl Fn(&str) -> bool) -> String {
    let headers = "stdio.h linux/version.h"
        .split(' ')
        .chain(headers.split(' '));
    let mut program = String::from("#define _GNU_SOURCE\n");
    program.extend(headers.map(|header| format!("#include <{header}>\n")));
    program.push_str("int main(void) {\n");
    let table = fs::read_to_string(repository("data/flags.tsv")).expect("the table");
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let name = cells[0];
        // Headers that are older than the row do not have it.
        let since = match cells[4].rsplit_once("of Linux ") {
            Some((_, "7.2")) => "7,2",
            _ => "6,1",
        };
        if is_asked(name) {
            writeln!(
                program,
                "#if LINUX_VERSION_CODE >= KERNEL_VERSION({since},0)\n\
                 printf(\"{name} %llu\\n\", (unsigned long long)(long long)({name}));\n#endif"
            )
            .expect("a String");
        }
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
    String::from_utf8(printed.stdout).expect("names and numbers")
}

/// A user who asks by a name would be told of another value than programs pass. The headers are
/// this machine's: those of the other architectures are for whoever changes the table.
#[test]
fn the_values_are_those_of_the_headers() {
    let kernel = [
        "linux/sched.h linux/ptrace.h linux/personality.h linux/fcntl.h linux/mman.h asm/ioctls.h",
        "asm/termbits.h asm/prctl.h asm/resource.h linux/ioctl.h linux/prctl.h linux/seccomp.h",
        "linux/bpf.h linux/keyctl.h linux/futex.h linux/reboot.h linux/netlink.h linux/net.h",
        "linux/ipc.h linux/kcmp.h linux/memfd.h linux/eventpoll.h linux/module.h",
        "linux/perf_event.h linux/mount.h linux/in.h sys/socket.h signal.h",
    ];
    // Of the C library only: it does not go with the kernel's.
    let library = |name: &str| name.starts_with("MNT_") || name.starts_with("UMOUNT_");
    let printed = printed(&kernel.join(" "), |name| !library(name));
    let printed = printed + &self::printed("sys/mount.h", library);
    for line in printed.lines() {
        let (name, _) = line.split_once(' ').expect("a name and a number");
        let value = flag(name).and_then(|flag| flag.value(Arch::X86_64));
        let value = value.expect("a value on x86_64");
        assert_eq!(format!("{name} {value}"), line);
    }
    let compared = printed.lines().count();
    assert!(
        compared > 700 && compared <= flags().len(),
        "{compared} of {}",
        flags().len()
    );
}

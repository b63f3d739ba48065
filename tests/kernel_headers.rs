//! The tables in `data/` against the kernel's headers, as they were recorded for all architectures:
//! `tests/fixtures/kernel-headers` says where they are from.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use seclint::syscalls::{self, Arch, KernelVersion, Spelling, flags};
use support::repository;

/// A recorded table: its header, and its rows.
fn recorded(name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let path = repository(&format!("tests/fixtures/kernel-headers/{name}"));
    let text = fs::read_to_string(path).expect(name);
    let mut rows = text
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect());
    (rows.next().expect("a header"), rows.collect())
}

/// Whoever asks about `ioctl` on MIPS by a name would be told of another request than programs make
/// there.
#[test]
fn values_of_names_are_the_headers_on_every_architecture() {
    let (header, rows) = recorded("flags.tsv");
    let rows: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row[0].as_str(), &row[1..]))
        .collect();
    let value = |name: &str, arch: Arch| {
        let flag = flags().iter().find(|flag| flag.name() == name);
        flag.expect(name).value(arch)
    };
    let mut compared = 0;
    for flag in flags() {
        for arch in Arch::ALL {
            let place = header.iter().skip(1).position(|it| it == arch.name());
            let place = place.expect("a column");
            let name = flag.name();
            let theirs = match (name, rows.get(name)) {
                (_, Some(row)) => {
                    let digits = row[place].strip_prefix("0x");
                    digits.map(|digits| u64::from_str_radix(digits, 16).expect("a number"))
                }
                // The kernel's own include/linux/net.h, and asm/socket.h of these two.
                ("SOCK_CLOEXEC", None) => value("O_CLOEXEC", arch),
                ("SOCK_NONBLOCK", None) if arch.name().starts_with("parisc") => Some(0x4000_0000),
                ("SOCK_NONBLOCK", None) => value("O_NONBLOCK", arch),
                ("SOCK_STREAM", None) => Some(1 + u64::from(arch.name().starts_with("mips"))),
                ("SOCK_DGRAM", None) => Some(2 - u64::from(arch.name().starts_with("mips"))),
                // The kernel's own linux/socket.h and linux/fs.h, which are one for all.
                (_, None)
                    if ["AF_", "SOCK_", "SOL_", "MNT_", "UMOUNT_"]
                        .iter()
                        .any(|start| name.starts_with(start)) =>
                {
                    value(name, Arch::X86_64)
                }
                (_, None) => panic!("{name} was not recorded"),
            };
            assert_eq!(flag.value(arch), theirs, "{name} on {arch}");
            compared += 1;
        }
    }
    assert!(compared > 17_000, "{compared}");
}

/// `--kernel` would pass calls that the kernel does not have, or report those that it has.
#[test]
fn calls_came_with_the_kernels_that_are_said() {
    let (header, rows) = recorded("syscalls.tsv");
    let recorded: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row[0].as_str(), &row[1..]))
        .collect();
    let (kernels, manual) = header[1..].split_at(header.len() - 2);
    assert_eq!((kernels.len(), manual[0].as_str()), (8, "syscalls(2)"));
    let (mut compared, mut documented) = (0, 0);
    for call in syscalls::all() {
        let name = call.name();
        let Some(first) = call.first_kernel() else {
            assert!(!recorded.contains_key(name), "{name}");
            continue;
        };
        let row = recorded[name];
        for (kernel, has) in kernels.iter().zip(row).filter(|(_, has)| *has != "?") {
            let is_there = first <= kernel.parse().expect("a kernel");
            assert_eq!(is_there, has == "yes", "{name} in {kernel}");
            compared += 1;
        }
        if let Ok(kernel) = row[kernels.len()].parse::<KernelVersion>() {
            assert_eq!(first, kernel, "{name}");
            documented += 1;
        }
    }
    assert!(compared > 600 && documented > 30, "{compared} {documented}");
}

/// The rule about rings would name a call that no ring makes.
#[test]
fn operations_of_rings_are_the_kernels() {
    let (first, rest) = recorded("io_uring_operations.txt");
    let operations: Vec<_> = first.iter().chain(rest.iter().flatten()).collect();
    assert!(operations.len() > 60, "{operations:?}");
    let table = fs::read_to_string(repository("data/io_uring_syscalls.tsv")).expect("the table");
    for row in table.lines().skip(1) {
        let operation = row.split('\t').nth(1).expect("an operation");
        assert!(operations.iter().any(|it| *it == operation), "{operation}");
    }
}

/// A list copied from all of Linux would get suggestions such as getpid for Alpha's getxpid.
#[test]
fn calls_of_other_architectures_are_known_for_what_they_are() {
    let (first, rest) = recorded("calls_elsewhere.txt");
    let mut known = 0;
    for name in first.iter().chain(rest.iter().flatten()) {
        let spelling = syscalls::spelling(name);
        assert!(
            !matches!(spelling, Spelling::Unknown | Spelling::Known(_)),
            "{name}"
        );
        known += 1;
    }
    assert!(known > 130, "{known}");
}

/// It would be said of a call that does something that Linux has none such.
#[test]
#[cfg(target_arch = "x86_64")]
fn what_is_said_to_be_unimplemented_does_nothing() {
    const PROGRAM: &str = "#include <errno.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n\
        int main(int argc, char **argv) { for (int i = 1; i < argc; i++) { errno = 0;\n\
        long got = syscall(atol(argv[i]), 0L, 0L, 0L, 0L, 0L, 0L); printf(\"%ld %d\\n\", got, errno); } }\n";
    let directory = tempfile::TempDir::new().expect("a directory");
    let [source, binary] = ["calls.c", "calls"].map(|name| directory.path().join(name));
    fs::write(&source, PROGRAM).expect("a file");
    let mut cc = Command::new("cc");
    let compiled = cc.arg(&source).arg("-o").arg(&binary).status();
    assert!(
        compiled
            .expect("cc runs: dev/test.sh installs it")
            .success()
    );
    let calls: Vec<_> = syscalls::all()
        .iter()
        .filter(|call| call.unimplemented().is_some())
        .filter_map(|call| Some((call.name(), call.direct_number(Arch::X86_64)?)))
        .collect();
    let numbers = calls.iter().map(|(_, number)| number.to_string());
    let ran = Command::new(&binary).args(numbers).output();
    let said = String::from_utf8(ran.expect("the program runs").stdout).expect("numbers");
    assert_eq!(said.lines().count(), calls.len());
    for ((name, _), said) in calls.iter().zip(said.lines()) {
        // ENOSYS, or EPERM by the filter of the container that this runs in.
        assert!(["-1 38", "-1 1"].contains(&said), "{name}: {said}");
    }
    assert!(calls.len() > 10, "{calls:?}");
}

//! The calls' parameters against the prototypes of the C library, as its headers declare them.
//!
//! The table has what the kernel declares (its tracepoint formats). The library wraps most calls in
//! a function of the same name with the same parameters; where it does not, [`REASONS`] says why.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use seclint::syscalls::{self, ParameterKind};

const HEADERS: &[&str] = &[
    "fcntl.h",
    "mqueue.h",
    "poll.h",
    "sched.h",
    "signal.h",
    "stdio.h",
    "stdlib.h",
    "sys/acct.h",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/fanotify.h",
    "sys/file.h",
    "sys/fsuid.h",
    "sys/inotify.h",
    "sys/io.h",
    "sys/ioctl.h",
    "sys/ipc.h",
    "sys/klog.h",
    "sys/mman.h",
    "sys/mount.h",
    "sys/msg.h",
    "sys/personality.h",
    "sys/prctl.h",
    "sys/ptrace.h",
    "sys/quota.h",
    "sys/random.h",
    "sys/reboot.h",
    "sys/resource.h",
    "sys/select.h",
    "sys/sem.h",
    "sys/sendfile.h",
    "sys/shm.h",
    "sys/signalfd.h",
    "sys/socket.h",
    "sys/stat.h",
    "sys/statfs.h",
    "sys/swap.h",
    "sys/sysinfo.h",
    "sys/time.h",
    "sys/timerfd.h",
    "sys/times.h",
    "sys/timex.h",
    "sys/types.h",
    "sys/uio.h",
    "sys/utsname.h",
    "sys/vfs.h",
    "sys/wait.h",
    "sys/xattr.h",
    "time.h",
    "unistd.h",
    "utime.h",
];

/// Names whose function is not the call, and why.
const REASONS: &[(&str, &str)] = &[
    (
        "brk madvise mincore mlock mmap mprotect mseal msync munlock munmap remap_file_pages",
        "the kernel reckons with the address, as a number; mmap's others are longs to it too",
    ),
    (
        "epoll_pwait epoll_pwait2 ppoll",
        "the library adds the size of the set of signals",
    ),
    (
        "eventfd signalfd",
        "the function makes the newer calls, eventfd2 and signalfd4",
    ),
    (
        "faccessat fchmodat",
        "the library sees to the flags, which the calls lack",
    ),
    (
        "getcpu",
        "the kernel has a third parameter, which it ignores since 2.6.24",
    ),
    (
        "mknod mknodat personality poll readlink readlinkat sched_getaffinity sched_setaffinity \
         semop semtimedop setdomainname sethostname",
        "the library's type is wider than what the kernel looks at",
    ),
    (
        "preadv preadv2 pwritev pwritev2 readv writev",
        "the kernel takes longs, and the offset in two halves",
    ),
    ("reboot", "the library adds the magic numbers"),
    (
        "timer_delete timer_getoverrun timer_gettime timer_settime",
        "timer_t is a pointer in the library and an int in the kernel",
    ),
    ("unshare", "a long to the kernel"),
    ("waitid", "the kernel has a fifth parameter, as wait4 has"),
];

/// A function's parameters: `None` for a pointer, or the bits of a number.
type Prototype = Vec<Option<u8>>;

/// What the headers declare on `x86_64`; nothing where there is no C library of that kind.
fn prototypes() -> Option<BTreeMap<String, Prototype>> {
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        return None;
    }
    let mut compiler = Command::new("cc")
        .args(["-E", "-P", "-D_GNU_SOURCE", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    for header in HEADERS {
        let line = format!("#if __has_include(<{header}>)\n#include <{header}>\n#endif\n");
        compiler.stdin.as_mut()?.write_all(line.as_bytes()).ok()?;
    }
    let output = compiler.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut types = BTreeMap::new();
    let mut found = BTreeMap::new();
    for declaration in text.replace('\n', " ").split(';') {
        let words: Vec<_> = declaration.split_whitespace().collect();
        if let ["typedef", middle @ .., name] = words.as_slice() {
            if !declaration.contains(['{', '(']) {
                let stars = name.len() - name.trim_start_matches('*').len();
                let of = format!("{}{}", middle.join(" "), "*".repeat(stars));
                types.insert(name[stars..].to_owned(), of);
            }
        } else if let Some((name, parameters)) = function(declaration) {
            let kinds = parameters.iter().map(|parameter| kind(parameter, &types));
            found.insert(name.to_owned(), kinds.collect());
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The name and the parameters of `extern int name (int __a, char *__b) ...`; not of functions with
/// a variable number of them.
fn function(declaration: &str) -> Option<(&str, Vec<&str>)> {
    let (head, rest) = declaration.split_once('(')?;
    let name = head.split([' ', '*']).rfind(|word| !word.is_empty())?;
    let mut depth = 1;
    let end = rest.find(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth == 0
    })?;
    let list = rest[..end].trim();
    if !head.trim_start().starts_with("extern") || list.contains("...") {
        return None;
    }
    let parameters = list.split(',').map(str::trim).filter(|one| *one != "void");
    Some((name, parameters.collect()))
}

fn kind(parameter: &str, types: &BTreeMap<String, String>) -> Option<u8> {
    if parameter.contains(['*', '[', '(']) || parameter.contains("SOCKADDR_ARG") {
        return None;
    }
    let mut words: Vec<_> = parameter
        .split_whitespace()
        .filter(|word| *word != "const")
        .collect();
    // The parameter's name, if it has one: reserved words are types.
    if words.len() > 1
        && words
            .last()
            .is_some_and(|word| word.starts_with("__") && !types.contains_key(*word))
    {
        words.pop();
    }
    let mut of = words.join(" ");
    while let Some(base) = types.get(&of) {
        of.clone_from(base);
    }
    if of.contains('*') {
        return None;
    }
    Some(match of.as_str() {
        kind if kind.contains("long") => 64,
        kind if kind.contains("short") => 16,
        kind if kind.contains("char") => 8,
        // Enumerations are ints.
        _ => 32,
    })
}

/// What the table has, in the same form. The library's `mode_t` has 32 bits, of which the kernel
/// looks at 16.
fn ours(kind: ParameterKind) -> Option<u8> {
    match kind {
        ParameterKind::Pointer => None,
        ParameterKind::Integer { bits } => Some(bits.max(32)),
    }
}

// Rules about arguments would call a number a pointer, or an argument one too many.
#[test]
fn parameters_are_those_of_the_c_library() {
    let Some(theirs) = prototypes() else {
        println!("SKIPPED: no glibc headers of x86_64");
        return;
    };
    let mut compared = 0;
    let mut differences = BTreeSet::new();
    for syscall in syscalls::all() {
        let (Some(ours_of), Some(their_of)) = (syscall.parameters(), theirs.get(syscall.name()))
        else {
            continue;
        };
        compared += 1;
        let ours_of: Prototype = ours_of
            .iter()
            .map(|parameter| ours(parameter.kind))
            .collect();
        if ours_of != *their_of {
            println!(
                "{}: table {ours_of:?}, library {their_of:?}",
                syscall.name()
            );
            differences.insert(syscall.name());
        }
    }
    println!("{compared} calls compared, {} differ", differences.len());
    let reasons: BTreeSet<_> = REASONS
        .iter()
        .flat_map(|(names, _)| names.split(' '))
        .collect();
    let unexplained: Vec<_> = differences.difference(&reasons).collect();
    // An older library lacks some of the functions.
    let declared = |name: &&&str| theirs.contains_key(**name);
    let unneeded: Vec<_> = reasons.difference(&differences).filter(declared).collect();
    assert!(unexplained.is_empty(), "without a reason: {unexplained:?}");
    assert!(unneeded.is_empty(), "reasons for nothing: {unneeded:?}");
    assert!(compared > 150, "only {compared} were compared");
}

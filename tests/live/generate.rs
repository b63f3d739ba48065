//! Sections that nobody would write: made from a seed, so that the same seed makes the same ones.

use serde_json::{Map, Value, json};

/// Calls that no runtime makes between the filter and the program, so that rules on their
/// arguments say nothing of whether it starts; some that this machine's architecture lacks.
const HARMLESS: &[&str] = &[
    "acct",
    "adjtimex",
    "bpf",
    "chroot",
    "fanotify_init",
    "flock",
    "getitimer",
    "ioperm",
    "kcmp",
    "link",
    "memfd_create",
    "mkdir",
    "mknod",
    "personality",
    "ptrace",
    "quotactl",
    "sendfile",
    "socket",
    "socketcall",
    "swapon",
    "sync",
    "_llseek",
    "chown32",
    "waitid",
];

/// Names that are none, or not to every release.
const ODD: &[&str] = &[
    "mkdirr",
    "sys_mkdir",
    "getxattrat",
    "uretprobe",
    "MKDIR",
    "x`y\"z",
    "é",
    "clone33",
    "oldwait4",
];

/// What runtimes need, so that a list of what is allowed can let a container start.
const NEEDED: &[&str] = &[
    "arch_prctl",
    "brk",
    "capget",
    "capset",
    "chdir",
    "clone",
    "clone3",
    "close",
    "close_range",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "eventfd2",
    "execve",
    "exit",
    "exit_group",
    "faccessat2",
    "fchown",
    "fcntl",
    "fstat",
    "fstatfs",
    "futex",
    "getcwd",
    "getdents64",
    "getpid",
    "getppid",
    "getuid",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "nanosleep",
    "newfstatat",
    "openat",
    "openat2",
    "prctl",
    "read",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "setgid",
    "setgroups",
    "setresgid",
    "setresuid",
    "setuid",
    "sigaltstack",
    "statx",
    "tgkill",
    "write",
];

const ACTIONS: &[&str] = &[
    "ALLOW",
    "ERRNO",
    "ERRNO",
    "KILL",
    "KILL_PROCESS",
    "LOG",
    "TRACE",
    "TRAP",
];
const OPERATORS: &[&str] = &["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const ARCHITECTURES: &[&str] = &["X86_64", "X86", "X32", "AARCH64", "ARM", "RISCV64"];
const FLAGS: &[&str] = &["LOG", "SPEC_ALLOW", "TSYNC"];
const VALUES: &[u64] = &[0, 1, 2, 40, 0x8000_0000, 0x1_0000_0000, u64::MAX];

/// A source of numbers: xorshift.
struct Numbers(u64);

impl Numbers {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn is_one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }
}

/// Lines for `tests/runtimes/sections.jsonl`.
pub(crate) fn cases(seed: u64, count: usize) -> impl Iterator<Item = Value> {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    (1..=count).map(move |number| {
        json!({
            "case": format!("generated {seed}.{number}"),
            "section": section(&mut numbers).to_string(),
            "no_new_privileges": numbers.is_one_in(2),
        })
    })
}

fn section(numbers: &mut Numbers) -> Value {
    let mut section = Map::new();
    let default = numbers.of(ACTIONS);
    section.insert(
        "defaultAction".to_owned(),
        json!(format!("SCMP_ACT_{default}")),
    );
    if takes_errno(default) && numbers.is_one_in(2) {
        section.insert("defaultErrnoRet".to_owned(), json!(errno(numbers)));
    }
    if numbers.is_one_in(2) {
        let list: Vec<_> = some(numbers, ARCHITECTURES, 4, "SCMP_ARCH_");
        section.insert("architectures".to_owned(), json!(list));
    }
    if numbers.is_one_in(8) {
        let list: Vec<_> = some(numbers, FLAGS, 3, "SECCOMP_FILTER_FLAG_");
        section.insert("flags".to_owned(), json!(list));
    }
    let mut entries = Vec::new();
    if !numbers.is_one_in(4) {
        entries.push(json!({ "names": NEEDED, "action": "SCMP_ACT_ALLOW" }));
    }
    for _ in 0..numbers.below(6) {
        entries.push(entry(numbers));
    }
    section.insert("syscalls".to_owned(), Value::Array(entries));
    Value::Object(section)
}

fn entry(numbers: &mut Numbers) -> Value {
    let mut names = Vec::new();
    for _ in 0..=numbers.below(4) {
        names.push(if numbers.is_one_in(3) {
            numbers.of(ODD)
        } else {
            numbers.of(HARMLESS)
        });
    }
    let action = numbers.of(ACTIONS);
    let mut entry = Map::new();
    entry.insert("names".to_owned(), json!(names));
    entry.insert("action".to_owned(), json!(format!("SCMP_ACT_{action}")));
    if takes_errno(action) && numbers.is_one_in(2) || numbers.is_one_in(30) {
        entry.insert("errnoRet".to_owned(), json!(errno(numbers)));
    }
    // One condition, since libseccomp can hang over several rules of more.
    if numbers.is_one_in(2) {
        let mut condition = Map::new();
        condition.insert("index".to_owned(), json!(numbers.below(6)));
        condition.insert("value".to_owned(), json!(numbers.of(VALUES)));
        if numbers.is_one_in(3) {
            condition.insert("valueTwo".to_owned(), json!(numbers.of(VALUES)));
        }
        let operator = numbers.of(OPERATORS);
        condition.insert("op".to_owned(), json!(format!("SCMP_CMP_{operator}")));
        entry.insert("args".to_owned(), json!([condition]));
    }
    Value::Object(entry)
}

fn takes_errno(action: &str) -> bool {
    matches!(action, "ERRNO" | "TRACE")
}

fn errno(numbers: &mut Numbers) -> u64 {
    numbers.of(&[0, 1, 2, 13, 38, 4094, 65_536, 65_574])
}

fn some(numbers: &mut Numbers, all: &[&str], most: usize, prefix: &str) -> Vec<String> {
    (0..numbers.below(most + 1))
        .map(|_| format!("{prefix}{}", numbers.of(all)))
        .collect()
}

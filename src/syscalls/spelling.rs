//! What a name in a profile is, beyond known or not: the words that people write for a call, and
//! what is wrong with text that cannot be a name.

use super::table::{ALIASES, SYSCALLS};
use super::{Syscall, lookup};

/// What a name, as written, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelling {
    /// A name that libseccomp knows, or knew: see [`Syscall::known_to`].
    Known(&'static Syscall),
    /// Another word for a call.
    Alias(Box<Alias>),
    /// The name of something that no filter can hold. The text says of what, to be read after the
    /// name: `a call of Alpha, ...`.
    NotACall(&'static str),
    /// Text that no system call could be named.
    Malformed(Malformed),
    /// None of these. [`suggest`](super::suggest()) may know what was meant.
    Unknown,
}

/// Another word for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Where the word comes from.
    pub kind: AliasKind,
    /// The calls that it stands for, the likeliest on a 64 bit machine first: more than one where
    /// it depends on the architecture or the C library. Empty only for [`AliasKind::Number`], which
    /// means another call on each architecture: ask [`with_number`](super::with_number).
    pub candidates: Vec<&'static Syscall>,
    /// What the word is, to be read after it: `a function of the C library, which makes this call`.
    pub why: &'static str,
}

/// Where a word for a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AliasKind {
    /// A function of the C library whose call has another name: `pread`, `execvp`.
    LibcName,
    /// The kernel's name for the function behind the call, or for one of its variants: `newstat`,
    /// `futex_time32`.
    KernelName,
    /// A name after the pattern of others, which this call does not follow:
    /// `timerfd_settime_time64`.
    Variant,
    /// A macro of C or Go: `__NR_read`, `SYS_read`, `SCMP_SYS(read)`.
    Macro,
    /// A symbol or tracepoint of the kernel: `__x64_sys_read`, `sys_read`, `sys_enter_read`.
    KernelSymbol,
    /// The number of a call: `83`, `0x53`, `syscall_83`.
    Number(u32),
}

/// Text that no system call could be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong with it.
    pub defect: Defect,
    /// The known call that it is without the defect: in lower case, without white space,
    /// parentheses (`read(2)`), and with `_` for `-`.
    pub correction: Option<&'static Syscall>,
}

/// What is wrong with text that no system call could be named. The first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    /// There is no text.
    Empty,
    /// White space before or after the name. Runtimes do not trim it.
    SurroundingSpace,
    /// The first character that is no ASCII letter, digit or underscore. It may be a control
    /// character: escape it before printing.
    Character(char),
    /// Upper case. Names are matched exactly.
    UpperCase,
}

/// A row of `data/syscall_aliases.tsv`.
#[derive(Debug)]
pub(super) struct AliasRow {
    /// `None` for a name that stands for no call.
    pub(super) kind: Option<AliasKind>,
    /// Places in the syscall table.
    pub(super) candidates: &'static [u16],
    /// What the name is, as a sentence's end.
    pub(super) why: &'static str,
}

/// What `name`, as written, is. Anything but a known name takes the slow path.
#[must_use]
pub fn spelling(name: &str) -> Spelling {
    if let Some(syscall) = lookup(name) {
        return Spelling::Known(syscall);
    }
    if let Some(alias) = alias(name) {
        return Spelling::Alias(Box::new(alias));
    }
    if let Some(row) = ALIASES.get(name) {
        return Spelling::NotACall(row.why);
    }
    match malformed(name) {
        Some(malformed) => Spelling::Malformed(malformed),
        None => Spelling::Unknown,
    }
}

fn alias(name: &str) -> Option<Alias> {
    listed(name)
        .or_else(|| number(name))
        .or_else(|| in_a_macro(name))
        .or_else(|| in_a_symbol(name))
}

/// A name from the list of aliases.
fn listed(name: &str) -> Option<Alias> {
    let row = ALIASES.get(name)?;
    let candidates = row
        .candidates
        .iter()
        .filter_map(|&index| SYSCALLS.get(usize::from(index)))
        .collect();
    Some(Alias {
        kind: row.kind?,
        candidates,
        why: row.why,
    })
}

/// A number, also as strace (`syscall_0x1b7`) writes those that it has no name for.
fn number(name: &str) -> Option<Alias> {
    let digits = name.strip_prefix("syscall_").unwrap_or(name);
    let (digits, radix) = digits
        .strip_prefix("0x")
        .map_or((digits, 10), |digits| (digits, 16));
    // from_str_radix alone would accept a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).ok()?;
    Some(Alias {
        kind: AliasKind::Number(number),
        candidates: Vec::new(),
        why: "a number, which means another call on each architecture",
    })
}

fn in_a_macro(name: &str) -> Option<Alias> {
    const PREFIXES: [&str; 5] = ["__NR_", "__PNR_", "__SNR_", "SYS_", "NR_"];
    let called = name
        .strip_prefix("SCMP_SYS(")
        .and_then(|rest| rest.strip_suffix(')'))
        .map(str::trim);
    let inner = called.or_else(|| PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)))?;
    inside(
        inner,
        AliasKind::Macro,
        "a macro for programs; a profile has the bare name",
    )
}

fn in_a_symbol(name: &str) -> Option<Alias> {
    // An architecture's wrappers (x64, ia32, arm64, ...), the steps of SYSCALL_DEFINE (se, do), and
    // their 32 bit twins.
    const STEMS: [&str; 6] = [
        "_compat_sys_",
        "_sys_",
        "compat_sys_",
        "ksys_",
        "sys_",
        "SyS_",
    ];
    const WRAPPERS: [&str; 9] = [
        "__x64", "__ia32", "__x32", "__arm64", "__s390x", "__s390", "__riscv", "__se", "__do",
    ];
    let wrapped = || {
        WRAPPERS.iter().find_map(|wrapper| {
            name.strip_prefix(wrapper)
                .filter(|rest| rest.starts_with('_'))
        })
    };
    let rest = wrapped().unwrap_or(name);
    let inner = STEMS.iter().find_map(|stem| rest.strip_prefix(stem))?;
    symbol(inner).or_else(|| {
        // sys_exit and sys_exit_group are calls; sys_exit_openat is the tracepoint at the end of
        // openat.
        symbol(
            inner
                .strip_prefix("enter_")
                .or_else(|| inner.strip_prefix("exit_"))?,
        )
    })
}

fn symbol(inner: &str) -> Option<Alias> {
    // The kernel's umount takes flags, so it is what profiles know as umount2.
    let inner = if inner == "umount" { "umount2" } else { inner };
    inside(
        inner,
        AliasKind::KernelSymbol,
        "a symbol of the kernel; a profile has the bare name",
    )
}

/// What is left when a prefix is taken off: a name, an alias or a number.
fn inside(inner: &str, kind: AliasKind, why: &'static str) -> Option<Alias> {
    if let Some(syscall) = lookup(inner) {
        return Some(Alias {
            kind,
            candidates: vec![syscall],
            why,
        });
    }
    if let Some(listed) = listed(inner) {
        return Some(Alias {
            kind,
            why,
            ..listed
        });
    }
    number(inner)
}

fn malformed(name: &str) -> Option<Malformed> {
    let defect = if name.is_empty() {
        Defect::Empty
    } else if name.trim() != name {
        Defect::SurroundingSpace
    } else if let Some(character) = name
        .chars()
        .find(|&character| !character.is_ascii_alphanumeric() && character != '_')
    {
        Defect::Character(character)
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Defect::UpperCase
    } else {
        return None;
    };
    let text =
        name.trim_matches(|character: char| character.is_whitespace() || character.is_control());
    let text = text.split_once('(').map_or(text, |(name, _)| name);
    let correction = lookup(&text.to_ascii_lowercase().replace('-', "_"));
    Some(Malformed { defect, correction })
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::super::all;
    use super::*;

    fn candidates(name: &str) -> (AliasKind, Vec<&'static str>) {
        match spelling(name) {
            Spelling::Alias(alias) => (
                alias.kind,
                alias
                    .candidates
                    .iter()
                    .map(|syscall| syscall.name())
                    .collect(),
            ),
            other => panic!("{name}: {other:?}"),
        }
    }

    // A profile that names a call rightly would be reported.
    #[test]
    fn known_names_are_known_whatever_they_look_like() {
        // Among them sys_debug_setcontext, which looks like a kernel symbol, and _llseek and break,
        // which look like no names.
        for syscall in all() {
            assert_eq!(spelling(syscall.name()), Spelling::Known(syscall));
        }
    }

    // The finding would say that the name is unknown, and not what to write.
    #[test]
    fn words_for_a_call_lead_to_it() {
        use AliasKind::{KernelName, KernelSymbol, LibcName, Macro, Variant};
        for (written, kind, meant) in [
            ("pread", LibcName, ["pread64"].as_slice()),
            ("execvp", LibcName, &["execve"]),
            ("fexecve", LibcName, &["execveat", "execve"]),
            ("fstatat", LibcName, &["newfstatat", "fstatat64"]),
            (
                "posix_fadvise",
                LibcName,
                &["fadvise64", "fadvise64_64", "arm_fadvise64_64"],
            ),
            ("lseek64", LibcName, &["lseek", "_llseek"]),
            ("newstat", KernelName, &["stat"]),
            ("sysctl", LibcName, &["_sysctl"]),
            ("timerfd_settime_time64", Variant, &["timerfd_settime64"]),
            ("SCMP_SYS(read)", Macro, &["read"]),
            ("SCMP_SYS( read )", Macro, &["read"]),
            ("__NR_read", Macro, &["read"]),
            ("SYS_chmod", Macro, &["chmod"]),
            ("sys_chroot", KernelSymbol, &["chroot"]),
            ("__x64_sys_openat", KernelSymbol, &["openat"]),
            ("__ia32_compat_sys_ioctl", KernelSymbol, &["ioctl"]),
            ("sys_newfstat", KernelSymbol, &["fstat"]),
            ("sys_umount", KernelSymbol, &["umount2"]),
            ("sys_oldumount", KernelSymbol, &["umount"]),
            ("sys_exit_group", KernelSymbol, &["exit_group"]),
            ("sys_exit_openat", KernelSymbol, &["openat"]),
            ("sys_enter_execve", KernelSymbol, &["execve"]),
        ] {
            assert_eq!(candidates(written), (kind, meant.to_vec()), "{written}");
        }
    }

    // "83" would be called a misspelling, though it says exactly which call is meant.
    #[test]
    fn numbers_are_read_as_numbers() {
        for (written, number) in [
            ("83", 83),
            ("0", 0),
            ("0x53", 83),
            ("syscall_0x1b7", 439),
            ("SYS_439", 439),
            ("sys_439", 439),
        ] {
            assert_eq!(
                candidates(written),
                (AliasKind::Number(number), vec![]),
                "{written}"
            );
        }
        for written in ["4294967296", "0x", "53a", "syscall_"] {
            assert_eq!(spelling(written), Spelling::Unknown, "{written}");
        }
        assert!(matches!(spelling("-1"), Spelling::Malformed(_)));
        assert!(matches!(spelling("+1"), Spelling::Malformed(_)));
    }

    // Every alias leads to calls, and stands in the way of none.
    #[test]
    fn no_alias_hides_a_name() {
        for (&alias, row) in &ALIASES {
            assert_eq!(lookup(alias), None, "{alias}");
            match spelling(alias) {
                Spelling::Alias(found) => assert!(
                    !found.candidates.is_empty() && found.candidates.len() == row.candidates.len(),
                    "{alias}"
                ),
                Spelling::NotACall(why) => assert!(why.starts_with(['a', 'n']), "{alias}: {why}"),
                other => panic!("{alias}: {other:?}"),
            }
        }
    }

    // A list copied from all of Linux would get suggestions such as getpid for Alpha's getxpid.
    #[test]
    fn names_from_elsewhere_are_recognised() {
        for name in [
            "getxpid",
            "osf_adjtime",
            "kern_features",
            "or1k_atomic",
            "procexit",
        ] {
            assert!(
                matches!(spelling(name), Spelling::NotACall(_)),
                "{name}: {:?}",
                spelling(name)
            );
        }
    }

    // Runtimes drop such names without a word; the finding must say what is wrong, which is hard to
    // see.
    #[test]
    fn text_that_is_no_name_is_malformed() {
        let read = lookup("read");
        for (written, defect, correction) in [
            ("", Defect::Empty, None),
            (" ", Defect::SurroundingSpace, None),
            ("read ", Defect::SurroundingSpace, read),
            ("\tread\n", Defect::SurroundingSpace, read),
            ("READ", Defect::UpperCase, read),
            ("Unheard_of", Defect::UpperCase, None),
            ("read\0", Defect::Character('\0'), read),
            ("read(2)", Defect::Character('('), read),
            ("read()", Defect::Character('('), read),
            ("epoll-wait", Defect::Character('-'), lookup("epoll_wait")),
            ("read,write", Defect::Character(','), None),
            ("r\u{435}ad", Defect::Character('\u{435}'), None),
            ("*", Defect::Character('*'), None),
        ] {
            assert_eq!(
                spelling(written),
                Spelling::Malformed(Malformed { defect, correction }),
                "{written:?}"
            );
        }
        assert_eq!(spelling("unheard_of"), Spelling::Unknown);
    }
}

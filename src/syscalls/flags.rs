//! What people call the values of arguments: `AF_ALG`, `CLONE_NEWUSER`.
//!
//! The facts are in `data/flags.tsv`; `tests/flags.rs` compares them with the headers of the C
//! library and the kernel, `tests/kernel_headers.rs` with those of all architectures.

use super::{Arch, Syscall};

/// A name for a value of an argument.
#[derive(Debug)]
pub struct Flag {
    name: &'static str,
    value: u64,
    /// By architecture, where the value is another one, or nothing has the name.
    elsewhere: &'static [(&'static str, Option<u64>)],
}

/// What `build.rs` made of the table.
#[allow(clippy::unreadable_literal, reason = "nobody reads it")]
mod generated {
    use super::Flag;

    include!(concat!(env!("OUT_DIR"), "/flags.rs"));
}

use generated::FLAGS;

impl Flag {
    /// The name, as C has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its value on an architecture, negative ones as 64 bits; `None` if there is none.
    #[must_use]
    pub fn value(&self, arch: Arch) -> Option<u64> {
        let mut elsewhere = self.elsewhere.iter();
        let other = elsewhere.find(|(name, _)| *name == arch.name());
        other.map_or(Some(self.value), |&(_, value)| value)
    }

    fn is_of(&self, family: &str) -> bool {
        /// Other names of what has a better one.
        const ALIASES: [&str; 2] = ["AF_LOCAL", "AF_ROUTE"];
        if ALIASES.contains(&self.name) {
            return false;
        }
        match family {
            "personality" => ["PER_", "ADDR_", "UNAME26", "READ_IMPLIES_EXEC"]
                .iter()
                .any(|start| self.name.starts_with(start)),
            prefix => self.name.starts_with(prefix),
        }
    }
}

/// Every name, in byte order.
#[must_use]
pub fn flags() -> &'static [Flag] {
    &FLAGS
}

/// The row of a name, exactly as written.
#[must_use]
pub fn flag(name: &str) -> Option<&'static Flag> {
    let place = FLAGS.binary_search_by_key(&name, |flag| flag.name);
    FLAGS.get(place.ok()?)
}

/// A name that somebody may have meant.
#[must_use]
pub fn suggest_flag(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let distances = FLAGS.iter().map(|flag| {
        let distance = strsim::damerau_levenshtein(&name, flag.name);
        (distance, flag.name)
    });
    let nearest = distances.min_by_key(|&(distance, _)| distance);
    nearest
        .filter(|&(distance, _)| distance <= 2)
        .map(|(_, name)| name)
}

/// Whether the values of a family's names are bits, which can be joined, or stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Bits,
    Values,
}

/// The arguments that have names: the syscall, the argument, how the names begin.
const ARGUMENTS: [(&str, usize, &str, Family); 18] = [
    ("accept4", 3, "SOCK_", Family::Bits),
    ("clone", 0, "CLONE_", Family::Bits),
    ("ioctl", 1, "TIOC", Family::Values),
    ("ioctl", 1, "TC", Family::Values),
    ("ioctl", 1, "FIO", Family::Values),
    ("mmap", 2, "PROT_", Family::Bits),
    ("mmap", 3, "MAP_", Family::Bits),
    ("mprotect", 2, "PROT_", Family::Bits),
    ("open", 1, "O_", Family::Bits),
    ("openat", 0, "AT_FDCWD", Family::Values),
    ("openat", 2, "O_", Family::Bits),
    ("personality", 0, "personality", Family::Bits),
    ("pkey_mprotect", 2, "PROT_", Family::Bits),
    ("ptrace", 0, "PTRACE_", Family::Values),
    ("setns", 1, "CLONE_", Family::Bits),
    ("socket", 0, "AF_", Family::Values),
    ("socketpair", 0, "AF_", Family::Values),
    ("unshare", 0, "CLONE_", Family::Bits),
];

/// What people call a value of an argument, such as `CLONE_NEWNS|CLONE_NEWPID`, if all of it has
/// names there.
#[must_use]
pub fn named(syscall: &Syscall, index: usize, value: u64, arch: Arch) -> Option<String> {
    // s390 has the flags of `clone` in its second argument.
    let index = match (syscall.name(), arch, index) {
        ("clone", Arch::S390 | Arch::S390X, 1) => 0,
        ("clone", Arch::S390 | Arch::S390X, _) => return None,
        _ => index,
    };
    let rows = ARGUMENTS.into_iter();
    let mut rows = rows.filter(|&(name, place, ..)| name == syscall.name() && place == index);
    rows.find_map(|(_, _, family, kind)| {
        let flags = || FLAGS.iter().filter(|flag| flag.is_of(family));
        if let Some(flag) = flags().find(|flag| flag.value(arch) == Some(value)) {
            return Some(flag.name.to_owned());
        }
        if kind == Family::Values || value == 0 {
            return None;
        }
        let mut left = value;
        let mut names = Vec::new();
        for flag in flags() {
            let bit = flag.value(arch).filter(|bit| bit.is_power_of_two());
            if bit.is_some_and(|bit| left & bit != 0) {
                left &= !bit.unwrap_or_default();
                names.push(flag.name);
            }
        }
        (left == 0).then(|| names.join("|"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{flag, named, suggest_flag};
    use crate::syscalls::{Arch, lookup};

    // A witness would be a number that its reader has to look up.
    #[test]
    fn values_have_the_names_that_they_have_in_their_place() {
        let name = |call, index, value, arch| named(lookup(call).unwrap(), index, value, arch);
        let x86 = Arch::X86_64;
        assert_eq!(name("socket", 0, 38, x86).as_deref(), Some("AF_ALG"));
        assert_eq!(name("socket", 0, 0x1_0000_0026, x86), None);
        assert_eq!(
            name("unshare", 0, 0x1002_0000, x86).as_deref(),
            Some("CLONE_NEWNS|CLONE_NEWUSER")
        );
        assert_eq!(name("clone", 0, 0x20000, Arch::S390X), None);
        assert_eq!(
            name("clone", 1, 0x20000, Arch::S390X).as_deref(),
            Some("CLONE_NEWNS")
        );
        assert_eq!(name("ioctl", 1, 0x5412, x86).as_deref(), Some("TIOCSTI"));
        assert_eq!(name("ioctl", 1, 0x5412, Arch::Mips), None);
        assert_eq!(name("getpid", 0, 1, x86), None);
    }

    // A user of aarch64 would be told about another flag than the one that was named.
    #[test]
    fn names_have_the_value_of_the_architecture() {
        let directory = flag("O_DIRECTORY").unwrap();
        assert_eq!(directory.value(Arch::X86_64), Some(0x10000));
        assert_eq!(directory.value(Arch::Aarch64), Some(0x4000));
        assert_eq!(flag("MAP_32BIT").unwrap().value(Arch::Arm), None);
        assert_eq!(suggest_flag("CLONE_NEWUSR"), Some("CLONE_NEWUSER"));
        assert_eq!(suggest_flag("nonsense"), None);
    }
}

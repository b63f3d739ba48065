//! What people call the values of arguments: `AF_ALG`, `CLONE_NEWUSER`.
//!
//! The facts are in `data/flags.tsv`, and of which arguments they are values in
//! `data/flag_arguments.tsv`. `tests/flags.rs` compares the values with the headers of the C library
//! and the kernel, `tests/kernel_headers.rs` with those of all architectures.

use super::{Arch, Syscall};

/// A name for a value of an argument.
#[derive(Debug)]
pub struct Flag {
    name: &'static str,
    /// What it is one of, such as `signal`.
    family: &'static str,
    value: u64,
    /// By architecture, where the value is another one, or nothing has the name.
    elsewhere: &'static [(&'static str, Option<u64>)],
}

/// An argument that takes the names of a family.
#[derive(Debug)]
pub struct FlagPlace {
    syscall: &'static str,
    index: u8,
    family: &'static str,
    /// Which of the families it is.
    number: u8,
    kind: Kind,
    /// The architectures on which the argument is another one.
    not_on: &'static [&'static str],
}

/// How the names of a family stand for values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// They can be joined.
    Bits,
    /// One of them, which bits may join.
    Value,
    /// Whether a value has the name depends on what else the call is given.
    Depends,
}

/// What `build.rs` made of the table.
#[allow(clippy::unreadable_literal, reason = "nobody reads it")]
mod generated {
    use super::{Flag, FlagPlace, Kind};

    include!(concat!(env!("OUT_DIR"), "/flags.rs"));
}

use generated::{FAMILIES, FLAGS, PLACES};

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

    /// The arguments that it is a value of, on whichever architecture.
    pub fn places(&self) -> impl Iterator<Item = &'static FlagPlace> + use<> {
        let family = self.family;
        PLACES.iter().filter(move |place| place.family == family)
    }

    /// Its place in an argument, counted from 0, of a call on an architecture.
    #[must_use]
    pub fn place(&self, syscall: &Syscall, index: u8, arch: Arch) -> Option<&'static FlagPlace> {
        self.places().find(|place| place.is(syscall, index, arch))
    }

    /// Whether it is an other name of what has a better one.
    fn is_alias(&self) -> bool {
        ["AF_LOCAL", "AF_ROUTE"].contains(&self.name)
    }

    /// What the kernel shows a filter on an architecture.
    fn is(&self, value: u64, arch: Arch) -> bool {
        let mask = if arch.bits() == 64 {
            u64::MAX
        } else {
            u32::MAX.into()
        };
        self.value(arch).is_some_and(|ours| ours & mask == value)
    }
}

impl FlagPlace {
    /// The call's name.
    #[must_use]
    pub fn syscall(&self) -> &'static str {
        self.syscall
    }

    /// Which of the call's arguments, counted from 0.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Whether the argument has one of the names, which no other one of them can join.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.kind == Kind::Value
    }

    /// Those of a call, whichever argument and architecture it is about.
    fn all_of(syscall: &Syscall) -> &'static [Self] {
        let name = syscall.name();
        let start = PLACES.partition_point(|place| place.syscall < name);
        let places = PLACES.get(start..).unwrap_or_default();
        let count = places.partition_point(|place| place.syscall == name);
        places.get(..count).unwrap_or_default()
    }

    fn is(&self, syscall: &Syscall, index: u8, arch: Arch) -> bool {
        self.syscall == syscall.name() && self.index == index && self.is_on(arch)
    }

    /// Whether the argument is this one on an architecture.
    #[must_use]
    pub fn is_on(&self, arch: Arch) -> bool {
        !self.not_on.contains(&arch.name())
    }

    fn flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        let family = FAMILIES.get(usize::from(self.number));
        let places = family.into_iter().copied().flatten();
        places.filter_map(|&place| FLAGS.get(usize::from(place)))
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

/// A name that somebody may have meant by one that is not known: best one of those that the
/// argument of the call takes.
#[must_use]
pub fn suggest_flag(name: &str, place: Option<(&Syscall, u8)>) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let nearest = FLAGS.iter().map(|flag| {
        let distance = strsim::damerau_levenshtein(&name, flag.name);
        let is_taken = place.is_some_and(|(syscall, index)| {
            flag.places()
                .any(|place| place.syscall == syscall.name() && place.index == index)
        });
        (distance, !is_taken, flag.name)
    });
    let nearest = nearest.filter(|&(distance, ..)| distance <= 2);
    nearest.min().map(|(_, _, name)| name)
}

/// What people call a value of an argument, such as `CLONE_NEWNS|CLONE_NEWPID`, if all of it has
/// names there.
#[must_use]
pub fn named(syscall: &Syscall, index: usize, value: u64, arch: Arch) -> Option<String> {
    let index = u8::try_from(index).ok()?;
    let places = || {
        let here = FlagPlace::all_of(syscall).iter();
        here.filter(move |place| {
            place.index == index && place.is_on(arch) && place.kind != Kind::Depends
        })
    };
    let whole = |value| {
        let mut flags = places().flat_map(FlagPlace::flags);
        flags.find(|flag| flag.is(value, arch) && !flag.is_alias())
    };
    if let Some(flag) = whole(value) {
        return Some(flag.name.to_owned());
    }
    let mut left = value;
    let mut names = Vec::new();
    let mut bits: Vec<_> = places()
        .filter(|place| place.kind == Kind::Bits)
        .flat_map(FlagPlace::flags)
        .collect();
    bits.sort_by_key(|flag| flag.name);
    for flag in bits {
        let bit = flag.value(arch).filter(|bit| bit.is_power_of_two());
        if let Some(bit) = bit.filter(|bit| left & bit != 0) {
            left &= !bit;
            names.push(flag.name);
        }
    }
    match left {
        0 if names.is_empty() => None,
        0 => Some(names.join("|")),
        // One value, joined by bits.
        _ if names.is_empty() => None,
        _ => {
            names.insert(0, whole(left)?.name);
            Some(names.join("|"))
        }
    }
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
        // A value and bits; a negative value, in the halves that a filter sees.
        assert_eq!(
            name("socket", 1, 0x80003, x86).as_deref(),
            Some("SOCK_RAW|SOCK_CLOEXEC")
        );
        assert_eq!(
            name("clone", 0, 0x2_0011, x86).as_deref(),
            Some("SIGCHLD|CLONE_NEWNS")
        );
        assert_eq!(
            name("openat", 0, 0xffff_ff9c, Arch::X86).as_deref(),
            Some("AT_FDCWD")
        );
        assert_eq!(name("openat", 0, 0xffff_ff9c, x86), None);
        // What it means depends on the first argument.
        assert_eq!(name("prctl", 1, 9, x86), None);
    }

    // A user of aarch64 would be told about another flag than the one that was named.
    #[test]
    fn names_have_the_value_of_the_architecture() {
        let directory = flag("O_DIRECTORY").unwrap();
        assert_eq!(directory.value(Arch::X86_64), Some(0x10000));
        assert_eq!(directory.value(Arch::Aarch64), Some(0x4000));
        assert_eq!(flag("MAP_32BIT").unwrap().value(Arch::Arm), None);
        assert_eq!(suggest_flag("CLONE_NEWUSR", None), Some("CLONE_NEWUSER"));
        assert_eq!(suggest_flag("nonsense", None), None);
    }
}

//! The names of errnos.

use crate::syscalls::Arch;

include!(concat!(env!("OUT_DIR"), "/errnos.rs"));

/// What errnos are called on the architectures that a filter is for.
pub(super) struct Errnos {
    has_own_numbers: bool,
}

impl Errnos {
    /// Up to this one (`asm-generic/errno-base.h`), all architectures have the same numbers.
    const LAST_COMMON: u16 = 34;

    /// The errnos of a filter that asks for these architectures (`AUDIT_ARCH_*`).
    pub(super) fn of(mut architectures: impl Iterator<Item = u32>) -> Self {
        let odd = Arch::ALL.into_iter().filter(|&arch| has_own_numbers(arch));
        let odd: Vec<_> = odd.map(Arch::audit_arch).collect();
        Self {
            has_own_numbers: architectures.any(|arch| odd.contains(&arch)),
        }
    }

    /// The errno's name, if it has one and the same wherever the filter may run.
    pub(super) fn name(&self, errno: u16) -> Option<&'static str> {
        if self.has_own_numbers && errno > Self::LAST_COMMON {
            return None;
        }
        let place = ERRNOS.binary_search_by_key(&errno, |&(number, _)| number);
        ERRNOS.get(place.ok()?).map(|&(_, name)| name)
    }
}

/// The architectures of libseccomp that have an `errno.h` of their own in Linux.
fn has_own_numbers(arch: Arch) -> bool {
    use Arch::{Mips, Mips64, Mips64N32, Mipsel, Mipsel64, Mipsel64N32, Parisc, Parisc64};
    matches!(
        arch,
        Mips | Mips64 | Mips64N32 | Mipsel | Mipsel64 | Mipsel64N32 | Parisc | Parisc64
    )
}

#[cfg(test)]
mod tests {
    use super::{ERRNOS, Errnos};
    use crate::syscalls::Arch;

    /// Rows of the recorded headers: a name, and its number on most machines, MIPS and PA-RISC.
    fn headers() -> impl Iterator<Item = (&'static str, [Option<u16>; 3])> {
        let rows = include_str!("../../tests/fixtures/kernel-headers/errnos.tsv");
        rows.lines().skip(1).map(|row| {
            let mut cells = row.split('\t');
            let name = cells.next().unwrap();
            let mut number = || cells.next().unwrap().parse().ok();
            (name, [number(), number(), number()])
        })
    }

    /// A filter that fails calls with ENOSYS would be said to fail them with something else.
    #[test]
    fn the_names_are_those_of_the_headers() {
        assert!(ERRNOS.is_sorted_by_key(|(number, _)| number), "{ERRNOS:?}");
        // Second names of other numbers.
        let aliases = ["EDEADLOCK", "EFSBADCRC", "EFSCORRUPTED", "EWOULDBLOCK"];
        let theirs = headers().filter_map(|(name, [number, ..])| Some((number?, name)));
        let mut theirs: Vec<_> = theirs.filter(|(_, name)| !aliases.contains(name)).collect();
        theirs.sort_unstable();
        assert_eq!(ERRNOS.to_vec(), theirs);
        // Of two architectures only what both say.
        let both = Errnos::of([Arch::X86.audit_arch(), Arch::Mips.audit_arch()].into_iter());
        for (name, [generic, mips, parisc]) in headers() {
            let named = generic.filter(|&number| both.name(number) == Some(name));
            assert!(named.is_none() || [mips, parisc] == [generic; 2], "{name}");
        }
    }

    /// An `errno` by its name would be another number under Podman than is said.
    #[test]
    fn podmans_numbers_are_those_of_the_headers() {
        let rows = include_str!("../../data/podman_errnos.tsv");
        let mut compared = 0;
        for row in rows.lines().skip(1) {
            let mut cells = row.split('\t');
            let name = cells.next().unwrap();
            // The C library's name for the same.
            let in_kernel = if name == "ENOTSUP" {
                "EOPNOTSUPP"
            } else {
                name
            };
            let (_, [generic, mips, _]) = headers().find(|(name, _)| *name == in_kernel).unwrap();
            for number in [generic, mips] {
                assert_eq!(cells.next().unwrap().parse().ok(), number, "{name}");
            }
            compared += 1;
        }
        assert!(compared > 70, "{compared}");
    }

    /// 38 is ENOSYS, but not on MIPS, where that is 89.
    #[test]
    fn only_common_errnos_have_names_where_mips_is_asked_for() {
        let mips = Errnos::of([Arch::X86.audit_arch(), Arch::Mipsel.audit_arch()].into_iter());
        assert_eq!(mips.name(38), None);
        assert_eq!(mips.name(1), Some("EPERM"));
    }
}

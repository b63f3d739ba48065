//! Calls that do the same in different ways: who may make one makes the other elsewhere.

use super::table::{SYSCALLS, Syscall};

include!(concat!(env!("OUT_DIR"), "/relations.rs"));

/// Two calls, of which programs make one or the other for one purpose.
#[derive(Debug)]
pub struct Relation {
    /// The one that was first, or that most architectures have.
    pub syscall: &'static Syscall,
    /// What is called instead of it.
    pub related: &'static Syscall,
}

/// Where and when the related call is made instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// Everywhere, by a recent glibc, also where there are both.
    Everywhere,
    /// On architectures that lack the first one, since they have the generic table.
    Generic,
    /// On architectures of 32 bits, with times of 64 bits, since Linux 5.1.
    Time64,
    /// On architectures of 32 bits, with wider numbers than the first one takes.
    Wide,
    /// Before the first one: only where the kernel says `ENOSYS`, glibc makes that instead.
    Fallback,
}

impl RelationKind {
    /// All pairs of this kind. The facts are in `data/related_syscalls.tsv`.
    #[must_use]
    pub fn pairs(self) -> &'static [Relation] {
        match self {
            Self::Everywhere => &EVERYWHERE,
            Self::Generic => &GENERIC,
            Self::Time64 => &TIME64,
            Self::Wide => &WIDE,
            Self::Fallback => &FALLBACKS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RelationKind::{Everywhere, Fallback, Generic, Time64, Wide};
    use crate::syscalls::{Arch, KernelVersion, all};

    /// A rule would ask for calls that no program makes, or that the profile has already.
    #[test]
    fn the_related_call_is_where_it_is_said_to_be() {
        for pair in Generic.pairs() {
            let [old, new] = [pair.syscall, pair.related];
            assert!(
                old.exists_on(Arch::X86_64) && !old.exists_on(Arch::Aarch64),
                "{old:?}"
            );
            assert!(new.exists_on(Arch::Aarch64), "{new:?}");
        }
        for pair in Everywhere.pairs().iter().chain(Fallback.pairs()) {
            assert!(pair.related.exists_on(Arch::X86_64), "{pair:?}");
            assert!(pair.related.exists_on(Arch::Aarch64), "{pair:?}");
        }
        for pair in Wide.pairs().iter().chain(Time64.pairs()) {
            let new = pair.related;
            assert!(
                !new.exists_on(Arch::X86_64) && !new.exists_on(Arch::Aarch64),
                "{pair:?}"
            );
            assert!(pair.syscall.exists_on(Arch::X86_64), "{pair:?}");
        }
    }

    /// A call that only some architectures have would be missed.
    #[test]
    fn no_call_is_left_out() {
        // What nobody calls any more, or glibc answers without the kernel, or is x86's alone.
        let without = [
            "arch_prctl",
            "epoll_ctl_old",
            "epoll_wait_old",
            "get_thread_area",
            "ioperm",
            "iopl",
            "modify_ldt",
            "set_thread_area",
            "sysfs",
            "time",
            "uprobe",
            "uretprobe",
            "uselib",
            "ustat",
        ];
        let legacy = all().iter().filter(|call| {
            let is_legacy = call.exists_on(Arch::X86_64) && !call.exists_on(Arch::Aarch64);
            is_legacy && call.unimplemented().is_none()
        });
        let pairs = || Generic.pairs().iter().chain(Everywhere.pairs());
        let missing: Vec<_> = legacy
            .map(super::Syscall::name)
            .filter(|name| !without.contains(name) && pairs().all(|it| it.syscall.name() != *name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        let narrow = all().iter().filter(|call| {
            let number = call.direct_number(Arch::X86);
            number.is_some_and(|number| (403..=423).contains(&number))
        });
        let times: Vec<_> = Time64.pairs().iter().map(|pair| pair.related).collect();
        assert_eq!(narrow.clone().count(), times.len());
        assert!(narrow.clone().all(|call| times.contains(&call)));
        let first = Some(KernelVersion::new(5, 1));
        assert!(times.iter().all(|call| call.first_kernel() == first));
    }

    /// glibc falls back to what a kernel without the call has: what came earlier.
    #[test]
    fn a_fallback_is_older() {
        for pair in Fallback.pairs() {
            let [older, newer] = [pair.syscall, pair.related].map(super::Syscall::first_release);
            assert!(
                older < newer || pair.related.first_kernel() > pair.syscall.first_kernel(),
                "{pair:?}"
            );
        }
    }
}

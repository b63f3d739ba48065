//! Calls that do what another one does.

use crate::syscalls::{self, Arch, Syscall};

use super::{Context, Permission};

/// A call, and those that do what it does.
pub(super) struct Row {
    /// Its place in the syscall table.
    denied: u16,
    /// Their places there.
    substitutes: &'static [u16],
    extent: Extent,
}

/// How much they do of what the call does.
#[derive(Clone, Copy)]
enum Extent {
    /// Each does all of it.
    All,
    /// All of them together do.
    Together,
    /// Not even together.
    Part,
}

include!(concat!(env!("OUT_DIR"), "/substitute_syscalls.rs"));

/// What programs can do in the place of a call.
#[derive(PartialEq, Eq)]
pub(super) struct Open {
    /// The calls that they can make.
    pub names: Vec<&'static str>,
    /// Whether these do all that the call does.
    pub do_all: bool,
    /// Whether the call itself is on none of the architectures, so that they are what is there in
    /// its place.
    pub is_instead: bool,
}

/// Every call that others do the same as.
pub(super) fn all() -> &'static [Row] {
    &ROWS
}

impl Row {
    /// The call.
    pub(super) fn call(&self) -> Option<&'static Syscall> {
        syscalls::all().get(usize::from(self.denied))
    }

    /// Those that programs can make where they can make the call; or at all, where there is no such
    /// call.
    pub(super) fn open(&self, context: &Context<'_>, seen: &[Arch]) -> Open {
        let exists = |arch: &Arch| self.call().is_some_and(|it| it.exists_on(*arch));
        let is_instead = !seen.iter().any(exists);
        let is_too_new = |first| {
            let mut kernels = context.targets().iter().map(|it| it.target.kernel);
            kernels.all(|kernel| kernel.is_some_and(|kernel| kernel.lacks(first)))
        };
        let is_open = |other: &&Syscall| {
            let mut places = seen.iter().filter(|arch| is_instead || exists(arch));
            context.permission(other) == Some(Permission::Always)
                && places.any(|arch| other.exists_on(*arch))
                && !other.first_kernel().is_some_and(is_too_new)
        };
        let places = self.substitutes.iter();
        let others = places.filter_map(|&it| syscalls::all().get(usize::from(it)));
        let names: Vec<_> = others.filter(is_open).map(Syscall::name).collect();
        let do_all = match self.extent {
            Extent::All => true,
            Extent::Together => names.len() == self.substitutes.len(),
            Extent::Part => false,
        };
        Open {
            names,
            do_all,
            is_instead,
        }
    }
}

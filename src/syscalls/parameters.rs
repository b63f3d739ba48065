//! What a call's arguments are to the kernel.

use super::Syscall;

/// A parameter of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name in the kernel's source.
    pub name: &'static str,
    /// What the kernel takes it for.
    pub kind: ParameterKind,
}

/// What the kernel takes a parameter for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// An address, which says nothing of what is there. Addresses that the kernel only reckons
    /// with, such as `munmap`'s, are integers to it.
    Pointer,
    /// A number.
    Integer {
        /// How many of its bits the kernel looks at: 16, 32 or 64. Filters compare all 64.
        bits: u8,
    },
}

/// A row of `data/syscall_parameters.tsv`.
#[derive(Debug)]
pub(super) struct Parameters {
    pub(super) all: &'static [Parameter],
    /// How many of them, from the first on, are the same wherever the call is.
    pub(super) common: usize,
}

impl Syscall {
    /// The parameters that the call has on `x86_64`, the first with index 0; those of `socketcall`
    /// and `ipc`, which it lacks, are x86's. `None` if they are not recorded, which is so for calls
    /// that `x86_64` lacks.
    ///
    /// Elsewhere they can be others: a 64 bit number takes two registers on a 32 bit architecture,
    /// and s390x has two parameters of `clone` the other way round. What is to hold wherever a
    /// profile may be used needs [`Syscall::parameter`] and [`Syscall::lacks_parameter`].
    ///
    /// The facts are in `data/syscall_parameters.tsv`; `tests/syscall_table` compares them with the
    /// prototypes of the C library.
    #[must_use]
    pub fn parameters(&self) -> Option<&'static [Parameter]> {
        self.parameters.as_ref().map(|parameters| parameters.all)
    }

    /// The parameter with this index, if it is the same on every architecture. The width of a 64
    /// bit number is that of a long: 32 bits on architectures of 32.
    #[must_use]
    pub fn parameter(&self, index: u64) -> Option<Parameter> {
        let Parameters { all, common } = self.parameters.as_ref()?;
        let index = usize::try_from(index).ok().filter(|index| index < common)?;
        all.get(index).copied()
    }

    /// Whether the call is known to have no parameter with this index on any architecture.
    #[must_use]
    pub fn lacks_parameter(&self, index: u64) -> bool {
        let beyond =
            |row: &Parameters| row.common == row.all.len() && row.all.len() as u64 <= index;
        self.parameters.as_ref().is_some_and(beyond)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::ParameterKind::{Integer, Pointer};
    use crate::syscalls::lookup;

    // Rules about arguments would say of one architecture what is so on another.
    #[test]
    fn what_differs_between_architectures_is_not_said_of_all() {
        let clone = lookup("clone").unwrap();
        assert_eq!(clone.parameters().unwrap()[0].name, "clone_flags");
        assert_eq!(clone.parameter(0), None);
        assert!(!clone.lacks_parameter(5));
        let pread = lookup("pread64").unwrap();
        assert_eq!(pread.parameter(1).unwrap().kind, Pointer);
        assert_eq!(pread.parameter(3), None);
        assert!(!pread.lacks_parameter(4));
    }

    // A condition on an argument that is there would be reported, or one that is not be missed.
    #[test]
    fn parameters_count_from_0() {
        let openat = lookup("openat").unwrap();
        assert_eq!(openat.parameter(0).unwrap().kind, Integer { bits: 32 });
        assert_eq!(openat.parameter(3).unwrap().kind, Integer { bits: 16 });
        assert_eq!(openat.parameter(4), None);
        assert!(openat.lacks_parameter(4) && !openat.lacks_parameter(3));
        let getpid = lookup("getpid").unwrap();
        assert!(getpid.lacks_parameter(0));
        let unrecorded = lookup("tuxcall").unwrap();
        assert_eq!(unrecorded.parameters(), None);
        assert!(!unrecorded.lacks_parameter(0));
    }
}

//! The syscall table: which names exist, under which number on which architecture, and since when.
//!
//! The truth is libseccomp, because a profile's names are resolved by libseccomp: a name that it
//! does not know is no name, however real the call is, and a rule on it does nothing. So the table
//! holds every name that [`TABLE_RELEASE`] knows on any architecture, and the names that releases
//! before it knew and it does not. It is generated at compile time from `data/syscalls.tsv` and its
//! neighbours; `tests/syscall_table` compares it with the libseccomp that is installed and with a
//! second source, and can write it anew.
//!
//! [`lookup`] is the fast path and costs one hash. [`spelling()`] and [`suggest()`] are for names
//! that it does not find: they say what a writer may have meant.
//!
//! ```
//! use seclint::syscalls::{self, Arch, Number, Spelling};
//!
//! let open = syscalls::lookup("open").unwrap();
//! assert_eq!(open.number(Arch::X86_64), Number::Direct(2));
//! assert_eq!(open.number(Arch::Aarch64), Number::Absent);
//! assert!(matches!(syscalls::spelling("pread"), Spelling::Alias(_)));
//! assert_eq!(syscalls::suggest("mkdirr"), Some("mkdir"));
//! ```

mod arch;
mod flags;
mod parameters;
mod relations;
mod slots;
mod spelling;
mod suggest;
mod table;
mod version;

pub use arch::{Arch, Multiplexer};
pub use flags::{Flag, FlagPlace, flag, flags, named, suggest_flag};
pub use parameters::{Parameter, ParameterKind};
pub use relations::{Relation, RelationKind};
pub use spelling::{Alias, AliasKind, Defect, Malformed, Spelling, spelling};
pub use suggest::suggest;
pub use table::known;
pub use table::{
    Number, Subcall, Syscall, TABLE_RELEASE, Unimplemented, above, all, lookup, with_number,
};
pub use version::{KernelVersion, ParseKernelVersionError, ParseReleaseError, Release};

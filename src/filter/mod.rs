//! Filters: the classic BPF programs that the kernel runs before each syscall.
//!
//! What crun caches is the bare program, an array of `struct sock_filter` without a header.
//! [`Filter::read`] takes it apart and refuses what the kernel refuses, so that every [`Filter`]
//! there is can be run and ends: [`Filter::evaluate`] says what it decides for a call, and
//! [`Filter::list`] says what it does, instruction by instruction, in words. [`compile()`] has
//! libseccomp make one of a runtime's plan.
//!
//! Sources: `net/core/filter.c` (`bpf_check_classic`) and `kernel/seccomp.c`
//! (`seccomp_check_filter`, `__seccomp_filter`) of Linux; what a kernel made of two thousand
//! programs is recorded in `tests/filters`.
//!
//! ```
//! use seclint::filter::{Call, Filter};
//! use seclint::profile::Action;
//!
//! // A = nr; if A != 83 goto 3; return ERRNO(1); return ALLOW
//! let bytes = b"\x20\0\0\0\0\0\0\0\x15\0\0\x01\x53\0\0\0\x06\0\0\0\x01\0\x05\0\x06\0\0\0\0\0\xff\x7f";
//! let filter = Filter::detect(bytes).unwrap();
//! let verdict = filter.evaluate(&Call { number: 83, ..Call::default() });
//! assert_eq!((verdict.action, verdict.data), (Action::Errno, 1));
//! ```

mod compare;
mod compile;
mod decision;
mod errno;
mod evaluate;
mod fold;
mod instruction;
mod list;
mod reach;
mod size;
mod stub;
mod verify;
mod words;

pub use compare::{Comparison, Witness, compare};
pub use compile::{CompileError, compile, linked};
pub use decision::{Diagram, Diagrams, Leaf, Ranges, TooLarge, Way};
pub use evaluate::{Call, Verdict};
pub use fold::Undecided;
pub use instruction::{Field, Instruction, Operand, Operator, Raw, Register, Source, Test};
pub use list::Line;
pub use size::{Size, fits, size};
pub(crate) use stub::enosys;
pub use verify::{Fault, Reason, Refused};

use crate::syscalls::Arch;

/// The most instructions that the kernel takes (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// The size of an instruction.
pub const INSTRUCTION_BYTES: usize = 8;

/// The size of the largest filter.
pub const MAX_BYTES: usize = MAX_INSTRUCTIONS * INSTRUCTION_BYTES;

/// A program that the kernel takes for a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    raw: Vec<Raw>,
    /// Each of [`Self::raw`], decoded.
    instructions: Vec<Instruction>,
    order: ByteOrder,
}

impl Filter {
    /// The instructions as they stand in the file.
    #[must_use]
    pub fn raw(&self) -> &[Raw] {
        &self.raw
    }

    /// The instructions.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The program as it stands in a file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let raw = self.raw.iter();
        raw.flat_map(|raw| raw.bytes(self.order)).collect()
    }

    /// The byte order of the file, and of the machine that it is for.
    #[must_use]
    pub fn order(&self) -> ByteOrder {
        self.order
    }
}

/// The order of the bytes in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ByteOrder {
    /// The lowest byte first.
    Little,
    /// The highest byte first.
    Big,
}

impl ByteOrder {
    /// This machine's.
    pub const NATIVE: Self = if cfg!(target_endian = "little") {
        Self::Little
    } else {
        Self::Big
    };

    /// An architecture's.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        if arch.is_little_endian() {
            Self::Little
        } else {
            Self::Big
        }
    }

    /// The order as one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Little => "little-endian",
            Self::Big => "big-endian",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }
}

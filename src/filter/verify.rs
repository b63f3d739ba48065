//! What the kernel takes for a filter, and why it refuses the rest.

use std::fmt;

use super::instruction::{CELLS, Instruction, Raw, Register, Source};
use super::{ByteOrder, Filter, INSTRUCTION_BYTES, MAX_BYTES};

/// Why the kernel refuses a program, which it does without a word but `EINVAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The number of bytes.
    #[error("{} no filter: a filter has 1 to 4096 instructions of 8 bytes", bytes(*.0))]
    Size(u64),
    /// The operation's code.
    #[error("operation {0:#06x} is none that a filter may have")]
    Operation(u16),
    /// Packet filters may take remainders.
    #[error("takes a remainder, which a seccomp filter may not")]
    Remainder,
    /// The offset of a load.
    #[error("loads from offset {0}, and a call is 64 bytes, in words of 4")]
    Offset(u32),
    /// The number of a cell.
    #[error("uses memory cell {0}, and there are 16, from 0")]
    Cell(u32),
    /// The number of a cell.
    #[error("reads memory cell {0}, which was not written on every way there")]
    Unwritten(u8),
    /// A constant.
    #[error("divides by 0")]
    DivisionByZero,
    /// The number of bits, a constant.
    #[error("shifts by {0}, and a word has 32 bits")]
    Shift(u32),
    /// The target of the jump.
    #[error("jumps past the last instruction")]
    Jump,
    /// The last instruction.
    #[error("is the last, and no return")]
    End,
}

fn bytes(bytes: u64) -> String {
    match bytes {
        1 => "1 byte is".to_owned(),
        bytes if bytes > MAX_BYTES as u64 => format!("more than {MAX_BYTES} bytes are"),
        bytes => format!("{bytes} bytes are"),
    }
}

/// One thing for which the kernel refuses a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The instruction, counted from 0; `None` if it is the program as a whole.
    pub instruction: Option<usize>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// `instruction 5 divides by 0`.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.instruction, self.reason) {
            (Some(index), Reason::Operation(_)) => {
                write!(formatter, "instruction {index}: {}", self.reason)
            }
            (Some(index), reason) => write!(formatter, "instruction {index} {reason}"),
            (None, reason) => reason.fmt(formatter),
        }
    }
}

/// A program that the kernel refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first}{}", more(others))]
pub struct Refused {
    /// The first fault.
    pub first: Fault,
    /// The others, in the order of the instructions.
    pub others: Vec<Fault>,
}

fn more(others: &[Fault]) -> String {
    match others.len() {
        0 => String::new(),
        1 => " (and another fault)".to_owned(),
        more => format!(" (and {more} more faults)"),
    }
}

impl Refused {
    /// The faults, in the order of the instructions.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// Why the kernel refuses every program of so many bytes, if it does.
    #[must_use]
    pub fn by_size(bytes: u64) -> Option<Self> {
        let is_whole = bytes.is_multiple_of(INSTRUCTION_BYTES as u64);
        if bytes > 0 && bytes <= MAX_BYTES as u64 && is_whole {
            return None;
        }
        let fault = Fault {
            instruction: None,
            reason: Reason::Size(bytes),
        };
        Self::of(vec![fault])
    }

    fn of(faults: Vec<Fault>) -> Option<Self> {
        let mut faults = faults.into_iter();
        Some(Self {
            first: faults.next()?,
            others: faults.collect(),
        })
    }
}

impl Filter {
    /// Reads a program, and refuses what the kernel of a machine of that byte order refuses.
    ///
    /// # Errors
    /// The faults for which the kernel refuses it. Cells of memory are looked at only if nothing
    /// else is wrong.
    pub fn read(bytes: &[u8], order: ByteOrder) -> Result<Self, Refused> {
        if let Some(refused) = Refused::by_size(bytes.len() as u64) {
            return Err(refused);
        }
        let (chunks, _) = bytes.as_chunks::<INSTRUCTION_BYTES>();
        let raw: Vec<_> = chunks.iter().map(|&bytes| Raw::of(bytes, order)).collect();
        let mut faults = Vec::new();
        let decode = |(index, &raw): (usize, &Raw)| {
            let decoded = Instruction::of(raw, index, order);
            let fault = match decoded {
                Ok(instruction) => misplaced(instruction, index, chunks.len()),
                Err(reason) => Some(reason),
            };
            if let Some(reason) = fault {
                let instruction = Some(index);
                faults.push(Fault {
                    instruction,
                    reason,
                });
            }
            // With a fault, there is no filter that it would be part of.
            decoded.unwrap_or(Instruction::Return(0))
        };
        let instructions: Vec<_> = raw.iter().enumerate().map(decode).collect();
        let reads_cell = |it: &Instruction| {
            matches!(
                it,
                Instruction::Load {
                    from: Source::Cell(_),
                    ..
                }
            )
        };
        // Hardly any does.
        if faults.is_empty() && instructions.iter().any(reads_cell) {
            faults.extend(unwritten(&instructions));
        }
        match Refused::of(faults) {
            Some(refused) => Err(refused),
            None => Ok(Self {
                raw,
                instructions,
                order,
            }),
        }
    }

    /// Reads a program of whichever byte order. No program is a filter in both orders: the code
    /// of its last instruction, a return, is none when its bytes are swapped.
    ///
    /// # Errors
    /// The faults in the order in which it has fewer, or in this machine's.
    pub fn detect(bytes: &[u8]) -> Result<Self, Refused> {
        let refused = match Self::read(bytes, ByteOrder::NATIVE) {
            Ok(filter) => return Ok(filter),
            Err(refused) => refused,
        };
        match Self::read(bytes, ByteOrder::NATIVE.other()) {
            Err(other) if other.others.len() < refused.others.len() => Err(other),
            Err(_) => Err(refused),
            Ok(filter) => Ok(filter),
        }
    }
}

/// Whether an instruction cannot stand where it does in a program of `length` instructions.
fn misplaced(instruction: Instruction, index: usize, length: usize) -> Option<Reason> {
    let is_end = matches!(
        instruction,
        Instruction::Return(_) | Instruction::ReturnAccumulator
    );
    let farthest = match instruction {
        Instruction::Jump(target) => target,
        Instruction::Branch {
            if_true, if_false, ..
        } => if_true.max(if_false),
        _ => 0,
    };
    if usize::from(farthest) >= length {
        Some(Reason::Jump)
    } else if index + 1 == length && !is_end {
        Some(Reason::End)
    } else {
        None
    }
}

/// The first read of a cell that may not have been written, as `check_load_and_stores` of
/// `net/core/filter.c` finds it: an instruction after a return counts as one that follows it.
fn unwritten(instructions: &[Instruction]) -> Option<Fault> {
    const _: () = assert!(CELLS == u16::BITS, "a bit a cell");
    // The cells that were written on every jump to an instruction.
    let mut on_arrival = vec![u16::MAX; instructions.len()];
    let mut written = 0;
    for (index, &instruction) in instructions.iter().enumerate() {
        written &= on_arrival[index];
        match instruction {
            Instruction::Store { cell, .. } => written |= 1 << cell,
            Instruction::Load {
                into: Register::A | Register::X,
                from: Source::Cell(cell),
            } if written & (1 << cell) == 0 => {
                return Some(Fault {
                    instruction: Some(index),
                    reason: Reason::Unwritten(cell),
                });
            }
            Instruction::Jump(_) | Instruction::Branch { .. } => {
                for target in instruction.targets() {
                    on_arrival[target] &= written;
                }
                written = u16::MAX;
            }
            _ => {}
        }
    }
    None
}

//! One instruction: its bytes, and what they say.

use super::ByteOrder;
use super::verify::Reason;

/// Cells of scratch memory (`BPF_MEMWORDS`).
pub(super) const CELLS: u32 = 16;

/// The size of `struct seccomp_data`: what a filter sees of a call.
const DATA_BYTES: u32 = 64;

/// A `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The operation.
    pub code: u16,
    /// How many instructions are skipped if a test holds.
    pub jump_true: u8,
    /// How many are skipped if it does not.
    pub jump_false: u8,
    /// The constant, offset, cell or distance.
    pub constant: u32,
}

impl Raw {
    /// The instruction that eight bytes hold.
    #[must_use]
    pub fn of(bytes: [u8; 8], order: ByteOrder) -> Self {
        let [c0, c1, jump_true, jump_false, k0, k1, k2, k3] = bytes;
        let (code, constant) = match order {
            ByteOrder::Little => (
                u16::from_le_bytes([c0, c1]),
                u32::from_le_bytes([k0, k1, k2, k3]),
            ),
            ByteOrder::Big => (
                u16::from_be_bytes([c0, c1]),
                u32::from_be_bytes([k0, k1, k2, k3]),
            ),
        };
        Self {
            code,
            jump_true,
            jump_false,
            constant,
        }
    }

    /// The eight bytes that hold the instruction.
    #[must_use]
    pub fn bytes(self, order: ByteOrder) -> [u8; 8] {
        let (code, constant) = match order {
            ByteOrder::Little => (self.code.to_le_bytes(), self.constant.to_le_bytes()),
            ByteOrder::Big => (self.code.to_be_bytes(), self.constant.to_be_bytes()),
        };
        let ([c0, c1], [k0, k1, k2, k3]) = (code, constant);
        [c0, c1, self.jump_true, self.jump_false, k0, k1, k2, k3]
    }
}

/// A register, 32 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// The accumulator.
    A,
    /// The index register.
    X,
}

/// A word of `struct seccomp_data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The syscall's number.
    Number,
    /// The `AUDIT_ARCH_*` value of the ABI that the call came by.
    Architecture,
    /// The lower half of the instruction pointer.
    PointerLow,
    /// Its upper half.
    PointerHigh,
    /// The lower half of an argument, counted from 0.
    ArgumentLow(u8),
    /// Its upper half.
    ArgumentHigh(u8),
}

impl Field {
    /// The field at an offset in bytes; `None` if a filter cannot load from there.
    fn at(offset: u32, order: ByteOrder) -> Option<Self> {
        if offset >= DATA_BYTES || !offset.is_multiple_of(4) {
            return None;
        }
        let is_first = offset.is_multiple_of(8);
        let is_low = is_first == (order == ByteOrder::Little);
        Some(match (offset / 8, is_low) {
            (0, _) if is_first => Self::Number,
            (0, _) => Self::Architecture,
            (1, true) => Self::PointerLow,
            (1, false) => Self::PointerHigh,
            (place, true) => Self::ArgumentLow((place - 2) as u8),
            (place, false) => Self::ArgumentHigh((place - 2) as u8),
        })
    }
}

/// Where a load gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The call.
    Field(Field),
    /// The instruction itself. What packet filters know as the packet's length is the constant 64
    /// to the kernel.
    Constant(u32),
    /// A cell of scratch memory, 0 to 15.
    Cell(u8),
}

/// The right-hand side of a calculation or test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A constant.
    Constant(u32),
    /// The index register.
    X,
}

/// A calculation. The left-hand side is the accumulator, and so is where the result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The sum, modulo 2³².
    Add,
    /// The difference, modulo 2³².
    Subtract,
    /// The product, modulo 2³².
    Multiply,
    /// The unsigned quotient. Dividing by an X of 0 ends the filter, which returns 0.
    Divide,
    /// The bits that both have.
    And,
    /// The bits that either has.
    Or,
    /// The bits that one of them has.
    Xor,
    /// Bits moved up, by the lowest five bits of the operand.
    ShiftLeft,
    /// Bits moved down, likewise.
    ShiftRight,
}

/// A comparison of the accumulator, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is the operand.
    Equal,
    /// It is greater.
    Greater,
    /// It is greater, or the operand.
    GreaterOrEqual,
    /// It has a bit of the operand.
    AnyBit,
}

/// What an instruction does. Targets are indexes of instructions, counted from 0: of the 4096 that
/// there can be, or past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Puts a value into a register.
    Load {
        /// The register.
        into: Register,
        /// The value.
        from: Source,
    },
    /// Puts a register into scratch memory.
    Store {
        /// The register.
        from: Register,
        /// The cell, 0 to 15.
        cell: u8,
    },
    /// Copies one register to the other, this one.
    Copy {
        /// The register that gets the other's value.
        into: Register,
    },
    /// Changes the accumulator.
    Calculate(Operator, Operand),
    /// Takes the accumulator from 0, modulo 2³².
    Negate,
    /// Goes on elsewhere.
    Jump(u16),
    /// Goes on at one of two places.
    Branch {
        /// The comparison of the accumulator.
        test: Test,
        /// What it is compared with.
        operand: Operand,
        /// The target if the test holds.
        if_true: u16,
        /// The target if it does not.
        if_false: u16,
    },
    /// Ends with a value.
    Return(u32),
    /// Ends with the accumulator as the value.
    ReturnAccumulator,
}

// The operations' codes that have a name in linux/bpf_common.h; their parts are or-ed there.
const LD: u16 = 0x00;
const LD_ABS: u16 = LD | 0x20;
const LD_MEM: u16 = LD | 0x60;
const LD_LEN: u16 = LD | 0x80;
const LDX: u16 = 0x01;
const LDX_MEM: u16 = LDX | 0x60;
const LDX_LEN: u16 = LDX | 0x80;
const ST: u16 = 0x02;
const STX: u16 = 0x03;
const NEGATE: u16 = 0x84;
const REMAINDER: u16 = 0x94;
const JMP: u16 = 0x05;
const RET: u16 = 0x06;
const RET_A: u16 = RET | 0x10;
const TO_X: u16 = 0x07;
const TO_A: u16 = 0x87;
/// In the code of a calculation or test: its operand is X, and no constant.
const X: u16 = 0x08;

impl Instruction {
    /// What an instruction does, or why the kernel refuses it, whatever stands around it.
    #[inline]
    pub(super) fn of(raw: Raw, index: usize, order: ByteOrder) -> Result<Self, Reason> {
        let Raw {
            code, constant: k, ..
        } = raw;
        let load = |into, from| Ok(Self::Load { into, from });
        let store = |from| cell(k).map(|cell| Self::Store { from, cell });
        let operand = match code & X {
            0 => Operand::Constant(k),
            _ => Operand::X,
        };
        let calculate = |operator| Ok(Self::Calculate(operator, operand));
        let branch = |test| {
            Ok(Self::Branch {
                test,
                operand,
                if_true: after(index, raw.jump_true.into()),
                if_false: after(index, raw.jump_false.into()),
            })
        };
        match code {
            LD_ABS => {
                let field = Field::at(k, order).ok_or(Reason::Offset(k))?;
                load(Register::A, Source::Field(field))
            }
            LD => load(Register::A, Source::Constant(k)),
            LDX => load(Register::X, Source::Constant(k)),
            LD_LEN => load(Register::A, Source::Constant(DATA_BYTES)),
            LDX_LEN => load(Register::X, Source::Constant(DATA_BYTES)),
            LD_MEM => load(Register::A, Source::Cell(cell(k)?)),
            LDX_MEM => load(Register::X, Source::Cell(cell(k)?)),
            ST => store(Register::A),
            STX => store(Register::X),
            TO_X => Ok(Self::Copy { into: Register::X }),
            TO_A => Ok(Self::Copy { into: Register::A }),
            RET => Ok(Self::Return(k)),
            RET_A => Ok(Self::ReturnAccumulator),
            NEGATE => Ok(Self::Negate),
            JMP => Ok(Self::Jump(after(index, k))),
            0x04 | 0x0c => calculate(Operator::Add),
            0x14 | 0x1c => calculate(Operator::Subtract),
            0x24 | 0x2c => calculate(Operator::Multiply),
            0x34 if k == 0 => Err(Reason::DivisionByZero),
            0x34 | 0x3c => calculate(Operator::Divide),
            0x44 | 0x4c => calculate(Operator::Or),
            0x54 | 0x5c => calculate(Operator::And),
            0x64 | 0x74 if k >= u32::BITS => Err(Reason::Shift(k)),
            0x64 | 0x6c => calculate(Operator::ShiftLeft),
            0x74 | 0x7c => calculate(Operator::ShiftRight),
            0xa4 | 0xac => calculate(Operator::Xor),
            0x15 | 0x1d => branch(Test::Equal),
            0x25 | 0x2d => branch(Test::Greater),
            0x35 | 0x3d => branch(Test::GreaterOrEqual),
            0x45 | 0x4d => branch(Test::AnyBit),
            _ if code & !X == REMAINDER => Err(Reason::Remainder),
            _ => Err(Reason::Operation(code)),
        }
    }

    /// Whether it is one of the few that libseccomp uses.
    #[must_use]
    pub fn is_of_libseccomp(self) -> bool {
        matches!(
            self,
            Self::Load {
                into: Register::A,
                from: Source::Field(_)
            } | Self::Calculate(Operator::And, Operand::Constant(_))
                | Self::Jump(_)
                | Self::Branch {
                    operand: Operand::Constant(_),
                    ..
                }
                | Self::Return(_)
        )
    }

    /// Where it can jump to, if it is a jump.
    pub(super) fn targets(self) -> impl Iterator<Item = usize> {
        let targets = match self {
            Self::Jump(target) => [Some(target), None],
            Self::Branch {
                if_true, if_false, ..
            } => [Some(if_true), Some(if_false)],
            _ => [None, None],
        };
        targets.into_iter().flatten().map(usize::from)
    }
}

/// Distances that do not fit are past the end as well.
fn after(index: usize, skipped: u32) -> u16 {
    let target = skipped.saturating_add(index as u32 + 1);
    target.min(u16::MAX.into()) as u16
}

fn cell(k: u32) -> Result<u8, Reason> {
    if k < CELLS {
        Ok(k as u8)
    } else {
        Err(Reason::Cell(k))
    }
}

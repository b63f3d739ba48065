//! What a filter decides for a call.

use super::Filter;
use super::instruction::{Field, Instruction, Operand, Operator, Register, Source, Test};
use crate::profile::{Action, Effect};

/// A call as a filter sees it: `struct seccomp_data`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Call {
    /// The syscall's number, on x32 with its bit.
    pub number: u32,
    /// The `AUDIT_ARCH_*` value of the ABI that the call came by.
    pub architecture: u32,
    /// Where the program was.
    pub instruction_pointer: u64,
    /// The arguments. Of a 32 bit ABI, the upper halves are 0.
    pub arguments: [u64; 6],
}

impl Call {
    /// A word of it.
    pub(super) fn field(&self, field: Field) -> u32 {
        let argument = |index: u8| {
            let argument = self.arguments.get(usize::from(index));
            argument.copied().unwrap_or_default()
        };
        match field {
            Field::Number => self.number,
            Field::Architecture => self.architecture,
            Field::PointerLow => low(self.instruction_pointer),
            Field::PointerHigh => high(self.instruction_pointer),
            Field::ArgumentLow(index) => low(argument(index)),
            Field::ArgumentHigh(index) => high(argument(index)),
        }
    }
}

const fn low(value: u64) -> u32 {
    value as u32
}

const fn high(value: u64) -> u32 {
    (value >> u32::BITS) as u32
}

/// What the kernel does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Verdict {
    /// The action.
    pub action: Action,
    /// The action's number: an errno, what the tracer or the signal is told, or nothing.
    pub data: u16,
    /// Whether the filter asked for an action that there is, rather than for one that the kernel
    /// does not know, for which it kills the process.
    pub is_known: bool,
}

impl Verdict {
    /// The largest errno; the kernel takes a larger one for it (`MAX_ERRNO`).
    const MAX_ERRNO: u16 = 4095;

    /// What the kernel does when a filter returns `value`: the upper half is the action
    /// (`SECCOMP_RET_ACTION_FULL`), the lower its number. So Linux 4.14 and newer; older ones kill
    /// the thread where newer ones kill the process.
    #[must_use]
    pub fn of(value: u32) -> Self {
        let data = value as u16;
        let (action, data) = match value >> 16 {
            0x8000 => (Action::KillProcess, data),
            0x0000 => (Action::KillThread, data),
            0x0003 => (Action::Trap, data),
            0x0005 => (Action::Errno, data.min(Self::MAX_ERRNO)),
            0x7fc0 => (Action::Notify, data),
            0x7ff0 => (Action::Trace, data),
            0x7ffc => (Action::Log, data),
            0x7fff => (Action::Allow, data),
            _ => {
                return Self {
                    action: Action::KillProcess,
                    data,
                    is_known: false,
                };
            }
        };
        Self {
            action,
            data,
            is_known: true,
        }
    }
}

impl From<Effect> for Verdict {
    /// What a filter returns for an effect.
    fn from(effect: Effect) -> Self {
        Self {
            action: effect.action,
            data: effect.errno,
            is_known: true,
        }
    }
}

impl Filter {
    /// What the filter decides for a call.
    #[must_use]
    pub fn evaluate(&self, call: &Call) -> Verdict {
        Verdict::of(self.run(call))
    }

    /// Runs the program; it ends, since all jumps go forward.
    fn run(&self, call: &Call) -> u32 {
        let (mut a, mut x) = (0_u32, 0_u32);
        let mut memory = [0_u32; 16];
        let mut index = 0;
        while let Some(&instruction) = self.instructions().get(index) {
            index += 1;
            match instruction {
                Instruction::Load { into, from } => {
                    let value = match from {
                        Source::Field(field) => call.field(field),
                        Source::Constant(constant) => constant,
                        Source::Cell(number) => memory[usize::from(number)],
                    };
                    match into {
                        Register::A => a = value,
                        Register::X => x = value,
                    }
                }
                Instruction::Store { from, cell } => {
                    memory[usize::from(cell)] = match from {
                        Register::A => a,
                        Register::X => x,
                    };
                }
                Instruction::Copy { into: Register::A } => a = x,
                Instruction::Copy { into: Register::X } => x = a,
                Instruction::Calculate(operator, operand) => {
                    match calculate(a, operator, value(operand, x)) {
                        Some(result) => a = result,
                        None => return 0,
                    }
                }
                Instruction::Negate => a = a.wrapping_neg(),
                Instruction::Jump(target) => index = target.into(),
                Instruction::Branch {
                    test,
                    operand,
                    if_true,
                    if_false,
                } => {
                    let holds = holds(a, test, value(operand, x));
                    index = if holds { if_true } else { if_false }.into();
                }
                Instruction::Return(value) => return value,
                Instruction::ReturnAccumulator => return a,
            }
        }
        // The last instruction is a return: nothing comes here, and if it did, it should not pass.
        0
    }
}

const fn value(operand: Operand, x: u32) -> u32 {
    match operand {
        Operand::Constant(constant) => constant,
        Operand::X => x,
    }
}

/// The result; `None` for a division by zero, with which the kernel ends the filter.
pub(super) fn calculate(a: u32, operator: Operator, operand: u32) -> Option<u32> {
    Some(match operator {
        Operator::Add => a.wrapping_add(operand),
        Operator::Subtract => a.wrapping_sub(operand),
        Operator::Multiply => a.wrapping_mul(operand),
        Operator::Divide => a.checked_div(operand)?,
        Operator::And => a & operand,
        Operator::Or => a | operand,
        Operator::Xor => a ^ operand,
        Operator::ShiftLeft => a.wrapping_shl(operand),
        Operator::ShiftRight => a.wrapping_shr(operand),
    })
}

pub(super) const fn holds(a: u32, test: Test, operand: u32) -> bool {
    match test {
        Test::Equal => a == operand,
        Test::Greater => a > operand,
        Test::GreaterOrEqual => a >= operand,
        Test::AnyBit => a & operand != 0,
    }
}

//! What a filter does, instruction by instruction, in words.
//!
//! What a number means depends on the architecture, which a filter asks for before it looks at
//! numbers. So the listing carries along what is certain at each instruction: what stands in the
//! accumulator, and which architecture the tests on every way there have found.

use super::Filter;
use super::errno::Errnos;
use super::evaluate::Verdict;
use super::instruction::{
    Field, Instruction, Operand, Operator, Raw, Register, Source as From, Test,
};
use crate::syscalls::{Arch, with_number};

/// An instruction, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place, counted from 0.
    pub index: usize,
    /// The instruction as it stands in the file.
    pub raw: Raw,
    /// What it does: `if nr == 83 (mkdir) goto 9`.
    pub text: String,
    /// The instructions that it can jump to, in the order of the test: if it holds, if not. One
    /// that it only leads on to is among them if it is a test.
    pub targets: Vec<usize>,
    /// The instructions that jump here, in their order; not the one before that leads here.
    pub sources: Vec<usize>,
    /// Whether any way leads here.
    pub is_reachable: bool,
    /// The architectures that are left by the tests on every way here; empty if none was asked
    /// for, or another one on another way, or one that is not known.
    pub architectures: Vec<Arch>,
    /// The syscall whose number it compares with.
    pub syscall: Option<&'static str>,
    /// What it decides, if it ends the filter with a constant.
    pub verdict: Option<Verdict>,
}

/// What is certain before an instruction, whichever way led to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// The field of which the accumulator has these bits.
    accumulator: Option<(Field, u32)>,
    /// What the call's architecture is.
    architecture: Option<u32>,
    /// Whether the number has the bit of x32 calls.
    is_x32: Option<bool>,
}

impl Known {
    /// What is certain if either is.
    fn or(self, other: Self) -> Self {
        fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.filter(|one| other.is_some_and(|other| *one == other))
        }
        Self {
            accumulator: both(self.accumulator, other.accumulator),
            architecture: both(self.architecture, other.architecture),
            is_x32: both(self.is_x32, other.is_x32),
        }
    }

    /// What is certain after an instruction that is no test.
    fn after(mut self, instruction: Instruction) -> Self {
        self.accumulator = match instruction {
            Instruction::Load {
                into: Register::A,
                from: From::Field(field),
            } => Some((field, u32::MAX)),
            Instruction::Calculate(Operator::And, Operand::Constant(mask)) => {
                (self.accumulator).map(|(field, bits)| (field, bits & mask))
            }
            Instruction::Load {
                into: Register::A, ..
            }
            | Instruction::Copy { into: Register::A }
            | Instruction::Calculate(..)
            | Instruction::Negate => None,
            _ => self.accumulator,
        };
        self
    }

    /// What is certain where a test of the accumulator held, or did not.
    fn tested(mut self, test: Test, operand: Operand, held: bool) -> Self {
        let (Some((field, u32::MAX)), Operand::Constant(k)) = (self.accumulator, operand) else {
            return self;
        };
        match (field, test, held) {
            (Field::Architecture, Test::Equal, true) => self.architecture = Some(k),
            // Tracers skip a call by the number -1, which libseccomp lets pass as no x32 call.
            (Field::Number, Test::Equal, true) => {
                self.is_x32 = Some(k != u32::MAX && k & Arch::X32_BIT != 0);
            }
            (Field::Number, Test::AnyBit, held) if k == Arch::X32_BIT => self.is_x32 = Some(held),
            (Field::Number, Test::GreaterOrEqual, true) if k >= Arch::X32_BIT => {
                self.is_x32 = Some(true);
            }
            (Field::Number, Test::GreaterOrEqual, false) if k <= Arch::X32_BIT => {
                self.is_x32 = Some(false);
            }
            (Field::Number, Test::Greater, true) if k >= Arch::X32_BIT - 1 => {
                self.is_x32 = Some(true);
            }
            (Field::Number, Test::Greater, false) if k < Arch::X32_BIT => {
                self.is_x32 = Some(false);
            }
            _ => {}
        }
        self
    }

    fn architectures(&self) -> Vec<Arch> {
        let is_left = |arch: &Arch| {
            let by_number = self.is_x32.is_none_or(|is_x32| match arch {
                Arch::X32 => is_x32,
                Arch::X86_64 => !is_x32,
                _ => true,
            });
            Some(arch.audit_arch()) == self.architecture && by_number
        };
        Arch::ALL.into_iter().filter(is_left).collect()
    }

    /// The syscall that a number means, if the accumulator holds a syscall's number. Where calls
    /// of x32 are told from others, it means none, though x32's first call has it.
    fn syscall(&self, test: Test, number: u32) -> Option<&'static str> {
        let (Field::Number, bits) = self.accumulator? else {
            return None;
        };
        if (test, number) == (Test::GreaterOrEqual, Arch::X32_BIT) {
            return None;
        }
        let architectures = self.architectures();
        let mut names = architectures.into_iter().filter_map(|arch| {
            let number = match arch {
                Arch::X32 if bits == !Arch::X32_BIT => number | Arch::X32_BIT,
                _ => number,
            };
            Some(with_number(arch, number)?.name())
        });
        let name = names.next().filter(|_| bits | Arch::X32_BIT == u32::MAX)?;
        names.all(|other| other == name).then_some(name)
    }
}

impl Filter {
    /// What each instruction does.
    #[must_use]
    pub fn list(&self) -> Vec<Line> {
        let instructions = self.instructions();
        let mut known: Vec<Option<Known>> = vec![None; instructions.len()];
        let mut sources = vec![Vec::new(); instructions.len()];
        if let Some(first) = known.first_mut() {
            *first = Some(Known::default());
        }
        for (index, &instruction) in instructions.iter().enumerate() {
            let Some(here) = known[index] else { continue };
            let mut arrive = |target: usize, there: Known| {
                if let Some(known) = known.get_mut(target) {
                    *known = Some(known.map_or(there, |known| known.or(there)));
                }
            };
            match instruction {
                Instruction::Return(_) | Instruction::ReturnAccumulator => {}
                Instruction::Jump(target) => arrive(target.into(), here),
                Instruction::Branch {
                    test,
                    operand,
                    if_true,
                    if_false,
                } => {
                    arrive(if_true.into(), here.tested(test, operand, true));
                    arrive(if_false.into(), here.tested(test, operand, false));
                }
                other => arrive(index + 1, here.after(other)),
            }
            for target in instruction.targets() {
                let sources: &mut Vec<usize> = &mut sources[target];
                let is_next = target == index + 1 && !matches!(instruction, Instruction::Jump(_));
                if !is_next && sources.last() != Some(&index) {
                    sources.push(index);
                }
            }
        }
        let asked_for = instructions.iter().zip(&known);
        let asked_for = asked_for.filter_map(|(&instruction, known)| {
            let is_asked = (*known)?.accumulator == Some((Field::Architecture, u32::MAX));
            compared(instruction)
                .filter(|_| is_asked)
                .map(|(_, constant)| constant)
        });
        let words = Words {
            errnos: Errnos::of(asked_for),
        };
        let lines = instructions.iter().zip(self.raw()).zip(known).zip(sources);
        lines
            .enumerate()
            .map(|(index, (((&instruction, &raw), known), sources))| {
                let is_reachable = known.is_some();
                let known = known.unwrap_or_default();
                Line {
                    index,
                    raw,
                    text: words.describe(index, instruction, &known),
                    targets: instruction.targets().collect(),
                    sources,
                    is_reachable,
                    architectures: known.architectures(),
                    syscall: compared(instruction)
                        .and_then(|(test, number)| known.syscall(test, number)),
                    verdict: match instruction {
                        Instruction::Return(value) => Some(Verdict::of(value)),
                        _ => None,
                    },
                }
            })
            .collect()
    }
}

/// The test and the constant, if the accumulator is compared with one. Bits are not compared.
fn compared(instruction: Instruction) -> Option<(Test, u32)> {
    match instruction {
        Instruction::Branch {
            test: test @ (Test::Equal | Test::Greater | Test::GreaterOrEqual),
            operand: Operand::Constant(constant),
            ..
        } => Some((test, constant)),
        _ => None,
    }
}

/// How a filter is put into words.
struct Words {
    errnos: Errnos,
}

impl Words {
    fn describe(&self, index: usize, instruction: Instruction, known: &Known) -> String {
        match instruction {
            Instruction::Load { into, from } => {
                let from = match from {
                    From::Field(field) => name(field),
                    From::Constant(constant) => number(constant),
                    From::Cell(cell) => format!("M[{cell}]"),
                };
                format!("{into:?} = {from}")
            }
            Instruction::Store { from, cell } => format!("M[{cell}] = {from:?}"),
            Instruction::Copy { into: Register::A } => "A = X".to_owned(),
            Instruction::Copy { into: Register::X } => "X = A".to_owned(),
            Instruction::Calculate(operator, operand) => {
                let (sign, is_bits) = match operator {
                    Operator::Add => ("+", false),
                    Operator::Subtract => ("-", false),
                    Operator::Multiply => ("*", false),
                    Operator::Divide => ("/", false),
                    Operator::And => ("&", true),
                    Operator::Or => ("|", true),
                    Operator::Xor => ("^", true),
                    Operator::ShiftLeft => ("<<", false),
                    Operator::ShiftRight => (">>", false),
                };
                let operand = match operand {
                    Operand::X => "X".to_owned(),
                    Operand::Constant(constant) if is_bits => format!("{constant:#x}"),
                    Operand::Constant(constant) => number(constant),
                };
                format!("A {sign}= {operand}")
            }
            Instruction::Negate => "A = -A".to_owned(),
            Instruction::Jump(target) => format!("goto {target}"),
            Instruction::Branch {
                test,
                operand,
                if_true,
                if_false,
            } => {
                let is_next = |target| usize::from(target) == index + 1;
                let condition = |holds| condition(test, operand, holds, known);
                match (is_next(if_true), is_next(if_false)) {
                    (false, true) => format!("if {} goto {if_true}", condition(true)),
                    (true, false) => format!("if {} goto {if_false}", condition(false)),
                    _ => format!("if {} goto {if_true} else {if_false}", condition(true)),
                }
            }
            Instruction::Return(value) => format!("return {}", self.verdict(value)),
            Instruction::ReturnAccumulator => "return A".to_owned(),
        }
    }

    /// `ERRNO(EPERM)`: the action without the prefix that all have, and its number if it has one.
    fn verdict(&self, value: u32) -> String {
        let verdict = Verdict::of(value);
        if !verdict.is_known {
            return format!("{value:#010x} (no action: KILL_PROCESS)");
        }
        verdict.with(&self.errnos)
    }
}

/// A test, or its opposite, of what is known to stand in the accumulator.
fn condition(test: Test, operand: Operand, holds: bool, known: &Known) -> String {
    let left = match known.accumulator {
        Some((field, u32::MAX)) => name(field),
        Some((field, bits)) if test == Test::AnyBit => format!("{} & {bits:#x}", name(field)),
        Some((field, bits)) => format!("({} & {bits:#x})", name(field)),
        None => "A".to_owned(),
    };
    let sign = match (test, holds) {
        (Test::Equal, true) => "==",
        (Test::Equal, false) => "!=",
        (Test::Greater, true) => ">",
        (Test::Greater, false) => "<=",
        (Test::GreaterOrEqual, true) => ">=",
        (Test::GreaterOrEqual, false) => "<",
        (Test::AnyBit, _) => {
            let right = match operand {
                Operand::Constant(constant) => format!("{constant:#x}"),
                Operand::X => "X".to_owned(),
            };
            return if holds {
                format!("{left} & {right}")
            } else {
                format!("!({left} & {right})")
            };
        }
    };
    let right = match (operand, known.accumulator) {
        (Operand::X, _) => "X".to_owned(),
        (Operand::Constant(constant), Some((Field::Architecture, u32::MAX))) => {
            let mut arches = Arch::ALL.into_iter();
            match arches.find(|arch| arch.audit_arch() == constant) {
                Some(arch) => arch.name().to_owned(),
                None => format!("{constant:#x}"),
            }
        }
        (Operand::Constant(constant), Some((Field::Number, _))) => {
            match known.syscall(test, constant) {
                Some(name) if constant & Arch::X32_BIT == 0 => format!("{constant} ({name})"),
                Some(name) => format!("{constant:#x} ({name})"),
                None => number(constant),
            }
        }
        (Operand::Constant(constant), None | Some((_, u32::MAX))) => number(constant),
        (Operand::Constant(constant), Some(_)) => format!("{constant:#x}"),
    };
    format!("{left} {sign} {right}")
}

fn name(field: Field) -> String {
    match field {
        Field::Number => "nr".to_owned(),
        Field::Architecture => "arch".to_owned(),
        Field::PointerLow => "instruction_pointer.low".to_owned(),
        Field::PointerHigh => "instruction_pointer.high".to_owned(),
        Field::ArgumentLow(index) => format!("args[{index}].low"),
        Field::ArgumentHigh(index) => format!("args[{index}].high"),
    }
}

/// Small numbers are counted, large ones are bits.
fn number(constant: u32) -> String {
    if constant < 0x1_0000 {
        constant.to_string()
    } else {
        format!("{constant:#x}")
    }
}

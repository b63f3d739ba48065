//! What a program decides for all calls: it is run backwards, from what it returns to its start.

use std::collections::HashMap;

use super::decision::{Bit, Diagram, Diagrams, Leaf, TooLarge};
use super::evaluate::{calculate, holds};
use super::instruction::{Field, Instruction, Operand, Operator, Register, Source, Test};
use super::{Filter, Verdict};

/// Why it is not known what a program decides for all calls. libseccomp makes no such programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The instruction, counted from 0.
    #[error("instruction {0} calculates with what the call is, beyond single bits of it")]
    Calculation(usize),
    /// The instruction, counted from 0.
    #[error("instruction {0} compares two words of the call")]
    Words(usize),
    /// The instruction, counted from 0.
    #[error("instruction {0} returns a word of the call")]
    Return(usize),
    /// Its diagrams.
    #[error(transparent)]
    Size(#[from] TooLarge),
}

/// A word as far as it is known: bits of a word of the call, moved, some of them turned round, and
/// constant bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word {
    field: Field,
    /// By how many bits the word of the call was moved up.
    shift: i8,
    /// The bits that are the call's.
    mask: u32,
    /// What the bits are exclusive-or-ed with: the others are as they are here.
    flip: u32,
}

impl Word {
    const fn constant(value: u32) -> Self {
        Self {
            field: Field::Number,
            shift: 0,
            mask: 0,
            flip: value,
        }
    }

    const fn of(field: Field) -> Self {
        Self {
            field,
            shift: 0,
            mask: u32::MAX,
            flip: 0,
        }
    }

    const fn value(self) -> Option<u32> {
        match self.mask {
            0 => Some(self.flip),
            _ => None,
        }
    }

    /// What a calculation with a constant makes of it; `None` if that is no such word.
    fn calculate(self, operator: Operator, operand: u32) -> Option<Self> {
        let amount = operand % u32::BITS;
        let mut word = self;
        match operator {
            Operator::And => {
                word.mask &= operand;
                word.flip &= operand;
            }
            Operator::Or => {
                word.mask &= !operand;
                word.flip |= operand;
            }
            Operator::Xor => word.flip ^= operand,
            Operator::ShiftLeft => {
                word.shift += amount as i8;
                word.mask <<= amount;
                word.flip <<= amount;
            }
            Operator::ShiftRight => {
                word.shift -= amount as i8;
                word.mask >>= amount;
                word.flip >>= amount;
            }
            _ => return None,
        }
        Some(match word.value() {
            Some(value) => Self::constant(value),
            None => word,
        })
    }

    fn bits(self) -> [Bit; 32] {
        std::array::from_fn(|bit| {
            let is_opposite = self.flip >> bit & 1 == 1;
            match self.mask >> bit & 1 {
                0 => Bit::Constant(is_opposite),
                _ => Bit::Of {
                    field: self.field,
                    bit: (bit as u32).wrapping_sub_signed(self.shift.into()),
                    is_opposite,
                },
            }
        })
    }
}

/// What is known before an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    a: Word,
    x: Word,
    cells: [Word; 16],
}

impl State {
    fn get(&mut self, register: Register) -> &mut Word {
        match register {
            Register::A => &mut self.a,
            Register::X => &mut self.x,
        }
    }

    fn operand(&self, operand: Operand) -> Option<u32> {
        match operand {
            Operand::Constant(constant) => Some(constant),
            Operand::X => self.x.value(),
        }
    }
}

/// An instruction together with what is known before it, by its place among all.
type Place = usize;

/// What follows from an instruction and what is known before it.
enum Step {
    Return(u32),
    Next(Place),
    Test {
        word: Word,
        test: Test,
        constant: u32,
        if_true: Place,
        if_false: Place,
    },
}

/// The instructions that are to be looked at, with what is known before them.
struct Pending {
    /// By instruction.
    states: Vec<Vec<(State, Place)>>,
    places: HashMap<(usize, State), Place>,
}

impl Pending {
    /// The most states, which are as many as there are instructions unless somebody means harm.
    const LIMIT: usize = 1 << 16;

    fn place(&mut self, index: usize, state: State) -> Result<Place, TooLarge> {
        let next = self.places.len();
        if next >= Self::LIMIT {
            return Err(TooLarge);
        }
        let place = *self.places.entry((index, state)).or_insert(next);
        if let Some(states) = self.states.get_mut(index)
            && place == next
        {
            states.push((state, place));
        }
        Ok(place)
    }

    fn step(&mut self, filter: &Filter, index: usize, mut state: State) -> Result<Step, Undecided> {
        let instruction = filter.instructions().get(index).copied();
        let mut next = index + 1;
        // No filter ends without a return.
        match instruction.unwrap_or(Instruction::Return(0)) {
            Instruction::Load { into, from } => {
                *state.get(into) = match from {
                    Source::Field(field) => Word::of(field),
                    Source::Constant(constant) => Word::constant(constant),
                    Source::Cell(cell) => state.cells[usize::from(cell)],
                };
            }
            Instruction::Store { from, cell } => {
                state.cells[usize::from(cell)] = *state.get(from);
            }
            Instruction::Copy { into: Register::A } => state.a = state.x,
            Instruction::Copy { into: Register::X } => state.x = state.a,
            Instruction::Calculate(operator, operand) => {
                let unknown = Undecided::Calculation(index);
                let operand = state.operand(operand).ok_or(unknown)?;
                state.a = match state.a.value() {
                    Some(value) => match calculate(value, operator, operand) {
                        Some(value) => Word::constant(value),
                        None => return Ok(Step::Return(0)),
                    },
                    None => state.a.calculate(operator, operand).ok_or(unknown)?,
                };
            }
            Instruction::Negate => {
                let value = state.a.value().ok_or(Undecided::Calculation(index))?;
                state.a = Word::constant(value.wrapping_neg());
            }
            Instruction::Jump(target) => next = target.into(),
            Instruction::Branch {
                test,
                operand,
                if_true,
                if_false,
            } => {
                let constant = state.operand(operand).ok_or(Undecided::Words(index))?;
                match state.a.value() {
                    Some(value) if holds(value, test, constant) => next = if_true.into(),
                    Some(_) => next = if_false.into(),
                    None => {
                        return Ok(Step::Test {
                            word: state.a,
                            test,
                            constant,
                            if_true: self.place(if_true.into(), state)?,
                            if_false: self.place(if_false.into(), state)?,
                        });
                    }
                }
            }
            Instruction::Return(value) => return Ok(Step::Return(value)),
            Instruction::ReturnAccumulator => {
                let value = state.a.value().ok_or(Undecided::Return(index))?;
                return Ok(Step::Return(value));
            }
        }
        Ok(Step::Next(self.place(next, state)?))
    }
}

impl Diagrams {
    /// What a filter decides for all calls.
    ///
    /// # Errors
    /// If it does what libseccomp has no filter do, or there are too many nodes.
    pub fn of_filter(&mut self, filter: &Filter) -> Result<Diagram, Undecided> {
        let mut pending = Pending {
            states: vec![Vec::new(); filter.instructions().len()],
            places: HashMap::new(),
        };
        let zero = Word::constant(0);
        let start = State {
            a: zero,
            x: zero,
            cells: [zero; 16],
        };
        pending.place(0, start)?;
        // Jumps go forward, so that all ways to an instruction are known when it is looked at, ...
        let mut steps = Vec::new();
        for index in 0..filter.instructions().len() {
            for (state, place) in std::mem::take(&mut pending.states[index]) {
                steps.push((place, pending.step(filter, index, state)?));
            }
        }
        // ... and all that follows from it when it is looked at backwards.
        let mut diagrams = vec![Diagram::NONE; steps.len()];
        for (place, step) in steps.into_iter().rev() {
            diagrams[place] = match step {
                Step::Return(value) => self.leaf(Leaf::Verdict(Verdict::of(value))),
                Step::Next(next) => diagrams[next],
                Step::Test {
                    word,
                    test,
                    constant,
                    if_true,
                    if_false,
                } => {
                    let set = self.test(word.bits(), test, constant)?;
                    self.choose(set, diagrams[if_true], diagrams[if_false])?
                }
            };
        }
        Ok(diagrams.first().copied().unwrap_or(Diagram::NONE))
    }
}

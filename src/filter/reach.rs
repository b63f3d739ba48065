//! What a program may return to calls of which only so much is known, told in one pass.

use super::instruction::{Field, Instruction, Operand, Operator, Register, Source, Test};
use super::{Filter, Verdict};

impl Filter {
    /// Whether the program may decide what `counts` for calls of which `known` tells whether a test
    /// of a word with a constant holds, or `None` where that is not known. That it may does not mean
    /// that there is such a call: what is known of a word is not made more of on the way, and with
    /// instructions that libseccomp does not use a program may decide anything.
    ///
    /// Time and memory are linear in the number of instructions.
    #[must_use]
    pub fn may_decide(
        &self,
        known: impl Fn(Field, Test, u32) -> Option<bool>,
        counts: impl Fn(Verdict) -> bool,
    ) -> bool {
        /// The word in the accumulator, if it is there as it is.
        type Accumulator = Option<Field>;
        // Jumps go forwards only.
        let mut reached: Vec<Option<Accumulator>> = vec![None; self.instructions().len()];
        let reach = |reached: &mut [Option<Accumulator>], place: usize, word: Accumulator| {
            if let Some(at) = reached.get_mut(place) {
                let is_same = at.is_none_or(|other| other == word);
                *at = Some(word.filter(|_| is_same));
            }
        };
        reach(&mut reached, 0, None);
        let mut is_found = false;
        for (place, instruction) in self.instructions().iter().enumerate() {
            let Some(&Some(word)) = reached.get(place) else {
                continue;
            };
            match *instruction {
                Instruction::Load {
                    into: Register::A,
                    from: Source::Field(field),
                } => reach(&mut reached, place + 1, Some(field)),
                Instruction::Calculate(Operator::And, Operand::Constant(_)) => {
                    reach(&mut reached, place + 1, None);
                }
                Instruction::Jump(target) => reach(&mut reached, target.into(), word),
                Instruction::Branch {
                    test,
                    operand: Operand::Constant(constant),
                    if_true,
                    if_false,
                } => {
                    let holds = word.and_then(|word| known(word, test, constant));
                    if holds != Some(false) {
                        reach(&mut reached, if_true.into(), word);
                    }
                    if holds != Some(true) {
                        reach(&mut reached, if_false.into(), word);
                    }
                }
                Instruction::Return(value) => is_found |= counts(Verdict::of(value)),
                _ => return true,
            }
        }
        is_found
    }
}

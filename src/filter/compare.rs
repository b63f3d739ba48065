//! Whether two filters decide alike, for all calls.

use super::decision::{Diagram, Diagrams};
use super::instruction::Instruction;
use super::{Call, Filter, Undecided, Verdict};
use crate::syscalls::{self, Arch};

/// In what two filters differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They decide alike for every call.
    Equal,
    /// They do not.
    Differs(Witness),
    /// It is not known.
    Undecided {
        /// Why.
        reason: Undecided,
        /// A call, of those that were tried, for which they differ. If there is none, they may still
        /// differ for others.
        sampled: Option<Witness>,
    },
}

/// A call for which two filters differ, and what both do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The call.
    pub call: Call,
    /// What the first filter decides.
    pub left: Verdict,
    /// What the second one decides.
    pub right: Verdict,
}

/// Compares two filters for all calls. The witness is a syscall of the first of `arches` that has
/// one, if any has; otherwise it is one of theirs by its architecture alone, or any call.
#[must_use]
pub fn compare(left: &Filter, right: &Filter, arches: &[Arch]) -> Comparison {
    if left.instructions() == right.instructions() {
        return Comparison::Equal;
    }
    match decided(left, right, arches) {
        Ok(None) => Comparison::Equal,
        Ok(Some(call)) => Comparison::Differs(Witness::of(left, right, call)),
        Err(reason) => Comparison::Undecided {
            reason,
            sampled: sampled(left, right),
        },
    }
}

fn decided(left: &Filter, right: &Filter, arches: &[Arch]) -> Result<Option<Call>, Undecided> {
    let mut diagrams = Diagrams::default();
    let left = diagrams.of_filter(left)?;
    let right = diagrams.of_filter(right)?;
    if left == right {
        return Ok(None);
    }
    let differing = diagrams.differing(left, right, |_, _| true)?;
    Ok(diagrams.readable(differing, arches))
}

impl Witness {
    fn of(left: &Filter, right: &Filter, call: Call) -> Self {
        Self {
            call,
            left: left.evaluate(&call),
            right: right.evaluate(&call),
        }
    }
}

impl Diagrams {
    /// A call of a set that people can read: a syscall of the first of `arches` that has one there,
    /// with the lowest number and arguments; otherwise the lowest number of one of the
    /// architectures, known or not; otherwise the first call there is.
    #[must_use]
    pub fn readable(&self, set: Diagram, arches: &[Arch]) -> Option<Call> {
        let named = arches.iter().find_map(|&arch| {
            let of_arch = self.architecture(set, arch.audit_arch());
            let calls = syscalls::all().iter();
            let numbers = calls.filter_map(|call| call.direct_number(arch));
            let number = numbers
                .filter(|&number| self.number(of_arch, number) != Diagram::NONE)
                .min()?;
            let call = self.first(self.number(of_arch, number))?;
            Some(Call {
                architecture: arch.audit_arch(),
                number,
                ..call
            })
        });
        let numbered = || {
            arches.iter().find_map(|&arch| {
                let architecture = arch.audit_arch();
                let call = self.first(self.architecture(set, architecture))?;
                Some(Call {
                    architecture,
                    ..call
                })
            })
        };
        named.or_else(numbered).or_else(|| self.first(set))
    }
}

/// A call for which two filters differ, of some that are made of the constants in both.
fn sampled(left: &Filter, right: &Filter) -> Option<Witness> {
    /// Enough to meet each two constants of a filter of libseccomp's in an argument and the number.
    const SAMPLES: usize = 20_000;
    let mut words = vec![0, u32::MAX];
    words.extend(Arch::ALL.map(Arch::audit_arch));
    for filter in [left, right] {
        for (raw, instruction) in filter.raw().iter().zip(filter.instructions()) {
            if matches!(
                instruction,
                Instruction::Branch { .. } | Instruction::Calculate(..) | Instruction::Load { .. }
            ) {
                let constant = raw.constant;
                words.extend([constant, constant.wrapping_sub(1), constant.wrapping_add(1)]);
            }
        }
    }
    words.sort_unstable();
    words.dedup();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut word = |is_likely_zero: bool| {
        // Xorshift, the same one each time.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if is_likely_zero && random & 1 == 0 {
            return 0;
        }
        let index = (random >> u32::BITS) as usize % words.len();
        words.get(index).copied().unwrap_or_default()
    };
    (0..SAMPLES).find_map(|_| {
        let architecture = word(false);
        let number = word(false);
        let mut wide = || u64::from(word(true)) << u32::BITS | u64::from(word(true));
        let call = Call {
            number,
            architecture,
            arguments: std::array::from_fn(|_| wide()),
            instruction_pointer: wide(),
        };
        let witness = Witness::of(left, right, call);
        (witness.left != witness.right).then_some(witness)
    })
}

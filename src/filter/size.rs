//! How large the filter of a plan is, found out in a short time.

use std::collections::{HashMap, HashSet};

use super::compile::{CompileError, linked, program};
use super::stub::stub;
use super::{INSTRUCTION_BYTES, MAX_INSTRUCTIONS};
use crate::profile::Operator;
use crate::runtime::{Plan, Rule};
use crate::syscalls::Arch;

/// The most rules with several conditions on one call that are worth a try: with twice as many
/// libseccomp takes seconds, and eight times that with each further doubling.
const MOST_RULES: usize = 64;

/// The most instructions that a condition takes, and the jump over what is too far for one.
const PER_CONDITION: usize = 7;

/// How large a filter is.
#[derive(Debug)]
pub enum Size {
    /// Small enough for the kernel.
    Fits,
    /// Larger than the kernel takes: more than [`MAX_INSTRUCTIONS`].
    TooLarge,
    /// The same, but only with what runc puts before it.
    TooLargeWithStub,
    /// That is not known, since libseccomp takes seconds, or for ever; or since it already does with
    /// so many other plans of this process that it is asked no more ([`CompileError::GivenUp`]).
    TakesLong,
    /// That is not known, since there is no filter.
    Unknown(CompileError),
}

/// How large a plan's filter is. Few plans come near to what the kernel takes; of those the linked
/// libseccomp makes the filter, whatever release the plan is for.
#[must_use]
pub fn size(plan: &Plan) -> Size {
    // Jumps further than 255 instructions take one more.
    if at_most(plan) < MAX_INSTRUCTIONS / 4 * 3 {
        return Size::Fits;
    }
    // Of each call the values that its one condition is for, and the rules with several conditions.
    let mut calls: HashMap<usize, (HashSet<u64>, usize)> = HashMap::new();
    // Those with rules of other kinds, among which a value may take no instruction.
    let mut mixed = HashSet::new();
    for rule in plan.rules.iter().filter(|rule| has_number(plan, rule)) {
        let index = rule.syscall.index();
        let (values, several) = calls.entry(index).or_default();
        match *rule.comparisons {
            [one] if one.operator == Operator::Equal => {
                values.insert(one.value & u64::from(u32::MAX));
                continue;
            }
            [] | [_] => {}
            _ => *several += 1,
        }
        mixed.insert(index);
    }
    let mut calls = calls.iter();
    // Each value takes an instruction at least.
    let is_large = |(index, (values, _)): (&usize, &(HashSet<u64>, usize))| {
        values.len() > MAX_INSTRUCTIONS && !mixed.contains(index)
    };
    if calls.clone().any(is_large) {
        return Size::TooLarge;
    }
    if linked().is_none() {
        return Size::Unknown(CompileError::NoLibrary);
    }
    if calls.any(|(_, (_, several))| *several > MOST_RULES) {
        return Size::TakesLong;
    }
    let before = plan.stub.as_ref().map_or(0, |it| stub(plan, it).len());
    match program(plan).map(|bytes| bytes.len() / INSTRUCTION_BYTES) {
        Ok(own) if own > MAX_INSTRUCTIONS => Size::TooLarge,
        Ok(own) if before + own > MAX_INSTRUCTIONS => Size::TooLargeWithStub,
        Ok(_) => Size::Fits,
        Err(
            CompileError::Endless { .. } | CompileError::EndlessProgram | CompileError::GivenUp,
        ) => Size::TakesLong,
        Err(why) => Size::Unknown(why),
    }
}

/// Whether a rule's call is in a plan's filter by a number of its own. One that no architecture has
/// is left out, and one that another call carries loses a condition.
fn has_number(plan: &Plan, rule: &Rule) -> bool {
    arches(plan).any(|arch| rule.syscall.direct_number(arch).is_some())
}

fn arches(plan: &Plan) -> impl Iterator<Item = Arch> {
    std::iter::once(plan.native).chain(plan.architectures.iter().copied())
}

/// The most instructions that a plan's rules take.
fn at_most(plan: &Plan) -> usize {
    let of_rule = |rule: &Rule| 1 + PER_CONDITION * rule.comparisons.len();
    let of_arch = |arch: Arch| {
        let of_arch = plan.rules.iter().map(|rule| {
            let direct = rule.syscall.direct_number(arch).map(|_| of_rule(rule));
            let carried = rule.syscall.subcall(arch);
            let carried = carried.map(|_| PER_CONDITION + of_rule(rule));
            direct.unwrap_or(0) + carried.unwrap_or(0)
        });
        of_arch.sum::<usize>()
    };
    arches(plan).map(of_arch).sum()
}

/// Whether the kernel takes the filter of a plan for its size.
///
/// # Errors
/// Why that is not known.
pub fn fits(plan: &Plan) -> Result<bool, String> {
    match size(plan) {
        Size::Fits => Ok(true),
        Size::TooLarge | Size::TooLargeWithStub => Ok(false),
        Size::TakesLong => Err("libseccomp takes long to make it, seconds or for ever".to_owned()),
        Size::Unknown(why) => Err(why.to_string()),
    }
}

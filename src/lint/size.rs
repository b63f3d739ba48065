//! How large the filter of a plan is, found out in a short time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::filter::{CompileError, MAX_INSTRUCTIONS, compile_within, linked};
use crate::profile::Operator;
use crate::runtime::Plan;

/// How long libseccomp may take. What it makes at all it makes in less than a second, but a busy
/// machine must not change what is found.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most rules with several conditions on one call that are worth a try: with twice as many
/// libseccomp takes seconds, and eight times that with each further doubling.
const MOST_RULES: usize = 64;

/// How large a filter is.
pub(super) enum Size {
    /// Larger than the kernel takes.
    TooLarge,
    /// That is not known, since libseccomp takes long, or for ever.
    TakesLong,
    /// Small enough.
    Fits,
    /// There is no libseccomp to ask.
    Estimated,
}

/// How large a plan's filter is, as far as libseccomp says so before long.
pub(super) fn size(plan: &Plan) -> Size {
    // Of each call the values that its one condition is for, and the rules with several conditions.
    let mut calls: HashMap<usize, (HashSet<u64>, usize)> = HashMap::new();
    for rule in &plan.rules {
        let (values, several) = calls.entry(rule.syscall.index()).or_default();
        match *rule.comparisons {
            [one] if one.operator == Operator::Equal => {
                values.insert(one.value & u64::from(u32::MAX));
            }
            [] | [_] => {}
            _ => *several += 1,
        }
    }
    let is_alone = |index| {
        let mut rules = plan
            .rules
            .iter()
            .filter(|rule| rule.syscall.index() == index);
        rules.all(|rule| matches!(*rule.comparisons, [one] if one.operator == Operator::Equal))
    };
    // Each value takes an instruction at least.
    let mut large = calls
        .iter()
        .filter(|(_, (values, _))| values.len() > MAX_INSTRUCTIONS);
    if linked().is_some() && large.any(|(&index, _)| is_alone(index)) {
        return Size::TooLarge;
    }
    if linked().is_some() && calls.values().any(|&(_, several)| several > MOST_RULES) {
        return Size::TakesLong;
    }
    match compile_within(plan, PATIENCE) {
        Err(CompileError::Refused(_)) => Size::TooLarge,
        Err(CompileError::NoLibrary) => Size::Estimated,
        Err(CompileError::Endless { .. } | CompileError::EndlessProgram) => Size::TakesLong,
        _ => Size::Fits,
    }
}

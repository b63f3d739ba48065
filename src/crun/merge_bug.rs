//! The bug of libseccomp by which filters do not mean what their rules say: an entry that has it was
//! not tampered with.
//!
//! Source: GHSA-4q85-33p6-j5g6, fixed in 2.6.1 (`_db_tree_add`), and what 2.5.4, 2.6.0 and 2.6.1 make
//! of such rules: where two compare one argument by "less than" or "less or equal" with numbers whose
//! upper halves are the same and not 0, and do different things, the smaller number decides where both
//! hold. Before 2.6.1 it may be the larger.

use std::collections::BTreeMap;

use super::content::Witness;
use crate::filter::{Call, Filter};
use crate::policy::verdict;
use crate::profile::Operator;
use crate::runtime::{Plan, Rule};
use crate::syscalls::{Arch, Release};

/// The first release without it.
pub(super) const FIXED: Release = Release::new(2, 6, 1);

/// Its name.
pub(super) const NAME: &str = "GHSA-4q85-33p6-j5g6";

/// What is said where nobody could find out whether a filter has it.
pub(super) fn not_known(reason: &str) -> String {
    format!("whether libseccomp's bug {NAME} is in it is not known: {reason}")
}

/// A call that a filter, made of a plan, decides wrongly by the bug. Calls about which there are
/// rules of other kinds as well are not looked at.
pub(super) fn witness(filter: &Filter, plan: &Plan) -> Option<Witness> {
    if plan.native.bits() != 64 {
        return None;
    }
    let mut by_syscall: BTreeMap<usize, Vec<&Rule>> = BTreeMap::new();
    for rule in &plan.rules {
        by_syscall
            .entry(rule.syscall.index())
            .or_default()
            .push(rule);
    }
    let mut calls = by_syscall.values();
    calls.find_map(|rules| wrong(filter, rules, plan.native))
}

/// The same, by the rules on one syscall.
fn wrong(filter: &Filter, rules: &[&Rule], native: Arch) -> Option<Witness> {
    let bounds: Option<Vec<_>> = rules.iter().map(|rule| Bound::of(rule)).collect();
    let bounds = bounds?;
    let place = |bound: &Bound| (bound.argument, bound.end >> u32::BITS);
    if !bounds
        .windows(2)
        .all(|two| place(&two[0]) == place(&two[1]))
    {
        return None;
    }
    let least = (bounds.iter().zip(rules)).min_by_key(|(bound, _)| bound.end)?;
    let call = Call {
        number: least.1.syscall.direct_number(native)?,
        architecture: native.audit_arch(),
        ..Call::default()
    };
    let (entry, asked) = (filter.evaluate(&call), verdict(least.1.effect));
    // Only one of the others may have taken its place.
    let is_bug = entry != asked && rules.iter().any(|rule| verdict(rule.effect) == entry);
    is_bug.then_some(Witness {
        call,
        entry,
        configuration: Some(asked),
    })
}

/// What a rule asks of an argument: to be less than some number.
struct Bound {
    argument: u32,
    /// The first number for which the rule does not hold.
    end: u64,
}

impl Bound {
    fn of(rule: &Rule) -> Option<Self> {
        let [comparison] = *rule.comparisons else {
            return None;
        };
        let end = match comparison.operator {
            Operator::Less => comparison.value,
            Operator::LessOrEqual => comparison.value.saturating_add(1),
            _ => return None,
        };
        (comparison.value >> u32::BITS != 0).then_some(Self {
            argument: comparison.index,
            end,
        })
    }
}

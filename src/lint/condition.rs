//! Conditions, and the syscalls whose arguments they are about.

use crate::finding::Finding;
use crate::profile::{Comparison, Condition, Operator, RuleEntry};
use crate::syscalls::{self, ParameterKind, Syscall};

/// A condition in a rule entry.
#[derive(Clone, Copy, Debug)]
pub struct ConditionUse<'c> {
    /// The condition as written.
    pub condition: &'c Condition<'c>,
    /// What it compares.
    pub comparison: Comparison,
    /// The rule entry that it stands in.
    pub entry: &'c RuleEntry<'c>,
}

impl<'c> ConditionUse<'c> {
    /// Those of a rule entry that can be understood.
    pub(super) fn all(entry: &'c RuleEntry<'c>) -> impl Iterator<Item = Self> {
        entry.args.iter().filter_map(move |condition| {
            let comparison = condition.comparison?;
            Some(Self {
                condition,
                comparison,
                entry,
            })
        })
    }

    /// The syscalls of the rule entry of which something holds.
    #[must_use]
    pub fn syscalls(&self, holds: impl Fn(&Syscall) -> bool) -> Vec<&'c str> {
        // Each condition looks at all names: both lists may be as long as a file.
        const MOST: usize = 100;
        let names = self.entry.names.iter().map(|name| name.value).take(MOST);
        let mut found = Vec::new();
        for name in names {
            if syscalls::lookup(name).is_some_and(&holds) && !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    /// The syscalls of the rule entry to which the argument is something that `is` holds of,
    /// wherever they are.
    #[must_use]
    pub fn syscalls_with(&self, is: impl Fn(ParameterKind) -> bool) -> Vec<&'c str> {
        let index = u64::from(self.comparison.index);
        self.syscalls(|syscall| {
            let parameter = syscall.parameter(index);
            parameter.is_some_and(|parameter| is(parameter.kind))
        })
    }
}

/// Adds the syscalls that a finding is about, as facts.
pub(super) fn about(finding: Finding, names: &[&str]) -> Finding {
    match names {
        [name] => finding.fact("syscall", *name),
        names => finding.fact("syscalls", names.to_vec()),
    }
}

/// All of the names, in backticks.
#[must_use]
pub(super) fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Names as a sentence has them; of many, the first few.
#[must_use]
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [first @ .., last] if (1..4).contains(&first.len()) => {
            format!("{} and `{last}`", quoted(first))
        }
        [a, b, c, rest @ ..] if !rest.is_empty() => {
            format!("{} and {} others", quoted(&[a, b, c]), rest.len())
        }
        names => quoted(names),
    }
}

/// Values between which the answers of comparisons do not change, masks aside.
pub(super) fn borders(comparisons: &[Comparison]) -> impl Iterator<Item = u64> {
    let around = |value: u64| [value.saturating_sub(1), value, value.saturating_add(1)];
    let all = comparisons.iter().flat_map(move |it| around(it.value));
    [0, u64::MAX].into_iter().chain(all)
}

/// Whether every value of an argument meets one of the comparisons, all of which are of that
/// argument. Of masked ones only those with the same mask count together.
pub(super) fn leave_none_out(comparisons: &[Comparison]) -> bool {
    let is_masked = |one: &Comparison| one.operator == Operator::MaskedEqual;
    let meets = |one: &Comparison, value| !is_masked(one) && one.holds(value);
    if borders(comparisons).all(|value| comparisons.iter().any(|one| meets(one, value))) {
        return true;
    }
    let masked = comparisons.iter().filter(|it| is_masked(it));
    let mut masks: Vec<_> = masked.map(|it| it.value).collect();
    masks.sort_unstable();
    masks.dedup();
    masks.iter().any(|&mask| ask_for_all_of(mask, comparisons))
}

/// Whether masked comparisons ask for each value that a mask leaves.
fn ask_for_all_of(mask: u64, comparisons: &[Comparison]) -> bool {
    let masked = comparisons
        .iter()
        .filter(|it| it.operator == Operator::MaskedEqual && it.value == mask);
    let mut values: Vec<_> = masked.map(|it| it.value_two & mask).collect();
    values.sort_unstable();
    values.dedup();
    1_usize.checked_shl(mask.count_ones()) == Some(values.len())
}

/// Whether two comparisons ask of some bit that it is set, and that it is not.
pub(super) fn exclude_each_other(one: &Comparison, other: &Comparison) -> bool {
    let bits = |it: &Comparison| match it.operator {
        Operator::Equal => (u64::MAX, it.value),
        Operator::MaskedEqual => (it.value, it.value_two),
        _ => (0, 0),
    };
    let ((one, set), (other, other_set)) = (bits(one), bits(other));
    one & other & (set ^ other_set) != 0
}

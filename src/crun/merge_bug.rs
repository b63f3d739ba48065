//! The one bug of libseccomp by which filters do not mean what their rules say: an entry that has it
//! was not tampered with.
//!
//! Source: GHSA-4q85-33p6-j5g6, fixed in 2.6.1 (`_db_tree_add`), and what 2.5.4 and 2.6.0 made of
//! such rules: of two that compare one argument of one call by "less than" or "less or equal" with
//! numbers whose upper halves are the same and not 0, and that do different things, one is lost for
//! some of the arguments.

use std::collections::HashMap;

use crate::filter::{Diagram, Diagrams, Field, Test, TooLarge};
use crate::profile::{Effect, Operator};
use crate::runtime::Plan;
use crate::syscalls::{Arch, Release, Syscall};

/// The first release without it.
pub(super) const FIXED: Release = Release::new(2, 6, 1);

/// Its name.
pub(super) const NAME: &str = "GHSA-4q85-33p6-j5g6";

/// The syscalls whose rules may have met it.
pub(super) fn syscalls(plan: &Plan) -> Vec<&'static Syscall> {
    let mut seen: HashMap<(usize, u32, u64), Effect> = HashMap::new();
    let mut found: Vec<&'static Syscall> = Vec::new();
    for rule in &plan.rules {
        for comparison in &*rule.comparisons {
            let upper = comparison.value >> u32::BITS;
            let is_less = matches!(comparison.operator, Operator::Less | Operator::LessOrEqual);
            if !is_less || upper == 0 {
                continue;
            }
            let place = (rule.syscall.index(), comparison.index, upper);
            if *seen.entry(place).or_insert(rule.effect) != rule.effect
                && found.last() != Some(&rule.syscall)
            {
                found.push(rule.syscall);
            }
        }
    }
    found
}

/// The calls that a release may have decided otherwise than the plan's rules say.
///
/// # Errors
/// If there are too many nodes.
pub(super) fn calls(
    plan: &Plan,
    release: Release,
    diagrams: &mut Diagrams,
) -> Result<Diagram, TooLarge> {
    let mut found = Diagram::NONE;
    if release >= FIXED {
        return Ok(found);
    }
    for syscall in syscalls(plan) {
        let arches = std::iter::once(&plan.native).chain(&plan.architectures);
        for &arch in arches.filter(|arch| arch.bits() == 64) {
            if let Some(number) = syscall.direct_number(arch) {
                let call = call(arch, number, diagrams)?;
                found = diagrams.either(found, call)?;
            }
        }
    }
    Ok(found)
}

fn call(arch: Arch, number: u32, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
    let value = arch.audit_arch();
    let arch = diagrams.calls(Field::Architecture, u32::MAX, Test::Equal, value)?;
    let number = diagrams.calls(Field::Number, u32::MAX, Test::Equal, number)?;
    diagrams.both(arch, number)
}

//! What no filter should do, whatever it was made from.

use crate::filter::{Call, Diagram, Diagrams, Field, Filter, Leaf, Test, TooLarge, Undecided};
use crate::profile::Action;
use crate::runtime::Plan;
use crate::syscalls::Arch;

/// In what a filter is weak: the first that holds.
#[derive(Clone, Debug)]
pub(super) enum Weakness {
    /// libseccomp does not make such programs.
    Foreign(Undecided),
    /// All calls run.
    PermitsAll,
    /// This call runs, of an architecture that the filter is not for.
    Architecture(Call),
    /// This call of x32 runs, which is none of x86-64's.
    X32(Call),
    /// This call does not run, and the program is told that it succeeded.
    Success(Call),
}

impl Weakness {
    /// What is weak in a filter that was made from a plan, or from nobody knows what, if anything.
    pub(super) fn of(filter: &Filter, plan: Option<&Plan>) -> Option<Self> {
        match weakness(filter, plan) {
            Ok(found) => found,
            // Nothing is known of it.
            Err(Undecided::Size(_)) => None,
            Err(reason) => Some(Self::Foreign(reason)),
        }
    }
}

fn weakness(filter: &Filter, plan: Option<&Plan>) -> Result<Option<Weakness>, Undecided> {
    let mut diagrams = Diagrams::default();
    let filter = diagrams.of_filter(filter)?;
    let permitted = calls(filter, &mut diagrams, |action, _| action.permits())?;
    if permitted == Diagram::ALL {
        return Ok(Some(Weakness::PermitsAll));
    }
    // Of a filter that nobody knows, all architectures that there are may be meant.
    let meant = match plan {
        Some(plan) => super::content::arches(plan),
        None => Arch::ALL.to_vec(),
    };
    let mut others = Diagram::ALL;
    for arch in &meant {
        let of_arch = word(Field::Architecture, arch.audit_arch(), &mut diagrams)?;
        others = diagrams.choose(of_arch, Diagram::NONE, others)?;
    }
    let hit = diagrams.both(others, permitted)?;
    if let Some(call) = diagrams.readable(hit, &Arch::ALL) {
        return Ok(Some(Weakness::Architecture(call)));
    }
    if !meant.contains(&Arch::X32) {
        let bit = diagrams.calls(Field::Number, u32::MAX, Test::GreaterOrEqual, Arch::X32_BIT)?;
        // Stands for a call that a tracer took away, and libseccomp lets it pass.
        let none = word(Field::Number, u32::MAX, &mut diagrams)?;
        let numbers = diagrams.choose(none, Diagram::NONE, bit)?;
        let of_arch = word(Field::Architecture, Arch::X32.audit_arch(), &mut diagrams)?;
        let x32 = diagrams.both(of_arch, numbers)?;
        let hit = diagrams.both(x32, permitted)?;
        if let Some(call) = diagrams.readable(hit, &[Arch::X32]) {
            return Ok(Some(Weakness::X32(call)));
        }
    }
    let is_asked = plan.is_some_and(|plan| {
        let mut effects = plan.rules.iter().map(|rule| rule.effect);
        let is_success = |action, errno| action == Action::Errno && errno == 0;
        is_success(plan.default.action, plan.default.errno)
            || effects.any(|effect| is_success(effect.action, effect.errno))
    });
    if is_asked {
        return Ok(None);
    }
    let success = calls(filter, &mut diagrams, |action, data| {
        action == Action::Errno && data == 0
    })?;
    let call = diagrams.readable(success, &meant);
    Ok(call.map(Weakness::Success))
}

fn word(field: Field, value: u32, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
    diagrams.calls(field, u32::MAX, Test::Equal, value)
}

/// The calls for which a filter decides what counts.
fn calls(
    filter: Diagram,
    diagrams: &mut Diagrams,
    counts: impl Fn(Action, u16) -> bool,
) -> Result<Diagram, TooLarge> {
    diagrams.combine(filter, Diagram::NONE, |leaf, _| match leaf {
        Leaf::Verdict(verdict) if counts(verdict.action, verdict.data) => Leaf::Inside,
        _ => Leaf::Outside,
    })
}

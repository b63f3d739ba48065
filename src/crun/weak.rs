//! What no filter should do, whatever it was made from.

use crate::filter::{
    Call, Diagram, Diagrams, Field, Filter, Instruction, Leaf, Test, TooLarge, Undecided, Verdict,
};
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
    /// Whether nothing is weak in a filter that was made from nobody knows what: a quick look, which
    /// may fail to tell.
    pub(super) fn is_clearly_none(filter: &Filter) -> bool {
        is_clearly_sound(filter, &Arch::ALL, false)
    }

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
    // Of a filter that nobody knows, all architectures that there are may be meant.
    let meant = match plan {
        Some(plan) => super::content::arches(plan),
        None => Arch::ALL.to_vec(),
    };
    let is_asked = plan.is_some_and(asks_for_success);
    if is_clearly_sound(filter, &meant, is_asked) {
        return Ok(None);
    }
    let mut diagrams = Diagrams::default();
    let filter = diagrams.of_filter(filter)?;
    let permitted = calls(filter, &mut diagrams, |action, _| action.permits())?;
    if permitted == Diagram::ALL {
        return Ok(Some(Weakness::PermitsAll));
    }
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
    if is_asked {
        return Ok(None);
    }
    let success = calls(filter, &mut diagrams, |action, data| {
        action == Action::Errno && data == 0
    })?;
    let call = diagrams.readable(success, &meant);
    Ok(call.map(Weakness::Success))
}

/// Whether a configuration itself wants calls to seem to succeed.
fn asks_for_success(plan: &Plan) -> bool {
    let mut effects = plan.rules.iter().map(|rule| rule.effect);
    let is_success = |action, errno| action == Action::Errno && errno == 0;
    is_success(plan.default.action, plan.default.errno)
        || effects.any(|effect| is_success(effect.action, effect.errno))
}

/// Whether a look at the program tells that there is nothing weak in it: true of nearly all that a
/// host has, at a thousandth of what deciding it for all calls costs.
fn is_clearly_sound(filter: &Filter, meant: &[Arch], is_asked: bool) -> bool {
    let is_success = |it: Verdict| it.action == Action::Errno && it.data == 0;
    let permits = |it: Verdict| it.action.permits();
    // libseccomp makes no instructions that no call comes to.
    let is_usual = |instruction: &Instruction| match *instruction {
        Instruction::Return(value) => is_asked || !is_success(Verdict::of(value)),
        other => other.is_of_libseccomp(),
    };
    if !filter.instructions().iter().all(is_usual) {
        return false;
    }
    let of_others = |field, test, constant| {
        let is_meant = || meant.iter().any(|arch| arch.audit_arch() == constant);
        (field == Field::Architecture && test == Test::Equal && is_meant()).then_some(false)
    };
    let of_x32 = |field, test, constant| match (field, test) {
        (Field::Architecture, Test::Equal) => Some(constant == Arch::X32.audit_arch()),
        // Of the numbers from there on, up to the last but one.
        (Field::Number, Test::Equal) if constant < Arch::X32_BIT || constant == u32::MAX => {
            Some(false)
        }
        (Field::Number, Test::Greater) if constant < Arch::X32_BIT => Some(true),
        (Field::Number, Test::GreaterOrEqual) if constant <= Arch::X32_BIT => Some(true),
        _ => None,
    };
    !filter.may_decide(of_others, permits)
        && (meant.contains(&Arch::X32) || !filter.may_decide(of_x32, permits))
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

#[cfg(test)]
mod tests {
    use super::{Weakness, is_clearly_sound};
    use crate::filter::{ByteOrder, Filter, Raw};
    use crate::syscalls::Arch;

    const ALLOW: u32 = 0x7fff_0000;
    const KILL: u32 = 0;
    const ERRNO: u32 = 0x5_0000;

    /// A program as libseccomp makes them for x86-64: `arch` is asked for, then numbers of x32, then
    /// one call; and what is returned to calls of other architectures, of x32, to the call, and to
    /// all else.
    fn filter(arch: u32, [others, x32, call, default]: [u32; 4]) -> Filter {
        let program = [
            (0x20, 0, 0, 4),
            (0x15, 1, 0, arch),
            (0x06, 0, 0, others),
            (0x20, 0, 0, 0),
            (0x35, 0, 2, Arch::X32_BIT),
            (0x15, 1, 0, u32::MAX),
            (0x06, 0, 0, x32),
            (0x15, 0, 1, 83),
            (0x06, 0, 0, call),
            (0x06, 0, 0, default),
        ];
        let instruction = |(code, jump_true, jump_false, constant)| Raw {
            code,
            jump_true,
            jump_false,
            constant,
        };
        let bytes = program.map(|it| instruction(it).bytes(ByteOrder::Little));
        Filter::read(bytes.as_flattened(), ByteOrder::Little).expect("a program")
    }

    /// A planted filter passes the audit for a sound one, or sound ones are decided for all calls
    /// and the audit of a host takes minutes.
    #[test]
    fn what_is_clearly_sound_has_no_weakness() {
        let x86_64 = Arch::X86_64.audit_arch();
        let sound = filter(x86_64, [KILL, KILL, ERRNO | 1, ALLOW]);
        let weak = [
            (x86_64, [ALLOW, KILL, KILL, ALLOW]),
            (x86_64, [KILL, KILL, ERRNO, ALLOW]),
            (x86_64, [ALLOW, ALLOW, ALLOW, ALLOW]),
            (Arch::Aarch64.audit_arch(), [ALLOW, KILL, KILL, KILL]),
        ];
        let meant = [Arch::X86_64];
        assert!(is_clearly_sound(&sound, &meant, false));
        assert!(Weakness::of(&sound, None).is_none());
        // Where x32 is meant as well, as it may be where nobody knows, that is nothing weak.
        let of_x32 = filter(x86_64, [KILL, ALLOW, KILL, ALLOW]);
        assert!(!is_clearly_sound(&of_x32, &meant, false));
        assert!(is_clearly_sound(&of_x32, &[Arch::X86_64, Arch::X32], false));
        for (arch, returns) in weak {
            let filter = filter(arch, returns);
            assert!(!is_clearly_sound(&filter, &meant, false), "{returns:x?}");
            assert!(Weakness::of(&filter, None).is_some(), "{returns:x?}");
        }
    }
}

//! Arguments of which the kernel looks at fewer bits than a filter.
//!
//! A register has 64 bits. Of an `int` the kernel takes the lower 32, of a mode 16, after the filter
//! has compared all of them: `seccomp(2)`.

use crate::finding::{Finding, Rule};
use crate::policy::{CallPolicy, Decided};
use crate::profile::{Comparison, Condition, Effect, Operator};
use crate::syscalls::{Arch, ParameterKind, named};

use super::Context;
use super::rivals::{Contested, Rival};

/// A call that the filter takes for another one than the kernel does.
pub(super) struct Found<'c> {
    /// The condition that does.
    pub condition: &'c Condition<'c>,
    /// The argument.
    pub index: u32,
    /// How many of its bits the kernel looks at.
    pub bits: u8,
    /// What it holds.
    pub written: u64,
    /// What the kernel takes it for.
    pub taken: u64,
    /// All arguments of the call.
    pub arguments: [u64; 6],
}

/// Where the filter does something else with what is `written` than with what the kernel takes it
/// for, in a way that `counts`; each condition once. The first effect is that of what the kernel
/// takes it for.
pub(super) fn all<'a, 'c>(
    context: &'a Context<'c>,
    counts: impl Fn(Effect, Effect) -> bool,
) -> Vec<(&'a Contested<'c>, Found<'c>)> {
    // Elsewhere registers have no upper bits.
    const WIDE: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64];
    let mut all: Vec<(&Contested<'_>, Found<'_>)> = Vec::new();
    for contested in context.contested() {
        let on = |arch: &Arch| contested.syscall.direct_number(*arch).is_some();
        if !WIDE.iter().any(on) {
            continue;
        }
        for rival in &contested.rivals {
            let Some(found) = of_rival(contested, rival, &counts) else {
                continue;
            };
            // The names of a rule entry share its conditions.
            let mut known = all.iter().map(|(_, other)| other.condition);
            if !known.any(|condition| std::ptr::eq(condition, found.condition)) {
                all.push((contested, found));
            }
        }
    }
    all
}

fn of_rival<'c>(
    contested: &Contested<'c>,
    rival: &Rival<'c>,
    counts: &impl Fn(Effect, Effect) -> bool,
) -> Option<Found<'c>> {
    let mut policy: Option<CallPolicy<'_>> = None;
    for condition in &rival.entry.args {
        let comparison = condition.comparison?;
        let index = comparison.index;
        let bits = match contested
            .syscall
            .parameter(u64::from(index))
            .map(|it| it.kind)
        {
            Some(ParameterKind::Integer { bits }) if bits < 64 => bits,
            _ => continue,
        };
        if !may_count(contested, rival, comparison, bits, counts) {
            continue;
        }
        let policy = policy.get_or_insert_with(|| contested.policy(rival));
        let found = differing(policy, rival, (index, bits), counts);
        if let Some((arguments, taken)) = found {
            let written = *arguments.get(index as usize)?;
            return Some(Found {
                condition,
                index,
                bits,
                written,
                taken,
                arguments,
            });
        }
    }
    None
}

/// Whether it is worth to look: whether the condition's rule entry and what holds without it differ
/// in a way that counts, with the upper bits on the side where they would have to be.
fn may_count(
    contested: &Contested<'_>,
    rival: &Rival<'_>,
    comparison: Comparison,
    bits: u8,
    counts: &impl Fn(Effect, Effect) -> bool,
) -> bool {
    let upper = u64::MAX << bits;
    let holds_above = match comparison.operator {
        Operator::NotEqual | Operator::GreaterOrEqual | Operator::Greater => true,
        Operator::Equal | Operator::Less | Operator::LessOrEqual => false,
        Operator::MaskedEqual if comparison.value & upper == 0 => return false,
        Operator::MaskedEqual => comparison.value & comparison.value_two & upper != 0,
    };
    let others = contested.rivals.iter().map(|it| it.effect);
    let mut others = others.chain([contested.default]);
    others.any(|other| {
        if holds_above {
            counts(other, rival.effect)
        } else {
            counts(rival.effect, other)
        }
    })
}

/// Arguments of a call that the filter takes for another one than the kernel does, and what the
/// kernel takes the argument for.
fn differing(
    policy: &CallPolicy<'_>,
    rival: &Rival<'_>,
    (index, bits): (u32, u8),
    counts: &impl Fn(Effect, Effect) -> bool,
) -> Option<([u64; 6], u64)> {
    let lower = !(u64::MAX << bits);
    let comparisons = policy
        .rules()
        .iter()
        .flat_map(|rule| rule.comparisons.iter());
    let values = comparisons
        .filter(|it| it.index == index)
        .flat_map(|it| match it.operator {
            Operator::MaskedEqual => [it.value & it.value_two; 3],
            _ => [it.value, it.value.wrapping_sub(1), it.value.wrapping_add(1)],
        });
    let mut values: Vec<_> = values.chain([0]).map(|value| value & lower).collect();
    values.dedup();
    let effect = |arguments: &[u64; 6]| match policy.decide(arguments) {
        Decided::Effect { effect, rule } => Some((effect, rule)),
        Decided::OneOf { .. } => None,
    };
    // The other arguments as the rule entry wants them.
    rival.rules().find_map(|rule| {
        let mut arguments = [0_u64; 6];
        for comparison in rule.iter().filter(|it| it.index != index) {
            let slot = arguments.get_mut(comparison.index as usize)?;
            *slot = satisfying(comparison)?;
        }
        values.iter().find_map(|&value| {
            let at = index as usize;
            *arguments.get_mut(at)? = value;
            let (kernel, decides) = effect(&arguments)?;
            [value | 1 << bits, value | !lower]
                .into_iter()
                .find_map(|written| {
                    let mut raised = arguments;
                    *raised.get_mut(at)? = written;
                    let (filter, instead) = effect(&raised)?;
                    let is_by = |place: Option<usize>| {
                        let rule = policy.rules().get(place?)?;
                        let mut rules = rival.rules();
                        let is_one = rules.any(|it| *it == *rule.comparisons);
                        Some(is_one && rule.effect == rival.effect)
                    };
                    let is_by_rival = [decides, instead]
                        .into_iter()
                        .any(|it| is_by(it) == Some(true));
                    (is_by_rival && counts(kernel, filter)).then_some((raised, value))
                })
        })
    })
}

/// A value for which a condition holds, if there is one.
fn satisfying(comparison: &Comparison) -> Option<u64> {
    let value = comparison.value;
    let around = [
        0,
        value,
        value.wrapping_sub(1),
        value.wrapping_add(1),
        value & comparison.value_two,
    ];
    around.into_iter().find(|&it| comparison.holds(it))
}

/// The finding about it: `words` say what becomes of the call, from the number of bits that count
/// and what the kernel takes the argument for.
pub(super) fn report(
    rule: &'static Rule,
    context: &Context<'_>,
    (contested, found): &(&Contested<'_>, Found<'_>),
    words: impl Fn(u8, &str) -> String,
) -> Finding {
    let name = contested.syscall.name();
    let named = named(
        contested.syscall,
        found.index as usize,
        found.taken,
        Arch::X86_64,
    );
    let taken = match named {
        Some(named) => format!("{} ({named})", found.taken),
        None => found.taken.to_string(),
    };
    let message = format!(
        "`{name}` with argument {} = {:#x} {}",
        found.index,
        found.written,
        words(found.bits, &taken)
    );
    Finding::new(rule, context.at(found.condition.node), message)
        .here("compares all 64 bits")
        .help(help(found.bits))
        .fact("syscall", name)
        .fact("arguments", found.arguments.to_vec())
        .fact("index", found.index)
        .fact("taken", found.taken)
}

/// What to write instead.
fn help(bits: u8) -> String {
    let mask = !(u64::MAX << bits);
    format!(
        "compare the bits that the kernel looks at: `SCMP_CMP_MASKED_EQ` with the mask {mask} (`value`) and the argument (`valueTwo`), one rule entry for each value that is allowed or denied"
    )
}

//! Arguments of which the kernel looks at fewer bits than a filter.
//!
//! A register has 64 bits. Of an `int` the kernel takes the lower 32, of a mode 16, after the filter
//! has compared all of them: `seccomp(2)`.

use crate::finding::{Finding, Rule};
use crate::policy::CallPolicy;
use crate::profile::{Comparison, Condition, Effect, Operator};
use crate::syscalls::{Arch, ParameterKind, Syscall, named};

use super::Context;
use super::operator::MOST_CONDITIONS;
use super::rivals::{Contested, Rival};

/// A call that the filter takes for another one than the kernel does.
pub(super) struct Found<'a, 'c> {
    /// The call.
    syscall: &'static Syscall,
    /// The rule entry that makes the filter do so.
    rival: &'a Rival<'c>,
    /// Its condition that does.
    condition: &'c Condition<'c>,
    /// The argument.
    index: u32,
    /// How many of its bits the kernel looks at.
    bits: u8,
    /// One for each value that gets through: at least one.
    holes: Vec<Hole>,
}

impl Found<'_, '_> {
    /// Whether the rule entry lets calls run.
    pub(super) fn is_permission(&self) -> bool {
        self.rival.effect.action.permits()
    }

    fn has(&self, hole: &Hole) -> bool {
        self.holes.iter().any(|own| own.taken == hole.taken)
    }

    /// `argument 0 = 0x100000026`, and the other arguments that matter.
    fn shown(&self, hole: &Hole) -> String {
        let argument = |index: u32| hole.arguments.get(index as usize).copied();
        let mut shown = hole.others.clone();
        shown.push(self.index);
        shown.sort_unstable();
        let shown = shown.iter().map(|&it| {
            let value = argument(it).unwrap_or_default();
            if it == self.index {
                format!("argument {it} = {value:#x}")
            } else {
                format!("argument {it} = {value}")
            }
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Whether the condition is for nothing but upper bits.
    pub(super) fn is_about_upper_bits(&self) -> bool {
        let most = !(u64::MAX << self.bits);
        self.condition
            .comparison
            .is_some_and(|it| match it.operator {
                Operator::Greater => it.value >= most,
                Operator::GreaterOrEqual => it.value > most,
                _ => false,
            })
    }

    /// What the kernel takes the argument for, with its name: `38 (AF_ALG)`.
    fn taken(&self, hole: &Hole) -> String {
        let named = named(self.syscall, self.index as usize, hole.taken, Arch::X86_64);
        let named = named.map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}{named}", hole.taken)
    }
}

/// How a condition makes the filter do something else than for what the kernel sees.
struct Hole {
    /// What the kernel takes the argument for.
    taken: u64,
    /// All arguments of the call.
    arguments: [u64; 6],
    /// Of which others it depends.
    others: Vec<u32>,
    /// Whether it is known what is done with what the kernel sees. Where conditions overlap that is
    /// up to libseccomp.
    is_sure: bool,
}

/// What of the filter and of the kernel counts: whether effects differ in a way that matters, the
/// first being that of what the kernel takes the call for.
type Counts = fn(Effect, Effect) -> bool;

/// Where the filter does something else with an argument than with what the kernel takes it for, in
/// a way that `counts`; each condition once, with all its values, and each of two rule entries that do
/// the same.
pub(super) fn all<'a, 'c>(context: &'a Context<'c>, counts: Counts) -> Vec<Found<'a, 'c>> {
    let mut all: Vec<Found<'_, '_>> = Vec::new();
    for contested in context.contested() {
        if contested.rivals.iter().all(Rival::is_unconditional) {
            continue;
        }
        let by_default = contested.default.action.permits();
        // What makes an exception to the default is what has to be changed.
        for is_exception in [true, false] {
            for rival in &contested.rivals {
                if is_exception != (rival.effect.action.permits() != by_default) {
                    continue;
                }
                for mut found in of_rival(context, contested, rival, counts) {
                    for told in &all {
                        let is_same = told.syscall.index() == found.syscall.index()
                            && told.index == found.index
                            && (!is_exception || told.rival.entry.does_the_same(rival.entry));
                        // The names of a rule entry share its conditions.
                        if is_same || std::ptr::eq(told.condition, found.condition) {
                            let is_new = |hole: &Hole| !told.has(hole);
                            found.holes.retain(is_new);
                        }
                    }
                    if !found.holes.is_empty() {
                        all.push(found);
                    }
                }
            }
        }
    }
    all
}

fn of_rival<'a, 'c>(
    context: &Context<'_>,
    contested: &'a Contested<'c>,
    rival: &'a Rival<'c>,
    counts: Counts,
) -> Vec<Found<'a, 'c>> {
    let mut all = Vec::new();
    if rival.effect == contested.default {
        // Runtimes leave it out.
        return all;
    }
    let mut policy: Option<CallPolicy<'_>> = None;
    // crun reads no more.
    let mut conditions = rival.entry.args.iter().take(MOST_CONDITIONS);
    for rule in rival.rules() {
        for (comparison, condition) in rule.iter().zip(conditions.by_ref()) {
            let index = comparison.index;
            let bits = match contested.syscall.parameter(index.into()).map(|it| it.kind) {
                Some(ParameterKind::Integer { bits })
                    if bits < 64 && context.may_see_bit(contested.syscall, bits) =>
                {
                    bits
                }
                _ => continue,
            };
            let Some(holds_above) = holds_above(*comparison, bits)
                .filter(|&holds_above| may_count(contested, rival, holds_above, counts))
            else {
                continue;
            };
            let search = Search {
                policy: policy.get_or_insert_with(|| contested.policy(rival)),
                rule,
                index,
                bits,
                holds_above,
                counts,
            };
            let holes = search.holes();
            all.extend((!holes.is_empty()).then_some(Found {
                syscall: contested.syscall,
                rival,
                condition,
                index,
                bits,
                holes,
            }));
        }
    }
    all
}

/// Whether a condition holds for arguments with upper bits, or holds for what the kernel takes them
/// for and not for them; `None` if they make no difference to it.
fn holds_above(comparison: Comparison, bits: u8) -> Option<bool> {
    let upper = u64::MAX << bits;
    match comparison.operator {
        Operator::NotEqual | Operator::GreaterOrEqual | Operator::Greater => Some(true),
        Operator::Equal | Operator::Less | Operator::LessOrEqual => Some(false),
        Operator::MaskedEqual => {
            let compares = comparison.value & upper != 0;
            compares.then_some(comparison.value & comparison.value_two & upper != 0)
        }
    }
}

/// Whether it is worth to look: whether the condition's rule entry and what holds without it differ
/// in a way that counts, with the upper bits on the side where they would have to be.
fn may_count(
    contested: &Contested<'_>,
    rival: &Rival<'_>,
    holds_above: bool,
    counts: Counts,
) -> bool {
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

/// A search for what a condition does to upper bits.
struct Search<'s> {
    policy: &'s CallPolicy<'s>,
    /// The rule that the condition is of.
    rule: &'s [Comparison],
    index: u32,
    bits: u8,
    holds_above: bool,
    counts: Counts,
}

impl Search<'_> {
    /// One for each value that conditions name, or else the first next to one.
    fn holes(&self) -> Vec<Hole> {
        // More than anybody tells apart, and few enough for files that were made to be slow.
        const MOST: usize = 16;
        let lower = !(u64::MAX << self.bits);
        let rules = self.policy.rules().iter();
        let comparisons = rules.flat_map(|rule| rule.comparisons.iter());
        // Its own first, so that many others do not keep it out.
        let comparisons = self.rule.iter().chain(comparisons);
        let named = comparisons.filter(|it| it.index == self.index).map(|it| {
            let value = match it.operator {
                Operator::MaskedEqual => it.value & it.value_two,
                _ => it.value,
            };
            value & lower
        });
        let mut named: Vec<_> = named.take(MOST).collect();
        named.sort_unstable();
        named.dedup();
        let holes: Vec<_> = named.iter().filter_map(|&it| self.hole(it)).collect();
        if !holes.is_empty() {
            return holes;
        }
        let beside = named
            .iter()
            .flat_map(|it| [it.wrapping_sub(1), it.wrapping_add(1)]);
        let mut beside = beside.chain([0]).map(|it| it & lower);
        beside.find_map(|it| self.hole(it)).into_iter().collect()
    }

    /// What becomes of a value with upper bits, where that is something else.
    fn hole(&self, taken: u64) -> Option<Hole> {
        let wanted = self.wanted()?;
        let mut unsure = None;
        let lowest = [1 << self.bits];
        let every = [u64::MAX << self.bits];
        // Which bits they are makes a difference only to who compares with some.
        let every = every.iter().filter(|_| self.has_upper());
        for upper in lowest.iter().chain(every) {
            for is_evading in [false, true] {
                let mut arguments = wanted;
                *arguments.get_mut(self.index as usize)? = taken | upper;
                if is_evading {
                    self.evade(&mut arguments);
                }
                match self.differs(&arguments) {
                    Some(is_sure) if is_sure || unsure.is_none() => {
                        let hole = Hole {
                            taken,
                            arguments,
                            others: self.others(&arguments, is_sure),
                            is_sure,
                        };
                        if is_sure {
                            return Some(hole);
                        }
                        unsure = Some(hole);
                    }
                    _ => {}
                }
            }
        }
        unsure
    }

    /// Whether a rule compares the argument with upper bits.
    fn has_upper(&self) -> bool {
        let mut rules = self.policy.rules().iter();
        rules.any(|rule| {
            let mut comparisons = rule.comparisons.iter();
            comparisons.any(|it| it.index == self.index && it.value >> self.bits != 0)
        })
    }

    /// The arguments as the rule wants them.
    fn wanted(&self) -> Option<[u64; 6]> {
        let mut arguments = [0; 6];
        for comparison in self.rule.iter().filter(|it| it.index != self.index) {
            let example = comparison.example();
            *arguments.get_mut(comparison.index as usize)? = example;
            if !comparison.holds(example) {
                return None;
            }
        }
        Some(arguments)
    }

    /// The call as the kernel takes it.
    fn taken(&self, arguments: &[u64; 6]) -> [u64; 6] {
        let mut taken = *arguments;
        if let Some(argument) = taken.get_mut(self.index as usize) {
            *argument &= !(u64::MAX << self.bits);
        }
        taken
    }

    /// Changes the other arguments so that other rules are about neither the call nor what the
    /// kernel takes it for, as far as the rule leaves a choice.
    fn evade(&self, arguments: &mut [u64; 6]) {
        for other in self.policy.rules() {
            let taken = self.taken(arguments);
            let is_about = [*arguments, taken]
                .iter()
                .any(|it| is_met(&other.comparisons, it));
            if !is_about || *other.comparisons == *self.rule {
                continue;
            }
            for comparison in other.comparisons.iter() {
                let value = comparison.counterexample();
                let mut own = self.rule.iter().filter(|it| it.index == comparison.index);
                if comparison.index != self.index
                    && !comparison.holds(value)
                    && own.all(|it| it.holds(value))
                    && let Some(argument) = arguments.get_mut(comparison.index as usize)
                {
                    *argument = value;
                    break;
                }
            }
        }
    }

    /// Whether the filter does something else with these arguments than with those that the kernel
    /// sees, by the rule's doing, whichever rule decides about them: for sure (true), or if of the
    /// rules that may decide about those that the kernel sees one does.
    fn differs(&self, arguments: &[u64; 6]) -> Option<bool> {
        let taken = self.taken(arguments);
        let is_by_rule = if self.holds_above {
            is_met(self.rule, arguments)
        } else {
            is_met(self.rule, &taken) && !is_met(self.rule, arguments)
        };
        if !is_by_rule {
            return None;
        }
        let counts = |kernel| {
            let mut filter = self.policy.asked(arguments);
            filter.all(|filter| (self.counts)(kernel, filter))
        };
        let is_possible = self.policy.asked(&taken).any(counts);
        is_possible.then(|| !self.policy.is_fragile() && self.policy.asked(&taken).all(counts))
    }

    /// The other arguments of which it depends.
    fn others(&self, arguments: &[u64; 6], is_sure: bool) -> Vec<u32> {
        let rules = self.policy.rules().iter();
        let comparisons = rules.flat_map(|rule| rule.comparisons.iter());
        let mut others = Vec::new();
        for comparison in comparisons.filter(|it| it.index != self.index) {
            if others.contains(&comparison.index) {
                continue;
            }
            let mut values = [comparison.example(), comparison.counterexample()].into_iter();
            let matters = values.any(|value| {
                let mut other = *arguments;
                if let Some(argument) = other.get_mut(comparison.index as usize) {
                    *argument = value;
                }
                self.differs(&other) != Some(is_sure)
            });
            others.extend(matters.then_some(comparison.index));
        }
        others
    }
}

/// Whether arguments meet all conditions.
fn is_met(rule: &[Comparison], arguments: &[u64; 6]) -> bool {
    rule.iter().all(|it| {
        let argument = arguments.get(it.index as usize);
        argument.is_some_and(|&argument| it.holds(argument))
    })
}

/// What the filter does with a call, and with what the kernel takes it for.
pub(super) struct Words {
    /// As in "the call is denied".
    pub filter: &'static str,
    /// As in "it is allowed".
    pub kernel: &'static str,
    /// As in "it is to be allowed", where others overlap with the rule entry that does.
    pub perhaps: &'static str,
}

/// The finding about it.
pub(super) fn report(
    rule: &'static Rule,
    context: &Context<'_>,
    found: &Found<'_, '_>,
    words: &Words,
) -> Option<Finding> {
    /// How many values are told in words.
    const TOLD: usize = 4;
    let (first, others) = found.holes.split_first()?;
    let (name, index, bits) = (found.syscall.name(), found.index, found.bits);
    let containers = found.rival.together(found.rival);
    let containers = containers.map(|it| it.phrase()).unwrap_or_default();
    let becomes = if first.is_sure {
        words.kernel
    } else {
        words.perhaps
    };
    let mut message = format!(
        "`{name}` with {} is {}{containers}: the kernel looks at {bits} bits of argument {index} and takes it for {}, with which {becomes}",
        found.shown(first),
        words.filter,
        found.taken(first),
    );
    let told = others.iter().take(TOLD - 1);
    let mut told: Vec<_> = told
        .map(|hole| format!("{}, taken for {}", found.shown(hole), found.taken(hole)))
        .collect();
    if let Some(more) = others.len().checked_sub(TOLD - 1).filter(|more| *more > 0) {
        told.push(format!("and {more} more"));
    }
    if !told.is_empty() {
        message = format!("{message}; likewise {}", told.join(", "));
    }
    let finding = Finding::new(rule, context.at(found.condition.node), message)
        .here("compares all 64 bits")
        .fact("syscall", name)
        .fact("arguments", first.arguments.to_vec())
        .fact("index", index)
        .fact("taken", first.taken)
        .fact("certain", first.is_sure);
    Some(if others.is_empty() {
        finding
    } else {
        let calls = others.iter().map(|hole| hole.arguments.to_vec());
        finding.fact("also", calls.collect::<Vec<_>>())
    })
}

/// What to write instead.
pub(super) fn help(found: &Found<'_, '_>) -> String {
    let mask = !(u64::MAX << found.bits);
    let what = if found.is_permission() {
        "allowed"
    } else {
        "denied"
    };
    format!(
        "compare the bits that the kernel looks at, in the place of this condition: `SCMP_CMP_MASKED_EQ` with the mask {mask} (`value`) and the argument (`valueTwo`), one rule entry for each value that is {what}"
    )
}

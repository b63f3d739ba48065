//! Rule entries about one call, held against each other.

use std::cell::LazyCell;

use crate::filter::{Diagram, Diagrams};
use crate::policy::{CallPolicy, CallRule, calls_of};
use crate::profile::{
    Comparison, Condition, Dialects, Effect, Filter, Operator, Profile, RuleEntry, Text,
};
use crate::runtime::{collide, compares_twice};
use crate::syscalls::{Arch, KernelVersion, Release, Spelling, Syscall};

use super::denial::Denial;
use super::{Context, NameUse};

/// The first release of libseccomp that is right about [bounds](Rival::merged_wrongly) of 64 bits.
pub(super) const MERGES_RIGHT: Release = Release::new(2, 6, 1);

/// A call that several rule entries are about, or that is allowed or denied by its arguments.
#[derive(Debug)]
pub(super) struct Contested<'c> {
    /// The call.
    pub syscall: &'static Syscall,
    /// What happens where no rule entry decides.
    pub default: Effect,
    /// What rule entries ask for, in their order.
    pub rivals: Vec<Rival<'c>>,
}

/// What a rule entry asks for a call.
#[derive(Debug)]
pub(super) struct Rival<'c> {
    /// The call's name there.
    pub name: Text<'c>,
    /// The rule entry.
    pub entry: &'c RuleEntry<'c>,
    /// What happens to the call.
    pub effect: Effect,
    /// For which arguments.
    comparisons: Vec<Comparison>,
    /// Whether any one of them is enough, each being a rule of its own.
    is_any: bool,
}

impl<'c> Contested<'c> {
    /// How many rule entries about a call are looked at: more than any profile has, and few enough
    /// for files that were made to be slow.
    const MOST: usize = 32;

    /// The contested calls of a profile whose rule entries can all be understood.
    pub(super) fn all(profile: &'c Profile<'c>, context: &Context<'c>) -> Vec<Self> {
        let Some(default) = profile.default_decision() else {
            return Vec::new();
        };
        let default = Denial::new(default, context.readers()).effect;
        let mut contested = Vec::new();
        for name in context.first_contested() {
            let Spelling::Known(syscall) = name.spelling else {
                continue;
            };
            if context.is_disputed(syscall) {
                continue;
            }
            let uses = context.uses(syscall).take(Self::MOST);
            let uses = uses.filter(|name| may_hold(context, name.entry));
            let rivals: Option<Vec<_>> =
                uses.map(|name| Rival::of(profile, context, name)).collect();
            contested.extend(rivals.map(|rivals| Self {
                syscall,
                default,
                rivals,
            }));
        }
        contested
    }

    /// The rule entries with conditions that ask for something else than the default, where nothing
    /// without conditions beats them all.
    pub(super) fn contradicting(&self) -> impl Iterator<Item = &Rival<'c>> {
        let counts = |it: &&Rival<'c>| it.effect != self.default;
        let mut counting = self.rivals.iter().filter(counts);
        let is_beaten = counting.any(Rival::is_unconditional);
        let all = self.rivals.iter().filter(move |_| !is_beaten);
        all.filter(counts)
    }

    /// The architectures of these on which libseccomp refuses the conditions of a rule entry because
    /// of those of an earlier one.
    pub(super) fn refusing(
        &self,
        [earlier, later]: [&Rival<'c>; 2],
        architectures: &[Arch],
    ) -> Vec<Arch> {
        if earlier.effect == later.effect {
            return Vec::new();
        }
        // The same on all of so many bits.
        let collides = [32, 64].map(|bits| {
            LazyCell::new(move || {
                let rules = [earlier, later].into_iter();
                let rules = rules.flat_map(|it| it.rules().map(|rule| (rule, it.effect)));
                collide(bits, rules)
            })
        });
        let [narrow, wide] = &collides;
        let refuses = |arch: &Arch| {
            let collides = if arch.bits() == 64 { wide } else { narrow };
            self.syscall.direct_number(*arch).is_some() && **collides
        };
        architectures.iter().copied().filter(refuses).collect()
    }

    /// What the rule entries that hold wherever `rival` does come to, on 64-bit architectures.
    pub(super) fn policy(&self, rival: &Rival<'c>) -> CallPolicy<'_> {
        let rivals = self.rivals.iter().enumerate();
        let rules = rivals
            .filter(|(_, other)| other.holds_where(rival))
            .flat_map(|(place, other)| {
                other.rules().map(move |comparisons| CallRule {
                    effect: other.effect,
                    comparisons: comparisons.into(),
                    entry: place,
                })
            });
        CallPolicy::new(self.default, 64, rules.collect())
    }
}

impl<'c> Rival<'c> {
    /// `None` if something in the rule entry cannot be understood.
    fn of(profile: &'c Profile<'c>, context: &Context<'c>, name: &NameUse<'c>) -> Option<Self> {
        let entry = name.entry;
        // Any other index is refused.
        let comparison = |it: &Condition<'_>| it.comparison.filter(|it| it.index < 6);
        let comparisons: Option<Vec<_>> = entry.args.iter().map(comparison).collect();
        let comparisons = comparisons?;
        Some(Self {
            name: *name.text,
            entry,
            effect: Denial::new(profile.decision_of(entry)?, context.readers()).effect,
            is_any: compares_twice(&comparisons),
            comparisons,
        })
    }

    /// For which arguments: all conditions of any of these.
    pub(super) fn rules(&self) -> impl Iterator<Item = &[Comparison]> {
        let all = self.comparisons.as_slice();
        let size = if self.is_any { 1 } else { all.len().max(1) };
        // No conditions are one rule too.
        let none = all.is_empty().then_some(all);
        none.into_iter().chain(all.chunks(size))
    }

    /// Every comparison of any rule.
    pub(super) fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// Whether it is about the call whatever its arguments are.
    pub(super) fn is_unconditional(&self) -> bool {
        self.entry.args.is_empty()
    }

    /// The calls that it is about, by their arguments, on 64-bit architectures.
    pub(super) fn calls(&self, diagrams: &mut Diagrams) -> Option<Diagram> {
        let mut all = Diagram::NONE;
        for rule in self.rules() {
            let calls = calls_of(rule, 64, diagrams).ok()?;
            all = diagrams.either(all, calls).ok()?;
        }
        Some(all)
    }

    /// Whether it is about a call that `other` is not about. It may be where this says no: only the
    /// first values that come to mind are tried, which are enough for most, and a fraction of what
    /// the [calls](Self::calls) of both cost.
    pub(super) fn clearly_exceeds(&self, other: &Self) -> bool {
        let mut arguments = [0; 6];
        for comparison in self.rules().next().into_iter().flatten() {
            if let Some(argument) = arguments.get_mut(comparison.index as usize) {
                *argument = comparison.example();
            }
        }
        let mut tried = other.comparisons.iter().map(|comparison| {
            let mut tried = arguments;
            if let Some(argument) = tried.get_mut(comparison.index as usize) {
                *argument = comparison.counterexample();
            }
            tried
        });
        let is_one = |tried: &[u64; 6]| self.is_about(tried) && !other.is_about(tried);
        is_one(&arguments) || tried.any(|tried| is_one(&tried))
    }

    /// Whether it is about a call with these arguments, on 64-bit architectures.
    fn is_about(&self, arguments: &[u64; 6]) -> bool {
        let is_met = |it: &Comparison| {
            let argument = arguments.get(it.index as usize);
            argument.is_some_and(|&argument| it.holds(argument))
        };
        self.rules().any(|rule| rule.iter().all(is_met))
    }

    /// Whether a rule of it has the very conditions of one of the other's.
    pub(super) fn shares_rule(&self, other: &Self) -> bool {
        let normal = |rule: &[Comparison]| {
            let mut all: Vec<_> = rule.iter().map(|it| normal(*it)).collect();
            all.sort_unstable();
            all
        };
        let others: Vec<_> = other.rules().map(normal).collect();
        self.rules().any(|rule| others.contains(&normal(rule)))
    }

    /// The bounds of an argument that libseccomp mixes up before [`MERGES_RIGHT`], where this comes
    /// first: the larger one here, and the smaller one of the other, after the same conditions.
    pub(super) fn merged_wrongly(&self, small: &Self) -> Option<[Comparison; 2]> {
        let sorted = |rule: &[Comparison]| {
            let mut rule = rule.to_vec();
            rule.sort_unstable_by_key(|it| it.index);
            rule
        };
        let is_bound = |it: &Comparison| {
            matches!(it.operator, Operator::Less | Operator::LessOrEqual) && it.value >> 32 != 0
        };
        if self.effect == small.effect || !small.comparisons.iter().any(is_bound) {
            return None;
        }
        let mut larger = self.rules().map(sorted);
        larger.find_map(|rule| {
            let (a, before) = rule.split_last().filter(|(it, _)| is_bound(it))?;
            let mut smaller = small.rules().map(sorted);
            smaller.find_map(|rule| {
                let (b, same) = rule.split_last().filter(|(it, _)| is_bound(it))?;
                let is_near = a.index == b.index && a.value >> 32 == b.value >> 32;
                let are_same = || {
                    before
                        .iter()
                        .map(|it| normal(*it))
                        .eq(same.iter().map(|it| normal(*it)))
                };
                (is_near && a.value > b.value && are_same()).then_some([*a, *b])
            })
        })
    }

    /// What containers are like in which both hold, if there are such.
    pub(super) fn together(&self, other: &Self) -> Option<Containers<'c>> {
        together(self.entry, other.entry)
    }

    /// Whether it holds in every container in which `other` does.
    pub(super) fn holds_where(&self, other: &Self) -> bool {
        holds_where(self.entry, other.entry)
    }
}

/// What containers are like in which both rule entries hold, if there are such.
pub(super) fn together<'c>(one: &RuleEntry<'c>, two: &RuleEntry<'c>) -> Option<Containers<'c>> {
    let is_split = |a: &RuleEntry<'_>, b: &RuleEntry<'_>| {
        let [a_in, b_in, b_out] = [&a.includes, &b.includes, &b.excludes].map(Option::as_ref);
        let (a_arches, b_arches, out) = (arches(a_in), arches(b_in), arches(b_out));
        let are_named = !a_arches.is_empty();
        (are_named && !b_arches.is_empty() && !has_any(a_arches, b_arches))
            || (are_named && has_all(out, a_arches))
    };
    let sides = [one, two].map(|it| [&it.includes, &it.excludes].map(|it| caps(it.as_ref())));
    let [[one_with, one_without], [two_with, two_without]] = sides;
    let never = [one_with, two_with].into_iter().any(|with| {
        let mut without = [one_without, two_without].into_iter();
        without.any(|without| has_any(with, without))
    });
    let from = [one, two]
        .into_iter()
        .filter_map(|it| bound(it.includes.as_ref()));
    let before = [one, two]
        .into_iter()
        .filter_map(|it| bound(it.excludes.as_ref()));
    let (from, before) = (from.max(), before.min());
    let is_no_kernel = from.is_some() && before.is_some() && from >= before;
    let is_split = is_split(one, two) || is_split(two, one);
    if one.list != two.list || never || is_no_kernel || is_split {
        return None;
    }
    let both = |one: &[Text<'c>], two: &[Text<'c>]| {
        let mut caps: Vec<_> = one.iter().chain(two).map(|cap| cap.value).collect();
        caps.sort_unstable();
        caps.dedup();
        caps
    };
    Some(Containers {
        with: both(one_with, two_with),
        without: both(one_without, two_without),
        from,
        before,
    })
}

/// Whether a rule entry holds in every container in which the `other` does.
pub(super) fn holds_where(entry: &RuleEntry<'_>, other: &RuleEntry<'_>) -> bool {
    let [a_in, a_out] = [&entry.includes, &entry.excludes].map(Option::as_ref);
    let [b_in, b_out] = [&other.includes, &other.excludes].map(Option::as_ref);
    let (a_arches, b_arches) = (arches(a_in), arches(b_in));
    has_all(caps(b_in), caps(a_in))
        && has_all(caps(b_out), caps(a_out))
        && has_all(arches(b_out), arches(a_out))
        && (a_arches.is_empty() || (!b_arches.is_empty() && has_all(a_arches, b_arches)))
        && [(a_in, b_in), (a_out, b_out)]
            .iter()
            .all(|&(a, b)| kernel(a).is_none() || kernel(a) == kernel(b))
}

/// A condition as libseccomp keeps it.
fn normal(it: Comparison) -> (u32, Operator, u64, u64) {
    let value_two = match it.operator {
        Operator::MaskedEqual => it.value & it.value_two,
        _ => 0,
    };
    (it.index, it.operator, it.value, value_two)
}

fn caps<'a, 'd>(filter: Option<&'a Filter<'d>>) -> &'a [Text<'d>] {
    filter.map_or(&[], |it| &it.caps)
}

fn arches<'a, 'd>(filter: Option<&'a Filter<'d>>) -> &'a [Text<'d>] {
    filter.map_or(&[], |it| &it.arches)
}

fn has(list: &[Text<'_>], word: &Text<'_>) -> bool {
    list.iter().any(|it| it.value == word.value)
}

fn has_all(list: &[Text<'_>], words: &[Text<'_>]) -> bool {
    words.iter().all(|word| has(list, word))
}

fn has_any(list: &[Text<'_>], words: &[Text<'_>]) -> bool {
    words.iter().any(|word| has(list, word))
}

fn kernel<'d>(filter: Option<&Filter<'d>>) -> Option<&'d str> {
    filter?.min_kernel.map(|kernel| kernel.value)
}

fn bound(filter: Option<&Filter<'_>>) -> Option<KernelVersion> {
    kernel(filter)?.parse().ok()
}

/// Whether a rule entry may hold on a target's kernel, which only Docker looks at.
fn may_hold(context: &Context<'_>, entry: &RuleEntry<'_>) -> bool {
    let [from, before] = [&entry.includes, &entry.excludes].map(|it| bound(it.as_ref()));
    if (from.is_none() && before.is_none()) || context.readers() != Dialects::DOCKER {
        return true;
    }
    let is_in = |kernel: KernelVersion| {
        from.is_none_or(|from| kernel >= from) && before.is_none_or(|before| kernel < before)
    };
    let kernels = context.kernels();
    kernels.is_none_or(|kernels| kernels.into_iter().any(is_in))
}

/// Containers, by their capabilities and their hosts' kernels.
#[derive(Debug)]
pub(super) struct Containers<'c> {
    /// What they have.
    pub with: Vec<&'c str>,
    /// What they lack.
    pub without: Vec<&'c str>,
    /// The first of the kernels.
    from: Option<KernelVersion>,
    /// The first one that is none of them.
    before: Option<KernelVersion>,
}

impl Containers<'_> {
    /// ` in containers with CAP_X and without CAP_Y on kernels from 4.8 on`; nothing for any container.
    pub(super) fn phrase(&self) -> String {
        let list = |word: &str, caps: &[&str]| match caps {
            [] => String::new(),
            caps => format!(" {word} {}", caps.join(", ")),
        };
        let kernels = match (self.from, self.before) {
            (None, None) => String::new(),
            (Some(from), None) => format!(" on kernels from {from} on"),
            (None, Some(before)) => format!(" on kernels before {before}"),
            (Some(from), Some(before)) => format!(" on kernels from {from} to before {before}"),
        };
        let containers = match (list("with", &self.with), list("without", &self.without)) {
            (with, without) if with.is_empty() && without.is_empty() => String::new(),
            (with, without) if with.is_empty() || without.is_empty() => {
                format!(" in containers{with}{without}")
            }
            (with, without) => format!(" in containers{with} and{without}"),
        };
        containers + &kernels
    }
}

/// An effect as a profile has it.
pub(super) fn effect_words(effect: Effect) -> String {
    if effect.action.takes_errno() {
        format!("`{}` with errno {}", effect.action.name(), effect.errno)
    } else {
        format!("`{}`", effect.action.name())
    }
}

/// A call with the arguments that rule entries look at: `socket` with a0 = 38, a2 = 9.
pub(super) fn call_words(name: &str, rivals: &[&Rival<'_>], arguments: &[u64; 6]) -> String {
    // Larger ones are bits and masks.
    const MOST_DECIMAL: u64 = 0xffff;
    let comparisons = rivals.iter().flat_map(|rival| &rival.comparisons);
    let mut indexes: Vec<_> = comparisons.map(|it| it.index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let shown = indexes.into_iter().filter_map(|index| {
        let value = *arguments.get(index as usize)?;
        Some(if value > MOST_DECIMAL {
            format!("a{index} = {value:#x}")
        } else {
            format!("a{index} = {value}")
        })
    });
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() {
        format!("`{name}`")
    } else {
        format!("`{name}` with {}", shown.join(", "))
    }
}

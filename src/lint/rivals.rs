//! Rule entries about one call, held against each other.

use std::sync::Arc;

use crate::filter::{Diagram, Diagrams};
use crate::policy::{CallPolicy, CallRule, calls_of};
use crate::profile::{Comparison, Effect, Filter, Operator, Profile, RuleEntry, Text};
use crate::runtime::in_rules;
use crate::syscalls::{self, Spelling, Syscall};

use super::{Context, NameUse};

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
    /// For which arguments: all conditions of any of these.
    pub rules: Vec<Arc<[Comparison]>>,
}

impl<'c> Contested<'c> {
    /// How many rule entries about a call are looked at: more than any profile has, and few enough
    /// for files that were made to be slow.
    const MOST: usize = 32;

    /// The contested calls of a profile whose rule entries can all be understood.
    pub(super) fn all(profile: &'c Profile<'c>, context: &Context<'c>) -> Vec<Self> {
        let Some(default) = Effect::of(profile.default_action, profile.default_errno_ret) else {
            return Vec::new();
        };
        if context.all_names().next().is_none() {
            return Vec::new();
        }
        let mut is_seen = vec![false; syscalls::all().len()];
        let mut contested = Vec::new();
        for name in context.all_names() {
            let Spelling::Known(syscall) = name.spelling else {
                continue;
            };
            let is_alone = name.entry.args.is_empty() && context.is_used_once(syscall);
            if is_alone
                || context.is_disputed(syscall)
                || std::mem::replace(&mut is_seen[syscall.index()], true)
            {
                continue;
            }
            let uses = context.uses(syscall).take(Self::MOST);
            let rivals: Option<Vec<_>> = uses.map(Rival::of).collect();
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

    /// What the rule entries that hold wherever `rival` does come to, on 64-bit architectures.
    pub(super) fn policy(&self, rival: &Rival<'c>) -> CallPolicy<'_> {
        let rivals = self.rivals.iter().enumerate();
        let rules = rivals
            .filter(|(_, other)| other.holds_where(rival))
            .flat_map(|(place, other)| {
                other.rules.iter().map(move |comparisons| CallRule {
                    effect: other.effect,
                    comparisons: comparisons.as_ref().into(),
                    entry: place,
                })
            });
        CallPolicy::new(self.default, 64, rules.collect())
    }
}

impl<'c> Rival<'c> {
    /// `None` if something in the rule entry cannot be understood.
    fn of(name: &NameUse<'c>) -> Option<Self> {
        let entry = name.entry;
        let comparisons: Option<Vec<_>> = entry.args.iter().map(|it| it.comparison).collect();
        Some(Self {
            name: name.text,
            entry,
            effect: Effect::of(entry.action, entry.errno_ret)?,
            rules: in_rules(comparisons?),
        })
    }

    /// Whether it is about the call whatever its arguments are.
    pub(super) fn is_unconditional(&self) -> bool {
        self.entry.args.is_empty()
    }

    /// The calls that it is about, by their arguments, on 64-bit architectures.
    pub(super) fn calls(&self, diagrams: &mut Diagrams) -> Option<Diagram> {
        let mut all = Diagram::NONE;
        for rule in &self.rules {
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
        for comparison in self.rules.first().into_iter().flat_map(|rule| rule.iter()) {
            if let Some(argument) = arguments.get_mut(comparison.index as usize) {
                *argument = comparison.example();
            }
        }
        let others = other.rules.iter().flat_map(|rule| rule.iter());
        let mut tried = others.map(|comparison| {
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
        self.rules.iter().any(|rule| rule.iter().all(is_met))
    }

    /// Whether a rule of it has the very conditions of one of the other's.
    pub(super) fn shares_rule(&self, other: &Self) -> bool {
        let normal = |rule: &Arc<[Comparison]>| {
            let mut all: Vec<_> = rule.iter().map(|it| normal(*it)).collect();
            all.sort_unstable();
            all
        };
        let others: Vec<_> = other.rules.iter().map(normal).collect();
        self.rules.iter().any(|rule| others.contains(&normal(rule)))
    }

    /// What containers are like in which both hold, if there are such.
    pub(super) fn together(&self, other: &Self) -> Option<Containers<'c>> {
        let [one, two] = [self.entry, other.entry];
        let both = |side: for<'e> fn(&'e RuleEntry<'c>) -> Option<&'e Filter<'c>>| {
            let mut caps: Vec<_> = [one, two]
                .into_iter()
                .flat_map(|it| caps(side(it)))
                .collect();
            caps.sort_unstable();
            caps.dedup();
            caps
        };
        let with = both(|entry| entry.includes.as_ref());
        let without = both(|entry| entry.excludes.as_ref());
        let is_split = |a: &RuleEntry<'_>, b: &RuleEntry<'_>| {
            let [a_in, b_in, b_out] = [&a.includes, &b.includes, &b.excludes].map(Option::as_ref);
            let has_other = |list: Vec<&str>, other: &[&str]| {
                !list.is_empty() && !list.iter().any(|it| other.contains(it))
            };
            let (a_arches, b_arches) = (arches(a_in), arches(b_in));
            let out = arches(b_out);
            (!b_arches.is_empty() && has_other(a_arches.clone(), &b_arches))
                || (!a_arches.is_empty() && a_arches.iter().all(|it| out.contains(it)))
                || (kernel(a_in).is_some() && kernel(a_in) == kernel(b_out))
        };
        let never = with.iter().any(|it| without.contains(it));
        (!never && !is_split(one, two) && !is_split(two, one))
            .then_some(Containers { with, without })
    }

    /// Whether it holds in every container in which `other` does.
    pub(super) fn holds_where(&self, other: &Self) -> bool {
        let within = |list: Vec<&str>, all: Vec<&str>| list.iter().all(|it| all.contains(it));
        let [a_in, a_out] = [&self.entry.includes, &self.entry.excludes].map(Option::as_ref);
        let [b_in, b_out] = [&other.entry.includes, &other.entry.excludes].map(Option::as_ref);
        let (a_arches, b_arches) = (arches(a_in), arches(b_in));
        within(caps(a_in), caps(b_in))
            && within(caps(a_out), caps(b_out))
            && within(arches(a_out), arches(b_out))
            && (a_arches.is_empty() || (!b_arches.is_empty() && within(b_arches, a_arches)))
            && [(a_in, b_in), (a_out, b_out)]
                .iter()
                .all(|&(a, b)| kernel(a).is_none() || kernel(a) == kernel(b))
    }
}

/// A condition as libseccomp keeps it.
fn normal(it: Comparison) -> (u32, Operator, u64, u64) {
    let value_two = match it.operator {
        Operator::MaskedEqual => it.value & it.value_two,
        _ => 0,
    };
    (it.index, it.operator, it.value, value_two)
}

fn caps<'d>(filter: Option<&Filter<'d>>) -> Vec<&'d str> {
    let caps = filter.into_iter().flat_map(|it| &it.caps);
    caps.map(|cap| cap.value).collect()
}

fn arches<'d>(filter: Option<&Filter<'d>>) -> Vec<&'d str> {
    let arches = filter.into_iter().flat_map(|it| &it.arches);
    arches.map(|arch| arch.value).collect()
}

fn kernel<'d>(filter: Option<&Filter<'d>>) -> Option<&'d str> {
    filter?.min_kernel.map(|kernel| kernel.value)
}

/// Containers, by their capabilities.
#[derive(Debug)]
pub(super) struct Containers<'c> {
    /// What they have.
    pub with: Vec<&'c str>,
    /// What they lack.
    pub without: Vec<&'c str>,
}

impl Containers<'_> {
    /// ` in containers with CAP_X and without CAP_Y`; nothing for any container.
    pub(super) fn phrase(&self) -> String {
        let list = |word: &str, caps: &[&str]| match caps {
            [] => String::new(),
            caps => format!(" {word} {}", caps.join(", ")),
        };
        match (list("with", &self.with), list("without", &self.without)) {
            (with, without) if with.is_empty() && without.is_empty() => String::new(),
            (with, without) if with.is_empty() || without.is_empty() => {
                format!(" in containers{with}{without}")
            }
            (with, without) => format!(" in containers{with} and{without}"),
        }
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

/// A call with the arguments that a rule entry looks at: `socket(a0 = 38, a2 = 9)`.
pub(super) fn call_words(name: &str, rival: &Rival<'_>, arguments: &[u64; 6]) -> String {
    let mut indexes: Vec<_> = rival
        .rules
        .iter()
        .flat_map(|rule| rule.iter().map(|it| it.index))
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    let shown: Vec<_> = indexes
        .into_iter()
        .filter_map(|index| Some(format!("a{index} = {}", arguments.get(index as usize)?)))
        .collect();
    if shown.is_empty() {
        format!("`{name}`")
    } else {
        format!("`{name}` with {}", shown.join(", "))
    }
}

//! The policy of one call on one architecture.

use std::borrow::Cow;
use std::collections::HashMap;

use super::conditions::{calls_of, is_void};
use crate::filter::{Diagram, Diagrams, Leaf, TooLarge, Verdict};
use crate::profile::{Action, Comparison, Effect, Operator};

/// A rule on the call.
#[derive(Clone, Debug)]
pub struct CallRule<'r> {
    /// What happens to the call.
    pub effect: Effect,
    /// What its arguments must be; all of it, each argument at most once.
    pub comparisons: Cow<'r, [Comparison]>,
    /// The rule entry that it comes from, counted from 0.
    pub entry: usize,
}

/// What happens to a call, by its arguments.
#[derive(Clone, Debug)]
pub struct CallPolicy<'r> {
    default: Effect,
    bits: u8,
    rules: Vec<CallRule<'r>>,
    /// The rule without conditions that decides.
    unconditional: Option<usize>,
    /// Whether libseccomp may go wrong about these conditions, whatever the arguments.
    is_fragile: bool,
    /// Whether libseccomp may not come to the rules at all.
    is_doubtful: bool,
}

/// The most rules that a rule is told to overlap with.
const MOST_OVERLAPS: usize = 16;

/// What happens to a call with certain arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// This.
    Effect {
        /// What happens.
        effect: Effect,
        /// The first rule that says so, by its place in [`CallPolicy::rules`]; `None` if no rule is
        /// about such arguments, so that the default decides.
        rule: Option<usize>,
    },
    /// It is not known.
    OneOf {
        /// One of these rules decides.
        rules: Vec<usize>,
        /// Or the default.
        or_default: bool,
    },
}

/// What becomes of a rule, whatever the arguments are. Rules are known by their places in
/// [`CallPolicy::rules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It decides where its conditions hold.
    Decides,
    /// It does what the default does, and runtimes pass over it.
    IsDefault,
    /// It is lost to that rule, the first without conditions.
    LostTo(usize),
    /// Its conditions hold for no arguments.
    NeverHolds,
    /// Those rules do something else, and their conditions hold for some of the same arguments:
    /// for these, which one decides is not known. Of very many they are the first.
    Overlaps(Vec<usize>),
}

impl<'r> CallPolicy<'r> {
    /// The policy of rules on one call, in the order in which a runtime adds them, on an
    /// architecture of 32 or 64 `bits`.
    #[must_use]
    pub fn new(default: Effect, bits: u8, rules: Vec<CallRule<'r>>) -> Self {
        let is_unconditional = |rule: &CallRule<'_>| {
            let mut comparisons = rule.comparisons.iter();
            rule.effect != default && comparisons.all(|it| is_void(&it.truncated(bits)))
        };
        let mut policy = Self {
            default,
            bits,
            unconditional: rules.iter().position(is_unconditional),
            rules,
            is_fragile: false,
            is_doubtful: false,
        };
        let kept: Vec<_> = policy.kept().map(|(_, rule)| rule).collect();
        policy.is_fragile = is_fragile(&kept, bits);
        policy
    }

    /// Whether libseccomp may go wrong about these rules, so that any of them or the default may
    /// decide, whatever the arguments are.
    #[must_use]
    pub const fn is_fragile(&self) -> bool {
        self.is_fragile
    }

    /// Makes it known that libseccomp may go wrong about these rules.
    pub(super) const fn set_fragile(&mut self) {
        self.is_fragile = true;
    }

    /// The conditions of the rules that libseccomp keeps which do not ask for a certain value or
    /// certain bits, each as libseccomp has it here.
    pub(super) fn bounds(&self) -> impl Iterator<Item = Bound> {
        let all = self.kept().flat_map(|(_, rule)| rule.comparisons.iter());
        all.filter_map(|it| Bound::of(it, self.bits))
    }

    /// Whether a condition for which that is so stands beside one of another rule on the same
    /// argument.
    pub(super) fn has_beside(&self, mut is_it: impl FnMut(Bound) -> bool) -> bool {
        // How many rules compare each argument.
        let mut rules = [0_usize; 6];
        for (_, rule) in self.kept() {
            for (index, count) in (0..).zip(&mut rules) {
                *count += usize::from(rule.comparisons.iter().any(|it| it.index == index));
            }
        }
        self.kept().any(|(_, rule)| {
            rule.comparisons.iter().any(|one| {
                let is_beside = rules.get(one.index as usize).is_some_and(|&it| it > 1);
                is_beside && Bound::of(one, self.bits).is_some_and(&mut is_it)
            })
        })
    }

    /// Makes it known that libseccomp may not come to the rules at all.
    pub(super) const fn set_doubtful(&mut self) {
        self.is_doubtful = true;
    }

    pub(super) const fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[CallRule<'r>] {
        &self.rules
    }

    /// What happens where no rule decides.
    #[must_use]
    pub const fn default(&self) -> Effect {
        self.default
    }

    pub(super) fn is_unconditional(&self) -> bool {
        self.unconditional.is_some()
    }

    /// The rules that libseccomp keeps, by their places.
    fn kept(&self) -> impl Iterator<Item = (usize, &CallRule<'r>)> {
        let rules = self.rules.iter().enumerate();
        rules.filter(|&(place, rule)| match self.unconditional {
            Some(winner) => place == winner,
            None => rule.effect != self.default,
        })
    }

    fn is_met(&self, rule: &CallRule<'_>, arguments: &[u64; 6]) -> bool {
        rule.comparisons.iter().all(|comparison| {
            let argument = arguments.get(comparison.index as usize);
            let argument = argument.copied().unwrap_or_default();
            let argument = if self.bits == 32 {
                argument & u64::from(u32::MAX)
            } else {
                argument
            };
            comparison.truncated(self.bits).holds(argument)
        })
    }

    /// What may happen to the call with these arguments by what the rules ask for, whether or not
    /// libseccomp goes wrong about them: what each rule says that it keeps and whose conditions they
    /// meet, or the default.
    pub fn asked(&self, arguments: &[u64; 6]) -> impl Iterator<Item = Effect> {
        let mut met = self.kept().filter(|(_, rule)| self.is_met(rule, arguments));
        let first = met.next().map_or(self.default, |(_, rule)| rule.effect);
        std::iter::once(first).chain(met.map(|(_, rule)| rule.effect))
    }

    /// What happens to the call with these arguments.
    #[must_use]
    pub fn decide(&self, arguments: &[u64; 6]) -> Decided {
        let matching = || {
            self.kept()
                .filter(|(_, rule)| self.is_fragile || self.is_met(rule, arguments))
        };
        let or_default = self.is_fragile || self.is_doubtful;
        let mut others = matching();
        match others.next() {
            None => Decided::Effect {
                effect: self.default,
                rule: None,
            },
            Some((place, first))
                if !or_default && others.all(|(_, rule)| rule.effect == first.effect) =>
            {
                Decided::Effect {
                    effect: first.effect,
                    rule: Some(place),
                }
            }
            Some(_) => Decided::OneOf {
                rules: matching().map(|(place, _)| place).collect(),
                or_default,
            },
        }
    }

    /// What becomes of each rule, in their order.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn fates(&self, diagrams: &mut Diagrams) -> Result<Vec<Fate>, TooLarge> {
        let mut sets = Vec::new();
        for (place, rule) in self.kept() {
            let set = calls_of(&rule.comparisons, self.bits, diagrams)?;
            sets.push((place, rule.effect, set));
        }
        // For what each effect's rules hold together.
        let mut effects: Vec<(Effect, Diagram)> = Vec::new();
        for &(_, effect, set) in &sets {
            match effects.iter_mut().find(|(other, _)| *other == effect) {
                Some((_, all)) => *all = diagrams.either(*all, set)?,
                None => effects.push((effect, set)),
            }
        }
        let mut fates = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            // They stand in the order of their places.
            let kept = sets.binary_search_by_key(&place, |(other, ..)| *other);
            let kept = kept.ok().and_then(|kept| sets.get(kept));
            fates.push(match (kept, self.unconditional) {
                (None, _) if rule.effect == self.default => Fate::IsDefault,
                (None, Some(winner)) => Fate::LostTo(winner),
                (None, None) | (Some((_, _, Diagram::NONE)), _) => Fate::NeverHolds,
                (Some(&(_, effect, set)), _) => {
                    let mut overlapped = Vec::new();
                    for &(other, all) in &effects {
                        if other != effect && diagrams.both(set, all)? != Diagram::NONE {
                            overlapped.push(other);
                        }
                    }
                    let mut others = Vec::new();
                    for &(other, other_effect, other_set) in &sets {
                        if others.len() == MOST_OVERLAPS || overlapped.is_empty() {
                            break;
                        }
                        if overlapped.contains(&other_effect)
                            && diagrams.both(set, other_set)? != Diagram::NONE
                        {
                            others.push(other);
                        }
                    }
                    if others.is_empty() {
                        Fate::Decides
                    } else {
                        Fate::Overlaps(others)
                    }
                }
            });
        }
        Ok(fates)
    }

    /// What is decided for all arguments. A leaf is [`Leaf::OneOf`] where that is not known.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn diagram(&self, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
        // What each effect's rules hold for, together.
        let mut effects: Vec<(Effect, Diagram)> = Vec::new();
        for (_, rule) in self.kept() {
            let calls = if self.is_fragile {
                Diagram::ALL
            } else {
                calls_of(&rule.comparisons, self.bits, diagrams)?
            };
            match effects
                .iter_mut()
                .find(|(effect, _)| *effect == rule.effect)
            {
                Some((_, all)) => *all = diagrams.either(*all, calls)?,
                None => effects.push((rule.effect, calls)),
            }
        }
        let default = diagrams.leaf(Leaf::Verdict(verdict(self.default)));
        let mut held = Diagram::NONE;
        let mut decided = default;
        for (effect, calls) in effects {
            let leaf = diagrams.leaf(Leaf::Verdict(verdict(effect)));
            // Where no other holds, this one decides; elsewhere one of them all.
            let several = diagrams.combine(decided, leaf, joined)?;
            let here = diagrams.choose(held, several, leaf)?;
            decided = diagrams.choose(calls, here, decided)?;
            held = diagrams.either(held, calls)?;
        }
        if self.is_fragile || self.is_doubtful {
            decided = diagrams.combine(decided, default, joined)?;
        }
        Ok(decided)
    }
}

/// A condition that does not ask for a certain value. Opposites are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bound {
    argument: u32,
    /// How many of its bits are compared.
    bits: u8,
    kind: BoundKind,
    value: u64,
}

/// What a bound tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum BoundKind {
    /// The value from all others.
    Value,
    /// Those below the value from the value and those above it.
    Below,
    /// The value and those below it from those above it.
    UpTo,
}

impl Bound {
    fn of(comparison: &Comparison, bits: u8) -> Option<Self> {
        let kind = match comparison.operator {
            Operator::NotEqual => BoundKind::Value,
            Operator::Less | Operator::GreaterOrEqual => BoundKind::Below,
            Operator::LessOrEqual | Operator::Greater => BoundKind::UpTo,
            Operator::Equal | Operator::MaskedEqual => return None,
        };
        Some(Self {
            argument: comparison.index,
            bits,
            kind,
            value: comparison.truncated(bits).value,
        })
    }
}

/// What the rules of a call compare one argument with.
#[derive(Default)]
struct Compared {
    /// How many rules do.
    rules: usize,
    /// How many of them have more conditions.
    with_more: usize,
    /// How many of those ask all for certain values, by the value here and the effect.
    for_values: HashMap<u64, Vec<(Effect, usize)>>,
    /// The upper half of what it is compared with, first.
    upper: Option<u64>,
    /// Whether it is compared with another upper half as well.
    has_several: bool,
}

/// Whether libseccomp's program may go wrong. That is so, up to 2.6.1 at least, where two rules
/// compare one argument, not both for a certain value or certain bits of it, and one of them has
/// more conditions, or the upper halves of what the argument is compared with differ: what follows
/// a test compares a word that has been replaced since, or is left out.
fn is_fragile(rules: &[&CallRule<'_>], bits: u8) -> bool {
    let asks_for_value =
        |it: &Comparison| matches!(it.operator, Operator::Equal | Operator::MaskedEqual);
    let mut all = rules.iter().flat_map(|rule| rule.comparisons.iter());
    if rules.len() < 2 || all.all(asks_for_value) {
        return false;
    }
    // There may be tens of thousands of rules, so that no two are compared with each other.
    let mut compared: [Compared; 6] = Default::default();
    for rule in rules {
        let has_more = rule.comparisons.len() > 1;
        let mut comparisons = rule.comparisons.iter();
        let is_for_values = comparisons.all(|it| it.operator == Operator::Equal);
        for it in rule.comparisons.iter() {
            let Some(all) = compared.get_mut(it.index as usize) else {
                continue;
            };
            all.rules += 1;
            let upper = it.value >> 32;
            all.has_several |= *all.upper.get_or_insert(upper) != upper;
            if has_more {
                all.with_more += 1;
                if is_for_values {
                    let effects = all.for_values.entry(it.value).or_default();
                    match effects.iter_mut().find(|(other, _)| *other == rule.effect) {
                        Some((_, count)) => *count += 1,
                        None => effects.push((rule.effect, 1)),
                    }
                }
            }
        }
    }
    let goes_wrong = |rule: &CallRule<'_>, one: &Comparison| {
        let Some(others) = compared.get(one.index as usize) else {
            return false;
        };
        if asks_for_value(one) {
            return false;
        }
        if rule.comparisons.len() > 1 {
            return others.rules > 1;
        }
        // The two sides of one test, which nothing is pruned from, as the effects differ. Where the
        // other rule asks for more than certain values, what it asks for can be lost all the same.
        let is_test = one.operator == Operator::NotEqual;
        let opposite = others.for_values.get(&one.value).filter(|_| is_test);
        let opposite = opposite.into_iter().flatten();
        let opposite = opposite.filter(|(effect, _)| *effect != rule.effect);
        let opposite: usize = opposite.map(|(_, count)| count).sum();
        let is_above = matches!(one.operator, Operator::Greater | Operator::GreaterOrEqual);
        others.with_more > opposite || bits == 64 && !is_above && others.has_several
    };
    let mut rules = rules.iter();
    rules.any(|rule| rule.comparisons.iter().any(|one| goes_wrong(rule, one)))
}

/// What is decided where one of two is.
fn joined(one: &Leaf, other: &Leaf) -> Leaf {
    let all = |leaf: &Leaf| match leaf {
        Leaf::Verdict(verdict) => vec![*verdict],
        Leaf::OneOf(verdicts) => verdicts.clone(),
        Leaf::Outside | Leaf::Inside => Vec::new(),
    };
    let mut verdicts = all(one);
    verdicts.extend(all(other));
    verdicts.sort_unstable();
    verdicts.dedup();
    match verdicts[..] {
        [verdict] => Leaf::Verdict(verdict),
        _ => Leaf::OneOf(verdicts),
    }
}

/// What a filter returns for an effect.
#[must_use]
pub fn verdict(effect: Effect) -> Verdict {
    Verdict {
        action: effect.action,
        data: match effect.action {
            Action::Errno | Action::Trace => effect.errno,
            _ => 0,
        },
        is_known: true,
    }
}

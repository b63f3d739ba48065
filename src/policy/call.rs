//! The policy of one call on one architecture.

use std::borrow::Cow;

use super::conditions::{calls_of, is_void, truncated};
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
    /// for these, which one decides is not known.
    Overlaps(Vec<usize>),
}

impl<'r> CallPolicy<'r> {
    /// The policy of rules on one call, in the order in which a runtime adds them, on an
    /// architecture of 32 or 64 `bits`.
    #[must_use]
    pub fn new(default: Effect, bits: u8, rules: Vec<CallRule<'r>>) -> Self {
        let is_unconditional = |rule: &CallRule<'_>| {
            let mut comparisons = rule.comparisons.iter();
            rule.effect != default && comparisons.all(|&it| is_void(&truncated(it, bits)))
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

    /// What happens to the call with these arguments.
    #[must_use]
    pub fn decide(&self, arguments: &[u64; 6]) -> Decided {
        let holds = |comparison: &Comparison| {
            let argument = arguments.get(comparison.index as usize);
            let argument = argument.copied().unwrap_or_default();
            let argument = if self.bits == 32 {
                argument & u64::from(u32::MAX)
            } else {
                argument
            };
            truncated(*comparison, self.bits).holds(argument)
        };
        let matching = self
            .kept()
            .filter(|(_, rule)| self.is_fragile || rule.comparisons.iter().all(holds));
        let matching: Vec<_> = matching.collect();
        let or_default = self.is_fragile || self.is_doubtful;
        match matching.first() {
            None => Decided::Effect {
                effect: self.default,
                rule: None,
            },
            Some(&(place, first))
                if !or_default && matching.iter().all(|(_, rule)| rule.effect == first.effect) =>
            {
                Decided::Effect {
                    effect: first.effect,
                    rule: Some(place),
                }
            }
            Some(_) => Decided::OneOf {
                rules: matching.into_iter().map(|(place, _)| place).collect(),
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
        let mut fates = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let kept = sets.iter().find(|(other, ..)| *other == place);
            fates.push(match (kept, self.unconditional) {
                (None, _) if rule.effect == self.default => Fate::IsDefault,
                (None, Some(winner)) => Fate::LostTo(winner),
                (None, None) | (Some((_, _, Diagram::NONE)), _) => Fate::NeverHolds,
                (Some(&(_, effect, set)), _) => {
                    let mut others = Vec::new();
                    for &(other, other_effect, other_set) in &sets {
                        if other_effect != effect && diagrams.both(set, other_set)? != Diagram::NONE
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

/// Whether libseccomp's program may go wrong. That is so, up to 2.6.1 at least, where two rules
/// compare one argument, not both for a certain value or certain bits of it, and one of them has
/// more conditions, or the upper halves of what the argument is compared with differ: what follows
/// a test compares a word that has been replaced since, or is left out.
fn is_fragile(rules: &[&CallRule<'_>], bits: u8) -> bool {
    /// A condition, and the rule that it is of.
    type Condition<'r> = (&'r CallRule<'r>, &'r Comparison);
    let is_certain = |comparison: &Comparison| {
        matches!(comparison.operator, Operator::Equal | Operator::MaskedEqual)
    };
    let is_above = |comparison: &Comparison| {
        matches!(
            comparison.operator,
            Operator::Greater | Operator::GreaterOrEqual
        )
    };
    // The two sides of one test, which nothing is pruned from, as the effects differ.
    let are_opposite = |(rule, one): Condition<'_>, (other_rule, other): Condition<'_>| {
        one.operator == Operator::NotEqual
            && other.operator == Operator::Equal
            && one.value == other.value
            && rule.comparisons.len() == 1
            && rule.effect != other_rule.effect
    };
    let goes_wrong = |(rule, one): Condition<'_>, (other_rule, other): Condition<'_>| {
        if one.index != other.index
            || is_certain(one)
            || are_opposite((rule, one), (other_rule, other))
        {
            return false;
        }
        let is_other_word = bits == 64 && one.value >> 32 != other.value >> 32;
        let has_more = |rule: &CallRule<'_>| rule.comparisons.len() > 1;
        has_more(rule) || has_more(other_rule) || is_other_word && !is_above(one)
    };
    let conditions = |place: usize| {
        let rule = rules.get(place).copied();
        rule.into_iter().flat_map(|rule| {
            rule.comparisons
                .iter()
                .map(move |comparison| (rule, comparison))
        })
    };
    let places = 0..rules.len();
    places.clone().any(|place| {
        let others = places.clone().filter(|&other| other != place);
        let mut others = others.flat_map(conditions);
        others.any(|other| conditions(place).any(|one| goes_wrong(one, other)))
    })
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

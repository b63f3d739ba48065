//! What libseccomp refuses while a runtime adds rules, and what a call meets in the end.
//!
//! Source: measured with libseccomp 2.5.4, 2.6.0 and 2.6.1. Left out: rules of several conditions
//! that overlap in part can be refused as well, depending on libseccomp's inner order, and where
//! rules stand on both sides of one test, it may have taken out what another would collide with.
//! Of 20,000 sections that nobody would write it was 83 and 2, with 2.5.4.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::plan::{Plan, Rule};
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::syscalls::{Arch, Syscall};

/// libseccomp's errno for a call that failed, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errno {
    /// `EINVAL`
    Invalid,
    /// `EEXIST`: the same conditions lead elsewhere already.
    Exists,
    /// `EDOM`: an architecture of the other byte order.
    Domain,
}

impl Errno {
    /// What `strerror` says.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid argument",
            Self::Exists => "File exists",
            Self::Domain => "Numerical argument out of domain",
        }
    }

    /// What libseccomp's bindings for Go say of the same number.
    pub(super) const fn go_words(self) -> &'static str {
        match self {
            // Whatever was invalid.
            Self::Invalid => "two checks on same syscall argument",
            Self::Exists => "file exists",
            Self::Domain => "numerical argument out of domain",
        }
    }
}

/// A filter that is being made.
pub(super) struct Context {
    plan: Plan,
    /// By architecture and number.
    calls: HashMap<(Arch, u32), Chains>,
}

/// What was added for a call.
enum Chains {
    /// A rule without conditions, so that no other counts.
    Unconditional,
    /// Rules with conditions.
    Conditional(Tree),
}

/// Rules with conditions, as libseccomp keeps them.
#[derive(Default)]
struct Tree {
    /// By conditions what they lead to.
    chains: BTreeMap<Vec<Link>, Effect>,
    /// The conditions of each, the last one first.
    reversed: BTreeSet<Vec<Link>>,
}

impl Chains {
    /// Adds conditions that lead to an effect; whether the same is not there already.
    fn add(&mut self, chain: Vec<Link>, effect: Effect, bits: u8) -> Result<bool, Errno> {
        match self {
            Self::Unconditional => Ok(true),
            Self::Conditional(_) if chain.is_empty() => {
                *self = Self::Unconditional;
                Ok(true)
            }
            Self::Conditional(tree) => tree.add(chain, effect, bits),
        }
    }
}

impl Tree {
    fn add(&mut self, chain: Vec<Link>, effect: Effect, bits: u8) -> Result<bool, Errno> {
        if self.chains.get(&chain) == Some(&effect) {
            return Ok(false);
        }
        let does_so =
            |chains: &BTreeMap<_, Effect>, part: &[Link]| chains.get(part) == Some(&effect);
        // Those that do the same under more conditions, after which this one's come, are taken out;
        let backwards: Vec<_> = chain.iter().rev().copied().collect();
        let longer = beginning_with(&self.reversed, &backwards);
        let longer = longer.map(|it| it.iter().rev().copied().collect::<Vec<_>>());
        for longer in longer.collect::<Vec<_>>() {
            if does_so(&self.chains, &longer) {
                self.remove(&longer);
            }
        }
        // and this one is not put in where another does the same under the last of its conditions.
        if (1..chain.len()).any(|first| does_so(&self.chains, &chain[first..])) {
            return Ok(true);
        }
        let longer = self.chains.range(chain.clone()..);
        let longer = longer.take_while(|(other, _)| other.starts_with(&chain));
        let mut same = Vec::new();
        for (other, it) in longer {
            if *it != effect {
                return Err(Errno::Exists);
            }
            same.push(other.clone());
        }
        // Arguments of 64 bits are compared in two halves.
        if bits == 64 && self.leads_elsewhere(&chain, effect) {
            return Err(Errno::Exists);
        }
        // It is lost where another has the first of its conditions only.
        if !(1..chain.len()).any(|length| self.chains.contains_key(&chain[..length])) {
            for other in &same {
                self.remove(other);
            }
            self.reversed.insert(backwards);
            self.chains.insert(chain, effect);
        }
        Ok(true)
    }

    /// Whether the last of a chain's conditions leads elsewhere already where those before it
    /// [share a way](Link::shares_way), or shares one itself with one that has more after it.
    fn leads_elsewhere(&self, chain: &[Link], effect: Effect) -> bool {
        let Some((last, before)) = chain.split_last() else {
            return false;
        };
        let has_way = |links: &[Link]| links.iter().any(|it| it.way().is_some());
        if !has_way(chain) {
            return false;
        }
        self.chains.iter().any(|(other, it)| {
            let mut pairs = before.iter().zip(other);
            let leads = other.get(before.len()).is_some_and(|there| {
                let has_more = other.len() > chain.len();
                (last == there && has_way(before)) || (has_more && last.shares_way(*there))
            });
            *it != effect && leads && pairs.all(|(one, other)| one.shares_way(*other))
        })
    }

    fn remove(&mut self, chain: &[Link]) {
        self.chains.remove(chain);
        let backwards: Vec<_> = chain.iter().rev().copied().collect();
        self.reversed.remove(&backwards);
    }
}

/// The longer ones of a set that begin with a chain, which follow it there.
fn beginning_with<'s>(
    set: &'s BTreeSet<Vec<Link>>,
    chain: &'s [Link],
) -> impl Iterator<Item = &'s Vec<Link>> {
    let following = set.range(chain.to_vec()..);
    let longer = following.take_while(move |other| other.starts_with(chain));
    longer.filter(move |other| other.len() > chain.len())
}

/// A condition as libseccomp keeps it: three of the operators are the opposites of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Link {
    index: u32,
    operator: u8,
    mask: u64,
    value: u64,
    is_true: bool,
}

impl Link {
    /// `None` for a condition that always holds, as libseccomp sees it.
    fn of(comparison: &Comparison) -> Option<Self> {
        let (operator, is_true) = match comparison.operator {
            Operator::Equal => (0, true),
            Operator::NotEqual => (0, false),
            Operator::GreaterOrEqual => (1, true),
            Operator::Less => (1, false),
            Operator::Greater => (2, true),
            Operator::LessOrEqual => (2, false),
            Operator::MaskedEqual => (3, true),
        };
        let (mask, value) = match comparison.operator {
            Operator::MaskedEqual => (comparison.value, comparison.value_two & comparison.value),
            _ => (u64::MAX, comparison.value),
        };
        (mask != 0).then_some(Self {
            index: comparison.index,
            operator,
            mask,
            value,
            is_true,
        })
    }

    /// The kind of a condition that the upper half of an argument can meet alone: an inequality, or a
    /// range to either side. `None` for others.
    fn way(self) -> Option<(bool, bool)> {
        match (self.operator, self.is_true) {
            (0, false) => Some((true, false)),
            (1 | 2, is_true) => Some((false, is_true)),
            _ => None,
        }
    }

    /// Whether some way through both is the same to libseccomp, which compares the upper half first.
    fn shares_way(self, other: Self) -> bool {
        let upper = |it: Self| (it.index, it.value >> 32, it.way());
        self == other || (self.way().is_some() && upper(self) == upper(other))
    }
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// This, whatever else its arguments are.
    Effect(Effect),
    /// It depends on arguments that are not known, or on libseccomp's inner order.
    Depends,
}

/// The errnos that libseccomp takes are below this.
const ERRNO_LIMIT: u16 = 4095;

const fn is_valid(effect: Effect) -> bool {
    !matches!(effect.action, Action::Errno) || effect.errno < ERRNO_LIMIT
}

impl Context {
    /// `None` where `seccomp_init` gives none.
    pub(super) fn new(default: Effect, native: Arch) -> Option<Self> {
        is_valid(default).then(|| Self {
            plan: Plan {
                default,
                native,
                architectures: Vec::new(),
                rules: Vec::new(),
                stub: None,
                is_tree: false,
            },
            calls: HashMap::new(),
        })
    }

    /// `seccomp_arch_add`; one that is there already stays.
    pub(super) fn add_arch(&mut self, arch: Arch) -> Result<(), Errno> {
        if arch.is_little_endian() != self.plan.native.is_little_endian() {
            return Err(Errno::Domain);
        }
        if arch != self.plan.native && !self.plan.architectures.contains(&arch) {
            self.plan.architectures.push(arch);
        }
        Ok(())
    }

    /// `seccomp_rule_add_array`.
    pub(super) fn add_rule(&mut self, rule: Rule) -> Result<(), Errno> {
        let comparisons = &rule.comparisons;
        if !is_valid(rule.effect) || comparisons.iter().any(|it| it.index > 5) {
            return Err(Errno::Invalid);
        }
        let arches = &self.plan.architectures;
        // A name that no architecture of the filter has leaves nothing to collide with.
        let (mut is_new, mut is_anywhere) = (false, false);
        for arch in std::iter::once(self.plan.native).chain(arches.iter().copied()) {
            let mut add = |number, comparisons: &[Comparison]| {
                let none = || Chains::Conditional(Tree::default());
                let chains = self.calls.entry((arch, number)).or_insert_with(none);
                is_anywhere = true;
                let chain = chain(comparisons, arch.bits());
                is_new |= chains.add(chain, rule.effect, arch.bits())?;
                Ok(())
            };
            if let Some((number, comparisons)) = rule.carried(arch) {
                add(number, &comparisons)?;
            }
            if let Some(number) = rule.syscall.direct_number(arch) {
                add(number, comparisons)?;
            }
        }
        // The same once more changes nothing, and there may be many.
        if is_new || !is_anywhere {
            self.plan.rules.push(rule);
        }
        Ok(())
    }

    /// The plan that was carried out.
    pub(super) fn finish(self) -> Plan {
        self.plan
    }
}

/// Whether libseccomp refuses one of these rules on a call because of one before it, on architectures
/// of so many bits that have a number for the call.
pub(crate) fn collide<'r>(
    bits: u8,
    rules: impl IntoIterator<Item = (&'r [Comparison], Effect)>,
) -> bool {
    let rules = rules.into_iter();
    let rules: Vec<_> = rules
        .map(|(it, effect)| (chain(it, bits), effect))
        .collect();
    // Most have nothing in common.
    let may_collide = |(place, (later, effect)): (usize, &(Vec<Link>, Effect))| {
        let earlier = rules.iter().take(place).filter(|(_, it)| it != effect);
        let mut earlier = earlier.filter(|(it, _)| it.len() >= later.len());
        earlier.any(|(it, _)| {
            it.iter()
                .zip(later)
                .all(|(one, other)| one.shares_way(*other))
        })
    };
    if !rules.iter().enumerate().any(may_collide) {
        return false;
    }
    let mut chains = Chains::Conditional(Tree::default());
    let mut rules = rules.into_iter();
    rules.any(|(chain, effect)| chains.add(chain, effect, bits).is_err())
}

/// The conditions of a rule in libseccomp's order.
fn chain(comparisons: &[Comparison], bits: u8) -> Vec<Link> {
    let links = comparisons.iter();
    let mut chain: Vec<_> = links
        .filter_map(|it| Link::of(&it.truncated(bits)))
        .collect();
    chain.sort_unstable();
    chain
}

impl Plan {
    /// What a call on the host's own architecture meets, whatever its arguments are.
    pub(super) fn meets(&self, syscall: &'static Syscall) -> Met {
        const ENOSYS: Effect = Effect {
            action: Action::Errno,
            errno: 38,
        };
        let number = syscall.direct_number(self.native);
        let largest = self
            .stub
            .as_ref()
            .and_then(|stub| stub.largest(self.native));
        if let (Some(number), Some(largest)) = (number, largest)
            && number > largest
        {
            return Met::Effect(ENOSYS);
        }
        let rules = self.rules.iter().filter(|rule| rule.syscall == syscall);
        let is_unconditional =
            |rule: &&Rule| rule.comparisons.iter().all(|it| Link::of(it).is_none());
        if let Some(rule) = rules.clone().find(is_unconditional) {
            return Met::Effect(rule.effect);
        }
        // Never in the way; always, which libseccomp does not see; or now and then.
        let mut rules = rules.filter(|rule| !rule.comparisons.iter().any(never_holds));
        let Some(first) = rules.next() else {
            return Met::Effect(self.default);
        };
        if first.comparisons.iter().all(always_holds) && rules.all(|it| it.effect == first.effect) {
            return Met::Effect(first.effect);
        }
        Met::Depends
    }
}

/// Whether a condition holds for every argument of 64 bits.
fn always_holds(comparison: &Comparison) -> bool {
    match comparison.operator {
        Operator::GreaterOrEqual | Operator::MaskedEqual => comparison.value == 0,
        Operator::LessOrEqual => comparison.value == u64::MAX,
        _ => false,
    }
}

/// Whether it holds for none.
fn never_holds(comparison: &Comparison) -> bool {
    match comparison.operator {
        Operator::Less => comparison.value == 0,
        Operator::Greater => comparison.value == u64::MAX,
        _ => false,
    }
}

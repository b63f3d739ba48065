//! The policy of a whole plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::call::{CallPolicy, CallRule, Decided, verdict};
use crate::filter::{
    Call, CompileError, Diagram, Diagrams, Field, Filter, Leaf, TooLarge, compile, enosys,
};
use crate::profile::{Action, Effect};
use crate::runtime::{Plan, Rule};
use crate::syscalls::Arch;

/// What a plan means.
#[derive(Clone, Debug)]
pub struct Policy<'p> {
    plan: &'p Plan,
    /// By architecture of the filter and number the calls that rules are about.
    calls: BTreeMap<(Arch, u32), CallPolicy<'p>>,
}

/// What decides about a call.
#[derive(Clone, Debug)]
pub enum Place<'p> {
    /// The filter has no such architecture: the thread is killed.
    OtherArchitecture,
    /// runc's stub: the call gets `ENOSYS`.
    Stub(Effect),
    /// The rules on the call.
    Call(&'p CallPolicy<'p>, Decided),
    /// The default, since no rule is about it.
    Default(Effect),
}

/// What libseccomp does with calls of architectures that the filter does not have, unless it is
/// told otherwise, which no runtime does.
const OTHER_ARCHITECTURE: Effect = Effect {
    action: Action::KillThread,
    errno: 0,
};

/// The number that stands for a call which a tracer took away. x86-64's filters let it pass where
/// they do not let x32's numbers pass.
const NO_CALL: u32 = u32::MAX;

impl<'p> Policy<'p> {
    /// What a plan means.
    #[must_use]
    pub fn of(plan: &'p Plan) -> Self {
        let mut rules: BTreeMap<(Arch, u32), Vec<CallRule<'p>>> = BTreeMap::new();
        for rule in &plan.rules {
            for arch in arches(plan) {
                let mut add = |number, comparisons| {
                    rules.entry((arch, number)).or_default().push(CallRule {
                        effect: rule.effect,
                        comparisons,
                        entry: rule.entry,
                    });
                };
                if let Some(number) = rule.syscall.direct_number(arch) {
                    add(number, Cow::Borrowed(&*rule.comparisons));
                }
                if let Some((number, comparisons)) = rule.carried(arch) {
                    add(number, Cow::Owned(comparisons));
                }
            }
        }
        let calls = rules.into_iter().map(|((arch, number), rules)| {
            let policy = CallPolicy::new(plan.default, arch.bits(), rules);
            ((arch, number), policy)
        });
        let mut calls: BTreeMap<_, _> = calls.collect();
        mark_shared(&mut calls);
        let range = |arch| (arch, 0)..=(arch, u32::MAX);
        let is_doubtful = |arch: &Arch| {
            let mut calls = calls.range(range(*arch));
            may_not_load(plan, *arch) && !calls.any(|(_, call)| call.is_unconditional())
        };
        let doubtful: Vec<_> = arches(plan).filter(is_doubtful).collect();
        for arch in arches(plan) {
            // x86-64 and x32 are one part of the filter.
            let is_same = |other: &Arch| other.audit_arch() == arch.audit_arch();
            if doubtful.iter().any(is_same) {
                let calls = calls.range_mut(range(arch));
                calls.for_each(|(_, call)| call.set_doubtful());
            }
        }
        Self { plan, calls }
    }

    /// The calls that rules are about, by architecture and number. A rule on a call that is carried
    /// by another is about both.
    pub fn calls(&self) -> impl Iterator<Item = (Arch, u32, &CallPolicy<'p>)> {
        let calls = self.calls.iter();
        calls.map(|(&(arch, number), policy)| (arch, number, policy))
    }

    /// The rules on the call that has this number on an architecture of the filter, if there are
    /// any.
    #[must_use]
    pub fn call(&self, arch: Arch, number: u32) -> Option<&CallPolicy<'p>> {
        self.calls.get(&(arch, number))
    }

    /// The plan without the rules on calls of which is known what is decided. libseccomp's program
    /// asks about one call after the other, so that the rest comes to the same in its filter: that
    /// of the whole plan takes ten times as long to make and to read.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn open(&self) -> Result<Cow<'p, Plan>, TooLarge> {
        let mut diagrams = Diagrams::default();
        let mut open = BTreeSet::new();
        for (&place, call) in &self.calls {
            let decided = call.diagram(&mut diagrams)?;
            let mut leaves = diagrams.leaves(decided).into_iter();
            if leaves.any(|leaf| matches!(leaf, Leaf::OneOf(_))) {
                open.insert(place);
            }
        }
        let mut plan = self.plan.clone();
        plan.rules.retain(|rule| {
            arches(self.plan).any(|arch| {
                let carrier = rule.carried(arch).map(|(number, _)| number);
                let mut numbers = rule.syscall.direct_number(arch).into_iter().chain(carrier);
                numbers.any(|number| open.contains(&(arch, number)))
            })
        });
        // Whether the rules are come to at all depends on all of them.
        let is_doubtful = |policy: &Policy<'_>| policy.calls.values().any(CallPolicy::is_doubtful);
        if is_doubtful(self) || is_doubtful(&Policy::of(&plan)) {
            return Ok(Cow::Borrowed(self.plan));
        }
        Ok(Cow::Owned(plan))
    }

    /// The filter that the linked libseccomp makes of the rules on calls of which is not known what is
    /// decided, or of the whole plan where it does not add these rules without the others.
    ///
    /// # Errors
    /// If libseccomp does not make the filter.
    pub fn open_filter(&self) -> Result<Filter, CompileError> {
        match self.open() {
            Ok(Cow::Owned(open)) => match compile(&open) {
                Err(CompileError::Rule { .. }) => compile(self.plan),
                made => made,
            },
            Ok(Cow::Borrowed(_)) | Err(_) => compile(self.plan),
        }
    }

    /// What decides about a call.
    #[must_use]
    pub fn decide(&self, call: &Call) -> Place<'_> {
        let number = call.number;
        let here = arches(self.plan).filter(|arch| arch.audit_arch() == call.architecture);
        match self.who(&here.collect::<Vec<_>>(), number) {
            Who::Stub => Place::Stub(self.enosys()),
            Who::Nobody => Place::OtherArchitecture,
            Who::Filter(arch) => match self.calls.get(&(arch, number)) {
                Some(policy) => Place::Call(policy, policy.decide(&call.arguments)),
                None => Place::Default(self.plan.default),
            },
        }
    }

    /// Who decides about a number, where the filter has these architectures with the same
    /// `AUDIT_ARCH_*` value.
    fn who(&self, here: &[Arch], number: u32) -> Who {
        if here.iter().any(|&arch| self.is_cut_off(arch, number)) {
            return Who::Stub;
        }
        let of = here.iter().find(|&&arch| is_of(arch, number, here));
        of.map_or(Who::Nobody, |&arch| Who::Filter(arch))
    }

    /// Whether runc's stub says that there is no such call.
    fn is_cut_off(&self, arch: Arch, number: u32) -> bool {
        let stub = self.plan.stub.as_ref();
        stub.and_then(|stub| stub.largest(arch))
            .is_some_and(|largest| {
                let has_bit = number & Arch::X32_BIT != 0;
                match arch {
                    Arch::X86_64 => !has_bit && number > largest,
                    Arch::X32 => has_bit && number > largest,
                    // Calls that the kernel does not know come by number 0 there.
                    Arch::S390 | Arch::S390X => number == 0 || number > largest,
                    _ => number > largest,
                }
            })
    }

    fn enosys(&self) -> Effect {
        Effect::new(Action::Errno, Some(enosys(self.plan.native).into()))
    }

    /// What is decided for all calls. A leaf is [`Leaf::OneOf`] where that is not known.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn diagram(&self, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
        let mut leaf = |effect| diagrams.leaf(Leaf::Verdict(verdict(effect)));
        let other = leaf(OTHER_ARCHITECTURE);
        let default = leaf(self.plan.default);
        let enosys = leaf(self.enosys());
        let mut values: Vec<_> = arches(self.plan).map(Arch::audit_arch).collect();
        values.sort_unstable();
        values.dedup();
        let mut all = vec![(0, other)];
        for value in values {
            let here: Vec<_> = arches(self.plan)
                .filter(|arch| arch.audit_arch() == value)
                .collect();
            let mut numbers = Vec::new();
            for number in self.borders(&here) {
                let decided = match self.who(&here, number) {
                    Who::Stub => enosys,
                    Who::Nobody => other,
                    Who::Filter(arch) => match self.calls.get(&(arch, number)) {
                        Some(policy) => policy.diagram(diagrams)?,
                        None => default,
                    },
                };
                numbers.push((number, decided));
            }
            all.push((value, diagrams.by_ranges(Field::Number, &numbers)?));
            all.extend(value.checked_add(1).map(|next| (next, other)));
        }
        // Of two for one value the later one is meant.
        all.dedup_by(|next, last| {
            let is_same = next.0 == last.0;
            if is_same {
                last.1 = next.1;
            }
            is_same
        });
        diagrams.by_ranges(Field::Architecture, &all)
    }

    /// The numbers from which on something else may be decided, up to the next one, where the
    /// filter has these architectures with the same `AUDIT_ARCH_*` value.
    fn borders(&self, here: &[Arch]) -> BTreeSet<u32> {
        // The stub asks for the bit of x32's calls alone, and numbers have another one above it.
        let mut borders: BTreeSet<_> = (0..4).map(|times| times * Arch::X32_BIT).collect();
        borders.insert(NO_CALL);
        for &arch in here {
            let calls = self.calls.range((arch, 0)..=(arch, u32::MAX));
            let numbers = calls.map(|(&(_, number), _)| number);
            // runc's stub says of number 0 alone, too, that there is no such call.
            let largest = self.plan.stub.as_ref().and_then(|stub| stub.largest(arch));
            for number in numbers.chain(largest).chain([0]) {
                borders.insert(number);
                borders.extend(number.checked_add(1));
            }
        }
        borders
    }
}

/// Who decides about a number.
enum Who {
    /// runc's stub.
    Stub,
    /// The part of the filter that is for this architecture.
    Filter(Arch),
    /// No part of it.
    Nobody,
}

/// The architectures of a plan's filter, the host's own first.
fn arches(plan: &Plan) -> impl Iterator<Item = Arch> {
    std::iter::once(plan.native).chain(plan.architectures.iter().copied())
}

/// Whether the part of the filter for an architecture may not load the number before it compares
/// it, so that no rule is ever met. libseccomp, up to 2.6.1 at least, loads it where it looks at the
/// first of the calls, those with the fewest conditions first; but if that call has no number there,
/// nothing looks at it. Only on x86-64 the number is loaded before that, to tell x32's apart.
fn may_not_load(plan: &Plan, arch: Arch) -> bool {
    let is_told_apart = arch == Arch::X86_64 && !arches(plan).any(|other| other == Arch::X32);
    let has_no_number = |rule: &Rule| rule.syscall.direct_number(arch).is_none();
    !is_told_apart && plan.rules.iter().any(has_no_number)
}

/// Whether a number is one of an architecture's, where its filter has these with the same
/// `AUDIT_ARCH_*` value.
fn is_of(arch: Arch, number: u32, all: &[Arch]) -> bool {
    let has_bit = number >= Arch::X32_BIT;
    match arch {
        Arch::X86_64 => !has_bit || number == NO_CALL && all.len() == 1,
        Arch::X32 => has_bit,
        _ => true,
    }
}

/// Marks the calls that share conditions with those that libseccomp may go wrong about: up to 2.6.1
/// at least, both have one part of the program, in which a word that one of them has at hand is not
/// loaded for the other.
fn mark_shared(calls: &mut BTreeMap<(Arch, u32), CallPolicy<'_>>) {
    let fragile = calls.values().filter(|call| call.is_fragile());
    let shared: HashSet<_> = fragile.flat_map(CallPolicy::bounds).collect();
    if shared.is_empty() {
        return;
    }
    for call in calls.values_mut() {
        if call.has_beside(|bound| shared.contains(&bound)) {
            call.set_fragile();
        }
    }
}

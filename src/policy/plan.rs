//! The policy of a whole plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::call::{CallPolicy, CallRule, Decided, verdict};
use crate::filter::{Call, Diagram, Diagrams, Field, Leaf, Test, TooLarge, enosys};
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

    /// What decides about a call.
    #[must_use]
    pub fn decide(&self, call: &Call) -> Place<'_> {
        let number = call.number;
        let arches = arches(self.plan).filter(|arch| arch.audit_arch() == call.architecture);
        let arches: Vec<_> = arches.collect();
        if arches.iter().any(|&arch| self.is_cut_off(arch, number)) {
            return Place::Stub(self.enosys());
        }
        let Some(&arch) = arches.iter().find(|&&arch| is_of(arch, number, &arches)) else {
            return Place::OtherArchitecture;
        };
        match self.calls.get(&(arch, number)) {
            Some(policy) => Place::Call(policy, policy.decide(&call.arguments)),
            None => Place::Default(self.plan.default),
        }
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
        let mut all = other;
        for arch in arches(self.plan) {
            let twin = match arch {
                Arch::X86_64 => Some(Arch::X32),
                Arch::X32 => Some(Arch::X86_64),
                _ => None,
            };
            let has_twin = arches(self.plan).any(|other| Some(other) == twin);
            if arch == Arch::X32 && has_twin {
                // Done with the other one.
                continue;
            }
            let has_bit =
                diagrams.calls(Field::Number, u32::MAX, Test::GreaterOrEqual, Arch::X32_BIT)?;
            let mut numbers = default;
            match arch {
                Arch::X86_64 if !has_twin => {
                    let none = is_number(NO_CALL, diagrams)?;
                    let with_bit = diagrams.choose(none, default, other)?;
                    numbers = diagrams.choose(has_bit, with_bit, default)?;
                }
                Arch::X32 => numbers = diagrams.choose(has_bit, default, other)?,
                _ => {}
            }
            let both = [Some(arch), twin.filter(|_| has_twin)];
            for arch in both.into_iter().flatten() {
                let range = (arch, 0)..=(arch, u32::MAX);
                for (&(_, number), policy) in self.calls.range(range) {
                    let set = is_number(number, diagrams)?;
                    let decided = policy.diagram(diagrams)?;
                    numbers = diagrams.choose(set, decided, numbers)?;
                }
            }
            for arch in both.into_iter().flatten() {
                let cut_off = self.cut_off(arch, diagrams)?;
                numbers = diagrams.choose(cut_off, enosys, numbers)?;
            }
            let value = arch.audit_arch();
            let set = diagrams.calls(Field::Architecture, u32::MAX, Test::Equal, value)?;
            all = diagrams.choose(set, numbers, all)?;
        }
        Ok(all)
    }

    /// The calls for which [`Self::is_cut_off`] is so.
    fn cut_off(&self, arch: Arch, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
        let stub = self.plan.stub.as_ref();
        let Some(largest) = stub.and_then(|stub| stub.largest(arch)) else {
            return Ok(Diagram::NONE);
        };
        let above = diagrams.calls(Field::Number, u32::MAX, Test::Greater, largest)?;
        let has_bit = diagrams.calls(Field::Number, u32::MAX, Test::AnyBit, Arch::X32_BIT)?;
        match arch {
            Arch::X86_64 => diagrams.choose(has_bit, Diagram::NONE, above),
            Arch::X32 => diagrams.both(has_bit, above),
            Arch::S390 | Arch::S390X => {
                let zero = is_number(0, diagrams)?;
                diagrams.either(zero, above)
            }
            _ => Ok(above),
        }
    }
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

fn is_number(number: u32, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
    diagrams.calls(Field::Number, u32::MAX, Test::Equal, number)
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

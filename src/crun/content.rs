//! Whether entries are what their configurations ask for.
//!
//! A configuration's section is planned as crun plans it. Where the linked libseccomp is of the
//! release that the entry was made with, it makes of the plan the filter that crun would make, and
//! the entry is compared with that: by its bytes, then by what both decide for all calls. Elsewhere
//! it is compared with what the plan means. Whoever can write to the cache, or start containers, can
//! make all of this costly on purpose, so that the time for it is limited.

use std::time::{Duration, Instant};

use super::merge_bug;
use super::sections::{Asked, SectionId, Sections};
use crate::filter::{
    self, Call, Comparison, Diagram, Diagrams, Filter, Leaf, TooLarge, Undecided, Verdict,
};
use crate::policy::{Decided, Place, Policy, verdict};
use crate::runtime::Plan;
use crate::syscalls::{self, Arch, Release};

/// How an entry was compared with what it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// How it was compared: with all that explains it, so by the least of the ways.
    pub compared: Compared,
    /// Why it was not, or what else is to be said of it.
    pub reason: Option<String>,
    /// A call for which it decides otherwise than a configuration asks, if there is one.
    pub witness: Option<Witness>,
}

/// How far an entry could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compared {
    /// Not at all, or without an answer.
    No,
    /// By what it decides for all calls.
    Meaning,
    /// Its bytes are those that libseccomp makes of the configuration.
    Bytes,
}

/// A call for which an entry decides otherwise than a configuration asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The call.
    pub call: Call,
    /// What the entry decides.
    pub entry: Verdict,
    /// What the configuration asks for; `None` if libseccomp's inner order says which of several
    /// verdicts that is, none of which is the entry's.
    pub configuration: Option<Verdict>,
}

/// What came of comparing a filter with a section.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It is what libseccomp makes of it.
    Bytes,
    /// It decides alike.
    Meaning,
    /// It does not; if without a witness, then since no libseccomp makes such a filter, for a
    /// reason.
    Differs(Result<Witness, String>),
    /// It is not known.
    Unknown(String),
}

impl Outcome {
    pub(super) const fn is_equal(&self) -> bool {
        matches!(self, Self::Bytes | Self::Meaning)
    }
}

/// Whether an entry is not as asked by [`merge_bug`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MergeBug {
    /// It does not have it, or is not as asked in something else too.
    No,
    /// By that alone: a call that shows it.
    Alone(Witness),
    /// Nobody knows, for this reason.
    Unknown(String),
}

/// Compares filters with sections, and makes no filter of a section twice.
pub(super) struct Comparer<'a> {
    pub(super) sections: &'a Sections,
    /// The release that the host's crun runs with.
    libseccomp: Option<Release>,
    deadline: Instant,
    made: Vec<Option<Result<Filter, String>>>,
    /// What the sections ask for [`probes`].
    probed: Vec<Option<Vec<Option<Verdict>>>>,
    /// How often libseccomp was asked for a filter.
    pub(super) compiled: usize,
}

impl<'a> Comparer<'a> {
    /// How long an audit compares. A thousand distinct sections as large as Docker's take a few
    /// seconds.
    const TIME: Duration = Duration::from_mins(1);

    pub(super) fn new(sections: &'a Sections, libseccomp: Option<Release>) -> Self {
        let count = sections.ids().count();
        Self {
            sections,
            libseccomp,
            deadline: Instant::now() + Self::TIME,
            made: vec![None; count],
            probed: vec![None; count],
            compiled: 0,
        }
    }

    /// Whether there is no time left.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Compares a filter with a section.
    pub(super) fn compare(&mut self, filter: &Filter, section: SectionId) -> Outcome {
        let sections = self.sections;
        let plan = match sections.get(section) {
            Asked::Plan(plan) => plan,
            Asked::Refused(words) => {
                return Outcome::Unknown(format!(
                    "crun makes no filter of the configuration: {words}"
                ));
            }
            Asked::TooMany => {
                return Outcome::Unknown(
                    "there are more rules in all configurations together than are compared"
                        .to_owned(),
                );
            }
            Asked::UnknownMachine => {
                return Outcome::Unknown(
                    "the host's architecture is not known, on which filters depend".to_owned(),
                );
            }
        };
        if self.is_late() {
            return Outcome::Unknown(too_long());
        }
        let outcome = match self.made(section, plan) {
            Ok(made) if made.raw() == filter.raw() => Outcome::Bytes,
            Ok(made) => by_filter(filter, made, &arches(plan)),
            Err(why) => by_policy(filter, plan, why),
        };
        if let Outcome::Differs(_) = outcome
            && !self.is_late()
        {
            // What `uname` says is the kernel's architecture, and crun's may be the narrower one.
            let why = "crun may be of another architecture than the kernel";
            let mut narrower = narrower(plan).into_iter();
            let is_it = |plan| by_policy(filter, &plan, why).is_equal();
            if narrower.any(is_it) {
                return Outcome::Meaning;
            }
        }
        outcome
    }

    /// The filter that libseccomp makes of a section, or why it was not asked.
    fn made(&mut self, section: SectionId, plan: &Plan) -> Result<&Filter, &str> {
        let Some(place) = self.made.get_mut(section.0) else {
            return Err("");
        };
        let made = place.get_or_insert_with(|| {
            match (self.libseccomp, filter::linked()) {
                (Some(theirs), Some(ours)) if theirs == ours => {}
                (_, None) => return Err("this seclint was built without libseccomp".to_owned()),
                (None, _) => return Err("the entry's libseccomp is not known".to_owned()),
                (Some(theirs), Some(ours)) => {
                    return Err(format!(
                        "the entry was made with libseccomp {theirs}, and seclint is linked to {ours}"
                    ));
                }
            }
            self.compiled += 1;
            filter::compile(plan).map_err(|error| error.to_string())
        });
        made.as_ref().map_err(String::as_str)
    }

    /// Whether a filter that has the release in its name may have libseccomp's bug.
    pub(super) fn is_vulnerable(&self) -> bool {
        let release = self.libseccomp;
        release.is_some_and(|release| release < merge_bug::FIXED)
    }

    /// Whether a bug of libseccomp explains why an entry does not do what its section asks.
    pub(super) fn merge_bug(&self, filter: &Filter, section: SectionId) -> MergeBug {
        let Some(plan) = self.sections.plan(section) else {
            return MergeBug::No;
        };
        if self.is_late() {
            return MergeBug::Unknown(too_long());
        }
        let Some(witness) = merge_bug::witness(filter, plan) else {
            return MergeBug::No;
        };
        match compared(filter, plan, merge_bug::NAME) {
            // What libseccomp's inner order decides, the bug may have.
            Ok(Outcome::Bytes | Outcome::Meaning | Outcome::Unknown(_)) => MergeBug::Alone(witness),
            Err(reason @ Undecided::Size(_)) => MergeBug::Unknown(reason.to_string()),
            Ok(Outcome::Differs(_)) | Err(_) => MergeBug::No,
        }
    }

    /// The sections whose filter this is.
    pub(super) fn sections_of(&mut self, filter: &Filter) -> Vec<SectionId> {
        let sections = self.sections;
        let (mut found, mut verdicts) = (Vec::new(), Vec::new());
        for section in sections.ids() {
            let Some(plan) = sections.plan(section) else {
                continue;
            };
            if self.is_late() {
                break;
            }
            if self
                .made(section, plan)
                .is_ok_and(|made| made.raw() == filter.raw())
            {
                found.push(section);
                continue;
            }
            // Nearly all are told apart by this already.
            let agrees = self.agrees(section, plan, filter, &mut verdicts);
            if agrees && self.compare(filter, section).is_equal() {
                found.push(section);
            }
        }
        found
    }

    /// Whether there is a section that a filter may be made of.
    pub(super) fn has_plans(&self) -> bool {
        let mut ids = self.sections.ids();
        ids.any(|id| self.sections.plan(id).is_some())
    }

    /// Whether a section's policy decides some calls as a filter does, of which `verdicts` has what it
    /// decided for the first of them so far.
    fn agrees(
        &mut self,
        section: SectionId,
        plan: &Plan,
        filter: &Filter,
        verdicts: &mut Vec<Verdict>,
    ) -> bool {
        let Some(place) = self.probed.get_mut(section.0) else {
            return false;
        };
        let asked = place.get_or_insert_with(|| {
            let policy = Policy::of(plan);
            let decide = |call| decided(&policy, &call);
            probes(plan.native).map(decide).collect()
        });
        let mut calls = (0..).zip(probes(plan.native)).zip(asked);
        calls.all(|((place, call), asked)| {
            if place == verdicts.len() {
                verdicts.push(filter.evaluate(&call));
            }
            asked.is_none_or(|asked| verdicts.get(place) == Some(&asked))
        })
    }

    /// A call for which two sections ask for different things.
    pub(super) fn collision(
        &mut self,
        one: SectionId,
        other: SectionId,
    ) -> Option<(Call, [Verdict; 2])> {
        let sections = self.sections;
        let plans = (sections.plan(one)?, sections.plan(other)?);
        if self.is_late() {
            return None;
        }
        let left = self.made(one, plans.0).ok().cloned();
        let right = self.made(other, plans.1).ok().cloned();
        let mut arches = arches(plans.0);
        arches.extend(self::arches(plans.1));
        if let (Some(left), Some(right)) = (left, right) {
            return match filter::compare(&left, &right, &arches) {
                Comparison::Differs(witness)
                | Comparison::Undecided {
                    sampled: Some(witness),
                    ..
                } => Some((witness.call, [witness.left, witness.right])),
                _ => None,
            };
        }
        let mut diagrams = Diagrams::default();
        let left = Policy::of(plans.0).diagram(&mut diagrams).ok()?;
        let right = Policy::of(plans.1).diagram(&mut diagrams).ok()?;
        let differing = diagrams.differing(left, right, |one, other| {
            one.verdict().is_some() && other.verdict().is_some()
        });
        let call = diagrams.readable(differing.ok()?, &arches)?;
        let verdict = |diagram| diagrams.decide(diagram, &call).verdict();
        Some((call, [verdict(left)?, verdict(right)?]))
    }
}

fn too_long() -> String {
    let seconds = Comparer::TIME.as_secs();
    format!("comparing took more than {seconds} seconds")
}

/// The architectures of a plan's filter, the host's own first.
pub(super) fn arches(plan: &Plan) -> Vec<Arch> {
    let native = std::iter::once(plan.native);
    native.chain(plan.architectures.iter().copied()).collect()
}

/// The plans of a crun that is built for the 32 bits of its machine, as on a Raspberry Pi whose
/// system has 32 bits and whose kernel has 64. Whether the section names the wider architecture, a
/// plan does not tell where that is the host's own.
fn narrower(plan: &Plan) -> Vec<Plan> {
    let native = match plan.native {
        Arch::X86_64 => Arch::X86,
        Arch::Aarch64 => Arch::Arm,
        Arch::Ppc64 => Arch::Ppc,
        Arch::S390X => Arch::S390,
        Arch::Parisc64 => Arch::Parisc,
        _ => return Vec::new(),
    };
    let mut without = plan.clone();
    without.architectures.retain(|&arch| arch != native);
    without.native = native;
    let mut with = without.clone();
    with.architectures.push(plan.native);
    vec![without, with]
}

/// Some calls: all of an architecture's, with nothing in them.
fn probes(native: Arch) -> impl Iterator<Item = Call> {
    let calls = syscalls::all().iter();
    let numbers = calls.filter_map(move |call| call.direct_number(native));
    numbers.map(move |number| Call {
        number,
        architecture: native.audit_arch(),
        ..Call::default()
    })
}

fn decided(policy: &Policy<'_>, call: &Call) -> Option<Verdict> {
    let effect = match policy.decide(call) {
        Place::Stub(effect)
        | Place::Default(effect)
        | Place::Call(_, Decided::Effect { effect, .. }) => effect,
        Place::OtherArchitecture | Place::Call(_, Decided::OneOf { .. }) => return None,
    };
    Some(verdict(effect))
}

fn by_filter(filter: &Filter, made: &Filter, arches: &[Arch]) -> Outcome {
    let witness = |witness: filter::Witness| Witness {
        call: witness.call,
        entry: witness.left,
        configuration: Some(witness.right),
    };
    match filter::compare(filter, made, arches) {
        Comparison::Equal => Outcome::Meaning,
        Comparison::Differs(found)
        | Comparison::Undecided {
            sampled: Some(found),
            ..
        } => Outcome::Differs(Ok(witness(found))),
        Comparison::Undecided { reason, .. } => undecided(reason),
    }
}

/// libseccomp makes no filter of which it is not known what it decides, unless for its size.
fn undecided(reason: Undecided) -> Outcome {
    match reason {
        Undecided::Size(TooLarge) => Outcome::Unknown(reason.to_string()),
        reason => Outcome::Differs(Err(format!("{reason}, as in no filter of libseccomp's"))),
    }
}

/// What a filter decides, and what a plan asks for, in the same diagrams.
struct Both {
    filter: Diagram,
    policy: Diagram,
}

impl Both {
    fn of(filter: &Filter, plan: &Plan, diagrams: &mut Diagrams) -> Result<Self, Undecided> {
        Ok(Self {
            filter: diagrams.of_filter(filter)?,
            policy: Policy::of(plan).diagram(diagrams)?,
        })
    }

    /// The calls for which the filter cannot be what the plan asks for.
    fn differing(&self, diagrams: &mut Diagrams) -> Result<Diagram, TooLarge> {
        diagrams.differing(self.filter, self.policy, |has, asked| match (has, asked) {
            (Leaf::Verdict(has), Leaf::OneOf(asked)) => !asked.contains(has),
            _ => true,
        })
    }

    fn witness(&self, set: Diagram, diagrams: &Diagrams, arches: &[Arch]) -> Option<Witness> {
        let call = diagrams.readable(set, arches)?;
        Some(Witness {
            call,
            entry: diagrams.decide(self.filter, &call).verdict()?,
            configuration: diagrams.decide(self.policy, &call).verdict(),
        })
    }
}

/// Compares a filter with what a plan means, since `why` there is no filter to compare it with.
fn by_policy(filter: &Filter, plan: &Plan, why: &str) -> Outcome {
    compared(filter, plan, why).unwrap_or_else(undecided)
}

fn compared(filter: &Filter, plan: &Plan, why: &str) -> Result<Outcome, Undecided> {
    let mut diagrams = Diagrams::default();
    let both = Both::of(filter, plan, &mut diagrams)?;
    if both.filter == both.policy {
        return Ok(Outcome::Meaning);
    }
    let differing = both.differing(&mut diagrams)?;
    if let Some(witness) = both.witness(differing, &diagrams, &arches(plan)) {
        return Ok(Outcome::Differs(Ok(witness)));
    }
    Ok(Outcome::Unknown(format!(
        "it is as asked but for calls about which rules disagree, where libseccomp's inner order decides ({why})"
    )))
}

#[cfg(test)]
mod tests;

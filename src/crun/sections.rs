//! What configurations ask for: each distinct section once, as crun plans it.

use std::collections::HashMap;

use super::Host;
use crate::profile::Effect;
use crate::runtime::crun::{self, Conditions, Parser};
use crate::runtime::{Plan, Section, Str};
use crate::syscalls::{Arch, Release};

/// A section among [`Sections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SectionId(pub(super) usize);

/// What a section asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// A filter.
    Plan(Plan),
    /// None: crun refuses it, with these words.
    Refused(String),
    /// Nobody looked: there are too many rules in all that is audited.
    TooMany,
    /// It depends on the host's architecture, which is not known.
    UnknownMachine,
}

/// The sections of an audit. Two are one if crun makes the same filter of them, whether or not their
/// keys are the same.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// By all of a section that is asked of libseccomp, or warned of.
    known: HashMap<blake3::Hash, Known>,
    by_plan: HashMap<blake3::Hash, SectionId>,
    all: Vec<Asked>,
    /// How many rules there are in all of them.
    rules: usize,
}

/// What is known of a section as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// What it asks for.
    pub(super) id: SectionId,
    /// Whether crun may warn of names in it.
    pub(super) warns: bool,
}

impl Sections {
    /// The most rules that are held, of all sections together: those of 4,000 containers with
    /// profiles as large as Docker's.
    const MOST_RULES: usize = 1 << 21;

    /// A section, which is planned if it is a new one.
    pub(super) fn add(
        &mut self,
        section: &Section<'_>,
        fails_on_unknown: bool,
        host: &Host,
        libseccomp: Release,
    ) -> Known {
        let digest = of_section(section, fails_on_unknown);
        if let Some(&known) = self.known.get(&digest) {
            return known;
        }
        let mut warns = true;
        let asked = if self.rules >= Self::MOST_RULES {
            Asked::TooMany
        } else if let (Some(native), Some(_)) = (native(host), host.byte_order()) {
            let conditions = Conditions {
                parser: Parser::of(&host.crun),
                libseccomp: libseccomp.into(),
                native,
                fails_on_unknown,
            };
            let planned = crun::plan(section, conditions);
            warns = !planned.warned.is_empty();
            match planned.plan {
                Ok(Some(plan)) => Asked::Plan(plan),
                Ok(None) => Asked::Refused(String::new()),
                Err(refusal) => Asked::Refused(refusal.0),
            }
        } else {
            Asked::UnknownMachine
        };
        let next = SectionId(self.all.len());
        let id = match &asked {
            Asked::Plan(plan) => *self.by_plan.entry(of_plan(plan)).or_insert(next),
            _ => next,
        };
        if id == next {
            if let Asked::Plan(plan) = &asked {
                self.rules += plan.rules.len();
            }
            self.all.push(asked);
        }
        let known = Known { id, warns };
        self.known.insert(digest, known);
        known
    }

    /// What a section asks for.
    pub(super) fn get(&self, id: SectionId) -> &Asked {
        self.all.get(id.0).unwrap_or(&Asked::TooMany)
    }

    /// What a section asks for, if that is a filter.
    pub(super) fn plan(&self, id: SectionId) -> Option<&Plan> {
        match self.get(id) {
            Asked::Plan(plan) => Some(plan),
            _ => None,
        }
    }

    /// All sections, in the order in which they were found.
    pub(super) fn ids(&self) -> impl Iterator<Item = SectionId> + use<> {
        (0..self.all.len()).map(SectionId)
    }
}

pub(super) fn native(host: &Host) -> Option<Arch> {
    Arch::from_name(&host.uname.machine)
}

/// Of all that crun makes a filter from. Unlike the key, with the errno of each rule entry, and with
/// what tells one string, and one field, from the next.
fn of_section(section: &Section<'_>, fails_on_unknown: bool) -> blake3::Hash {
    let mut hashed = Hashed(Vec::with_capacity(8 << 10));
    hashed.0.push(u8::from(fails_on_unknown));
    hashed.string(&section.default_action);
    hashed.number(section.default_errno);
    hashed.strings(&section.architectures);
    for entry in &section.entries {
        hashed.string(&entry.action);
        hashed.number(entry.errno);
        hashed.strings(&entry.names);
        hashed.count(entry.args.len());
        for argument in &entry.args {
            hashed.number(argument.index);
            hashed.number(argument.value);
            hashed.number(argument.value_two);
            hashed.string(&argument.op);
        }
    }
    blake3::hash(&hashed.0)
}

/// Of all that is asked of libseccomp.
fn of_plan(plan: &Plan) -> blake3::Hash {
    let mut hashed = Hashed(Vec::with_capacity(8 << 10));
    let architectures = plan.architectures.iter();
    let architectures: Vec<_> = architectures.map(|arch| arch.token()).collect();
    hashed.0.extend(architectures.join(" ").into_bytes());
    hashed.effect(plan.default);
    for rule in &plan.rules {
        hashed.effect(rule.effect);
        hashed.count(rule.syscall.index());
        hashed.count(rule.comparisons.len());
        for comparison in &*rule.comparisons {
            hashed.count(comparison.index as usize);
            hashed.count(comparison.operator as usize);
            hashed.number(Some(comparison.value));
            hashed.number(Some(comparison.value_two));
        }
    }
    blake3::hash(&hashed.0)
}

struct Hashed(Vec<u8>);

impl Hashed {
    fn strings(&mut self, texts: &[Str<'_>]) {
        self.count(texts.len());
        for text in texts {
            self.string(text);
        }
    }

    fn string(&mut self, text: &Str<'_>) {
        self.0.push(u8::from(text.is_null));
        self.count(text.bytes.len());
        self.0.extend_from_slice(&text.bytes);
    }

    fn number(&mut self, number: Option<u64>) {
        self.0.push(u8::from(number.is_some()));
        let number = number.unwrap_or_default();
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn effect(&mut self, effect: Effect) {
        self.count(effect.action as usize);
        self.count(effect.errno.into());
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&count.to_le_bytes());
    }
}

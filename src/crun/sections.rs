//! What configurations ask for: each distinct section once, as crun plans it.

use std::collections::HashMap;

use super::Host;
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

/// The distinct sections of an audit. Two that crun may make different filters of are two, whether
/// or not their keys are.
#[derive(Debug, Default)]
pub(super) struct Sections {
    known: HashMap<blake3::Hash, SectionId>,
    /// What each asks for, and whether crun warns of names in it.
    all: Vec<(Asked, bool)>,
    /// How many rules there are in all of them.
    rules: usize,
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
    ) -> SectionId {
        let digest = digest(section, fails_on_unknown);
        if let Some(&known) = self.known.get(&digest) {
            return known;
        }
        let mut warns = true;
        let asked = if self.rules >= Self::MOST_RULES {
            Asked::TooMany
        } else if let (Some(native), Some(_)) = (native(host), host.byte_order()) {
            let conditions = Conditions {
                parser: Parser::of(&host.crun),
                libseccomp,
                native,
                fails_on_unknown,
            };
            let planned = crun::plan(section, conditions);
            warns = !planned.warned.is_empty();
            match planned.plan {
                Ok(Some(plan)) => {
                    self.rules += plan.rules.len();
                    Asked::Plan(plan)
                }
                Ok(None) => Asked::Refused(String::new()),
                Err(refusal) => Asked::Refused(refusal.0),
            }
        } else {
            Asked::UnknownMachine
        };
        let id = SectionId(self.all.len());
        self.all.push((asked, warns));
        self.known.insert(digest, id);
        id
    }

    /// What a section asks for.
    pub(super) fn get(&self, id: SectionId) -> &Asked {
        self.all.get(id.0).map_or(&Asked::TooMany, |(asked, _)| asked)
    }

    /// Whether crun may warn of names in a section.
    pub(super) fn warns(&self, id: SectionId) -> bool {
        self.all.get(id.0).is_none_or(|(_, warns)| *warns)
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
fn digest(section: &Section<'_>, fails_on_unknown: bool) -> blake3::Hash {
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

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&count.to_le_bytes());
    }
}

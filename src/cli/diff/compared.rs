//! Two versions, compared.

use serde::Serialize;
use serde_json::{Value, json};

use super::version::{Pair, Part, engines};
use crate::cli::CliError;
use crate::cli::meaning::{Meaning, Operand, Reader, is_open, verdicts, words};
use crate::filter::{Call, Diagrams, Leaf, linked};
use crate::policy::{Change, Condition, Direction, Group, Subject, changes};
use crate::profile::{Addition, Effect, UnseenBase};
use crate::syscalls::{self, Arch};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// It does the same.
    Same,
    /// It does something else.
    Changed,
    /// It was not there, so that nothing can be compared.
    New,
    /// It is no longer there.
    Deleted,
    /// The old or the new one is refused, so that nothing can be compared.
    Refused,
    /// A base profile of one is not seen, so that what was compared is not all of it.
    Unknown,
}

/// Two versions of a file.
#[derive(Serialize)]
pub(super) struct Compared {
    pub(super) old: Side,
    pub(super) new: Side,
    pub(super) status: Status,
    /// Where the file was in its repository, if that is elsewhere.
    pub(super) renamed_from: Option<String>,
    /// Whether both are the same, byte for byte, with what their bases add.
    pub(super) unchanged: bool,
    /// Whether what a base profile adds is not known, and may have changed.
    #[serde(skip)]
    lacks_base: bool,
    /// What became of the default action, where both have one.
    pub(super) default: Option<DefaultChange>,
    pub(super) changes: Vec<ChangeReport>,
    /// Whether crun's cache takes both for one.
    pub(super) same_key: bool,
    pub(super) notes: Vec<String>,
}

/// A version.
#[derive(Default, Serialize)]
pub(super) struct Side {
    /// `None` if there is none.
    pub(super) path: Option<String>,
    /// What the profile is called there, if it has a name.
    pub(super) profile: Option<String>,
    pub(super) engine: Option<&'static str>,
    pub(super) no_filter: Option<String>,
    pub(super) refused: Option<String>,
}

#[derive(Serialize)]
pub(super) struct DefaultChange {
    pub(super) direction: Direction,
    pub(super) old: Decision,
    pub(super) new: Decision,
}

#[derive(Serialize)]
pub(super) struct Decision {
    pub(super) text: String,
    /// More than one if it is not known which.
    verdicts: Vec<Value>,
}

/// A change of some calls.
#[derive(Serialize)]
pub(super) struct ChangeReport {
    pub(super) direction: Direction,
    pub(super) about: &'static str,
    pub(super) syscalls: Vec<&'static str>,
    pub(super) architectures: Vec<&'static str>,
    /// Whether it is so for all arguments.
    pub(super) always: bool,
    /// For which arguments it is so, in words, if that takes few.
    pub(super) when: Option<String>,
    pub(super) old: Decision,
    pub(super) new: Decision,
    pub(super) witness: Witness,
}

/// A call for which it is so.
#[derive(Serialize)]
pub(super) struct Witness {
    arch: Option<&'static str>,
    audit_arch: u32,
    syscall: Option<&'static str>,
    number: u32,
    /// As hexadecimal digits: JSON's numbers are not wide enough.
    arguments: [String; 6],
    pub(super) text: String,
}

impl Compared {
    /// Which ways the changes go.
    pub(super) fn directions(&self) -> impl Iterator<Item = Direction> {
        let default = self.default.iter().map(|default| default.direction);
        let without = match (&self.old.no_filter, &self.new.no_filter) {
            (None, Some(_)) if matches!(self.status, Status::Changed | Status::Unknown) => {
                Some(Direction::Loosens)
            }
            _ => None,
        };
        let changes = self.changes.iter().map(|change| change.direction);
        changes.chain(default).chain(without)
    }

    /// Whether there is nothing to say of it: it is what it was, and where it was.
    pub(super) fn is_nothing_new(&self) -> bool {
        self.unchanged
            && self.renamed_from.is_none()
            && self.status == Status::Same
            && !self.lacks_base
    }

    /// Whether nothing runs with the new version, and the change has to do with it.
    pub(super) fn is_newly_refused(&self) -> bool {
        self.new.refused.is_some() && !self.unchanged
    }
}

/// Compares two versions, of which one may not be there.
pub(super) fn compare(reader: &Reader<'_>, pair: &Pair<'_>) -> Result<Compared, CliError> {
    let (engines, note) = engines(pair);
    let read = |part: &Option<Part<'_>>, engine| match part {
        None => Ok(None),
        Some(Part {
            source, file: None, ..
        }) => Ok(Some(reader.filter(source))),
        Some(Part {
            source,
            file: Some(file),
            ..
        }) => reader.profile(source, file, engine).map(Some),
    };
    let (mut old, mut new) = (read(&pair[0], engines[0])?, read(&pair[1], engines[1])?);
    let mut compared = Compared {
        old: side(old.as_ref(), pair[0]),
        new: side(new.as_ref(), pair[1]),
        status: Status::Same,
        renamed_from: None,
        unchanged: is_unchanged(pair),
        lacks_base: false,
        default: None,
        changes: Vec::new(),
        same_key: false,
        notes: note.filter(|_| !reader.has_engine()).into_iter().collect(),
    };
    match (&mut old, &mut new) {
        (Some(old), Some(new)) => between(&mut compared, old, new)?,
        (None, _) => compared.status = Status::New,
        (Some(_), None) => compared.status = Status::Deleted,
    }
    if matches!(compared.status, Status::Same | Status::Changed)
        && let Some(words) = unseen_base(pair)
    {
        if !compared.unchanged || !is_missing_alike(pair) {
            compared.status = Status::Unknown;
        }
        compared.lacks_base = true;
        compared.notes.push(words);
    }
    for operand in [&old, &new].into_iter().flatten() {
        for note in &operand.notes {
            if !compared.notes.contains(note) {
                compared.notes.push(note.clone());
            }
        }
    }
    Ok(compared)
}

fn is_unchanged(pair: &Pair<'_>) -> bool {
    matches!(pair, [Some(old), Some(new)] if old.bytes() == new.bytes())
}

/// Whether both versions name a base themselves that neither has: what it adds is then no part of a
/// change that leaves them as they are.
fn is_missing_alike(pair: &Pair<'_>) -> bool {
    let missing = pair.map(|part| {
        let file = part?.file?;
        let named = file.document().root()?.get("baseProfileName")?.as_str();
        match &file.addition {
            Some(Addition::Unseen(UnseenBase::Missing(name))) if Some(name.as_str()) == named => {
                named
            }
            _ => None,
        }
    });
    missing[0].is_some() && missing[0] == missing[1]
}

/// What is to be said of two versions if a base profile of either is not seen: more may have changed.
/// What both have from the same place in a registry is not part of the change.
fn unseen_base(pair: &Pair<'_>) -> Option<String> {
    let unseen = pair.map(|part| match &part?.file?.addition {
        Some(Addition::Unseen(unseen)) => Some(unseen),
        _ => None,
    });
    let is_remote = |unseen: Option<&UnseenBase>| matches!(unseen, Some(UnseenBase::Remote(_)));
    if unseen == [None, None] || (is_remote(unseen[0]) && unseen[0] == unseen[1]) {
        return None;
    }
    let words = "what a base profile adds is not known, and may have changed: told is what the profile does without it (--base-profile)";
    Some(words.to_owned())
}

fn side(operand: Option<&Operand>, part: Option<Part<'_>>) -> Side {
    let Some(operand) = operand else {
        return Side::default();
    };
    let (no_filter, refused) = match &operand.meaning {
        Meaning::NoFilter(why) => (Some(why.clone()), None),
        Meaning::Refused(why) => (None, Some(why.clone())),
        Meaning::Plan(_) | Meaning::Filter(_) => (None, None),
    };
    Side {
        path: Some(operand.source.name().to_owned()),
        profile: part.and_then(|part| part.name).map(str::to_owned),
        engine: operand.engine.map(crate::engine::Engine::name),
        no_filter,
        refused,
    }
}

fn between(compared: &mut Compared, old: &mut Operand, new: &mut Operand) -> Result<(), CliError> {
    let mut diagrams = Diagrams::default();
    let name = new.source.name().to_owned();
    let known = [old.known(&mut diagrams)?, new.known(&mut diagrams)?];
    let [Some(mut was), Some(mut is)] = known else {
        compared.status = Status::Refused;
        return Ok(());
    };
    // libseccomp takes longer than all else here.
    let (before, after) = match [was, is].map(|known| is_open(&diagrams, known)) {
        [true, true] => rayon::join(|| old.made(), || new.made()),
        [is_open, is_new_open] => (
            is_open.then(|| old.made()).flatten(),
            is_new_open.then(|| new.made()).flatten(),
        ),
    };
    was = old.completed(&mut diagrams, was, before)?;
    is = new.completed(&mut diagrams, is, after)?;
    // What is not known on both sides may differ all the same.
    let is_unknown = [was, is].into_iter().any(|it| is_open(&diagrams, it));
    let is_told = linked().is_none() && was != is;
    if is_unknown && !is_told && old.source.bytes() != new.source.bytes() {
        let why = [&*old, &*new].into_iter().find_map(|it| it.notes.last());
        return Err(CliError::Usage(format!(
            "{name}: whether it does the same cannot be told: {}",
            why.map_or("a part of it is not known", String::as_str)
        )));
    }
    if was == is {
        return Ok(());
    }
    compared.status = Status::Changed;
    let plans = [&*old, &*new].map(|operand| match &operand.meaning {
        Meaning::Plan(of) => Some(of),
        _ => None,
    });
    if let [Some(old), Some(new)] = plans {
        compared.same_key = old.key.is_some() && old.key == new.key;
        compared.default = default_change(old.plan.default, new.plan.default, old.plan.native);
    }
    let mut old_arches = old.architectures(&diagrams, was);
    let mut new_arches = new.architectures(&diagrams, is);
    // Where there is no filter, everything runs on all architectures.
    if old_arches.is_empty() {
        old_arches.clone_from(&new_arches);
    } else if new_arches.is_empty() {
        new_arches.clone_from(&old_arches);
    }
    let groups = changes(&mut diagrams, (was, &old_arches), (is, &new_arches));
    let groups = groups.map_err(|error| CliError::Usage(format!("{name}: {error}")))?;
    let groups = groups.iter();
    let mut reports: Vec<_> = groups
        .flat_map(|group| group.changes.iter().map(|change| report(group, change)))
        .collect();
    reports.sort_by_key(|report| report.direction);
    compared.changes = reports;
    Ok(())
}

fn default_change(old: Effect, new: Effect, native: Arch) -> Option<DefaultChange> {
    let leaf = |effect: Effect| Leaf::Verdict(effect.into());
    (old != new).then(|| DefaultChange {
        direction: Direction::of(&leaf(old), &leaf(new)),
        old: decision(&leaf(old), native),
        new: decision(&leaf(new), native),
    })
}

fn decision(leaf: &Leaf, arch: Arch) -> Decision {
    let verdicts = verdicts(leaf).iter().map(|verdict| {
        json!({
            "action": verdict.action.name(),
            "data": verdict.data,
            "text": verdict.words(arch.audit_arch()),
        })
    });
    Decision {
        text: words(leaf, arch),
        verdicts: verdicts.collect(),
    }
}

fn report(group: &Group, change: &Change) -> ChangeReport {
    let arch = group.architectures.first().copied();
    let syscalls = group.subjects.iter().filter_map(|subject| match subject {
        Subject::Call(call) => Some(call.name()),
        _ => None,
    });
    let words = |leaf| decision(leaf, arch.unwrap_or(Arch::X86_64));
    ChangeReport {
        direction: change.direction(),
        about: match group.subjects.first() {
            Some(Subject::Call(_)) => "syscalls",
            Some(Subject::Unnamed) => "unnamed",
            Some(Subject::Architecture) => "architecture",
            Some(Subject::OtherArchitectures) | None => "other-architectures",
        },
        syscalls: syscalls.collect(),
        architectures: group.architectures.iter().map(|arch| arch.name()).collect(),
        always: change.when == Condition::Always,
        when: match &change.when {
            Condition::Words(words) => Some(words.clone()),
            Condition::Always | Condition::Sometimes => None,
        },
        old: words(&change.old),
        new: words(&change.new),
        witness: witness(&change.witness, arch),
    }
}

fn witness(call: &Call, arch: Option<Arch>) -> Witness {
    let syscall = arch.and_then(|arch| syscalls::with_number(arch, call.number));
    let used = call.arguments.iter().rposition(|&it| it != 0);
    let used = used.map_or(1, |last| last + 1);
    let arguments = call.arguments[..used].iter().enumerate();
    let arguments = arguments.map(|(index, &value)| {
        let named = arch
            .zip(syscall)
            .and_then(|(arch, syscall)| syscalls::named(syscall, index, value, arch));
        named.unwrap_or_else(|| format!("{value:#x}"))
    });
    let arguments: Vec<_> = arguments.collect();
    let name = syscall.map_or_else(|| call.number.to_string(), |call| call.name().to_owned());
    Witness {
        arch: arch.map(Arch::name),
        audit_arch: call.architecture,
        syscall: syscall.map(syscalls::Syscall::name),
        number: call.number,
        arguments: call.arguments.map(|value| format!("{value:#x}")),
        text: format!("{name}({})", arguments.join(", ")),
    }
}

//! What a change does to what is decided, call by call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::wording::{Condition, condition};
use crate::filter::{Call, Diagram, Diagrams, Leaf, TooLarge, Verdict};
use crate::profile::Action;
use crate::syscalls::{self, Arch, Syscall};

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More may run than before.
    Loosens,
    /// Less.
    Tightens,
    /// The same runs; what does not run ends in another way.
    Other,
}

impl Direction {
    /// Which way it goes from one decision to another. What is not known may be the worst, so that
    /// it loosens if it may.
    #[must_use]
    pub fn of(old: &Leaf, new: &Leaf) -> Self {
        let (old, new) = (ranks(old), ranks(new));
        if new.0 > old.0 || new.1 > old.1 {
            Self::Loosens
        } else if new < old {
            Self::Tightens
        } else {
            Self::Other
        }
    }

    /// The direction as one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loosens => "loosens",
            Self::Tightens => "tightens",
            Self::Other => "other",
        }
    }
}

/// How much runs, at least and at most: nothing, what somebody else lets run, all.
fn ranks(leaf: &Leaf) -> (u8, u8) {
    let rank = |verdict: &Verdict| match verdict.action {
        Action::Allow | Action::Log => 2,
        Action::Notify | Action::Trace => 1,
        Action::Errno | Action::KillProcess | Action::KillThread | Action::Trap => 0,
    };
    let verdicts = match leaf {
        Leaf::Verdict(verdict) => std::slice::from_ref(verdict),
        Leaf::OneOf(verdicts) => verdicts,
        Leaf::Outside | Leaf::Inside => &[],
    };
    let ranks = || verdicts.iter().map(rank);
    (ranks().min().unwrap_or(0), ranks().max().unwrap_or(0))
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A syscall.
    Call(&'static Syscall),
    /// The numbers of an architecture that no syscall has.
    Unnamed,
    /// All calls of an architecture that only one of the filters has, or neither.
    Architecture,
    /// The architectures that are not known here, or that neither filter has.
    OtherArchitectures,
}

/// A decision that became another one.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was decided.
    pub old: Leaf,
    /// What is.
    pub new: Leaf,
    /// For which arguments.
    pub when: Condition,
    /// A call for which it is so, of the first syscall and architecture.
    pub witness: Call,
}

impl Change {
    /// Which way it goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        Direction::of(&self.old, &self.new)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.old == other.old && self.new == other.new && self.when == other.when
    }
}

/// Changes that several syscalls have alike, on several architectures.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they are about: syscalls in the order of their names, or one other thing.
    pub subjects: Vec<Subject>,
    /// Where; empty for [`Subject::OtherArchitectures`].
    pub architectures: Vec<Arch>,
    /// What changed, by arguments.
    pub changes: Vec<Change>,
}

impl Group {
    /// The first of [`Direction`]'s ways that one of the changes goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let directions = self.changes.iter().map(Change::direction);
        directions.min().unwrap_or(Direction::Other)
    }
}

/// One thing on one architecture.
struct Item {
    subject: Subject,
    arch: Option<Arch>,
    changes: Vec<Change>,
}

/// What a change does: from what was decided to what is. `old_arches` and `new_arches` are those
/// that the filters have.
///
/// # Errors
/// If there are too many nodes, or too many numbers that are treated differently.
pub fn changes(
    diagrams: &mut Diagrams,
    (old, old_arches): (Diagram, &[Arch]),
    (new, new_arches): (Diagram, &[Arch]),
) -> Result<Vec<Group>, TooLarge> {
    if old == new {
        return Ok(Vec::new());
    }
    let mut comparer = Comparer {
        diagrams,
        pairs: HashMap::new(),
        items: Vec::new(),
    };
    let mut all = old_arches.to_vec();
    all.extend(new_arches.iter().filter(|arch| !old_arches.contains(arch)));
    // x32's calls come by the value of x86-64, also where a filter does not have them.
    if all.contains(&Arch::X86_64) && !all.contains(&Arch::X32) {
        all.push(Arch::X32);
    }
    for &arch in &all {
        let value = arch.audit_arch();
        let [old, new] = [old, new].map(|it| comparer.diagrams.architecture(it, value));
        let is_in_both = old_arches.contains(&arch) && new_arches.contains(&arch);
        comparer.architecture(arch, old, new, is_in_both)?;
    }
    let has_value = |value: u32| all.iter().any(|arch| arch.audit_arch() == value);
    let segments = segments(
        comparer.diagrams.architectures(old),
        comparer.diagrams.architectures(new),
    )?;
    let others = segments.into_iter().filter(|(range, old, new)| {
        old != new && !(range.start() == range.end() && has_value(*range.start()))
    });
    let others: Vec<_> = others.collect();
    comparer.together(Subject::OtherArchitectures, None, &others)?;
    Ok(grouped(comparer.items))
}

struct Comparer<'d> {
    diagrams: &'d mut Diagrams,
    /// What became of what, by what it was decided from and is now.
    pairs: HashMap<(Diagram, Diagram), Rc<[Pair]>>,
    items: Vec<Item>,
}

/// What was decided, what is, and for which calls.
type Pair = (Leaf, Leaf, Diagram);

/// Values that are treated alike on both sides.
type Segment = (RangeInclusive<u32>, Diagram, Diagram);

impl Comparer<'_> {
    /// Everything on one architecture.
    fn architecture(
        &mut self,
        arch: Arch,
        old: Diagram,
        new: Diagram,
        is_in_both: bool,
    ) -> Result<(), TooLarge> {
        if old == new {
            return Ok(());
        }
        // The last number stands for a call that a tracer took away.
        let numbers = match arch {
            Arch::X86_64 => 0..=Arch::X32_BIT - 1,
            Arch::X32 => Arch::X32_BIT..=u32::MAX - 1,
            _ => 0..=u32::MAX - 1,
        };
        let all = segments(self.diagrams.numbers(old), self.diagrams.numbers(new))?;
        let cut = all.into_iter().filter_map(|(range, old, new)| {
            let first = *range.start().max(numbers.start());
            let last = *range.end().min(numbers.end());
            (first <= last && old != new).then_some((first..=last, old, new))
        });
        let segments: Vec<Segment> = cut.collect();
        if !is_in_both {
            return self.together(Subject::Architecture, Some(arch), &segments);
        }
        let calls = syscalls::all().iter();
        let calls = calls.filter_map(|call| Some((call.direct_number(arch)?, call)));
        let mut calls: Vec<_> = calls.collect();
        calls.sort_unstable_by_key(|&(number, _)| number);
        let mut unnamed: Vec<Segment> = Vec::new();
        for (range, old, new) in segments {
            let mut next = Some(*range.start());
            let from = calls.partition_point(|(number, _)| number < range.start());
            let here = calls[from..].iter();
            for &(number, call) in here.take_while(|(number, _)| number <= range.end()) {
                if let Some(start) = next.filter(|&start| start < number) {
                    unnamed.push((start..=number - 1, old, new));
                }
                next = number.checked_add(1);
                self.call(arch, (number, call), old, new)?;
            }
            if let Some(start) = next.filter(|start| start <= range.end()) {
                unnamed.push((start..=*range.end(), old, new));
            }
        }
        self.together(Subject::Unnamed, Some(arch), &unnamed)
    }

    fn call(
        &mut self,
        arch: Arch,
        (number, call): (u32, &'static Syscall),
        old: Diagram,
        new: Diagram,
    ) -> Result<(), TooLarge> {
        let names = |index, value| syscalls::named(call, index, value, arch);
        let mut changes = Vec::new();
        for (old, new, set) in &*self.pairs(old, new)? {
            changes.push(Change {
                old: old.clone(),
                new: new.clone(),
                when: condition(self.diagrams, *set, arch.bits(), &names)?,
                witness: Call {
                    number,
                    architecture: arch.audit_arch(),
                    ..self.diagrams.first(*set).unwrap_or_default()
                },
            });
        }
        self.items.push(Item {
            subject: Subject::Call(call),
            arch: Some(arch),
            changes,
        });
        Ok(())
    }

    /// What is told of many numbers, or many architectures, at once.
    fn together(
        &mut self,
        subject: Subject,
        arch: Option<Arch>,
        segments: &[Segment],
    ) -> Result<(), TooLarge> {
        let mut changes: Vec<Change> = Vec::new();
        for (range, old, new) in segments {
            let place = *range.start();
            for (old, new, set) in &*self.pairs(*old, *new)? {
                let when = match *set {
                    Diagram::ALL => Condition::Always,
                    _ => Condition::Sometimes,
                };
                let first = self.diagrams.first(*set).unwrap_or_default();
                let change = Change {
                    old: old.clone(),
                    new: new.clone(),
                    when,
                    witness: match arch {
                        Some(arch) => Call {
                            number: place,
                            architecture: arch.audit_arch(),
                            ..first
                        },
                        None => Call {
                            architecture: place,
                            ..first
                        },
                    },
                };
                if !changes.iter().any(|other| other.is_like(&change)) {
                    changes.push(change);
                }
            }
        }
        if !changes.is_empty() {
            self.items.push(Item {
                subject,
                arch,
                changes,
            });
        }
        Ok(())
    }

    /// What became of what, and for which calls.
    fn pairs(&mut self, old: Diagram, new: Diagram) -> Result<Rc<[Pair]>, TooLarge> {
        if let Some(known) = self.pairs.get(&(old, new)) {
            return Ok(Rc::clone(known));
        }
        let seen: RefCell<Vec<(Leaf, Leaf)>> = RefCell::default();
        self.diagrams.differing(old, new, |one, other| {
            let pair = (one.clone(), other.clone());
            let mut seen = seen.borrow_mut();
            if !seen.contains(&pair) {
                seen.push(pair);
            }
            true
        })?;
        let mut pairs = Vec::new();
        for (one, other) in seen.into_inner() {
            let is_it = |a: &Leaf, b: &Leaf| *a == one && *b == other;
            let set = self.diagrams.differing(old, new, is_it)?;
            pairs.push((one, other, set));
        }
        pairs.sort_by_key(|(one, other, _)| Direction::of(one, other));
        let pairs: Rc<[Pair]> = pairs.into();
        self.pairs.insert((old, new), Rc::clone(&pairs));
        Ok(pairs)
    }
}

/// The ranges of both sides, cut so that each is treated alike on either.
fn segments(
    old: impl Iterator<Item = (RangeInclusive<u32>, Diagram)>,
    new: impl Iterator<Item = (RangeInclusive<u32>, Diagram)>,
) -> Result<Vec<Segment>, TooLarge> {
    /// libseccomp's filters have some thousand; programs can be written that have billions.
    const MOST: usize = 1 << 16;
    let (mut old, mut new) = (old.peekable(), new.peekable());
    let mut segments = Vec::new();
    let mut start = 0;
    while let (Some((left, one)), Some((right, other))) = (old.peek(), new.peek()) {
        let (left, right) = (*left.end(), *right.end());
        let end = left.min(right);
        if segments.len() == MOST {
            return Err(TooLarge);
        }
        segments.push((start..=end, *one, *other));
        if left == end {
            old.next();
        }
        if right == end {
            new.next();
        }
        start = end.wrapping_add(1);
    }
    Ok(segments)
}

/// Puts together what changed alike: first the architectures of a syscall, then the syscalls.
fn grouped(items: Vec<Item>) -> Vec<Group> {
    let mut of_subjects: Vec<Group> = Vec::new();
    let mut by_subject: HashMap<&str, Vec<usize>> = HashMap::new();
    for item in items {
        let name = match item.subject {
            Subject::Call(call) => call.name(),
            Subject::Unnamed => "?",
            Subject::Architecture => "arch",
            Subject::OtherArchitectures => "others",
        };
        let places = by_subject.entry(name).or_default();
        let mut known = places.iter().copied();
        let like = known.find(|&place| are_alike(&of_subjects[place].changes, &item.changes));
        if let Some(place) = like {
            of_subjects[place].architectures.extend(item.arch);
        } else {
            places.push(of_subjects.len());
            of_subjects.push(Group {
                subjects: vec![item.subject],
                architectures: item.arch.into_iter().collect(),
                changes: item.changes,
            });
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for group in of_subjects {
        let is_call = |group: &Group| matches!(group.subjects[..], [Subject::Call(_), ..]);
        let like = groups.iter_mut().find(|other| {
            is_call(&group)
                && is_call(other)
                && other.architectures == group.architectures
                && are_alike(&other.changes, &group.changes)
        });
        match like {
            Some(other) => other.subjects.extend(group.subjects),
            None => groups.push(group),
        }
    }
    for group in &mut groups {
        group.subjects.sort_by_key(|subject| match subject {
            Subject::Call(call) => call.name(),
            _ => "",
        });
    }
    let kind = |group: &Group| !matches!(group.subjects[..], [Subject::Call(_), ..]);
    groups.sort_by_key(|group| (group.direction(), kind(group)));
    groups
}

fn are_alike(one: &[Change], other: &[Change]) -> bool {
    let mut both = one.iter().zip(other);
    one.len() == other.len() && both.all(|(one, other)| one.is_like(other))
}

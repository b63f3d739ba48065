//! What happens to a call, and why.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::call::AskedCall;
use super::report::{Case, Decision, EntryRef, NotDeciding, OnArch, Report, WayIn};
use crate::cli::meaning::{Meaning, OfPlan, Operand, WrittenEntry};
use crate::cli::runtime::Foreseen;
use crate::filter::{Call, Diagram, Diagrams, Leaf, TooLarge};
use crate::finding::Location;
use crate::policy::{CallPolicy, Condition, Fate, Place, Policy, calls_of, comparison, condition};
use crate::profile::{Action, Effect};
use crate::syscalls::{self, Arch, Multiplexer, Syscall};

/// Asks about a call.
pub(super) struct Asker<'a> {
    operand: &'a Operand,
    runtime: &'a Foreseen,
    call: &'a AskedCall,
    whole: Diagram,
    of: Option<(&'a OfPlan, Policy<'a>)>,
    /// The rule entries as they were written, by their places in the section.
    written: HashMap<usize, &'a WrittenEntry>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(
        operand: &'a Operand,
        runtime: &'a Foreseen,
        call: &'a AskedCall,
        whole: Diagram,
    ) -> Self {
        let of = match &operand.meaning {
            Meaning::Plan(of) => Some((&**of, Policy::of(&of.plan))),
            _ => None,
        };
        let written = of.iter().flat_map(|(of, _)| &of.entries);
        let written = written.filter_map(|entry| Some((*entry.place.as_ref().ok()?, entry)));
        let written = written.collect();
        Self {
            operand,
            runtime,
            call,
            whole,
            of,
            written,
        }
    }

    pub(super) fn ask(&self, diagrams: &mut Diagrams, report: &mut Report) -> Result<(), TooLarge> {
        let arches = self.operand.architectures(diagrams, self.whole);
        for &arch in &arches {
            report.architectures.push(self.on(arch, diagrams)?);
        }
        let native = arches.first().copied();
        if let (Some((of, _)), Some(syscall)) =
            (&self.of, native.and_then(|arch| self.call.syscall(arch)))
        {
            report.passed_over = self.passed_over(of, syscall);
        }
        Ok(())
    }

    fn on(&self, arch: Arch, diagrams: &mut Diagrams) -> Result<OnArch, TooLarge> {
        let syscall = self.call.syscall(arch);
        let mut on = OnArch {
            arch: arch.name(),
            syscall: syscall.map(Syscall::name),
            ways: Vec::new(),
            note: None,
        };
        let mut given = Vec::new();
        for (index, argument) in (0..).zip(&self.call.arguments) {
            match argument.value(syscall, arch) {
                Ok(value) => given.extend(value.map(|value| (index, value))),
                Err(words) => {
                    on.note = Some(words);
                    return Ok(on);
                }
            }
        }
        for (subcall, number) in self.call.ways(arch) {
            let way = match subcall {
                None => self.way(arch, number, None, &given, diagrams)?,
                Some(subcall) => {
                    let given = [(0, subcall.call.into())];
                    self.way(arch, number, Some(subcall.multiplexer), &given, diagrams)?
                }
            };
            on.ways.push(way);
        }
        if on.ways.is_empty() {
            on.note = Some("there is no such call".to_owned());
        } else if on.syscall.is_none() {
            on.note = Some("no call that is known here has the number".to_owned());
        }
        Ok(on)
    }

    /// What happens to a number, with these arguments.
    fn way(
        &self,
        arch: Arch,
        number: u32,
        via: Option<Multiplexer>,
        given: &[(u8, u64)],
        diagrams: &mut Diagrams,
    ) -> Result<WayIn, TooLarge> {
        let names = |index: usize, value: u64| {
            let syscall = self.call.syscall(arch).filter(|_| via.is_none())?;
            syscalls::named(syscall, index, value, arch)
        };
        let asked = self.call.syscall(arch).map(Syscall::name);
        let naming: Vec<_> = asked
            .into_iter()
            .chain(via.map(Multiplexer::name))
            .collect();
        let of_arch = diagrams.architecture(self.whole, arch.audit_arch());
        let decided = diagrams.number(of_arch, number);
        let decided = fixed(decided, given, diagrams)?;
        let leaves: Vec<Leaf> = diagrams.leaves(decided).into_iter().cloned().collect();
        let mut sets = Vec::new();
        for leaf in leaves {
            let set = diagrams.decided_so(decided, &leaf)?;
            // What takes the most words stands last, as what is left.
            let words = diagrams
                .ways(set, 1 << 12)
                .map_or(usize::MAX, |ways| ways.len());
            sets.push((words, self.is_default(&leaf), leaf, set));
        }
        sets.sort_by_key(|(words, is_default, ..)| (*words, *is_default));
        let policy = self
            .of
            .as_ref()
            .and_then(|(_, policy)| policy.call(arch, number));
        let rules = match policy {
            Some(policy) => Rule::all(policy, arch, given, diagrams)?,
            None => Vec::new(),
        };
        let is_cut_off = self.of.as_ref().is_some_and(|(_, policy)| {
            let call = Call {
                number,
                architecture: arch.audit_arch(),
                ..Call::default()
            };
            matches!(policy.decide(&call), Place::Stub(_))
        });
        let mut cases = Vec::new();
        let mut deciding: HashSet<usize> = HashSet::new();
        let last = sets.len().saturating_sub(1);
        for (place, (_, is_default, leaf, set)) in sets.into_iter().enumerate() {
            let when = match condition(diagrams, set, arch.bits(), &names)? {
                _ if place == last => None,
                Condition::Always => None,
                Condition::Words(words) => Some(words),
                Condition::Sometimes => diagrams.first(set).map(|call| {
                    let mut arguments = call.arguments;
                    for &(index, value) in given {
                        arguments[usize::from(index)] = value;
                    }
                    format!("for some arguments, such as ({})", listed(&arguments))
                }),
            };
            let mut by: Vec<&Rule<'_>> = Vec::new();
            for rule in rules
                .iter()
                .filter(|rule| !is_cut_off && rule.may_decide(&leaf))
            {
                if diagrams.both(rule.set, set)? != Diagram::NONE {
                    by.push(rule);
                }
            }
            deciding.extend(by.iter().map(|rule| rule.entry));
            let otherwise_by = match (self.of.is_some(), by.is_empty()) {
                _ if is_cut_off => Some("runc's stub"),
                (true, true) if is_default => Some("default action"),
                _ => None,
            };
            cases.push(Case {
                when,
                decision: decision(&leaf, arch),
                by: self.entries(&by, &names, &naming),
                otherwise_by,
            });
        }
        let losers = rules.iter().filter(|rule| {
            let is_about = via.is_none() || rule.set != Diagram::NONE;
            is_about && !deciding.contains(&rule.entry)
        });
        let losers = losers.map(|rule| NotDeciding {
            reason: if is_cut_off {
                "runc's stub decides before the filter".to_owned()
            } else {
                self.reason(rule, &rules)
            },
            entry: self.entry(rule.entry, rule.conditions(&names), &naming),
        });
        Ok(WayIn {
            via: via.map(Multiplexer::name),
            number,
            cases,
            lost: losers.collect(),
        })
    }

    fn is_default(&self, leaf: &Leaf) -> bool {
        let default = self.of.as_ref().map(|(of, _)| of.plan.default);
        default.is_some_and(|default| is_effect(leaf, default))
    }

    /// Rule entries, each once.
    fn entries(
        &self,
        rules: &[&Rule<'_>],
        names: &dyn Fn(usize, u64) -> Option<String>,
        naming: &[&str],
    ) -> Vec<EntryRef> {
        // Runtimes add the rules of one entry one after the other.
        let mut entries: Vec<(usize, Vec<String>)> = Vec::new();
        for rule in rules {
            let conditions = rule.conditions(names);
            match entries.last_mut() {
                Some((entry, all)) if *entry == rule.entry => all.extend(conditions),
                _ => entries.push((rule.entry, conditions.into_iter().collect())),
            }
        }
        let entries = entries.into_iter().map(|(entry, conditions)| {
            let conditions = (!conditions.is_empty()).then(|| conditions.join(" or "));
            self.entry(entry, conditions, naming)
        });
        entries.collect()
    }

    /// The rule entry at a place of the section, shown where it has the first of the names that it
    /// has.
    fn entry(&self, place: usize, conditions: Option<String>, naming: &[&str]) -> EntryRef {
        match self.written.get(&place) {
            Some(written) => Self::reference(written, conditions, naming),
            None => EntryRef {
                path: self.operand.source.name().to_owned(),
                pointer: None,
                span: None,
                place: format!("rule entry {} of the section", place + 1),
                named: None,
                conditions,
            },
        }
    }

    fn reference(written: &WrittenEntry, conditions: Option<String>, naming: &[&str]) -> EntryRef {
        let source = &written.location.source;
        let at = |offset| source.position(offset);
        let span = written.location.span;
        let place = span.map_or_else(
            || source.name().to_owned(),
            |span| {
                let start = at(span.start);
                format!("{}:{}:{}", source.name(), start.line, start.column)
            },
        );
        let pointer = written.location.pointer.clone();
        // An entry can name hundreds of calls.
        let named = naming.iter().find_map(|naming| {
            let mut names = written.names.iter();
            names.find_map(|(name, span)| (name == naming).then_some(*span)?)
        });
        EntryRef {
            path: source.name().to_owned(),
            span: span.map(|span| json!({"start": at(span.start), "end": at(span.end)})),
            named: span.map(|span| Location::text(source, named.unwrap_or(span))),
            place: match &pointer {
                Some(pointer) => format!("{place} ({pointer})"),
                None => place,
            },
            pointer,
            conditions,
        }
    }

    /// Why a rule does not decide.
    fn reason(&self, rule: &Rule<'_>, rules: &[Rule<'_>]) -> String {
        let place = |index: &usize| {
            let other = rules.get(*index);
            other.map_or_else(String::new, |other| {
                self.entry(other.entry, None, &[]).place
            })
        };
        match &rule.fate {
            Fate::IsDefault => "it does what the default action does".to_owned(),
            Fate::NeverHolds => "its conditions hold for no arguments".to_owned(),
            Fate::LostTo(winner) if rule.comparisons.is_empty() => {
                format!(
                    "the first rule entry without conditions wins: {}",
                    place(winner)
                )
            }
            Fate::LostTo(winner) => format!(
                "a rule entry without conditions wins over those with, wherever it stands: {}",
                place(winner)
            ),
            Fate::Decides | Fate::Overlaps(_) if rule.set == Diagram::NONE => {
                "its conditions do not hold for these arguments".to_owned()
            }
            Fate::Decides => "libseccomp's filter does otherwise".to_owned(),
            Fate::Overlaps(others) => {
                let others: Vec<_> = others.iter().map(place).collect();
                let others = others.join(", ");
                format!("libseccomp's inner order puts others before it: {others}")
            }
        }
    }

    /// The rule entries that name the call, and do not come to a rule.
    fn passed_over(&self, of: &OfPlan, syscall: &'static Syscall) -> Vec<NotDeciding> {
        let Foreseen { model, libseccomp } = self.runtime;
        let naming = of.entries.iter().filter(|entry| {
            let mut names = entry.names.iter();
            names.any(|(name, _)| name == syscall.name())
        });
        let passed_over = naming.filter_map(|entry| {
            let reason = match &entry.place {
                Err(why) => why.clone(),
                Ok(place) => {
                    let mut rules = of.plan.rules.iter();
                    if rules.any(|rule| rule.entry == *place && rule.syscall == syscall) {
                        return None;
                    }
                    let name = model.name();
                    if libseccomp.knows(syscall) {
                        format!("it does what the default action does, and {name} passes over it")
                    } else {
                        format!("libseccomp {} does not know the name", libseccomp.release)
                    }
                }
            };
            Some(NotDeciding {
                entry: Self::reference(entry, None, &[syscall.name()]),
                reason,
            })
        });
        passed_over.collect()
    }
}

/// A rule on the call.
struct Rule<'p> {
    entry: usize,
    effect: Effect,
    comparisons: &'p [crate::profile::Comparison],
    fate: Fate,
    /// For which of the arguments that are left it holds.
    set: Diagram,
}

impl<'p> Rule<'p> {
    fn all(
        policy: &'p CallPolicy<'_>,
        arch: Arch,
        given: &[(u8, u64)],
        diagrams: &mut Diagrams,
    ) -> Result<Vec<Self>, TooLarge> {
        let fates = policy.fates(diagrams)?;
        let mut rules = Vec::new();
        for (rule, fate) in policy.rules().iter().zip(fates) {
            let set = calls_of(&rule.comparisons, arch.bits(), diagrams)?;
            rules.push(Self {
                entry: rule.entry,
                effect: rule.effect,
                comparisons: &rule.comparisons,
                fate,
                set: fixed(set, given, diagrams)?,
            });
        }
        Ok(rules)
    }

    fn may_decide(&self, leaf: &Leaf) -> bool {
        matches!(self.fate, Fate::Decides | Fate::Overlaps(_)) && is_effect(leaf, self.effect)
    }

    fn conditions(&self, names: &dyn Fn(usize, u64) -> Option<String>) -> Option<String> {
        let all = self.comparisons.iter().map(|it| comparison(it, names));
        let all: Vec<_> = all.collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }
}

/// What is decided for the arguments that are left.
fn fixed(
    mut diagram: Diagram,
    given: &[(u8, u64)],
    diagrams: &mut Diagrams,
) -> Result<Diagram, TooLarge> {
    for &(index, value) in given {
        diagram = diagrams.with_argument(diagram, index, value)?;
    }
    Ok(diagram)
}

fn is_effect(leaf: &Leaf, effect: Effect) -> bool {
    let is_it = |verdict: &crate::filter::Verdict| {
        verdict.is_known && verdict.action == effect.action && verdict.data == effect.errno
    };
    match leaf {
        Leaf::Verdict(verdict) => is_it(verdict),
        Leaf::OneOf(verdicts) => verdicts.iter().any(is_it),
        Leaf::Outside | Leaf::Inside => false,
    }
}

fn decision(leaf: &Leaf, arch: Arch) -> Decision {
    let verdicts = crate::cli::meaning::verdicts(leaf);
    let mut outcomes: Vec<_> = (verdicts.iter())
        .map(|it| outcome(it.action, it.data))
        .collect();
    outcomes.dedup();
    Decision {
        text: crate::cli::meaning::words(leaf, arch),
        outcome: outcomes.join(", or "),
        verdicts: (verdicts.iter())
            .map(|verdict| {
                json!({
                    "action": verdict.action.name(),
                    "data": verdict.data,
                    "text": verdict.words(arch.audit_arch()),
                })
            })
            .collect(),
    }
}

/// What comes of a call, for whoever has not met the action's name.
fn outcome(action: Action, data: u16) -> &'static str {
    match action {
        Action::Allow => "the call runs",
        Action::Log => "the call runs, and is logged",
        Action::Errno if data == 0 => "the call is not run, and seems to succeed",
        Action::Errno => "the call is not run, and fails",
        Action::Trap => "the call is not run, and the thread gets SIGSYS",
        Action::Trace => "a tracer decides; without one the call fails with ENOSYS",
        Action::Notify => "a listener decides",
        Action::KillThread => "the thread is killed",
        Action::KillProcess => "the process is killed",
    }
}

/// Arguments up to the last one that is not 0.
fn listed(arguments: &[u64; 6]) -> String {
    let used = arguments
        .iter()
        .rposition(|&it| it != 0)
        .map_or(1, |last| last + 1);
    let arguments = arguments[..used].iter().map(|it| format!("{it:#x}"));
    arguments.collect::<Vec<_>>().join(", ")
}

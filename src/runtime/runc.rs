//! runc: what it reads, what it asks of libseccomp, what it passes over.
//!
//! Source: runc's `libcontainer/specconv`, `libcontainer/seccomp` and `patchbpf` (1.1.15 and
//! 1.3.6), and what both did with the sections of `tests/runtimes/sections.jsonl`.

mod reader;

use std::collections::HashSet;
use std::sync::Arc;

use super::libseccomp::Context;
use super::plan::{Ignored, Plan, Planned, Refusal, Rule, Stub, in_rules};
use super::section::{Argument, Entry, Section, Str};
use super::{Model, Outcome, Prediction, Surroundings, startup};
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::syscalls::{self, Arch, Number};
use crate::target::Libseccomp;
use crate::text::Document;

/// The architectures that runc knows.
const ARCHITECTURES: [Arch; 17] = [
    Arch::X86,
    Arch::X86_64,
    Arch::X32,
    Arch::Arm,
    Arch::Aarch64,
    Arch::Mips,
    Arch::Mips64,
    Arch::Mips64N32,
    Arch::Mipsel,
    Arch::Mipsel64,
    Arch::Mipsel64N32,
    Arch::Ppc,
    Arch::Ppc64,
    Arch::Ppc64Le,
    Arch::Riscv64,
    Arch::S390,
    Arch::S390X,
];

/// The first version that knows flags.
pub(super) const FIRST_WITH_FLAGS: (u32, u32) = (1, 2);

/// The first version that asks libseccomp for a binary tree.
const FIRST_WITH_TREE: (u32, u32) = (1, 2);

/// It does so where the section has more names than this, however often the same one.
const MOST_IN_LIST: usize = 32;

/// Whether a version of runc knows flags, and loads a profile that has some; `None` if it is none.
#[must_use]
pub fn runc_knows_flags(version: &str) -> Option<bool> {
    Some(super::numbers(version)? >= FIRST_WITH_FLAGS)
}

/// The flags that runc knows since then.
const FLAGS: [&str; 3] = [
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_LOG",
];

/// What runc was told, besides the section.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The libseccomp that it runs with.
    pub libseccomp: Libseccomp,
    /// The host's architecture.
    pub native: Arch,
    /// Whether it knows flags at all: from runc 1.2 on.
    pub knows_flags: bool,
    /// Whether it knows `LoongArch`, as Debian's does.
    pub knows_loongarch: bool,
    /// Whether it asks libseccomp for a binary tree where there are many names: from runc 1.2 on.
    pub makes_trees: bool,
}

pub use reader::read;

/// What runc asks of libseccomp for a section.
#[must_use]
pub fn plan<'d>(section: &Section<'d>, conditions: Conditions) -> Planned<'d> {
    let mut dropped = Vec::new();
    let plan = convert(section, conditions).and_then(|converted| match converted {
        Some(default) => generate(section, default, conditions, &mut dropped).map(Some),
        None => Ok(None),
    });
    Planned {
        plan,
        warned: Vec::new(),
        dropped,
    }
}

/// What runc looks at before it starts anything: the default's effect, or `None` for a section that
/// is taken for none.
fn convert(section: &Section<'_>, conditions: Conditions) -> Result<Option<Effect>, Refusal> {
    if section.default_action.bytes.is_empty() && section.entries.is_empty() {
        return Ok(None);
    }
    let flags = section.flags.as_deref().unwrap_or_default();
    if !conditions.knows_flags && !flags.is_empty() {
        return Err(Refusal::new("seccomp flags are not yet supported by runc"));
    }
    let unknown = flags.iter().find(|flag| !FLAGS.contains(&flag.as_str()));
    if let Some(flag) = unknown {
        let words = format!("seccomp flag {} is not known to runc", flag.shown());
        return Err(Refusal(words));
    }
    for name in &section.architectures {
        architecture(name, conditions)?;
    }
    let default = effect(&section.default_action, section.default_errno)?;
    for entry in &section.entries {
        effect(&entry.action, entry.errno)?;
        if !entry.names.is_empty() {
            for argument in &entry.args {
                operator(&argument.op)?;
            }
        }
    }
    Ok(Some(default))
}

fn generate<'d>(
    section: &Section<'d>,
    default: Effect,
    conditions: Conditions,
    dropped: &mut Vec<Ignored<'d>>,
) -> Result<Plan, Refusal> {
    for entry in &section.entries {
        let is_write = |name: &Str<'_>| *name.bytes == *b"write";
        let effect = effect(&entry.action, entry.errno)?;
        if effect.action == Action::Notify && entry.names.iter().any(is_write) {
            let words = "SCMP_ACT_NOTIFY cannot be used for the write syscall";
            return Err(Refusal::new(words));
        }
    }
    if default.action == Action::Notify {
        return Err(Refusal::new(
            "SCMP_ACT_NOTIFY cannot be used as default action",
        ));
    }
    let Some(mut context) = Context::new(default, conditions.native) else {
        return Err(Refusal::new(
            "error creating filter: could not create filter",
        ));
    };
    for name in &section.architectures {
        let arch = architecture(name, conditions)?;
        if arch.first_release() > conditions.libseccomp.release {
            return Err(Refusal::new("error adding architecture to seccomp filter"));
        }
        context.add_arch(arch).map_err(|errno| {
            let why = errno.go_words();
            Refusal(format!(
                "error adding architecture to seccomp filter: {why}"
            ))
        })?;
    }
    for (position, entry) in section.entries.iter().enumerate() {
        let effect = effect(&entry.action, entry.errno)?;
        let mut alternatives = None;
        // Once more in one rule entry, a name changes nothing, and there may be many.
        let mut handled = HashSet::new();
        for name in &entry.names {
            if name.bytes.is_empty() {
                return Err(Refusal::new("empty string is not a valid syscall"));
            }
            if effect == default {
                continue;
            }
            let Some(syscall) = resolve(name, conditions.libseccomp) else {
                dropped.push(Ignored::new(name));
                continue;
            };
            if !handled.insert(syscall.index()) {
                continue;
            }
            let alternatives = match &mut alternatives {
                Some(made) => made,
                none => none.insert(in_rules(comparisons(entry, name)?)),
            };
            for comparisons in alternatives.iter() {
                let is_conditional = !comparisons.is_empty();
                let rule = Rule {
                    effect,
                    syscall,
                    comparisons: Arc::clone(comparisons),
                    entry: position,
                };
                context.add_rule(rule).map_err(|errno| {
                    let what = if is_conditional {
                        "error adding seccomp rule"
                    } else {
                        "error adding seccomp filter rule"
                    };
                    let name = name.shown();
                    Refusal(format!("{what} for syscall {name}: {}", errno.go_words()))
                })?;
            }
        }
    }
    let mut plan = context.finish();
    plan.stub = stub(section, &plan, conditions.libseccomp);
    let names = section.entries.iter().map(|entry| entry.names.len());
    plan.is_tree = conditions.makes_trees && names.sum::<usize>() > MOST_IN_LIST;
    Ok(plan)
}

/// For each architecture of the filter the largest number that any name of the section has, of rule
/// entries that do what the default does as well. There is no stub where the default lets calls
/// run.
fn stub(section: &Section<'_>, plan: &Plan, libseccomp: Libseccomp) -> Option<Stub> {
    /// What runc compares the errno with, where it means `ENOSYS`: libseccomp's constant for it.
    const ENOSYS_ACTION: u64 = 0x0005_0026;
    let permits = plan.default.action.permits() || plan.default.action == Action::Trace;
    if permits || section.default_errno == Some(ENOSYS_ACTION) {
        return None;
    }
    let names = || section.entries.iter().flat_map(|entry| &entry.names);
    let largest = |arch: Arch| {
        let numbers = names()
            .filter_map(|name| resolve(name, libseccomp))
            // What a multiplexer carries has a number below 0, whatever the kernel's own is.
            .filter_map(|syscall| match syscall.number(arch) {
                Number::Direct(number) => Some(number),
                Number::Multiplexed(_) | Number::Absent => None,
            });
        // Number 0 is what it begins with.
        numbers.max().filter(|&number| number > 0)
    };
    let arches = std::iter::once(plan.native).chain(plan.architectures.iter().copied());
    let largest = arches.filter_map(|arch| Some((arch, largest(arch)?)));
    Some(Stub(largest.collect()))
}

/// Go hands C a string that C reads up to its first NUL.
fn resolve(name: &Str<'_>, libseccomp: Libseccomp) -> Option<&'static syscalls::Syscall> {
    let name = name.as_str().split('\0').next().unwrap_or_default();
    syscalls::lookup(name).filter(|syscall| libseccomp.knows(syscall))
}

fn effect(action: &Str<'_>, errno: Option<u64>) -> Result<Effect, Refusal> {
    let known = Action::of_name(action.as_str());
    let words = || {
        format!(
            "string {} is not a valid action for seccomp",
            action.shown()
        )
    };
    Ok(Effect::new(known.ok_or_else(|| Refusal(words()))?, errno))
}

/// Whether any version of runc knows an architecture.
#[must_use]
pub fn runc_knows_architecture(arch: Arch) -> bool {
    ARCHITECTURES.contains(&arch) || arch == Arch::Loongarch64
}

fn architecture(name: &Str<'_>, conditions: Conditions) -> Result<Arch, Refusal> {
    let known = Arch::from_token(name.as_str()).filter(|arch| {
        ARCHITECTURES.contains(arch) || (*arch == Arch::Loongarch64 && conditions.knows_loongarch)
    });
    let words = || format!("string {} is not a valid arch for seccomp", name.shown());
    known.ok_or_else(|| Refusal(words()))
}

fn operator(name: &Str<'_>) -> Result<Operator, Refusal> {
    let words = || {
        format!(
            "string {} is not a valid operator for seccomp",
            name.shown()
        )
    };
    Operator::from_name(name.as_str()).ok_or_else(|| Refusal(words()))
}

/// The conditions of a rule entry.
fn comparisons(entry: &Entry<'_>, name: &Str<'_>) -> Result<Vec<Comparison>, Refusal> {
    let comparison = |argument: &Argument<'_>| {
        let index = argument.index.unwrap_or(0);
        let index = u32::try_from(index).ok().filter(|&index| index < 6);
        let words = || {
            format!(
                "error creating seccomp syscall condition for syscall {}: \
                 syscalls only have up to 6 arguments",
                name.shown(),
            )
        };
        Ok(Comparison {
            index: index.ok_or_else(|| Refusal(words()))?,
            operator: operator(&argument.op)?,
            value: argument.value.unwrap_or(0),
            value_two: argument.value_two.unwrap_or(0),
        })
    };
    entry.args.iter().map(comparison).collect()
}

/// What runc does with a document.
pub(super) fn predict<'d>(
    model: &Model,
    document: &'d Document<'d>,
    source: &'d [u8],
    surroundings: Surroundings,
) -> Prediction<'d> {
    let (section, no_new_privileges) = match reader::read_all(document, source, surroundings.native)
    {
        Ok((Some(section), no_new_privileges)) => (section, no_new_privileges),
        Ok((None, _)) => return Prediction::without_filter(),
        Err(refusal) => return Prediction::default().refused(refusal),
    };
    let conditions = Conditions {
        libseccomp: surroundings.libseccomp,
        native: surroundings.native,
        knows_flags: model.number >= FIRST_WITH_FLAGS,
        knows_loongarch: model.version.contains("+ds"),
        makes_trees: model.number >= FIRST_WITH_TREE,
    };
    let planned = plan(&section, conditions);
    let mut prediction = Prediction {
        dropped: planned.dropped,
        ..Prediction::default()
    };
    let notifies = notifies(&section);
    let path = section.listener_path.as_ref().map(Str::shown);
    prediction.section = Some(section);
    let plan = match planned.plan {
        Ok(Some(plan)) => plan,
        Ok(None) => return Prediction::without_filter(),
        Err(refusal) => return prediction.refused(refusal),
    };
    prediction.plan = Some(plan);
    prediction = prediction.loaded(
        surroundings,
        "error loading seccomp filter: invalid argument",
    );
    if prediction.outcome == Outcome::Refuses {
        return prediction;
    }
    if notifies {
        // The filter is there by now, and its listener has nowhere to go.
        prediction.outcome = Outcome::Dies;
        prediction.error = Some(match path {
            None => "listenerPath is not set".to_owned(),
            Some(path) => {
                prediction = prediction.with_note(format!(
                    "nothing is taken to listen at `{path}`; where something does, the container starts"
                ));
                "failed to connect with seccomp agent".to_owned()
            }
        });
        return prediction;
    }
    let has_no_new_privileges = no_new_privileges.unwrap_or(surroundings.no_new_privileges);
    prediction.started(startup::runc(model.number, has_no_new_privileges))
}

/// Whether any rule entry about a name sends calls to a listener.
fn notifies(section: &Section<'_>) -> bool {
    section
        .entries
        .iter()
        .any(|entry| !entry.names.is_empty() && entry.action.as_str() == "SCMP_ACT_NOTIFY")
}

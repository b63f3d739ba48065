//! crun: what it reads, what it asks of libseccomp, what it warns of.
//!
//! Source: crun's `src/libcrun/seccomp.c` and `container.c` (1.21), and what crun 1.21 and 1.28 did
//! with the sections of `tests/runtimes/sections.jsonl`.

mod lexis;
mod reader;

use std::collections::HashSet;
use std::sync::Arc;

pub use reader::Parser;
use reader::Reader;

use super::libseccomp::Context;
use super::plan::{Ignored, Plan, Planned, Refusal, Rule, in_rules};
use super::section::{Argument, Entry, Section, Str};
use super::{Model, Outcome, Prediction, Surroundings, numbers, startup};
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::syscalls::{self, Arch};
use crate::target::Libseccomp;
use crate::text::Document;

/// What crun knows to do with an argument of a syscall; the ones after are dropped.
const MOST_ARGUMENTS: usize = 6;

/// The first version with [`Parser::JsonC`].
pub(super) const FIRST_WITH_JSON_C: (u32, u32) = (1, 28);

/// The first version that keeps compiled filters.
const FIRST_WITH_CACHE: (u32, u32) = (1, 7);

/// The flags that crun knows.
const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

/// What crun was told, besides the section.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The parser that it was built with, which tells how old it is.
    pub parser: Parser,
    /// The libseccomp that it runs with.
    pub libseccomp: Libseccomp,
    /// The host's architecture.
    pub native: Arch,
    /// Whether the annotation `run.oci.seccomp_fail_unknown_syscall` is set.
    pub fails_on_unknown: bool,
}

impl Parser {
    /// The parser of a crun version, as `crun --version` prints it.
    #[must_use]
    pub fn of(version: &str) -> Self {
        match numbers(version) {
            Some(number) if number >= FIRST_WITH_JSON_C => Self::JsonC,
            _ => Self::Yajl,
        }
    }
}

/// What a container's configuration asks of crun by its annotations.
#[derive(Clone, Debug, Default)]
pub struct Annotations<'d> {
    /// `run.oci.seccomp_fail_unknown_syscall`, with any value but "0": to refuse unknown names.
    pub fails_on_unknown: bool,
    /// `run.oci.seccomp_bpf_data`: to load the filter that is in it, and to pass the cache by.
    pub has_filter: bool,
    /// `run.oci.seccomp.receiver`: where notifications are sent, unless the section says it.
    pub receiver: Option<Str<'d>>,
}

impl<'d> Annotations<'d> {
    /// Those of a document, which need not be a container's configuration.
    #[must_use]
    pub fn of(document: &'d Document<'d>, source: &'d [u8], parser: Parser) -> Self {
        let reader = Reader::new(document, source, parser);
        let fails = reader.annotation("run.oci.seccomp_fail_unknown_syscall");
        Self {
            fails_on_unknown: fails.is_some_and(|value| *value.bytes != *b"0"),
            has_filter: reader.annotation("run.oci.seccomp_bpf_data").is_some(),
            receiver: reader.annotation("run.oci.seccomp.receiver"),
        }
    }
}

/// Reads the section of a document, which is one itself or a container's configuration, as crun
/// does. `None` if crun sees no section there, and starts the container without a filter.
///
/// # Errors
/// If crun refuses the document.
pub fn read<'d>(
    document: &'d Document<'d>,
    source: &'d [u8],
    parser: Parser,
) -> Result<Option<Section<'d>>, Refusal> {
    Reader::new(document, source, parser).read()
}

/// What crun asks of libseccomp for a section. It does so only where the cache has no entry.
#[must_use]
pub fn plan<'d>(section: &Section<'d>, conditions: Conditions) -> Planned<'d> {
    let mut warned = Vec::new();
    let plan = generate(section, conditions, &mut warned).map(Some);
    Planned {
        plan,
        warned,
        dropped: Vec::new(),
    }
}

fn generate<'d>(
    section: &Section<'d>,
    conditions: Conditions,
    warned: &mut Vec<Ignored<'d>>,
) -> Result<Plan, Refusal> {
    let effect = |action, errno| effect(action, errno, conditions.parser);
    let default = effect(&section.default_action, section.default_errno)?;
    let Some(mut context) = Context::new(default, conditions.native) else {
        return Err(Refusal::new("error seccomp_init"));
    };
    for name in &section.architectures {
        let arch = architecture(name, conditions.libseccomp)?;
        context
            .add_arch(arch)
            .map_err(|errno| Refusal(format!("seccomp adding architecture: {}", errno.words())))?;
    }
    for (position, entry) in section.entries.iter().enumerate() {
        let effect = effect(&entry.action, entry.errno)?;
        if effect == default {
            continue;
        }
        let mut alternatives = None;
        // Once more in one rule entry, a name changes nothing, and there may be many.
        let mut handled = HashSet::new();
        for name in &entry.names {
            let syscall = syscalls::lookup(name.as_str())
                .filter(|syscall| !name.is_null && conditions.libseccomp.knows(syscall));
            let Some(syscall) = syscall else {
                if conditions.fails_on_unknown {
                    let words = format!("invalid seccomp syscall `{}`", name.shown());
                    return Err(Refusal(words));
                }
                warned.push(Ignored::new(name));
                continue;
            };
            if !handled.insert(syscall.index()) {
                continue;
            }
            let alternatives = match &mut alternatives {
                Some(made) => made,
                none => none.insert(in_rules(comparisons(entry, position)?)),
            };
            for comparisons in alternatives.iter() {
                let words = if comparisons.is_empty() {
                    format!("seccomp_rule_add `{}`", name.shown())
                } else {
                    "seccomp_rule_add_array".to_owned()
                };
                let rule = Rule {
                    effect,
                    syscall,
                    comparisons: Arc::clone(comparisons),
                    entry: position,
                };
                (context.add_rule(rule))
                    .map_err(|errno| Refusal(format!("{words}: {}", errno.words())))?;
            }
        }
    }
    Ok(context.finish())
}

fn effect(action: &Str<'_>, errno: Option<u64>, parser: Parser) -> Result<Effect, Refusal> {
    let known = Action::of_name(action.as_str());
    let takes_errno = known.is_some_and(Action::takes_errno);
    if errno.is_some() && !takes_errno {
        let words = format!("errno value specified for action `{}`", action.shown());
        return Err(Refusal(words));
    }
    let words = match parser {
        Parser::Yajl => "invalid seccomp action",
        Parser::JsonC => "seccomp get action",
    };
    let action = known.ok_or_else(|| Refusal(format!("{words} `{}`", action.shown())))?;
    Ok(Effect::new(action, errno))
}

/// The prefix may be left out, and letters may be of any case.
fn architecture(name: &Str<'_>, libseccomp: Libseccomp) -> Result<Arch, Refusal> {
    if name.is_null {
        // crun crashes.
        return Err(Refusal::new(""));
    }
    let shown = name.shown();
    let short = shown.strip_prefix("SCMP_ARCH_").unwrap_or(&shown);
    let token = format!("SCMP_ARCH_{}", short.to_ascii_uppercase());
    Arch::from_token(&token)
        .filter(|arch| arch.first_release() <= libseccomp.release)
        .ok_or_else(|| Refusal(format!("seccomp unknown architecture `{short}`")))
}

/// The conditions of a rule entry, without those after the sixth, which are dropped.
fn comparisons(entry: &Entry<'_>, position: usize) -> Result<Vec<Comparison>, Refusal> {
    let args = &entry.args[..entry.args.len().min(MOST_ARGUMENTS)];
    let mut seen = [false; MOST_ARGUMENTS];
    for argument in args {
        let index = argument.index.and_then(|index| usize::try_from(index).ok());
        let Some(seen) = seen.get_mut(index.unwrap_or(0)) else {
            // The number of the rule entry, where the index is meant.
            return Err(Refusal(format!("invalid seccomp index `{position}`")));
        };
        if std::mem::replace(seen, true) {
            // Nobody looks at the indexes after it.
            break;
        }
    }
    let comparison = |argument: &Argument<'_>| {
        let operator = Operator::from_name(argument.op.as_str());
        Ok(Comparison {
            index: (argument.index).map_or(0, |index| index.try_into().unwrap_or(u32::MAX)),
            operator: operator.ok_or_else(|| Refusal::new("get_seccomp_operator"))?,
            value: argument.value.unwrap_or(0),
            value_two: argument.value_two.unwrap_or(0),
        })
    };
    args.iter().map(comparison).collect()
}

/// What crun says of a listener that is not there, before it makes a filter.
fn no_listener(path: &Str<'_>) -> Refusal {
    if is_absolute(path) {
        return Refusal::new("open seccomp receiver");
    }
    Refusal(format!(
        "the seccomp receiver `{}` is not an absolute path",
        path.shown()
    ))
}

fn is_absolute(path: &Str<'_>) -> bool {
    path.bytes.first() == Some(&b'/')
}

/// What crun says of flags, when the cache has its entry already.
pub(super) fn check_flags(section: &Section<'_>) -> Result<(), Refusal> {
    let unknown = (section.flags.iter().flatten())
        .find(|flag| flag.is_null || !FLAGS.contains(&flag.as_str()));
    match unknown {
        // crun crashes.
        Some(flag) if flag.is_null => Err(Refusal::new("")),
        Some(flag) => Err(Refusal(format!(
            "unknown seccomp option `{}`",
            flag.shown()
        ))),
        None => Ok(()),
    }
}

/// What crun does with a document.
pub(super) fn predict<'d>(
    model: &Model,
    document: &'d Document<'d>,
    source: &'d [u8],
    surroundings: Surroundings,
) -> Prediction<'d> {
    let reader = Reader::new(document, source, Parser::of(&model.version));
    let section = match reader.read() {
        Ok(Some(section)) => section,
        Ok(None) => return Prediction::without_filter(),
        Err(refusal) => {
            let prediction = Prediction::default().refused(refusal);
            return match reader.first_refused() {
                Some(deviation) => prediction.with_note(format!(
                    "its JSON parser does not take {}",
                    deviation.kind.message()
                )),
                None => prediction,
            };
        }
    };
    let annotations = Annotations::of(document, source, reader.parser);
    if annotations.has_filter {
        return Prediction::default()
            .with_note("the filter is the one in the annotation run.oci.seccomp_bpf_data");
    }
    let planned = plan(
        &section,
        Conditions {
            parser: reader.parser,
            libseccomp: surroundings.libseccomp,
            native: surroundings.native,
            fails_on_unknown: annotations.fails_on_unknown,
        },
    );
    let mut prediction = Prediction::default();
    if let Some(path) = section
        .listener_path
        .as_ref()
        .or(annotations.receiver.as_ref())
    {
        let refusal = no_listener(path);
        if is_absolute(path) {
            prediction = prediction.with_note(format!(
                "nothing is taken to listen at `{}`; where something does, the container starts",
                path.shown()
            ));
        }
        prediction.section = Some(section);
        // What it would ask of libseccomp if something listened.
        prediction.plan = planned.plan.ok().flatten();
        return prediction.refused(refusal);
    }
    prediction.warned = planned.warned;
    prediction.fails_on_unknown = annotations.fails_on_unknown;
    let flags = check_flags(&section);
    prediction.section = Some(section);
    let plan = match planned.plan {
        Ok(plan) => plan,
        Err(refusal) => return prediction.refused(refusal),
    };
    prediction.leaves_entry = model.number >= FIRST_WITH_CACHE;
    if prediction.leaves_entry && !prediction.warned.is_empty() {
        prediction = prediction.with_note(
            "crun warns when it makes the cache entry, and is silent while the entry is there",
        );
    }
    if plan.as_ref().is_some_and(notifies) {
        prediction = prediction.with_note(
            "calls that go to a listener fail with ENOSYS: no listenerPath is set, so that nobody listens",
        );
    }
    prediction.plan = plan;
    if let Err(refusal) = flags {
        return prediction.refused(refusal);
    }
    prediction = prediction.loaded(
        surroundings,
        "seccomp (SECCOMP_SET_MODE_FILTER): Invalid argument",
    );
    if prediction.outcome == Outcome::Refuses {
        return prediction;
    }
    let has_no_new_privileges = reader
        .no_new_privileges()
        .unwrap_or(surroundings.no_new_privileges);
    prediction.started(startup::crun(has_no_new_privileges))
}

/// Whether any call is sent to a listener.
fn notifies(plan: &Plan) -> bool {
    let effects = plan.rules.iter().map(|rule| rule.effect);
    let mut all = effects.chain([plan.default]);
    all.any(|effect| effect.action == Action::Notify)
}

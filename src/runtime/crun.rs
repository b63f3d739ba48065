//! crun: what it reads, what it asks of libseccomp, what it warns of.
//!
//! Source: crun's `src/libcrun/seccomp.c` and `container.c` (1.21), and what crun 1.21 and 1.28 did
//! with the sections of `tests/runtimes/sections.jsonl`.

mod lexis;
mod reader;

pub use reader::Parser;
use reader::Reader;

use super::libseccomp::Context;
use super::plan::{Ignored, Plan, Planned, Refusal, Rule, alternatives};
use super::section::{Argument, Entry, Section, Str};
use super::{Model, Prediction, Surroundings, annotation, startup};
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::syscalls::{self, Arch, Release};
use crate::text::Document;

/// What crun knows to do with an argument of a syscall; the ones after are dropped.
const MOST_ARGUMENTS: usize = 6;

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
    /// The libseccomp release that it runs with.
    pub libseccomp: Release,
    /// The host's architecture.
    pub native: Arch,
    /// Whether the annotation `run.oci.seccomp_fail_unknown_syscall` is set.
    pub fails_on_unknown: bool,
}

impl Parser {
    /// The parser of a crun version, as `crun --version` prints it.
    #[must_use]
    pub fn of(version: &str) -> Self {
        let mut parts = version
            .split('.')
            .map_while(|part| part.parse::<u32>().ok());
        match (parts.next(), parts.next()) {
            (Some(1), Some(minor)) if minor >= 28 => Self::JsonC,
            (Some(2..), _) => Self::JsonC,
            _ => Self::Yajl,
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
    let reader = Reader {
        parser,
        source,
        document,
    };
    reader.read()
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
        for name in &entry.names {
            let syscall = syscalls::lookup(name.as_str())
                .filter(|syscall| !name.is_null && syscall.known_to(conditions.libseccomp));
            let Some(syscall) = syscall else {
                if conditions.fails_on_unknown {
                    let words = format!("invalid seccomp syscall `{}`", name.shown());
                    return Err(Refusal(words));
                }
                warned.push(Ignored::new(name));
                continue;
            };
            for comparisons in alternatives(comparisons(entry, position)?) {
                let words = if comparisons.is_empty() {
                    format!("seccomp_rule_add `{}`", name.shown())
                } else {
                    "seccomp_rule_add_array".to_owned()
                };
                let rule = Rule {
                    effect,
                    syscall,
                    comparisons,
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
fn architecture(name: &Str<'_>, libseccomp: Release) -> Result<Arch, Refusal> {
    if name.is_null {
        // crun crashes.
        return Err(Refusal::new(""));
    }
    let shown = name.shown();
    let short = shown.strip_prefix("SCMP_ARCH_").unwrap_or(&shown);
    let token = format!("SCMP_ARCH_{}", short.to_ascii_uppercase());
    Arch::from_token(&token)
        .filter(|arch| arch.first_release() <= libseccomp)
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

/// What crun says of the listener, before it makes a filter. Nothing is taken to listen.
pub(super) fn check_listener(section: &Section<'_>) -> Result<(), Refusal> {
    match &section.listener_path {
        Some(path) if path.bytes.first() != Some(&b'/') => {
            let words = format!(
                "the seccomp receiver `{}` is not an absolute path",
                path.shown()
            );
            Err(Refusal(words))
        }
        Some(_) => Err(Refusal::new("open seccomp receiver")),
        None => Ok(()),
    }
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
    let reader = Reader {
        parser: Parser::of(&model.version),
        source,
        document,
    };
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
    if filter_annotation(document).is_some() {
        return Prediction::default()
            .with_note("the filter is the one in the annotation run.oci.seccomp_bpf_data");
    }
    let mut prediction = Prediction::default();
    if let Some(path) = &section.listener_path {
        prediction = prediction.with_note(format!(
            "nothing is taken to listen at `{}`; where something does, the container starts",
            path.shown()
        ));
    }
    if let Err(refusal) = check_listener(&section) {
        prediction.section = Some(section);
        return prediction.refused(refusal);
    }
    let planned = plan(
        &section,
        Conditions {
            parser: reader.parser,
            libseccomp: surroundings.libseccomp,
            native: surroundings.native,
            fails_on_unknown: fails_on_unknown(document),
        },
    );
    prediction.warned = planned.warned;
    let flags = check_flags(&section);
    prediction.section = Some(section);
    let plan = match planned.plan {
        Ok(plan) => plan,
        Err(refusal) => return prediction.refused(refusal),
    };
    prediction.leaves_entry = true;
    if !prediction.warned.is_empty() {
        prediction = prediction.with_note(
            "crun warns when it makes the cache entry, and is silent while the entry is there",
        );
    }
    prediction.plan = plan;
    if let Err(refusal) = flags {
        return prediction.refused(refusal);
    }
    let has_no_new_privileges = reader
        .no_new_privileges()
        .unwrap_or(surroundings.no_new_privileges);
    prediction.started(startup::crun(has_no_new_privileges))
}

/// Whether a container's configuration asks crun to refuse unknown names: by the annotation
/// `run.oci.seccomp_fail_unknown_syscall`, with any value but "0".
#[must_use]
pub fn fails_on_unknown(document: &Document<'_>) -> bool {
    let value = annotation(document, "run.oci.seccomp_fail_unknown_syscall");
    value.is_some_and(|value| value.split('\0').next() != Some("0"))
}

/// The filter that a container's configuration brings along, by the annotation
/// `run.oci.seccomp_bpf_data`: crun then passes its cache by.
#[must_use]
pub fn filter_annotation<'d>(document: &'d Document<'d>) -> Option<&'d str> {
    annotation(document, "run.oci.seccomp_bpf_data")
}

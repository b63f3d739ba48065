use std::cell::LazyCell;

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::architectures::Seen;
use crate::lint::condition::{about, listed};
use crate::lint::denial::Denial;
use crate::lint::{Context, Findings, LintRule, Permission, architectures};
use crate::profile::{Profile, RuleEntry, Text};
use crate::syscalls::{self, Arch, Multiplexer, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "multiplexed-syscall-condition",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/multiplexed-syscall-condition.md"),
    },
    check,
};

/// What becomes of a rule entry with conditions where its calls are reached through another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It allows them for all arguments.
    Opens,
    /// It denies them for some arguments of the multiplexer, which the program chooses.
    Leaks,
    /// It denies them for all arguments.
    Shuts,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let with_conditions = profile.entries.iter().filter(|it| !it.args.is_empty());
    let seen = LazyCell::new(|| Seen::new(context));
    let mut found: Vec<(Multiplexer, Outcome, Vec<Arch>, Vec<Text<'_>>)> = Vec::new();
    for entry in with_conditions {
        let Some(outcome) = outcome(profile, entry) else {
            continue;
        };
        for name in &entry.names {
            // x86 has both multiplexers, and every call that they carry.
            let call = syscalls::lookup(name.value);
            let subcall = call.and_then(|call| Some((call, call.subcall(Arch::X86)?)));
            let Some((call, subcall)) = subcall else {
                continue;
            };
            if context.permission(call) != Some(Permission::Sometimes) {
                continue;
            }
            let multiplexer = subcall.multiplexer;
            if is_decided(context, profile, multiplexer) {
                continue;
            }
            let carriers = architectures::carriers(seen.of(entry), multiplexer);
            let mut all = found.iter_mut();
            match all.find(|it| (it.0, it.1, &it.2) == (multiplexer, outcome, &carriers)) {
                Some((.., names)) if names.iter().any(|it| it.value == name.value) => {}
                Some((.., names)) => names.push(*name),
                None if carriers.is_empty() => {}
                None => found.push((multiplexer, outcome, carriers, vec![*name])),
            }
        }
    }
    for (multiplexer, outcome, architectures, names) in found {
        let finding = report(context, multiplexer, outcome, &architectures, &names);
        findings.extend(finding);
    }
}

/// libseccomp puts the number of the call where the condition on argument 0 was. `None` if the
/// profile does by default what the rule entry says, or that is for others to say.
fn outcome(profile: &Profile<'_>, entry: &RuleEntry<'_>) -> Option<Outcome> {
    let action = entry.known_action()?;
    let default = profile.default_decision()?.action;
    if action.permits() && default.denies() {
        return Some(Outcome::Opens);
    }
    let is_first = entry.args.iter().map(|it| Some(it.comparison?.index == 0));
    let all_first = is_first
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .all(|it| it);
    let outcome = if all_first {
        Outcome::Shuts
    } else {
        Outcome::Leaks
    };
    (action.denies() && default.permits()).then_some(outcome)
}

/// Whether a rule entry decides the multiplexer itself, which beats all that comes of its calls.
fn is_decided(context: &Context<'_>, profile: &Profile<'_>, multiplexer: Multiplexer) -> bool {
    let call = match multiplexer {
        Multiplexer::Socketcall => known::SOCKETCALL,
        Multiplexer::Ipc => known::IPC,
    };
    context
        .uses(call)
        .any(|name| name.entry.args.is_empty() && name.entry.effect != profile.default_effect)
}

fn report(
    context: &Context<'_>,
    multiplexer: Multiplexer,
    outcome: Outcome,
    architectures: &[Arch],
    names: &[Text<'_>],
) -> Option<Finding> {
    let written: Vec<_> = names.iter().map(|name| name.value).collect();
    let calls = listed(&written);
    let (is, their) = match written.len() {
        1 => ("is", "its"),
        _ => ("are", "their"),
    };
    let on = architectures::named(architectures);
    let what = match outcome {
        Outcome::Opens => format!(
            "{calls} {is} allowed for some arguments, but on {on} through `{multiplexer}` for all"
        ),
        Outcome::Leaks => format!(
            "{calls} {is} denied for some arguments, but on {on} not through `{multiplexer}`: {their} arguments are in memory there"
        ),
        Outcome::Shuts => format!(
            "{calls} {is} denied for some arguments, but on {on} through `{multiplexer}` for all"
        ),
    };
    // What does as the default does is left out.
    let is_default = context.profile()?.default_effect == Some(Denial::ENOSYS);
    let errno = if is_default {
        "another errno than the default's, such as EPERM (`errnoRet` 1),"
    } else {
        "ENOSYS (`errnoRet` 38)"
    };
    // A host's own is in the filter whatever the profile names.
    let hosts = context.hosts();
    let is_own = architectures.iter().any(|arch| hosts.contains(arch));
    let (or_leave_out, leave_out) = if is_own {
        ("", "")
    } else {
        (
            ", or leave such architectures out",
            "; leave such architectures out if none is to run",
        )
    };
    let is_narrow = architectures.iter().all(|arch| arch.bits() == 32);
    let programs = if is_narrow { "32-bit " } else { "" };
    let help = match outcome {
        Outcome::Shuts => format!(
            "that shuts out programs that use `{multiplexer}`, as most {programs}programs do{leave_out}"
        ),
        _ => format!(
            "deny `{multiplexer}` with {errno} in a rule entry without conditions, which shuts out {programs}programs that know no other way{or_leave_out}"
        ),
    };
    let finding = Finding::new(&RULE.rule, context.at(names.first()?.node), what)
        .here("the condition is lost there")
        .help(help);
    let finding = about(finding, &written);
    Some(match outcome {
        Outcome::Shuts => finding.severity(Severity::Warning),
        _ => finding,
    })
}

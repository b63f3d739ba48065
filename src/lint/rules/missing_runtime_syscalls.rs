use serde_json::{Map, Value};

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::denial::{Denial, is_newer_than_all};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::runtime::{STARTERS, Starter};
use crate::syscalls::{Arch, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "missing-runtime-syscalls",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/missing-runtime-syscalls.md"),
    },
    check,
};

/// What a runtime lacks; nothing if it starts containers.
struct Lack {
    starter: &'static Starter,
    calls: Vec<&'static str>,
    /// Whether it is the same for a container with `noNewPrivileges`.
    is_always: bool,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(default) = Denial::by_default(context) else {
        return;
    };
    let is_denied = |call: &&Syscall| context.permission(call) == Some(Permission::Never);
    if !Starter::all_calls().iter().any(is_denied) || !is_for_x86_64(context) {
        return;
    }
    let lacks: Vec<_> = (STARTERS.iter())
        .filter(|starter| is_meant(context, starter))
        .map(|starter| lack(context, default, starter))
        .collect();
    let (dead, alive): (Vec<_>, Vec<_>) = lacks.iter().partition(|it| !it.calls.is_empty());
    let is_dead = |runtime: &str| {
        let newest = lacks.iter().rfind(|it| it.starter.runtime == runtime);
        newest.map(|it| !it.calls.is_empty())
    };
    let is_hopeless = is_dead("crun").unwrap_or(true) && is_dead("runc").unwrap_or(true);
    let for_one = context.profile().is_some_and(|it| it.is_for_operator());
    // A profile may be for one runtime, as the operator's base profiles are. With crun most are for
    // containers with `noNewPrivileges`, of which the profile says nothing.
    let is_old = !for_one
        && dead
            .iter()
            .any(|it| it.is_always && it.starter.runtime == "runc");
    if dead.is_empty() || !(is_hopeless || is_old) {
        return;
    }
    let is_certain = dead
        .iter()
        .all(|it| it.is_always || it.starter.runtime == "crun");
    let severity = match alive.is_empty() && is_certain {
        true => Severity::Error,
        false => Severity::Warning,
    };
    let mut calls: Vec<&str> = Vec::new();
    for call in dead.iter().rev().flat_map(|lack| &lack.calls) {
        if !calls.contains(call) {
            calls.push(call);
        }
    }
    // What matters most.
    calls.sort_by_key(|call| *call != "execve");
    let message = format!(
        "{}: the runtime itself calls {} behind the filter",
        who(&dead, &alive),
        listed(&calls)
    );
    let runtimes: Map<_, _> = (dead.iter())
        .map(|it| (it.title(), Value::from(it.calls.clone())))
        .collect();
    let needs: Vec<_> = dead.iter().map(|lack| lack.needs()).collect();
    findings.push(
        Finding::new(&RULE.rule, context.at(default.decision.text.node), message)
            .severity(severity)
            .here("holds for the runtime too")
            .help(format!(
                "allow what the runtimes need: {}",
                needs.join("; ")
            ))
            .fact("syscalls", calls)
            .fact("runtimes", runtimes),
    );
}

/// What runtimes call was measured there.
fn is_for_x86_64(context: &Context<'_>) -> bool {
    let native = Arch::X86_64;
    let hosts = context.hosts();
    let listed = context.profile().map(|it| it.architectures.as_slice());
    let listed = listed.unwrap_or_default();
    let is_listed = listed.is_empty() || listed.iter().any(|it| it.value == native.token());
    hosts.contains(&native) || (hosts.is_empty() && is_listed)
}

/// Whether a target may have the runtime in such a version.
fn is_meant(context: &Context<'_>, starter: &Starter) -> bool {
    context.targets().iter().any(|it| {
        let version = match starter.runtime {
            "crun" => &it.target.crun,
            _ => &it.target.runc,
        };
        let version = version.as_deref();
        version.is_none_or(|version| starter.stands_for(version))
    })
}

fn lack(context: &Context<'_>, default: Denial<'_>, starter: &'static Starter) -> Lack {
    let denied = |syscall: &'static Syscall| {
        let denial = Denial::of(context, default, syscall)?;
        let has_stub = starter.runtime == "runc" && is_newer_than_all(context, syscall);
        Some(if has_stub {
            Denial::ENOSYS
        } else {
            denial.effect
        })
    };
    Lack {
        starter,
        calls: starter.missing(false, denied),
        is_always: !starter.missing(true, denied).is_empty(),
    }
}

impl Lack {
    fn title(&self) -> String {
        format!("{} {}", self.starter.runtime, self.starter.versions)
    }

    fn needs(&self) -> String {
        let calls: Vec<_> = self.calls.iter().map(|call| format!("`{call}`")).collect();
        format!("{} {}", self.title(), calls.join(", "))
    }
}

/// Which containers do not start.
fn who(dead: &[&Lack], alive: &[&Lack]) -> String {
    let titles = |is_always: bool| {
        let mut titles: Vec<String> = Vec::new();
        for lack in dead.iter().filter(|it| it.is_always == is_always) {
            let is_other = |it: &&&Lack| {
                it.starter.runtime == lack.starter.runtime && it.is_always != is_always
            };
            let has_other = dead.iter().any(|it| is_other(&it))
                || alive
                    .iter()
                    .any(|it| it.starter.runtime == lack.starter.runtime);
            let title = match has_other {
                true => lack.title(),
                false => lack.starter.runtime.to_owned(),
            };
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.join(" and ")
    };
    match (titles(true), titles(false)) {
        (always, unless) if unless.is_empty() => format!("containers do not start with {always}"),
        (always, unless) if always.is_empty() => {
            format!("containers without `noNewPrivileges` do not start with {unless}")
        }
        (always, unless) => format!(
            "containers do not start with {always}, nor with {unless} without `noNewPrivileges`"
        ),
    }
}

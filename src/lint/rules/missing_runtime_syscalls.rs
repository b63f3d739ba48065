use serde_json::{Map, Value};

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::denial::{Denial, is_newer_than_all};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::Profile;
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
    let of_newest = |runtime| lacks.iter().rfind(|it| it.starter.runtime == runtime);
    let is_stopped = |runtime| of_newest(runtime).is_none_or(Lack::is_dead);
    // A profile may be for one runtime, as the operator's base profiles are. With crun most are for
    // containers with `noNewPrivileges`, of which the profile says nothing.
    let may_be_for_one = context.profile().is_some_and(Profile::is_for_operator);
    let is_outdated = lacks
        .iter()
        .any(|it| it.is_always && it.starter.runtime == "runc");
    let is_told = is_stopped("crun") && is_stopped("runc") || is_outdated && !may_be_for_one;
    if !is_told || !lacks.iter().any(Lack::is_dead) {
        return;
    }
    let is_certain = |it: &Lack| it.is_always || (it.is_dead() && it.starter.runtime == "crun");
    let severity = if lacks.iter().all(is_certain) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let mut calls: Vec<&str> = Vec::new();
    for call in lacks.iter().rev().flat_map(|lack| &lack.calls) {
        if !calls.contains(call) {
            calls.push(call);
        }
    }
    // What matters most.
    calls.sort_by_key(|call| *call != "execve");
    let message = format!(
        "{}: the runtime itself calls {} behind the filter",
        who(&lacks),
        listed(&calls)
    );
    let dead = || lacks.iter().filter(|it| it.is_dead());
    let runtimes = dead().map(|it| (it.title(), Value::from(it.calls.clone())));
    let needs: Vec<_> = dead().map(Lack::needs).collect();
    findings.push(
        Finding::new(&RULE.rule, context.at(default.decision.text.node), message)
            .severity(severity)
            .here("holds for the runtime too")
            .help(format!(
                "allow what the runtimes need: {}",
                needs.join("; ")
            ))
            .fact("runtimes", runtimes.collect::<Map<_, _>>())
            .fact("syscalls", calls),
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
    fn is_dead(&self) -> bool {
        !self.calls.is_empty()
    }

    fn title(&self) -> String {
        format!("{} {}", self.starter.runtime, self.starter.versions)
    }

    fn needs(&self) -> String {
        format!("{} `{}`", self.title(), self.calls.join("`, `"))
    }
}

/// Which containers do not start.
fn who(lacks: &[Lack]) -> String {
    let is_like = |it: &Lack, other: &Lack| {
        it.is_dead() == other.is_dead() && it.is_always == other.is_always
    };
    let titles = |is_always: bool| {
        let mut titles: Vec<String> = Vec::new();
        for lack in lacks
            .iter()
            .filter(|it| it.is_dead() && it.is_always == is_always)
        {
            let runtime = lack.starter.runtime;
            let mut versions = lacks.iter().filter(|it| it.starter.runtime == runtime);
            let is_all = versions.all(|it| is_like(it, lack));
            let title = if is_all {
                runtime.to_owned()
            } else {
                lack.title()
            };
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.join(" and ")
    };
    let (always, others) = (titles(true), titles(false));
    match (always.is_empty(), others.is_empty()) {
        (_, true) => format!("containers do not start with {always}"),
        (true, _) => format!("containers without `noNewPrivileges` do not start with {others}"),
        _ => format!(
            "containers do not start with {always}, nor with {others} without `noNewPrivileges`"
        ),
    }
}

use serde_json::{Map, Value};

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{listed, quoted};
use crate::lint::denial::Denial;
use crate::lint::inherited::{Base, base_of};
use crate::lint::lack::{self, Lack};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::Profile;
use crate::runtime::Starter;
use crate::syscalls::{self, Arch, Syscall};

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

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(default) = Denial::default_of(context) else {
        return;
    };
    // Nobody expects of a profile without any rule entry that it starts a container.
    let is_blank = (context.whole()).is_some_and(|mut all| all.all(|it| it.entries.is_empty()));
    if is_blank || base_of(context) == Some(Base::Other) {
        return;
    }
    let is_denied = |call: &&Syscall| context.permission(call) == Some(Permission::Never);
    if !Starter::all_calls().iter().any(is_denied) || !is_for_x86_64(context) {
        return;
    }
    let lacks = lack::of_runtimes(context, default);
    let of_newest = |runtime| lacks.iter().rfind(|it| it.starter.runtime == runtime);
    let is_stopped = |runtime| of_newest(runtime).is_none_or(Lack::is_dead);
    // A profile may be for one runtime, as the operator's base profiles are. With crun most are for
    // containers with `noNewPrivileges`, of which the profile says nothing.
    let may_be_for_one = context.profile().is_some_and(Profile::is_for_operator);
    let mut of_runc = lacks.iter().filter(|it| it.starter.runtime == "runc");
    let is_told =
        is_stopped("crun") && is_stopped("runc") || of_runc.any(Lack::is_dead) && !may_be_for_one;
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
        "{}: the runtime itself calls {} after it has loaded the filter",
        lack::who(&lacks),
        listed(&calls)
    );
    let denial = |call: &str| {
        let syscall = syscalls::lookup(call)?;
        Some((Denial::of(context, default, syscall)?, syscall))
    };
    // What is denied by name is not allowed by another rule entry.
    let is_named = |call: &&&str| denial(call).is_some_and(|(it, _)| it.decision.entry.is_some());
    let (denied, missing): (Vec<&str>, Vec<&str>) = calls.iter().partition(is_named);
    let help = match (denied.as_slice(), missing.as_slice()) {
        ([], missing) => format!("allow {}", quoted(missing)),
        (denied, []) => format!("do not deny {}", quoted(denied)),
        (denied, missing) => format!(
            "allow {}, and do not deny {}",
            quoted(missing),
            quoted(denied)
        ),
    };
    let Some((first, syscall)) = calls.first().and_then(|call| denial(call)) else {
        return;
    };
    let dead = lacks.iter().filter(|it| it.is_dead());
    let runtimes = dead.map(|it| (it.title(), Value::from(it.calls.clone())));
    findings.push(
        Finding::new(&RULE.rule, first.place(context, syscall), message)
            .severity(severity)
            .here("holds for the runtime too")
            .help(help)
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

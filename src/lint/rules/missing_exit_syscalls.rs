use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use std::sync::LazyLock;

use crate::lint::condition::listed;
use crate::lint::denial::Denial;
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::{Action, Profile};
use crate::syscalls::{self, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "missing-exit-syscalls",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/missing-exit-syscalls.md"),
    },
    check,
};

/// A call that programs end something with.
struct End {
    syscall: &'static Syscall,
    /// What it is for: "programs cannot ...".
    purpose: &'static str,
    severity: Severity,
}

static ENDS: LazyLock<Vec<End>> = LazyLock::new(|| {
    let ends = [
        ("exit_group", "exit", Severity::Error),
        ("exit", "end a thread", Severity::Warning),
        (
            "rt_sigreturn",
            "return from a signal handler",
            Severity::Warning,
        ),
    ];
    let end = |(name, purpose, severity)| {
        let syscall = syscalls::lookup(name)?;
        Some(End {
            syscall,
            purpose,
            severity,
        })
    };
    ends.into_iter().filter_map(end).collect()
});

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_denied = |end: &&End| context.permission(end.syscall) == Some(Permission::Never);
    if !ENDS.iter().any(|end| is_denied(&end)) {
        return;
    }
    let Some(default) = Denial::of_programs(context) else {
        return;
    };
    // What ends a program can be in a profile that this one is the base of, too; that is rare.
    let may_be_base = context.profile().is_some_and(Profile::is_for_operator);
    let has_threads = Denial::lets_start_threads(context);
    let matters = |end: &&End| match end.syscall.name() {
        "exit_group" => true,
        "exit" => has_threads && !may_be_base,
        _ => !may_be_base,
    };
    let ends: Vec<_> = (ENDS.iter())
        .filter(matters)
        .filter_map(|end| Some((end, Denial::of(context, default, end.syscall)?)))
        .collect();
    let Some(&(first, denial)) = ends.first() else {
        return;
    };
    let names: Vec<_> = ends.iter().map(|(end, _)| end.syscall.name()).collect();
    let purposes: Vec<_> = ends.iter().map(|(end, _)| end.purpose).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    let is_killed = denial.effect.action != Action::Errno;
    // A program that is killed as it ends has ended, but for its exit status.
    let severity = if is_killed {
        Severity::Warning
    } else {
        first.severity
    };
    findings.push(
        Finding::new(
            &RULE.rule,
            denial.place(context, first.syscall),
            format!(
                "{} {are} denied: programs cannot {}",
                listed(&names),
                purposes.join(" or ")
            ),
        )
        .severity(severity)
        .here(if is_killed {
            "kills them then"
        } else {
            "no way out"
        })
        .help(format!("allow {}", listed(&names)))
        .fact("syscalls", names),
    );
}

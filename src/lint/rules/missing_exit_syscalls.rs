use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use std::sync::LazyLock;

use crate::lint::condition::listed;
use crate::lint::denial::Denial;
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::Action;
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

/// `exit, end a thread or return`.
fn either(all: &[&str]) -> String {
    match all.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => all.concat(),
    }
}

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
        // Programs without threads, and those whose threads never end, as most in Go, do without.
        ("exit", "end a thread", Severity::Info),
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
    let has_threads = Denial::lets_start_threads(context);
    let matters = |end: &&End| end.syscall.name() != "exit" || has_threads;
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
    let severity = ends.iter().map(|(end, _)| end.severity).max();
    let severity = severity.unwrap_or(RULE.rule.severity);
    // A program that is killed as it ends has ended, but for its exit status.
    let severity = if is_killed {
        severity.min(Severity::Warning)
    } else {
        severity
    };
    findings.push(
        Finding::new(
            &RULE.rule,
            denial.place(context, first.syscall),
            format!(
                "{} {are} denied: programs cannot {}",
                listed(&names),
                either(&purposes)
            ),
        )
        .severity(severity)
        .here(if is_killed {
            "kills them then"
        } else {
            "what ends them fails"
        })
        .help(format!("allow {}", listed(&names)))
        .fact("syscalls", names),
    );
}

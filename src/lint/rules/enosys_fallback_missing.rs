use crate::engine::Engine;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::denial::{Denial, is_lacking, is_newer_than_all};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Dialects};
use crate::syscalls::{Relation, RelationKind};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "enosys-fallback-missing",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/enosys-fallback-missing.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Of `clone3` another rule speaks.
    let is_missing =
        |pair: &&Relation| pair.related.name() != "clone3" && is_lacking(context, pair);
    let mut missing = RelationKind::Fallback
        .pairs()
        .iter()
        .filter(is_missing)
        .peekable();
    if missing.peek().is_none() {
        return;
    }
    let Some(default) = Denial::of_programs(context).filter(|it| !it.is_enosys()) else {
        return;
    };
    let missing: Vec<_> = missing.collect();
    let names =
        |pairs: &[&Relation]| -> Vec<_> { pairs.iter().map(|pair| pair.related.name()).collect() };
    let (answered, others): (Vec<_>, Vec<_>) =
        (missing.iter()).partition(|pair| is_newer_than_all(context, pair.related));
    let under = if others.is_empty() { " under crun" } else { "" };
    let older: Vec<_> = missing.iter().map(|pair| pair.syscall.name()).collect();
    let all = names(&missing);
    let message = format!(
        "{} {}{under}, where ENOSYS would let glibc fall back to {}",
        listed(&all),
        default.words(all.len()),
        listed(&older)
    );
    let mut help = format!(
        "allow {them}, or deny {them} with ENOSYS: a rule entry with `SCMP_ACT_ERRNO` and `errnoRet` 38",
        them = if all.len() == 1 { "it" } else { "them" }
    );
    let profile = context.profile();
    let has_default_errno = profile.is_some_and(|it| !it.is_for_operator());
    if has_default_errno && default.effect.action == Action::Errno {
        help.push_str(", or `defaultErrnoRet` 38 for all calls that are not named");
    }
    if !answered.is_empty() && !others.is_empty() {
        help = format!(
            "{help}; runc answers {} with ENOSYS by itself",
            listed(&names(&answered))
        );
    }
    // Where runc answers, it takes crun for the profile to do harm.
    if others.is_empty() && !is_for_crun(context) {
        return;
    }
    findings.push(
        Finding::new(&RULE.rule, context.at(default.decision.text.node), message)
            .here("for calls that are not named")
            .help(help)
            .fact("syscalls", all),
    );
}

/// Whether the profile is for engines whose runtime is crun unless they are told otherwise.
fn is_for_crun(context: &Context<'_>) -> bool {
    let engines = context.engines();
    let has_crun = |engine: &Engine| engine.dialect() == Dialects::PODMAN;
    match context.profile() {
        Some(profile) if engines.is_empty() => profile.dialects == Dialects::PODMAN,
        _ => engines.iter().any(has_crun),
    }
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::denial::{Denial, is_newer_than_all};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::Action;
use crate::syscalls::RelationKind;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "clone3-not-enosys",
        category: Category::Portability,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/clone3-not-enosys.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let pairs = RelationKind::Fallback.pairs();
    let Some(pair) = pairs.iter().find(|pair| pair.related.name() == "clone3") else {
        return;
    };
    let [clone, clone3] = [pair.syscall, pair.related];
    let may_clone = context
        .permission(clone)
        .is_some_and(|it| it != Permission::Never);
    if !may_clone || context.permission(clone3) != Some(Permission::Never) {
        return;
    }
    let denial = Denial::of_programs(context)
        .and_then(|default| Denial::of(context, default, clone3))
        // Of an errno of 0, which looks like success, another rule speaks.
        .filter(|it| !it.is_enosys() && (it.effect.action, it.effect.errno) != (Action::Errno, 0));
    let Some(denial) = denial else {
        return;
    };
    let is_default = denial.decision.entry.is_none();
    let is_answered = is_default && is_newer_than_all(context, clone3);
    let effect = denial.words(1);
    let under = if is_answered { " under crun" } else { "" };
    let consequence = match denial.effect.action {
        Action::Errno => ", not ENOSYS, so programs with glibc 2.34 or newer start no threads",
        _ => ", and with it programs with glibc 2.34 or newer that start threads",
    };
    let mut help = "deny it with `SCMP_ACT_ERRNO` and `errnoRet` 38".to_owned();
    if is_answered {
        help.push_str("; runc does so by itself with calls that are newer than all that are named");
    }
    let mut finding = Finding::new(
        &RULE.rule,
        denial.place(context, clone3),
        format!("`clone3` {effect}{under}{consequence}"),
    )
    .here("glibc falls back to `clone` on ENOSYS only")
    .help(help)
    .fact("syscall", "clone3");
    if is_answered {
        finding = finding.severity(Severity::Warning);
    }
    let alone = denial
        .decision
        .entry
        .is_some_and(|entry| entry.names.len() == 1);
    if let Some(errno) = denial
        .decision
        .errno(context.readers())
        .filter(|it| alone && it.field == "errnoRet")
    {
        finding = finding.fix(Applicability::Unsafe, errno.node.text_span(), "38");
    }
    findings.push(finding);
}

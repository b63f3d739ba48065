use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, Permission};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "policy-required-syscall",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/policy-required-syscall.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // What an unseen base profile permits is not known.
    let profile = context.profile().filter(|_| context.whole().is_some());
    let Some(action) = profile.and_then(|profile| profile.default_action) else {
        return;
    };
    for demand in &context.demands().require {
        for syscall in &demand.syscalls {
            if context.permission(syscall) != Some(Permission::Never) {
                continue;
            }
            let (name, reason) = (syscall.name(), demand.reason.as_str());
            let message =
                format!("`{name}` is never permitted, and the policy requires it: {reason}");
            // A rule entry that denies it is nearer to the mistake than the default action.
            let denied = context.uses(syscall).next();
            let place = denied.map_or(action.node, |name| name.text.node);
            let finding = Finding::new(&RULE.rule, context.at(place), message)
                .here("this is what becomes of it")
                .label(demand.location.clone(), "required here")
                .fact("syscall", name)
                .fact("reason", reason);
            findings.push(finding);
        }
    }
}

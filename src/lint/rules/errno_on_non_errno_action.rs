use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::Profile;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "errno-on-non-errno-action",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/errno-on-non-errno-action.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let given = context.errnos();
    for (decision, errno) in given.filter(|(decision, _)| !decision.action.takes_errno()) {
        // The operator leaves 0 out.
        let is_left_out = context.profile().is_some_and(Profile::is_for_operator);
        if errno.number == Some(0) && is_left_out {
            continue;
        }
        let (field, action) = (errno.field, decision.text.value);
        let message = format!(
            "`{field}` beside `{action}`, which takes no errno: crun refuses the profile, runc ignores the field"
        );
        let finding = Finding::new(&RULE.rule, context.at(errno.node), message)
            .here("no errno is returned")
            .label(context.at(decision.text.node), "this action takes no errno")
            .help(format!(
                "remove `{field}`, or make the action `SCMP_ACT_ERRNO`"
            ))
            .fact("action", action);
        let gone = removal::of_member(context.source, decision.object, errno.node);
        findings.push(finding.removal(Applicability::Safe, gone));
    }
}

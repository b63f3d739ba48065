use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Profile;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "base-profile-unseen",
        category: Category::Correctness,
        severity: Severity::Info,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/base-profile-unseen.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(base) = context.profile().and_then(Profile::base) else {
        return;
    };
    let message = format!(
        "the rule entries of the base profile `{}` are not seen here",
        base.value
    );
    findings.push(
        Finding::new(&RULE.rule, context.at(base.node), message)
            .here("added by the operator")
            .help("check the base profile as well; what is missing here may stand there")
            .fact("base", base.value),
    );
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::UnseenBase;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "base-profile-cycle",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/base-profile-cycle.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some((base, why)) = context.unseen_base() {
        let here = match why {
            UnseenBase::Endless(_) => "never comes to an end",
            UnseenBase::TooLong(_) => "more than are followed",
            _ => return,
        };
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(base.node),
                format!("{why}; security-profiles-operator never installs the profile"),
            )
            .here(here)
            .help(why.help())
            .fact("base", base.value),
        );
    }
}

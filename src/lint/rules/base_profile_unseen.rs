use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::UnseenBase;

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
    let Some((base, why)) = context.unseen_base() else {
        return;
    };
    let unseen =
        |name: &str| format!("the rule entries of the base profile `{name}` are not seen here");
    let given = "give the file that holds it as well, as another PATH or by --base-profile";
    let (message, help) = match why {
        UnseenBase::Missing(name) => (unseen(name), given),
        UnseenBase::Remote(name) => (
            unseen(name),
            "registries are not looked into: what is missing here may stand there",
        ),
        UnseenBase::Several { .. } | UnseenBase::TooMuch(_) => (why.to_string(), why.help()),
        UnseenBase::Endless(_) | UnseenBase::TooLong(_) => return,
    };
    findings.push(
        Finding::new(&RULE.rule, context.at(base.node), message)
            .here("added by the operator")
            .help(help)
            .fact("base", base.value),
    );
}

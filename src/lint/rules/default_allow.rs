use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "default-allow",
        category: Category::Security,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/security/default-allow.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let default = profile.default_decision();
    let Some(default) = default.filter(|default| default.action == Action::Allow) else {
        return;
    };
    let whole = context.whole();
    let message = if whole.is_some_and(|mut all| all.all(Profile::denies_nothing)) {
        "every call is allowed: no rule entry denies anything"
    } else {
        "a denylist: calls that it does not name are allowed, those of newer kernels too"
    };
    findings.push(
        Finding::new(&RULE.rule, context.at(default.text.node), message)
            .here("allows what is not named")
            .help("deny by default, and allow the calls that the program makes"),
    );
}

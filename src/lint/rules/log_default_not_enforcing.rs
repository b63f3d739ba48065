use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "log-default-not-enforcing",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/security/log-default-not-enforcing.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let default = profile.default_decision();
    let Some(default) = default.filter(|default| default.action == Action::Log) else {
        return;
    };
    let at = context.at(default.text.node);
    let finding = |message: &str| {
        Finding::new(&RULE.rule, at, message)
            .here("logs the call and lets it run")
            .help("write `SCMP_ACT_ERRNO` once the list of allowed calls is complete")
    };
    let denies_nothing = context
        .whole()
        .is_some_and(|mut all| all.all(Profile::denies_nothing));
    findings.push(if !denies_nothing {
        finding(
            "calls that no rule entry matches are logged, and run: `SCMP_ACT_LOG` denies nothing",
        )
    } else if context.all_names().next().is_none() {
        finding("every call is logged, and runs: this filter denies nothing")
    } else {
        finding(
            "an allowlist that denies nothing: `SCMP_ACT_LOG` lets every other call run as well",
        )
        .severity(Severity::Error)
        .fix(
            Applicability::Unsafe,
            default.text.node.text_span(),
            "SCMP_ACT_ERRNO",
        )
    });
}

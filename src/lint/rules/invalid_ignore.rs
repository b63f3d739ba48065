use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "invalid-ignore",
        category: Category::Style,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/style/invalid-ignore.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.extend(context.ignores.iter().filter_map(|ignore| {
        let invalid = ignore.said.as_ref().err()?;
        let message = format!("this comment ignores nothing: {}", invalid.why);
        let finding = Finding::new(&RULE.rule, ignore.location.clone(), message);
        Some(match &invalid.help {
            Some(help) => finding.help(help.as_str()),
            None => finding,
        })
    }));
}

use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};

pub(in crate::lint) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unused-ignore",
        category: Category::Style,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/style/unused-ignore.md"),
    },
    check,
};

/// Runs after every other rule.
fn check(context: &Context<'_>, findings: &mut Findings) {
    for ignore in &context.ignores {
        let rules = ignore.said.iter().flat_map(|said| &said.rules);
        let idle = rules.filter(|ignored| ignored.is_idle.get());
        findings.extend(idle.map(|ignored| report(ignored.rule, ignore.location.clone())));
    }
}

/// `rule`'s findings are ignored, and there is none.
pub(in crate::lint) fn report(rule: &Rule, location: Location) -> Finding {
    let id = rule.id;
    Finding::new(&RULE.rule, location, format!("there is no finding of {id} to ignore here"))
        .help("remove it: what it was for is gone, or stands elsewhere")
        .fact("ignored", id)
}

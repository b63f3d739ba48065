use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Mistake;
use crate::text::Syntax;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "duplicate-key",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/duplicate-key.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for mistake in context.mistakes() {
        let &Mistake::DuplicateKey { first, again } = mistake else {
            continue;
        };
        let key = again.as_str().unwrap_or_default();
        let other = first.as_str().unwrap_or_default();
        let (message, help) = if key == other {
            let message = format!("`{key}` is given twice in one object");
            let is_yaml = context.document.syntax() == Syntax::Yaml;
            let help = if is_yaml {
                "keep one: readers of YAML take the last, or refuse the file"
            } else if context.is_for_runtimes() {
                "keep one: crun 1.21 takes the first, crun 1.28 and runc the last"
            } else {
                "keep one: engines take the last"
            };
            (message, help)
        } else {
            let reader = if context.is_for_runtimes() {
                "runc, which ignores"
            } else {
                "engines, which ignore"
            };
            let message = format!("`{key}` and `{other}` are one key to {reader} case");
            (
                message,
                "keep the one that is spelled as the format spells it",
            )
        };
        findings.push(
            Finding::new(&RULE.rule, context.at(again), message)
                .here("given again")
                .label(context.at(first), "first given here")
                .help(help)
                .fact("key", key),
        );
    }
}

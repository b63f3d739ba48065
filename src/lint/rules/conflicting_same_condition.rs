use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::effect_words;
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "conflicting-same-condition",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/conflicting-same-condition.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        let rivals: Vec<_> = contested.contradicting().collect();
        for (place, later) in rivals.iter().enumerate() {
            let mut earlier = rivals.iter().take(place);
            let conflict = earlier.find_map(|first| {
                let is_other = first.effect != later.effect && first.shares_rule(later);
                let containers = is_other.then(|| first.together(later)).flatten()?;
                Some((first, containers))
            });
            let Some((first, containers)) = conflict else {
                continue;
            };
            let name = contested.syscall.name();
            let [one, other] = [first, later].map(|it| effect_words(it.effect));
            let message = format!(
                "the same conditions for `{name}` lead to {one} and to {other}: libseccomp refuses it, and no container starts{}",
                containers.phrase()
            );
            findings.push(
                Finding::new(&RULE.rule, context.at(later.name.node), message)
                    .here(format!("{other} here"))
                    .label(context.at(first.name.node), format!("{one} here"))
                    .help("keep the one that is meant")
                    .fact("syscall", name)
                    .fact("with", containers.with)
                    .fact("without", containers.without),
            );
        }
    }
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::rivals::{Containers, Contested, Rival, effect_words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "conflicting-unconditional-rules",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/conflicting-unconditional-rules.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        let counts = |it: &&Rival<'_>| it.is_unconditional() && it.effect != contested.default;
        let rivals = &contested.rivals;
        for (place, later) in rivals.iter().enumerate().filter(|(_, it)| counts(it)) {
            let earlier = rivals.iter().take(place).filter(counts);
            let mut others = earlier.filter(|it| it.effect != later.effect);
            let conflict = others.find_map(|it| Some((it, it.together(later)?)));
            if let Some((first, containers)) = conflict {
                findings.push(report(context, contested, [first, later], &containers));
            }
        }
    }
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    [first, later]: [&Rival<'_>; 2],
    containers: &Containers<'_>,
) -> Finding {
    let name = contested.syscall.name();
    let is_dead = first.holds_where(later);
    let [decided, lost] = [first, later].map(|it| effect_words(it.effect));
    let message = if is_dead {
        format!(
            "this rule entry never counts for `{name}`: an earlier one without conditions says {decided}"
        )
    } else {
        format!(
            "this rule entry does not count for `{name}`{}: an earlier one without conditions says {decided}",
            containers.phrase()
        )
    };
    let is_about_permission = first.effect.action.permits() != later.effect.action.permits();
    Finding::new(&RULE.rule, context.at(later.name.node), message)
        .severity(if is_about_permission {
            Severity::Error
        } else {
            Severity::Warning
        })
        .here(format!("{lost}, which is lost"))
        .label(context.at(first.name.node), "this one decides")
        .help(if Readers::know_filters(context) {
            "keep one of the two, or have `includes` and `excludes` keep them apart"
        } else {
            "keep one of the two"
        })
        .fact("syscall", name)
        .fact("decides", first.effect.action.name())
        .fact("lost", later.effect.action.name())
        .fact("with", containers.with.clone())
        .fact("without", containers.without.clone())
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{Containers, Contested, Rival, effect_words};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Comparison, Operator};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "shadowed-conditional-rule",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/shadowed-conditional-rule.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        let counts = |it: &&Rival<'_>| it.effect != contested.default;
        for rival in contested.rivals.iter().filter(counts) {
            // What has no bit to compare is spoken of as that.
            let is_void = |it: &Comparison| it.operator == Operator::MaskedEqual && it.value == 0;
            let mut comparisons = rival.comparisons().iter();
            if rival.is_unconditional() || comparisons.all(is_void) {
                continue;
            }
            let others = contested.rivals.iter().filter(counts);
            let mut others = others.filter(|it| it.is_unconditional() && it.effect != rival.effect);
            let shadow = others.find_map(|it| Some((it, it.together(rival)?)));
            if let Some((winner, containers)) = shadow {
                findings.push(report(context, contested, [winner, rival], &containers));
            }
        }
    }
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    [winner, lost]: [&Rival<'_>; 2],
    containers: &Containers<'_>,
) -> Finding {
    let name = contested.syscall.name();
    let is_restriction = winner.effect.action.permits() && !lost.effect.action.permits();
    let when = if winner.holds_where(lost) {
        String::new()
    } else {
        containers.phrase()
    };
    let message = format!(
        "the conditions for `{name}` do not count{when}: a rule entry without conditions says {}, and wins wherever it stands",
        effect_words(winner.effect)
    );
    let here = format!("{}, which is lost", effect_words(lost.effect));
    let is_as_default = winner.effect.action.permits() == contested.default.action.permits();
    let help = if is_as_default {
        "take the name out of the rule entry without conditions"
    } else if is_restriction {
        "take the name out of the rule entry without conditions, and allow it with the conditions under which it is harmless"
    } else {
        // The default would do the opposite with all other arguments.
        "remove the rule entry with conditions, or give the other one conditions that leave these calls out"
    };
    Finding::new(&RULE.rule, context.at(lost.name.node), message)
        .severity(if is_restriction {
            Severity::Error
        } else {
            Severity::Warning
        })
        .here(here)
        .label(context.at(winner.name.node), "this one decides")
        .help(help)
        .fact("syscall", name)
        .fact("decides", winner.effect.action.name())
        .fact("lost", lost.effect.action.name())
        .fact("with", containers.with.clone())
        .fact("without", containers.without.clone())
}

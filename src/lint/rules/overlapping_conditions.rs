use crate::filter::Diagrams;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{Containers, Contested, Rival, call_words, effect_words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "overlapping-conditions",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/overlapping-conditions.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        let rivals: Vec<_> = contested.contradicting().collect();
        let Some(first) = rivals.first() else {
            continue;
        };
        if rivals.iter().all(|it| it.effect == first.effect) {
            continue;
        }
        let mut diagrams = Diagrams::default();
        let mut with_calls = Vec::new();
        for rival in rivals {
            with_calls.extend(rival.calls(&mut diagrams).map(|calls| (rival, calls)));
        }
        for (place, &(later, later_calls)) in with_calls.iter().enumerate() {
            let mut earlier = with_calls.iter().take(place);
            let overlap = earlier.find_map(|&(first, calls)| {
                // What is the same is refused, and spoken of as that.
                if first.effect == later.effect || first.shares_rule(later) {
                    return None;
                }
                let containers = first.together(later)?;
                let both = diagrams.both(calls, later_calls).ok()?;
                Some((first, containers, diagrams.first(both)?.arguments))
            });
            if let Some((first, containers, call)) = overlap {
                let rivals = [first, later];
                findings.push(report(context, contested, rivals, &containers, call));
            }
        }
    }
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    [first, later]: [&Rival<'_>; 2],
    containers: &Containers<'_>,
    call: [u64; 6],
) -> Finding {
    let name = contested.syscall.name();
    let [one, other] = [first, later].map(|it| effect_words(it.effect));
    let message = format!(
        "{} meets the conditions of two rule entries, {one} and {other}{}: which one decides is up to libseccomp's inner order",
        call_words(name, later, &call),
        containers.phrase()
    );
    Finding::new(&RULE.rule, context.at(later.name.node), message)
        .here(format!("{other} here"))
        .label(context.at(first.name.node), format!("{one} here"))
        .help("write conditions that no call meets in both")
        .fact("syscall", name)
        .fact("arguments", call.to_vec())
        .fact("with", containers.with.clone())
        .fact("without", containers.without.clone())
}

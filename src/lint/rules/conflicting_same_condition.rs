use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::architectures::{named, seen_and_usual};
use crate::lint::rivals::{Contested, Rival, effect_words};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::Arch;

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
    let mut architectures = None;
    for contested in context.contested() {
        let counting = contested.rivals.iter();
        let counting = counting.filter(|it| it.effect != contested.default);
        let mut conditional = counting.clone().filter(|it| !it.is_unconditional());
        // What leads to the same is taken twice.
        let first = conditional.next().map(|it| it.effect);
        if conditional.all(|it| Some(it.effect) == first) {
            continue;
        }
        let counting: Vec<_> = counting.collect();
        let architectures = architectures.get_or_insert_with(|| seen_and_usual(context));
        for (place, later) in counting.iter().enumerate() {
            let earlier = counting.get(..place).unwrap_or_default();
            // After that libseccomp looks at no conditions.
            let ends = |it: &&Rival<'_>| it.is_unconditional() && it.holds_where(later);
            if later.is_unconditional() || earlier.iter().copied().any(|it| ends(&it)) {
                continue;
            }
            let conditional = earlier.iter().filter(|it| !it.is_unconditional());
            let mut pairs = conditional.map(|first| [*first, *later]);
            findings.extend(pairs.find_map(|pair| report(context, contested, pair, architectures)));
        }
    }
}

fn report(
    context: &Context<'_>,
    contested: &Contested<'_>,
    [first, later]: [&Rival<'_>; 2],
    architectures: &[Arch],
) -> Option<Finding> {
    let refusing = contested.refusing([first, later], architectures);
    let is_everywhere = refusing.len() == architectures.len();
    if refusing.is_empty() {
        return None;
    }
    let containers = first.together(later)?;
    let name = contested.syscall.name();
    let [one, other] = [first, later].map(|it| effect_words(it.effect));
    let place = if is_everywhere {
        String::new()
    } else {
        format!(" on {}", named(&refusing))
    };
    let conditions = if first.shares_rule(later) {
        format!("the same conditions for `{name}` lead to {one} and to {other}")
    } else {
        format!(
            "conditions for `{name}` that libseccomp cannot tell apart{place} lead to {one} and to {other}"
        )
    };
    let message = format!(
        "{conditions}: libseccomp refuses it, and no container starts{}",
        containers.phrase()
    );
    Some(
        Finding::new(&RULE.rule, context.at(later.name.node), message)
            .here(format!("{other} here"))
            .label(context.at(first.name.node), format!("{one} here"))
            .help("keep the one that is meant")
            .fact("syscall", name)
            .fact("with", containers.with)
            .fact("without", containers.without),
    )
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{MERGES_RIGHT, Rival};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Comparison, Digits, RuleEntry};
use crate::target::Target;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "libseccomp-64bit-merge-bug",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/libseccomp-64bit-merge-bug.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_affected = |target: &Target| {
        let libseccomp = target.libseccomp;
        libseccomp.is_none_or(|libseccomp| libseccomp.release < MERGES_RIGHT)
    };
    let affected = context.targets_where(|it| is_affected(it.target));
    if affected.is_empty() {
        return;
    }
    // A rule entry may be about many calls.
    let mut told: Vec<&RuleEntry<'_>> = Vec::new();
    for contested in context.contested() {
        let rivals: Vec<_> = contested.contradicting().collect();
        for (place, small) in rivals.iter().enumerate() {
            let mut earlier = rivals.iter().take(place);
            let found = earlier.find_map(|large| {
                let bounds = large.merged_wrongly(small)?;
                let containers = large.together(small)?;
                Some((large, bounds, containers))
            });
            let Some((large, [before, bound], containers)) = found else {
                continue;
            };
            let (Some(value), Some(before)) = (value(small, bound), value(large, before)) else {
                continue;
            };
            if told.iter().any(|entry| std::ptr::eq(*entry, small.entry)) {
                continue;
            }
            told.push(small.entry);
            let below = bound.value >> 32 << 32;
            let (name, index) = (contested.syscall.name(), bound.index);
            let message = format!(
                "before libseccomp 2.6.1 the earlier rule entry decides about `{name}` with an argument {index} below {below}, and not this one{}",
                containers.phrase()
            );
            let finding = Finding::new(&RULE.rule, context.at(value.node), message)
                .here("the smaller bound comes second")
                .label(context.at(before.node), "the larger one comes first")
                .help("put the rule entry with the smaller value first")
                .fact("syscall", name)
                .fact("index", index);
            findings.push(context.on(finding, &affected));
        }
    }
}

/// The value of a rule entry's condition.
fn value<'c>(rival: &Rival<'c>, bound: Comparison) -> Option<Digits<'c>> {
    let mut conditions = rival.entry.args.iter();
    conditions.find(|it| it.comparison == Some(bound))?.value
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Comparison, Condition, Operator, Profile, RuleEntry};
use crate::syscalls::{self, Release, Syscall};
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

/// The first release that has it right.
const FIXED: Release = Release::new(2, 6, 1);

/// How many such conditions are compared with each other: more than any profile has.
const MOST: usize = 64;

/// A rule entry whose one condition is that an argument is less than a number of more than 32 bits.
struct Bound<'c> {
    entry: &'c RuleEntry<'c>,
    condition: &'c Condition<'c>,
    comparison: Comparison,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let bounds: Vec<_> = bounds(context).take(MOST).collect();
    if bounds.len() < 2 {
        return;
    }
    let is_affected = |target: &Target| {
        let libseccomp = target.libseccomp;
        libseccomp.is_none_or(|libseccomp| libseccomp.release < FIXED)
    };
    let affected = context.targets_where(|it| is_affected(it.target));
    if affected.is_empty() {
        return;
    }
    for (place, small) in bounds.iter().enumerate() {
        let earlier = bounds.get(..place).unwrap_or_default();
        let Some((large, call)) = earlier.iter().find_map(|it| Some((it, clash(it, small)?)))
        else {
            continue;
        };
        let (Some(value), Some(before)) = (small.condition.value, large.condition.value) else {
            continue;
        };
        let below = small.comparison.value >> 32 << 32;
        let (name, index) = (call.name(), small.comparison.index);
        let message = format!(
            "before libseccomp 2.6.1 the earlier rule entry decides about `{name}` with an argument {index} below {below}, and not this one"
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

fn bounds<'c>(context: &Context<'c>) -> impl Iterator<Item = Bound<'c>> {
    let profile = context.profile().into_iter();
    profile.flat_map(|profile| profile.entries.iter().filter_map(|it| bound(profile, it)))
}

fn bound<'c>(profile: &Profile<'_>, entry: &'c RuleEntry<'c>) -> Option<Bound<'c>> {
    let [condition] = entry.args.as_slice() else {
        return None;
    };
    let comparison = condition.comparison?;
    let is_less = matches!(comparison.operator, Operator::Less | Operator::LessOrEqual);
    // What does as the default does, libseccomp never gets.
    let is_given = entry.effect != profile.default_effect;
    (is_less && comparison.value >> 32 != 0 && is_given).then_some(Bound {
        entry,
        condition,
        comparison,
    })
}

/// The call about which libseccomp mixes the two up, the larger of which it gets first.
fn clash(large: &Bound<'_>, small: &Bound<'_>) -> Option<&'static Syscall> {
    let (a, b) = (large.comparison, small.comparison);
    let is_near = a.index == b.index && a.value >> 32 == b.value >> 32 && a.value > b.value;
    if !is_near || large.entry.effect == small.entry.effect {
        return None;
    }
    let names = small.entry.names.iter().map(|it| it.value);
    let mut shared = names.filter(|name| large.entry.names.iter().any(|it| it.value == *name));
    shared.find_map(syscalls::lookup)
}

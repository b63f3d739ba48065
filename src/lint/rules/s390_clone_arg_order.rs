use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::target_use::may_hold_on;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::RuleEntry;
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "s390-clone-arg-order",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/s390-clone-arg-order.md"),
    },
    check,
};

/// The flags that make namespaces.
const NAMESPACES: u64 = 0x7e02_0000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_about_clone =
        |entry: &RuleEntry<'_>| entry.names.iter().any(|name| name.value == "clone");
    let mut conditions = context
        .conditions()
        .filter(|it| {
            it.comparison.index < 2
                && it.comparison.value & NAMESPACES != 0
                && is_about_clone(it.entry)
        })
        .peekable();
    if conditions.peek().is_none() {
        return;
    }
    let help = if Readers::know_filters(context) {
        "write two rule entries: index 1 for s390 and s390x (`includes.arches`), index 0 for the others (`excludes.arches`)"
    } else {
        "write a profile for s390 and s390x alone, with index 1, and one for the others, with index 0"
    };
    let hosts = hosts(context);
    for condition in conditions {
        let index = condition.comparison.index;
        // Only there the flags come second.
        let is_wrong = |host: &&Arch| {
            let is_second = matches!(host, Arch::S390 | Arch::S390X);
            is_second == (index == 0) && may_hold_on(**host, condition.entry)
        };
        let (Some(host), Some(place)) = (hosts.iter().find(is_wrong), condition.condition.index)
        else {
            continue;
        };
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let right = 1 - index;
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(place.node),
                format!("argument {index} of `clone` is the new stack on {host}: the flags are argument {right} there"),
            )
            .here("not the flags everywhere")
            .help(help)
            .fact("syscall", "clone")
            .fact("architecture", host.name())
            .fact("index", index),
        );
    }
}

/// The hosts that the profile is for, as far as something says so.
fn hosts(context: &Context<'_>) -> Vec<Arch> {
    let hosts = context.hosts();
    if !hosts.is_empty() {
        return hosts;
    }
    let profile = context.profile();
    let of_map = profile.into_iter().flat_map(|it| &it.arch_map);
    let of_map = of_map.filter_map(|element| element.architecture);
    let listed = profile
        .into_iter()
        .flat_map(|it| it.architectures.iter().copied());
    let hosts = listed.chain(of_map);
    hosts
        .filter_map(|token| Arch::from_token(token.value))
        .collect()
}

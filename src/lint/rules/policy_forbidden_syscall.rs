use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Demand, Findings, LintRule, Permission};
use crate::profile::Profile;
use crate::syscalls::Syscall;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "policy-forbidden-syscall",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/policy-forbidden-syscall.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for demand in &context.demands().forbid {
        for syscall in &demand.syscalls {
            let permission = context.permission(syscall);
            if permission.is_some_and(|permission| permission != Permission::Never) {
                findings.extend(report(context, demand, syscall));
            }
        }
    }
}

/// Where a profile permits a call: in rule entries, those first that always do, or else by default.
fn permitting(context: &Context<'_>, syscall: &Syscall) -> Vec<(Location, &'static str)> {
    let uses = context.uses(syscall);
    let mut uses: Vec<_> = uses
        .filter(|name| name.entry.permits() == Some(true))
        .collect();
    uses.sort_by_key(|name| !name.entry.args.is_empty());
    let places = uses.iter();
    let places: Vec<_> = places
        .map(|it| (context.at(it.text.node), "permitted here"))
        .collect();
    let default = context.profile().and_then(Profile::default_decision);
    match default.filter(|_| places.is_empty()) {
        Some(default) if default.action.permits() => {
            vec![(context.at(default.text.node), "permits it by default")]
        }
        _ => places,
    }
}

fn report(context: &Context<'_>, demand: &Demand, syscall: &Syscall) -> Option<Finding> {
    let (name, reason) = (syscall.name(), demand.reason.as_str());
    let message = format!("`{name}` is permitted, and the policy forbids it: {reason}");
    let mut places = permitting(context, syscall).into_iter();
    let (place, here) = places.next()?;
    let mut finding = Finding::new(&RULE.rule, place, message)
        .here(here)
        .fact("syscall", name)
        .fact("reason", reason);
    for (place, _) in places {
        finding = finding.label(place, "and here");
    }
    Some(finding.label(demand.location.clone(), "forbidden here"))
}

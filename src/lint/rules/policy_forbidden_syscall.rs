use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Demand, Findings, LintRule, Permission};
use crate::profile::Action;
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
    for demand in &context.policy().forbid {
        for syscall in &demand.syscalls {
            let permission = context.permission(syscall);
            if permission.is_some_and(|permission| permission != Permission::Never) {
                findings.extend(permitting(context, syscall).map(|(place, here)| {
                    report(demand, syscall, place).here(here)
                }));
            }
        }
    }
}

/// Where a profile permits a call: in rule entries, or else by default.
fn permitting(
    context: &Context<'_>,
    syscall: &Syscall,
) -> impl Iterator<Item = (Location, &'static str)> {
    let uses = context.uses(syscall);
    let uses = uses.filter(|name| name.entry.permits() == Some(true));
    let places: Vec<_> = uses.map(|it| (context.at(it.text.node), "permitted here")).collect();
    let default = context.profile().and_then(|profile| profile.default_action);
    let default = default.filter(|action| {
        places.is_empty() && Action::of_name(action.value).is_some_and(Action::permits)
    });
    let default = default.map(|action| (context.at(action.node), "permits it by default"));
    places.into_iter().chain(default)
}

fn report(demand: &Demand, syscall: &Syscall, place: Location) -> Finding {
    let (name, reason) = (syscall.name(), demand.reason.as_str());
    let message = format!("`{name}` is permitted, and the policy forbids it: {reason}");
    Finding::new(&RULE.rule, place, message)
        .label(demand.location.clone(), "forbidden here")
        .fact("syscall", name)
        .fact("reason", reason)
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "notify-forbidden-syscall",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/notify-forbidden-syscall.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let default = context.profile().and_then(Profile::default_decision);
    if let Some(default) = default.filter(|default| default.action == Action::Notify) {
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(default.text.node),
                "`SCMP_ACT_NOTIFY` cannot be the default action: runc refuses the profile",
            )
            .here("not as the default")
            .help("notify of the calls that the agent is for, by name, and deny or allow the rest"),
        );
    }
    let entries = context.profile().into_iter().flat_map(|it| &it.entries);
    let notifying = entries.filter(|entry| entry.known_action() == Some(Action::Notify));
    for name in notifying.flat_map(|entry| &entry.names) {
        if name.value == "write" {
            findings.push(
                Finding::new(
                    &RULE.rule,
                    context.at(name.node),
                    "`write` cannot be sent to a listener: runc refuses the profile",
                )
                .here("runc needs it to hand the listener over")
                .help("leave `write` out of this rule entry")
                .fact("syscall", "write"),
            );
        }
    }
}

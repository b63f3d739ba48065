use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "notify-without-listener",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/notify-without-listener.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let Some(decision) = profile.first_notification() else {
        return;
    };
    if context.names_receiver() {
        return;
    }
    let finding = match profile.node.get("listenerPath") {
        None => Finding::new(
            &RULE.rule,
            context.at(decision.text.node),
            "`SCMP_ACT_NOTIFY` without a `listenerPath`: under runc the container dies as it starts, under crun the calls fail with ENOSYS",
        )
        .here("nobody is notified"),
        Some(path) if path.is_null() || path.as_str() == Some("") => Finding::new(
            &RULE.rule,
            context.at(path),
            "`SCMP_ACT_NOTIFY` with an empty `listenerPath`: there is nobody to notify",
        )
        .here("names no socket")
        .label(context.at(decision.text.node), "to be sent to it"),
        Some(_) => return,
    };
    findings.push(
        finding
            .help("give the path of the agent's socket in `listenerPath`, or take another action"),
    );
}

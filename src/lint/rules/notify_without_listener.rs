use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::text::Node;

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
    let is_absolute = |path: Node<'_>| path.as_str().is_some_and(|path| path.starts_with('/'));
    // crun asks the annotation where there is no path.
    let listed = profile.node.get("listenerPath");
    let path = listed.filter(|path| !path.is_null());
    let path = path.or(context.receiver()).or(listed);
    let finding = match path {
        None => Finding::new(
            &RULE.rule,
            context.at(decision.text.node),
            "`SCMP_ACT_NOTIFY` without a `listenerPath`: under runc the container dies as it starts, under crun the calls fail with ENOSYS",
        )
        .here("nobody is notified"),
        Some(path) if path.is_null() || path.as_str() == Some("") => Finding::new(
            &RULE.rule,
            context.at(path),
            "`SCMP_ACT_NOTIFY` with an empty path to the listener: there is nobody to notify",
        )
        .here("names no socket")
        .label(context.at(decision.text.node), "to be sent to it"),
        Some(path) if path.as_str().is_some() && !is_absolute(path) => Finding::new(
            &RULE.rule,
            context.at(path),
            "`SCMP_ACT_NOTIFY` with a path to the listener that is not absolute: crun refuses it",
        )
        .here("does not begin with `/`")
        .label(context.at(decision.text.node), "to be sent to it"),
        Some(_) => return,
    };
    findings.push(
        finding
            .help("give the path of the agent's socket in `listenerPath`, or take another action"),
    );
}

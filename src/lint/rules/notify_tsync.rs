use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "notify-tsync",
        category: Category::RuntimeCompat,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/notify-tsync.md"),
    },
    check,
};

const TSYNC: &str = "SECCOMP_FILTER_FLAG_TSYNC";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let flags = profile.flags.iter().flatten();
    let Some(flag) = flags.into_iter().find(|flag| flag.value == TSYNC) else {
        return;
    };
    // Without a listener crun asks for none, and the kernel has nothing to refuse.
    let has_listener = profile
        .listener_path
        .is_some_and(|path| !path.value.is_empty());
    if !has_listener && context.receiver().is_none() {
        return;
    }
    let Some(decision) = profile.first_notification() else {
        return;
    };
    let finding = Finding::new(
        &RULE.rule,
        context.at(flag.node),
        format!("`{TSYNC}` with `SCMP_ACT_NOTIFY`: crun cannot load such a filter, and the container does not start"),
    )
    .here("not together with a listener")
    .label(context.at(decision.text.node), "needs a listener")
    .help("remove the flag")
    .fact("flag", TSYNC);
    let list = profile.node.get("flags");
    let gone = list.and_then(|list| removal::of_element(context.source, list, flag.node));
    findings.push(finding.removal(Applicability::Safe, gone));
}

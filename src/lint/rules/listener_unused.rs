use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::{Action, Profile, Text};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "listener-unused",
        category: Category::RuntimeCompat,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/listener-unused.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // A base profile may have rule entries that notify.
    let (Some(profile), Some(all)) = (context.profile(), context.whole()) else {
        return;
    };
    let report = |field: Text<'_>, message: &str, help: &str| {
        let gone = removal::of_member(context.source, profile.node, field.node);
        Finding::new(&RULE.rule, context.at(field.node), message)
            .here("has no use")
            .help(help)
            .removal(Applicability::Safe, gone)
    };
    match (profile.listener_path, profile.listener_metadata) {
        (Some(path), _) if notifies_of_nothing(profile, all) => findings.push(report(
            path,
            "a `listenerPath`, and no rule entry with `SCMP_ACT_NOTIFY`: nothing is ever sent there",
            "remove it: crun connects to the socket all the same, and refuses the profile if nobody listens",
        )),
        (None, Some(metadata)) if context.receiver().is_none() => findings.push(report(
            metadata,
            "`listenerMetadata` without a `listenerPath`: there is nobody to send it to",
            "remove it, or name the listener's socket in `listenerPath`",
        )),
        _ => {}
    }
}

/// Whether no action is to notify. One that is misspelt may have been meant to.
fn notifies_of_nothing<'c>(
    profile: &Profile<'_>,
    all: impl Iterator<Item = &'c Profile<'c>>,
) -> bool {
    let entries = all.flat_map(|profile| &profile.entries);
    let given = entries.filter(|entry| entry.action.is_some());
    let default = profile.default_action.map(|_| profile.default_effect);
    let mut effects = default.into_iter().chain(given.map(|entry| entry.effect));
    effects.all(|effect| effect.is_some_and(|it| it.action != Action::Notify))
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::denial::Denial;
use crate::lint::{Context, Findings, LintRule, Permission, removal};
use crate::profile::RuleEntry;
use crate::syscalls;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "redundant-default-action",
        category: Category::Style,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/style/redundant-default-action.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let Some(default) = profile.default_decision() else {
        return;
    };
    let default = Denial::new(default, context.readers());
    let list = profile.node.get("syscalls");
    for entry in &profile.entries {
        let Some(decision) = profile.decision_of(entry) else {
            continue;
        };
        // Where the calls are let run or denied elsewhere, the rule entry was meant to do something.
        if Denial::new(decision, context.readers()).effect != default.effect
            || !all_do_as_default(context, entry, default)
        {
            continue;
        }
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let gone = list.and_then(|list| removal::of_element(context.source, list, entry.node));
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(decision.text.node),
                "the rule entry does what the default action does: runtimes leave it out of the filter",
            )
            .here("the default action")
            .label(context.at(default.decision.text.node), "the same")
            .help("remove it, unless it is there to be read")
            .removal(Applicability::Unsafe, gone),
        );
    }
}

/// Whether all calls of a rule entry are let run, or all denied, as by default.
fn all_do_as_default(context: &Context<'_>, entry: &RuleEntry<'_>, default: Denial<'_>) -> bool {
    let expected = if default.effect.action.permits() {
        Permission::Always
    } else {
        Permission::Never
    };
    let known = || {
        entry
            .names
            .iter()
            .filter_map(|name| syscalls::lookup(name.value))
    };
    known().next().is_some() && known().all(|call| context.permission(call) == Some(expected))
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::text::{Kind, Node};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "empty-names",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/empty-names.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Of the operator's profiles, operator-schema speaks.
    let profile = context.profile();
    let Some(profile) = profile.filter(|profile| !profile.is_for_operator()) else {
        return;
    };
    for entry in &profile.entries {
        // With `names` given twice, the other list may have some.
        if !entry.names.is_empty() {
            continue;
        }
        // A `name` is either enough, or spoken of by other rules.
        if entry.name.is_some_and(|name| !name.value.is_empty()) {
            continue;
        }
        let is_empty_list =
            |names: &Node<'_>| *names.kind() == Kind::Array && names.elements().next().is_none();
        let empty = match (entry.names_node, entry.name) {
            (Some(names), _) if is_empty_list(&names) => names,
            (None, Some(name)) => name.node,
            _ => continue,
        };
        let finding = Finding::new(
            &RULE.rule,
            context.at(empty),
            "this rule entry names no syscall, so it does nothing",
        )
        .here("no name")
        .help("name the syscalls that it is for, or remove the rule entry");
        let list = profile.node.get("syscalls");
        // Without a default action, what is left might be no filter at all.
        let is_whole = profile
            .default_action
            .is_some_and(|action| !action.value.is_empty());
        let list = list.filter(|_| is_whole);
        let gone = list.and_then(|list| removal::of_element(context.source, list, entry.node));
        findings.push(finding.removal(Applicability::Safe, gone));
    }
}

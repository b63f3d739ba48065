use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule, removal};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "architectures-and-archmap",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/architectures-and-archmap.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(profile), Some(readers)) = (context.profile(), Readers::of_formats(context)) else {
        return;
    };
    // An engine looks whether there is a filter to be made before it looks at these.
    if profile.is_disabled {
        return;
    }
    let full = |name: &str| {
        let members = profile.node.members();
        members
            .filter(|(key, _)| key.as_str() == Some(name))
            .last()
            .filter(|(_, list)| list.elements().next().is_some())
            .map(|(key, _)| key)
    };
    if let (Some(arch_map), Some(architectures)) = (full("archMap"), full("architectures")) {
        let message = format!(
            "both `architectures` and `archMap` are given: {} the profile",
            readers.before("refuses", "refuse")
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(arch_map), message)
                .here("beside `architectures`")
                .label(context.at(architectures), "`architectures` is here")
                .help("keep `archMap` for a profile that serves several kinds of host, `architectures` otherwise")
                .removal(
                    Applicability::Unsafe,
                    removal::of_member(context.source, profile.node, architectures),
                ),
        );
    }
}

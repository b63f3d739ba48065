use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{about, listed};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Comparison, Operator};
use crate::syscalls::ParameterKind;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "pointer-arg-compared",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/pointer-arg-compared.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let Some(index) = condition.condition.index else {
            continue;
        };
        if asks_for_null(comparison) {
            continue;
        }
        let names = condition.syscalls_with(|kind| kind == ParameterKind::Pointer);
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "argument {} of {} is a pointer, and a filter cannot see what it points to",
            comparison.index,
            listed(&names)
        );
        let finding = Finding::new(&RULE.rule, context.at(index.node), message)
            .here("an address")
            .help(advice(&names))
            .fact("index", comparison.index);
        findings.push(about(finding, &names));
    }
}

/// Whether an address is given at all is something that a filter can see.
fn asks_for_null(comparison: Comparison) -> bool {
    match comparison.operator {
        Operator::Equal | Operator::NotEqual | Operator::Greater | Operator::LessOrEqual => {
            comparison.value == 0
        }
        Operator::Less | Operator::GreaterOrEqual => comparison.value == 1,
        Operator::MaskedEqual => comparison.value == u64::MAX && comparison.value_two == 0,
    }
}

fn advice(names: &[&str]) -> &'static str {
    match names {
        ["clone3"] => {
            "its flags are in memory: answer it with ENOSYS (38), and programs use `clone`"
        }
        ["socketcall"] => {
            "the arguments of the socket call are in memory: decide by argument 0 alone"
        }
        _ => "compare an argument that is a number, or decide without this condition",
    }
}

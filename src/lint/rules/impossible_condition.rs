use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::{ConditionUse, Context, Findings, LintRule};
use crate::profile::Operator;
use crate::syscalls::ParameterKind;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "impossible-condition",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/impossible-condition.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let message = match (comparison.operator, comparison.value) {
            (Operator::Less, 0) => {
                "no argument is less than 0, so this condition never holds".to_owned()
            }
            (Operator::Greater, u64::MAX) => {
                "no argument is greater than 18446744073709551615, so this condition never holds"
                    .to_owned()
            }
            (Operator::Equal, value) => match too_wide(&condition, value) {
                Some(message) => message,
                None => continue,
            },
            _ => continue,
        };
        let Some(value) = condition.condition.value else {
            continue;
        };
        let finding = Finding::new(&RULE.rule, context.at(value.node), message)
            .here("never so")
            .help("correct the value, or remove the rule entry");
        findings.push(match condition.entry.permits() {
            Some(false) => finding.severity(Severity::Error),
            _ => finding,
        });
    }
}

/// A value that no argument of 32 bits has, neither as it is nor with its sign in the upper half,
/// which `negative-int-as-64bit` is about.
fn too_wide(condition: &ConditionUse<'_>, value: u64) -> Option<String> {
    const NEGATIVE: u64 = u64::MAX << 31;
    if value >> 32 == 0 || value >= NEGATIVE {
        return None;
    }
    let names = condition.syscalls_with(is_narrow);
    let all = names.len() == condition.entry.names.len() && !names.is_empty();
    all.then(|| {
        let index = condition.comparison.index;
        format!(
            "the kernel reads argument {index} of {} as 32 bits or fewer, which are never {value}",
            listed(&names)
        )
    })
}

fn is_narrow(kind: ParameterKind) -> bool {
    matches!(kind, ParameterKind::Integer { bits: ..=32 })
}

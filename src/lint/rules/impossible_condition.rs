use std::cell::Cell;

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

/// A value that no argument of so few bits has, neither as it is nor with its sign in the upper part,
/// which `negative-int-as-64bit` is about.
fn too_wide(condition: &ConditionUse<'_>, value: u64) -> Option<String> {
    if value >> 16 == 0 {
        return None;
    }
    let widest = Cell::new(0);
    let names = condition.syscalls_with(|kind| match kind {
        ParameterKind::Integer { bits } if bits < 64 => {
            widest.set(widest.get().max(bits));
            true
        }
        _ => false,
    });
    let widest = widest.get();
    let all = names.len() == condition.entry.names.len() && !names.is_empty();
    // The sign goes on to the upper half or stops before it.
    let sign = u64::MAX.checked_shl(u32::from(widest).checked_sub(1)?)?;
    let is_negative = value >= sign || value >> 32 == 0 && value >= sign & u64::from(u32::MAX);
    if !all || value >> widest == 0 || is_negative {
        return None;
    }
    let index = condition.comparison.index;
    Some(format!(
        "the kernel reads argument {index} of {} as {widest} bits or fewer, which are never {value}",
        listed(&names)
    ))
}

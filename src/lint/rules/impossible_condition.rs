use std::cell::Cell;

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::{ConditionUse, Context, Findings, LintRule};
use crate::profile::Operator;
use crate::syscalls::{Parameter, ParameterKind};

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
            (Operator::Equal | Operator::MaskedEqual, _) => match too_wide(context, &condition) {
                Some(message) => message,
                None => continue,
            },
            _ => continue,
        };
        let place = match comparison.operator {
            Operator::MaskedEqual => condition.condition.value_two.map(|it| it.node),
            _ => condition.condition.value_place(),
        };
        let Some(place) = place else {
            continue;
        };
        let finding = Finding::new(&RULE.rule, context.at(place), message)
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
fn too_wide(context: &Context<'_>, condition: &ConditionUse<'_>) -> Option<String> {
    let comparison = condition.comparison;
    let (mask, value) = match comparison.operator {
        Operator::MaskedEqual => (comparison.value, comparison.value & comparison.value_two),
        _ => (u64::MAX, comparison.value),
    };
    let highest = value.checked_ilog2().filter(|bit| *bit >= 16)?;
    let highest = u8::try_from(highest).ok()?;
    let (widest, is_seen) = (Cell::new(0), Cell::new(false));
    let index = comparison.index;
    let names = condition.syscalls(|syscall| match syscall.parameter(index.into()) {
        Some(Parameter {
            kind: ParameterKind::Integer { bits },
            ..
        }) if bits < 64 => {
            widest.set(widest.get().max(bits));
            is_seen.set(is_seen.get() || context.may_see_bit(syscall, highest));
            true
        }
        _ => false,
    });
    let widest = widest.get();
    let all = names.len() == condition.entry.names.len() && !names.is_empty();
    // The sign goes on to the upper half or stops before it.
    let sign = u64::MAX.checked_shl(u32::from(widest).checked_sub(1)?)?;
    let asked = |bits: u64| value & sign == mask & bits;
    let is_negative = mask & sign & sign.wrapping_neg() != 0
        && (asked(sign) || asked(sign & u64::from(u32::MAX)));
    if !all || !is_seen.get() || value >> widest == 0 || is_negative {
        return None;
    }
    let never = match comparison.operator {
        Operator::MaskedEqual => format!("have no bit of {:#x}", value >> widest << widest),
        _ => format!("are never {value}"),
    };
    Some(format!(
        "the kernel reads argument {index} of {} as {widest} bits or fewer, which {never}",
        listed(&names)
    ))
}

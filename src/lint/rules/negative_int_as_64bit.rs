use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Operator;
use crate::syscalls::ParameterKind;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "negative-int-as-64bit",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/negative-int-as-64bit.md"),
    },
    check,
};

/// -2147483648 as a number of 64 bits: the least that an `int` can be.
const LEAST: u64 = u64::MAX << 31;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let (comparison, written) = (condition.comparison, condition.condition);
        let (value, place) = match comparison.operator {
            Operator::Equal | Operator::NotEqual => (comparison.value, written.value),
            Operator::MaskedEqual => (comparison.value_two & comparison.value, written.value_two),
            _ => continue,
        };
        let (LEAST.., Some(place)) = (value, place) else {
            continue;
        };
        let names = condition.syscalls(|syscall| {
            let parameter = syscall.parameter(comparison.index.into());
            parameter.is_some_and(|it| it.kind == ParameterKind::Integer { bits: 32 })
                && context.may_see_bit(syscall, 32)
        });
        if names.is_empty() {
            continue;
        }
        let (index, number, low) = (comparison.index, value.cast_signed(), value & 0xffff_ffff);
        let message = format!(
            "{value} is {number} in 64 bits, but argument {index} of {} has 32, and {number} may arrive as {low}",
            listed(&names)
        );
        let help = match comparison.operator {
            // A mask would ask for what is to be left out.
            Operator::NotEqual => {
                "no operator leaves out a lower half: write a rule entry for each value that is meant, with `SCMP_CMP_MASKED_EQ` and `value` 4294967295".to_owned()
            }
            Operator::MaskedEqual => {
                let mask = comparison.value & 0xffff_ffff;
                format!("compare the lower half: `value` {mask} and `valueTwo` {low}")
            }
            _ => format!(
                "compare the lower half: `SCMP_CMP_MASKED_EQ` with `value` 4294967295 and `valueTwo` {low}"
            ),
        };
        let finding = Finding::new(&RULE.rule, context.at(place.node), message)
            .here(format!("{number} in 64 bits"))
            .help(help)
            .fact("index", index)
            .fact("number", number);
        findings.push(if comparison.operator == Operator::Equal {
            let text = format!(
                "{{ \"index\": {index}, \"value\": 4294967295, \"valueTwo\": {low}, \"op\": \"SCMP_CMP_MASKED_EQ\" }}"
            );
            finding.fix(Applicability::Unsafe, written.node.span(), &text)
        } else {
            finding
        });
    }
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::Operator;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "value-two-ignored",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/value-two-ignored.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        // 0 is what it is without being written, and what many generators write.
        if comparison.operator == Operator::MaskedEqual || comparison.value_two == 0 {
            continue;
        }
        let written = condition.condition;
        let (Some(value_two), Some(op)) = (written.value_two, written.op) else {
            continue;
        };
        let message = format!(
            "`{}` compares with `value` alone: the {} in `valueTwo` does nothing",
            op.value, comparison.value_two
        );
        let finding = Finding::new(&RULE.rule, context.at(value_two.node), message)
            .here("ignored")
            .fact("op", op.value);
        findings.push(match comparison.operator {
            Operator::Equal | Operator::NotEqual => {
                let finding = finding.help("remove it: only `SCMP_CMP_MASKED_EQ` has two values");
                let gone = removal::of_member(context.source, written.node, value_two.node);
                finding.removal(Applicability::Safe, gone)
            }
            _ => finding.help(
                "no operator compares with a range, and two conditions on one argument are alternatives: list the values in rule entries of their own",
            ),
        });
    }
}

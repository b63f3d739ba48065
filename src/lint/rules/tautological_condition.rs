use crate::finding::{Applicability, Category, Edit, Finding, Rule, RuleSet, Severity};
use crate::lint::{ConditionUse, Context, Findings, LintRule};
use crate::profile::Operator;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "tautological-condition",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/tautological-condition.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let why = match (comparison.operator, comparison.value) {
            (Operator::GreaterOrEqual, 0) => "no argument is less than 0",
            (Operator::LessOrEqual, u64::MAX) => "no argument is greater than 18446744073709551615",
            (Operator::MaskedEqual, 0) => "a mask of 0 leaves nothing to compare",
            _ => continue,
        };
        let Some(value) = condition.condition.value else {
            continue;
        };
        let mut finding = Finding::new(
            &RULE.rule,
            context.at(value.node),
            format!("{why}, so this condition always holds"),
        )
        .here("always holds");
        if condition.entry.permits() == Some(true) {
            finding = finding.severity(Severity::Error);
        }
        findings.push(match comparison.operator {
            Operator::MaskedEqual => mixed_up(&condition, finding),
            _ => finding.help("leave it out if every value is meant"),
        });
    }
}

/// What to do about a mask of 0. Most often the mask stands in `valueTwo`.
fn mixed_up(condition: &ConditionUse<'_>, finding: Finding) -> Finding {
    let (Some(mask), Some(value)) = (condition.condition.value, condition.condition.value_two)
    else {
        return finding.help("write the mask into `value`");
    };
    let (written, bits) = (value.value, condition.comparison.value_two);
    if bits == 0 {
        return finding.help("write the mask into `value`");
    }
    let swapped = [(mask, written), (value, "0")];
    let edits = swapped.map(|(digits, text)| Edit {
        span: digits.node.span(),
        text: text.to_owned(),
    });
    let finding = finding.edits(Applicability::Unsafe, edits.into());
    finding.help(format!(
        "`value` is the mask, `valueTwo` what the masked argument must be; swapped, it asks that no bit of {bits:#x} is set"
    ))
}

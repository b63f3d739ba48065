use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Operator;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "masked-eq-bits-outside-mask",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/masked-eq-bits-outside-mask.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let (mask, value) = (condition.comparison.value, condition.comparison.value_two);
        let outside = value & !mask;
        // A mask of 0 is for `tautological-condition` to speak of.
        if condition.comparison.operator != Operator::MaskedEqual || mask == 0 || outside == 0 {
            continue;
        }
        let Some(written) = condition.condition.value_two else {
            continue;
        };
        let kept = value & mask;
        let message = format!(
            "`valueTwo` has bits outside the mask {mask:#x}: {value:#x} is compared as {kept:#x}"
        );
        let finding = Finding::new(&RULE.rule, context.at(written.node), message)
            .here(format!("{outside:#x} is dropped"))
            .fact("mask", mask)
            .fact("dropped", outside);
        // Any other mask asks for more bits: a rule entry that permits then lets less through, and one
        // that denies lets more.
        let permits = condition.entry.permits() == Some(true);
        let help = match (kept == mask, permits) {
            (true, true) => "`value` is the mask, `valueTwo` what the masked argument must be: were they mixed up?".to_owned(),
            (true, false) => format!("write {kept}, and a rule entry for each bit of {outside:#x} if any of them is to be denied too"),
            (false, true) => format!("write {kept}, or widen the mask in `value`"),
            (false, false) => format!("write {kept}: with a wider mask fewer calls are denied"),
        };
        findings.push(if kept == mask {
            finding.help(help)
        } else {
            finding.help(help).fix(
                Applicability::Safe,
                written.node.text_span(),
                &kept.to_string(),
            )
        });
    }
}

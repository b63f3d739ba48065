use crate::finding::{Category, Rule, RuleSet, Severity};
use crate::lint::upper_bits::{self, Words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "int-arg-upper-bits-reject",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/portability/int-arg-upper-bits-reject.md"),
    },
    check,
};

const WORDS: Words = Words {
    filter: "denied",
    kernel: "it is allowed",
    perhaps: "it is to be allowed",
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let all = upper_bits::all(context, |kernel, filter| {
        kernel.action.permits() && !filter.action.permits()
    });
    // Who writes such a condition wants just that.
    for found in all.iter().filter(|it| !it.is_about_upper_bits()) {
        let finding = upper_bits::report(&RULE.rule, context, found, &WORDS);
        findings.extend(finding.map(|it| it.help(upper_bits::help(found))));
    }
}

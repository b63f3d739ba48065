use crate::finding::{Category, Rule, RuleSet, Severity};
use crate::lint::upper_bits::{self, Words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "int-arg-upper-bits-bypass",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/int-arg-upper-bits-bypass.md"),
    },
    check,
};

const WORDS: Words = Words {
    filter: "let through",
    kernel: "it is denied",
    perhaps: "it is to be denied",
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let all = upper_bits::all(context, |kernel, filter| {
        !kernel.action.permits() && filter.action.permits()
    });
    for found in &all {
        let mut help = upper_bits::help(found);
        if found.is_permission() {
            help.push_str("; a rule entry that denies, beside this one, does not keep them out");
        }
        let finding = upper_bits::report(&RULE.rule, context, found, &WORDS);
        findings.extend(finding.map(|it| it.help(help)));
    }
}

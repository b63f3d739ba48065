use crate::finding::{Category, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, upper_bits};

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

fn check(context: &Context<'_>, findings: &mut Findings) {
    let all = upper_bits::all(context, |kernel, filter| {
        !kernel.action.permits() && filter.action.permits()
    });
    for found in &all {
        findings.push(upper_bits::report(&RULE.rule, context, found, |bits, taken| {
            format!(
                "is let through: the kernel looks at {bits} bits and takes it for {taken}, which is denied"
            )
        }));
    }
}

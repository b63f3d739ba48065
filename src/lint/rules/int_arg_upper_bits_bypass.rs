use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
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
    for (contested, found) in upper_bits::all(context, |kernel, filter| {
        !kernel.action.permits() && filter.action.permits()
    }) {
        let name = contested.syscall.name();
        let message = format!(
            "`{name}` with argument {} = {:#x} is let through: the kernel looks at {} bits and takes it for {}, which is denied",
            found.index, found.written, found.bits, found.taken
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(found.condition.node), message)
                .here("compares all 64 bits")
                .help(upper_bits::help(found.bits))
                .fact("syscall", name)
                .fact("arguments", found.arguments.to_vec()),
        );
    }
}

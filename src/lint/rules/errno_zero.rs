use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "errno-zero",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/errno-zero.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let given = context.errnos();
    for (decision, errno) in given.filter(|(decision, _)| decision.action == Action::Errno) {
        let Some(number) = errno.number.filter(|&number| number as u16 == 0) else {
            continue;
        };
        // Not to the operator, which operator-schema says.
        if number == 0 && context.profile().is_some_and(Profile::is_for_operator) {
            continue;
        }
        let field = errno.field;
        let calls = if decision.entry.is_some() {
            "the calls that this rule entry denies"
        } else {
            "all calls that no rule entry matches"
        };
        let given = if number == 0 {
            format!("`{field}` 0")
        } else {
            format!("`{field}` {number} is cut to 16 bits, which are 0")
        };
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(errno.node),
                format!("{given}: {calls} return 0, as if they had been made"),
            )
            .here("0 means success")
            .help("write 1 for EPERM, or 38 for ENOSYS")
            .fact("errno", number)
            .fix(Applicability::Unsafe, errno.node.text_span(), "1"),
        );
    }
}

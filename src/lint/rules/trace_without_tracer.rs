use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "trace-without-tracer",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/trace-without-tracer.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let decisions = context.profile().into_iter().flat_map(Profile::decisions);
    for decision in decisions.filter(|decision| decision.action == Action::Trace) {
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(decision.text.node),
                "`SCMP_ACT_TRACE` leaves the calls to a tracer: unless one is attached, they fail with ENOSYS",
            )
            .here("needs a tracer")
            .help("if ENOSYS is what you want, write `SCMP_ACT_ERRNO` with 38 for its errno"),
        );
    }
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "kill-thread-action",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/kill-thread-action.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let decisions = context.profile().into_iter().flat_map(Profile::decisions);
    for decision in decisions.filter(|decision| decision.action == Action::KillThread) {
        let written = decision.text.value;
        let severity = match decision.entry {
            None => RULE.rule.severity,
            Some(_) => Severity::Info,
        };
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(decision.text.node),
                format!("`{written}` kills the thread that makes the call, and leaves the rest of its process running"),
            )
            .severity(severity)
            .here("one thread only")
            .help("write `SCMP_ACT_KILL_PROCESS` to end the program, or `SCMP_ACT_ERRNO` to let it go on")
            .fact("action", written)
            .fix(
                Applicability::Unsafe,
                decision.text.node.text_span(),
                "SCMP_ACT_KILL_PROCESS",
            ),
        );
    }
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Found};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "seccomp-disabled",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/seccomp-disabled.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (location, dialects) = match context.found {
        Found::Blank(root) => (context.bracket(*root), Dialects::FILES),
        Found::Profile(profile) if profile.is_disabled => {
            let location = match profile.default_action {
                Some(action) => context.at(action.node),
                None => context.bracket(profile.node),
            };
            (location, profile.dialects)
        }
        _ => return,
    };
    let readers = dialects.go_readers();
    let verb = if dialects.is_one() { "runs" } else { "run" };
    let message = format!(
        "no default action and no rule entries: {readers} {verb} the container without a filter"
    );
    let help = if dialects == Dialects::OCI {
        "crun refuses it; write a `defaultAction`, or leave `seccomp` out if no filter is meant"
    } else {
        "write a `defaultAction`, or say `seccomp=unconfined` if no filter is meant"
    };
    findings.push(
        Finding::new(&RULE.rule, location, message)
            .here("no filter")
            .help(help),
    );
}

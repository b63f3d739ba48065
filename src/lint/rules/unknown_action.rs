use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Action;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-action",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-action.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let entries = profile.entries.iter().filter_map(|entry| entry.action);
    for action in profile.default_action.into_iter().chain(entries) {
        let written = action.value;
        // With an empty default action and nothing else no filter is made at all.
        let is_disabled = profile.is_disabled && written.is_empty();
        if is_disabled || Action::of_name(written).is_some() {
            continue;
        }
        let message = if written.is_empty() {
            "an empty action".to_owned()
        } else {
            format!("unknown action `{written}`")
        };
        let message = format!("{message}: no runtime starts a container with it");
        let mut finding = Finding::new(&RULE.rule, context.at(action.node), message)
            .here("no such action")
            .fact("action", written);
        finding = if let Some(meant) = meant(written) {
            finding
                .help(format!("did you mean `{meant}`?"))
                .fact("suggestion", meant)
                .fix(Applicability::Unsafe, action.node.text_span(), meant)
        } else {
            let names: Vec<_> = Action::names().collect();
            finding.help(format!("the actions are {}", names.join(", ")))
        };
        findings.push(finding);
    }
}

/// The action that someone who wrote `written` most likely means.
fn meant(written: &str) -> Option<&'static str> {
    let upper = written.trim().to_ascii_uppercase().replace('-', "_");
    let bare = upper
        .rsplit_once("ACT_")
        .map_or(upper.as_str(), |(_, bare)| bare);
    let bare = bare.strip_prefix("RET_").unwrap_or(bare);
    if let "DENY" | "BLOCK" | "REJECT" | "EPERM" = bare {
        return Some("SCMP_ACT_ERRNO");
    }
    let distance = |action: &str| strsim::osa_distance(&action["SCMP_ACT_".len()..], bare);
    let nearest = Action::names().min_by_key(|action| distance(action))?;
    (distance(nearest) <= 2 && bare.len() > 2).then_some(nearest)
}

use crate::capabilities::{CAPABILITIES, is_capability};
use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::word::nearest;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Side;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-capability",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-capability.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(profile), Some(_)) = (context.profile(), Readers::of_formats(context)) else {
        return;
    };
    for (side, filter) in profile.filters() {
        for capability in filter.caps.iter().filter(|name| !is_capability(name.value)) {
            if !findings.has_room() {
                findings.leave_out();
                continue;
            }
            let written = capability.value;
            let effect = match side {
                Side::Includes => "this rule entry never applies",
                Side::Excludes => "it excludes nothing",
            };
            let message = if written.is_empty() {
                format!("no container has a capability without a name, so {effect}")
            } else {
                format!("no container has a capability `{written}`, so {effect}")
            };
            let finding = Finding::new(&RULE.rule, context.at(capability.node), message)
                .here("no such capability")
                .fact("capability", written);
            findings.push(match meant(written) {
                Some(meant) => finding
                    .help(format!("did you mean `{meant}`?"))
                    .fact("suggestion", meant)
                    .fix(Applicability::Unsafe, capability.node.text_span(), meant),
                None if written.eq_ignore_ascii_case("all") => {
                    finding.help("name one capability: the names are compared as they are written")
                }
                None => finding.help("correct it or remove it"),
            });
        }
    }
}

/// The capability that someone who wrote `written` most likely means.
fn meant(written: &str) -> Option<&'static str> {
    let upper = written.trim().to_ascii_uppercase().replace('-', "_");
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let names = CAPABILITIES
        .iter()
        .filter_map(|name| name.strip_prefix("CAP_"));
    let near = nearest(names, bare, if bare.len() > 5 { 2 } else { 1 })?;
    let is = |name: &&&str| name.strip_prefix("CAP_") == Some(near);
    CAPABILITIES.iter().find(is).copied()
}

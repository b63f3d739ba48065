use crate::finding::{Applicability, Category, Edit, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::RuleEntry;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "deprecated-name",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/deprecated-name.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile().filter(|profile| profile.is_for_engines()) else {
        return;
    };
    let mut dated = profile.entries.iter().filter(|entry| is_dated(entry));
    let Some(first) = dated.next().and_then(|entry| entry.name) else {
        return;
    };
    let more = dated.count();
    let message =
        "`name` is a key of Docker's first format, which engines still read, and no runtime does";
    let message = match more {
        0 => message.to_owned(),
        1 => format!("{message}; one more rule entry has it"),
        _ => format!("{message}; {more} more rule entries have it"),
    };
    let edits = profile.entries.iter().filter(|entry| is_dated(entry));
    let edits = edits.filter_map(renamed).flatten().collect();
    findings.push(
        Finding::new(&RULE.rule, context.at(first.node), message)
            .here("only Docker and Podman know `name`")
            .help("write `names` and a list: `\"names\": [...]`")
            .fact("entries", more + 1)
            .edits(Applicability::Safe, edits),
    );
}

fn is_dated(entry: &RuleEntry<'_>) -> bool {
    entry.names_node.is_none() && entry.name.is_some_and(|name| !name.value.is_empty())
}

/// The edits that make a list of a name.
fn renamed(entry: &RuleEntry<'_>) -> Option<[Edit; 2]> {
    let name = entry.name?;
    let mut members = entry.node.members();
    let (key, _) = members.find(|&(_, value)| value == name.node)?;
    Some([
        Edit {
            span: key.text_span(),
            text: "names".to_owned(),
        },
        Edit {
            span: name.node.span(),
            text: format!("[{}]", serde_json::Value::from(name.value)),
        },
    ])
}

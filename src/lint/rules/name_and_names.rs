use crate::finding::{Applicability, Category, Edit, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::RuleEntry;
use crate::text::{Node, Source, Span};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "name-and-names",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/name-and-names.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(profile), Some(readers)) = (context.profile(), Readers::of_formats(context)) else {
        return;
    };
    for entry in &profile.entries {
        let Some(name) = entry.name.filter(|name| !name.value.is_empty()) else {
            continue;
        };
        let Some((names, last)) = entry
            .names_node
            .and_then(|names| Some((names, names.elements().last()?)))
        else {
            continue;
        };
        let message = format!(
            "a rule entry has both `name` and `names`: {} the profile",
            readers.before("refuses", "refuse")
        );
        let finding = Finding::new(&RULE.rule, context.at(name.node), message)
            .here("beside `names`")
            .label(context.at(names), "`names` is here")
            .help("put all names into `names`")
            .fact("syscall", name.value);
        findings.push(
            match merged(context.source, entry, name.node, names, last) {
                Some(edits) => finding.edits(Applicability::Safe, edits),
                None => finding,
            },
        );
    }
}

/// The edits that move `name` to the end of `names`.
fn merged(
    source: &Source,
    entry: &RuleEntry<'_>,
    name: Node<'_>,
    names: Node<'_>,
    last: Node<'_>,
) -> Option<Vec<Edit>> {
    let written = name.as_str()?;
    let mut edits = vec![Edit {
        span: removal::of_member(source, entry.node, name)?,
        text: String::new(),
    }];
    if !names
        .elements()
        .any(|other| other.as_str() == Some(written))
    {
        let end = last.span().end;
        edits.push(Edit {
            span: Span::new(end, end),
            text: format!(", {}", serde_json::Value::from(written)),
        });
    }
    Some(edits)
}

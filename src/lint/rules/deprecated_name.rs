use crate::finding::{Applicability, Category, Edit, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::{FORMATS, Readers};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::profile::RuleEntry;
use crate::text::{Kind, Node, Source};

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
    let (Some(profile), Some(readers)) = (context.profile(), Readers::of_formats(context)) else {
        return;
    };
    let mut dated = profile.entries.iter().filter(|entry| is_dated(entry));
    let Some(first) = dated.next().and_then(|entry| entry.name) else {
        return;
    };
    let more = dated.count();
    let message = format!(
        "`name` is a key of Docker's first format, which {}, and no runtime does",
        readers.before("still reads", "still read")
    );
    let message = match more {
        0 => message,
        1 => format!("{message}; one more rule entry has it"),
        _ => format!("{message}; {more} more rule entries have it"),
    };
    let edits = profile.entries.iter().filter(|entry| is_dated(entry));
    let edits = edits.filter_map(|entry| renamed(context.source, entry));
    let edits = edits.flatten().collect();
    // To another engine the rule entry is about nothing, until it is mended.
    let mut engines = context.engines().iter();
    let applicability = if engines.all(|engine| FORMATS.contains(engine.dialect())) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    findings.push(
        Finding::new(&RULE.rule, context.at(first.node), message)
            .here("only Docker and Podman know `name`")
            .help("write `names` and a list: `\"names\": [...]`")
            .fact("entries", more + 1)
            .edits(applicability, edits),
    );
}

/// An empty list is to engines as none.
fn is_dated(entry: &RuleEntry<'_>) -> bool {
    let is_empty =
        |names: Node<'_>| *names.kind() == Kind::Array && names.elements().next().is_none();
    entry.names_node.is_none_or(is_empty) && entry.name.is_some_and(|name| !name.value.is_empty())
}

/// The edits that make a list of a name.
fn renamed(source: &Source, entry: &RuleEntry<'_>) -> Option<[Edit; 2]> {
    let name = entry.name?;
    let list = format!("[{}]", serde_json::Value::from(name.value));
    if let Some(names) = entry.names_node {
        let span = removal::of_member(source, entry.node, name.node)?;
        let text = String::new();
        let filled = Edit {
            span: names.span(),
            text: list,
        };
        return Some([Edit { span, text }, filled]);
    }
    let mut members = entry.node.members();
    let (key, _) = members.find(|&(_, value)| value == name.node)?;
    Some([
        Edit {
            span: key.text_span(),
            text: "names".to_owned(),
        },
        Edit {
            span: name.node.span(),
            text: list,
        },
    ])
}

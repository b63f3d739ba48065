use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::text::{Deviation, DeviationKind, Syntax};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "yaml-syntax",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/yaml-syntax.md"),
    },
    check,
};

/// As many as json-syntax shows.
const SHOWN: usize = 20;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.syntax() != Syntax::Yaml || !context.place.is_first_of_document {
        return;
    }
    for deviation in context.deviations().take(SHOWN) {
        findings.push(report(context, deviation));
    }
}

fn report(context: &Context<'_>, deviation: Deviation) -> Finding {
    let kind = deviation.kind;
    let why = context.document.why_broken().unwrap_or_default();
    let is_template = !context.document.blanks().is_empty();
    let (message, severity) = match kind {
        DeviationKind::NotYaml if is_template => (
            format!(
                "a template that is no YAML without its directives, so it is not checked: {why}"
            ),
            Severity::Info,
        ),
        DeviationKind::NotYaml => (format!("not YAML: {why}"), RULE.rule.severity),
        DeviationKind::Template => (
            "a template: directives are read as white space, and what they write is not checked"
                .to_owned(),
            Severity::Info,
        ),
        DeviationKind::TooLarge => (format!("not read: {}", kind.message()), RULE.rule.severity),
        _ => (kind.message().to_owned(), RULE.rule.severity),
    };
    let location = Location::text(context.source, deviation.span);
    let finding = Finding::new(&RULE.rule, location, message)
        .severity(severity)
        .fact("deviation", kind.name());
    match help(kind, is_template) {
        Some(help) => finding.help(help),
        None => finding,
    }
}

fn help(kind: DeviationKind, is_template: bool) -> Option<&'static str> {
    Some(match kind {
        DeviationKind::NotYaml | DeviationKind::Template if is_template => {
            "check what it becomes: `helm template . | seclint check -`"
        }
        DeviationKind::NotYaml => "nothing of this document is read from here on",
        DeviationKind::BadUtf8 => "save the file as UTF-8: no reader of YAML takes it as it is",
        DeviationKind::UnknownAlias => "anchors hold within one document, from where they stand",
        DeviationKind::TooManyAliases => {
            "write it out: readers of YAML refuse what repeats itself so often"
        }
        DeviationKind::BadMerge => "name an anchor of an object, or several in a list",
        DeviationKind::ForeignTag => "remove it",
        _ => return None,
    })
}

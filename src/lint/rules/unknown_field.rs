use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Field, Mistake, Profile};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-field",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-field.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    for mistake in context.mistakes() {
        let &Mistake::UnknownField { key, object, known } = mistake else {
            continue;
        };
        let written = key.as_str().unwrap_or_default();
        // An object that the dialect does not have was told of, and so was a bare `...`.
        let is_told = known
            .iter()
            .all(|it| (it.dialects & profile.dialects).is_empty())
            || !written.bytes().any(|it| it.is_ascii_alphanumeric()) && context.is_deviant(key);
        if is_told || is_private(written) || profile.field_in_other_case(written, known).is_some() {
            continue;
        }
        let elsewhere = known.iter().find(|field| field.name == written);
        let is_engines = |field: &Field| (field.dialects & Dialects::OPERATOR).is_empty();
        // What engines read and others do not has rules of its own.
        if elsewhere.is_some_and(is_engines) && !profile.is_for_operator() {
            continue;
        }
        let finding = |message: String| {
            Finding::new(&RULE.rule, context.at(key), message).fact("field", written)
        };
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        findings.push(if let Some(field) = elsewhere {
            finding(format!(
                "`{written}` is a field of {} profiles; read as {}, it is ignored",
                field.dialects, profile.dialects
            ))
            .severity(Severity::Error)
            .here("ignored")
            .help("write what it stands for in fields that this format has")
        } else if let Some(field) = meant(written, known, profile) {
            finding(format!(
                "{object} has no field `{written}`: nothing reads it"
            ))
            .severity(Severity::Error)
            .here("ignored")
            .help(format!("did you mean `{field}`?"))
            .fact("suggestion", field)
        } else if matches!(written, "caps" | "arches" | "minKernel") && object == "a rule entry" {
            finding(format!(
                "{object} has no field `{written}`: nothing reads it"
            ))
            .severity(Severity::Error)
            .here("ignored")
            .help("it belongs into `includes` or `excludes`")
        } else {
            finding(format!(
                "{object} has no field `{written}`: nothing reads it"
            ))
            .here("ignored")
            .help(if profile.is_for_operator() {
                "remove it: the API server drops it, or refuses the profile"
            } else {
                "remove it, or begin its name with `x-` to say that it is meant for people only"
            })
        });
    }
}

/// Keys that by custom are meant for people or for other tools.
fn is_private(key: &str) -> bool {
    key == "comment" || key.starts_with("x-") || key.starts_with(['$', '_', '/', '#'])
}

/// The field that someone who wrote `written` most likely means.
fn meant(written: &str, known: &'static [Field], profile: &Profile<'_>) -> Option<&'static str> {
    let letters = |text: &str| text.to_ascii_lowercase().replace(['_', '-'], "");
    let bare = letters(written);
    let fields = known
        .iter()
        .filter(|field| !(field.dialects & profile.dialects).is_empty())
        .map(|field| field.name);
    if let "syscall" | "syscalls" = bare.as_str() {
        let names = fields.clone().find(|&field| field == "names");
        if names.is_some() {
            return names;
        }
    }
    let distance = |field: &str| strsim::osa_distance(&letters(field), &bare);
    let nearest = fields.min_by_key(|field| distance(field))?;
    let near = if nearest.len() < 5 { 1 } else { 2 };
    (distance(nearest) <= near).then_some(nearest)
}

use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Mistake};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "field-case-mismatch",
        category: Category::Portability,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/field-case-mismatch.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    for mistake in context.mistakes() {
        let &Mistake::UnknownField { key, known, .. } = mistake else {
            continue;
        };
        let written = key.as_str().unwrap_or_default();
        let Some(field) = profile.field_in_other_case(written, known) else {
            continue;
        };
        let is_for_runtimes = context.is_for_runtimes() && field.dialects.contains(Dialects::OCI);
        let field = field.name;
        // Engines are written in Go, which takes either; runtimes are not all.
        let (severity, message, here, applicability) = if profile.is_for_operator() {
            (
                RULE.rule.severity,
                format!(
                    "`{written}` is not `{field}`: the API server drops it, or refuses the profile"
                ),
                "not a field",
                Applicability::Unsafe,
            )
        } else if is_for_runtimes {
            (
                RULE.rule.severity,
                format!(
                    "`{written}` is not `{field}`: runc ignores the case, crun and youki do not"
                ),
                "of the runtimes only runc reads this",
                Applicability::Unsafe,
            )
        } else {
            (
                Severity::Warning,
                format!("`{written}` is `{field}` only to readers that ignore case, as engines do"),
                "not to other tools",
                Applicability::Safe,
            )
        };
        findings.push(
            Finding::new(&RULE.rule, context.at(key), message)
                .severity(severity)
                .here(here)
                .help(format!("write `{field}`"))
                .fact("field", written)
                .fact("suggestion", field)
                .fix(applicability, key.text_span(), field),
        );
    }
}

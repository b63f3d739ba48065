use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Mistake;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "missing-required-field",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/missing-required-field.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for mistake in context.mistakes() {
        let &Mistake::MissingField {
            object,
            what,
            field,
        } = mistake
        else {
            continue;
        };
        findings.push(
            Finding::new(
                &RULE.rule,
                context.bracket(object),
                format!("{what} has no `{field}`"),
            )
            .here(format!("`{field}` is missing in here"))
            .help(match context.profile() {
                Some(profile) if profile.is_for_operator() => {
                    "write it out: the API server refuses the profile"
                }
                _ => consequence(field),
            })
            .fact("field", field),
        );
    }
}

fn consequence(field: &str) -> &'static str {
    match field {
        "defaultAction" => {
            "say what happens to syscalls that no rule entry names; no runtime starts a container without it"
        }
        "architecture" => "say which hosts the entry is for",
        "index" | "value" => "write it out: crun and runc take it for 0, youki refuses the profile",
        "names" => "name the syscalls that it is about; crun refuses the profile",
        _ => "no runtime starts a container without it",
    }
}

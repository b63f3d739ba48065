use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "too-many-args",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/too-many-args.md"),
    },
    check,
};

/// How many conditions crun takes of a rule entry.
const MOST: usize = 6;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let entries = context
        .profile()
        // Of the operator's, operator-schema speaks.
        .filter(|profile| !profile.is_for_operator())
        .into_iter()
        .flat_map(|profile| &profile.entries);
    for entry in entries {
        let Some(seventh) = entry.args.get(MOST) else {
            continue;
        };
        let count = entry.args.len();
        let message =
            format!("{count} conditions in a rule entry: crun drops those after the sixth");
        findings.push(
            Finding::new(&RULE.rule, context.bracket(seventh.node), message)
                .here("dropped from here on")
                .help("spread them over rule entries with at most six conditions each")
                .fact("conditions", count),
        );
    }
}

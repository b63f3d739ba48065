use crate::finding::{Category, Finding, Rule, Severity};
use crate::lint::{Context, LintRule};
use crate::profile::Mistake;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "wrong-json-type",
        category: Category::Correctness,
        severity: Severity::Error,
        page: include_str!("../../../rules/correctness/wrong-json-type.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for mistake in context.mistakes() {
        let &Mistake::WrongType {
            node,
            field,
            expected,
            is_element,
        } = mistake
        else {
            continue;
        };
        let found = node.kind().describe();
        let place = if is_element { "an element of " } else { "" };
        let message = format!("{place}`{field}` must be {expected}, not {found}");
        findings.push(
            Finding::new(&RULE.rule, context.at(node), message)
                .here(format!("must be {expected}"))
                .help("crun goes on as if the value were not there; runc refuses the profile")
                .fact("field", field)
                .fact("expected", expected)
                .fact("found", found),
        );
    }
}

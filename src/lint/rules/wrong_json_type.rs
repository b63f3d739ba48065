use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Mistake;
use crate::text::Node;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "wrong-json-type",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/wrong-json-type.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
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
                .help(match context.profile() {
                    Some(profile) if profile.is_for_operator() => {
                        "the API server refuses the profile"
                    }
                    _ => consequence(field, is_element, node),
                })
                .fact("field", field)
                .fact("expected", expected)
                .fact("found", found),
        );
    }
}

/// What readers do with a value of the wrong type, as they were seen to.
fn consequence(field: &str, is_element: bool, node: Node<'_>) -> &'static str {
    match (field, is_element) {
        ("syscalls" | "args", true) if node.is_null() => {
            "remove it: crun 1.28 starts the container with no filter at all and says nothing; crun 1.21 refuses"
        }
        ("names", true) => "crun takes it for a name that no syscall has; runc refuses the profile",
        // To Go null is as nothing.
        ("names", false) if node.is_null() => "crun refuses the profile; runc drops the rule entry",
        ("index" | "value", false) if node.is_null() => {
            "crun and runc take it for 0; youki refuses the profile"
        }
        ("syscalls" | "args" | "flags" | "architectures", true)
        | ("defaultAction" | "names" | "action" | "op", false) => {
            "no runtime starts a container with it"
        }
        (
            "defaultErrnoRet" | "architectures" | "flags" | "syscalls" | "errnoRet" | "args"
            | "index" | "value" | "valueTwo",
            false,
        ) => "crun goes on as if it were not there; runc refuses the profile",
        _ if node.is_null() => {
            "engines that know the field, all of them written in Go, take it for an empty one"
        }
        _ => "engines that know the field, all of them written in Go, refuse the profile",
    }
}

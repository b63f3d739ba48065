use crate::finding::{Category, Finding, Location, Rule, Severity};
use crate::lint::{Context, LintRule};
use crate::profile::Found;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "not-a-profile",
        category: Category::Correctness,
        severity: Severity::Error,
        page: include_str!("../../../rules/correctness/not-a-profile.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let (message, help) = match context.found {
        Found::Profile(_) => return,
        Found::NoSection(_) => (
            "a container configuration without `linux.seccomp`: its container runs without a filter",
            "name a configuration that has one, or the profile itself",
        ),
        Found::Nothing if context.is_meant_as_json() => {
            if !context.document.deviations().is_empty() {
                // What json-syntax says of it may be all that hides the profile.
                return;
            }
            (
                "not a seccomp profile: it has neither `defaultAction` nor `syscalls`",
                "if it is meant as one, say which kind with --dialect docker, podman or oci",
            )
        }
        Found::Nothing => (
            "not a seccomp profile: the file holds no JSON object",
            "seclint reads profiles written in JSON; YAML is not read yet",
        ),
    };
    let location = Location::file(context.source);
    findings.push(Finding::new(&RULE.rule, location, message).help(help));
}

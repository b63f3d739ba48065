use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Found;
use crate::text::{Deviation, DeviationKind};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "not-a-profile",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/not-a-profile.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let file = Location::file(context.source);
    let (location, message, help) = match *context.found {
        Found::Profile(_) | Found::Blank(_) => return,
        Found::NoSection(None) => (
            file,
            "a container configuration without `linux.seccomp`: its container runs without a filter".to_owned(),
            "name a configuration that has one, or the profile itself",
        ),
        Found::NoSection(Some(section)) => {
            let kind = section.kind().describe();
            (
                context.at(section),
                format!("`linux.seccomp` is {kind}: crun runs the container without a filter and says nothing"),
                "write the section as an object, or remove it to say that no filter is meant",
            )
        }
        Found::Nothing if context.is_meant_as_json() => {
            let is_json = |it: &Deviation| {
                matches!(it.kind, DeviationKind::LoneSurrogate | DeviationKind::TooDeep)
            };
            if !context.document.deviations().iter().all(is_json) {
                // What json-syntax says of it may be all that hides the profile.
                return;
            }
            (
                file,
                "not a seccomp profile: it has no `defaultAction`, and no rule entries in `syscalls`".to_owned(),
                "if it is meant as one, say which kind with --dialect docker, podman or oci",
            )
        }
        Found::Nothing => (
            file,
            "not a seccomp profile: the file holds no JSON object".to_owned(),
            "seclint reads profiles written in JSON; YAML is not read yet",
        ),
    };
    findings.push(Finding::new(&RULE.rule, location, message).help(help));
}

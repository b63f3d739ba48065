use crate::filter::{ByteOrder, Filter};
use crate::finding::{Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Found;
use crate::text::{Deviation, DeviationKind, Syntax};

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
        Found::NoSpec(node) => (
            context.bracket(node),
            "a `SeccompProfile` without an object in `spec`: the API server refuses it".to_owned(),
            "write the profile's fields in `spec`",
        ),
        Found::OtherKind(kind) => {
            let written = kind.as_str().unwrap_or_default();
            (
                context.at(kind),
                format!("the operator has no kind `{written}` with a `defaultAction`: nothing is made of it"),
                "write `SeccompProfile`",
            )
        }
        // Of a file all of which is something else, once.
        Found::Nothing if context.place.profiles > 0 || !context.place.is_first_of_file => return,
        Found::Nothing if context.document.syntax() == Syntax::Yaml => {
            let is_cut = |it: Deviation| {
                matches!(it.kind, DeviationKind::NotYaml | DeviationKind::BadUtf8)
            };
            if context.deviations().any(is_cut) || context.document.root().is_none() {
                // What yaml-syntax says of it may be all that hides the profile.
                return;
            }
            (
                file,
                "not a seccomp profile: there is no `SeccompProfile` in it, and no `ConfigMap` with a profile".to_owned(),
                "seclint reads SeccompProfile objects, profiles in the data of a ConfigMap, and profiles in JSON",
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
        Found::Nothing if is_filter(context.source.bytes()) => (
            file,
            "not a seccomp profile: the file is a compiled filter".to_owned(),
            "`seclint disasm` lists what it does",
        ),
        Found::Nothing => (
            file,
            "not a seccomp profile: the file holds no JSON object".to_owned(),
            "seclint reads profiles in JSON, and Kubernetes objects in YAML, which a name in .yaml tells",
        ),
    };
    findings.push(Finding::new(&RULE.rule, location, message).help(help));
}

fn is_filter(bytes: &[u8]) -> bool {
    let orders = [ByteOrder::Little, ByteOrder::Big];
    orders.into_iter().any(|it| Filter::read(bytes, it).is_ok())
}

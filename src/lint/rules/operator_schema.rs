//! What the API server refuses of a `SeccompProfile`, by the schema that
//! [`crate::lint::operator`] holds the facts of.

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, operator};
use crate::profile::{Action, Digits, Profile, RuleEntry};
use crate::text::{Kind, Node};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "operator-schema",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/operator-schema.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context
        .profile()
        .filter(|profile| profile.is_for_operator())
    else {
        return;
    };
    if let Some(object) = profile.node.parent() {
        findings.extend(api_version(context, object));
    }
    for architecture in &profile.architectures {
        let name = architecture.value;
        if operator::lacks(name) {
            let what = format!("the operator's schema has no `{name}`");
            findings.push(refused(context, architecture.node, &what).fact("architecture", name));
        }
    }
    let path = profile.listener_path;
    if let Some(path) = path.filter(|path| !operator::is_socket(path.value)) {
        let what = format!("`listenerPath` must be a socket in {}", operator::SOCKETS);
        findings.push(refused(context, path.node, &what));
    }
    let state = profile.node.get("state");
    let is_wrong = |state: &str| !matches!(state, "Enabled" | "Disabled");
    if let Some(state) = state.filter(|state| state.as_str().is_some_and(is_wrong)) {
        let what = "`state` must be `Enabled` or `Disabled`";
        findings.push(refused(context, state, what));
    }
    for entry in &profile.entries {
        findings.extend(rule_entry(context, entry));
    }
    numbers(context, profile, findings);
}

fn refused(context: &Context<'_>, node: Node<'_>, what: &str) -> Finding {
    let message = format!("{what}: the API server refuses the profile");
    Finding::new(&RULE.rule, context.at(node), message)
}

fn api_version(context: &Context<'_>, object: Node<'_>) -> Option<Finding> {
    // With a dialect given, the profile may be no part of an object.
    object.get("spec")?;
    let Some(version) = object.get("apiVersion") else {
        let message = "a `SeccompProfile` without an `apiVersion`";
        let help = operator::api_help();
        return Some(Finding::new(&RULE.rule, context.bracket(object), message).help(help));
    };
    let written = version.as_str()?;
    let message = format!("no release of the operator has `SeccompProfile` in the API `{written}`");
    let help = operator::api_help();
    let finding = Finding::new(&RULE.rule, context.at(version), message).help(help);
    (!operator::has_api(written)).then(|| finding.fact("apiVersion", written))
}

fn rule_entry(context: &Context<'_>, entry: &RuleEntry<'_>) -> Option<Finding> {
    let is_empty =
        |names: &Node<'_>| *names.kind() == Kind::Array && names.elements().next().is_none();
    if let Some(names) = entry.names_node.filter(is_empty) {
        let finding = refused(context, names, "a rule entry without a name");
        return Some(finding.help("name the syscalls that it is for, or remove the rule entry"));
    }
    let seventh = entry.args.get(operator::MOST_CONDITIONS)?;
    let message = format!(
        "{} conditions in a rule entry, and {} are allowed: the API server refuses the profile",
        entry.args.len(),
        operator::MOST_CONDITIONS
    );
    let finding = Finding::new(&RULE.rule, context.bracket(seventh.node), message);
    Some(finding.help("spread them over rule entries"))
}

/// Signed numbers, of which the schema takes those that are not below 0.
fn numbers(context: &Context<'_>, profile: &Profile<'_>, findings: &mut Findings) {
    let mut check = |field: &str, number: Option<Digits<'_>>, most: u64| {
        let is_wrong = |number: &Digits<'_>| number.as_u64().is_none_or(|value| value > most);
        if let Some(number) = number.filter(is_wrong) {
            let written = number.value;
            let what =
                format!("`{field}` must be a whole number from 0 to {most}, not `{written}`");
            let finding = refused(context, number.node, &what);
            findings.push(finding.fact("field", field).fact("value", written));
        }
    };
    for entry in &profile.entries {
        check("errnoRet", entry.errno_ret, operator::INT32);
        for condition in &entry.args {
            check("index", condition.index, operator::INT32);
            check("value", condition.value, operator::INT64);
            check("valueTwo", condition.value_two, operator::INT64);
        }
    }
    for entry in &profile.entries {
        let is_zero = |errno: &Digits<'_>| errno.as_u64() == Some(0);
        let consequence = match entry.known_action() {
            Some(Action::Errno) => "the calls fail with EPERM",
            Some(Action::Trace) => "the tracer gets 1",
            _ => continue,
        };
        if let Some(errno) = entry.errno_ret.filter(is_zero) {
            let message = format!("the operator takes `errnoRet` 0 for none: {consequence}");
            findings.push(
                Finding::new(&RULE.rule, context.at(errno.node), message)
                    .severity(Severity::Warning)
                    .here("left out")
                    .help("remove it, or write the errno that you mean"),
            );
        }
    }
}

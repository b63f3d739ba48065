//! Source: the definition of `SeccompProfile` that security-profiles-operator
//! installs, `deploy/base-crds/crds/seccompprofile.yaml`.

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{API_GROUPS, Digits, Profile, RuleEntry};
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

const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];
/// Architectures that runtimes know and the schema does not.
const UNLISTED: [&str; 4] = [
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
];
const SOCKETS: &str = "/var/run/security-profiles-operator/";
const MOST_CONDITIONS: usize = 6;

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
        if UNLISTED.contains(&name) {
            let what = format!("the operator's schema has no `{name}`");
            findings.push(refused(context, architecture.node, &what).fact("architecture", name));
        }
    }
    let path = profile.listener_path;
    if let Some(path) = path.filter(|path| !is_socket(path.value)) {
        let what = format!("`listenerPath` must be a socket in {SOCKETS}");
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
        let help = api_help();
        return Some(Finding::new(&RULE.rule, context.bracket(object), message).help(help));
    };
    let written = version.as_str()?;
    let is_known = API_GROUPS.iter().any(|group| {
        let rest = written.strip_prefix(group);
        let version = rest.and_then(|rest| rest.strip_prefix('/'));
        version.is_some_and(|version| VERSIONS.contains(&version))
    });
    let message = format!("no release of the operator has `SeccompProfile` in the API `{written}`");
    let help = api_help();
    let finding = Finding::new(&RULE.rule, context.at(version), message).help(help);
    (!is_known).then(|| finding.fact("apiVersion", written))
}

/// The newest API is not in every operator that runs somewhere.
fn api_help() -> String {
    let [group, ..] = API_GROUPS;
    let [newest, before, _] = VERSIONS;
    format!(
        "write `{group}/{newest}`, or `{group}/{before}` for an operator that does not have it \
         yet: `kubectl explain seccompprofile` says what yours has"
    )
}

fn is_socket(path: &str) -> bool {
    let name = path.strip_prefix(SOCKETS).unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    // An empty path is none at all to the operator.
    path.is_empty() || (!name.is_empty() && name.bytes().all(is_part))
}

fn rule_entry(context: &Context<'_>, entry: &RuleEntry<'_>) -> Option<Finding> {
    let is_empty =
        |names: &Node<'_>| *names.kind() == Kind::Array && names.elements().next().is_none();
    if let Some(names) = entry.names_node.filter(is_empty) {
        let finding = refused(context, names, "a rule entry without a name");
        return Some(finding.help("name the syscalls that it is for, or remove the rule entry"));
    }
    let seventh = entry.args.get(MOST_CONDITIONS)?;
    let message = format!(
        "{} conditions in a rule entry, and {MOST_CONDITIONS} are allowed: the API server refuses the profile",
        entry.args.len()
    );
    let finding = Finding::new(&RULE.rule, context.bracket(seventh.node), message);
    Some(finding.help("spread them over rule entries"))
}

/// Signed numbers, of which the schema takes those that are not below 0.
fn numbers(context: &Context<'_>, profile: &Profile<'_>, findings: &mut Findings) {
    const SHORT: u64 = i32::MAX as u64;
    const LONG: u64 = i64::MAX as u64;
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
        check("errnoRet", entry.errno_ret, SHORT);
        for condition in &entry.args {
            check("index", condition.index, SHORT);
            check("value", condition.value, LONG);
            check("valueTwo", condition.value_two, LONG);
        }
    }
    for entry in &profile.entries {
        let is_zero = |errno: &Digits<'_>| errno.as_u64() == Some(0);
        if let Some(errno) = entry.errno_ret.filter(is_zero) {
            let message = "the operator takes `errnoRet` 0 for none: the calls fail with EPERM";
            findings.push(
                Finding::new(&RULE.rule, context.at(errno.node), message)
                    .severity(Severity::Warning)
                    .here("left out")
                    .help("remove it, or write the errno that you mean"),
            );
        }
    }
}

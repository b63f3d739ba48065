use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{about, listed};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule, NameUse, Permission};
use crate::profile::Profile;
use crate::syscalls::{self, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "dangerous-syscall-permitted",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/dangerous-syscall-permitted.md"),
    },
    check,
};

/// Calls that give the same power.
struct Group {
    /// Their places in the syscall table.
    syscalls: &'static [u16],
    /// Those that the kernel asks for, any of them; empty if it asks for none.
    capabilities: &'static [&'static str],
    severity: Severity,
    /// What they can do, as a sentence goes on after "can".
    power: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/dangerous_syscalls.rs"));

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    // A denylist allows too much to name it all: `default-allow` says so.
    if context.permits_by_default() != Some(false) {
        return;
    }
    for group in &GROUPS {
        let places = group.syscalls.iter().map(|&place| usize::from(place));
        let calls = places.filter_map(|place| syscalls::all().get(place));
        let mut uses: Vec<_> = calls.filter_map(|call| allowed(context, call)).collect();
        if uses.is_empty() || context.has_capability(group.capabilities) {
            continue;
        }
        uses.sort_by_key(|name| name.text.node.span().start);
        findings.push(report(context, profile, group, &uses));
    }
}

/// Where a call is allowed for any arguments, on some hosts at least, and whatever capabilities the
/// container has.
fn allowed<'a, 'c>(context: &'a Context<'c>, call: &Syscall) -> Option<&'a NameUse<'c>> {
    let mut uses = context.uses(call);
    match context.permission(call)? {
        Permission::Always => uses.find(|name| name.is_allowed() && name.entry.args.is_empty()),
        Permission::Sometimes => uses.find(|name| name.is_free()),
        Permission::Never => None,
    }
}

fn report(
    context: &Context<'_>,
    profile: &Profile<'_>,
    group: &Group,
    uses: &[&NameUse<'_>],
) -> Finding {
    let names: Vec<_> = uses.iter().map(|name| name.text.value).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let whatever = match group.capabilities {
        [] => "",
        _ => " whatever capabilities a container has",
    };
    let (calls, power) = (listed(&names), group.power);
    let message = format!("{calls} {verb} allowed{whatever}, and can {power}");
    let help = if group.capabilities.is_empty() || !Readers::know_filters(context) {
        "leave it out, unless the program is to do this".to_owned()
    } else {
        let capabilities = group.capabilities.join("` or `");
        format!(
            "leave it out; or, for Docker and Podman, let a rule entry with `includes.caps` allow it to containers with `{capabilities}`"
        )
    };
    let place = uses.first().map_or(profile.node, |first| first.text.node);
    let finding = Finding::new(&RULE.rule, context.at(place), message)
        .severity(group.severity)
        .here("allowed")
        .help(help);
    about(finding, &names)
}

#[cfg(test)]
mod tests {
    use super::GROUPS;
    use crate::capabilities::is_capability;

    // The help would name a capability that no container has.
    #[test]
    fn capabilities_are_capabilities() {
        let mut all = GROUPS.iter().flat_map(|group| group.capabilities);
        assert!(all.clone().count() > 5 && all.all(|name| is_capability(name)));
    }
}

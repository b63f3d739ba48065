use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Text;
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "mixed-endian-architectures",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/mixed-endian-architectures.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let known = |name: &Text<'_>| Arch::from_token(name.value).is_some();
    let architectures = profile.architectures.iter().copied().filter(known);
    let foreign = || {
        let mut hosts = context.hosts().into_iter();
        hosts.find_map(|host| Some((host, architectures.clone().find(|it| differ(*it, host))?)))
    };
    if !mixed(context, architectures.clone(), findings)
        && let Some((host, other)) = foreign()
    {
        // On hosts of the other order it may be right.
        let (theirs, order) = (
            order(!host.is_little_endian()),
            order(host.is_little_endian()),
        );
        let message = format!(
            "`{}` is {theirs}, and {host} is {order}: runtimes refuse the profile there",
            other.value
        );
        findings.push(report(context, other, message));
    }
    for entry in &profile.arch_map {
        let host = entry.architecture.filter(known);
        let Some(arch) = host.and_then(|host| Arch::from_token(host.value)) else {
            continue;
        };
        let all = host
            .into_iter()
            .chain(entry.sub_architectures.iter().copied().filter(known));
        let is_used = || Readers::engines(context, |engine| engine.reads_arch_map(arch)).is_some();
        let has_other = all.clone().any(|name| differ(name, arch));
        if !has_other || !arch.runs_engines() || !is_used() {
            continue;
        }
        if findings.has_room() {
            mixed(context, all, findings);
        } else {
            findings.leave_out();
        }
    }
}

/// Reports the first architecture of another byte order than the first of all; whether there is one.
fn mixed<'c>(
    context: &Context<'c>,
    names: impl Iterator<Item = Text<'c>> + Clone,
    findings: &mut Findings,
) -> bool {
    let first = names.clone().next();
    let arch = first.and_then(|first| Arch::from_token(first.value));
    let (Some(first), Some(arch)) = (first, arch) else {
        return false;
    };
    let mut names = names;
    let Some(other) = names.find(|name| differ(*name, arch)) else {
        return false;
    };
    let message = format!(
        "`{}` is {} and `{}` is not: runtimes refuse the profile",
        first.value,
        order(arch.is_little_endian()),
        other.value
    );
    let label = format!("this one is {}", order(arch.is_little_endian()));
    let finding = report(context, other, message).label(context.at(first.node), label);
    findings.push(finding);
    true
}

fn report(context: &Context<'_>, name: Text<'_>, message: String) -> Finding {
    Finding::new(&RULE.rule, context.at(name.node), message)
        .here("of the other byte order")
        .help("keep a profile for each kind of host; the host's own architecture need not be named")
        .fact("architecture", name.value)
}

fn differ(name: Text<'_>, arch: Arch) -> bool {
    let other = Arch::from_token(name.value);
    other.is_some_and(|other| other.is_little_endian() != arch.is_little_endian())
}

fn order(is_little_endian: bool) -> &'static str {
    if is_little_endian {
        "little endian"
    } else {
        "big endian"
    }
}

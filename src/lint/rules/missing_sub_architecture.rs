use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Profile, Text};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "missing-sub-architecture",
        category: Category::RuntimeCompat,
        severity: Severity::Warning,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/runtime-compat/missing-sub-architecture.md"),
    },
    check,
};

/// Hosts whose kernels commonly run 32-bit programs, and those programs' architecture.
const PAIRS: [(Arch, Arch); 4] = [
    (Arch::X86_64, Arch::X86),
    (Arch::Aarch64, Arch::Arm),
    (Arch::Mips64, Arch::Mips),
    (Arch::Mipsel64, Arch::Mipsel),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let hosts = context.hosts();
    let pairs = PAIRS.iter();
    for &(host, sub) in pairs.filter(|(host, _)| hosts.is_empty() || hosts.contains(host)) {
        if let Some(name) = lacking(&profile.architectures, host, sub) {
            findings.push(report(context, name, host, sub));
        }
        let is_read = || Readers::engines(context, |engine| engine.reads_arch_map(host)).is_some();
        if !profile.arch_map.is_empty() && is_read() {
            check_map(context, profile, (host, sub), findings);
        }
    }
}

/// Looks at what `archMap` adds on a host.
fn check_map(
    context: &Context<'_>,
    profile: &Profile<'_>,
    (host, sub): (Arch, Arch),
    findings: &mut Findings,
) {
    let mut entries = profile.arch_map.iter();
    let entry = entries.find_map(|entry| {
        let name = entry.architecture?;
        (name.value == host.token()).then_some((name, entry))
    });
    match entry {
        Some((name, entry)) => {
            let mut added = entry.sub_architectures.iter();
            if !added.any(|added| added.value == sub.token()) {
                findings.push(report(context, name, host, sub));
            }
        }
        // Nobody may mean such a host, unless it was named.
        None if context.hosts().contains(&host) => {
            if let Some(map) = profile.node.get("archMap") {
                let message = format!(
                    "`archMap` has no element for `{}` hosts: programs of `{}` are killed there",
                    host.token(),
                    sub.token()
                );
                let finding = Finding::new(&RULE.rule, context.bracket(map), message);
                findings.push(finish(finding.here("not among these"), sub));
            }
        }
        None => {}
    }
}

/// The 64-bit architecture, if it is in a list without the other.
fn lacking<'c>(list: &[Text<'c>], host: Arch, sub: Arch) -> Option<Text<'c>> {
    let find = |arch: Arch| list.iter().find(|name| name.value == arch.token());
    let name = find(host)?;
    find(sub).is_none().then_some(*name)
}

fn report(context: &Context<'_>, name: Text<'_>, host: Arch, sub: Arch) -> Finding {
    let message = format!(
        "`{}` without `{}`: 32-bit programs are killed at their first call",
        host.token(),
        sub.token()
    );
    let finding = Finding::new(&RULE.rule, context.at(name.node), message);
    finish(finding.here("64-bit programs only"), sub)
}

fn finish(finding: Finding, sub: Arch) -> Finding {
    let token = sub.token();
    finding
        .help(format!(
            "add `{token}` if such programs are to run; the rule entries then hold for them too"
        ))
        .fact("architecture", token)
}

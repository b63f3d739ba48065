use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, removal};
use crate::syscalls::{Arch, KernelVersion};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "x32-enabled",
        category: Category::Security,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/security/x32-enabled.md"),
    },
    check,
};

/// Before it the kernel let some numbers of x32 through to other calls than it let filters see.
const SAFE: KernelVersion = KernelVersion::new(5, 4);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let hosts = context.hosts();
    let is_safe = |kernels: Vec<KernelVersion>| kernels.iter().all(|&kernel| kernel >= SAFE);
    let is_elsewhere = !hosts.is_empty() && !hosts.contains(&Arch::X86_64);
    if is_elsewhere || context.kernels().is_some_and(is_safe) {
        return;
    }
    let of_host = profile.arch_map.iter().filter(|entry| {
        let host = entry.architecture;
        host.is_some_and(|host| host.value == Arch::X86_64.token())
    });
    let lists = of_host.map(|entry| entry.sub_architectures.as_slice());
    let lists = std::iter::once(profile.architectures.as_slice()).chain(lists);
    for name in lists.flatten() {
        if name.value != Arch::X32.token() {
            continue;
        }
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let message = "x32 programs are let in, and before Linux 5.4 the kernel could mistake their calls for others";
        let gone = name
            .node
            .parent()
            .and_then(|list| removal::of_element(context.source, list, name.node));
        findings.push(
            Finding::new(&RULE.rule, context.at(name.node), message)
                .here("hardly any program is built for it")
                .help("remove it unless x32 programs are to run: their calls are then killed")
                .fact("architecture", name.value)
                .removal(Applicability::Unsafe, gone),
        );
    }
}

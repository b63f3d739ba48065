use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::syscalls::{KernelVersion, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "ptrace-before-4-8",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/ptrace-before-4-8.md"),
    },
    check,
};

/// The first kernel that has the filter look again at what a tracer made of a call.
const SAFE: KernelVersion = KernelVersion::new(4, 8);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let kernel_is_old = |kernel: crate::target::Kernel| kernel.lacks(SAFE);
    let old = context.targets_where(|it| it.target.kernel.is_some_and(kernel_is_old));
    if old.is_empty() || context.permission(known::PTRACE) != Some(Permission::Always) {
        return;
    }
    let mut uses = context.uses(known::PTRACE);
    let allowing = uses.find(|name| name.is_allowed());
    let default = || context.profile()?.default_action;
    let Some(place) = allowing.map(|name| *name.text).or_else(default) else {
        return;
    };
    let finding = Finding::new(
        &RULE.rule,
        context.at(place.node),
        "`ptrace` is allowed: before Linux 4.8 a tracer can change a call after the filter let it through",
    )
    .here("a way around the filter")
    .help("leave it out on such hosts; for Docker, `includes.minKernel` can say that it takes 4.8")
    .fact("syscall", "ptrace");
    findings.push(context.on(finding, &old));
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{Arch, Spelling};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "syscall-not-on-arch",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/syscall-not-on-arch.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.active_architectures().is_empty() {
        return;
    }
    for name in context.names() {
        let Spelling::Known(syscall) = name.spelling else {
            continue;
        };
        let lacking = context.targets_where(|target| {
            !target.may_run(syscall, name.entry) && target.may_apply(name.entry)
        });
        // A name that was removed from libseccomp is on none at all.
        if lacking.is_empty() || syscall.arches().next().is_none() {
            continue;
        }
        let written = name.text.value;
        let is_elsewhere = context.may_exist(syscall);
        let those = if is_elsewhere {
            " on which the rule entry may hold"
        } else {
            ""
        };
        let message = format!("`{written}` exists on none of the target's architectures{those}");
        let elsewhere: Vec<_> = syscall.arches().map(Arch::name).collect();
        let finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
            .here("not on the target")
            .help(format!("it exists on {}", elsewhere.join(", ")))
            .fact("syscall", written)
            .fact("architectures", elsewhere);
        findings.push(context.on(finding, &lacking));
    }
}

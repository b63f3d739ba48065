use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::KernelVersion;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "spec-allow-missing",
        category: Category::Portability,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/portability/spec-allow-missing.md"),
    },
    check,
};

/// From here on the kernel does not slow a program for having a filter, whatever the flag says.
const WITHOUT_EFFECT: KernelVersion = KernelVersion::new(5, 16);

const SPEC_ALLOW: &str = "SECCOMP_FILTER_FLAG_SPEC_ALLOW";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let Some(flags) = &profile.flags else {
        return;
    };
    let affected = context.targets_where(|target| {
        let kernel = target.target.kernel;
        kernel.is_none_or(|kernel| kernel.version < WITHOUT_EFFECT)
    });
    if affected.is_empty() {
        return;
    }
    let Some(list) = profile.node.get("flags") else {
        return;
    };
    // Engines leave an empty list out of what they hand on, so only a runtime's own file has one.
    let is_meant = !flags.is_empty() || context.is_section();
    if flags.iter().any(|flag| flag.value == SPEC_ALLOW) || !is_meant {
        return;
    }
    let finding =
        Finding::new(
            &RULE.rule,
            context.at(list),
            format!("`flags` without `{SPEC_ALLOW}`, which crun and runc set only where there are no `flags` at all"),
        )
        .here("turns a default off")
        .help("before Linux 5.16 programs run slower without it, and safer from Spectre v4; add it, or leave it out on purpose")
        .fact("flag", SPEC_ALLOW);
    findings.push(context.on(finding, &affected));
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{KernelVersion, Spelling, Unimplemented};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "nonexistent-syscall",
        category: Category::Style,
        severity: Severity::Info,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/style/nonexistent-syscall.md"),
    },
    check,
};

/// The oldest kernel that is looked at, unless the target says otherwise.
const OLDEST: KernelVersion = KernelVersion::new(4, 18);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in context.odd_names() {
        let Spelling::Known(syscall) = name.spelling else {
            continue;
        };
        let Some(unimplemented) = syscall.unimplemented() else {
            continue;
        };
        let written = name.text.value;
        // What is on none of a target's architectures has a rule of its own.
        let lacking = context.targets_where(|target| {
            let kernel = (target.target.kernel).map_or(OLDEST, |kernel| kernel.version);
            target.may_have(syscall)
                && match unimplemented {
                    Unimplemented::Always => true,
                    Unimplemented::Since(removed) => removed <= kernel,
                }
        });
        if lacking.is_empty() {
            continue;
        }
        let message = match unimplemented {
            Unimplemented::Always => format!("Linux never implemented `{written}`"),
            Unimplemented::Since(removed) => format!("Linux has no `{written}` since {removed}"),
        };
        let finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
            .here("a name without a call")
            .help("remove it: even where it is allowed, the call fails with ENOSYS")
            .fact("syscall", written);
        findings.push(context.on(finding, &lacking));
    }
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::Spelling;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "syscall-newer-than-target",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/syscall-newer-than-target.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let target = context.target;
    for name in context.names() {
        let Spelling::Known(syscall) = name.spelling else {
            continue;
        };
        // What is on none of its architectures has no effect there at any release.
        if !context.may_exist(syscall) {
            continue;
        }
        let first = syscall.first_release();
        let written = name.text.value;
        let (message, help) = match (target.libseccomp, target.kernel, syscall.first_kernel()) {
            (Some(release), ..) if release < first => (
                format!("libseccomp {release} does not know `{written}`, which came with {first}"),
                "there the name is left out of the filter: the default action applies to the call",
            ),
            (_, Some(kernel), Some(first)) if kernel < first => (
                format!("Linux {kernel} does not have `{written}`, which came with {first}"),
                "there the call fails, whatever the profile says of it",
            ),
            _ => continue,
        };
        let mut finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
            .here("newer than the target")
            .help(help)
            .fact("syscall", written)
            .fact("first_libseccomp", first.to_string());
        if let Some(first) = syscall.first_kernel() {
            finding = finding.fact("first_kernel", first.to_string());
        }
        findings.push(finding);
    }
}

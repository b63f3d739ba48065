use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{ConditionUse, Context, Findings, LintRule, Permission};
use crate::profile::{Operator, RuleEntry};
use crate::syscalls;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "clone-mask-incomplete",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/clone-mask-incomplete.md"),
    },
    check,
};

/// The flags of `clone` that make namespaces. `CLONE_NEWTIME` is none of them: `clone` takes its bit
/// for a part of the exit signal.
const FLAGS: [(u64, &str); 7] = [
    (0x0002_0000, "CLONE_NEWNS"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
    (0x0400_0000, "CLONE_NEWUTS"),
    (0x0800_0000, "CLONE_NEWIPC"),
    (0x1000_0000, "CLONE_NEWUSER"),
    (0x2000_0000, "CLONE_NEWPID"),
    (0x4000_0000, "CLONE_NEWNET"),
];

/// All of them.
const ALL: u64 = 0x7e02_0000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let mask = comparison.value;
        let is_partial = comparison.operator == Operator::MaskedEqual
            && comparison.index < 2
            && mask & ALL != 0
            && mask & ALL != ALL
            && comparison.value_two & mask & ALL == 0;
        if !is_partial || !lets_clone(context, &condition) {
            continue;
        }
        let Some(place) = condition.condition.value else {
            continue;
        };
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let missing: Vec<_> = (FLAGS.iter())
            .filter(|(flag, _)| mask & flag == 0)
            .map(|&(_, name)| name)
            .collect();
        let quoted: Vec<_> = missing.iter().map(|name| format!("`{name}`")).collect();
        let full = mask | ALL;
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(place.node),
                format!(
                    "the mask leaves out {}: `clone` may make such namespaces",
                    quoted.join(", ")
                ),
            )
            .here(format!("all of them are {full}"))
            .help(format!("write {full}, unless they are to be allowed"))
            .fact("syscall", "clone")
            .fact("flags", missing)
            .fix(
                Applicability::Unsafe,
                place.node.text_span(),
                &full.to_string(),
            ),
        );
    }
}

/// Whether a rule entry lets `clone` run where the condition holds, and only there.
fn lets_clone(context: &Context<'_>, condition: &ConditionUse<'_>) -> bool {
    let entry: &RuleEntry<'_> = condition.entry;
    let index = condition.comparison.index;
    // Conditions on one argument are alternatives, of which another rule speaks.
    let same = entry
        .args
        .iter()
        .filter(|it| it.comparison.is_some_and(|it| it.index == index));
    let is_named = entry.names.iter().any(|name| name.value == "clone");
    let is_open = || {
        syscalls::lookup("clone")
            .is_some_and(|clone| context.permission(clone) == Some(Permission::Always))
    };
    is_named && entry.permits() == Some(true) && same.count() == 1 && !is_open()
}

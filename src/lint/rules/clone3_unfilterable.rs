use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, NameUse, Permission};
use crate::syscalls::known;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "clone3-unfilterable",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/clone3-unfilterable.md"),
    },
    check,
};

/// `CLONE_NEWNS`, `CLONE_NEWCGROUP`, `CLONE_NEWUTS`, `CLONE_NEWIPC`, `CLONE_NEWUSER`,
/// `CLONE_NEWPID` and `CLONE_NEWNET`.
const NAMESPACES: u64 = 0x7e02_0000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.permission(known::CLONE) != Some(Permission::Sometimes)
        || context.permission(known::CLONE3) != Some(Permission::Always)
    {
        return;
    }
    let Some(clone) = context
        .uses(known::CLONE)
        .find(|name| asks_for_namespaces(name))
    else {
        return;
    };
    let mut uses = context.uses(known::CLONE3);
    let clone3 = uses.find(|name| name.is_allowed());
    let message = "`clone` is allowed only without some flags for namespaces, and `clone3`, whose flags no filter sees, is allowed with all";
    let place = clone3.unwrap_or(clone).text.node;
    let finding = Finding::new(&RULE.rule, context.at(place), message)
        .here("makes any namespace all the same")
        .help("answer `clone3` with ENOSYS (`errnoRet` 38): programs then use `clone`")
        .fact("syscall", "clone3");
    findings.push(match clone3 {
        Some(_) => finding.label(context.at(clone.text.node), "restricted here"),
        None => finding,
    });
}

/// Whether a rule entry asks about flags for namespaces: argument 0, on s390x 1.
fn asks_for_namespaces(name: &NameUse<'_>) -> bool {
    let mut comparisons = name.entry.args.iter().filter_map(|it| it.comparison);
    comparisons.any(|it| it.index < 2 && (it.value | it.value_two) & NAMESPACES != 0)
}

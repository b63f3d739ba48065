use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{about, listed};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::syscalls::{self, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "io-uring-permitted",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/io-uring-permitted.md"),
    },
    check,
};

include!(concat!(env!("OUT_DIR"), "/io_uring_syscalls.rs"));

fn check(context: &Context<'_>, findings: &mut Findings) {
    let permission = context.permission(known::IO_URING_SETUP);
    let is_always = permission == Some(Permission::Always);
    let is_ever = is_always || permission == Some(Permission::Sometimes);
    if !is_ever || !context.may_let_run(known::IO_URING_SETUP) {
        return;
    }
    let mut uses = context.uses(known::IO_URING_SETUP);
    if context.permits_by_default() == Some(true) {
        findings.extend(denied(context).filter(|_| is_always));
    } else if let Some(name) = uses.find(|name| name.is_allowed() && (is_always || name.is_free()))
    {
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(name.text.node),
                "`io_uring_setup` is allowed: what a program does through a ring, no filter sees",
            )
            .here("opens a way around the filter")
            .help("deny it with ENOSYS (`errnoRet` 38), unless the program cannot do without")
            .fact("syscall", name.text.value),
        );
    }
}

/// What a denylist denies, for whichever arguments, and a ring can do.
fn denied(context: &Context<'_>) -> Option<Finding> {
    let calls = RING
        .iter()
        .filter_map(|&place| syscalls::all().get(usize::from(place)));
    let mut uses: Vec<_> = calls
        .filter_map(|call| {
            let permission = context.permission(call)?;
            let name = context.uses(call).find(|name| name.is_denied())?;
            (permission != Permission::Always).then_some((name, permission))
        })
        .collect();
    uses.sort_by_key(|(name, _)| name.text.node.span().start);
    let (first, _) = uses.first()?;
    let never = |(_, permission): &(_, Permission)| *permission == Permission::Never;
    let extent = match uses.iter().filter(|it| never(it)).count() {
        0 => " in part",
        all if all == uses.len() => "",
        _ => ", in part or always",
    };
    let names: Vec<_> = uses.iter().map(|(name, _)| name.text.value).collect();
    let (calls, verb) = (listed(&names), if names.len() == 1 { "is" } else { "are" });
    let message = format!(
        "{calls} {verb} denied{extent}, and `io_uring_setup` is not: through a ring a program does the same, and no filter sees it"
    );
    let finding = Finding::new(&RULE.rule, context.at(first.text.node), message)
        .here("can be done through a ring")
        .help("deny `io_uring_setup` too, with ENOSYS (`errnoRet` 38)")
        .fact("suggestion", "io_uring_setup");
    Some(about(finding, &names))
}

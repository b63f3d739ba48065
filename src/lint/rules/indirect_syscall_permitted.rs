use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::{Context, Findings, LintRule, Permission, architectures};
use crate::syscalls::{self, Multiplexer, Syscall, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "indirect-syscall-permitted",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Strict,
        page: include_str!("../../../rules/security/indirect-syscall-permitted.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.permits_by_default() != Some(false) {
        return;
    }
    for (call, multiplexer) in [
        (known::SOCKETCALL, Multiplexer::Socketcall),
        (known::IPC, Multiplexer::Ipc),
    ] {
        if context.permission(call) == Some(Permission::Always) {
            findings.extend(carried(context, call, multiplexer));
        }
    }
}

/// What gets through with a multiplexer.
fn carried(context: &Context<'_>, call: &Syscall, multiplexer: Multiplexer) -> Option<Finding> {
    let architectures = architectures::carriers(context.meant_architectures(), multiplexer);
    let arch = *architectures.first()?;
    let mut uses = context.uses(call);
    let name = uses.find(|name| name.is_allowed())?;
    let is_carried = |it: &&Syscall| {
        let carrier = it.subcall(arch).map(|subcall| subcall.multiplexer);
        carrier == Some(multiplexer) && context.permission(it) != Some(Permission::Always)
    };
    let carried: Vec<_> = syscalls::all().iter().filter(is_carried).collect();
    let names: Vec<_> = carried.iter().map(|call| call.name()).collect();
    if names.is_empty() {
        return None;
    }
    let is_never = |call: &&Syscall| context.permission(call) == Some(Permission::Never);
    let is = if names.len() == 1 { "is" } else { "are" };
    let how = match carried.iter().filter(|call| is_never(call)).count() {
        0 => format!("{is} allowed for some arguments only"),
        count if count == names.len() => format!("{is} not"),
        _ => format!("{is} not, or for some arguments only"),
    };
    let (written, calls) = (name.text.value, listed(&names));
    let architectures = architectures::named(&architectures);
    let message = format!(
        "`{written}` is allowed, and with it on {architectures} {calls}, which by name {how}"
    );
    let finding = Finding::new(&RULE.rule, context.at(name.text.node), message)
        .here("whatever the arguments are")
        .help(format!(
            "deny `{written}` with ENOSYS (`errnoRet` 38), if no program of such an architecture depends on it"
        ))
        .fact("syscall", written);
    Some(finding.fact("carried", names))
}

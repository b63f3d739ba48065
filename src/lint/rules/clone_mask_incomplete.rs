use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{ConditionUse, Context, Findings, LintRule, Permission};
use crate::profile::{Operator, RuleEntry};
use crate::syscalls::{Syscall, known};

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

/// The bits of `clone`'s flags that new processes and threads have: of `SIGCHLD`, and the flags with
/// which C libraries fork and start threads.
const NEEDED: u64 = 0x013d_0f11;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut first = None;
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let mask = comparison.value;
        let is_mask = comparison.operator == Operator::MaskedEqual
            && comparison.index < 2
            && mask & ALL != 0
            && comparison.value_two & mask & ALL == 0;
        let Some(call) = guarded(context, &condition).filter(|_| is_mask) else {
            continue;
        };
        if call.index() == known::CLONE.index() {
            first.get_or_insert(condition);
        }
        let Some(place) = condition.condition.value else {
            continue;
        };
        let Some((message, full)) = judge(call, mask) else {
            continue;
        };
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let missing: Vec<_> = missing(mask).collect();
        let help = if missing.is_empty() {
            format!("write {full}")
        } else {
            format!("write {full}, unless they are to be allowed")
        };
        findings.push(
            Finding::new(&RULE.rule, context.at(place.node), message)
                .here(format!("all of them are {full}"))
                .help(help)
                .fact("syscall", call.name())
                .fact("flags", missing)
                .fix(
                    Applicability::Unsafe,
                    place.node.text_span(),
                    &full.to_string(),
                ),
        );
    }
    findings.extend(first.and_then(|condition| unshared(context, &condition)));
}

/// What is wrong with a mask on the flags of a call, and what to write instead.
fn judge(call: &Syscall, mask: u64) -> Option<(String, u64)> {
    let is_clone = call.index() == known::CLONE.index();
    let is_harmful = is_clone && mask & NEEDED != 0;
    let quoted: Vec<_> = missing(mask).map(|name| format!("`{name}`")).collect();
    if !quoted.is_empty() {
        let all = quoted.join(", ");
        let call = call.name();
        let message = format!("the mask leaves out {all}: `{call}` may make such namespaces");
        // A digit may be lost: what is beside the flags was not meant then.
        let full = if is_harmful { ALL } else { mask | ALL };
        return Some((message, full));
    }
    (is_harmful || (is_clone && is_slip(mask))).then(|| {
        let others = mask & !ALL;
        let message = format!(
            "the mask has {others:#x} beside the flags for namespaces: it looks like a slip of {ALL}, and `clone` is denied with any of these bits too"
        );
        (message, ALL)
    })
}

fn missing(mask: u64) -> impl Iterator<Item = &'static str> {
    let left_out = FLAGS.iter().filter(move |(flag, _)| mask & flag == 0);
    left_out.map(|&(_, name)| name)
}

/// Whether a number is that of all flags but for one digit, or two.
fn is_slip(mask: u64) -> bool {
    let [written, meant] = [mask, ALL].map(|it| it.to_string());
    let digits = written.bytes().zip(meant.bytes());
    let wrong = digits.filter(|(one, other)| one != other).count();
    written.len() == meant.len() && (1..=2).contains(&wrong)
}

/// The finding about `unshare`, which makes the namespaces that `clone` is kept from.
fn unshared(context: &Context<'_>, clone: &ConditionUse<'_>) -> Option<Finding> {
    if context.permission(known::UNSHARE) != Some(Permission::Always) {
        return None;
    }
    let unshare = context.uses(known::UNSHARE).find(|it| it.is_allowed())?;
    let message = "`clone` is kept from making namespaces, and `unshare`, which makes them as well, is allowed with all flags";
    let finding = Finding::new(&RULE.rule, context.at(unshare.text.node), message)
        .here("makes any namespace all the same")
        .help("deny `unshare`, or allow it with the same mask on its argument 0")
        .fact("syscall", "unshare");
    let place = clone.condition.value?;
    Some(finding.label(context.at(place.node), "kept from it here"))
}

/// The call that a rule entry lets run where the condition holds, and only there: `clone`, or
/// `unshare`, whose flags are its argument 0.
fn guarded(context: &Context<'_>, condition: &ConditionUse<'_>) -> Option<&'static Syscall> {
    let entry: &RuleEntry<'_> = condition.entry;
    let index = condition.comparison.index;
    // Conditions on one argument are alternatives, of which another rule speaks.
    let same = entry
        .args
        .iter()
        .filter(|it| it.comparison.is_some_and(|it| it.index == index));
    let is_open = |call: &Syscall| context.permission(call) == Some(Permission::Always);
    let is_guarded = |call: &Syscall| {
        let is_flags = index == 0 || call.index() == known::CLONE.index();
        is_flags && entry.names.iter().any(|it| it.value == call.name()) && !is_open(call)
    };
    if entry.permits() != Some(true) || same.count() != 1 || is_open(known::CLONE) {
        return None;
    }
    let mut calls = [known::CLONE, known::UNSHARE].into_iter();
    calls.find(|call| is_guarded(call))
}

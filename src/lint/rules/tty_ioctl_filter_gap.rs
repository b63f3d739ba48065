use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::profile::{Action, Comparison, Condition, Operator, RuleEntry};
use crate::syscalls::{self, Arch, known};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "tty-ioctl-filter-gap",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/tty-ioctl-filter-gap.md"),
    },
    check,
};

/// The two requests that put characters into a terminal.
const REQUESTS: [&str; 2] = ["TIOCSTI", "TIOCLINUX"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.permission(known::IOCTL) != Some(Permission::Sometimes) {
        return;
    }
    let Some(is_denied) = context.permits_by_default().map(|permits| !permits) else {
        return;
    };
    let mut arches = context.meant_architectures();
    if arches.is_empty() {
        arches.push(Arch::X86_64);
    }
    let mut numbers: Vec<_> = arches.into_iter().filter_map(numbers_on).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let [first, second] = REQUESTS;
    let both = |[a, b]: [u64; 2]| [((first, a), (second, b)), ((second, b), (first, a))];
    for ((denied, number), (open, other)) in numbers.into_iter().flat_map(both) {
        if is_permitted(context, number) != Some(false)
            || is_permitted(context, other) != Some(true)
        {
            continue;
        }
        // What is denied along with others may be denied for another reason.
        let Some(condition) = conditions(context).find(|it| asks_for(it, number)) else {
            continue;
        };
        let Some(value) = condition.value else {
            continue;
        };
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(value.node),
                format!("`{denied}` ({number:#x}) is denied, and `{open}` ({other:#x}), which puts characters into a terminal too, is not"),
            )
            .here("one of the two")
            .help(if is_denied {
                // Beside a rule entry that allows it, one that denies it counts for nothing or is up to
                // libseccomp, and so does one that allows all but it.
                "allow the requests that are meant, with a rule entry for each".to_owned()
            } else {
                format!("deny {other} as well")
            })
            .fact("syscall", "ioctl"),
        );
    }
}

fn numbers_on(arch: Arch) -> Option<[u64; 2]> {
    let [first, second] = REQUESTS.map(|name| syscalls::flag(name)?.value(arch));
    Some([first?, second?])
}

fn conditions<'c>(context: &Context<'c>) -> impl Iterator<Item = &'c Condition<'c>> {
    let entries = context.uses(known::IOCTL).map(|name| name.entry);
    entries.flat_map(|entry| &entry.args)
}

fn asks_for(condition: &Condition<'_>, number: u64) -> bool {
    condition.comparison.is_some_and(|it| match it.operator {
        Operator::Equal | Operator::NotEqual => it.value == number,
        Operator::MaskedEqual => it.value & it.value_two == number,
        _ => false,
    })
}

/// Whether a request gets through; `None` if that takes more than the request to tell.
fn is_permitted(context: &Context<'_>, request: u64) -> Option<bool> {
    let mut permitted = None;
    for name in context.uses(known::IOCTL) {
        if only_condition(name.entry)?.holds(request) {
            let permits = decides(name.entry.known_action()?)?;
            if permitted.is_some_and(|before| before != permits) {
                return None;
            }
            permitted = Some(permits);
        }
    }
    match permitted {
        Some(permitted) => Some(permitted),
        None => decides(context.profile()?.default_decision()?.action),
    }
}

fn decides(action: Action) -> Option<bool> {
    (action.permits() || action.denies()).then(|| action.permits())
}

/// The one condition of a rule entry that holds everywhere, if it is about the request.
fn only_condition(entry: &RuleEntry<'_>) -> Option<Comparison> {
    match entry.args.as_slice() {
        [only] if entry.includes.is_none() && entry.excludes.is_none() => {
            only.comparison.filter(|it| it.index == 1)
        }
        _ => None,
    }
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{about, listed};
use crate::lint::{Context, Findings, LintRule, NameUse, Permission, architectures};
use crate::syscalls::{self, Arch, Spelling, Syscall};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "incomplete-deny-family",
        category: Category::Security,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/incomplete-deny-family.md"),
    },
    check,
};

/// A call, and those that do what it does.
struct Row {
    /// Its place in the syscall table.
    denied: u16,
    /// Their places there.
    substitutes: &'static [u16],
    extent: Extent,
}

/// How much they do of what the call does.
#[derive(Clone, Copy)]
enum Extent {
    /// Each does all of it.
    All,
    /// All of them together do.
    Together,
    /// Not even together.
    Part,
}

include!(concat!(env!("OUT_DIR"), "/substitute_syscalls.rs"));

/// Where programs run of which a profile says nothing.
const COMMON: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

/// Calls that are denied in vain, for the same reason.
struct Gap<'c> {
    denied: Vec<&'c NameUse<'c>>,
    open: Vec<&'static str>,
    do_all: bool,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    // What an allowlist denies by name it denies to say another errno.
    if context.permits_by_default() != Some(true) {
        return;
    }
    let mut architectures = architectures::seen(context);
    if architectures.is_empty() {
        architectures.extend(COMMON);
    }
    let mut gaps: Vec<Gap<'_>> = Vec::new();
    for row in &ROWS {
        let Some(call) = syscalls::all().get(usize::from(row.denied)) else {
            continue;
        };
        if context.permission(call) == Some(Permission::Always) {
            continue;
        }
        let Some(denied) = context.uses(call).find(|name| name.is_denied()) else {
            continue;
        };
        let substitutes = row.substitutes.iter();
        let substitutes = substitutes.filter_map(|&it| syscalls::all().get(usize::from(it)));
        let open: Vec<_> = substitutes
            .filter(|it| is_open(context, &architectures, call, it))
            .map(Syscall::name)
            .collect();
        let do_all = match row.extent {
            Extent::All => true,
            Extent::Together => open.len() == row.substitutes.len(),
            Extent::Part => false,
        };
        let same = |gap: &&mut Gap<'_>| gap.open == open && gap.do_all == do_all;
        match gaps.iter_mut().find(same) {
            _ if open.is_empty() => {}
            Some(gap) => gap.denied.push(denied),
            None => gaps.push(Gap {
                denied: vec![denied],
                open,
                do_all,
            }),
        }
    }
    if gaps.is_empty() {
        return;
    }
    // A name that is misspelt is told already; looking for the right one takes time.
    let is_misspelt = |name: &&NameUse<'_>| !matches!(name.spelling, Spelling::Known(_));
    let misspelt = context.names().filter(is_misspelt).take(100);
    let meant: Vec<_> = misspelt.filter_map(NameUse::meant).collect();
    for gap in &mut gaps {
        gap.open.retain(|open| !meant.contains(open));
    }
    gaps.retain(|gap| !gap.open.is_empty());
    findings.extend(gaps.into_iter().filter_map(|gap| report(context, gap)));
}

/// Whether a program can make the one call where it cannot make the other.
fn is_open(context: &Context<'_>, seen: &[Arch], denied: &Syscall, other: &Syscall) -> bool {
    let has_both = |arch: &Arch| denied.exists_on(*arch) && other.exists_on(*arch);
    let is_too_new = |first| {
        let mut kernels = context.targets().iter().map(|it| it.target.kernel);
        kernels.all(|kernel| kernel.is_some_and(|kernel| kernel.lacks(first)))
    };
    context.permission(other) == Some(Permission::Always)
        && seen.iter().any(has_both)
        && !other.first_kernel().is_some_and(is_too_new)
}

fn report(context: &Context<'_>, mut gap: Gap<'_>) -> Option<Finding> {
    gap.denied.sort_by_key(|name| name.text.node.span().start);
    let first = gap.denied.first()?;
    let names: Vec<_> = gap.denied.iter().map(|name| name.text.value).collect();
    let is = |count| if count == 1 { "is" } else { "are" };
    let does = match (gap.do_all, gap.open.len()) {
        (true, 1) => "which does the same",
        (true, _) => "which do the same",
        (false, 1) => "which does some of it too",
        (false, _) => "which do some of it too",
    };
    let message = format!(
        "{} {} denied, and {}, {does}, {} not",
        listed(&names),
        is(names.len()),
        listed(&gap.open),
        is(gap.open.len())
    );
    let all: Vec<_> = gap.open.iter().map(|name| format!("`{name}`")).collect();
    let finding = Finding::new(&RULE.rule, context.at(first.text.node), message)
        .here("denied, but not what does the same")
        .help(format!("deny {} as well", all.join(", ")))
        .fact("suggestions", gap.open);
    let finding = about(finding, &names);
    Some(if gap.do_all {
        finding
    } else {
        finding.severity(Severity::Warning)
    })
}

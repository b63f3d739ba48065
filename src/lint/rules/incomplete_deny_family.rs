use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::architectures::named;
use crate::lint::condition::{about, listed, quoted};
use crate::lint::substitutes::{self, Open};
use crate::lint::{Context, Findings, LintRule, NameUse, Permission};
use crate::profile::Action;
use crate::syscalls::{Arch, Spelling, known};

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

/// Where programs run of which a profile says nothing.
const COMMON: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

/// Calls that are denied in vain, for the same reason.
struct Gap<'c> {
    denied: Vec<&'c NameUse<'c>>,
    open: Open,
    /// Who is asked instead, and may deny it.
    asked: Option<&'static str>,
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    // What an allowlist denies by name it denies to say another errno.
    if context.permits_by_default() != Some(true) {
        return;
    }
    let mut architectures = context.meant_architectures();
    if architectures.is_empty() {
        architectures.extend(COMMON);
    }
    let mut gaps: Vec<Gap<'_>> = Vec::new();
    for row in substitutes::all() {
        let Some(call) = row.call() else {
            continue;
        };
        if context.permission(call) == Some(Permission::Always) {
            continue;
        }
        // What `clone3` makes of conditions on `clone` is told by a rule of its own.
        let counts = |it: &&NameUse<'_>| {
            let is_told = call.index() == known::CLONE.index() && !it.entry.args.is_empty();
            it.entry.permits() == Some(false) && !is_told
        };
        let Some(denied) = context.uses(call).find(counts) else {
            continue;
        };
        let open = row.open(context, &architectures);
        if open.names.is_empty() {
            continue;
        }
        let asked = match denied.entry.known_action() {
            Some(Action::Notify) => Some("listener"),
            Some(Action::Trace) => Some("tracer"),
            _ => None,
        };
        let same = |gap: &&mut Gap<'_>| gap.open == open && gap.asked == asked;
        match gaps.iter_mut().find(same) {
            Some(gap) => gap.denied.push(denied),
            None => gaps.push(Gap {
                denied: vec![denied],
                open,
                asked,
            }),
        }
    }
    if gaps.is_empty() {
        return;
    }
    // A name that is misspelt is told already; looking for the right one takes time.
    let is_misspelt = |name: &&NameUse<'_>| !matches!(name.spelling, Spelling::Known(_));
    let misspelt = context.odd_names().filter(is_misspelt).take(100);
    let meant: Vec<_> = misspelt.filter_map(NameUse::meant).collect();
    for gap in &mut gaps {
        gap.open.names.retain(|open| !meant.contains(open));
    }
    gaps.retain(|gap| !gap.open.names.is_empty());
    let gaps = gaps.into_iter();
    findings.extend(gaps.filter_map(|gap| report(context, gap, &architectures)));
}

fn report(context: &Context<'_>, mut gap: Gap<'_>, architectures: &[Arch]) -> Option<Finding> {
    gap.denied.sort_by_key(|name| name.text.node.span().start);
    let first = gap.denied.first()?;
    let names: Vec<_> = gap.denied.iter().map(|name| name.text.value).collect();
    let open = gap.open;
    let is = |count| if count == 1 { "is" } else { "are" };
    let does = match (open.do_all, open.names.len()) {
        (true, 1) => "which does the same",
        (true, _) => "which do the same",
        (false, 1) => "which does some of it too",
        (false, _) => "which do some of it too",
    };
    let (becomes, help) = match gap.asked {
        Some(other) => (format!("handed to a {other}"), "hand on"),
        None => ("denied".to_owned(), "deny"),
    };
    let lacking = match architectures {
        _ if !open.is_instead => String::new(),
        [one] => format!(", which {} does not have", one.name()),
        several => format!(", which {} do not have", named(several)),
    };
    let message = format!(
        "{} {} {becomes}{lacking}, and {}, {does}, {} not",
        listed(&names),
        is(names.len()),
        listed(&open.names),
        is(open.names.len())
    );
    let finding = Finding::new(&RULE.rule, context.at(first.text.node), message)
        .here(format!("{becomes}, but not what does the same"))
        .help(format!("{help} {} as well", quoted(&open.names)))
        .fact("suggestions", open.names);
    let finding = about(finding, &names);
    Some(if open.do_all && gap.asked.is_none() {
        finding
    } else {
        finding.severity(Severity::Warning)
    })
}

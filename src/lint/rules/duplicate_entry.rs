use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::{Context, Findings, LintRule, NameUse, removal};
use crate::profile::{Profile, Text};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "duplicate-entry",
        category: Category::Style,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/style/duplicate-entry.md"),
    },
    check,
};

/// How many earlier rule entries about a call are compared with one: more than any profile has, and
/// few enough for files that were made to be slow.
const LOOK_BACK: usize = 32;

/// How much of a list of architectures or flags is compared: more than there are of either.
const LONGEST: usize = 64;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    // What no runtime knows is spoken of by rules of its own.
    let known = |text: &Text<'_>| Arch::from_token(text.value).is_some();
    let added = profile.arch_map.iter().map(|it| &it.sub_architectures);
    for list in std::iter::once(&profile.architectures).chain(added) {
        let architectures: Vec<_> = list.iter().copied().filter(known).collect();
        check_list(context, &architectures, findings);
    }
    check_list(
        context,
        profile.flags.as_deref().unwrap_or_default(),
        findings,
    );
    check_names(context, findings);
}

fn check_list(context: &Context<'_>, texts: &[Text<'_>], findings: &mut Findings) {
    for (index, again) in texts.iter().enumerate().take(LONGEST) {
        let earlier = texts.get(..index).unwrap_or_default();
        if let Some(first) = earlier.iter().find(|first| first.value == again.value) {
            findings.push(repeated(context, first, again));
        }
    }
}

/// A word that stands in one list twice.
fn repeated(context: &Context<'_>, first: &Text<'_>, again: &Text<'_>) -> Finding {
    let message = format!("`{}` stands in this list twice", again.value);
    let finding = Finding::new(&RULE.rule, context.at(again.node), message)
        .here("named again")
        .label(context.at(first.node), "first named here")
        .help("remove it, unless another name was meant");
    let finding = if context.profile().is_some_and(Profile::is_for_operator) {
        let help = "remove it: the list is a set to the API server, which refuses the profile";
        finding.severity(Severity::Error).help(help)
    } else {
        finding
    };
    let list = again.node.parent();
    let gone = list.and_then(|list| removal::of_element(context.source, list, again.node));
    finding.removal(Applicability::Safe, gone)
}

/// What is no syscall's name is reported as that, each time.
fn check_names(context: &Context<'_>, findings: &mut Findings) {
    let mut across = Vec::new();
    for same in context.repeated_names() {
        for (index, &again) in same.iter().enumerate().skip(1) {
            let earlier = same
                .get(index.saturating_sub(LOOK_BACK)..index)
                .unwrap_or_default();
            // A rule entry can have several lists, of which readers take one.
            let list = again.text.node.parent();
            let in_entry = |first: &&NameUse<'_>| std::ptr::eq(first.entry, again.entry);
            let in_list = |first: &&NameUse<'_>| first.text.node.parent() == list;
            let mut earlier = earlier.iter().rev().copied();
            if let Some(first) = earlier.clone().find(in_list) {
                if findings.has_room() {
                    let finding = repeated(context, first.text, again.text);
                    findings.push(finding.fact("syscall", again.text.value));
                } else {
                    findings.leave_out();
                }
            } else if let Some(first) =
                earlier.find(|it| !in_entry(it) && it.entry.does_the_same(again.entry))
            {
                across.push((first, again));
            }
        }
    }
    across.sort_by_key(|(_, again)| again.text.node.span());
    for names in across.chunk_by(|(_, a), (_, b)| std::ptr::eq(a.entry, b.entry)) {
        findings.extend(repeated_across(context, names));
    }
}

/// The names of a rule entry that earlier ones have as well, and do the same with.
fn repeated_across(
    context: &Context<'_>,
    names: &[(&NameUse<'_>, &NameUse<'_>)],
) -> Option<Finding> {
    let &(first, again) = names.first()?;
    let name = again.text.value;
    let others = match names.len() - 1 {
        0 => String::new(),
        1 => " and another name".to_owned(),
        more => format!(" and {more} other names"),
    };
    let verb = if names.len() == 1 { "stands" } else { "stand" };
    let finding = Finding::new(
        &RULE.rule,
        context.at(again.text.node),
        format!("`{name}`{others} {verb} in an earlier rule entry that does the same"),
    )
    .severity(Severity::Info)
    .here("named again")
    .label(context.at(first.text.node), "first named here")
    .help("keep one of the two");
    Some(if names.len() == 1 {
        finding.fact("syscall", name)
    } else {
        let names: Vec<_> = names.iter().map(|(_, again)| again.text.value).collect();
        finding.fact("syscalls", names)
    })
}

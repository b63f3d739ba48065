use crate::engine::Engine;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::listed;
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{ArchMapEntry, Text};
use crate::syscalls::Arch;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "archmap-ignored-for-arch",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/archmap-ignored-for-arch.md"),
    },
    check,
};

/// How many elements are looked through for an earlier one: more than there are hosts.
const LOOK_BACK: usize = 64;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    for (index, entry) in profile.arch_map.iter().enumerate() {
        let Some((name, host)) = host(entry) else {
            continue;
        };
        if !host.runs_engines() {
            continue;
        }
        let is_unmapped =
            |engine: Engine| engine != Engine::Containerd && !engine.reads_arch_map(host);
        let readers = Readers::engines(context, is_unmapped);
        let earlier = profile.arch_map.iter().take(index.min(LOOK_BACK));
        let mut earlier = earlier.filter_map(|entry| entry.architecture);
        let first = earlier.find(|first| first.value == name.value);
        if readers.is_none() && first.is_none() {
            continue;
        }
        let added = entry.sub_architectures.iter().map(|name| name.value);
        let added: Vec<_> = added
            .filter(|name| Arch::from_token(name).is_some())
            .collect();
        // An element that adds nothing loses nothing. What no runtime knows has a rule of its own.
        if added.is_empty() {
            continue;
        }
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let finding = |message: String| {
            let finding = Finding::new(&RULE.rule, context.at(name.node), message);
            finding.fact("architecture", name.value)
        };
        if let Some(readers) = readers {
            let message = format!(
                "{} not read `archMap` on hosts of `{}`: {} not added to the filter",
                readers.before("does", "do"),
                name.value,
                are(&added)
            );
            findings.push(
                finding(message)
                    .here("not read on such hosts")
                    .help("keep a profile with `architectures` for these hosts"),
            );
        } else if let Some(first) = first {
            let message = format!(
                "an earlier element of `archMap` is for `{}`, and engines take the first: this one is never used",
                name.value
            );
            findings.push(
                finding(message)
                    .here("never used")
                    .label(context.at(first.node), "the one that is used")
                    .help("put all architectures into one element"),
            );
        }
    }
}

fn host<'c>(entry: &ArchMapEntry<'c>) -> Option<(Text<'c>, Arch)> {
    let name = entry.architecture?;
    Some((name, Arch::from_token(name.value)?))
}

fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", listed(names))
}

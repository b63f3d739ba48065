use std::collections::HashSet;
use std::sync::Arc;

use crate::filter::{self, CompileError, MAX_INSTRUCTIONS, Size, size};
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::denial::largest_named;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Action, Effect, Profile, RuleEntry, Text};
use crate::runtime::{self, Plan, Stub, in_rules};
use crate::syscalls::{Arch, TABLE_RELEASE, lookup};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "filter-too-large",
        category: Category::RuntimeCompat,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/runtime-compat/filter-too-large.md"),
    },
    check,
};

/// The filter's size where it is worth to have it made, or, without libseccomp, to speak of it.
const WORTH_A_LOOK: usize = 2_500;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let architectures = architectures(context, profile);
    // What is not seen of a base is not counted.
    let whole = (context.whole()).map(|whole| whole.flat_map(|it| &it.entries).collect());
    let entries: Vec<_> = whole.unwrap_or_else(|| profile.entries.iter().collect());
    let estimate = estimate(&entries) * architectures.len();
    if estimate < WORTH_A_LOOK {
        return;
    }
    let Some(plan) = plan(context, &entries, &architectures) else {
        return;
    };
    // What is written again and again costs nothing.
    let instructions = plan.rules.iter().map(|rule| {
        let having = (architectures.iter()).filter(|&&arch| rule.syscall.exists_on(arch));
        having.count() * (1 + 3 * rule.comparisons.len())
    });
    let estimate = instructions.sum::<usize>();
    if estimate < WORTH_A_LOOK {
        return;
    }
    let (message, severity) = match size(&plan) {
        Size::TooLarge => (
            format!(
                "the filter has more than {MAX_INSTRUCTIONS} instructions: the kernel refuses it, and no container starts"
            ),
            Severity::Error,
        ),
        Size::TooLargeWithStub => (
            format!(
                "with the instructions that runc puts before it the filter has more than {MAX_INSTRUCTIONS}: the kernel refuses it, and runc starts no container"
            ),
            Severity::Warning,
        ),
        Size::Unknown(CompileError::NoLibrary) if estimate > MAX_INSTRUCTIONS => (
            format!(
                "the filter has about {estimate} instructions, and the kernel refuses more than {MAX_INSTRUCTIONS}: no container starts"
            ),
            Severity::Error,
        ),
        Size::TakesLong => (
            "libseccomp takes long to make this filter, seconds or for ever, whenever a container starts: whether the kernel takes it is not known".to_owned(),
            Severity::Warning,
        ),
        Size::Unknown(_) | Size::Fits => return,
    };
    let place = match (profile.node.get("syscalls"), profile.base()) {
        (Some(list), _) => context.bracket(list),
        (None, Some(base)) => context.at(base.node),
        (None, None) => return,
    };
    let here = match context.seen_base() {
        Some(_) => "too many rules, with those of its base profile",
        None => "too many rules",
    };
    findings.push(
        Finding::new(&RULE.rule, place, message)
            .severity(severity)
            .here(here)
            .help("allow calls without conditions, or with fewer of them; every condition costs instructions on every architecture"),
    );
}

/// The architectures of the filter that is largest: the host's own and those that come with it.
fn architectures(context: &Context<'_>, profile: &Profile<'_>) -> Vec<Arch> {
    let native = context.hosts().first().copied().unwrap_or(Arch::X86_64);
    let listed = profile.architectures.iter();
    let is_native = |text: &Text<'_>| text.value == native.token();
    let entries = profile.arch_map.iter();
    let mapped = entries.filter(|entry| entry.architecture.as_ref().is_some_and(is_native));
    let all = listed.chain(mapped.flat_map(|entry| &entry.sub_architectures));
    let mut architectures = vec![native];
    for arch in all.filter_map(|text| Arch::from_token(text.value)) {
        let fits = arch.is_little_endian() == native.is_little_endian();
        if fits && !architectures.contains(&arch) {
            architectures.push(arch);
        }
    }
    architectures
}

/// About how many instructions an architecture takes: one for a name, and three for each condition.
fn estimate(entries: &[&RuleEntry<'_>]) -> usize {
    let size = |it: &&RuleEntry<'_>| it.names.len() * (1 + 3 * it.args.len());
    entries.iter().map(size).sum()
}

/// What runc puts before the filter.
fn stub(context: &Context<'_>, default: Effect, all: &[Arch]) -> Option<Stub> {
    let permits = default.action.permits() || default.action == Action::Trace;
    let named = all
        .iter()
        .filter_map(|&arch| Some((arch, largest_named(context, arch)?.0)));
    (!permits).then(|| Stub(named.collect()))
}

/// What a runtime asks of libseccomp where all rule entries hold that may.
fn plan(context: &Context<'_>, entries: &[&RuleEntry<'_>], all: &[Arch]) -> Option<Plan> {
    let profile = context.profile()?;
    let default = profile.default_effect?;
    let (&native, others) = all.split_first()?;
    let target = context.targets().first();
    let release = target.and_then(|it| it.target.libseccomp.as_ref());
    let newest = filter::linked().or(release.map(|it| it.release));
    let newest = newest.unwrap_or(TABLE_RELEASE);
    let mut rules = Vec::new();
    let mut seen = HashSet::new();
    for (place, entry) in entries.iter().enumerate() {
        let comparisons: Option<Vec<_>> = entry.args.iter().map(|it| it.comparison).collect();
        let effect = entry.effect?;
        let excludes = entry.excludes.as_ref();
        if effect == default || excludes.is_some_and(|it| !it.caps.is_empty()) {
            continue;
        }
        let alternatives = in_rules(comparisons?);
        let names = entry.names.iter().filter_map(|name| lookup(name.value));
        for syscall in names.filter(|syscall| syscall.known_to(newest)) {
            for comparisons in &alternatives {
                if seen.insert((syscall.index(), effect, Arc::clone(comparisons))) {
                    rules.push(runtime::Rule {
                        effect,
                        syscall,
                        comparisons: Arc::clone(comparisons),
                        entry: place,
                    });
                }
            }
        }
    }
    Some(Plan {
        default,
        native,
        architectures: others.to_vec(),
        rules,
        stub: stub(context, default, all),
        is_tree: false,
    })
}

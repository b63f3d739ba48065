use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{listed, quoted};
use crate::lint::denial::{Denial, is_lacking};
use crate::lint::{Context, Findings, LintRule, Permission};
use crate::syscalls::{Arch, Relation, RelationKind};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "compat-variant-missing",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/compat-variant-missing.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_missing = |pair: &&Relation| is_lacking(context, pair);
    let mut missing = pairs().filter(is_missing).peekable();
    if missing.peek().is_none() {
        return;
    }
    let Some(default) = Denial::of_programs(context) else {
        return;
    };
    let architectures = meant(context);
    let is_called = |pair: &&Relation| {
        // The C library falls back from calls with other times, where there are none.
        let is_survived = is_time(pair) && default.is_enosys();
        !is_survived
            && architectures
                .iter()
                .any(|&arch| pair.related.exists_on(arch))
    };
    let missing: Vec<_> = missing.filter(is_called).collect();
    let has_missing = |arch: &&Arch| missing.iter().any(|pair| pair.related.exists_on(**arch));
    let uses = missing.iter().flat_map(|pair| context.uses(pair.syscall));
    let Some(first) = context.earliest(uses) else {
        return;
    };
    let names: Vec<_> = missing.iter().map(|pair| pair.related.name()).collect();
    let mut instead: Vec<_> = missing.iter().map(|pair| pair.syscall.name()).collect();
    instead.dedup();
    let programs = architectures.iter().filter(has_missing);
    let has_all = |arch: &Arch| missing.iter().all(|pair| pair.related.exists_on(*arch));
    let call = if programs.clone().all(has_all) {
        "call"
    } else {
        "call, as far as each has them,"
    };
    let programs: Vec<_> = programs.map(|arch| arch.name()).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    findings.push(
        Finding::new(
            &RULE.rule,
            context.at(first.text.node),
            format!(
                "{} {are} not allowed, which 32-bit programs ({}) {call} instead of {}",
                listed(&names),
                programs.join(", "),
                listed(&instead)
            ),
        )
        .here("allowed, but not what 32-bit programs call instead")
        .help(format!("add {}", quoted(&names)))
        .fact("syscalls", names)
        .fact("architectures", programs),
    );
}

fn pairs() -> impl Iterator<Item = &'static Relation> {
    let kinds = [RelationKind::Wide, RelationKind::Time64];
    kinds.into_iter().flat_map(RelationKind::pairs)
}

fn is_time(pair: &Relation) -> bool {
    let range = RelationKind::Time64.pairs().as_ptr_range();
    range.contains(&std::ptr::from_ref(pair))
}

/// The architectures of 32 bits whose programs the profile is meant to let run: those of hosts, and
/// those that it names and has a call for that only they have. A name alone is often copied.
fn meant(context: &Context<'_>) -> Vec<Arch> {
    let listed = context.meant_architectures();
    let hosts = context.hosts();
    let narrow = |arch: &Arch| arch.bits() == 32 && *arch != Arch::X32;
    let has_wide = listed.iter().any(|arch| !narrow(arch));
    let has_own = |arch: Arch| {
        let allowed =
            |pair: &Relation| context.permission(pair.related) == Some(Permission::Always);
        pairs().any(|pair| pair.related.exists_on(arch) && allowed(pair))
    };
    let mut meant = listed.clone();
    meant.retain(|arch| narrow(arch) && (!has_wide || hosts.contains(arch) || has_own(*arch)));
    meant
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{listed, quoted};
use crate::lint::denial::{Denial, is_lacking};
use crate::lint::{Context, Findings, LintRule};
use crate::syscalls::{Arch, Relation, RelationKind};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "incomplete-allow-family",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/incomplete-allow-family.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_missing = |pair: &&Relation| is_lacking(context, pair);
    let missing = |kind: RelationKind| kind.pairs().iter().filter(is_missing);
    let [mut everywhere, mut generic] =
        [RelationKind::Everywhere, RelationKind::Generic].map(|kind| missing(kind).peekable());
    if (everywhere.peek().is_none() && generic.peek().is_none())
        || Denial::of_programs(context).is_none()
    {
        return;
    }
    report(
        context,
        &everywhere.collect::<Vec<_>>(),
        "programs with a recent glibc",
        findings,
    );
    for arch in context.meant_architectures() {
        let of_arch: Vec<_> = missing(RelationKind::Generic)
            .filter(|pair| is_called(pair, arch))
            .collect();
        if !of_arch.is_empty() {
            report(context, &of_arch, &format!("programs of {arch}"), findings);
            // Others with the generic table lack the same.
            break;
        }
    }
}

/// Whether an architecture has only the related call of a pair.
fn is_called(pair: &Relation, arch: Arch) -> bool {
    let pairs = RelationKind::Generic.pairs().iter();
    let mut same = pairs.filter(|it| it.syscall == pair.syscall && it.related.exists_on(arch));
    !pair.syscall.exists_on(arch) && same.next().is_some_and(|it| it.related == pair.related)
}

fn report(context: &Context<'_>, missing: &[&Relation], who: &str, findings: &mut Findings) {
    let uses = missing.iter().flat_map(|pair| context.uses(pair.syscall));
    let Some(first) = context.earliest(uses) else {
        return;
    };
    let mut names: Vec<_> = missing.iter().map(|pair| pair.related.name()).collect();
    names.sort_unstable();
    names.dedup();
    let instead: Vec<_> = missing.iter().map(|pair| pair.syscall.name()).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    findings.push(
        Finding::new(
            &RULE.rule,
            context.at(first.text.node),
            format!(
                "{} {are} not allowed, which {who} call instead of {}",
                listed(&names),
                listed(&instead)
            ),
        )
        .here("allowed, but not what is called instead")
        .help(format!("add {}", quoted(&names)))
        .fact("syscalls", names),
    );
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::readers::Readers;
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Dialects, Side};
use crate::syscalls::KernelVersion;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "min-kernel-ignored",
        category: Category::Security,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/security/min-kernel-ignored.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let mut bounds = profile.filters().filter_map(|(side, filter)| {
        let bound = filter.min_kernel?;
        (!bound.value.is_empty()).then_some((side, bound))
    });
    let Some(first) = bounds.next() else {
        return;
    };
    // Where the filter as a whole is ignored, that is what there is to say.
    let podman = Dialects::PODMAN;
    let readers = Readers::engines(context, |engine| engine.dialect() == podman);
    let Some(readers) = readers else {
        return;
    };
    for (side, bound) in std::iter::once(first).chain(bounds) {
        let written = bound.value;
        let is_reached = written
            .parse()
            .ok()
            .and_then(|bound| is_reached(context, bound));
        // There the engine that knows it does the same.
        if is_reached == Some(side == Side::Includes) {
            continue;
        }
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let where_else = match side {
            Side::Includes => format!("before {written} too"),
            Side::Excludes => format!("from {written} on too"),
        };
        let message = format!(
            "{} no `minKernel`: the rule entry holds on kernels {where_else}",
            readers.before("knows", "know")
        );
        findings.push(
            Finding::new(&RULE.rule, context.at(bound.node), message)
                .here("only Docker reads it")
                .help(match is_reached {
                    Some(_) => "remove the rule entry: it is for none of these kernels",
                    None => "if all hosts are on the side where the rule entry is to hold, remove `minKernel`, if all are on the other, the rule entry; otherwise keep a profile for each kind of host",
                })
                .fact("minKernel", written),
        );
    }
}

/// Whether the targets' kernels reach a bound; `None` if they differ in that, or are not known.
fn is_reached(context: &Context<'_>, bound: KernelVersion) -> Option<bool> {
    let kernels = context.kernels()?;
    let count = kernels.iter().filter(|&&kernel| kernel >= bound).count();
    (count == 0 || count == kernels.len()).then_some(count > 0)
}

use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::architectures::Seen;
use crate::lint::{ConditionUse, Context, Findings, LintRule};
use crate::profile::{Comparison, Operator};
use crate::syscalls::{self, Arch};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "value-truncated-on-32bit-arch",
        category: Category::Portability,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/portability/value-truncated-on-32bit-arch.md"),
    },
    check,
};

/// -2147483648 as a number of 64 bits: from there on, the lower half is the same number.
const NEGATIVE: u64 = u64::MAX << 31;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_wide = |it: &ConditionUse<'_>| is_truncated(it.comparison);
    let mut conditions = context.conditions().filter(is_wide).peekable();
    if conditions.peek().is_none() {
        return;
    }
    let seen = Seen::new(context);
    for condition in conditions {
        let mut narrow = seen.of(condition.entry);
        narrow.retain(|arch| arch.bits() == 32 && *arch != Arch::X32);
        let arch = narrow.iter().find(|&&arch| {
            let mut names = condition.entry.names.iter();
            names.any(|name| syscalls::lookup(name.value).is_some_and(|it| it.exists_on(arch)))
        });
        let Comparison {
            operator,
            value,
            value_two,
            index,
        } = condition.comparison;
        let place = match operator {
            Operator::MaskedEqual => condition.condition.value_two,
            _ => condition.condition.value,
        };
        let (Some(arch), Some(place)) = (arch, place) else {
            continue;
        };
        if !findings.has_room() {
            findings.leave_out();
            continue;
        }
        let number = if operator == Operator::MaskedEqual {
            value_two
        } else {
            value
        };
        let low = number & 0xffff_ffff;
        findings.push(
            Finding::new(
                &RULE.rule,
                context.at(place.node),
                format!("{number} has more than 32 bits: on {arch} argument {index} is compared with {low}"),
            )
            .here(format!("{low} on {arch}"))
            .help("compare with a number of 32 bits, or leave the 32-bit architectures out")
            .fact("architecture", arch.name())
            .fact("index", index)
            .fact("number", low),
        );
    }
}

/// Whether the lower half of a comparison holds for other arguments of 32 bits than all of it.
fn is_truncated(comparison: Comparison) -> bool {
    let number = match comparison.operator {
        // What is outside the mask is not compared.
        Operator::MaskedEqual => comparison.value & comparison.value_two,
        _ => comparison.value,
    };
    (1 << 32..NEGATIVE).contains(&number)
}

use crate::finding::{Applicability, Category, Edit, Finding, Rule, RuleSet, Severity};
use crate::lint::alternatives::Alternative;
use crate::lint::rivals::Contested;
use crate::lint::{ConditionUse, Context, Findings, LintRule};
use crate::profile::{Condition, Digits, Operator};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "tautological-condition",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/tautological-condition.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for condition in context.conditions() {
        let comparison = condition.comparison;
        let why = match (comparison.operator, comparison.value) {
            (Operator::GreaterOrEqual, 0) => "no argument is less than 0",
            (Operator::LessOrEqual, u64::MAX) => "no argument is greater than 18446744073709551615",
            (Operator::MaskedEqual, 0) => "a mask of 0 leaves nothing to compare",
            _ => continue,
        };
        let Some(place) = condition.condition.value_place() else {
            continue;
        };
        let mut finding = Finding::new(
            &RULE.rule,
            context.at(place),
            format!("{why}, so this condition always holds"),
        )
        .here("always holds");
        if condition.entry.permits() == Some(true) {
            finding = finding.severity(Severity::Error);
        }
        findings.push(match comparison.operator {
            Operator::MaskedEqual => mixed_up(&condition, finding),
            _ => finding.help("leave it out if every value is meant"),
        });
    }
    let mut told = Vec::new();
    for contested in context.contested() {
        if let Some((condition, finding)) = together(context, contested) {
            // The names of a rule entry share its conditions.
            if !told.iter().any(|it| std::ptr::eq(*it, condition)) {
                told.push(condition);
                findings.push(finding);
            }
        }
    }
}

/// The finding about rule entries that leave no value out together, though each does, and the
/// condition at which it is told.
fn together<'c>(
    context: &Context<'c>,
    contested: &Contested<'c>,
) -> Option<(&'c Condition<'c>, Finding)> {
    let alternatives = Alternative::all(contested);
    let (containers, all) = Alternative::leaving_none_out(&alternatives)?;
    let (last, others) = all.split_last()?;
    let (name, index) = (contested.syscall.name(), last.comparison.index);
    let (does, severity) = if contested.default.action.permits() {
        ("deny", Severity::Warning)
    } else {
        ("allow", Severity::Error)
    };
    let message = format!(
        "this condition and what other rule entries say of argument {index} leave no value out: together they {does} every `{name}`{}",
        containers.phrase()
    );
    let place = last.condition.value_place()?;
    let mut finding = Finding::new(&RULE.rule, context.at(place), message)
        .severity(severity)
        .here("holds where the others do not")
        .help("rule entries are alternatives: write one for each value that is meant")
        .fact("syscall", name)
        .fact("index", index);
    for place in others.iter().filter_map(|it| it.condition.value_place()) {
        finding = finding.label(context.at(place), "together with this");
    }
    Some((last.condition, finding))
}

/// What to do about a mask of 0. Most often the mask stands in `valueTwo`.
fn mixed_up(condition: &ConditionUse<'_>, finding: Finding) -> Finding {
    let bits = condition.comparison.value_two;
    let Some(value) = condition.condition.value_two.filter(|_| bits != 0) else {
        return finding.help("write the mask into `value`");
    };
    let swapped = |mask: Digits<'_>| {
        [(mask, value.value), (value, "0")].map(|(digits, text)| Edit {
            span: digits.node.span(),
            text: text.to_owned(),
        })
    };
    let finding = match condition.condition.value {
        Some(mask) => finding.edits(Applicability::Unsafe, swapped(mask).into()),
        None => finding,
    };
    finding.help(format!(
        "`value` is the mask, `valueTwo` what the masked argument must be; swapped, it asks that no bit of {bits:#x} is set"
    ))
}

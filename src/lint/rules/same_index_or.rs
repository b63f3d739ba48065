use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::condition::{borders, exclude_each_other, leave_none_out};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::{Comparison, Digits, Operator, RuleEntry};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "same-index-or",
        category: Category::Correctness,
        severity: Severity::Warning,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/same-index-or.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let entries = context
        .profile()
        .into_iter()
        .flat_map(|profile| &profile.entries);
    for entry in entries {
        if let Some((index, first, again)) = repeated(entry) {
            let (severity, message, help) = judge(entry, index);
            findings.push(
                Finding::new(&RULE.rule, context.at(again.node), message)
                    .severity(severity)
                    .here("the same argument again")
                    .label(context.at(first.node), "first compared here")
                    .help(help)
                    .fact("index", index),
            );
        }
    }
}

/// The first index that stands in two conditions, and where.
fn repeated<'c>(entry: &RuleEntry<'c>) -> Option<(u32, Digits<'c>, Digits<'c>)> {
    let mut seen = [None; 6];
    for condition in &entry.args {
        let (Some(comparison), Some(written)) = (condition.comparison, condition.index) else {
            continue;
        };
        if let Some(slot) = seen.get_mut(comparison.index as usize)
            && let Some(first) = slot.replace(written)
        {
            return Some((comparison.index, first, written));
        }
    }
    None
}

/// What the alternatives come to. `index` is the one that is repeated first.
fn judge(entry: &RuleEntry<'_>, index: u32) -> (Severity, String, &'static str) {
    const SPLIT: &str =
        "write a rule entry for each alternative; no rule entry can ask two things of one argument";
    // Each is held against all others, and crun reads six.
    const MOST: usize = 100;
    let all = || {
        entry
            .args
            .iter()
            .take(MOST)
            .filter_map(|condition| condition.comparison)
    };
    let same: Vec<_> = all().filter(|it| it.index == index).collect();
    if leave_none_out(&same) {
        let message = format!(
            "the conditions on argument {index} are alternatives that leave no value out, so the rule entry matches every call"
        );
        let help = "rule entries are alternatives as well: write one for each value that is meant";
        return (Severity::Error, message, help);
    }
    if let Some(other) = all().find(|comparison| comparison.index != index) {
        let message = format!(
            "with two conditions on argument {index}, every condition of the rule entry is enough alone, that on argument {} too",
            other.index
        );
        return (Severity::Error, message, SPLIT);
    }
    let message =
        format!("each condition on argument {index} is enough alone: they are alternatives");
    let meets = |one: &Comparison, value| one.operator == Operator::MaskedEqual || one.holds(value);
    let is_split = |(place, one): (usize, _)| {
        let mut earlier = same.iter().take(place);
        earlier.any(|other| exclude_each_other(one, other))
    };
    if !same.iter().enumerate().any(is_split)
        && borders(&same).any(|value| same.iter().all(|one| meets(one, value)))
    {
        return (Severity::Warning, message, SPLIT);
    }
    let help = "as no value meets them all, that must be what is meant; a rule entry for each says so to every reader";
    (Severity::Info, message, help)
}

use crate::filter::Diagrams;
use crate::finding::{Category, Finding, Rule, RuleSet, Severity};
use crate::lint::rivals::{Rival, effect_words};
use crate::lint::{Context, Findings, LintRule};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "redundant-conditional-rule",
        category: Category::Style,
        severity: Severity::Info,
        set: RuleSet::Default,
        page: include_str!("../../../rules/style/redundant-conditional-rule.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for contested in context.contested() {
        let rivals = &contested.rivals;
        let conditional = rivals.iter().filter(|it| !it.is_unconditional());
        // Alone, nothing with conditions covers it.
        let is_alone = conditional.count() < 2;
        let mut diagrams = None;
        for rival in rivals {
            if rival.is_unconditional() || rival.effect == contested.default {
                continue;
            }
            let reason = rivals.iter().find(|other| {
                other.effect == rival.effect
                    && !std::ptr::eq(other.entry, rival.entry)
                    && !rival.clearly_exceeds(other)
                    // Two of a kind are spoken of as that.
                    && !other.entry.does_the_same(rival.entry)
                    && other.holds_where(rival)
                    && (other.is_unconditional()
                        || (!is_alone && covers(diagrams.get_or_insert_default(), other, rival)))
            });
            let Some(other) = reason else {
                continue;
            };
            let name = contested.syscall.name();
            let words = effect_words(rival.effect);
            let (severity, message, here) = if other.is_unconditional() {
                let message = format!(
                    "these conditions restrict nothing: another rule entry says {words} for `{name}` without conditions"
                );
                (Severity::Warning, message, "restricts nothing")
            } else {
                let message = format!(
                    "another rule entry says {words} for `{name}` wherever these conditions hold"
                );
                (Severity::Info, message, "adds nothing")
            };
            findings.push(
                Finding::new(&RULE.rule, context.at(rival.name.node), message)
                    .severity(severity)
                    .here(here)
                    .label(context.at(other.name.node), "this one says it already")
                    .help("keep the one that is meant")
                    .fact("syscall", name),
            );
        }
    }
}

/// Whether the conditions of one are met by all that meets those of the other, and not the other
/// way round too, which would have both reported.
fn covers(diagrams: &mut Diagrams, one: &Rival<'_>, other: &Rival<'_>) -> bool {
    let (Some(wide), Some(narrow)) = (one.calls(diagrams), other.calls(diagrams)) else {
        return false;
    };
    let is_new = wide != narrow || one.name.node.span().start < other.name.node.span().start;
    is_new && diagrams.both(wide, narrow) == Ok(narrow)
}

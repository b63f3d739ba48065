use crate::finding::{Applicability, Category, Finding, Location, Rule, RuleSet, Severity};
use crate::lint::findings::MORE;
use crate::lint::{Context, Findings, LintRule, removal};
use crate::text::{Deviation, DeviationKind};

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "json-syntax",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/json-syntax.md"),
    },
    check,
};

/// A file that is no JSON at all would bury everything else under its findings.
const SHOWN: usize = 20;

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.is_meant_as_json() || !context.place.is_first_of_document {
        return;
    }
    let deviations = context.deviations();
    let total = deviations.clone().count() + context.document.unlisted_deviations();
    for (number, deviation) in deviations.take(SHOWN).enumerate() {
        let mut finding = report(context, deviation);
        if number + 1 == SHOWN && total > SHOWN {
            let more = total - SHOWN;
            finding = finding.fact(MORE, more).help(format!(
                "{more} more places like this one are not shown; is this file meant to be JSON?"
            ));
        }
        findings.push(finding);
    }
}

fn report(context: &Context<'_>, deviation: Deviation) -> Finding {
    let location = Location::text(context.source, deviation.span);
    let kind = deviation.kind;
    let (lead, severity) = match kind {
        // RFC 8259 allows these two; the runtimes do not agree on them.
        DeviationKind::LoneSurrogate | DeviationKind::TooDeep => {
            ("not every runtime reads this", Severity::Warning)
        }
        DeviationKind::TooLarge => ("not read", RULE.rule.severity),
        _ => ("not JSON", RULE.rule.severity),
    };
    let message = format!("{lead}: {}", kind.message());
    let finding = Finding::new(&RULE.rule, location, message)
        .severity(severity)
        .fact("deviation", kind.name());
    match kind {
        // No filter changes, but what somebody wrote down is lost.
        DeviationKind::Comment => {
            let (span, text) = removal::of_comment(context.source, deviation.span);
            finding
                .fix(Applicability::Unsafe, span, text)
                .help("remove it")
        }
        DeviationKind::TrailingComma | DeviationKind::ExtraComma | DeviationKind::ByteOrderMark => {
            finding
                .fix(Applicability::Safe, deviation.span, "")
                .help("remove it")
        }
        DeviationKind::MissingComma => finding
            .fix(Applicability::Safe, deviation.span, ",")
            .help("write a comma here"),
        DeviationKind::BadUtf8 => finding.help("save the file as UTF-8"),
        DeviationKind::LoneSurrogate => finding.help("write the character itself"),
        DeviationKind::TooDeep => finding.help("crun 1.28 and newer reads no more than 32 levels"),
        _ => finding,
    }
}

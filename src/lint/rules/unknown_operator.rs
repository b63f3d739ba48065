use crate::finding::{Applicability, Category, Finding, Rule, RuleSet, Severity};
use crate::lint::word::{nearest, unlisted};
use crate::lint::{Context, Findings, LintRule};
use crate::profile::Operator;

pub(super) static RULE: LintRule = LintRule {
    rule: Rule {
        id: "unknown-operator",
        category: Category::Correctness,
        severity: Severity::Error,
        set: RuleSet::Default,
        page: include_str!("../../../rules/correctness/unknown-operator.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(profile) = context.profile() else {
        return;
    };
    let conditions = profile.entries.iter().flat_map(|entry| &entry.args);
    for operator in conditions.filter_map(|condition| condition.op) {
        let written = operator.value;
        if Operator::from_name(written).is_some() {
            continue;
        }
        let message = format!("no runtime knows {}", unlisted("operator", written));
        let finding = Finding::new(&RULE.rule, context.at(operator.node), message)
            .here("no such operator")
            .fact("operator", written);
        findings.push(if let Some((meant, applicability)) = meant(written) {
            finding
                .help(format!("did you mean `{meant}`?"))
                .fact("suggestion", meant)
                .fix(applicability, operator.node.text_span(), meant)
        } else {
            let names: Vec<_> = Operator::names().collect();
            finding.help(format!("the operators are {}", names.join(", ")))
        });
    }
}

/// The operator that someone who wrote `written` means, and how sure that is.
fn meant(written: &str) -> Option<(&'static str, Applicability)> {
    let upper = written.trim().to_ascii_uppercase().replace('-', "_");
    let bare = upper.strip_prefix("SCMP_").unwrap_or(&upper);
    let bare = bare.strip_prefix("CMP_").unwrap_or(bare);
    let is = |operator: &&str| operator.strip_prefix("SCMP_CMP_") == Some(bare);
    if let Some(operator) = Operator::names().find(is) {
        return Some((operator, Applicability::Safe));
    }
    let sure = match bare {
        "EQUAL" | "EQUALS" | "EQUAL_TO" | "==" => "SCMP_CMP_EQ",
        "NEQ" | "NOT_EQUAL" | "!=" => "SCMP_CMP_NE",
        "LESS" | "LESS_THAN" | "<" => "SCMP_CMP_LT",
        "LTE" | "LEQ" | "LESS_EQUAL" | "LESS_OR_EQUAL" | "<=" => "SCMP_CMP_LE",
        "GREATER" | "GREATER_THAN" | ">" => "SCMP_CMP_GT",
        "GTE" | "GEQ" | "GREATER_EQUAL" | "GREATER_OR_EQUAL" | ">=" => "SCMP_CMP_GE",
        "MASKED" | "MASKED_EQUAL" => "SCMP_CMP_MASKED_EQ",
        _ => {
            return Some((
                nearest(Operator::names(), &upper, 2)?,
                Applicability::Unsafe,
            ));
        }
    };
    Some((sure, Applicability::Safe))
}

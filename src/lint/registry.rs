//! All rules, by name.

use crate::crun;
use crate::finding::Rule;

use super::LintRule;
use super::rules::LINT_RULES;

/// The linter's rules, in the order of their names.
#[must_use]
pub fn lint_rules() -> &'static [&'static LintRule] {
    LINT_RULES
}

/// Every rule that seclint has, those about crun's cache included, in the order
/// of their names.
#[must_use]
pub fn all_rules() -> Vec<&'static Rule> {
    let lint = LINT_RULES.iter().map(|rule| &rule.rule);
    let mut rules: Vec<_> = lint.chain(crun::RULES.iter().copied()).collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// The rule of a name.
///
/// # Errors
/// If there is none; the error names the nearest.
pub fn find_rule(name: &str) -> Result<&'static Rule, SelectionError> {
    let rules = all_rules();
    let rule = rules.iter().find(|rule| rule.id == name);
    rule.copied().ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        let similarity = |rule: &&&Rule| strsim::jaro_winkler(rule.id, &lower);
        let nearest = rules
            .iter()
            .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
            .filter(|rule| similarity(rule) > 0.8);
        SelectionError {
            name: name.to_owned(),
            nearest: nearest.map(|rule| rule.id),
        }
    })
}

/// The rules of a list of names.
///
/// # Errors
/// If one of them is no rule's.
pub fn parse_rules(names: &[String]) -> Result<Vec<&'static Rule>, SelectionError> {
    names.iter().map(|name| find_rule(name)).collect()
}

/// A name that no rule has.
#[derive(Debug, thiserror::Error)]
#[error("no rule is called `{name}`; {}", did_you_mean(*.nearest))]
pub struct SelectionError {
    /// The name.
    pub name: String,
    /// The rule whose name comes nearest.
    pub nearest: Option<&'static str>,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`seclint rules` lists them".to_owned(),
    }
}

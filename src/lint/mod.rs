//! The linter: rules, and the runner that takes each source past them once.
//!
//! A rule is a file in `rules/` here, with a `static` [`LintRule`], and a page of
//! the same name in the rule book at the top of the repository.

mod condition;
mod context;
mod findings;
mod registry;
mod removal;
mod rules;
mod target_use;
mod word;

use std::sync::Arc;

pub use condition::ConditionUse;
pub use context::{Context, NameUse};
pub use findings::Findings;
pub use registry::{SelectionError, all_rules, find_rule, lint_rules, parse_rules};
pub use target_use::TargetUse;

use crate::finding::{Finding, Rule};
use crate::profile::{self, Dialects, Found};
use crate::target::Target;
use crate::text::{Source, json};

/// A rule of the linter.
#[derive(Debug)]
pub struct LintRule {
    /// What the rule book says of it.
    pub rule: Rule,
    /// Looks for what breaks the rule, and adds it to the findings.
    pub check: fn(&Context<'_>, &mut Findings),
}

/// What came of one source.
#[derive(Debug)]
pub struct Linted {
    /// The source.
    pub source: Arc<Source>,
    /// Whether there was a profile in it.
    pub is_profile: bool,
    /// What is wrong with it, in the order of the source, then by rule.
    pub findings: Vec<Finding>,
}

/// Checks sources against a choice of rules.
#[derive(Debug)]
pub struct Linter {
    /// The rules that are checked.
    pub rules: Vec<&'static LintRule>,
    /// What the profiles will run on: at least one target, if only one of which
    /// nothing is said.
    pub targets: Vec<Target>,
    /// The dialects that every source is in; `None` to see for each.
    pub dialects: Option<Dialects>,
}

impl Linter {
    /// Checks one source.
    #[must_use]
    pub fn lint(&self, source: &Arc<Source>) -> Linted {
        let document = json::parse(source.bytes());
        let found = profile::find(&document, self.dialects);
        let context = Context::new(source, &document, &found, &self.targets);
        let mut findings = Findings::default();
        for rule in &self.rules {
            (rule.check)(&context, &mut findings);
            findings.end_rule(&rule.rule);
        }
        Linted {
            source: Arc::clone(source),
            is_profile: matches!(found, Found::Profile(_)),
            findings: findings.into_sorted(),
        }
    }
}

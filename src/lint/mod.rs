//! The linter: rules, and the runner that takes each source past them once.
//!
//! A rule is a file in `rules/` here, with a `static` [`LintRule`], and a page of
//! the same name in the rule book at the top of the repository.

mod alternatives;
mod architectures;
mod condition;
mod container;
mod context;
mod demands;
mod denial;
mod findings;
mod fix;
mod ignore;
mod inherited;
mod lack;
mod name;
mod operator;
mod partial;
mod permission;
mod readers;
mod registry;
mod removal;
mod rivals;
mod rules;
mod substitutes;
mod target_use;
mod upper_bits;
mod winner;
mod word;

use std::collections::HashSet;
use std::sync::Arc;

pub use condition::ConditionUse;
pub use context::{Context, Place};
pub use demands::{Demand, Demands};
pub use findings::Findings;
pub use fix::{Fixed, HeldBack, Why, fix};
pub use name::NameUse;
pub use permission::Permission;
pub use registry::{SelectionError, all_rules, find_rule, lint_rules, parse_rules};
pub use target_use::TargetUse;

use inherited::Inherited;

use crate::engine::Engine;
use crate::finding::{Finding, Location, Rule};
use crate::profile::{self, BaseFinder, Bases, Dialects, Found, GivenBases};
use crate::target::Target;
use crate::text::{self, Source};

static UNUSED_IGNORE: &Rule = &rules::unused_ignore::RULE.rule;

/// What is said of an ignore of a rule's findings, at `location`, if there are none.
#[must_use]
pub fn unused_ignore(rule: &Rule, location: Location) -> Finding {
    rules::unused_ignore::report(rule, location)
}

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
    /// How many profiles there were in it.
    pub profiles: usize,
    /// What is wrong with it, in the order of the source, then by rule.
    pub findings: Vec<Finding>,
}

/// Checks sources against a choice of rules.
#[derive(Debug, Default)]
pub struct Linter {
    /// The rules that are checked.
    pub rules: Vec<&'static LintRule>,
    /// What the profiles will run on: at least one target, if only one of which
    /// nothing is said.
    pub targets: Vec<Target>,
    /// The engines that will read them; empty if none was said.
    pub engines: Vec<Engine>,
    /// The dialects that every source is in; `None` to see for each.
    pub dialects: Option<Dialects>,
    /// What the organisation wants of every profile.
    pub demands: Demands,
}

impl Linter {
    /// What says which ignores were of no use comes after all that may have use of them.
    fn in_order(&self) -> impl Iterator<Item = &'static LintRule> {
        let is_last = |rule: &&LintRule| rule.rule.id == UNUSED_IGNORE.id;
        let rules = self.rules.iter().copied();
        rules
            .clone()
            .filter(move |rule| !is_last(rule))
            .chain(rules.filter(is_last))
    }

    /// Checks one source. Findings that its comments ignore are among those that come of it.
    #[must_use]
    pub fn lint(&self, source: &Arc<Source>) -> Linted {
        self.lint_with(source, &profile::no_bases())
    }

    /// The same, with base profiles that other files have. They are read if a profile names one that
    /// its own file does not have.
    #[must_use]
    pub fn lint_with(&self, source: &Arc<Source>, given: &GivenBases) -> Linted {
        let documents = profile::unfold(source, text::read(source));
        let found: Vec<_> = (documents.iter())
            .map(|document| profile::find_all(document, self.dialects))
            .collect();
        let is_profile = |found: &&Found<'_>| matches!(found, Found::Profile(_));
        let profiles = found.iter().flatten().filter(is_profile).count();
        let mut own = Bases::default();
        let base = |found: &Found<'_>| match found {
            Found::Profile(profile) => Some(profile.base()?.value.to_owned()),
            _ => None,
        };
        let named: HashSet<_> = found.iter().flatten().filter_map(base).collect();
        if !named.is_empty() {
            own.add(source);
        }
        let is_named = |found: &Found<'_>| match found {
            Found::Profile(profile) if !named.is_empty() => {
                let name = profile.object_name();
                name.is_some_and(|name| named.contains(name))
            }
            _ => false,
        };
        let mut finder = BaseFinder::new(source, &own, given);
        let inherited = found
            .iter()
            .flatten()
            .map(|found| Inherited::of(found, &mut finder));
        let inherited: Vec<_> = inherited.collect();
        let mut inherited = inherited.iter();
        let mut contexts = Vec::new();
        for (document, all) in documents.iter().zip(&found) {
            for (number, found) in all.iter().enumerate() {
                let inherited = inherited.next().and_then(Option::as_ref);
                // Beside a profile, other objects may stand in a file.
                let is_other = profiles > 0 && matches!(found, Found::Nothing);
                if is_other && document.deviations().is_empty() {
                    continue;
                }
                let place = Place {
                    is_first_of_file: contexts.is_empty(),
                    is_first_of_document: number == 0,
                    profiles,
                    is_named_as_base: is_named(found),
                };
                let (targets, engines) = (&self.targets, &self.engines);
                let context = Context::new(source, document, found, targets, engines, place);
                let context = context.with_base(inherited);
                contexts.push(context.with_demands(&self.demands));
            }
        }
        let has_several = documents.iter().any(|document| document.index() > 0);
        let mut findings = Findings::default();
        ignore::find(source, &mut contexts, &self.rules);
        for rule in self.in_order() {
            let first = findings.len();
            for context in &contexts {
                let start = findings.len();
                (rule.check)(context, &mut findings);
                findings.retain_from(start, |finding| inherited::settle(context, finding));
                findings.settle(start, context.document, has_several);
            }
            ignore::suppress(findings.from(first), &contexts);
            findings.end_rule(&rule.rule);
        }
        Linted {
            source: Arc::clone(source),
            profiles,
            findings: findings.into_sorted(),
        }
    }
}

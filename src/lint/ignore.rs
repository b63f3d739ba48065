//! Findings that the author of a profile has decided not to hear of, where the profile says so:
//! `seclint-ignore: RULE[, RULE] -- REASON`, in the comment of a rule entry or of YAML.

use std::cell::Cell;
use std::sync::Arc;

use memchr::memmem;

use super::{Context, LintRule, find_rule};
use crate::finding::{Finding, Location, Origin, Rule, Suppression};
use crate::profile::Dialects;
use crate::text::{Source, Span, Syntax, yaml};

/// What such a comment begins with.
const MARK: &str = "seclint-ignore";

/// A comment that says what not to report.
#[derive(Debug)]
pub(super) struct Ignore {
    /// Where it stands.
    pub(super) location: Location,
    scope: Scope,
    /// What it says, or why that is nothing.
    pub(super) said: Result<Said, String>,
}

/// What is not reported, and why.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) rules: Vec<IgnoredRule>,
    reason: String,
}

/// A rule whose findings are not reported.
#[derive(Debug)]
pub(super) struct IgnoredRule {
    pub(super) rule: &'static Rule,
    /// Whether it was looked for what breaks the rule, and nothing was found.
    pub(super) is_idle: Cell<bool>,
}

/// Which findings a comment is about.
#[derive(Debug)]
enum Scope {
    /// Those in a rule entry.
    Within(Span),
    /// Those that begin in a line.
    Line(u32),
}

impl Ignore {
    fn of(text: &str, location: Location, scope: Scope, rules: &[&LintRule]) -> Option<Self> {
        let (_, rest) = text.split_once(MARK)?;
        let said = parse(rest, rules);
        Some(Self {
            location,
            scope,
            said,
        })
    }

    /// What becomes of a finding that it is about.
    fn suppression(&self, finding: &Finding) -> Option<Suppression> {
        let said = self.said.as_ref().ok()?;
        let span = finding.location.span?;
        let is_about = match self.scope {
            Scope::Within(entry) => entry.start <= span.start && span.end <= entry.end,
            Scope::Line(line) => finding.location.source.position(span.start).line == line,
        };
        let mut rules = said.rules.iter().filter(|_| is_about);
        let ignored = rules.find(|ignored| ignored.rule.id == finding.rule.id)?;
        ignored.is_idle.set(false);
        Some(Suppression {
            origin: Origin::InSource,
            reason: said.reason.clone(),
        })
    }
}

/// Reads what stands behind the mark.
fn parse(rest: &str, rules: &[&LintRule]) -> Result<Said, String> {
    let lacks = |what: &str| format!("{what}; write `{MARK}: RULE -- REASON`");
    let Some(mut rest) = rest.strip_prefix(':') else {
        return Err(lacks("a colon is missing"));
    };
    let mut ignored = Vec::new();
    loop {
        rest = rest.trim_start();
        let is_end = |letter: char| letter.is_whitespace() || letter == ',';
        let (name, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        if name.is_empty() || name == "--" {
            return Err(lacks("no rule is named"));
        }
        let rule = find_rule(name).map_err(|error| error.to_string())?;
        let is_run = rules.iter().any(|run| run.rule.id == rule.id);
        ignored.push(IgnoredRule {
            rule,
            is_idle: Cell::new(is_run),
        });
        if let Some(others) = after.trim_start().strip_prefix(',') {
            rest = others;
            continue;
        }
        let reason = after.trim();
        let reason = reason.strip_prefix("--").unwrap_or(reason).trim();
        if reason.is_empty() {
            return Err(lacks("the reason is missing"));
        }
        return Ok(Said {
            rules: ignored,
            reason: reason.to_owned(),
        });
    }
}

/// Gives each context the comments that stand in what it is about.
pub(super) fn find(source: &Arc<Source>, contexts: &mut [Context<'_>], rules: &[&LintRule]) {
    // Nearly no file has any.
    if memmem::find(source.bytes(), MARK.as_bytes()).is_none() {
        return;
    }
    for context in &mut *contexts {
        context.ignores = in_entries(context, rules);
    }
    if Syntax::of(source) != Syntax::Yaml {
        return;
    }
    for comment in yaml::comments(source.bytes()) {
        let text = source.bytes().get(comment.range()).unwrap_or_default();
        let line = source.position(comment.start).line;
        let before = source.line(line).start..comment.start as usize;
        let is_alone = source
            .bytes()
            .get(before)
            .is_some_and(|it| it.trim_ascii().is_empty());
        let line = if is_alone {
            after_comments(source, line)
        } else {
            line
        };
        let text = String::from_utf8_lossy(text);
        let location = Location::text(source, comment);
        let ignore = Ignore::of(&text, location, Scope::Line(line), rules);
        let is_behind = |context: &&mut Context<'_>| {
            let root = context.document.root();
            let start = root.map_or(0, |root| root.span().start);
            !context.document.is_embedded() && start <= comment.start
        };
        // A comment may stand before all that is a document.
        let number = contexts
            .iter_mut()
            .filter(is_behind)
            .count()
            .saturating_sub(1);
        let mut outer = contexts.iter_mut().filter(|it| !it.document.is_embedded());
        if let Some(context) = outer.nth(number) {
            context.ignores.extend(ignore);
        }
    }
}

/// The comments of rule entries, in the dialects that have them.
fn in_entries(context: &Context<'_>, rules: &[&LintRule]) -> Vec<Ignore> {
    let profile = context
        .profile()
        .filter(|profile| !(profile.dialects & Dialects::DOCKER.or(Dialects::PODMAN)).is_empty());
    let entries = profile.into_iter().flat_map(|profile| &profile.entries);
    let comments = entries.filter_map(|entry| Some((entry, entry.node.get("comment")?)));
    let mut ignores = Vec::new();
    for (entry, comment) in comments {
        for line in comment.as_str().unwrap_or_default().lines() {
            let scope = Scope::Within(entry.node.span());
            ignores.extend(Ignore::of(line, context.at(comment), scope, rules));
        }
    }
    ignores
}

/// The first line after a comment that is no comment itself.
fn after_comments(source: &Source, line: u32) -> u32 {
    let is_comment = |line| {
        let text = source.bytes().get(source.line(line)).unwrap_or_default();
        text.trim_ascii_start().starts_with(b"#")
    };
    let mut line = line + 1;
    while is_comment(line) {
        line += 1;
    }
    line
}

/// Says of findings which of them the comments are about.
pub(super) fn suppress(findings: &mut [Finding], contexts: &[Context<'_>]) {
    let ignores = || contexts.iter().flat_map(|context| &context.ignores);
    if ignores().next().is_none() {
        return;
    }
    for finding in findings {
        finding.suppression = ignores().find_map(|ignore| ignore.suppression(finding));
    }
}

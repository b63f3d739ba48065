//! Findings that the author of a profile has decided not to hear of, where the profile says so:
//! `seclint-ignore: RULE[, RULE] -- REASON`, in the comment of a rule entry or of YAML.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use super::{Context, LintRule, find_rule};
use crate::finding::{Finding, Location, Origin, Rule, Suppression};
use crate::profile::{Dialects, Mistake};
use crate::text::{DeviationKind, Source, Span, Syntax, yaml};

/// What such a comment begins with.
const MARK: &str = "seclint-ignore";

/// What each that is meant as one has in it, in capitals or not.
const NAME: &str = "seclint";
const NAMES: [&str; 3] = [NAME, "Seclint", "SECLINT"];

/// What stands between rules and the reason.
const REASON: &str = "--";

/// What to do where no comment is heard.
const INSTEAD: &str = "write an `[[ignore]]` into seclint.toml";

/// What other linters' comments say, behind their names.
const MEANT: [&str; 7] = [
    "disable", "ignore", "nolint", "noqa", "off", "skip", "suppress",
];

/// A comment that says what not to report.
#[derive(Debug)]
pub(super) struct Ignore {
    /// Where it stands.
    pub(super) location: Location,
    scope: Scope,
    /// What it says, or why that is nothing.
    pub(super) said: Result<Said, Invalid>,
}

/// Why a comment ignores nothing.
#[derive(Debug)]
pub(super) struct Invalid {
    pub(super) why: String,
    /// What to write.
    pub(super) help: Option<String>,
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
    /// Those that begin in some lines: one, or those of a string that begins there.
    Lines(Range<u32>),
}

impl Ignore {
    fn of(text: &str, location: Location, scope: Scope, rules: &[&LintRule]) -> Option<Self> {
        let said = match text.split_once(MARK) {
            Some((_, rest)) => parse(rest, rules),
            None => Err(Invalid::misspelt(text)?),
        };
        Some(Self {
            location,
            scope,
            said,
        })
    }

    /// What becomes of a finding, with its place and the line in which it begins, that it is about.
    fn suppression(&self, finding: &Finding, (span, begins): (Span, u32)) -> Option<Suppression> {
        let said = self.said.as_ref().ok()?;
        let is_about = match &self.scope {
            Scope::Within(entry) => entry.start <= span.start && span.end <= entry.end,
            Scope::Lines(lines) => lines.contains(&begins),
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

impl Invalid {
    /// With how it is written, as far as `rest` says what is meant.
    fn new(why: &str, rest: &str) -> Self {
        let is_end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        // Reasons may speak of rules.
        let parts = rest
            .split(MARK)
            .filter_map(|part| part.split(REASON).next());
        let words = parts.flat_map(|part| part.split(is_end));
        let rules: Vec<_> = words.filter(|word| find_rule(word).is_ok()).collect();
        let rules = match rules.as_slice() {
            [] => "RULE".to_owned(),
            rules => rules.join(", "),
        };
        Self {
            why: why.to_owned(),
            help: Some(format!("write `{MARK}: {rules} {REASON} REASON`")),
        }
    }

    /// What is wrong with a comment that lacks the mark; `None` if it is not meant to ignore anything.
    fn misspelt(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        text.split(NAME).skip(1).find_map(|rest| {
            let said = rest.trim_start_matches([' ', ':', '-', '_']);
            let is_end = |letter: char| !letter.is_ascii_alphabetic();
            let word = &said[..said.find(is_end).unwrap_or(said.len())];
            // Behind a space it may be prose: one that ignored, or ignores.
            let most = usize::from(!rest.starts_with(' '));
            let is_near = |meant: &&str| match meant.len() {
                ..5 => *meant == word,
                _ => strsim::osa_distance(meant, word) <= most,
            };
            let is_meant = MEANT.iter().any(is_near);
            is_meant.then(|| Self::new(&format!("it does not say `{MARK}`"), rest))
        })
    }
}

/// Reads what stands behind the mark.
fn parse(rest: &str, rules: &[&LintRule]) -> Result<Said, Invalid> {
    let all = rest;
    let lacks = |what: &str| Invalid::new(what, all);
    let Some(mut rest) = rest.strip_prefix(':') else {
        return Err(lacks("a colon is missing"));
    };
    let mut ignored = Vec::new();
    loop {
        rest = rest.trim_start();
        let is_end = |letter: char| letter.is_whitespace() || letter == ',';
        let (name, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        if name.is_empty() || name == REASON {
            return Err(lacks("no rule is named"));
        }
        let rule = find_rule(name).map_err(|error| Invalid {
            why: error.to_string(),
            help: None,
        })?;
        let is_run = rules.iter().any(|run| run.rule.id == rule.id);
        ignored.push(IgnoredRule {
            rule,
            is_idle: Cell::new(is_run),
        });
        if let Some(others) = after.trim_start().strip_prefix(',') {
            rest = others;
            continue;
        }
        let after = after.trim();
        let Some(reason) = after.strip_prefix(REASON).map(str::trim) else {
            return Err(lacks(if after.is_empty() {
                "the reason is missing"
            } else {
                "`--` is missing before the reason, or a comma before a rule"
            }));
        };
        if reason.is_empty() {
            return Err(lacks("the reason is missing"));
        }
        if reason.contains(MARK) {
            return Err(lacks("`seclint-ignore` stands there twice"));
        }
        return Ok(Said {
            rules: ignored,
            reason: reason.to_owned(),
        });
    }
}

/// Gives each context the comments that stand in what it is about.
pub(super) fn find(source: &Arc<Source>, contexts: &mut [Context<'_>], rules: &[&LintRule]) {
    for context in &mut *contexts {
        context.ignores = in_entries(context, rules);
        let elsewhere = elsewhere(context, rules);
        context.ignores.extend(elsewhere);
        if context.place.is_first_of_document {
            let ignores = in_json(context, rules);
            context.ignores.extend(ignores);
        }
    }
    let has = |name: &str| memmem::find(source.bytes(), name.as_bytes()).is_some();
    // Nearly no file has any.
    if Syntax::of(source) != Syntax::Yaml || !NAMES.into_iter().any(has) {
        return;
    }
    // In their order; what has no root begins where the file does.
    let starts = contexts.iter().map(|context| {
        let root = context.document.root();
        root.map_or(0, |root| root.span().start)
    });
    let starts: Vec<_> = starts.collect();
    // By the lines that they begin in, the lines that they end in.
    let mut strings: HashMap<u32, u32> = HashMap::new();
    for place in (contexts.iter()).filter_map(|context| context.document.string_place()) {
        let [begins, ends] = [place.start, place.end].map(|offset| source.position(offset).line);
        let last = strings.entry(begins).or_default();
        *last = ends.max(*last);
    }
    let mut comment_lines = 0..0;
    for comment in yaml::comments(source.bytes()) {
        let text = source.bytes().get(comment.range()).unwrap_or_default();
        let line = source.position(comment.start).line;
        let before = source.line(line).start..comment.start as usize;
        let is_alone = source
            .bytes()
            .get(before)
            .is_some_and(|it| it.trim_ascii().is_empty());
        let line = if is_alone {
            after_comments(source, line, &mut comment_lines)
        } else {
            line
        };
        let last = strings.get(&line).copied().unwrap_or(line);
        let scope = Scope::Lines(line..last + 1);
        let text = String::from_utf8_lossy(text);
        let Some(ignore) = Ignore::of(&text, Location::text(source, comment), scope, rules) else {
            continue;
        };
        // What it is about, or else what is next to it.
        let end = source.line(last).end as u32;
        let behind = starts.partition_point(|&start| start <= end);
        if let Some(context) = contexts.get_mut(behind.saturating_sub(1)) {
            context.ignores.push(ignore);
        }
    }
}

/// The comments of rule entries, which some dialects have.
fn in_entries(context: &Context<'_>, rules: &[&LintRule]) -> Vec<Ignore> {
    let is_heard = takes_comments(context);
    let profile = context.profile();
    let entries = profile.into_iter().flat_map(|profile| &profile.entries);
    let comments = entries.filter_map(|entry| Some((entry, entry.comment?)));
    let mut ignores = Vec::new();
    for (entry, comment) in comments {
        for line in comment.value.lines() {
            let scope = Scope::Within(entry.node.span());
            let ignore = Ignore::of(line, context.at(comment.node), scope, rules);
            ignores.extend(ignore.map(|mut ignore| {
                if !is_heard {
                    ignore.said = Err(Invalid {
                        why: "rule entries have no comments in this dialect".to_owned(),
                        help: Some(INSTEAD.to_owned()),
                    });
                }
                ignore
            }));
        }
    }
    ignores
}

/// What stands where no dialect has a comment.
fn elsewhere(context: &Context<'_>, rules: &[&LintRule]) -> Vec<Ignore> {
    let keys = context.mistakes().filter_map(|mistake| match *mistake {
        Mistake::UnknownField { key, known, .. } => {
            let is_entrys = known.iter().any(|it| Some(it.name) == key.as_str());
            (!is_entrys).then_some(key)
        }
        _ => None,
    });
    let ignores = keys.filter_map(|key| {
        let value = key.value()?;
        let scope = Scope::Within(value.span());
        let mut ignore = Ignore::of(value.as_str()?, context.at(value), scope, rules)?;
        ignore.said = Err(Invalid {
            why: "only rule entries have comments".to_owned(),
            help: Some(instead(context)),
        });
        Some(ignore)
    });
    ignores.collect()
}

/// What to do where a comment is not heard.
fn instead(context: &Context<'_>) -> String {
    if takes_comments(context) {
        format!(
            "write `\"comment\": \"{MARK}: RULE -- REASON\"` into the rule entry, or an `[[ignore]]` into seclint.toml"
        )
    } else {
        INSTEAD.to_owned()
    }
}

/// The comments that JSON does not have. Nobody reads them.
fn in_json(context: &Context<'_>, rules: &[&LintRule]) -> Vec<Ignore> {
    let comments = context.deviations();
    let comments = comments.filter(|it| it.kind == DeviationKind::Comment);
    let ignores = comments.filter_map(|comment| {
        let text = context.source.bytes().get(comment.span.range())?;
        let text = String::from_utf8_lossy(text);
        let location = Location::text(context.source, comment.span);
        let mut ignore = Ignore::of(&text, location, Scope::Within(comment.span), rules)?;
        ignore.said = Err(Invalid {
            why: "JSON has no comments".to_owned(),
            help: Some(instead(context)),
        });
        Some(ignore)
    });
    ignores.collect()
}

/// Whether rule entries may have a comment, in a dialect that the profile may be in.
fn takes_comments(context: &Context<'_>) -> bool {
    let profile = context.profile();
    profile.is_some_and(|it| !(it.dialects & Dialects::DOCKER.or(Dialects::PODMAN)).is_empty())
}

/// The first line after a comment that is neither blank nor a comment itself. `known` are lines that
/// were found to be so for an earlier one: there may be many in a row.
fn after_comments(source: &Source, line: u32, known: &mut Range<u32>) -> u32 {
    let is_comment = |line| {
        let range = source.line(line);
        let is_last = range.end >= source.bytes().len();
        let text = source.bytes().get(range).unwrap_or_default();
        match text.trim_ascii_start() {
            [] => !is_last,
            [first, ..] => *first == b'#',
        }
    };
    if !known.contains(&line) {
        let mut end = line + 1;
        while is_comment(end) {
            end += 1;
        }
        *known = line..end;
    }
    known.end
}

/// Says of findings which of them the comments are about.
pub(super) fn suppress(findings: &mut [Finding], contexts: &[Context<'_>]) {
    let ignores = || contexts.iter().flat_map(|context| &context.ignores);
    if findings.is_empty() || ignores().next().is_none() {
        return;
    }
    for finding in findings {
        let Some(span) = finding.location.span else {
            continue;
        };
        let begins = finding.location.source.position(span.start).line;
        let place = (span, begins);
        finding.suppression = ignores().find_map(|ignore| ignore.suppression(finding, place));
    }
}

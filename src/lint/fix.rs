//! Making the fixes that findings have.
//!
//! All that go together are made at once, and what comes out is linted again. Should it read otherwise
//! in a place that no fix touches, keep a finding that was to be settled, or have one that was not
//! there, half of them are tried, and so on, until those are known that have to be held back. That is
//! done again with what came of it, until nothing changes any more.
//!
//! A safe fix leaves the filter as it is, or there was none: what is found after it and not before was
//! there and could not be seen, behind the mistake that is corrected now. After an unsafe one nothing
//! may be found that was not before.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Linted;
use super::findings::MORE;
use crate::finding::{Applicability, Finding, Fix, identity};
use crate::profile;
use crate::text::{self, Source, Span};

/// How often fixes are made of what a fix has brought.
const MOST_ROUNDS: usize = 20;
/// How often a file is linted at most, and how many bytes are for all that, so that long files take
/// no longer.
const MOST_TRIALS: usize = 400;
const MOST_BYTES: usize = 8 << 20;
/// How often it is even if it is long.
const LEAST_TRIALS: usize = 4;

/// What came of making fixes.
#[derive(Debug)]
pub struct Fixed {
    /// What was found before.
    pub before: Linted,
    /// What is left, of the new text; `None` if no fix was made.
    pub after: Option<Linted>,
    /// How many findings were settled.
    pub count: usize,
    /// What was not made of what was asked for.
    pub held_back: Vec<HeldBack>,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The rule of its finding.
    pub rule: &'static str,
    /// Why it was not.
    pub why: Why,
}

/// Why a fix was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There would be findings of this rule that there are not now.
    Brings(&'static str),
    /// Its finding would still be there.
    Stays,
    /// What it does not touch would read otherwise.
    Spoils,
    /// There is too much to try.
    Untried,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Brings(rule) => write!(f, "would bring a finding of {rule}"),
            Why::Stays => f.write_str("would not settle its finding"),
            Why::Spoils => f.write_str("would change what stands beside it"),
            Why::Untried => f.write_str("was not tried, after many others: run seclint again"),
        }
    }
}

/// Makes the fixes of what `lint` finds, and found in a source: the safe ones, or with
/// [`Applicability::Unsafe`] all. Findings that are suppressed keep theirs.
pub fn fix(
    before: Linted,
    applicability: Applicability,
    lint: impl Fn(&Arc<Source>) -> Linted,
) -> Fixed {
    let source = Arc::clone(&before.source);
    let trials = MOST_BYTES / source.bytes().len().max(1);
    let fixer = Fixer {
        lint,
        trials: Cell::new(trials.clamp(LEAST_TRIALS, MOST_TRIALS)),
    };
    let mut count = 0;
    let mut after: Option<Linted> = None;
    let held_back = loop {
        let now = after.as_ref().unwrap_or(&before);
        let mut pass = fixer.pass(now, Applicability::Safe);
        // What is unsafe comes last: of what is safe already the least is held back.
        if pass.made.is_none() && applicability == Applicability::Unsafe {
            let Pass { made, held_back } = fixer.pass(now, Applicability::Unsafe);
            pass.made = made;
            pass.held_back.extend(held_back);
        }
        let Some((linted, settled)) = pass.made else {
            break pass.held_back;
        };
        count += settled;
        after = Some(linted);
    };
    let after = after.filter(|after| after.source.bytes() != source.bytes());
    Fixed {
        count: if after.is_some() { count } else { 0 },
        before,
        after,
        held_back,
    }
}

struct Fixer<L> {
    lint: L,
    /// How often it may still be linted.
    trials: Cell<usize>,
}

/// A text that was linted, and how many findings it has been rid of.
type Made = (Linted, usize);

/// What came of the fixes of one text.
struct Pass {
    /// `None` if none could be made.
    made: Option<Made>,
    held_back: Vec<HeldBack>,
}

impl<L: Fn(&Arc<Source>) -> Linted> Fixer<L> {
    /// Makes as many fixes of one kind as can be made together.
    fn pass(&self, base: &Linted, applicability: Applicability) -> Pass {
        let fixes: Vec<_> = fixes(&base.findings)
            .filter(|(_, fix)| fix.applicability == applicability)
            .collect();
        let mut pass = Pass {
            made: None,
            held_back: Vec::new(),
        };
        let mut taken: Vec<usize> = Vec::new();
        // The last is tried next, so that they are in their order.
        let mut groups: Vec<Range<usize>> = Vec::new();
        groups.extend((!fixes.is_empty()).then_some(0..fixes.len()));
        while let Some(group) = groups.pop() {
            let tried: Vec<_> = taken.iter().copied().chain(group.clone()).collect();
            let edits = apart(
                tried
                    .iter()
                    .filter_map(|&number| fixes.get(number).copied()),
            );
            match self.attempt(base, edits, applicability) {
                Ok(made) => {
                    pass.made = Some(made);
                    taken = tried;
                }
                Err(why) if group.len() == 1 || why == Why::Untried => {
                    let of = fixes.get(group).unwrap_or_default().iter();
                    let of = of.map(|(finding, _)| finding.rule.id);
                    let why = |rule| HeldBack {
                        rule,
                        why: why.clone(),
                    };
                    pass.held_back.extend(of.map(why));
                }
                Err(_) => {
                    let middle = group.start + group.len() / 2;
                    groups.extend([middle..group.end, group.start..middle]);
                }
            }
        }
        pass
    }

    /// What comes of some fixes, if nothing is wrong with it.
    fn attempt(
        &self,
        base: &Linted,
        (findings, edits): (Vec<&Finding>, Edits<'_>),
        applicability: Applicability,
    ) -> Result<Made, Why> {
        if edits.is_empty() {
            return Err(Why::Spoils);
        }
        let about = About::new(&base.findings);
        let mut settled: Vec<_> = findings.into_iter().map(|it| about.key(it)).collect();
        let mut made = self.made(&base.source, &edits)?;
        if applicability == Applicability::Unsafe {
            // A name that is no longer misspelt may stand there twice, which has a fix as well.
            for _ in 0..MOST_ROUNDS {
                let new = about.compare(&base.findings, &made.findings, &[]);
                let (findings, edits) = apart(fixes(new));
                if edits.is_empty() {
                    break;
                }
                let next = self.made(&made.source, &edits)?;
                settled.extend(findings.into_iter().map(|it| about.key(it)));
                made = next;
            }
        }
        about.judge(base, &made, &settled, applicability)?;
        Ok((made, settled.len()))
    }

    /// The text with edits made, linted.
    fn made(&self, source: &Arc<Source>, edits: &Edits<'_>) -> Result<Linted, Why> {
        let trials = self.trials.get().checked_sub(1).ok_or(Why::Untried)?;
        self.trials.set(trials);
        let next = apply(source, edits).ok_or(Why::Spoils)?;
        Ok((self.lint)(&next))
    }
}

/// The fixes of findings that are reported.
fn fixes<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
) -> impl Iterator<Item = (&'f Finding, &'f Fix)> {
    let open = findings.into_iter().filter(|it| it.suppression.is_none());
    let fixes = open.filter_map(|finding| Some((finding, finding.fix.as_ref()?)));
    fixes.filter(|(_, fix)| !fix.edits.is_empty())
}

type Edits<'f> = Vec<(Span, &'f str)>;

/// The fixes that can be made at the same time, and their edits in order: of those that touch the
/// same text the first.
fn apart<'f>(fixes: impl Iterator<Item = (&'f Finding, &'f Fix)>) -> (Vec<&'f Finding>, Edits<'f>) {
    let mut fixes: Vec<_> = fixes.collect();
    fixes.sort_by_key(|(_, fix)| fix.edits.iter().map(|edit| edit.span).min());
    let mut findings = Vec::new();
    // By where they start, since no two start in one place.
    let mut all: BTreeMap<u32, (Span, &str)> = BTreeMap::new();
    for (finding, fix) in fixes {
        let mut added = Vec::new();
        let fits = fix.edits.iter().all(|edit| {
            let (span, text) = (edit.span, edit.text.as_str());
            let before = all.range(..=span.start).next_back();
            let after = all.range(span.start..).next();
            let is_clear = before
                .is_none_or(|(&start, (it, _))| start != span.start && it.end <= span.start)
                && after.is_none_or(|(&start, _)| start >= span.end);
            if is_clear {
                all.insert(span.start, (span, text));
                added.push(span.start);
            }
            is_clear
        });
        if fits {
            findings.push(finding);
        } else {
            for start in added {
                all.remove(&start);
            }
        }
    }
    (findings, all.into_values().collect())
}

/// The text with edits made; `None` if it then reads otherwise where none was made.
fn apply(source: &Arc<Source>, edits: &Edits<'_>) -> Option<Arc<Source>> {
    let bytes = text::edited(source.bytes(), edits);
    let next = Arc::new(Source::new(source.name(), bytes));
    let documents = |source| profile::unfold(source, text::read(source));
    text::reads_alike(&documents(source), &documents(&next), edits).then_some(next)
}

/// What a finding is, wherever it stands: a fix may move others, and give their keys other names.
type Key = (&'static str, Vec<String>);

/// How findings are told from each other.
struct About {
    /// The rules that have more findings than are shown: of theirs nobody can say which is new.
    cut: HashSet<&'static str>,
}

impl About {
    fn new(findings: &[Finding]) -> Self {
        let cut = findings.iter().filter(|it| it.facts.contains_key(MORE));
        Self {
            cut: cut.map(|finding| finding.rule.id).collect(),
        }
    }

    fn key(&self, finding: &Finding) -> Key {
        let rule = finding.rule.id;
        if self.cut.contains(rule) {
            return (rule, Vec::new());
        }
        (rule, identity(None, &finding.facts))
    }

    /// Those that there were not before, where `settled` are gone.
    fn compare<'f>(
        &self,
        before: &[Finding],
        after: &'f [Finding],
        settled: &[Key],
    ) -> Vec<&'f Finding> {
        let mut counts: HashMap<Key, usize> = HashMap::new();
        for finding in before {
            *counts.entry(self.key(finding)).or_default() += 1;
        }
        // What fixes have made, and settled, is in neither; of what is cut others move up.
        for key in settled.iter().filter(|key| !self.cut.contains(key.0)) {
            if let Some(count) = counts.get_mut(key) {
                *count = count.saturating_sub(1);
            }
        }
        let is_new = |finding: &&Finding| match counts.get_mut(&self.key(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        after.iter().filter(is_new).collect()
    }

    fn judge(
        &self,
        before: &Linted,
        after: &Linted,
        settled: &[Key],
        applicability: Applicability,
    ) -> Result<(), Why> {
        if after.profiles < before.profiles {
            return Err(Why::Spoils);
        }
        let new = self.compare(&before.findings, &after.findings, settled);
        if new.iter().any(|it| settled.contains(&self.key(it))) {
            return Err(Why::Stays);
        }
        match new.first() {
            Some(first) if applicability == Applicability::Unsafe => {
                Err(Why::Brings(first.rule.id))
            }
            _ => Ok(()),
        }
    }
}

//! Making the fixes that findings have.
//!
//! All that go together are made at once, again and again until none is left. Should what comes out
//! read otherwise in a place that none of them touches, keep a finding that it was to settle, or have
//! one that was not there, they are made one by one, and those that do so are held back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::Linted;
use crate::finding::{Applicability, Finding, Fix, identity};
use crate::profile;
use crate::text::{self, Source, Span};

/// How often fixes are made of what fixes have made.
const MOST_ROUNDS: usize = 20;
/// How many are tried one by one.
const MOST_TRIALS: usize = 200;
/// How many bytes are linted for all that, so that long files take no longer.
const MOST_BYTES: usize = 8 << 20;

/// What came of making fixes.
#[derive(Debug)]
pub struct Fixed {
    /// What was found before.
    pub before: Linted,
    /// What is left, of the new text; `None` if no fix was made.
    pub after: Option<Linted>,
    /// How many findings were settled.
    pub count: usize,
}

/// Makes the fixes of what `lint` finds in a source: the safe ones, or with [`Applicability::Unsafe`]
/// all. Findings that are suppressed keep theirs.
pub fn fix(
    source: &Arc<Source>,
    applicability: Applicability,
    lint: impl Fn(&Arc<Source>) -> Linted,
) -> Fixed {
    let fixer = Fixer {
        applicability,
        lint,
    };
    let before = (fixer.lint)(source);
    let made = fixer.together(&before);
    let (after, count) = made.unwrap_or_else(|| fixer.one_by_one(&before));
    let is_changed = after.source.bytes() != source.bytes();
    let (after, count) = if is_changed {
        (Some(after), count)
    } else {
        (None, 0)
    };
    Fixed {
        before,
        after,
        count,
    }
}

struct Fixer<L> {
    applicability: Applicability,
    lint: L,
}

/// A text that was linted, and how many findings it has been rid of.
type Made = (Linted, usize);

impl<L: Fn(&Arc<Source>) -> Linted> Fixer<L> {
    fn fixes<'f>(&self, linted: &'f Linted) -> impl Iterator<Item = (&'f Finding, &'f Fix)> {
        let applicability = self.applicability;
        let open = linted.findings.iter().filter(|it| it.suppression.is_none());
        let fixes = open.filter_map(|finding| Some((finding, finding.fix.as_ref()?)));
        fixes.filter(move |(_, fix)| {
            let is_wanted =
                fix.applicability == Applicability::Safe || applicability == Applicability::Unsafe;
            is_wanted && !fix.edits.is_empty()
        })
    }

    /// All at once; `None` if something is wrong with what comes of it.
    fn together(&self, before: &Linted) -> Option<Made> {
        let mut settled = Vec::new();
        let mut last: Option<Linted> = None;
        for _ in 0..rounds(&before.source, MOST_ROUNDS) {
            let now = last.as_ref().unwrap_or(before);
            let (findings, edits) = apart(self.fixes(now));
            if edits.is_empty() {
                let count = settled.len();
                let linted = last.unwrap_or_else(|| copy(before));
                return is_better(&before.findings, &linted.findings, &settled)
                    .then_some((linted, count));
            }
            let next = apply(&now.source, &edits)?;
            settled.extend(findings.into_iter().map(key));
            last = Some((self.lint)(&next));
        }
        None
    }

    fn one_by_one(&self, before: &Linted) -> Made {
        let mut now = copy(before);
        let mut count = 0;
        let mut held_back = HashSet::new();
        for _ in 0..rounds(&before.source, MOST_TRIALS) {
            let name = |finding: &Finding| (key(finding), finding.location.pointer.clone());
            let found = self
                .fixes(&now)
                .find(|(it, _)| !held_back.contains(&name(it)));
            let Some((finding, fix)) = found else {
                break;
            };
            let tried = name(finding);
            let (_, edits) = apart(std::iter::once((finding, fix)));
            let next = apply(&now.source, &edits).map(|next| (self.lint)(&next));
            let settled = std::slice::from_ref(&tried.0);
            match next.filter(|next| is_better(&now.findings, &next.findings, settled)) {
                Some(next) => {
                    now = next;
                    count += 1;
                }
                None => {
                    held_back.insert(tried);
                }
            }
        }
        (now, count)
    }
}

/// How often a source is linted, at `most`.
fn rounds(source: &Source, most: usize) -> usize {
    (MOST_BYTES / source.bytes().len().max(1)).clamp(2, most)
}

fn copy(linted: &Linted) -> Linted {
    Linted {
        source: Arc::clone(&linted.source),
        profiles: linted.profiles,
        findings: linted.findings.clone(),
    }
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

/// What a finding is, wherever it stands.
type Key = (&'static str, Vec<String>);

fn key(finding: &Finding) -> Key {
    let pointer = finding.location.pointer.as_deref();
    (finding.rule.id, identity(pointer, &finding.facts))
}

/// Whether nothing is found that was not found before, or that was to be settled.
fn is_better(before: &[Finding], after: &[Finding], settled: &[Key]) -> bool {
    let mut counts: HashMap<Key, usize> = HashMap::new();
    for finding in before {
        *counts.entry(key(finding)).or_default() += 1;
    }
    // What fixes have made, and settled, is in neither.
    for key in settled {
        if let Some(count) = counts.get_mut(key) {
            *count = count.saturating_sub(1);
        }
    }
    after
        .iter()
        .all(|finding| match counts.get_mut(&key(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        })
}

//! What rules find in one source.

use super::partial;
use crate::finding::{Finding, Rule};
use crate::text::Document;

/// How many findings of one rule a source can have. A file that is made to
/// break every rule everywhere must not take the machine's memory.
const MOST: usize = 500;

/// The fact that says how many findings of a rule are not shown.
pub(super) const MORE: &str = "more";

/// The findings of one source, rule after rule.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// Where those of the rule at work begin.
    start: usize,
    /// How many of them were left out.
    left_out: usize,
}

impl Findings {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Those from `start` on.
    pub(super) fn from(&mut self, start: usize) -> &mut [Finding] {
        self.list.get_mut(start..).unwrap_or_default()
    }

    /// Drops those from `start` on that are none after all.
    pub(super) fn retain_from(
        &mut self,
        start: usize,
        mut is_one: impl FnMut(&mut Finding) -> bool,
    ) {
        if start >= self.list.len() {
            return;
        }
        let mut made = self.list.split_off(start);
        made.retain_mut(|finding| is_one(finding));
        self.list.append(&mut made);
    }

    /// Makes the findings from `start` on fit the document that they are about.
    /// `has_several`: the file has more than one.
    pub(super) fn settle(&mut self, start: usize, document: &Document<'_>, has_several: bool) {
        if !partial::is_whole(document) {
            let last_word = document.last_word();
            let made = self.list.split_off(start);
            let stands = made
                .into_iter()
                .filter(|made| partial::holds(made, document, last_word));
            self.list.extend(stands);
        }
        for finding in self.list.iter_mut().skip(start) {
            if has_several {
                let index = document.index().into();
                finding.facts.insert("document".to_owned(), index);
            }
            finding.fix.take_if(|fix| {
                let edits = fix.edits.iter();
                let mut fits = edits.map(|edit| document.takes_edit(edit.span, &edit.text));
                !fits.all(|fits| fits)
            });
        }
    }

    /// Whether a further finding of this rule would be kept. For rules whose
    /// findings cost much.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.list.len() - self.start < MOST
    }

    /// Adds a finding, or counts it if there are too many already.
    pub fn push(&mut self, finding: Finding) {
        if self.has_room() {
            self.list.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Counts a finding that there is no room for, and that was not made.
    pub fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// Ends a rule: says how many of its findings were left out.
    pub(super) fn end_rule(&mut self, rule: &'static Rule) {
        if let Some(last) = self.list.last().filter(|_| self.left_out > 0) {
            let message = format!("{} more findings of this rule are left out", self.left_out);
            let finding = Finding::new(rule, last.location.clone(), message);
            let finding = finding.fact(MORE, self.left_out);
            self.list
                .push(finding.help("correct those that are shown, and check again"));
        }
        self.left_out = 0;
        self.start = self.list.len();
    }

    /// All of them, in the order of the source, then by rule.
    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        // Stable: what says that more were left out comes last at its place.
        self.list
            .sort_by_key(|finding| (finding.location.span, finding.rule.id));
        // What an alias repeats is wrong in one place.
        let place = |it: &Finding| (it.location.span, it.rule.id);
        let mut kept: Vec<Finding> = Vec::with_capacity(self.list.len());
        for finding in self.list {
            let mut here = (kept.iter().rev()).take_while(|it| place(it) == place(&finding));
            let is_again = here.any(|it| it.message == finding.message);
            if finding.location.span.is_none() || !is_again {
                kept.push(finding);
            }
        }
        kept
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

//! What can be said of a document of which not all is known: a template before it
//! is filled in, or what was read before a mistake in the YAML.

use crate::finding::Finding;
use crate::text::Document;

/// The rules about one word or number as it stands. What the others find may look
/// otherwise once the directives have written what they write, or left out what
/// stands between them, and once the mistake is corrected.
const ABOUT_WORDS: [&str; 21] = [
    "base-profile-unseen",
    "empty-syscall-name",
    "errno-out-of-range",
    "errno-zero",
    "field-case-mismatch",
    "invalid-min-kernel",
    "kill-thread-action",
    "nonexistent-syscall",
    "number-out-of-range",
    "syscall-alias",
    "syscall-newer-than-target",
    "syscall-not-on-arch",
    "trace-without-tracer",
    "unknown-action",
    "unknown-architecture",
    "unknown-capability",
    "unknown-field",
    "unknown-flag",
    "unknown-operator",
    "unknown-syscall",
    "yaml-syntax",
];

/// Whether all of a document was read as it will be.
pub(super) fn is_whole(document: &Document<'_>) -> bool {
    document.blanks().is_empty() && document.why_broken().is_none()
}

/// Whether a finding is true of a document that is not whole, whatever becomes of it.
/// `last_word` is [`Document::last_word`].
pub(super) fn holds(finding: &Finding, document: &Document<'_>, last_word: Option<u32>) -> bool {
    if finding.rule.id == "yaml-syntax" {
        return true;
    }
    let touches = finding.location.span.is_none_or(|span| {
        let blanks = document.blanks().iter();
        let mut near = blanks.filter(|blank| blank.start <= span.end && span.start <= blank.end);
        let is_cut = last_word.is_some_and(|last| last < span.end);
        near.next().is_some() || is_cut
    });
    !touches && ABOUT_WORDS.contains(&finding.rule.id)
}

#[cfg(test)]
mod tests {
    use super::ABOUT_WORDS;
    use crate::lint::lint_rules;

    /// A rule that was renamed would say nothing of such documents any more.
    #[test]
    fn the_rules_about_words_are_rules() {
        let is_rule = |id: &&&str| lint_rules().iter().any(|rule| rule.rule.id == **id);
        let unknown: Vec<_> = ABOUT_WORDS.iter().filter(|id| !is_rule(id)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

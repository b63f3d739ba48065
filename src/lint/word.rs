//! Words that a format has a short list of.

/// A word that is not in the list, for a message: "the flag `LOG`".
pub(super) fn unlisted(what: &str, written: &str) -> String {
    if written.is_empty() {
        format!("an empty {what}")
    } else {
        format!("the {what} `{written}`")
    }
}

/// The one candidate that is nearest to `written`, if it is no more than `limit`
/// edits away (a character inserted, left out, replaced, or swapped with its
/// neighbour) and no other is as near.
pub(super) fn nearest(
    candidates: impl IntoIterator<Item = &'static str>,
    written: &str,
    limit: usize,
) -> Option<&'static str> {
    let mut best = None;
    let mut is_alone = true;
    for candidate in candidates {
        let distance = strsim::osa_distance(candidate, written);
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, _)) if distance == least => is_alone = false,
            _ => (best, is_alone) = (Some((distance, candidate)), true),
        }
    }
    let (distance, candidate) = best?;
    (is_alone && distance <= limit).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    /// Of two that are as near, either may be wrong.
    #[test]
    fn a_tie_gives_no_answer() {
        assert_eq!(nearest(["NE", "EQ", "LT"], "NQ", 2), None);
        assert_eq!(nearest(["NE", "EQ", "LT"], "LTT", 2), Some("LT"));
        assert_eq!(nearest(["NE", "EQ", "LT"], "XXXX", 2), None);
    }
}

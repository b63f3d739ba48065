//! Edits of a file: what it is with them, and whether all else in it still reads as it did.

use std::collections::HashMap;

use super::{Document, Kind, NodeData, Span};

/// Bytes with replacements made, which are in order and do not overlap.
#[must_use]
pub fn edited(bytes: &[u8], edits: &[(Span, &str)]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for (span, new) in edits {
        text.extend_from_slice(bytes.get(at..span.start as usize).unwrap_or_default());
        text.extend_from_slice(new.as_bytes());
        at = span.end as usize;
    }
    text.extend_from_slice(bytes.get(at..).unwrap_or_default());
    text
}

/// Whether documents are what others were before some edits, apart from those: every value and key
/// that no edit touches is there as it was, in the same place of the same tree, and nothing is wrong
/// with the text that was not wrong before.
#[must_use]
pub fn reads_alike(
    before: &[Document<'_>],
    after: &[Document<'_>],
    edits: &[(Span, &str)],
) -> bool {
    let mut made = Vec::with_capacity(edits.len());
    let mut moved = 0_i64;
    for (span, new) in edits {
        let start = i64::from(span.start) + moved;
        // A document is never as long as a number can be: MAX_BYTES.
        let length = i64::from(new.len() as u32);
        moved += length - i64::from(span.len());
        let end = start + length;
        made.push((start, end));
    }
    let replaced: Vec<_> = (edits.iter())
        .map(|(span, _)| (i64::from(span.start), i64::from(span.end)))
        .collect();
    let shift = |at: i64| {
        let number = replaced.partition_point(|(_, end)| *end <= at);
        let last = number.checked_sub(1);
        last.map_or(at, |last| at - replaced[last].1 + made[last].1)
    };
    before.len() == after.len()
        && before.iter().zip(after).all(|(before, after)| {
            let old = untouched(before, &replaced);
            let new = untouched(after, &made);
            before.is_embedded() == after.is_embedded()
                && before.why_broken().is_some() == after.why_broken().is_some()
                && old
                    .map(|(at, depth, kind)| (shift(at), depth, kind))
                    .eq(new)
                && is_no_worse(before, after)
        })
}

/// Start, depth and kind of all nodes that no edit touches.
fn untouched<'d>(
    document: &'d Document<'_>,
    edits: &'d [(i64, i64)],
) -> impl Iterator<Item = (i64, usize, &'d Kind<'d>)> {
    let mut open: Vec<u32> = Vec::new();
    let nodes = (0_u32..).zip(&document.nodes);
    nodes.filter_map(move |(index, node)| {
        while open.last().is_some_and(|next| *next <= index) {
            open.pop();
        }
        let depth = open.len();
        open.push(node.next);
        (!is_touched(node, edits)).then_some((i64::from(node.span.start), depth, &node.kind))
    })
}

fn is_touched(node: &NodeData<'_>, edits: &[(i64, i64)]) -> bool {
    let (start, end) = (i64::from(node.span.start), i64::from(node.span.end));
    let is_container = matches!(node.kind, Kind::Object | Kind::Array);
    let end = if is_container { start } else { end };
    let first = edits.partition_point(|edit| edit.1 < start);
    let edit = edits.get(first);
    edit.is_some_and(|edit| edit.0 <= end)
}

fn is_no_worse(before: &Document<'_>, after: &Document<'_>) -> bool {
    let mut counts: HashMap<_, usize> = HashMap::new();
    for deviation in before.deviations() {
        *counts
            .entry(std::mem::discriminant(&deviation.kind))
            .or_default() += 1;
    }
    after.deviations().iter().all(|deviation| {
        let count = counts.get_mut(&std::mem::discriminant(&deviation.kind));
        let left = count.and_then(|count| Some((count.checked_sub(1)?, count)));
        left.map(|(left, count)| *count = left).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::{edited, reads_alike};
    use crate::text::{Document, Source, Span, read};

    fn alike(name: &str, text: &str, old: &str, new: &str) -> bool {
        let start = text.find(old).unwrap() as u32;
        let edits = [(Span::new(start, start + old.len() as u32), new)];
        let changed = edited(text.as_bytes(), &edits);
        let [before, after] =
            [text.as_bytes().to_vec(), changed].map(|bytes| Source::new(name, bytes));
        let documents = |source: &'static Source| -> Vec<Document<'static>> { read(source) };
        let [before, after] = [before, after].map(|source| &*Box::leak(Box::new(source)));
        reads_alike(&documents(before), &documents(after), &edits)
    }

    /// An edit that changes what stands beside it corrupts a file without a word.
    #[test]
    fn what_an_edit_does_not_touch_stays() {
        let json = r#"{"a": ["b", "c", "d"], "e": {"f": 1}}"#;
        let yaml = "a:\n- b\n- c d\ne: {f: 'g', h: [i, j]}\n";
        for (name, text, old, new, expected) in [
            ("x.json", json, "b", "bb", true),
            ("x.json", json, "\"b\", ", "", true),
            ("x.json", json, ", \"d\"", "", true),
            ("x.json", json, "\"b\"", "", false),
            ("x.json", json, "b", "b\", \"", false),
            ("x.json", json, "]", "", false),
            ("x.json", json, "c\"", "c", false),
            ("x.json", json, "{\"f\"", "[{\"f\"", false),
            ("x.yaml", yaml, "c d", "c e", true),
            ("x.yaml", yaml, "c d", "c: d", false),
            ("x.yaml", yaml, "'g'", "'", false),
            ("x.yaml", yaml, ", j", "", true),
            ("x.yaml", yaml, "- b", "- b #", true),
            ("x.yaml", yaml, "e: ", "  e: ", false),
        ] {
            assert_eq!(
                alike(name, text, old, new),
                expected,
                "{old} -> {new} in {text}"
            );
        }
    }
}

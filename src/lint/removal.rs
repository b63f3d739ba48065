//! What to take out of a text so that a value, or a comment, is gone and the rest reads as it did.

use std::ops::Range;

use crate::text::{Node, Source, Span};

/// The bytes of an object's member, with a comma beside it; in a block of YAML its lines. `None` if
/// more than a comma and white space would go with it.
pub(super) fn of_member(source: &Source, object: Node<'_>, value: Node<'_>) -> Option<Span> {
    let members = object.members().map(|(key, value)| {
        let span = Span::new(key.span().start, value.span().end);
        (span, value)
    });
    of_item(source, object, members, value)
}

/// The same of an array's element.
pub(super) fn of_element(source: &Source, array: Node<'_>, element: Node<'_>) -> Option<Span> {
    let elements = array.elements().map(|element| (element.span(), element));
    of_item(source, array, elements, element)
}

fn of_item<'d>(
    source: &Source,
    container: Node<'_>,
    items: impl Iterator<Item = (Span, Node<'d>)>,
    wanted: Node<'d>,
) -> Option<Span> {
    let mut before: Option<Span> = None;
    let mut items = items.skip_while(|&(span, item)| {
        let is_other = item != wanted;
        if is_other {
            before = Some(span);
        }
        is_other
    });
    let (span, item) = items.next()?;
    let after = items.next();
    let Span { start, end } = container.span();
    let opening = source.bytes().get(start as usize);
    if !opening.is_some_and(|byte| b"[{".contains(byte)) {
        // What a block begins with says how far it is indented.
        before?;
        return of_lines(source, span, item);
    }
    let inner = Span::new(start + 1, end - 1);
    let (gap, removed) = match (before, after) {
        (Some(before), _) => (
            Span::new(before.end, span.start),
            Span::new(before.end, span.end),
        ),
        (None, Some((after, _))) => (
            Span::new(span.end, after.start),
            Span::new(span.start, after.start),
        ),
        (None, None) => {
            let [before, after] = [inner.start..span.start, span.end..inner.end];
            return (is_blank(source, before) && is_blank(source, after)).then_some(inner);
        }
    };
    let gap = source.bytes().get(gap.range())?.trim_ascii();
    (gap == b",").then_some(removed)
}

/// The line of a word in a block of YAML, or of a key and its word, if there is nothing else.
fn of_lines(source: &Source, span: Span, item: Node<'_>) -> Option<Span> {
    let lines = lines(source, span);
    let before = source
        .bytes()
        .get(lines.start as usize..span.start as usize)?;
    let is_element = item.span().start == span.start;
    let lead: &[u8] = if is_element { b"-" } else { b"" };
    let is_alone = before.trim_ascii() == lead && is_blank(source, span.end..lines.end);
    let is_word = item.as_str().is_some() || item.as_number().is_some();
    (is_alone && is_word).then_some(lines)
}

/// What to write in the place of a comment in JSON, and where: with it goes its line if it stands
/// there alone, and the space before it at a line's end.
pub(super) fn of_comment(source: &Source, comment: Span) -> (Span, &'static str) {
    let lines = lines(source, comment);
    if !is_blank(source, comment.end..lines.end) {
        // It may be all that keeps two words apart.
        return (comment, " ");
    }
    let bytes = source.bytes();
    let before = lines.start as usize..comment.start as usize;
    let kept = bytes.get(before).unwrap_or_default().trim_ascii_end();
    if kept.is_empty() {
        return (lines, "");
    }
    let rest = comment.end as usize..lines.end as usize;
    let rest = bytes.get(rest).unwrap_or_default();
    let spaces = rest.iter().take_while(|byte| b" \t".contains(byte));
    let end = comment.end + spaces.count() as u32;
    (Span::new(lines.start + kept.len() as u32, end), "")
}

/// The lines that a span is in, with the line feed of the last.
fn lines(source: &Source, span: Span) -> Span {
    let of = |offset| source.line(source.position(offset).line);
    let end = of(span.end).end + 1;
    Span::new(
        of(span.start).start as u32,
        end.min(source.bytes().len()) as u32,
    )
}

fn is_blank(source: &Source, range: Range<u32>) -> bool {
    let bytes = source.bytes().get(range.start as usize..range.end as usize);
    bytes.is_some_and(|bytes| bytes.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::{of_comment, of_element, of_member};
    use crate::text::{Source, Span, json, yaml};

    /// A fix that leaves a comma behind, or takes a comment along, breaks the file.
    #[test]
    fn what_is_left_is_json() {
        let text = r#"{"a": 1, "b": [2, 3 , 4], "c": 5 /* six */, "d": 7}"#;
        let source = Source::new("x".to_owned(), text.as_bytes().to_vec());
        let document = json::parse(source.bytes());
        let root = document.root().unwrap();
        let without = |span: Option<Span>| {
            let range = span?.range();
            Some(format!("{}{}", &text[..range.start], &text[range.end..]))
        };
        let member = |key| without(of_member(&source, root, root.get(key).unwrap()));
        assert!(member("a").unwrap().starts_with(r#"{"b": [2"#));
        assert!(member("b").unwrap().starts_with(r#"{"a": 1, "c""#));
        assert_eq!(member("d"), None);
        let list = root.get("b").unwrap();
        let element = |index| {
            let element = list.elements().nth(index).unwrap();
            without(of_element(&source, list, element)).unwrap()
        };
        assert!(element(0).contains("[3 , 4]"));
        assert!(element(1).contains("[2 , 4]"));
        assert_eq!(of_element(&source, list, root), None);
    }
    /// A fix that leaves blank lines, or spaces at their ends, is one that a person tidies up after.
    #[test]
    fn nothing_is_left_of_what_stood_alone() {
        let text = "{\n  \"a\": [\n    1\n  ],\r\n  // one\n  \"b\": 2,  // two \n/* three\n */\r\n  \"c\": /**/4 }";
        let source = Source::new("x".to_owned(), text.as_bytes().to_vec());
        let document = json::parse(source.bytes());
        let list = document.root().unwrap().get("a").unwrap();
        let one = of_element(&source, list, list.elements().next().unwrap()).unwrap();
        let mut left = text.to_owned();
        for deviation in document.deviations().iter().rev() {
            let (span, new) = of_comment(&source, deviation.span);
            left.replace_range(span.range(), new);
        }
        left.replace_range(one.range(), "");
        assert_eq!(left, "{\n  \"a\": [],\r\n  \"b\": 2,\n  \"c\":  4 }");
    }

    /// A fix that takes more than a line along, or the first one, which says how far a block is
    /// indented, breaks a manifest.
    #[test]
    fn a_block_of_yaml_loses_whole_lines() {
        let text = "a:\n- b\n# of c\n- c\n- d # why\n- - e\n- f:\n    g\nh: 1\ni: [j, k]";
        let source = Source::new("x".to_owned(), text.as_bytes().to_vec());
        let documents = yaml::parse(source.bytes());
        let root = documents[0].root().unwrap();
        let list = root.get("a").unwrap();
        let removed = |span: Option<Span>| span.map(|span| &text[span.range()]);
        let of_list = list
            .elements()
            .map(|it| removed(of_element(&source, list, it)));
        assert_eq!(
            of_list.collect::<Vec<_>>(),
            [None, Some("- c\n"), None, None, None]
        );
        let member = |key| removed(of_member(&source, root, root.get(key).unwrap()));
        assert_eq!(member("h"), Some("h: 1\n"));
        assert_eq!((member("a"), member("i")), (None, None));
    }
}

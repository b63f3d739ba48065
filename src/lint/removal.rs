//! What to take out of a text so that a value is gone and the rest is still JSON.

use crate::text::{Node, Source, Span};

/// The bytes of an object's member, with a comma beside it; `None` if more than a comma and white
/// space would go with it.
pub(super) fn of_member(source: &Source, object: Node<'_>, value: Node<'_>) -> Option<Span> {
    let members = object.members().map(|(key, value)| {
        let span = Span::new(key.span().start, value.span().end);
        (span, value)
    });
    of_item(source, members, value, object.span().end - 1)
}

/// The same of an array's element.
pub(super) fn of_element(source: &Source, array: Node<'_>, element: Node<'_>) -> Option<Span> {
    let elements = array.elements().map(|element| (element.span(), element));
    of_item(source, elements, element, array.span().end - 1)
}

/// `end` is where the container's closing bracket stands.
fn of_item<'d>(
    source: &Source,
    items: impl Iterator<Item = (Span, Node<'d>)>,
    wanted: Node<'d>,
    end: u32,
) -> Option<Span> {
    let mut before: Option<Span> = None;
    let mut items = items.skip_while(|&(span, item)| {
        let is_other = item != wanted;
        if is_other {
            before = Some(span);
        }
        is_other
    });
    let (span, _) = items.next()?;
    let after = items.next();
    let is_alone = before.is_none() && after.is_none();
    let (gap, removed) = match (before, after) {
        (Some(before), _) => (
            Span::new(before.end, span.start),
            Span::new(before.end, span.end),
        ),
        (None, Some((after, _))) => (
            Span::new(span.end, after.start),
            Span::new(span.start, after.start),
        ),
        (None, None) => (Span::new(span.end, end), span),
    };
    let gap = source.bytes().get(gap.range())?.trim_ascii();
    let comma: &[u8] = if is_alone { b"" } else { b"," };
    (gap == comma).then_some(removed)
}

#[cfg(test)]
mod tests {
    use super::{of_element, of_member};
    use crate::text::{Source, json};

    /// A fix that leaves a comma behind, or takes a comment along, breaks the file.
    #[test]
    fn what_is_left_is_json() {
        let text = r#"{"a": 1, "b": [2, 3 , 4], "c": 5 /* six */, "d": 7}"#;
        let source = Source::new("x".to_owned(), text.as_bytes().to_vec());
        let document = json::parse(source.bytes());
        let root = document.root().unwrap();
        let without = |span: Option<crate::text::Span>| {
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
}

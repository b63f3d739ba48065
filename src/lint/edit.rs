//! What fixes take out of a source.

use crate::text::{Node, Span};

/// The text to take out for an element of an array to be gone: with the comma
/// that goes with it.
pub(super) fn element(array: Node<'_>, element: Node<'_>) -> Span {
    without(array.elements().map(Node::span), element.span())
}

/// The same for a member of an object, given its key.
pub(super) fn member(object: Node<'_>, key: Node<'_>) -> Span {
    let whole = |(key, value): (Node<'_>, Node<'_>)| Span::new(key.span().start, value.span().end);
    let this = object.members().find(|&(name, _)| name == key);
    without(object.members().map(whole), this.map_or(key.span(), whole))
}

fn without(siblings: impl Iterator<Item = Span>, gone: Span) -> Span {
    let mut before: Option<Span> = None;
    for sibling in siblings {
        if sibling.start > gone.start {
            return Span::new(gone.start, sibling.start);
        }
        if sibling.end <= gone.start {
            before = Some(sibling);
        }
    }
    before.map_or(gone, |before| Span::new(before.end, gone.end))
}

#[cfg(test)]
mod tests {
    use crate::text::json;

    /// A comma too many or too few would turn a profile into no JSON.
    #[test]
    fn one_comma_goes_along() {
        let list = |text: &str, gone: usize| {
            let document = json::parse(text.as_bytes());
            let array = document.root().unwrap();
            let span = super::element(array, array.elements().nth(gone).unwrap());
            let mut text = text.to_owned();
            text.replace_range(span.range(), "");
            text
        };
        assert_eq!(list("[1]", 0), "[]");
        assert_eq!(list("[1, 2, 3]", 0), "[2, 3]");
        assert_eq!(list("[1, 2, 3]", 1), "[1, 3]");
        assert_eq!(list("[1, 2, 3]", 2), "[1, 2]");
        let text = r#"{"a": 1, "b": [2]}"#;
        let document = json::parse(text.as_bytes());
        let object = document.root().unwrap();
        for (number, left) in [r#"{"b": [2]}"#, r#"{"a": 1}"#].into_iter().enumerate() {
            let (key, _) = object.members().nth(number).unwrap();
            let mut text = text.to_owned();
            text.replace_range(super::member(object, key).range(), "");
            assert_eq!(text, left);
        }
    }
}

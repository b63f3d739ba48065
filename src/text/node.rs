//! The nodes of a document: what each is, where it stands, and the way to it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Document, Span};

/// What a node of a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'s> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exactly as it was written (`18446744073709551615`, `1e2`, also `013`).
    Number(Cow<'s, str>),
    /// A string, its escapes resolved.
    String(Cow<'s, str>),
    /// An array; its elements follow in the document.
    Array,
    /// An object; its members follow in the document, each a key and a value.
    Object,
    /// The key `<<` of YAML. What it brings in stands in the object as members of its own.
    Merge,
    /// No value at all where one must be; a [`Deviation`](super::Deviation) says why.
    Broken,
}

impl Kind<'_> {
    /// The kind in words, with its article, for messages: "a string".
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
            Kind::Merge => "a merge key",
            Kind::Broken => "no value",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct NodeData<'s> {
    pub(super) span: Span,
    /// Index of the first node after this one's subtree.
    pub(super) next: u32,
    /// Index of the container that the node stands in; the root's own is 0.
    pub(super) parent: u32,
    /// How many nodes stand before it in the container, keys included.
    pub(super) position: u32,
    pub(super) dress: Dress,
    pub(super) kind: Kind<'s>,
}

/// What stands around the text of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dress {
    /// Length of the opening quote in bytes; 0 without quotes, and more than 1
    /// where the quote is escaped itself.
    pub(super) opening: u8,
    /// The same of the closing one.
    pub(super) closing: u8,
    /// Whether it is a literal block scalar of YAML, whose lines stand as they are.
    pub(super) is_literal: bool,
}

impl Dress {
    pub(super) const fn quotes(any: bool) -> Self {
        Self {
            opening: any as u8,
            closing: any as u8,
            is_literal: false,
        }
    }
}

/// A value in a document. Cheap to copy; compares equal to itself only.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl Eq for Node<'_> {}

impl std::hash::Hash for Node<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.kind(), self.span())
    }
}

impl<'d> Node<'d> {
    pub(super) fn data(self) -> &'d NodeData<'d> {
        &self.document.nodes[self.index as usize]
    }

    /// Whether it stands in this very document.
    pub(crate) fn is_of(self, document: &Document<'_>) -> bool {
        std::ptr::eq(self.document, document)
    }

    /// What the node is.
    #[must_use]
    pub fn kind(self) -> &'d Kind<'d> {
        &self.data().kind
    }

    /// The bytes of the whole node, quotes and brackets included.
    #[must_use]
    pub fn span(self) -> Span {
        self.data().span
    }

    /// The bytes of the key of a member's value; of any other node its own.
    pub(super) fn key_span(self) -> Span {
        let data = self.data();
        let is_member = self.parent().is_some_and(Node::is_object);
        let key = self.index - if is_member { data.position % 2 } else { 0 };
        let key = Node {
            document: self.document,
            index: key,
        };
        key.span()
    }

    /// Where a string's text stands: without its quotes, if it has any, unless
    /// it is empty. For other nodes the same as [`Node::span`].
    #[must_use]
    pub fn text_span(self) -> Span {
        let span = self.span();
        let Dress {
            opening, closing, ..
        } = self.data().dress;
        if opening > 0 && span.len() > u32::from(opening) + u32::from(closing) {
            Span::new(
                span.start + u32::from(opening),
                span.end - u32::from(closing),
            )
        } else {
            span
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'d str> {
        match self.kind() {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The digits of a number, as written.
    #[must_use]
    pub fn as_number(self) -> Option<&'d str> {
        match self.kind() {
            Kind::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the node is `null`, or no value at all.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self.kind(), Kind::Null | Kind::Broken)
    }

    /// Whether the node is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self.kind(), Kind::Object)
    }

    /// The object or array that the node stands in; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<Node<'d>> {
        (self.index != 0).then(|| Node {
            document: self.document,
            index: self.data().parent,
        })
    }

    /// How many nodes stand in the node, at any depth: an array of strings has
    /// as many elements.
    #[must_use]
    pub fn descendants(self) -> usize {
        (self.data().next - self.index - 1) as usize
    }

    /// The elements of an array; none for any other node.
    pub fn elements(self) -> impl Iterator<Item = Node<'d>> + Clone + use<'d> {
        self.children(matches!(self.kind(), Kind::Array))
    }

    /// The members of an object as (key, value), duplicates included, in the
    /// order of the source; none for any other node.
    pub fn members(self) -> impl Iterator<Item = (Node<'d>, Node<'d>)> + Clone + use<'d> {
        let mut children = self.children(self.is_object());
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The value of a key; `None` for what is no key.
    #[must_use]
    pub fn value(self) -> Option<Node<'d>> {
        let is_key = self.parent()?.is_object() && self.data().position.is_multiple_of(2);
        is_key.then(|| Node {
            document: self.document,
            index: self.data().next,
        })
    }

    /// The value of the last member with this key, as Go's and most other
    /// readers take it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        self.members()
            .filter(|(name, _)| name.as_str() == Some(key))
            .last()
            .map(|(_, value)| value)
    }

    fn children(self, any: bool) -> impl Iterator<Item = Node<'d>> + Clone + use<'d> {
        let document = self.document;
        let end = if any { self.data().next } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            (index < end).then(|| {
                let node = Node { document, index };
                index = node.data().next;
                node
            })
        })
    }

    /// The node's place in its document as a JSON Pointer (RFC 6901). A key has
    /// the pointer of its value. In a document that is the text of a string, the
    /// way to the string comes first, as if the document stood in its place.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut way = Vec::with_capacity(8);
        let mut index = self.index;
        while index != 0 {
            way.push(index);
            index = self.document.nodes[index as usize].parent;
        }
        let embedding = self.document.embedding.as_ref();
        let above = embedding.map_or("", |it| &it.pointer);
        let mut pointer = String::with_capacity(above.len() + 8 * way.len());
        pointer.push_str(above);
        for &index in way.iter().rev() {
            let data = &self.document.nodes[index as usize];
            let parent = &self.document.nodes[data.parent as usize];
            pointer.push('/');
            if matches!(parent.kind, Kind::Object) {
                let key = Node {
                    document: self.document,
                    // A value's key is the node before it.
                    index: index - data.position % 2,
                };
                pointer.push_str(&escape_pointer(key.as_str().unwrap_or_default()));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(pointer, "{}", data.position);
            }
        }
        pointer
    }
}

pub(super) fn escape_pointer(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

#[cfg(test)]
mod tests {
    use crate::text::json;

    /// A wrong pointer sends an editor, or a reader of the report, elsewhere.
    #[test]
    fn pointers_name_the_way_to_a_node() {
        let document = json::parse(br#"{"a/b": [1, {"c~d": "x"}], "": 2}"#);
        let root = document.root().unwrap();
        let (key, list) = root.members().next().unwrap();
        assert_eq!((key.value(), list.value()), (Some(list), None));
        assert_eq!(root.pointer(), "");
        assert_eq!(key.pointer(), "/a~1b");
        assert_eq!(list.pointer(), "/a~1b");
        let object = list.elements().nth(1).unwrap();
        assert_eq!(object.get("c~d").unwrap().pointer(), "/a~1b/1/c~0d");
        assert_eq!(root.get("").unwrap().pointer(), "/");
    }

    /// The text between the quotes is what a fix replaces; an empty string has
    /// no text to point at, so its quotes are shown.
    #[test]
    fn the_text_of_a_string_stands_between_its_quotes() {
        let document = json::parse(br#"["ab", ""]"#);
        let spans: Vec<_> = (document.root().unwrap().elements())
            .map(|node| node.text_span().range())
            .collect();
        assert_eq!(spans, [2..4, 7..9]);
    }

    /// A fix that took quotes for granted would leave letters of the old text.
    #[test]
    fn a_string_without_its_quotes_is_all_text() {
        for (text, expected) in [("{ab: 1}", 1..3), ("[\"ab", 1..4), ("['ab']", 2..4)] {
            let document = json::parse(text.as_bytes());
            let root = document.root().unwrap();
            let key = root.members().map(|(key, _)| key);
            let node = key.chain(root.elements()).next().unwrap();
            assert_eq!(node.text_span().range(), expected, "{text}");
        }
    }
}

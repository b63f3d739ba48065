//! Text with spans: what a file says, and where it says it.
//!
//! [`json::parse`] reads bytes into a [`Document`]: one flat list of nodes, each
//! with the [`Span`] of bytes it was read from, and the list of
//! [`Deviation`]s from RFC 8259 that it met and read past. Nothing is lost on the
//! way: duplicate keys stay, numbers stay as they were written, and a document
//! that is broken in one place is still read in all others.
//!
//! [`yaml::parse`] gives the same tree for each document of a YAML stream, and
//! [`embed`] for JSON that stands in a string of either. All spans are offsets
//! into the file itself, so that every later room works the same on any of them.

mod deviation;
mod edit;
mod embedded;
mod extract;
pub mod json;
mod node;
mod source;
mod syntax;
mod template;
pub mod yaml;

use std::borrow::Cow;

pub use deviation::{Deviation, DeviationKind};
pub use edit::{edited, reads_alike};
pub use embedded::embed;
pub use extract::{Extract, LeftOut};
pub use node::{Kind, Node};
pub use source::{Position, Source};
pub use syntax::{Syntax, read};

use embedded::Embedding;
use node::{Dress, NodeData};

/// The largest document that is read, in bytes (8 MiB).
///
/// The largest container configuration seen in the wild is below 1 MiB. The
/// bound keeps a hostile file from taking the machine's memory, and offsets
/// within `u32`.
pub const MAX_BYTES: usize = 8 << 20;

/// How many deviations of one document are kept; the rest are counted.
const LISTED_DEVIATIONS: usize = 1_000;

/// A range of bytes in a source: `start` is the first, `end` the one after the
/// last. Both are 0-based offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to and without `end`.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span holds no byte at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The span as a range for slicing bytes.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A parsed document: its nodes in the order in which they stand in the source,
/// and its deviations from the grammar, sorted by where they begin.
#[derive(Clone, Debug, Default)]
pub struct Document<'s> {
    nodes: Vec<NodeData<'s>>,
    deviations: Vec<Deviation>,
    unlisted: usize,
    syntax: Syntax,
    index: u32,
    /// Why reading stopped, if it did.
    broken: Option<String>,
    /// The directives of a template that were taken for white space.
    blanks: Vec<Span>,
    /// Where the document stands, if it is the text of a string.
    embedding: Option<Box<Embedding>>,
}

impl Document<'_> {
    /// The language that it is written in.
    #[must_use]
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Which document of its file it is, counted from 0; a document in a string
    /// has the number of the one that the string stands in.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Whether it is the text of a string in another document.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedding.is_some()
    }

    /// Where the string stands that it is the text of, from its key to its end.
    pub(crate) fn string_place(&self) -> Option<Span> {
        self.embedding.as_ref().map(|it| it.place)
    }

    /// Why YAML could not be read to its end, in the parser's words. Where, says
    /// the deviation [`DeviationKind::NotYaml`].
    #[must_use]
    pub fn why_broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Where the last word stands that was read of a document that is broken: how far
    /// it was meant to go is not known. `None` if all of the document was read.
    #[must_use]
    pub fn last_word(&self) -> Option<u32> {
        self.broken.as_ref()?;
        let is_word =
            |node: &&NodeData<'_>| !matches!(node.kind, Kind::Object | Kind::Array | Kind::Broken);
        let starts = self.nodes.iter().filter(is_word).map(|it| it.span.start);
        Some(starts.max().unwrap_or(0))
    }

    /// The directives of a template (`{{ ... }}`) in it, which were read as white
    /// space, in their order.
    #[must_use]
    pub fn blanks(&self) -> &[Span] {
        &self.blanks
    }

    /// Whether the bytes of `span` can be replaced by `text` as they would be in a
    /// file of JSON: in a quoted string, or beside a directive, they may not.
    #[must_use]
    pub fn takes_edit(&self, span: Span, text: &str) -> bool {
        let touches = |blank: &Span| blank.start < span.end && span.start < blank.end;
        let embedding = self.embedding.as_ref();
        !self.blanks.iter().any(touches) && embedding.is_none_or(|it| it.takes_edit(span, text))
    }

    /// The same document, which no longer needs the bytes that it was read from.
    pub(crate) fn into_owned(self) -> Document<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let nodes = self.nodes.into_iter().map(|node| NodeData {
            span: node.span,
            next: node.next,
            parent: node.parent,
            position: node.position,
            dress: node.dress,
            kind: match node.kind {
                Kind::Null => Kind::Null,
                Kind::Merge => Kind::Merge,
                Kind::Bool(is) => Kind::Bool(is),
                Kind::Number(text) => Kind::Number(owned(text)),
                Kind::String(text) => Kind::String(owned(text)),
                Kind::Array => Kind::Array,
                Kind::Object => Kind::Object,
                Kind::Broken => Kind::Broken,
            },
        });
        Document {
            nodes: nodes.collect(),
            deviations: self.deviations,
            unlisted: self.unlisted,
            syntax: self.syntax,
            index: self.index,
            broken: self.broken,
            blanks: self.blanks,
            embedding: self.embedding,
        }
    }

    /// The top value; `None` if the source holds none.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        (!self.nodes.is_empty()).then_some(Node {
            document: self,
            index: 0,
        })
    }

    /// Where the source departs from RFC 8259, or from YAML, in the order of the
    /// source. Empty means: this is RFC 8259 JSON, or YAML that all read alike.
    #[must_use]
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// How many more deviations there were than [`Document::deviations`] lists.
    /// Only a document that is no JSON at all has any.
    #[must_use]
    pub fn unlisted_deviations(&self) -> usize {
        self.unlisted
    }
}

//! YAML, read into the tree that JSON gives.
//!
//! Scalars mean what kubectl and the API server take them for: YAML 1.1 as
//! `sigs.k8s.io/yaml` reads it. Aliases and merge keys are followed, within
//! bounds; what they stand for has the spans of the anchor.

mod build;
mod comments;
mod scalar;

use std::borrow::Cow;

use granit_parser::{
    ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span as Marked, StrInput, Tag,
};

use super::syntax::is_utf16;
use super::{
    Deviation, DeviationKind as Deviates, Document, Dress, Kind, LISTED_DEVIATIONS, MAX_BYTES,
    Span, Syntax, template,
};
use build::{Budget, Builder};

pub use comments::comments;

/// How many documents of a stream are read. Nobody has as many.
const MOST_DOCUMENTS: usize = 10_000;

/// Reads `bytes` as a YAML stream: a document for each that has anything in it.
/// Never fails: what is wrong is in [`Document::deviations`], what can be read all
/// the same is in the trees, and a document that is broken does not lose the next.
/// Time and memory are linear in the number of bytes, aliases included.
///
/// If there are directives of a template in it, they are read as white space; a
/// document that is no YAML then is empty, since what is left of it may be
/// anything.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Document<'_>> {
    let refused = |kind, end: usize| {
        let mut document = Document {
            syntax: Syntax::Yaml,
            ..Document::default()
        };
        let span = Span::new(0, end as u32);
        document.deviations.push(Deviation { kind, span });
        vec![document]
    };
    if bytes.len() > MAX_BYTES {
        return refused(Deviates::TooLarge, 0);
    }
    if is_utf16(bytes) {
        return refused(Deviates::Utf16, bytes.len().min(2));
    }
    let (text, mut deviations) = as_text(bytes);
    let mut documents = match (template::without_directives(&text), text) {
        (None, Cow::Borrowed(text)) => read(text),
        (None, Cow::Owned(text)) => owned(read(&text)),
        (Some((blanked, blanks)), text) => {
            let mut documents = owned(read(&blanked));
            if !are_idle(&text, &documents, &blanks) {
                blank(&mut documents, &blanks);
            }
            documents
        }
    };
    if !deviations.is_empty() {
        if documents.is_empty() {
            documents = refused(Deviates::EmptyDocument, 0);
        }
        if let Some(first) = documents.first_mut() {
            deviations.append(&mut first.deviations);
            first.deviations = deviations;
        }
    }
    if documents.is_empty() {
        return refused(Deviates::EmptyDocument, 0);
    }
    documents
}

fn owned(documents: Vec<Document<'_>>) -> Vec<Document<'static>> {
    documents.into_iter().map(Document::into_owned).collect()
}

/// The bytes as text, of the same length, and where they are none.
fn as_text(bytes: &[u8]) -> (Cow<'_, str>, Vec<Deviation>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut text = String::with_capacity(bytes.len());
    let mut deviations = Vec::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = text.len();
        // A letter of no meaning, which breaks nothing wherever it stands.
        text.extend(chunk.invalid().iter().map(|_| '_'));
        if text.len() > start && deviations.len() < LISTED_DEVIATIONS {
            let span = Span::new(start as u32, text.len() as u32);
            let kind = Deviates::BadUtf8;
            deviations.push(Deviation { kind, span });
        }
    }
    (Cow::Owned(text), deviations)
}

/// Whether all directives stand where they change nothing of a profile: in comments,
/// and in the text of an object's metadata, which may speak of templates itself.
fn are_idle(text: &str, documents: &[Document<'_>], blanks: &[Span]) -> bool {
    if documents.iter().any(|document| document.broken.is_some()) {
        return false;
    }
    let mut metadata = Vec::new();
    for document in documents {
        let object = document.root().and_then(|root| root.get("metadata"));
        let end = object.map_or(0, |object| object.data().next);
        let nodes = object.map_or(0, |object| object.index)..end;
        let nodes = nodes.filter_map(|index| document.nodes.get(index as usize));
        let strings = nodes.filter(|node| node.dress.opening > 0);
        metadata.extend(strings.map(|node| node.span));
    }
    metadata.sort_unstable();
    blanks.iter().all(|blank| {
        let before = metadata.partition_point(|span| span.start <= blank.start);
        let string = before.checked_sub(1).and_then(|index| metadata.get(index));
        let is_inside = string.is_some_and(|string| blank.end <= string.end);
        let lines = text.get(..blank.start as usize).unwrap_or_default();
        let line = &lines[lines.rfind('\n').map_or(0, |feed| feed + 1)..];
        let is_one_line = text.get(blank.range()).is_some_and(|it| !it.contains('\n'));
        is_inside || (is_one_line && line.trim_start().starts_with('#'))
    })
}

/// Tells documents of the directives in them, of the first as a deviation.
/// `blanks` are in order, as the documents are.
fn blank(documents: &mut [Document<'_>], blanks: &[Span]) {
    let mut rest = blanks;
    let mut is_told = false;
    let count = documents.len();
    for index in 0..count {
        let next = documents.get(index + 1).and_then(Document::start);
        let here = match next {
            Some(next) => rest.partition_point(|blank| blank.start < next),
            None => rest.len(),
        };
        let (own, others) = rest.split_at(here);
        rest = others;
        let Some(&first) = own.first() else { continue };
        let document = &mut documents[index];
        document.blanks = own.to_vec();
        if document.broken.is_some() {
            document.nodes.clear();
            (document.deviations).retain(|it| it.kind == Deviates::NotYaml);
        } else if !std::mem::replace(&mut is_told, true) {
            let kind = Deviates::Template;
            let template = Deviation { kind, span: first };
            document.deviations.insert(0, template);
        }
    }
}

/// Reads a text in which there are no directives.
fn read(text: &str) -> Vec<Document<'_>> {
    let mut options = granit_parser::options! { emit_unresolved_aliases: true };
    options.set_emit_comments(false);
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        text,
        builder: Builder::default(),
        budget: Budget::default(),
        documents: Vec::new(),
        index: 0,
    };
    reader.stream();
    reader.documents
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    builder: Builder<'t>,
    budget: Budget,
    documents: Vec<Document<'t>>,
    /// How many documents have ended.
    index: u32,
}

impl<'t> Reader<'t> {
    fn stream(&mut self) {
        let mut failed_at = None;
        while let Some(next) = self.parser.next_event() {
            match next {
                Ok((Event::DocumentEnd, _)) => {
                    self.end(None);
                    if self.documents.len() >= MOST_DOCUMENTS {
                        let end = self.text.len() as u32;
                        self.builder
                            .deviate(Deviates::TooManyDocuments, Span::new(end, end));
                        return self.end(None);
                    }
                }
                Ok((event, marked)) => self.event(event, &marked),
                Err(error) => {
                    let at = self.fail(&error);
                    // The parser goes on at a later document, or not at all.
                    if failed_at.replace(at).is_some_and(|before| before >= at)
                        || !matches!(self.parser.proceed_next_document(), Ok(true))
                    {
                        return;
                    }
                }
            }
        }
    }

    /// Ends the document at a mistake in the grammar; says where that is.
    fn fail(&mut self, error: &ScanError) -> u32 {
        let at = offset(*error.marker(), self.text.len());
        if let (ErrorKind::TabInPlainScalar, Some(tab)) = (error.kind(), self.tab_behind(at)) {
            self.builder
                .deviate(Deviates::NotYaml, Span::new(tab, tab + 1));
            self.end(Some("a tab in the indentation of a line".to_owned()));
            return at;
        }
        let rest = self.text.get(at as usize..).unwrap_or_default();
        let width = rest.chars().next().map_or(0, char::len_utf8) as u32;
        let span = Span::new(at, at + width);
        self.builder.deviate(Deviates::NotYaml, span);
        self.end(Some(error.info().clone()));
        at
    }

    /// The first tab behind a place that indents a line with something on it. The
    /// parser's own place is the scalar that it took the line for a part of.
    fn tab_behind(&self, at: u32) -> Option<u32> {
        /// A scalar that goes on for longer keeps the parser's place.
        const MOST_LINES: usize = 100;
        let lines = self.text.get(at as usize..)?.split_inclusive('\n');
        let mut start = at as usize;
        for (number, line) in lines.take(MOST_LINES).enumerate() {
            let blank = line.len() - line.trim_start().len();
            let tab = line[..blank].find('\t');
            if let Some(tab) = tab.filter(|_| number > 0 && blank < line.len()) {
                return Some((start + tab) as u32);
            }
            start += line.len();
        }
        None
    }

    fn end(&mut self, broken: Option<String>) {
        let mut document = std::mem::take(&mut self.builder).finish();
        document.index = self.index;
        document.broken = broken;
        self.index += 1;
        if !document.nodes.is_empty() || !document.deviations.is_empty() {
            self.documents.push(document);
        }
    }

    fn event(&mut self, event: Event<'t>, marked: &Marked) {
        let span = Span::new(
            offset(marked.start, self.text.len()),
            offset(marked.end, self.text.len()),
        );
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_core = self.tag(tag.as_deref(), marked);
                let core = tag
                    .as_deref()
                    .filter(|_| is_core)
                    .and_then(Tag::core_suffix);
                let (span, dress) = self.dress(span, style);
                let kind = if self.builder.is_at_key() || style != ScalarStyle::Plain {
                    match core {
                        None | Some("str") => Kind::String(value),
                        Some(_) => scalar::plain(value),
                    }
                } else {
                    match core {
                        Some("str") => Kind::String(value),
                        // `!` makes text of anything.
                        _ if tag.is_some() && core.is_none() => Kind::String(value),
                        _ => scalar::plain(value),
                    }
                };
                let is_merge = style == ScalarStyle::Plain && tag.is_none();
                self.builder.scalar(kind, span, dress, anchor, is_merge);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), marked);
                self.builder.open(Kind::Array, span, anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), marked);
                self.builder.open(Kind::Object, span, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.builder.close(span),
            Event::Alias(anchor) => self.builder.alias(Some(anchor), span, &mut self.budget),
            Event::UnresolvedAlias(_) => self.builder.alias(None, span, &mut self.budget),
            _ => {}
        }
    }

    /// Whether a tag, if there is one, is of the core schema; reports it otherwise.
    fn tag(&mut self, tag: Option<&Tag>, marked: &Marked) -> bool {
        const CORE: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
        let Some(tag) = tag else { return true };
        let is_core = tag
            .core_suffix()
            .is_some_and(|suffix| CORE.contains(&suffix));
        // `!` alone says that a scalar is text.
        let is_text = tag.handle().is_empty() && tag.suffix() == "!";
        if !is_core && !is_text {
            let span = marked.tag_span().unwrap_or(*marked);
            let span = Span::new(
                offset(span.start, self.text.len()),
                offset(span.end, self.text.len()),
            );
            self.builder.deviate(Deviates::ForeignTag, span);
        }
        is_core
    }

    /// The place of a scalar without what the parser counts in behind it, and
    /// what stands around its text.
    fn dress(&self, span: Span, style: ScalarStyle) -> (Span, Dress) {
        match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (span, Dress::quotes(true)),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = self.text.get(span.range()).unwrap_or_default();
                let end = span.start + text.trim_end().len() as u32;
                let is_literal = style == ScalarStyle::Literal;
                let dress = Dress {
                    is_literal,
                    ..Dress::default()
                };
                (Span::new(span.start, end), dress)
            }
            ScalarStyle::Plain => (span, Dress::default()),
        }
    }
}

impl Document<'_> {
    /// Where the first thing in it stands.
    fn start(&self) -> Option<u32> {
        let node = self.nodes.first().map(|node| node.span.start);
        let deviation = self.deviations.first().map(|it| it.span.start);
        node.into_iter().chain(deviation).min()
    }
}

/// The parser of a text knows all offsets; without one, the end is as good.
fn offset(marker: Marker, length: usize) -> u32 {
    marker.byte_offset().unwrap_or(length).min(length) as u32
}

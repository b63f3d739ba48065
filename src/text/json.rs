//! A tolerant reader of JSON: one pass, no recursion, no mistake fatal.
//!
//! Each departure from RFC 8259 becomes a [`Deviation`], and reading goes on as
//! the writer most likely meant it, so that one run tells all that is wrong.

mod number;
mod string;
mod trivia;

use std::borrow::Cow;

use super::syntax::is_utf16;
use super::{
    Deviation, DeviationKind as Deviates, Document, Dress, Kind, LISTED_DEVIATIONS, MAX_BYTES,
    NodeData, Span,
};

/// Levels of nesting that json-c reads (`JSON_TOKENER_DEFAULT_DEPTH`), and with
/// it crun from 1.28 on. Every other known reader takes more.
const READABLE_DEPTH: usize = 32;

/// Nesting at which reading stops: no known reader goes deeper (Go: 10,000).
const GIVE_UP_DEPTH: usize = 10_000;

/// Reads `bytes` as JSON. Never fails: what is wrong is in
/// [`Document::deviations`], what can be read all the same is in the tree.
/// Time and memory are linear in the number of bytes.
#[must_use]
pub fn parse(bytes: &[u8]) -> Document<'_> {
    let mut reader = Reader::new(bytes);
    if bytes.len() > MAX_BYTES {
        reader.deviate(Deviates::TooLarge, 0, 0);
    } else if is_utf16(bytes) {
        reader.deviate(Deviates::Utf16, 0, bytes.len().min(2));
    } else {
        reader.check_encoding();
        reader.read();
    }
    reader.finish()
}

/// What may come next.
#[derive(Clone, Copy)]
enum Expect {
    /// A value: at the top, after a colon, or in an array.
    Value,
    /// A key, or the end of the object.
    Key,
    Colon,
    /// A comma, or the end of the container.
    Separator,
    /// The end of the document.
    Nothing,
}

/// A container that is open.
struct Open {
    node: u32,
    is_object: bool,
    /// How many nodes stand in it so far, keys included.
    count: u32,
}

struct Reader<'s> {
    bytes: &'s [u8],
    /// The bytes as text; empty if not all of them are UTF-8.
    text: &'s str,
    at: usize,
    expect: Expect,
    /// The comma just before, if nothing has come after it yet.
    comma: Option<usize>,
    /// Where the last value ended: a missing comma is missing there.
    value_end: usize,
    open: Vec<Open>,
    /// How many of them are objects.
    open_objects: usize,
    nodes: Vec<NodeData<'s>>,
    deviations: Vec<Deviation>,
    unlisted: usize,
    too_deep: bool,
}

impl<'s> Reader<'s> {
    fn new(bytes: &'s [u8]) -> Self {
        Self {
            bytes,
            text: "",
            at: 0,
            expect: Expect::Value,
            comma: None,
            value_end: 0,
            open: Vec::new(),
            open_objects: 0,
            nodes: Vec::with_capacity(bytes.len().min(MAX_BYTES) / 12 + 1),
            deviations: Vec::new(),
            unlisted: 0,
            too_deep: false,
        }
    }

    fn finish(mut self) -> Document<'s> {
        // Stable, so that of two at one place the one found first stays first.
        self.deviations
            .sort_by_key(|deviation| deviation.span.start);
        Document {
            nodes: self.nodes,
            deviations: self.deviations,
            unlisted: self.unlisted,
            ..Document::default()
        }
    }

    fn deviate(&mut self, kind: Deviates, start: usize, end: usize) {
        if self.deviations.len() < LISTED_DEVIATIONS {
            let span = Span::new(start as u32, end as u32);
            self.deviations.push(Deviation { kind, span });
        } else {
            self.unlisted += 1;
        }
    }

    fn check_encoding(&mut self) {
        if let Ok(text) = std::str::from_utf8(self.bytes) {
            self.text = text;
        } else {
            let mut at = 0;
            for chunk in self.bytes.utf8_chunks() {
                at += chunk.valid().len();
                if !chunk.invalid().is_empty() {
                    self.deviate(Deviates::BadUtf8, at, at + chunk.invalid().len());
                }
                at += chunk.invalid().len();
            }
        }
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.deviate(Deviates::ByteOrderMark, 0, 3);
            self.at = 3;
        }
    }

    fn read(&mut self) {
        while let Some(byte) = self.next_token() {
            match self.expect {
                Expect::Value => self.value(byte),
                Expect::Key => self.key(byte),
                Expect::Colon => self.colon(byte),
                Expect::Separator => self.separator(byte),
                Expect::Nothing => {
                    let end = self.bytes.trim_ascii_end().len();
                    return self.deviate(Deviates::TrailingData, self.at, end.max(self.at));
                }
            }
        }
        self.end();
    }

    /// The end of the bytes.
    fn end(&mut self) {
        if let Some(open) = self.open.last() {
            let start = self.nodes[open.node as usize].span.start as usize;
            self.deviate(Deviates::Unclosed, start, start + 1);
            self.close_all();
        } else if self.nodes.is_empty() {
            self.deviate(Deviates::EmptyDocument, 0, 0);
        }
    }

    fn close_all(&mut self) {
        if matches!(self.expect, Expect::Colon) || self.lacks_value() {
            self.push(Kind::Broken, self.at, self.at);
        }
        self.at = self.bytes.len();
        while !self.open.is_empty() {
            self.close(self.bytes.len());
        }
    }

    // ------------------------------------------------------------ structure

    fn push(&mut self, kind: Kind<'s>, start: usize, end: usize) {
        self.push_dressed(kind, Dress::default(), start, end);
    }

    #[inline]
    fn push_dressed(&mut self, kind: Kind<'s>, dress: Dress, start: usize, end: usize) {
        let (parent, position) = match self.open.last_mut() {
            Some(open) => {
                open.count += 1;
                (open.node, open.count - 1)
            }
            None => (0, 0),
        };
        self.nodes.push(NodeData {
            span: Span::new(start as u32, end as u32),
            next: self.nodes.len() as u32 + 1,
            parent,
            position,
            dress,
            kind,
        });
    }

    fn in_object(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_object)
    }

    /// Whether a key and its colon stand without their value.
    fn lacks_value(&self) -> bool {
        matches!(self.expect, Expect::Value) && self.in_object()
    }

    /// A value is complete, up to `end`.
    fn completed(&mut self, end: usize) {
        self.at = end;
        self.value_end = end;
        self.comma = None;
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::Separator
        };
    }

    fn open(&mut self, is_object: bool) {
        let node = self.nodes.len() as u32;
        let kind = if is_object { Kind::Object } else { Kind::Array };
        self.push(kind, self.at, self.at + 1);
        if self.open.len() == READABLE_DEPTH && !self.too_deep {
            self.too_deep = true;
            self.deviate(Deviates::TooDeep, self.at, self.at + 1);
        }
        self.open.push(Open {
            node,
            is_object,
            count: 0,
        });
        self.open_objects += usize::from(is_object);
        self.at += 1;
        self.comma = None;
        self.expect = if is_object {
            Expect::Key
        } else {
            Expect::Value
        };
        if self.open.len() > GIVE_UP_DEPTH {
            self.deviate(Deviates::FarTooDeep, self.at - 1, self.at);
            self.close_all();
        }
    }

    /// Closes the innermost container; its last byte is before `end`.
    fn close(&mut self, end: usize) {
        if let Some(open) = self.open.pop() {
            self.open_objects -= usize::from(open.is_object);
            let next = self.nodes.len() as u32;
            if let Some(node) = self.nodes.get_mut(open.node as usize) {
                node.span.end = end as u32;
                node.next = next;
            }
        }
        self.completed(end);
    }

    /// A closing bracket where a value, a key or a separator may stand.
    fn closing(&mut self, bracket: u8) {
        let closes_object = bracket == b'}';
        let matches = |open: &Open| open.is_object == closes_object;
        // Asked first, so that stray brackets do not cost a search each.
        let objects = self.open_objects;
        let any = if closes_object {
            objects > 0
        } else {
            objects < self.open.len()
        };
        let found = any.then(|| self.open.iter().rposition(matches)).flatten();
        match found {
            Some(inner) if inner + 1 == self.open.len() => {
                if let Some(comma) = self.comma {
                    self.deviate(Deviates::TrailingComma, comma, comma + 1);
                }
            }
            // A bracket further out is closed: those inside it were forgotten.
            Some(outer) => {
                self.deviate(Deviates::MismatchedClose, self.at, self.at + 1);
                while self.open.len() > outer + 1 {
                    self.close(self.at);
                }
            }
            None => {
                self.deviate(Deviates::MismatchedClose, self.at, self.at + 1);
                if self.open.is_empty() {
                    self.push(Kind::Broken, self.at, self.at + 1);
                } else if self.bytes[..self.at].trim_ascii_end().ends_with(&[bracket]) {
                    // One bracket too many; of the other kind, it would be a slip.
                    self.at += 1;
                    return;
                }
            }
        }
        self.close(self.at + 1);
    }

    fn value(&mut self, byte: u8) {
        match byte {
            b'"' | b'\'' => {
                self.push_string(byte);
                self.completed(self.at);
            }
            b'{' | b'[' => self.open(byte == b'{'),
            b'}' | b']' | b',' if self.lacks_value() => {
                self.deviate(Deviates::MissingValue, self.value_end, self.value_end);
                self.push(Kind::Broken, self.at, self.at);
                self.completed(self.at);
            }
            b'}' | b']' => self.closing(byte),
            b',' => self.extra_comma(),
            b':' => {
                self.deviate(Deviates::UnexpectedByte, self.at, self.at + 1);
                self.at += 1;
            }
            _ if is_word(byte) => self.word(),
            _ => {
                let start = self.at;
                self.unexpected();
                self.push(Kind::Broken, start, self.at);
                self.completed(self.at);
            }
        }
    }

    fn key(&mut self, byte: u8) {
        match byte {
            b'"' | b'\'' => {
                self.push_string(byte);
            }
            b'}' | b']' => return self.closing(byte),
            b',' => return self.extra_comma(),
            b':' | b'{' | b'[' => {
                self.deviate(Deviates::UnquotedKey, self.at, self.at + 1);
                self.push(Kind::Broken, self.at, self.at);
                if byte != b':' {
                    self.expect = Expect::Value;
                    return;
                }
            }
            _ if is_word(byte) => {
                let start = self.at;
                self.skip_word();
                self.deviate(Deviates::UnquotedKey, start, self.at);
                let key = self.slice(start, self.at);
                self.push(Kind::String(key), start, self.at);
            }
            _ => {
                self.comma = None;
                return self.unexpected();
            }
        }
        self.value_end = self.at;
        self.expect = Expect::Colon;
    }

    fn colon(&mut self, byte: u8) {
        match byte {
            b':' => {
                self.at += 1;
                self.value_end = self.at;
                self.expect = Expect::Value;
            }
            b',' | b'}' | b']' => {
                // A bare word that is left alone, such as `...`, was told of.
                let last = self.deviations.last().map(|it| (it.kind, it.span.end));
                if last != Some((Deviates::UnquotedKey, self.value_end as u32)) {
                    self.deviate(Deviates::MissingColon, self.value_end, self.value_end);
                }
                self.push(Kind::Broken, self.at, self.at);
                self.completed(self.at);
            }
            b'=' => {
                self.deviate(Deviates::MissingColon, self.at, self.at + 1);
                self.at += 1;
                self.expect = Expect::Value;
            }
            _ => {
                self.deviate(Deviates::MissingColon, self.value_end, self.value_end);
                self.expect = Expect::Value;
            }
        }
    }

    fn separator(&mut self, byte: u8) {
        let next = if self.in_object() {
            Expect::Key
        } else {
            Expect::Value
        };
        match byte {
            b',' => {
                self.comma = Some(self.at);
                self.at += 1;
                self.expect = next;
            }
            b'}' | b']' => self.closing(byte),
            b':' | b';' => {
                self.deviate(Deviates::MissingComma, self.at, self.at + 1);
                self.at += 1;
                self.expect = next;
            }
            b'"' | b'\'' | b'{' | b'[' => {
                self.deviate(Deviates::MissingComma, self.value_end, self.value_end);
                self.expect = next;
            }
            _ if is_word(byte) => {
                self.deviate(Deviates::MissingComma, self.value_end, self.value_end);
                self.expect = next;
            }
            _ => self.unexpected(),
        }
    }

    fn extra_comma(&mut self) {
        self.deviate(Deviates::ExtraComma, self.at, self.at + 1);
        self.at += 1;
    }

    /// Characters that begin nothing, up to where something may begin again.
    fn unexpected(&mut self) {
        let start = self.at;
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte.is_ascii_whitespace() || b",:[]{}\"'#/".contains(&byte) || is_word(byte) {
                break;
            }
            self.at += 1;
        }
        // Bytes that are no UTF-8 have been reported as that already.
        if std::str::from_utf8(&self.bytes[start..self.at]).is_ok() {
            self.deviate(Deviates::UnexpectedByte, start, self.at);
        }
    }

    // --------------------------------------------------------------- tokens

    fn skip_word(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| !is_word(byte));
        self.at += length.unwrap_or(rest.len());
    }

    /// A number, a literal, or a bare word that is neither.
    fn word(&mut self) {
        let start = self.at;
        self.skip_word();
        let word = &self.bytes[start..self.at];
        let kind = match word {
            b"true" => Kind::Bool(true),
            b"false" => Kind::Bool(false),
            b"null" => Kind::Null,
            _ => {
                let deviation = number::deviation(word);
                if let Some(kind) = deviation {
                    self.deviate(kind, start, self.at);
                }
                if deviation == Some(Deviates::BadLiteral) {
                    Kind::Broken
                } else {
                    Kind::Number(self.slice(start, self.at))
                }
            }
        };
        self.push(kind, start, self.at);
        self.completed(self.at);
    }

    /// The text between two offsets, which both stand beside ASCII bytes.
    fn slice(&self, start: usize, end: usize) -> Cow<'s, str> {
        match self.text.get(start..end) {
            Some(text) => Cow::Borrowed(text),
            None => string::lossy(&self.bytes[start..end]),
        }
    }
}

/// Bytes of numbers and bare words.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'$')
}

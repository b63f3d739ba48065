//! JSON in a string: where each of its bytes stands in the file.
//!
//! A literal block loses its indentation on the way from the file to the text, a
//! folded or a quoted string its line breaks and escapes. What is left is matched
//! with the file, character by character, and a tree whose spans were offsets into
//! the text gets spans that are offsets into the file.

use std::borrow::Cow;

use super::{Document, Dress, Node, Span, json};

/// Where a document stands that is the text of a string.
#[derive(Clone, Debug)]
pub(super) struct Embedding {
    /// The string's place in its own document.
    pub(super) pointer: String,
    pub(super) text: Box<str>,
    /// The bytes of the string in the file, with its key.
    pub(super) place: Span,
    /// Where the string's text begins in the file.
    start: u32,
    is_literal: bool,
    map: Map,
}

/// Reads the text of a string as JSON. `bytes` are the file that the string's
/// document was read from. `None` if the node is no string. Should its text not be
/// found again in the file, everything in it stands where the string does.
#[must_use]
pub fn embed(bytes: &[u8], string: Node<'_>) -> Option<Document<'static>> {
    let text = string.as_str()?;
    let (data, span) = (string.data(), string.span());
    let outer = string.document;
    let first = (outer.blanks).partition_point(|blank| blank.start < span.start);
    let blanks = outer.blanks[first..].iter().copied();
    let blanks: Vec<_> = blanks.take_while(|blank| blank.end <= span.end).collect();
    let mut raw = Cow::Borrowed(bytes.get(span.range())?);
    for blank in &blanks {
        let inner = Span::new(blank.start - span.start, blank.end - span.start);
        raw.to_mut().get_mut(inner.range())?.fill(b' ');
    }
    let map = Map::of(
        &raw,
        span.start,
        indentation(bytes, string),
        data.dress,
        text,
    );
    let map = map.unwrap_or_else(|| Map::whole(span));
    let mut document = json::parse(text.as_bytes()).into_owned();
    for node in &mut document.nodes {
        let Span { start, end } = node.span;
        node.span = map.span(node.span);
        if node.dress.opening > 0 {
            let width = |from, to| map.end(to).saturating_sub(map.start(from)).min(0xff) as u8;
            node.dress.opening = width(start, start + 1);
            node.dress.closing = width(end - 1, end);
        }
    }
    for deviation in &mut document.deviations {
        deviation.span = map.span(deviation.span);
    }
    document.blanks = blanks;
    document.index = outer.index;
    document.embedding = Some(Box::new(Embedding {
        pointer: string.pointer(),
        text: text.into(),
        place: Span::new(string.key_span().start.min(span.start), span.end),
        start: map.start(0),
        is_literal: data.dress.is_literal,
        map,
    }));
    Some(document)
}

/// How many spaces each line of a literal block begins with that are not text.
fn indentation(bytes: &[u8], scalar: Node<'_>) -> usize {
    let before = bytes
        .get(..scalar.span().start as usize)
        .unwrap_or_default();
    let line = || {
        before
            .iter()
            .rev()
            .take_while(|&&byte| byte != b'\n')
            .count()
    };
    if scalar.data().dress.is_literal {
        line()
    } else {
        0
    }
}

impl Embedding {
    /// Whether an edit means in the file what it would mean in the text.
    pub(super) fn takes_edit(&self, span: Span, text: &str) -> bool {
        if self.is_literal {
            // The first line says how far all are indented: it must begin as it does.
            return span.start > self.start && !text.contains(['\n', '\r']);
        }
        // Letters mean themselves in any string.
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !text.is_empty() && text.bytes().all(is_word) && self.map.is_straight(span)
    }
}

/// A run of characters that stand in the file as they do in the text, or one
/// character that is written in another way.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Offset of its first byte in the text.
    inner: u32,
    /// Offset of its first byte in the file.
    outer: u32,
    /// Length of an escape in the file; 0 for a run.
    escape: u32,
}

impl Piece {
    fn end(&self, inner: u32) -> u32 {
        match self.escape {
            0 => self.outer + (inner - self.inner),
            length => self.outer + length,
        }
    }
}

/// From offsets in a text to offsets in the file; both only grow.
#[derive(Clone, Debug)]
struct Map {
    pieces: Vec<Piece>,
    /// Where the string ends in the file.
    limit: u32,
}

impl Map {
    /// Matches the text of a scalar with its bytes in the file, which begin at `start`.
    fn of(raw: &[u8], start: u32, indentation: usize, dress: Dress, text: &str) -> Option<Self> {
        let quote = (dress.opening > 0).then(|| raw.first()).flatten();
        let mut matcher = Matcher {
            raw: raw.get(..raw.len().checked_sub(usize::from(dress.closing))?)?,
            at: usize::from(dress.opening),
            start,
            has_escapes: quote == Some(&b'"'),
            doubles: quote == Some(&b'\''),
            indentation,
            pieces: Vec::new(),
        };
        for (inner, character) in text.char_indices() {
            matcher.character(inner as u32, character)?;
        }
        if matcher.pieces.is_empty() {
            matcher.run(0, matcher.at);
        }
        Some(Self {
            pieces: matcher.pieces,
            limit: start + raw.len() as u32,
        })
    }

    /// As if the text were one escape.
    fn whole(span: Span) -> Self {
        let piece = Piece {
            inner: 0,
            outer: span.start,
            escape: span.len().max(1),
        };
        Self {
            pieces: vec![piece],
            limit: span.end,
        }
    }

    fn piece(&self, inner: u32) -> Piece {
        let after = (self.pieces).partition_point(|piece| piece.inner <= inner);
        let piece = self.pieces.get(after.saturating_sub(1)).copied();
        // There is always a piece, and the first begins at 0.
        piece.unwrap_or(Piece {
            inner,
            outer: self.limit,
            escape: 0,
        })
    }

    /// Where the character at an offset begins.
    fn start(&self, inner: u32) -> u32 {
        let piece = self.piece(inner);
        let start = match piece.escape {
            0 => piece.end(inner),
            _ => piece.outer,
        };
        start.min(self.limit)
    }

    /// Where the character that ends at an offset ends.
    fn end(&self, inner: u32) -> u32 {
        match inner.checked_sub(1) {
            Some(last) => self.piece(last).end(inner).min(self.limit),
            None => self.start(0),
        }
    }

    fn span(&self, inner: Span) -> Span {
        if inner.is_empty() {
            let at = self.end(inner.start);
            return Span::new(at, at);
        }
        let start = self.start(inner.start);
        Span::new(start, self.end(inner.end).max(start))
    }

    /// Whether a part of the file is part of one run.
    fn is_straight(&self, outer: Span) -> bool {
        let after = (self.pieces).partition_point(|piece| piece.outer <= outer.start);
        let piece = after
            .checked_sub(1)
            .and_then(|index| self.pieces.get(index));
        let next = (self.pieces.get(after)).map_or(self.limit, |piece| piece.outer);
        piece.is_some_and(|piece| piece.escape == 0) && outer.end <= next
    }
}

/// Goes through a scalar and its text side by side.
struct Matcher<'b> {
    raw: &'b [u8],
    at: usize,
    /// Offset in the file of the first byte of `raw`.
    start: u32,
    has_escapes: bool,
    /// Whether two single quotes stand for one.
    doubles: bool,
    indentation: usize,
    pieces: Vec<Piece>,
}

impl Matcher<'_> {
    fn run(&mut self, inner: u32, outer: usize) {
        let outer = self.start + outer as u32;
        let goes_on = self.pieces.last().is_some_and(|piece| {
            piece.escape == 0 && outer.checked_sub(piece.outer) == Some(inner - piece.inner)
        });
        if !goes_on {
            self.pieces.push(Piece {
                inner,
                outer,
                escape: 0,
            });
        }
    }

    fn escape(&mut self, inner: u32, length: usize) {
        self.pieces.push(Piece {
            inner,
            outer: self.start + self.at as u32,
            escape: length as u32,
        });
        self.at += length;
    }

    /// Finds the next character of the text; `None` if it is not there.
    fn character(&mut self, inner: u32, character: char) -> Option<()> {
        let mut utf8 = [0; 4];
        let encoded = character.encode_utf8(&mut utf8).as_bytes();
        loop {
            let rest = &self.raw[self.at.min(self.raw.len())..];
            match rest {
                // A line that goes on in the next, whose indentation is no text.
                [b'\\', b'\n' | b'\r', ..] if self.has_escapes => {
                    let blank = rest[1..].iter();
                    let blank = blank.take_while(|byte| byte.is_ascii_whitespace()).count();
                    self.at += 1 + blank;
                }
                [b'\\', letter, ..] if self.has_escapes => {
                    if stands_for(*letter).is_some_and(|meant| meant != character) {
                        return None;
                    }
                    let length = escape_length(rest);
                    self.escape(inner, length);
                    return Some(());
                }
                [b'\'', b'\'', ..] if self.doubles && character == '\'' => {
                    self.escape(inner, 2);
                    return Some(());
                }
                _ if rest.starts_with(encoded) => {
                    self.run(inner, self.at);
                    self.at += encoded.len();
                    if character == '\n' {
                        let spaces = self.raw[self.at..].iter().take(self.indentation);
                        self.at += spaces.take_while(|&&byte| byte == b' ').count();
                    }
                    return Some(());
                }
                // What the scalar's style takes away.
                [b' ' | b'\t' | b'\n' | b'\r', ..] => self.at += 1,
                // What it adds: the line feed after the last line of the file.
                _ if character.is_ascii_whitespace() => {
                    self.run(inner, self.at);
                    return Some(());
                }
                _ => return None,
            }
        }
    }
}

/// What an escape of one letter stands for, as far as JSON has it.
fn stands_for(letter: u8) -> Option<char> {
    Some(match letter {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'"' | b'\\' | b'/' => char::from(letter),
        _ => return None,
    })
}

/// The length of an escape of JSON or YAML: of surrogates, both.
fn escape_length(rest: &[u8]) -> usize {
    let length = |rest: &[u8]| match rest.get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        // A character beyond ASCII may stand there, such as a no-break space.
        Some(0x80..) => rest
            .get(1..)
            .and_then(|rest| rest.utf8_chunks().next()?.valid().chars().next())
            .map_or(2, |character| 1 + character.len_utf8()),
        _ => 2,
    };
    let one = length(rest);
    let is_high = rest.get(1) == Some(&b'u')
        && matches!(
            rest.get(2..4),
            Some([b'd' | b'D', b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B'])
        );
    let two = rest.get(one..).filter(|rest| rest.starts_with(b"\\u"));
    let total = match two {
        Some(rest) if is_high => one + length(rest),
        _ => one,
    };
    total.min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::{Map, embed};
    use crate::text::{Span, json, yaml};

    /// A profile whose text cannot be followed would not be checked at all.
    #[test]
    fn a_text_that_is_not_found_again_stands_where_its_string_does() {
        let span = Span::new(10, 30);
        let map = Map::whole(span);
        assert_eq!(map.span(Span::new(0, 1)), span);
        assert_eq!(map.span(Span::new(5, 90)), span);
        assert!(!map.is_straight(Span::new(12, 14)));
        // What is read is not what stands there: the file has changed in between.
        let documents = yaml::parse(b"p: '{\"a\": [1]}'");
        let string = documents[0].root().unwrap().get("p").unwrap();
        let document = embed(b"p: '{another text}'", string).unwrap();
        let root = document.root().unwrap();
        assert_eq!(root.get("a").unwrap().span(), string.span());
        assert_eq!(root.get("a").unwrap().pointer(), "/p/a");
    }

    /// The quotes of a string are no part of what a fix replaces, escaped or not.
    #[test]
    fn escaped_quotes_are_quotes() {
        for text in [r#"["{\"a\": \"xyz\"}"]"#, r#"["{\u0022a\": \"xyz\u0022}"]"#] {
            let document = json::parse(text.as_bytes());
            let string = document.root().unwrap().elements().next().unwrap();
            let inner = embed(text.as_bytes(), string).unwrap();
            let value = inner.root().unwrap().get("a").unwrap();
            assert_eq!(&text[value.text_span().range()], "xyz");
        }
    }
}

//! The parts of sources that a finding is about, cut out and made printable.
//!
//! miette draws what an [`Excerpt`] holds. An excerpt is a text of its own: the
//! lines around each mark, each long line clipped to a window around its mark,
//! and everything that a terminal would obey instead of showing made visible.

use std::fmt::Write as _;
use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::finding::{Finding, Location};
use crate::text::{Source, Span};

/// Lines longer than this, in bytes, are clipped.
const LONG_LINE: usize = 160;
/// How much of a long line is shown on each side of a mark, in bytes.
const AROUND: usize = 48;

/// A place to be marked, with what to write at it.
#[derive(Debug)]
pub(crate) struct Mark<'f> {
    source: &'f Source,
    span: Span,
    message: Option<&'f str>,
    is_primary: bool,
}

/// A run of lines, or a window of one line, that is shown together.
struct Block<'f> {
    source: &'f Source,
    lines: Range<u32>,
    /// The bytes of the source that are shown.
    bytes: Range<usize>,
    is_clipped: bool,
    marks: Vec<Mark<'f>>,
}

/// A block as it was written into the excerpt.
#[derive(Debug)]
struct Written {
    name: String,
    text: Range<usize>,
    first_line: usize,
    /// Start of each mark in the excerpt, and its column in the source, 0-based.
    columns: Vec<(usize, usize)>,
}

/// What is shown of the sources that a finding is about.
#[derive(Debug)]
pub(super) struct Excerpt {
    text: String,
    blocks: Vec<Written>,
    /// The marks, by their place in the excerpt.
    pub(super) labels: Vec<LabeledSpan>,
}

impl Excerpt {
    /// Cuts out what a finding speaks of: its own place and its labels'.
    pub(super) fn of(finding: &Finding) -> Self {
        let primary = Mark::new(&finding.location, finding.here.as_deref(), true);
        let labels = finding.labels.iter();
        let others =
            labels.filter_map(|label| Mark::new(&label.location, Some(&label.message), false));
        Self::around(primary.into_iter().chain(others).collect())
    }

    /// Cuts out what is around marks.
    pub(super) fn around(marks: Vec<Mark<'_>>) -> Self {
        let mut excerpt = Self {
            // As much as few marks take.
            text: String::with_capacity(4 * LONG_LINE),
            blocks: Vec::new(),
            labels: Vec::new(),
        };
        for block in blocks(marks) {
            excerpt.write(block);
        }
        excerpt
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    fn write(&mut self, mut block: Block<'_>) {
        let start = self.text.len();
        let bytes = block.source.bytes();
        let line = |number| block.source.line(number);
        if block.is_clipped && block.bytes.start > line(block.lines.start).start {
            self.text.push('…');
        }
        let mut columns = Vec::new();
        let mut at = block.bytes.start;
        block.marks.sort_by_key(|mark| mark.span);
        let mut starts = vec![None; block.marks.len()];
        let mut ends = vec![None; block.marks.len()];
        // Where the next mark begins or ends.
        let mut next = 0;
        for chunk in bytes[block.bytes.clone()].utf8_chunks() {
            let invalid = chunk
                .invalid()
                .iter()
                .map(|_| (char::REPLACEMENT_CHARACTER, 1));
            let valid = chunk.valid().chars().map(|shown| (shown, shown.len_utf8()));
            for (character, length) in valid.chain(invalid) {
                if next <= at {
                    next = usize::MAX;
                    let spans = block.marks.iter().map(|mark| mark.span);
                    for (span, places) in spans.zip(starts.iter_mut().zip(&mut ends)) {
                        for (offset, place) in [(span.start, places.0), (span.end, places.1)] {
                            let offset = offset as usize;
                            if offset > at {
                                next = next.min(offset);
                            } else if place.is_none() {
                                *place = Some(self.text.len());
                            }
                        }
                    }
                }
                push_visible(&mut self.text, character);
                at += length;
            }
        }
        let end = self.text.len();
        if block.is_clipped && block.bytes.end < line(block.lines.start).end {
            self.text.push('…');
        }
        for ((mark, from), to) in block.marks.iter().zip(starts).zip(ends) {
            let from = from.unwrap_or(end);
            let range = from..to.unwrap_or(end).max(from);
            let position = block.source.position(mark.span.start);
            columns.push((range.start, position.column as usize - 1));
            let message = mark.message.map(visible);
            let span = SourceSpan::from(range);
            self.labels.push(if mark.is_primary {
                LabeledSpan::new_primary_with_span(message, span)
            } else {
                LabeledSpan::new_with_span(message, span)
            });
        }
        self.blocks.push(Written {
            name: visible(block.source.name()),
            text: start..self.text.len(),
            first_line: block.lines.start as usize - 1,
            columns,
        });
        // Keeps blocks apart: a mark at the end of one is not in the next.
        self.text.push('\n');
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let holds = |block: &&Written| block.text.start <= start && end <= block.text.end;
        let block = self
            .blocks
            .iter()
            .find(holds)
            .ok_or(MietteError::OutOfBounds)?;
        let before = &self.text[block.text.start..start];
        let line = block.first_line + before.matches('\n').count();
        // Asked without context, miette wants to know where the mark itself is.
        let (range, line, column) = if context_lines_before == 0 {
            let column = block.columns.iter().find(|&&(at, _)| at == start);
            (start..end, line, column.map_or(0, |&(_, column)| column))
        } else {
            (block.text.clone(), block.first_line, 0)
        };
        let data = &self.text[range.clone()];
        let lines = data.matches('\n').count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            block.name.clone(),
            data.as_bytes(),
            SourceSpan::from(range),
            line,
            column,
            lines,
        )))
    }
}

impl<'f> Mark<'f> {
    /// `None` for a place that has no span. The excerpt begins with the place of what is primary.
    pub(crate) fn new(
        location: &'f Location,
        message: Option<&'f str>,
        is_primary: bool,
    ) -> Option<Self> {
        let span = location.span?;
        let source = location.source.as_ref();
        // A mark over many lines, or over much of a long one, stands at its beginning.
        let line = source.line(source.position(span.start).line);
        let longest = if line.len() > LONG_LINE {
            AROUND
        } else {
            LONG_LINE
        };
        let end = (span.end as usize)
            .min(line.end)
            .min(span.start as usize + longest);
        let span = Span::new(span.start, (end as u32).max(span.start));
        Some(Mark {
            source,
            span,
            message,
            is_primary,
        })
    }
}

/// Puts marks that are close to each other into one block.
fn blocks(marks: Vec<Mark<'_>>) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for mark in marks {
        let mut block = block(mark);
        let near = blocks.iter().position(|other| {
            std::ptr::eq(other.source, block.source)
                && other.is_clipped == block.is_clipped
                && other.bytes.start <= block.bytes.end + 1
                && block.bytes.start <= other.bytes.end + 1
                && other.bytes.end.max(block.bytes.end) - other.bytes.start.min(block.bytes.start)
                    <= 2 * LONG_LINE
        });
        match near {
            Some(index) => {
                let other = &mut blocks[index];
                other.bytes.start = other.bytes.start.min(block.bytes.start);
                other.bytes.end = other.bytes.end.max(block.bytes.end);
                other.lines.start = other.lines.start.min(block.lines.start);
                other.lines.end = other.lines.end.max(block.lines.end);
                other.marks.append(&mut block.marks);
            }
            None => blocks.push(block),
        }
    }
    blocks
}

fn block(mark: Mark<'_>) -> Block<'_> {
    let source = mark.source;
    let line = source.position(mark.span.start).line;
    let own = source.line(line);
    let is_clipped = own.len() > LONG_LINE;
    let (mut lines, mut bytes) = (line..line + 1, own.clone());
    if is_clipped {
        let start = (mark.span.start as usize).saturating_sub(AROUND);
        let end = (mark.span.end as usize + AROUND).min(own.end);
        bytes = at_character(source, start.max(own.start))..at_character(source, end);
    } else {
        // A long neighbour is left out rather than clipped.
        let before = (line > 1).then(|| source.line(line - 1));
        if let Some(before) = before.filter(|it| it.len() <= LONG_LINE) {
            lines.start -= 1;
            bytes.start = before.start;
        }
        let after = source.line(line + 1);
        if after.len() <= LONG_LINE {
            lines.end += 1;
            bytes.end = after.end;
        }
    }
    Block {
        source,
        is_clipped,
        lines,
        bytes,
        marks: vec![mark],
    }
}

/// The nearest offset at or before `at` where a character begins.
fn at_character(source: &Source, at: usize) -> usize {
    let is_inside = |at: usize| {
        source
            .bytes()
            .get(at)
            .is_some_and(|byte| byte & 0xc0 == 0x80)
    };
    let earliest = at.saturating_sub(3);
    (earliest..=at)
        .rev()
        .find(|&at| !is_inside(at))
        .unwrap_or(at)
}

/// A text that a terminal shows and does not obey.
pub(crate) fn visible(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || character == '\t' {
            shown.extend(character.escape_default());
        } else {
            push_visible(&mut shown, character);
        }
    }
    shown
}

fn push_visible(text: &mut String, character: char) {
    let turns_direction = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match character {
        ' '..='~' | '\n' | '\t' => text.push(character),
        '\r' => {}
        '\0'..'\u{20}' => text.extend(char::from_u32(0x2400 + u32::from(character))),
        _ if character.is_control() || turns_direction || character == '\u{feff}' => {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
        }
        _ => text.push(character),
    }
}

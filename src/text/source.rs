//! A file as it was read, and the lines in it.

use std::sync::OnceLock;

/// A document's name and bytes. Shared by all findings that point into it.
#[derive(Debug, Default)]
pub struct Source {
    name: String,
    bytes: Vec<u8>,
    /// How many line feeds are before each block of [`BLOCK`] bytes; made when a position is first asked
    /// for.
    feeds_before: OnceLock<Vec<u32>>,
    /// Offsets at which a character begins, some distance from each other, and how many characters
    /// are before them; empty if all are ASCII.
    marks: OnceLock<Vec<(u32, u32)>>,
}

/// How many bytes are searched for line feeds at once. Few lines are ever asked for, so that to note
/// where each begins would cost more.
const BLOCK: usize = 128;

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// Offset in bytes, 0-based.
    pub byte: u32,
    /// Line, 1-based. Lines end with a line feed.
    pub line: u32,
    /// Column in Unicode scalar values, 1-based. Bytes that are no UTF-8 count one each.
    pub column: u32,
}

impl Source {
    /// What standard input is called.
    pub const STANDARD_INPUT: &str = "<stdin>";

    /// A source called `name`: a path as the user gave it, or
    /// [`Self::STANDARD_INPUT`].
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes,
            feeds_before: OnceLock::new(),
            marks: OnceLock::new(),
        }
    }

    /// What the user calls this source.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The range of bytes of a line, without its line feed; `line` is 1-based.
    /// A line past the end is empty.
    #[must_use]
    pub fn line(&self, line: u32) -> std::ops::Range<usize> {
        let end = self.feed(line.max(1)).unwrap_or(self.bytes.len());
        self.line_start(line)..end
    }

    /// Line and column of a byte offset. Offsets past the end count as the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let byte = offset.min(self.bytes.len() as u32);
        let block = byte as usize / BLOCK;
        let feeds = count_feeds(&self.bytes[block * BLOCK..byte as usize]);
        let line = self.feeds_before()[block] + feeds + 1;
        let start = self.line_start(line) as u32;
        Position {
            byte,
            line,
            column: self.characters(byte) - self.characters(start) + 1,
        }
    }

    /// Offset of a line's first byte; `line` is 1-based.
    fn line_start(&self, line: u32) -> usize {
        match line {
            0 | 1 => 0,
            _ => self.feed(line - 1).map_or(self.bytes.len(), |at| at + 1),
        }
    }

    /// Offset of a line feed; `number` is 1-based.
    fn feed(&self, number: u32) -> Option<usize> {
        let before = self.feeds_before();
        let block = before.partition_point(|&feeds| feeds < number) - 1;
        let left = number - before[block] - 1;
        let bytes = (block * BLOCK..).zip(&self.bytes[block * BLOCK..]);
        let mut feeds = bytes.filter(|&(_, byte)| *byte == b'\n');
        Some(feeds.nth(left as usize)?.0)
    }

    /// One more than there are whole blocks: the last may be empty.
    fn feeds_before(&self) -> &[u32] {
        self.feeds_before.get_or_init(|| {
            let mut feeds = 0;
            let mut before = Vec::with_capacity(self.bytes.len() / BLOCK + 1);
            before.push(0);
            for block in self.bytes.chunks_exact(BLOCK) {
                feeds += count_feeds(block);
                before.push(feeds);
            }
            before
        })
    }

    /// How many characters are before an offset. Counted from the start each time, those of a long
    /// line would take longer than all else.
    fn characters(&self, byte: u32) -> u32 {
        let marks = self.marks.get_or_init(|| self.find_marks());
        let next = marks.partition_point(|&(at, _)| at <= byte);
        let Some(&(at, before)) = next.checked_sub(1).and_then(|last| marks.get(last)) else {
            return byte;
        };
        let chunks = self.bytes[at as usize..byte as usize].utf8_chunks();
        let counts = chunks.map(|chunk| chunk.valid().chars().count() + chunk.invalid().len());
        before + counts.sum::<usize>() as u32
    }

    fn find_marks(&self) -> Vec<(u32, u32)> {
        const DISTANCE: u32 = 1 << 9;
        let mut marks: Vec<(u32, u32)> = Vec::new();
        if self.bytes.is_ascii() {
            return marks;
        }
        let (mut at, mut before) = (0, 0);
        for chunk in self.bytes.utf8_chunks() {
            let characters = chunk
                .valid()
                .chars()
                .map(|character| (character.len_utf8() as u32, 1));
            let invalid = chunk.invalid().len() as u32;
            for (bytes, count) in characters.chain([(invalid, invalid)]) {
                if marks.last().is_none_or(|&(last, _)| at - last >= DISTANCE) {
                    marks.push((at, before));
                }
                at += bytes;
                before += count;
            }
        }
        marks
    }
}

/// How many line feeds there are in a block, or less.
fn count_feeds(block: &[u8]) -> u32 {
    // Counted in bytes, many are at once.
    let feeds = block.iter().map(|&byte| u8::from(byte == b'\n'));
    feeds.sum::<u8>().into()
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Position, Source};

    /// A finding would be shown on another line than it is on.
    #[test]
    fn lines_begin_behind_line_feeds() {
        let short = b"\n\na\x8a\x0b\x09\n\xff\n\n12345678\nb\n\x00\n";
        let long = vec![b'x'; 2 * BLOCK];
        // The line feeds in the middle stand at every place of a block.
        for length in (0..=BLOCK + 2).chain([2 * BLOCK]) {
            let text = [&long[..length], short, &long, b"\n", short].concat();
            for bytes in [&text[..], &text[..length], &text[..=length]] {
                let source = Source::new("x", bytes.to_vec());
                let mut start = 0;
                let mut lines = 1;
                for line in bytes.split(|&byte| byte == b'\n') {
                    let end = start + line.len();
                    assert_eq!(source.line(lines), start..end, "{lines} behind {length}");
                    for offset in [start, end] {
                        let at = source.position(offset as u32);
                        let columns =
                            source.characters(offset as u32) - source.characters(start as u32);
                        assert_eq!(
                            (at.line, at.column),
                            (lines, columns + 1),
                            "{offset} behind {length}"
                        );
                    }
                    start = end + 1;
                    lines += 1;
                }
                assert_eq!(source.line(lines), bytes.len()..bytes.len());
            }
        }
    }

    /// A column counted in bytes would point a reader past the mistake on any
    /// line that holds another script before it.
    #[test]
    fn columns_count_characters() {
        let source = Source::new("x", "a\nüb\r\n".as_bytes().to_vec());
        let at = |offset| source.position(offset);
        assert_eq!(
            at(0),
            Position {
                byte: 0,
                line: 1,
                column: 1
            }
        );
        assert_eq!(
            at(2),
            Position {
                byte: 2,
                line: 2,
                column: 1
            }
        );
        assert_eq!(
            at(4),
            Position {
                byte: 4,
                line: 2,
                column: 2
            }
        );
        assert_eq!(
            at(7),
            Position {
                byte: 7,
                line: 3,
                column: 1
            }
        );
        assert_eq!(
            at(99),
            Position {
                byte: 7,
                line: 3,
                column: 1
            }
        );
        assert_eq!(source.line(2), 2..6);
        assert_eq!(source.line(9), 7..7);
    }

    /// A file that is no UTF-8 still has places to point at.
    #[test]
    fn bytes_that_are_no_utf8_have_a_column_each() {
        let source = Source::new("x", b"\xff\xfe\"".to_vec());
        assert_eq!(source.position(2).column, 3);
    }

    /// A reader is led to another place than the one that is meant, far into a long line.
    #[test]
    fn columns_of_long_lines_are_counted_on() {
        let line = [
            &b"a\n"[..],
            &"üb\u{1f980}".as_bytes().repeat(400),
            b"\xf0\x9f",
            &b"\xff".repeat(999),
        ]
        .concat();
        let source = Source::new("x", line.clone());
        for offset in 2..=line.len() {
            let chunks = line[2..offset].utf8_chunks();
            let counts = chunks.map(|it| it.valid().chars().count() + it.invalid().len());
            let column = counts.sum::<usize>() as u32 + 1;
            assert_eq!(source.position(offset as u32).column, column, "{offset}");
        }
    }
}

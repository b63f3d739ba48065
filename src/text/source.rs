//! A file as it was read, and the lines in it.

use std::sync::OnceLock;

/// A document's name and bytes. Shared by all findings that point into it.
#[derive(Debug, Default)]
pub struct Source {
    name: String,
    bytes: Vec<u8>,
    /// Offset of each line's first byte; made when a position is first asked for.
    line_starts: OnceLock<Vec<u32>>,
    /// Offsets at which a character begins, some distance from each other, and how many characters
    /// are before them; empty if all are ASCII.
    marks: OnceLock<Vec<(u32, u32)>>,
}

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
            line_starts: OnceLock::new(),
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
        let starts = self.line_starts();
        let index = (line as usize).saturating_sub(1);
        let Some(&start) = starts.get(index) else {
            return self.bytes.len()..self.bytes.len();
        };
        let end = starts
            .get(index + 1)
            .map_or(self.bytes.len(), |&next| next as usize - 1);
        start as usize..end
    }

    /// Line and column of a byte offset. Offsets past the end count as the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let byte = offset.min(self.bytes.len() as u32);
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= byte);
        let start = starts.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        Position {
            byte,
            line: line as u32,
            column: self.characters(byte) - self.characters(start) + 1,
        }
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

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            // Lines are short, so that to look at eight bytes at once costs less than a search for each.
            let (words, rest) = self.bytes.as_chunks::<8>();
            let mut starts = Vec::with_capacity(self.bytes.len() / 16 + 1);
            starts.push(0);
            for (place, &word) in words.iter().enumerate() {
                let mut feeds = feeds(u64::from_le_bytes(word));
                while feeds != 0 {
                    starts.push(place as u32 * 8 + feeds.trailing_zeros() / 8 + 1);
                    feeds &= feeds - 1;
                }
            }
            for (place, _) in (1..).zip(rest).filter(|(_, byte)| **byte == b'\n') {
                starts.push(words.len() as u32 * 8 + place);
            }
            starts
        })
    }
}

/// The highest bit of each byte that is a line feed.
const fn feeds(word: u64) -> u64 {
    const LOWER: u64 = u64::from_le_bytes([0x7f; 8]);
    let others = word ^ u64::from_le_bytes([b'\n'; 8]);
    !(((others & LOWER) + LOWER) | others | LOWER)
}

#[cfg(test)]
mod tests {
    use super::{Position, Source};

    /// A finding would be shown on another line than it is on.
    #[test]
    fn lines_begin_behind_line_feeds() {
        let bytes = b"\n\na\x8a\x0b\x09\n\xff\n\n\n\n\n\n\n\n\n12345678\nb\n\x00\n".repeat(5);
        for end in 0..bytes.len() {
            let source = Source::new("x", bytes[..end].to_vec());
            let lines = bytes[..end].split(|&byte| byte == b'\n');
            let mut start = 0;
            for (number, line) in (1..).zip(lines) {
                assert_eq!(source.line(number), start..start + line.len(), "{number}");
                start += line.len() + 1;
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

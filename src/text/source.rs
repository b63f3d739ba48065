//! A file as it was read, and the lines in it.

use std::sync::OnceLock;

/// A document's name and bytes. Shared by all findings that point into it.
#[derive(Debug, Default)]
pub struct Source {
    name: String,
    bytes: Vec<u8>,
    /// Offset of each line's first byte; made when a position is first asked for.
    line_starts: OnceLock<Vec<u32>>,
    is_ascii: OnceLock<bool>,
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
            is_ascii: OnceLock::new(),
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
        let before = &self.bytes[start as usize..byte as usize];
        if *self.is_ascii.get_or_init(|| self.bytes.is_ascii()) {
            // Most are, and counting would make long lines slow.
            return Position {
                byte,
                line: line as u32,
                column: byte - start + 1,
            };
        }
        let column = before
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
            .sum::<usize>();
        Position {
            byte,
            line: line as u32,
            column: column as u32 + 1,
        }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let feeds = memchr::memchr_iter(b'\n', &self.bytes);
            std::iter::once(0)
                .chain(feeds.map(|at| at as u32 + 1))
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, Source};

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
}

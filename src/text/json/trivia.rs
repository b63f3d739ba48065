//! What stands between tokens: white space, and comments, which JSON does not have.

use super::{Reader, table};
use crate::text::DeviationKind as Deviates;

/// The white space of RFC 8259.
static BLANK: [bool; 256] = table(b" \n\r\t");

/// What white space and comments may begin with. Before most tokens is neither.
static TRIVIA: [bool; 256] = {
    let mut table = table(b" \n\r\t#/\x0b\x0c");
    let mut byte = 0x80;
    while byte < table.len() {
        table[byte] = true;
        byte += 1;
    }
    table
};

impl Reader<'_> {
    /// White space and comments.
    pub(super) fn skip_trivia(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at)
            && TRIVIA[usize::from(byte)]
        {
            let rest = &self.bytes[self.at..];
            match *rest {
                [b' ' | b'\n' | b'\r' | b'\t', ..] => {
                    let blank = rest.iter().position(|&byte| !BLANK[usize::from(byte)]);
                    self.at += blank.unwrap_or(rest.len());
                }
                [b'#', ..] | [b'/', b'/', ..] => self.line_comment(),
                [b'/', b'*', ..] => self.block_comment(),
                [0x0b | 0x0c, ..] => {
                    self.deviate(Deviates::NonJsonWhitespace, self.at, self.at + 1);
                    self.at += 1;
                }
                [0x80..=0xff, ..] if self.skip_foreign_space() => {}
                _ => return,
            }
        }
    }

    /// White space beyond ASCII, if there is any here.
    fn skip_foreign_space(&mut self) -> bool {
        let rest = self.text.get(self.at..);
        let Some(space) = rest.and_then(|rest| rest.chars().next()) else {
            return false;
        };
        if !space.is_whitespace() && !"\u{feff}\u{200b}\u{2060}".contains(space) {
            return false;
        }
        let end = self.at + space.len_utf8();
        self.deviate(Deviates::NonJsonWhitespace, self.at, end);
        self.at = end;
        true
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        self.at = start + length.unwrap_or(rest.len());
        self.deviate(Deviates::Comment, start, self.at);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let body = &self.bytes[start + 2..];
        if let Some(length) = body.windows(2).position(|pair| pair == b"*/") {
            self.at = start + 2 + length + 2;
            self.deviate(Deviates::Comment, start, self.at);
        } else {
            self.at = self.bytes.len();
            self.deviate(Deviates::UnterminatedComment, start, self.at);
        }
    }
}

//! What stands between tokens: white space, and comments, which JSON does not have.

use super::Reader;
use crate::text::DeviationKind as Deviates;

/// What a byte between tokens begins. A look-up is cheaper than comparisons.
#[derive(Clone, Copy)]
enum Begins {
    Token,
    /// The white space of RFC 8259.
    Blank,
    /// What JSON does not have between tokens, or else a token.
    Odd,
}

static BEGINS: [Begins; 256] = {
    let mut begins = [Begins::Token; 256];
    let mut byte = 0;
    while byte < begins.len() {
        begins[byte] = match byte as u8 {
            b' ' | b'\n' | b'\r' | b'\t' => Begins::Blank,
            b'#' | b'/' | 0x0b | 0x0c | 0x80.. => Begins::Odd,
            _ => Begins::Token,
        };
        byte += 1;
    }
    begins
};

impl Reader<'_> {
    /// Skips white space and comments; the byte behind them, or `None` at the end.
    pub(super) fn next_token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match BEGINS[usize::from(byte)] {
                // A step at a time: processors guess right how many there are.
                Begins::Blank => self.at += 1,
                Begins::Odd if self.skip_odd() => {}
                _ => return Some(byte),
            }
        }
    }

    /// What JSON does not have between tokens, if any of it is here.
    #[cold]
    fn skip_odd(&mut self) -> bool {
        match self.bytes[self.at..] {
            [b'#', ..] | [b'/', b'/', ..] => self.line_comment(),
            [b'/', b'*', ..] => self.block_comment(),
            [0x0b | 0x0c, ..] => {
                self.deviate(Deviates::NonJsonWhitespace, self.at, self.at + 1);
                self.at += 1;
            }
            _ => return self.skip_foreign_space(),
        }
        true
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

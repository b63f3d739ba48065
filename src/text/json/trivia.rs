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

/// How much of the white space that bytes begin with can be skipped at once, at least one: eight at a
/// time, since a profile has more of it than of tokens.
fn blank_length(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const LOWER: u64 = EACH * 0x7f;
    // The highest bit of each byte that is another one.
    const fn differs(word: u64, byte: u8) -> u64 {
        let others = word ^ (EACH * byte as u64);
        ((others & LOWER) + LOWER) | others
    }
    let Some(&word) = bytes.first_chunk::<8>() else {
        return 1;
    };
    let word = u64::from_le_bytes(word);
    let spaces = differs(word, b' ') & differs(word, b'\t');
    let ends = spaces & differs(word, b'\n') & differs(word, b'\r') & !LOWER;
    ends.trailing_zeros() as usize / 8
}

impl Reader<'_> {
    /// Skips white space and comments; the byte behind them, or `None` at the end.
    pub(super) fn next_token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match BEGINS[usize::from(byte)] {
                Begins::Blank => self.at += blank_length(&self.bytes[self.at..]),
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

#[cfg(test)]
mod tests {
    use super::blank_length;

    /// A token that is taken for white space is one that nobody lints.
    #[test]
    fn white_space_ends_at_the_first_token() {
        for (byte, blank) in (0..=u8::MAX).flat_map(|byte| b" \t\n\r".map(|blank| (byte, blank))) {
            for place in 1..8 {
                let mut bytes = [blank; 9];
                bytes[place] = byte;
                let is_blank = b" \t\n\r".contains(&byte);
                let expected = if is_blank { 8 } else { place };
                assert_eq!(blank_length(&bytes), expected, "{byte} at {place}");
            }
        }
    }
}

//! Strings: quotes, escapes, and where a forgotten quote belongs.

use std::borrow::Cow;

use super::Reader;
use crate::text::{DeviationKind as Deviates, Dress, Kind};

/// How many bytes stand before the first that a string cannot be read past without a look: its quote,
/// a backslash, or a control character. Eight at a time, since most of a profile is strings.
fn run_length(bytes: &[u8], quote: u8) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, &word) in words.iter().enumerate() {
        let ends = run_ends(u64::from_le_bytes(word), quote);
        if ends != 0 {
            return place * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    // Seldom: what is left of the file ends with no string.
    let mut word = [quote; 8];
    for (byte, last) in word.iter_mut().zip(rest) {
        *byte = *last;
    }
    let ends = run_ends(u64::from_le_bytes(word), quote);
    words.len() * 8 + (ends.trailing_zeros() as usize / 8).min(rest.len())
}

/// The highest bit of each byte that ends a run; above the lowest of them others may be set too.
const fn run_ends(word: u64, quote: u8) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = EACH << 7;
    // Borrows go upwards, so that the lowest byte below a limit is found for certain.
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(EACH * limit as u64) & !word
    }
    const fn equal(word: u64, byte: u8) -> u64 {
        below(word ^ (EACH * byte as u64), 1)
    }
    (equal(word, quote) | equal(word, b'\\') | below(word, b' ')) & HIGHEST
}

/// Bytes as text; each that is no UTF-8 becomes a U+FFFD of its own, as Go has it.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let bad = chunk.invalid().iter();
        text.extend(bad.map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

impl<'s> Reader<'s> {
    /// Reads a string in either kind of quotes into a node.
    pub(super) fn push_string(&mut self, quote: u8) {
        let body = self.at + 1;
        let length = run_length(self.bytes.get(body..).unwrap_or_default(), quote);
        let end = body + length;
        if quote == b'"'
            && self.bytes.get(end) == Some(&quote)
            && let Some(text) = self.text.get(body..end)
        {
            // Almost all are like that.
            self.push_quoted(Cow::Borrowed(text), body - 1, end + 1, true);
        } else {
            self.push_odd_string(quote);
        }
    }

    /// Adds the node of a string, and goes on behind it.
    fn push_quoted(&mut self, text: Cow<'s, str>, start: usize, end: usize, is_closed: bool) {
        self.at = end;
        self.push_dressed(Kind::String(text), Dress::quotes(is_closed), start, end);
    }

    /// Reads a string with escapes, or something wrong.
    #[cold]
    fn push_odd_string(&mut self, quote: u8) {
        let start = self.at;
        let singles = self.deviations.len();
        self.at += 1;
        let mut unescaped: Option<String> = None;
        let mut piece = self.at;
        let mut spans_lines = false;
        let end = loop {
            self.at += run_length(&self.bytes[self.at..], quote);
            match self.bytes.get(self.at) {
                Some(&byte) if byte == quote => {
                    self.at += 1;
                    break self.at - 1;
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(&self.slice(piece, self.at));
                    let character = self.escape(quote);
                    unescaped.get_or_insert_default().extend(character);
                    piece = self.at;
                }
                Some(b'\n' | b'\r') if !spans_lines && !self.closes_further_on(quote) => {
                    self.deviate(Deviates::UnterminatedString, start, self.at);
                    break self.at;
                }
                // Nothing else ends a run: a control character.
                Some(_) => {
                    spans_lines |= matches!(self.bytes[self.at], b'\n' | b'\r');
                    self.deviate(Deviates::ControlCharacter, self.at, self.at + 1);
                    self.at += 1;
                }
                None => {
                    self.deviate(Deviates::UnterminatedString, start, self.at);
                    break self.at;
                }
            }
        };
        if quote == b'\'' {
            self.deviate(Deviates::SingleQuotes, start, self.at);
            // Found last, but it begins first.
            if let Some(found) = self.deviations.get_mut(singles..) {
                found.rotate_right(found.len().min(1));
            }
        }
        let last = self.slice(piece, end);
        let text = match unescaped {
            Some(text) => Cow::Owned(text + &last),
            None => last,
        };
        self.push_quoted(text, start, self.at, end < self.at);
    }

    /// Whether a string that meets a line end goes on to a quote that closes it,
    /// rather than to one that opens the next string: then a quote was forgotten.
    fn closes_further_on(&self, quote: u8) -> bool {
        let rest = &self.bytes[self.at..];
        let Some(next) = rest.iter().position(|&byte| byte == quote) else {
            return false;
        };
        let after = rest[next + 1..].trim_ascii_start().first();
        matches!(after, None | Some(b',' | b':' | b']' | b'}'))
    }

    /// Reads one escape, the reader being at its backslash. `None` where it
    /// stands for nothing.
    fn escape(&mut self, quote: u8) -> Option<char> {
        let start = self.at;
        let letter = self.bytes.get(start + 1).copied();
        self.at += 2;
        Some(match letter {
            Some(b'u') => return Some(self.unicode_escape(start)),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'\'') if quote == b'\'' => '\'',
            _ => {
                // What follows is read as if the backslash were not there.
                self.at = start + 1;
                let shown = usize::from(letter.is_some_and(|byte| byte.is_ascii_graphic()));
                self.deviate(Deviates::BadEscape, start, start + 1 + shown);
                return None;
            }
        })
    }

    /// Reads `\uXXXX`, or the two of a surrogate pair, beginning at `start`.
    fn unicode_escape(&mut self, start: usize) -> char {
        let Some(unit) = self.hex_unit(start) else {
            let digits = self.bytes[self.at..]
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            self.at += digits;
            self.deviate(Deviates::BadUnicodeEscape, start, self.at);
            return char::REPLACEMENT_CHARACTER;
        };
        self.at = start + 6;
        if let Some(character) = char::from_u32(unit) {
            return character;
        }
        let pair = (unit < 0xdc00).then(|| self.hex_unit(self.at)).flatten();
        if let Some(low @ 0xdc00..=0xdfff) = pair {
            self.at += 6;
            let scalar = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        self.deviate(Deviates::LoneSurrogate, start, self.at);
        char::REPLACEMENT_CHARACTER
    }

    /// The UTF-16 code unit of a `\uXXXX` at `at`.
    fn hex_unit(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, &digit| {
            Some(unit * 16 + char::from(digit).to_digit(16)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::run_length;

    /// A profile whose strings are cut short, or run on, is another profile.
    #[test]
    fn a_run_ends_at_the_first_byte_that_ends_it() {
        for (first, second) in (0..=u8::MAX).flat_map(|it| [(it, b'x'), (it, b'"'), (it, 0xff)]) {
            for (place, quote) in (0..20).flat_map(|it| [(it, b'"'), (it, b'\'')]) {
                let mut bytes = [b'a'; 24];
                bytes[place] = first;
                bytes[place + 1] = second;
                let ends = |&byte: &u8| {
                    [quote, b'\\'].contains(&byte) || byte.is_ascii_control() && byte != 0x7f
                };
                let end = bytes.iter().position(ends);
                assert_eq!(
                    run_length(&bytes, quote),
                    end.unwrap_or(24),
                    "{first} at {place}"
                );
            }
        }
    }
}

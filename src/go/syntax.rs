//! What Go takes for JSON, and how it says what is not.

use super::Error;
use crate::text::Span;

/// Nesting that Go refuses to go beyond (`maxNestingDepth`).
const MAX_DEPTH: usize = 10_000;

/// Checks that a text is JSON to Go: RFC 8259, but bytes that are no UTF-8 and halves of surrogate
/// pairs may stand in strings.
///
/// The words are those of Go up to 1.26 (`scanner.go`). Go 1.27 has others for escapes, for
/// characters beyond ASCII, and for a text that ends within a word or number.
pub(super) fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut scanner = Scanner { bytes, at: 0 };
    // For each open bracket whether it is an object's.
    let mut open: Vec<bool> = Vec::new();
    loop {
        scanner.skip_space();
        match scanner.peek()? {
            bracket @ (b'{' | b'[') => {
                let is_object = bracket == b'{';
                if open.len() == MAX_DEPTH {
                    return Err(scanner.error("exceeded max depth".to_owned()));
                }
                open.push(is_object);
                scanner.at += 1;
                scanner.skip_space();
                let is_empty = scanner.peek()? == if is_object { b'}' } else { b']' };
                if !is_empty {
                    if is_object {
                        scanner.key()?;
                    }
                    continue;
                }
            }
            b'"' => scanner.string()?,
            b'-' | b'0'..=b'9' => scanner.number()?,
            b't' => scanner.literal("true")?,
            b'f' => scanner.literal("false")?,
            b'n' => scanner.literal("null")?,
            _ => return Err(scanner.unexpected("looking for beginning of value")),
        }
        loop {
            scanner.skip_space();
            let Some(&is_object) = open.last() else {
                return match scanner.bytes.get(scanner.at) {
                    None => Ok(()),
                    Some(_) => Err(scanner.unexpected("after top-level value")),
                };
            };
            match (scanner.peek()?, is_object) {
                (b',', _) => {
                    scanner.at += 1;
                    if is_object {
                        scanner.skip_space();
                        scanner.peek()?;
                        scanner.key()?;
                    }
                    break;
                }
                (b'}', true) | (b']', false) => {
                    scanner.at += 1;
                    open.pop();
                }
                (_, true) => return Err(scanner.unexpected("after object key:value pair")),
                (_, false) => return Err(scanner.unexpected("after array element")),
            }
        }
    }
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Scanner<'_> {
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, Error> {
        let byte = self.bytes.get(self.at).copied();
        byte.ok_or_else(|| self.error("unexpected end of JSON input".to_owned()))
    }

    /// The byte here; at the end of the text a space, which is what Go then tries.
    fn peek_or_space(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(b' ')
    }

    fn error(&self, words: String) -> Error {
        let start = self.at.min(self.bytes.len()) as u32;
        let end = (self.at + 1).min(self.bytes.len()) as u32;
        let span = Span::new(start, end);
        Error::Syntax { words, span }
    }

    fn unexpected(&self, context: &str) -> Error {
        let shown = quote(self.peek_or_space());
        self.error(format!("invalid character {shown} {context}"))
    }

    fn key(&mut self) -> Result<(), Error> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        self.string()?;
        self.skip_space();
        if self.peek()? != b':' {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Error> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                // Go 1.27 leaves out the word `literal` that comes here.
                0..0x20 => return Err(self.unexpected("in string")),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        self.at += 1;
        match self.peek_or_space() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => self.at += 1,
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek_or_space().is_ascii_hexdigit() {
                        return Err(self.unexpected("in \\u hexadecimal character escape"));
                    }
                }
                self.at += 1;
            }
            _ => return Err(self.unexpected("in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Error> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek_or_space() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek_or_space() == b'.' {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let b'e' | b'E' = self.peek_or_space() {
            self.at += 1;
            if let b'+' | b'-' = self.peek_or_space() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), Error> {
        if !self.peek_or_space().is_ascii_digit() {
            return Err(self.unexpected(context));
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.peek_or_space().is_ascii_digit() {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Error> {
        for letter in word.bytes() {
            if self.peek_or_space() != letter {
                let letter = char::from(letter);
                let context = format!("in literal {word} (expecting '{letter}')");
                return Err(self.unexpected(&context));
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// A byte in single quotes, as Go's `quoteChar` writes the character of that number.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check;
    use crate::go::Error;
    use crate::text::{DeviationKind, json};

    fn words(text: &[u8]) -> String {
        match check(text) {
            Ok(()) => "ok".to_owned(),
            Err(Error::Syntax { words, .. }) => words,
            Err(other) => panic!("{other}"),
        }
    }

    /// A user who looks for the message that an engine gave would not find it here. The messages
    /// are what podman 5.4.2 printed.
    #[test]
    fn mistakes_are_told_in_gos_words() {
        let told: [(&[u8], &str); 14] = [
            (b"", "unexpected end of JSON input"),
            (b"{", "unexpected end of JSON input"),
            (b"{\"a", "unexpected end of JSON input"),
            (
                b"\xef\xbb\xbf{}",
                "invalid character 'ï' looking for beginning of value",
            ),
            (
                b"{// x",
                "invalid character '/' looking for beginning of object key string",
            ),
            (
                b"{\"a\":1,}",
                "invalid character '}' looking for beginning of object key string",
            ),
            (b"{\"a\" 1}", "invalid character '1' after object key"),
            (
                b"{\"a\":1 \"b\":2}",
                "invalid character '\"' after object key:value pair",
            ),
            (b"[1 2]", "invalid character '2' after array element"),
            (b"[013]", "invalid character '1' after array element"),
            (b"[\"a\tb\"]", "invalid character '\\t' in string"),
            (
                b"['a']",
                "invalid character '\\'' looking for beginning of value",
            ),
            (
                b"[nul]",
                "invalid character ']' in literal null (expecting 'l')",
            ),
            (b"{} {}", "invalid character '{' after top-level value"),
        ];
        for (text, expected) in told {
            assert_eq!(words(text), expected, "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        /// Two readers of one text must agree on whether it is JSON: where they do not, either the
        /// syntax rule is silent on a profile that engines refuse, or an engine is said to refuse
        /// what it takes.
        #[test]
        fn it_agrees_with_the_reader_of_documents(
            text in r#"([\[\]{}:,"]|"[a-z]{0,2}"|-?[0-9]{1,2}(\.[0-9])?(e[0-9])?|true|null|[ \n\\']|\\u00e9|\xff){0,12}"#
        ) {
            let bytes = text.as_bytes();
            let document = json::parse(bytes);
            let is_json = document.deviations().iter().all(|deviation| {
                matches!(
                    deviation.kind,
                    DeviationKind::BadUtf8 | DeviationKind::LoneSurrogate | DeviationKind::TooDeep
                )
            });
            prop_assert_eq!(check(bytes).is_ok(), is_json, "{}: {:?}", text, document.deviations());
        }
    }
}

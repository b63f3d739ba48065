//! What the two parsers make of words, numbers and bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Parser;
use crate::text::Kind;

/// `true`, `false` and `null` in any case of letters.
pub(super) fn literal(word: &[u8]) -> Option<Kind<'static>> {
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if is(b"null") {
        Some(Kind::Null)
    } else {
        let is_true = is(b"true");
        (is_true || is(b"false")).then_some(Kind::Bool(is_true))
    }
}

/// Whether json-c takes a number that is none of JSON's: digits may be missing after the point and
/// in the exponent.
pub(super) fn is_json_c_number(word: &[u8]) -> bool {
    let digits = |word: &[u8]| word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(unsigned);
    let mut rest = unsigned.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction.get(digits(fraction)..).unwrap_or_default();
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+"));
        let exponent = unsigned.unwrap_or(exponent);
        rest = exponent.get(digits(exponent)..).unwrap_or_default();
    }
    whole > 0 && rest.is_empty()
}

/// A number as json-c writes it again: whole ones kept within 64 bits, others as they were, but for
/// an exponent that has no digits.
pub(super) fn json_c_number(written: &str) -> Cow<'_, str> {
    let written = written.trim_end_matches(['e', 'E', '+', '-']);
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", written),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(written);
    }
    let digits = digits.trim_start_matches('0');
    let number = match (sign, digits.parse::<u64>()) {
        _ if digits.is_empty() => "0".to_owned(),
        ("", number) => number.unwrap_or(u64::MAX).to_string(),
        (_, number) => format!("-{}", number.unwrap_or(u64::MAX).min(1 << 63)),
    };
    Cow::Owned(number)
}

/// C's `strtoull` of a whole string: a minus wraps around.
pub(super) fn strtoull(text: &str) -> Result<u64, &'static str> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("Invalid argument");
    }
    let number: u64 = digits
        .parse()
        .map_err(|_| "Numerical result out of range")?;
    Ok(if is_negative {
        number.wrapping_neg()
    } else {
        number
    })
}

/// Whether yajl takes bytes for UTF-8: it looks at the shape of sequences only.
pub(super) fn is_utf8_to_yajl(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let length = match first {
            0x00..=0x7f => 0,
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => return false,
        };
        let is_continued = |bytes: &[u8]| bytes.iter().all(|byte| byte >> 6 == 0b10);
        match after.split_at_checked(length) {
            Some((sequence, after)) if is_continued(sequence) => rest = after,
            _ => return false,
        }
    }
    true
}

/// The bytes that a parser makes of what stands between two quotes.
pub(super) fn decode(raw: &[u8], parser: Parser) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        if byte != b'\\' {
            bytes.push(byte);
            at += 1;
            continue;
        }
        let letter = raw.get(at + 1).copied().unwrap_or_default();
        let Some(unit) = hex_unit(&raw[at..]) else {
            bytes.push(match letter {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                other => other,
            });
            at += 2;
            continue;
        };
        at += 6;
        let next = raw.get(at..).and_then(hex_unit);
        match (unit, next) {
            (0xd800..=0xdbff, Some(low)) if parser == Parser::Yajl || low & 0xfc00 == 0xdc00 => {
                at += 6;
                push(
                    &mut bytes,
                    0x1_0000 + ((unit & 0x3ff) << 10) + (low & 0x3ff),
                );
            }
            // yajl gives up on a high half, and lets a low one pass.
            (0xd800..=0xdbff, _) if parser == Parser::Yajl => bytes.push(b'?'),
            (0xd800..=0xdfff, _) if parser == Parser::JsonC => push(&mut bytes, 0xfffd),
            _ => push(&mut bytes, unit),
        }
    }
    bytes
}

/// The code unit of a `\uXXXX` that the bytes begin with.
pub(super) fn hex_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| {
        Some(unit * 16 + char::from(digit).to_digit(16)?)
    })
}

/// A code point in UTF-8, surrogates included, which no `char` can be.
pub(super) fn push(bytes: &mut Vec<u8>, point: u32) {
    if let Some(character) = char::from_u32(point) {
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let low_six = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
        bytes.extend_from_slice(&[0xe0 | (point >> 12) as u8, low_six(6), low_six(0)]);
    }
}

pub(super) fn write_json_c_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '/' => text.push_str("\\/"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

//! What a number is, and what keeps a word from being one.

use crate::text::DeviationKind as Deviates;

/// What keeps a word from being a number of RFC 8259; `None` if it is one.
pub(super) fn deviation(word: &[u8]) -> Option<Deviates> {
    let unsigned = word.strip_prefix(b"-").unwrap_or(word);
    let magnitude = word.strip_prefix(b"+").unwrap_or(unsigned);
    // Of leading zeros, one may stay, if no other digit follows it.
    let zeros = unsigned.iter().take_while(|&&byte| byte == b'0').count();
    let is_followed = unsigned.get(zeros).is_some_and(u8::is_ascii_digit);
    let superfluous = if is_followed {
        zeros
    } else {
        zeros.saturating_sub(1)
    };
    let significant = &unsigned[superfluous..];
    if !is_unsigned_number(significant) {
        let names = ["nan", "inf", "infinity"];
        if names
            .iter()
            .any(|name| magnitude.eq_ignore_ascii_case(name.as_bytes()))
        {
            return Some(Deviates::NonFinite);
        }
        let starts_number = matches!(word, [b'0'..=b'9' | b'+' | b'-' | b'.', ..]);
        return Some(if starts_number {
            Deviates::BadNumber
        } else {
            Deviates::BadLiteral
        });
    }
    (significant.len() != unsigned.len()).then_some(Deviates::LeadingZero)
}

/// RFC 8259's number without its sign, and without a look at leading zeros.
fn is_unsigned_number(word: &[u8]) -> bool {
    fn digits(word: &[u8]) -> Option<&[u8]> {
        let count = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then(|| &word[count..])
    }
    let fraction = |word: &'_ [u8]| -> Option<usize> {
        let rest = match word {
            [b'.', rest @ ..] => digits(rest)?,
            _ => word,
        };
        let rest = match rest {
            [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => digits(rest)?,
            _ => rest,
        };
        Some(rest.len())
    };
    digits(word).and_then(fraction) == Some(0)
}

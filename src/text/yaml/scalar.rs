//! What a plain scalar stands for.
//!
//! Source: the resolution of `sigs.k8s.io/yaml/goyaml.v2`, through which kubectl
//! and the API server read YAML: YAML 1.1 without numbers to the base of 60.

use std::borrow::Cow;

use crate::text::Kind;

/// The value of a scalar without quotes. A number that is not written as JSON has
/// it becomes the number that JSON would have.
pub(super) fn plain(text: Cow<'_, str>) -> Kind<'_> {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
            return Kind::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => {
            return Kind::Bool(false);
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
        | ".nan" | ".NaN" | ".NAN" => return Kind::Number(text),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Kind::String(text);
    }
    if is_decimal(&text) {
        return Kind::Number(text);
    }
    match integer(&text) {
        Some(number) => Kind::Number(Cow::Owned(number)),
        None if is_float(&text) => Kind::Number(Cow::Owned(text.replace('_', ""))),
        None => Kind::String(text),
    }
}

/// Digits as JSON has them, with or without a sign: what nearly all numbers are.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.len() == 1 || !digits.starts_with('0');
    is_plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number in any of its other spellings, in digits.
fn integer(text: &str) -> Option<String> {
    let text = text.replace('_', "");
    let (sign, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(unsigned) => (if text.starts_with('-') { "-" } else { "" }, unsigned),
        None => ("", text.as_str()),
    };
    let prefixed = |prefix: [&str; 2]| prefix.iter().find_map(|one| unsigned.strip_prefix(one));
    let (digits, radix) = if let Some(digits) = prefixed(["0x", "0X"]) {
        (digits, 16)
    } else if let Some(digits) = prefixed(["0b", "0B"]) {
        (digits, 2)
    } else if let Some(digits) = prefixed(["0o", "0O"]) {
        (digits, 8)
    } else if let Some(digits) = unsigned.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (digits, 8)
    } else {
        (unsigned, 10)
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = u64::from_str_radix(digits, radix).ok()?;
    Some(format!("{sign}{number}"))
}

/// A fraction or an exponent, or more digits than 64 bits have.
fn is_float(text: &str) -> bool {
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_exponent = |exponent: &str| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    has_digits && all_digits(whole) && all_digits(fraction) && exponent.is_none_or(is_exponent)
}

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::text::Kind;

    /// A number that is read as another, or as text, is compared with the wrong
    /// argument; a syscall that is read as a number is none.
    #[test]
    fn scalars_are_what_kubernetes_takes_them_for() {
        let number = |text: &'static str| Kind::Number(text.into());
        let string = |text: &'static str| Kind::String(text.into());
        for (text, kind) in [
            ("0", number("0")),
            ("-1", number("-1")),
            ("+1", number("1")),
            ("0x10000000", number("268435456")),
            ("0777", number("511")),
            ("0o777", number("511")),
            ("1_000", number("1000")),
            ("18446744073709551615", number("18446744073709551615")),
            ("18446744073709551616", number("18446744073709551616")),
            ("1e3", number("1e3")),
            ("1.5", number("1.5")),
            (".5", number(".5")),
            ("089", number("089")),
            (".nan", number(".nan")),
            ("~", Kind::Null),
            ("yes", Kind::Bool(true)),
            ("Off", Kind::Bool(false)),
            ("read", string("read")),
            ("_sysctl", string("_sysctl")),
            ("1.2.3", string("1.2.3")),
            ("-", string("-")),
            (".", string(".")),
            ("0x", string("0x")),
            ("1e", string("1e")),
            ("", Kind::Null),
        ] {
            assert_eq!(plain(text.into()), kind, "{text}");
        }
    }
}

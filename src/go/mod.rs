//! JSON as Go's `encoding/json` reads it, which is how every engine and runc read.
//!
//! What differs from a plain reading, and decides what a profile with mistakes comes to:
//!
//! - The whole text is checked first; nothing of a text that is no JSON counts.
//! - A key names a field whatever the case of its letters, and `ſ` and the Kelvin sign are letters
//!   too. Unknown keys are passed over.
//! - A key that comes again is decoded into the memory that the first one left: an object keeps the
//!   fields that the second does not name, an array's elements those of the elements before them.
//! - `null` empties a list or a pointer, and leaves everything else as it is.
//! - A value of another type is passed over, and the first such mistake refuses the whole text
//!   when all of it is decoded.
//!
//! Source: Go 1.24, `encoding/json/decode.go` and `scanner.go`. Go 1.27 has another implementation,
//! which gives the same results for profiles but words some errors otherwise: what is here of a
//! message is what both have.

mod syntax;

use crate::text::{Document, Kind, Node, Span};

/// Why Go does not take a text.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON.
    #[error("{words}")]
    Syntax {
        /// Go's own words.
        words: String,
        /// The byte that it stumbles over; empty at the end of the text.
        span: Span,
    },
    /// A value is of a type that its field does not take.
    #[error("json: cannot unmarshal {found}")]
    Type {
        /// What stands there, in Go's words: `string`, `number 1e1`.
        found: String,
        /// What must stand there, with its article.
        expected: &'static str,
        /// Where, as a JSON Pointer (RFC 6901).
        pointer: String,
        /// The value.
        span: Span,
    },
    /// A value that its field's own reader does not take.
    #[error("{words}")]
    Value {
        /// The engine's own words.
        words: String,
        /// The value.
        span: Span,
    },
}

impl Error {
    /// The bytes that are at fault.
    #[must_use]
    pub const fn span(&self) -> Span {
        match self {
            Self::Syntax { span, .. } | Self::Type { span, .. } | Self::Value { span, .. } => *span,
        }
    }
}

/// Decodes a document into a value of a type, as `json.Unmarshal` does.
///
/// `bytes` is what `document` was parsed from; `word` the width of Go's `uint` in bits, 32 or 64.
///
/// # Errors
///
/// If Go would give one.
pub(crate) fn decode<'d, T: Decode<'d> + Default>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    word: u8,
) -> Result<T, Error> {
    syntax::check(bytes)?;
    let mut value = T::default();
    let mut decoder = Decoder {
        bytes,
        word,
        refused: None,
        mistaken: None,
    };
    if let Some(root) = document.root() {
        value.decode(root, &mut decoder);
    }
    match decoder.refused.or(decoder.mistaken) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// What decoding has come to so far.
#[derive(Debug)]
pub(crate) struct Decoder<'d> {
    bytes: &'d [u8],
    word: u8,
    /// The first error of a field's own reader: it ends decoding.
    refused: Option<Error>,
    /// The first value of a wrong type: what follows is decoded all the same.
    mistaken: Option<Error>,
}

impl<'d> Decoder<'d> {
    /// A value as it stands in the text.
    pub(crate) fn written(&self, node: Node<'_>) -> String {
        let written = self.bytes.get(node.span().range()).unwrap_or_default();
        String::from_utf8_lossy(written).into_owned()
    }

    /// Notes that a field's own reader refuses a value.
    pub(crate) fn refuse(&mut self, node: Node<'d>, words: String) {
        let span = node.span();
        self.refused.get_or_insert(Error::Value { words, span });
    }

    fn mistake(&mut self, node: Node<'d>, expected: &'static str) {
        let found = match node.kind() {
            Kind::Null | Kind::Broken | Kind::Merge => "null".to_owned(),
            Kind::Bool(_) => "bool".to_owned(),
            // Where a number may stand, Go says which one it cannot take.
            Kind::Number(digits) if expected == WHOLE => format!("number {digits}"),
            Kind::Number(_) => "number".to_owned(),
            Kind::String(_) => "string".to_owned(),
            Kind::Array => "array".to_owned(),
            Kind::Object => "object".to_owned(),
        };
        if self.mistaken.is_none() {
            self.mistaken = Some(Error::Type {
                found,
                expected,
                pointer: node.pointer(),
                span: node.span(),
            });
        }
    }
}

const WHOLE: &str = "a whole number that is not negative";

/// A Go value that is decoded into.
pub(crate) trait Decode<'d> {
    /// Decodes a value into this one, which may hold one already.
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>);
}

/// A Go struct.
pub(crate) trait Struct<'d> {
    /// Notes that an object is decoded into it.
    fn begin(&mut self, _object: Node<'d>) {}

    /// The field of a name, which is given in lower case; `None` if there is none.
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>>;
}

impl<'d, T: Struct<'d>> Decode<'d> for T {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        if node.is_null() {
            return;
        }
        if !node.is_object() {
            return decoder.mistake(node, "an object");
        }
        self.begin(node);
        for (key, value) in node.members() {
            let name = fold(key.as_str().unwrap_or_default());
            if let Some(field) = self.field(&name) {
                field.decode(value, decoder);
            }
        }
    }
}

/// A key as Go compares it: `foldName` of `encoding/json/fold.go`.
pub(crate) fn fold(key: &str) -> String {
    let letters = key.chars().map(|letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    });
    letters.collect()
}

/// A Go string.
impl<'d> Decode<'d> for &'d str {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        match node.as_str() {
            Some(text) => *self = text,
            None if node.is_null() => {}
            None => decoder.mistake(node, "a string"),
        }
    }
}

/// A `bool`.
impl<'d> Decode<'d> for bool {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        match node.kind() {
            Kind::Bool(is) => *self = *is,
            _ if node.is_null() => {}
            _ => decoder.mistake(node, "a boolean"),
        }
    }
}

/// A `uint64`.
impl<'d> Decode<'d> for u64 {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        whole(self, 64, node, decoder);
    }
}

/// A `uint`, whose width is the host's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uint(pub(crate) u64);

impl<'d> Decode<'d> for Uint {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        whole(&mut self.0, decoder.word, node, decoder);
    }
}

fn whole<'d>(value: &mut u64, bits: u8, node: Node<'d>, decoder: &mut Decoder<'d>) {
    if node.is_null() {
        return;
    }
    let digits = node.as_number().and_then(parse_uint);
    match digits.filter(|&number| bits == 64 || number >> bits == 0) {
        Some(number) => *value = number,
        None => decoder.mistake(node, WHOLE),
    }
}

/// `strconv.ParseUint` of decimal digits: no sign, no fraction, no exponent.
pub(crate) fn parse_uint(digits: &str) -> Option<u64> {
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| digits.parse().ok()).flatten()
}

/// A pointer.
impl<'d, T: Decode<'d> + Default> Decode<'d> for Option<T> {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        if node.is_null() {
            *self = None;
        } else {
            self.get_or_insert_default().decode(node, decoder);
        }
    }
}

/// A slice, with the memory that it may grow back into.
#[derive(Debug)]
pub(crate) struct Slice<T> {
    /// Elements up to `length`, and after them those of a longer array that came before.
    memory: Vec<T>,
    length: usize,
    is_nil: bool,
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Self {
            memory: Vec::new(),
            length: 0,
            is_nil: true,
        }
    }
}

impl<T> Slice<T> {
    /// Its elements.
    pub(crate) fn elements(&self) -> &[T] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// Its elements, unless it is nil.
    pub(crate) fn unless_nil(&self) -> Option<&[T]> {
        (!self.is_nil).then(|| self.elements())
    }
}

impl<'d, T: Decode<'d> + Default> Decode<'d> for Slice<T> {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        if node.is_null() {
            *self = Self::default();
            return;
        }
        if *node.kind() != Kind::Array {
            return decoder.mistake(node, "an array");
        }
        let mut length = 0;
        for element in node.elements() {
            if length == self.memory.len() {
                self.memory.push(T::default());
            }
            if let Some(place) = self.memory.get_mut(length) {
                place.decode(element, decoder);
            }
            length += 1;
        }
        if length == 0 {
            self.memory.clear();
        }
        self.length = length;
        self.is_nil = false;
    }
}

#[cfg(test)]
mod tests {
    use super::{Decode, Error, Slice, Struct, Uint, decode};
    use crate::text::json;

    #[derive(Default)]
    struct Outer<'d> {
        text: &'d str,
        list: Slice<Option<Inner<'d>>>,
        word: Option<Uint>,
    }

    #[derive(Default)]
    struct Inner<'d> {
        names: Slice<&'d str>,
        value: u64,
    }

    impl<'d> Struct<'d> for Outer<'d> {
        fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
            Some(match name {
                "text" => &mut self.text,
                "syscalls" => &mut self.list,
                "word" => &mut self.word,
                _ => return None,
            })
        }
    }

    impl<'d> Struct<'d> for Inner<'d> {
        fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
            Some(match name {
                "names" => &mut self.names,
                "value" => &mut self.value,
                _ => return None,
            })
        }
    }

    fn decoded<T>(text: &str, look: impl Fn(&Outer<'_>) -> T) -> Result<T, String> {
        let document = json::parse(text.as_bytes());
        let outer = decode::<Outer<'_>>(text.as_bytes(), &document, 64);
        outer
            .map(|outer| look(&outer))
            .map_err(|error| error.to_string())
    }

    /// A profile in which a key comes twice would resolve to what no engine makes of it. The
    /// expected values are what podman 5.4.2 and 5.8.6 handed their runtime.
    #[test]
    fn what_comes_again_is_decoded_into_the_same_memory() {
        let text = r#"{"syscalls":[{"names":["b","c"],"value":5},{"names":["d"]}],
            "\u017fyscalls":[{"names":["e"]}],"SYSCALLS":[{"names":[null,null,null]},{}]}"#;
        let got = decoded(text, |outer| {
            let inner = outer.list.elements().iter().flatten();
            let of = |inner: &Inner<'_>| (inner.names.elements().join(" "), inner.value);
            inner.map(of).collect::<Vec<_>>()
        });
        assert_eq!(got, Ok(vec![("e c ".to_owned(), 5), ("d".to_owned(), 0)]));
    }

    /// `null` is how people take a field back: it must not be taken for a mistake, nor for a value.
    #[test]
    fn null_empties_lists_and_pointers_only() {
        let text = r#"{"text":"a","word":1,"syscalls":[{"value":1}],
            "text":null,"word":null,"syscalls":null}"#;
        let got = decoded(text, |outer| {
            let is_nil = outer.list.unless_nil().is_none();
            (outer.text.to_owned(), outer.word.is_none(), is_nil)
        });
        assert_eq!(got, Ok(("a".to_owned(), true, true)));
        let got = decoded(r#"{"syscalls":[null,{"names":[]}]}"#, |outer| {
            let elements = outer.list.elements();
            elements.iter().map(Option::is_some).collect::<Vec<_>>()
        });
        assert_eq!(got, Ok(vec![false, true]));
    }

    /// A number that Go cannot take refuses the profile; taken for another one, it would be
    /// another filter.
    #[test]
    fn numbers_are_digits_that_fit() {
        let value = |digits: &str| {
            decoded(
                &format!(r#"{{"syscalls":[{{"value":{digits}}}]}}"#),
                |outer| {
                    let inner = outer.list.elements().iter().flatten();
                    inner.map(|inner| inner.value).sum::<u64>()
                },
            )
        };
        assert_eq!(value("18446744073709551615"), Ok(u64::MAX));
        for digits in ["18446744073709551616", "-0", "1.0", "1e1"] {
            let expected = format!("json: cannot unmarshal number {digits}");
            assert_eq!(value(digits), Err(expected));
        }
        let text = br#"{"word":4294967296}"#;
        let document = json::parse(text);
        assert!(decode::<Outer<'_>>(text, &document, 64).is_ok());
        assert!(decode::<Outer<'_>>(text, &document, 32).is_err());
    }

    /// Of several mistakes an engine tells one: the place that is shown must be that one's.
    #[test]
    fn the_first_mistake_is_told_with_its_place() {
        let text = br#"{"text":"x","syscalls":[{"names":"read"}],"word":"1"}"#;
        let document = json::parse(text);
        let Err(Error::Type {
            found,
            pointer,
            span,
            ..
        }) = decode::<Outer<'_>>(text, &document, 64)
        else {
            panic!("no error of type");
        };
        assert_eq!(
            (found.as_str(), pointer.as_str()),
            ("string", "/syscalls/0/names")
        );
        assert_eq!(&text[span.range()], b"\"read\"");
    }
}

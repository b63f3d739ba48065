//! The ways in which a document can depart from RFC 8259.

use super::Span;

/// One departure from RFC 8259, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What is wrong.
    pub kind: DeviationKind,
    /// The bytes that are wrong; empty where something is missing.
    pub span: Span,
}

macro_rules! deviation_kinds {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $message:literal;)+) => {
        /// The kinds of departure from RFC 8259. Each reader of profiles is
        /// described by the set of kinds that it accepts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DeviationKind {
            $($(#[$doc])+ $variant,)+
        }

        impl DeviationKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The kind's stable name in kebab case, for reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is wrong, as a short clause without a full stop.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

deviation_kinds! {
    /// Nothing but white space (or comments).
    EmptyDocument = "empty-document", "the document is empty";
    /// `// ...`, `# ...` or `/* ... */`.
    Comment = "comment", "JSON has no comments";
    /// `/*` without `*/`.
    UnterminatedComment = "unterminated-comment", "a comment that is never closed; JSON has no comments";
    /// `,` before a closing bracket.
    TrailingComma = "trailing-comma", "a comma after the last element";
    /// Two values with no comma between them.
    MissingComma = "missing-comma", "a comma is missing here";
    /// A comma with no value before it.
    ExtraComma = "extra-comma", "a comma with no value before it";
    /// A key with no colon behind it.
    MissingColon = "missing-colon", "a colon is missing after this key";
    /// No value where one must be.
    MissingValue = "missing-value", "a value is missing here";
    /// A bare word, a number or another value as a key.
    UnquotedKey = "unquoted-key", "a key must be a string in double quotes";
    /// `'text'`.
    SingleQuotes = "single-quotes", "strings are written in double quotes";
    /// A string whose closing quote is missing.
    UnterminatedString = "unterminated-string", "this string is never closed";
    /// A raw byte below 0x20 inside a string.
    ControlCharacter = "control-character", "a control character inside a string must be escaped";
    /// A backslash before something that is no escape.
    BadEscape = "bad-escape", "no such escape";
    /// `\u` without four hexadecimal digits.
    BadUnicodeEscape = "bad-unicode-escape", "\\u must be followed by four hexadecimal digits";
    /// Half of a surrogate pair, escaped: no Unicode character.
    LoneSurrogate = "lone-surrogate", "half of a surrogate pair stands for no character";
    /// `013`.
    LeadingZero = "leading-zero", "a number must not begin with 0";
    /// `+1`, `.5`, `5.`, `1e`, `0x1f` and the like.
    BadNumber = "bad-number", "not a JSON number";
    /// `NaN`, `Infinity`.
    NonFinite = "non-finite", "JSON has no NaN and no infinity";
    /// A bare word that is not `true`, `false` or `null`.
    BadLiteral = "bad-literal", "not a JSON value; text is written in double quotes";
    /// An array or object that the document ends in.
    Unclosed = "unclosed", "this bracket is never closed";
    /// `[1}`, or a closing bracket that nothing opened.
    MismatchedClose = "mismatched-close", "this bracket closes nothing that is open";
    /// A character that begins no value.
    UnexpectedByte = "unexpected-byte", "nothing in JSON begins with this";
    /// Anything after the top value.
    TrailingData = "trailing-data", "the document ends before this";
    /// U+FEFF at the beginning.
    ByteOrderMark = "byte-order-mark", "the file begins with a byte order mark";
    /// Bytes that are no UTF-8.
    BadUtf8 = "bad-utf8", "these bytes are not UTF-8";
    /// A document in UTF-16. Nothing of it is read.
    Utf16 = "utf16", "the file is written in UTF-16; JSON is written in UTF-8";
    /// White space that RFC 8259 does not have, such as a form feed or a no-break space.
    NonJsonWhitespace = "non-json-whitespace", "this white space character is not allowed in JSON";
    /// Nested deeper than json-c's 32 levels, which crun 1.28 and newer refuses.
    TooDeep = "too-deep", "nested more than 32 levels deep";
    /// Larger than [`super::MAX_BYTES`]. Nothing of it is read.
    TooLarge = "too-large", "the file is larger than 8 MiB";
}

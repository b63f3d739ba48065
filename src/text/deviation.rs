//! The ways in which a document can depart from what all its readers read alike:
//! RFC 8259, or plain YAML.

use super::Span;

/// One departure from RFC 8259 or YAML, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What is wrong.
    pub kind: DeviationKind,
    /// The bytes that are wrong; empty where something is missing.
    pub span: Span,
}

macro_rules! deviation_kinds {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $message:literal;)+) => {
        /// The kinds of departure from RFC 8259, each reader of which is described by
        /// the set of kinds that it accepts; then those from YAML.
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
    EmptyDocument = "empty-document", "an empty document";
    /// `// ...`, `# ...` or `/* ... */`.
    Comment = "comment", "a comment, which JSON does not have";
    /// `/*` without `*/`.
    UnterminatedComment = "unterminated-comment", "a comment, which JSON does not have, and which is never closed";
    /// `,` before a closing bracket.
    TrailingComma = "trailing-comma", "a trailing comma";
    /// Two values with no comma between them.
    MissingComma = "missing-comma", "a missing comma";
    /// A comma with no value before it.
    ExtraComma = "extra-comma", "a comma with no value before it";
    /// A key with no colon behind it.
    MissingColon = "missing-colon", "a missing colon";
    /// No value where one must be.
    MissingValue = "missing-value", "a missing value";
    /// A bare word, a number or another value as a key.
    UnquotedKey = "unquoted-key", "a key without double quotes";
    /// `'text'`.
    SingleQuotes = "single-quotes", "a string in single quotes";
    /// A string whose closing quote is missing.
    UnterminatedString = "unterminated-string", "a string that is never closed";
    /// A raw byte below 0x20 inside a string.
    ControlCharacter = "control-character", "a control character in a string, where it must be escaped";
    /// A backslash before something that is no escape.
    BadEscape = "bad-escape", "an escape that JSON does not have";
    /// `\u` without four hexadecimal digits.
    BadUnicodeEscape = "bad-unicode-escape", "\\u without four hexadecimal digits after it";
    /// Half of a surrogate pair, escaped: no Unicode character.
    LoneSurrogate = "lone-surrogate", "half of a surrogate pair, which stands for no character";
    /// `013`.
    LeadingZero = "leading-zero", "a number that begins with 0";
    /// `+1`, `.5`, `5.`, `1e`, `0x1f` and the like.
    BadNumber = "bad-number", "a number that is not written as JSON has it";
    /// `NaN`, `Infinity`.
    NonFinite = "non-finite", "NaN and infinity, which JSON does not have";
    /// A bare word that is not `true`, `false` or `null`.
    BadLiteral = "bad-literal", "a word that is no value; text stands in double quotes";
    /// An array or object that the document ends in.
    Unclosed = "unclosed", "a bracket that is never closed";
    /// `[1}`, or a closing bracket that nothing opened.
    MismatchedClose = "mismatched-close", "a bracket that closes nothing";
    /// A character that begins no value.
    UnexpectedByte = "unexpected-byte", "a character that begins nothing";
    /// Anything after the top value.
    TrailingData = "trailing-data", "text after the end of the document";
    /// U+FEFF at the beginning.
    ByteOrderMark = "byte-order-mark", "a byte order mark";
    /// Bytes that are no UTF-8.
    BadUtf8 = "bad-utf8", "bytes that are not UTF-8";
    /// A document in UTF-16. Nothing of it is read.
    Utf16 = "utf16", "a file in UTF-16, where JSON is UTF-8";
    /// White space that RFC 8259 does not have, such as a form feed or a no-break space.
    NonJsonWhitespace = "non-json-whitespace", "white space that JSON does not have";
    /// Nested deeper than json-c's 32 levels, which crun 1.28 and newer refuses.
    TooDeep = "too-deep", "more than 32 levels of nesting";
    /// Nested deeper than any reader goes. Nothing beyond is read.
    FarTooDeep = "far-too-deep", "more than 10,000 levels of nesting, beyond which nothing was read";
    /// Larger than [`super::MAX_BYTES`]. Nothing of it is read.
    TooLarge = "too-large", "a file larger than 8 MiB: seclint reads none that large";
    /// YAML's grammar is broken: nothing of the document is read from there on.
    NotYaml = "not-yaml", "a mistake in the YAML";
    /// An alias (`*name`) whose anchor does not come before it.
    UnknownAlias = "unknown-alias", "an alias of something that does not come before it";
    /// An alias in what its anchor stands for.
    RecursiveAlias = "recursive-alias", "an alias of something that it stands in itself";
    /// Aliases that would repeat more than is read of any file.
    TooManyAliases = "too-many-aliases", "an alias or a merge key that repeats too much: from here on none is read";
    /// A merge key (`<<`) with something else than an object, or several.
    BadMerge = "bad-merge", "a merge key without an object to take fields from";
    /// A tag other than those of YAML's core schema.
    ForeignTag = "foreign-tag", "a tag that Kubernetes does not know";
    /// An object or array as a key.
    ComplexKey = "complex-key", "a key that is no text";
    /// More documents in one stream than are read.
    TooManyDocuments = "too-many-documents", "more than 10,000 documents, beyond which nothing was read";
    /// A directive of a template, which was taken for white space.
    Template = "template", "a template";
}

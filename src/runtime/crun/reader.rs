//! What crun reads of a document: the two JSON parsers that it has been built with, and the code
//! that libocispec generates from the runtime specification's schema.
//!
//! Source: what crun 1.21 (yajl) and 1.28 (json-c) did with the sections of
//! `tests/runtimes/sections.jsonl`; libocispec's generated parsers.

use std::borrow::Cow;

use super::lexis::{
    decode, is_json_c_number, is_utf8_to_yajl, json_c_number, literal, strtoull,
    write_json_c_string,
};
use crate::profile::is_container_configuration;
use crate::runtime::plan::Refusal;
use crate::runtime::section::{Argument, Entry, Section, Str};
use crate::text::{Deviation, DeviationKind as Deviates, Document, Kind, Node};

/// The JSON parser that a crun was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// yajl, until crun 1.27. Of a key that is given twice the first counts.
    Yajl,
    /// json-c, since crun 1.28. Of a key that is given twice the last counts.
    JsonC,
}

/// What was read, or that there is nothing which crun would make a filter of.
pub(super) type Read<'d> = Result<Option<Section<'d>>, Refusal>;

/// How a value fails to be one for its field.
enum Failure {
    /// crun says what is wrong.
    Refusal(Refusal),
    /// The value is lost without a word, and what it stands in with it.
    Lost,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// Reads the section of a document as crun does.
pub(super) struct Reader<'d> {
    pub(super) parser: Parser,
    source: &'d [u8],
    document: &'d Document<'d>,
    /// Whether yajl takes the source for UTF-8, should it be none.
    is_utf8_to_yajl: bool,
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d Document<'d>, source: &'d [u8], parser: Parser) -> Self {
        let mut deviations = document.deviations().iter();
        let is_utf8 = !deviations.any(|it| it.kind == Deviates::BadUtf8);
        Self {
            parser,
            source,
            document,
            is_utf8_to_yajl: is_utf8 || is_utf8_to_yajl(source),
        }
    }

    /// The section: of a container's configuration its `linux.seccomp`, of anything else all of it.
    pub(super) fn read(&self) -> Read<'d> {
        let root = self
            .document
            .root()
            .filter(|root| *root.kind() != Kind::Broken);
        let Some(root) = root.filter(|_| self.first_refused().is_none()) else {
            return Err(Refusal::new("cannot parse the data"));
        };
        if !root.is_object() {
            return Ok(None);
        }
        let section = if is_container_configuration(root) {
            let linux = self.get(root, "linux", is_object);
            linux.and_then(|linux| self.get(linux, "seccomp", is_object))
        } else {
            Some(root)
        };
        let Some(section) = section else {
            return Ok(None);
        };
        match self.section(section) {
            Ok(section) => Ok(Some(section)),
            Err(Failure::Lost) => Ok(None),
            Err(Failure::Refusal(refusal)) => Err(refusal),
        }
    }

    /// Whether `process.noNewPrivileges` is set; `None` if the document is no container
    /// configuration.
    pub(super) fn no_new_privileges(&self) -> Option<bool> {
        let root = self.document.root()?;
        if !is_container_configuration(root) {
            return None;
        }
        let process = self.get(root, "process", is_object);
        let is_bool = |kind: &Kind<'_>| matches!(kind, Kind::Bool(_));
        let field = process.and_then(|process| self.get(process, "noNewPrivileges", is_bool));
        Some(field.is_some_and(|field| *field.kind() == Kind::Bool(true)))
    }

    /// A value of the container's annotations.
    pub(super) fn annotation(&self, name: &str) -> Option<Str<'d>> {
        let annotations = self.get(self.document.root()?, "annotations", is_object)?;
        // Kept in a map, so that the last of a name counts with either parser.
        let is_it = |(key, _): &(Node<'d>, Node<'d>)| *self.string(*key).bytes == *name.as_bytes();
        let (_, value) = annotations.members().filter(is_it).last()?;
        matches!(value.kind(), Kind::String(_)).then(|| self.string(value))
    }

    /// The first place where the parser gives up.
    pub(super) fn first_refused(&self) -> Option<&'d Deviation> {
        let deviations = self.document.deviations();
        deviations.iter().find(|deviation| !self.accepts(deviation))
    }

    fn accepts(&self, deviation: &Deviation) -> bool {
        let bytes = self.source.get(deviation.span.range()).unwrap_or_default();
        match (deviation.kind, self.parser) {
            // Both know `//` and `/* */`.
            (Deviates::Comment, _) => bytes.starts_with(b"/"),
            (Deviates::LoneSurrogate, _)
            | (
                Deviates::BadUtf8 | Deviates::TrailingComma | Deviates::LeadingZero,
                Parser::JsonC,
            )
            | (Deviates::TooDeep, Parser::Yajl) => true,
            // It ends at the quote, escaped or not.
            (Deviates::SingleQuotes, Parser::JsonC) => !bytes.windows(2).any(|it| it == b"\\'"),
            (Deviates::NonFinite, Parser::JsonC) => {
                let names: [&[u8]; 3] = [b"nan", b"infinity", b"-infinity"];
                names.iter().any(|name| bytes.eq_ignore_ascii_case(name))
            }
            (Deviates::BadNumber, Parser::JsonC) => is_json_c_number(bytes),
            (Deviates::ControlCharacter, Parser::JsonC) => bytes != b"\0",
            (Deviates::BadLiteral, Parser::JsonC) => literal(bytes).is_some(),
            (Deviates::NonJsonWhitespace, Parser::Yajl) => {
                bytes.iter().all(|byte| matches!(byte, 0x0b | 0x0c))
            }
            (Deviates::BadUtf8, Parser::Yajl) => self.is_utf8_to_yajl,
            _ => false,
        }
    }

    /// The value of a key, if it is of the kind that is asked for; otherwise the field is absent.
    fn get(&self, object: Node<'d>, key: &str, fits: fn(&Kind<'_>) -> bool) -> Option<Node<'d>> {
        let is_it = |(name, _): &(Node<'d>, Node<'d>)| *self.string(*name).bytes == *key.as_bytes();
        let mut found = object.members().filter(is_it);
        let member = match self.parser {
            Parser::Yajl => found.next(),
            Parser::JsonC => found.last(),
        };
        member
            .map(|(_, value)| value)
            .filter(|value| fits(value.kind()))
    }

    fn section(&self, node: Node<'d>) -> Result<Section<'d>, Failure> {
        let default_action = self.text(node, "defaultAction");
        let default_errno = self.number::<u32>(node, "defaultErrnoRet")?;
        let flags = self.strings(node, "flags");
        let listener_path = self.text(node, "listenerPath");
        let architectures = self.strings(node, "architectures").unwrap_or_default();
        let mut entries = Vec::new();
        for element in self.elements(node, "syscalls") {
            entries.push(self.entry(element)?);
        }
        Ok(Section {
            default_action: default_action.ok_or_else(|| missing("defaultAction"))?,
            default_errno: default_errno.map(u64::from),
            architectures,
            flags,
            listener_path,
            entries,
        })
    }

    fn entry(&self, node: Node<'d>) -> Result<Entry<'d>, Failure> {
        self.check_element(node)?;
        let names = self.strings(node, "names");
        let errno = self.number::<u32>(node, "errnoRet")?;
        let action = self.text(node, "action");
        let mut args = Vec::new();
        for element in self.elements(node, "args") {
            args.push(self.argument(element)?);
        }
        Ok(Entry {
            names: names.ok_or_else(|| missing("names"))?,
            action: action.ok_or_else(|| missing("action"))?,
            errno: errno.map(u64::from),
            args,
        })
    }

    fn argument(&self, node: Node<'d>) -> Result<Argument<'d>, Failure> {
        self.check_element(node)?;
        Ok(Argument {
            index: self.number::<u32>(node, "index")?.map(u64::from),
            value: self.number::<u64>(node, "value")?,
            value_two: self.number::<u64>(node, "valueTwo")?,
            op: self.text(node, "op").ok_or_else(|| missing("op"))?,
        })
    }

    /// A `null` among objects ends reading: with json-c nobody notices, and the section is lost.
    fn check_element(&self, node: Node<'d>) -> Result<(), Failure> {
        let is_null = self.kind(node) == Kind::Null;
        match self.parser {
            Parser::JsonC if is_null => Err(Failure::Lost),
            _ => Ok(()),
        }
    }

    fn elements(&self, node: Node<'d>, key: &str) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let list = self.get(node, key, |kind| *kind == Kind::Array);
        list.into_iter().flat_map(Node::elements)
    }

    fn text(&self, node: Node<'d>, key: &str) -> Option<Str<'d>> {
        let node = self.get(node, key, |kind| matches!(kind, Kind::String(_)))?;
        Some(self.string(node))
    }

    fn strings(&self, node: Node<'d>, key: &str) -> Option<Vec<Str<'d>>> {
        let list = self.get(node, key, |kind| *kind == Kind::Array)?;
        Some(
            list.elements()
                .map(|element| self.element(element))
                .collect(),
        )
    }

    /// An element of an array of strings, whatever it is.
    fn element(&self, node: Node<'d>) -> Str<'d> {
        let mut text = match (node.kind(), self.parser) {
            (Kind::String(_), _) => return self.string(node),
            (_, Parser::Yajl) => String::new(),
            (_, Parser::JsonC) => {
                let mut text = String::new();
                self.write_json_c(node, &mut text);
                text
            }
        };
        let is_null = self.parser == Parser::JsonC && self.kind(node) == Kind::Null;
        if is_null {
            text.clear();
        }
        Str {
            bytes: Cow::Owned(text.into_bytes()),
            is_null,
            node: Some(node),
        }
    }

    fn number<T: TryFrom<u64>>(&self, node: Node<'d>, key: &str) -> Result<Option<T>, Failure> {
        let number = self.get(node, key, |kind| matches!(kind, Kind::Number(_)));
        let Some(written) = number.and_then(Node::as_number) else {
            return Ok(None);
        };
        let text = match self.parser {
            Parser::Yajl => Cow::Borrowed(written),
            Parser::JsonC => json_c_number(written),
        };
        let number = strtoull(&text)
            .and_then(|number| T::try_from(number).map_err(|_| "Numerical result out of range"));
        number.map(Some).map_err(|why| {
            let kind = if size_of::<T>() == 4 {
                "uint32"
            } else {
                "uint64"
            };
            let words = format!("Invalid value '{text}' with type '{kind}' for key '{key}': {why}");
            Failure::Refusal(Refusal(words))
        })
    }

    /// A string as C sees it: cut at its first NUL.
    fn string(&self, node: Node<'d>) -> Str<'d> {
        let bytes = match node.kind() {
            Kind::String(text) if !self.departs_within(node) => Cow::Borrowed(text.as_bytes()),
            Kind::String(_) => {
                let raw = self.source.get(node.text_span().range());
                Cow::Owned(decode(raw.unwrap_or_default(), self.parser))
            }
            _ => Cow::Borrowed([].as_slice()),
        };
        let length = bytes.iter().position(|&byte| byte == 0);
        let bytes = match (bytes, length) {
            (Cow::Borrowed(bytes), Some(length)) => Cow::Borrowed(&bytes[..length]),
            (Cow::Owned(mut bytes), Some(length)) => {
                bytes.truncate(length);
                Cow::Owned(bytes)
            }
            (bytes, None) => bytes,
        };
        Str {
            bytes,
            is_null: false,
            node: Some(node),
        }
    }

    /// Whether a string has what parsers turn into different bytes.
    fn departs_within(&self, node: Node<'d>) -> bool {
        let span = node.span();
        let deviations = self.document.deviations();
        let first = deviations.partition_point(|deviation| deviation.span.start < span.start);
        let within = deviations.iter().skip(first);
        let mut within = within.take_while(|deviation| deviation.span.start < span.end);
        within.any(|it| matches!(it.kind, Deviates::BadUtf8 | Deviates::LoneSurrogate))
    }

    /// What a node is to the parser: json-c reads `TRUE` and `Null` as well.
    fn kind(&self, node: Node<'d>) -> Kind<'d> {
        match node.kind() {
            Kind::Broken if self.parser == Parser::JsonC => {
                let bytes = self.source.get(node.span().range()).unwrap_or_default();
                literal(bytes).unwrap_or(Kind::Broken)
            }
            kind => kind.clone(),
        }
    }

    /// A value as json-c writes it where a string is asked for.
    fn write_json_c(&self, node: Node<'d>, text: &mut String) {
        let separate = |text: &mut String, index: usize| {
            text.push_str(if index == 0 { " " } else { ", " });
        };
        match self.kind(node) {
            Kind::Null | Kind::Broken | Kind::Merge => text.push_str("null"),
            Kind::Bool(is) => text.push_str(if is { "true" } else { "false" }),
            Kind::Number(written) => text.push_str(&json_c_number(&written)),
            Kind::String(_) => write_json_c_string(&self.string(node).shown(), text),
            Kind::Array => {
                text.push('[');
                for (index, element) in node.elements().enumerate() {
                    separate(text, index);
                    self.write_json_c(element, text);
                }
                text.push_str(" ]");
            }
            Kind::Object => {
                text.push('{');
                for (index, (key, value)) in node.members().enumerate() {
                    separate(text, index);
                    write_json_c_string(&self.string(key).shown(), text);
                    text.push_str(": ");
                    self.write_json_c(value, text);
                }
                text.push_str(" }");
            }
        }
    }
}

fn is_object(kind: &Kind<'_>) -> bool {
    *kind == Kind::Object
}

fn missing(field: &str) -> Failure {
    Failure::Refusal(Refusal(format!("Required field '{field}' not present")))
}

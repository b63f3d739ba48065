//! What runc reads of a document: Go's `encoding/json`, into the structs of the runtime
//! specification.
//!
//! A key is found in any case of letters. A key that is given twice is read twice, into the same
//! memory: what the second value leaves open keeps what the first one said.
//!
//! Source: Go's `encoding/json`; what runc 1.1.15 and 1.3.6 did with the sections of
//! `tests/runtimes/sections.jsonl`.

use std::borrow::Cow;

use crate::profile::is_container_configuration;
use crate::runtime::plan::Refusal;
use crate::runtime::section::{Argument, Entry, Section, Str};
use crate::text::{DeviationKind as Deviates, Document, Kind, Node};

/// Reads the section of a document, which is one itself or a container's configuration, as runc
/// does; `None` if there is none.
///
/// # Errors
/// If runc refuses the document.
pub fn read<'d>(
    document: &'d Document<'d>,
    source: &'d [u8],
) -> Result<Option<Section<'d>>, Refusal> {
    let refused = |kind: &Deviates| {
        // Reading stops behind the first value, so that what follows is not seen.
        !matches!(
            kind,
            Deviates::BadUtf8
                | Deviates::LoneSurrogate
                | Deviates::TooDeep
                | Deviates::TrailingData
        )
    };
    let kinds = document.deviations().iter().map(|deviation| deviation.kind);
    let kinds: Vec<_> = kinds.filter(refused).collect();
    let is_cut =
        |kind: &Deviates| matches!(kind, Deviates::Unclosed | Deviates::UnterminatedString);
    if !kinds.is_empty() {
        return Err(Refusal::new(if kinds.contains(&Deviates::EmptyDocument) {
            "EOF"
        } else if kinds.contains(&Deviates::FarTooDeep) {
            "exceeded max depth"
        } else if kinds.iter().all(is_cut) {
            "unexpected EOF"
        } else {
            "invalid character"
        }));
    }
    let Some(root) = document.root() else {
        return Err(Refusal::new("EOF"));
    };
    let mut reader = Reader {
        document,
        source,
        mismatch: None,
    };
    let mut section = None;
    if is_container_configuration(root) {
        let mut linux = None;
        reader.object(root, |reader, key, value| {
            if is_key(key, "linux") {
                reader.pointer(value, &mut linux, Reader::linux);
            }
        });
        section = linux.and_then(|Linux { seccomp }| seccomp);
    } else {
        reader.pointer(root, &mut section, Reader::section);
    }
    match reader.mismatch {
        Some(words) => Err(Refusal(words)),
        None => Ok(section.map(Memory::finish)),
    }
}

/// Whether `process.noNewPrivileges` is set; `None` if the document is no container configuration.
pub(super) fn no_new_privileges(document: &Document<'_>) -> Option<bool> {
    let root = document.root()?;
    if !is_container_configuration(root) {
        return None;
    }
    let field = last(root, "process").and_then(|process| last(process, "noNewPrivileges"));
    Some(field.is_some_and(|field| *field.kind() == Kind::Bool(true)))
}

/// The last value of a key.
fn last<'d>(object: Node<'d>, field: &str) -> Option<Node<'d>> {
    let is_it =
        |(key, _): &(Node<'d>, Node<'d>)| key.as_str().is_some_and(|key| is_key(key, field));
    object
        .members()
        .filter(is_it)
        .last()
        .map(|(_, value)| value)
}

/// Whether a key is a field's: in any case of letters, and with the two letters outside ASCII whose
/// other case is in it.
fn is_key(key: &str, field: &str) -> bool {
    let fold = |letter: char| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars().map(fold))
}

/// The memory that `linux` is read into, as far as it matters here.
#[derive(Default)]
struct Linux<'d> {
    seccomp: Option<Memory<'d>>,
}

/// The memory that a section is read into.
#[derive(Default)]
struct Memory<'d> {
    default_action: Str<'d>,
    default_errno: Option<u64>,
    architectures: Slice<Str<'d>>,
    flags: Slice<Str<'d>>,
    listener_path: Str<'d>,
    listener_metadata: Str<'d>,
    entries: Slice<EntryMemory<'d>>,
}

#[derive(Clone, Default)]
struct EntryMemory<'d> {
    names: Slice<Str<'d>>,
    action: Str<'d>,
    errno: Option<u64>,
    args: Slice<ArgumentMemory<'d>>,
}

#[derive(Clone, Default)]
struct ArgumentMemory<'d> {
    index: u64,
    value: u64,
    value_two: u64,
    op: Str<'d>,
}

/// A slice of Go's: what was in its memory stays there when it gets shorter.
#[derive(Clone)]
struct Slice<T> {
    memory: Vec<T>,
    /// `None` for nil.
    length: Option<usize>,
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Self {
            memory: Vec::new(),
            length: None,
        }
    }
}

impl<T> Slice<T> {
    fn finish(mut self) -> Option<Vec<T>> {
        self.memory.truncate(self.length?);
        Some(self.memory)
    }
}

impl<'d> Memory<'d> {
    fn finish(self) -> Section<'d> {
        let entries = self.entries.finish().unwrap_or_default();
        let path = self.listener_path;
        Section {
            default_action: self.default_action,
            default_errno: self.default_errno,
            architectures: self.architectures.finish().unwrap_or_default(),
            flags: self.flags.finish(),
            listener_path: (!path.bytes.is_empty()).then_some(path),
            entries: entries.into_iter().map(EntryMemory::finish).collect(),
        }
    }
}

impl<'d> EntryMemory<'d> {
    fn finish(self) -> Entry<'d> {
        let args = self.args.finish().unwrap_or_default();
        Entry {
            names: self.names.finish().unwrap_or_default(),
            action: self.action,
            errno: self.errno,
            args: args
                .into_iter()
                .map(|memory| Argument {
                    index: Some(memory.index),
                    value: Some(memory.value),
                    value_two: Some(memory.value_two),
                    op: memory.op,
                })
                .collect(),
        }
    }
}

struct Reader<'d> {
    document: &'d Document<'d>,
    source: &'d [u8],
    /// The first value of a wrong type; reading goes on, and fails in the end.
    mismatch: Option<String>,
}

impl<'d> Reader<'d> {
    fn linux(&mut self, node: Node<'d>, memory: &mut Linux<'d>) {
        self.object(node, |reader, key, value| {
            if is_key(key, "seccomp") {
                reader.pointer(value, &mut memory.seccomp, Self::section);
            }
        });
    }

    fn section(&mut self, node: Node<'d>, memory: &mut Memory<'d>) {
        self.object(node, |reader, key, value| {
            let is = |field| is_key(key, field);
            if is("defaultAction") {
                reader.string(value, &mut memory.default_action);
            } else if is("defaultErrnoRet") {
                reader.pointer(value, &mut memory.default_errno, Self::number);
            } else if is("architectures") {
                reader.slice(value, &mut memory.architectures, Self::string);
            } else if is("flags") {
                reader.slice(value, &mut memory.flags, Self::string);
            } else if is("listenerPath") {
                reader.string(value, &mut memory.listener_path);
            } else if is("listenerMetadata") {
                reader.string(value, &mut memory.listener_metadata);
            } else if is("syscalls") {
                reader.slice(value, &mut memory.entries, Self::entry);
            }
        });
    }

    fn entry(&mut self, node: Node<'d>, memory: &mut EntryMemory<'d>) {
        self.object(node, |reader, key, value| {
            let is = |field| is_key(key, field);
            if is("names") {
                reader.slice(value, &mut memory.names, Self::string);
            } else if is("action") {
                reader.string(value, &mut memory.action);
            } else if is("errnoRet") {
                reader.pointer(value, &mut memory.errno, Self::number);
            } else if is("args") {
                reader.slice(value, &mut memory.args, Self::argument);
            }
        });
    }

    fn argument(&mut self, node: Node<'d>, memory: &mut ArgumentMemory<'d>) {
        self.object(node, |reader, key, value| {
            let is = |field| is_key(key, field);
            if is("index") {
                reader.number(value, &mut memory.index);
            } else if is("value") {
                reader.number(value, &mut memory.value);
            } else if is("valueTwo") {
                reader.number(value, &mut memory.value_two);
            } else if is("op") {
                reader.string(value, &mut memory.op);
            }
        });
    }

    /// A struct: `null` leaves it as it is.
    fn object(&mut self, node: Node<'d>, mut member: impl FnMut(&mut Self, &str, Node<'d>)) {
        match node.kind() {
            Kind::Object => {
                for (key, value) in node.members() {
                    member(self, key.as_str().unwrap_or_default(), value);
                }
            }
            _ => self.mismatched(node),
        }
    }

    /// A pointer: `null` makes it nil.
    fn pointer<T: Default>(
        &mut self,
        node: Node<'d>,
        memory: &mut Option<T>,
        read: impl FnOnce(&mut Self, Node<'d>, &mut T),
    ) {
        if *node.kind() == Kind::Null {
            *memory = None;
        } else {
            read(self, node, memory.get_or_insert_default());
        }
    }

    fn slice<T: Default>(
        &mut self,
        node: Node<'d>,
        slice: &mut Slice<T>,
        mut read: impl FnMut(&mut Self, Node<'d>, &mut T),
    ) {
        match node.kind() {
            Kind::Null => *slice = Slice::default(),
            Kind::Array => {
                let mut length = 0;
                for element in node.elements() {
                    if length == slice.memory.len() {
                        slice.memory.push(T::default());
                    }
                    read(self, element, &mut slice.memory[length]);
                    length += 1;
                }
                if length == 0 {
                    slice.memory.clear();
                }
                slice.length = Some(length);
            }
            _ => self.mismatched(node),
        }
    }

    fn string(&mut self, node: Node<'d>, memory: &mut Str<'d>) {
        match node.kind() {
            Kind::String(text) => {
                *memory = Str {
                    bytes: self.bytes(node, text),
                    is_null: false,
                    node: Some(node),
                };
            }
            _ => self.mismatched(node),
        }
    }

    /// Go puts U+FFFD for each byte that is no UTF-8, Rust for each sequence.
    fn bytes(&self, node: Node<'d>, text: &'d str) -> Cow<'d, [u8]> {
        let mut kinds = self
            .document
            .deviations()
            .iter()
            .map(|deviation| deviation.kind);
        let raw = self
            .source
            .get(node.text_span().range())
            .unwrap_or_default();
        // Escapes beside such bytes are nobody's case: one or the other is in a string.
        if !kinds.any(|kind| kind == Deviates::BadUtf8) || raw.contains(&b'\\') {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(raw.len());
        for chunk in raw.utf8_chunks() {
            bytes.extend_from_slice(chunk.valid().as_bytes());
            for _ in chunk.invalid() {
                bytes.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        Cow::Owned(bytes)
    }

    fn number(&mut self, node: Node<'d>, memory: &mut u64) {
        match node.kind() {
            Kind::Number(written) if written.bytes().all(|byte| byte.is_ascii_digit()) => {
                match written.parse() {
                    Ok(number) => *memory = number,
                    Err(_) => self.mismatched(node),
                }
            }
            _ => self.mismatched(node),
        }
    }

    fn mismatched(&mut self, node: Node<'d>) {
        let what = match node.kind() {
            // Leaves what is there as it is.
            Kind::Null => return,
            Kind::Bool(_) => "bool".to_owned(),
            Kind::Number(written) => format!("number {written}"),
            Kind::String(_) => "string".to_owned(),
            Kind::Array => "array".to_owned(),
            Kind::Object => "object".to_owned(),
            Kind::Broken => "value".to_owned(),
        };
        let words = || format!("json: cannot unmarshal {what} into Go");
        self.mismatch.get_or_insert_with(words);
    }
}

//! Which language a file is written in.

use super::{Document, Source, json, yaml};

/// A language that documents are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// JSON, or what is meant as JSON.
    #[default]
    Json,
    /// YAML.
    Yaml,
}

impl Syntax {
    /// The language of a file, by its name, and by how it begins: YAML's parser
    /// takes broken JSON for something else, so it never gets what begins as JSON.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let bytes = source.bytes();
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let start = start.trim_ascii_start();
        let is_json = match start {
            [b'{', b'{', ..] if Self::has_yaml_name(source.name()) => false,
            [b'{', b'{', rest @ ..] if begins_directive(rest) => {
                has_extension(source.name(), &["json"])
            }
            [b'{', ..] => true,
            _ if Self::has_yaml_name(source.name()) => false,
            [] => true,
            _ if has_extension(source.name(), &["json"]) => true,
            _ => !begins_as_yaml(start),
        };
        if is_json { Self::Json } else { Self::Yaml }
    }

    /// Whether a file that starts so may hold YAML, whatever it is called: a key, a
    /// document or a directive of a template comes first, or nothing but comments.
    #[must_use]
    pub fn may_be_yaml(start: &[u8]) -> bool {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        match start.trim_ascii_start() {
            [b'{', b'{', rest @ ..] => begins_directive(rest),
            start => first_line(start).is_empty() || begins_as_yaml(start),
        }
    }

    /// Whether a file of this name is expected to hold YAML.
    #[must_use]
    pub fn has_yaml_name(name: &str) -> bool {
        has_extension(name, &["yaml", "yml"])
    }
}

/// The documents of a file: one of JSON, or those of a YAML stream.
#[must_use]
pub fn read(source: &Source) -> Vec<Document<'_>> {
    match Syntax::of(source) {
        Syntax::Json => vec![json::parse(source.bytes())],
        Syntax::Yaml => yaml::parse(source.bytes()),
    }
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        let is = |one: &&str| extension.eq_ignore_ascii_case(one);
        extensions.iter().any(is)
    })
}

/// Whether what follows `{{` is a template's: in JSON there it can only be a quote.
fn begins_directive(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    match rest.trim_ascii_start() {
        [b'/', b'*', ..] => true,
        [first, ..] => first.is_ascii_alphabetic() || b".$(".contains(first),
        [] => false,
    }
}

/// The first line that is no comment; empty if there is none.
fn first_line(start: &[u8]) -> &[u8] {
    let mut lines = start.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty() && line[0] != b'#');
    line.unwrap_or_default()
}

/// Whether a file whose name says nothing is meant as YAML: its first line that
/// is no comment begins a document, or has a key.
fn begins_as_yaml(start: &[u8]) -> bool {
    let line = first_line(start);
    let key = line.iter().take_while(|&&byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
    });
    let rest = &line[key.count()..];
    let has_key = rest.len() < line.len() && (rest == b":" || rest.starts_with(b": "));
    line == b"---" || line.starts_with(b"--- ") || line.starts_with(b"%YAML") || has_key
}

/// Whether the bytes are UTF-16: by their byte order mark or, since what is read
/// begins with ASCII, by the zero in every other byte.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, b, c, d, ..] if bytes.len().is_multiple_of(2) => {
            let zeros = [*a == 0, *b == 0, *c == 0, *d == 0];
            zeros == [true, false, true, false] || zeros == [false, true, false, true]
        }
        _ => false,
    }
}

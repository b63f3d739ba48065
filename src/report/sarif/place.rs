//! Files and places in them, in the words of SARIF.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::text::{Source, Span};

/// What relative addresses are relative to: GitHub takes this name for the root
/// of the repository.
pub(super) const BASE: &str = "%SRCROOT%";

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file by its path.
pub(super) fn artifact(path: &str) -> Value {
    let uri = uri(path);
    if path == Source::STANDARD_INPUT {
        json!({"uri": uri, "description": {"text": "Standard input."}})
    } else if path.starts_with('/') {
        json!({"uri": uri})
    } else {
        json!({"uri": uri, "uriBaseId": BASE})
    }
}

/// A path as a URI: a whole one, or for a relative path a reference. `./a` and
/// `a` are the same file, and so have the same.
pub(super) fn uri(path: &str) -> String {
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    let mut uri = String::new();
    for part in parts {
        if !uri.is_empty() {
            uri.push('/');
        }
        for byte in part.bytes() {
            // A colon too: in a reference's first part it would end a scheme.
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    match (path.starts_with('/'), uri.is_empty()) {
        (true, _) => format!("file:///{uri}"),
        (false, true) => ".".to_owned(),
        (false, false) => uri,
    }
}

/// What a region is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// To be shown.
    Show,
    /// To be replaced.
    Replace,
}

/// A part of a file. Text places do not count a byte order mark, byte places
/// do, and both must mean the same bytes: so the mark itself is shown as the
/// place where the text begins, and replaced as bytes.
pub(super) fn region(source: &Source, span: Span, purpose: Use) -> Value {
    let has_mark = source.bytes().starts_with(BYTE_ORDER_MARK);
    let is_in_mark = has_mark && (span.start as usize) < BYTE_ORDER_MARK.len();
    let length = span.end.saturating_sub(span.start);
    if is_in_mark && purpose == Use::Replace {
        return json!({"byteOffset": span.start, "byteLength": length});
    }
    let [start, end] = [span.start, span.end].map(|offset| {
        let mut position = source.position(offset);
        if has_mark && position.line == 1 {
            position.column = position.column.saturating_sub(1).max(1);
        }
        position
    });
    let mut region = json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    });
    if !is_in_mark {
        region["byteOffset"] = json!(span.start);
        region["byteLength"] = json!(length);
    }
    region
}

#[cfg(test)]
mod tests {
    use super::{Use, region, uri};
    use crate::text::{Source, Span};
    use serde_json::json;

    /// A character that is not encoded can end a path, or begin a host.
    #[test]
    fn paths_become_addresses_of_the_same_files() {
        for (path, address) in [
            ("a.json", "a.json"),
            ("./a//b/./c.json", "a/b/c.json"),
            ("../a.json", "../a.json"),
            ("/run/crun", "file:///run/crun"),
            ("//host/a", "file:///host/a"),
            ("c:d e#f?g%h/ü.json", "c%3Ad%20e%23f%3Fg%25h/%C3%BC.json"),
            (".", "."),
            ("/", "file:///"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            assert_eq!(uri(path), address, "{path}");
        }
    }

    /// A fix that is one column off spoils a file.
    #[test]
    fn a_byte_order_mark_is_bytes_and_no_column() {
        let source = Source::new("a.json", b"\xef\xbb\xbf{x}\n{y}".to_vec());
        let of = |start, end, purpose| region(&source, Span::new(start, end), purpose);
        assert_eq!(
            of(4, 5, Use::Replace),
            json!({"startLine": 1, "startColumn": 2, "endLine": 1, "endColumn": 3, "byteOffset": 4, "byteLength": 1})
        );
        assert_eq!(
            of(8, 9, Use::Show),
            json!({"startLine": 2, "startColumn": 2, "endLine": 2, "endColumn": 3, "byteOffset": 8, "byteLength": 1})
        );
        assert_eq!(
            of(0, 3, Use::Show),
            json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1})
        );
        assert_eq!(
            of(0, 3, Use::Replace),
            json!({"byteOffset": 0, "byteLength": 3})
        );
    }
}

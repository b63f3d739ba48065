//! A value of a document as a file of JSON of its own.

use super::{Document, Kind, Node, json};

/// A value as the file that a program gets which reads only that: written as JSON, if it is not the
/// text of a string already.
#[derive(Clone, Debug)]
pub struct Extract {
    bytes: Vec<u8>,
    document: Document<'static>,
    /// Index of the value in its own document.
    index: u32,
}

impl Extract {
    /// The file that holds a value and nothing else.
    #[must_use]
    pub fn of(value: Node<'_>) -> Self {
        let embedding = value.document.embedding.as_ref();
        let bytes = match embedding.filter(|_| value.index == 0) {
            Some(embedding) => embedding.text.as_bytes().to_vec(),
            None => write(value),
        };
        Self {
            document: json::parse(&bytes).into_owned(),
            bytes,
            index: value.index,
        }
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file as it was read; its spans are places in [`Extract::bytes`].
    #[must_use]
    pub fn document(&self) -> &Document<'static> {
        &self.document
    }

    /// The node of the document that the value was taken from which a node of the file was made of.
    /// `None` if it is read as something else here.
    #[must_use]
    pub fn origin<'d>(&self, whole: &'d Document<'_>, node: Node<'_>) -> Option<Node<'d>> {
        let index = self.index.checked_add(node.index)?;
        let there = whole.nodes.get(index as usize)?;
        (there.kind == *node.kind()).then_some(Node {
            document: whole,
            index,
        })
    }
}

/// Writes a value as JSON, with its nodes in their order. Numbers stay as they are, even if that is
/// no JSON.
fn write(value: Node<'_>) -> Vec<u8> {
    let mut text = String::new();
    // The containers that are not closed yet: where each ends, and with what.
    let mut open: Vec<(u32, char)> = Vec::new();
    let end = value.data().next;
    for index in value.index..end {
        while open.last().is_some_and(|(next, _)| *next <= index) {
            text.extend(open.pop().map(|(_, bracket)| bracket));
        }
        let node = Node {
            document: value.document,
            index,
        };
        let data = node.data();
        let is_in_object = open.last().is_some_and(|(_, bracket)| *bracket == '}');
        let is_key = is_in_object && data.position.is_multiple_of(2);
        if is_in_object && !is_key {
            text.push(':');
        } else if !open.is_empty() && data.position > 0 {
            text.push(',');
        }
        match &data.kind {
            Kind::String(string) => push_string(&mut text, string),
            Kind::Number(digits) if is_key => push_string(&mut text, digits),
            Kind::Number(digits) => text.push_str(digits),
            Kind::Bool(is) => text.push_str(if *is { "true" } else { "false" }),
            Kind::Null | Kind::Broken => text.push_str("null"),
            Kind::Array => {
                text.push('[');
                open.push((data.next, ']'));
            }
            Kind::Object => {
                text.push('{');
                open.push((data.next, '}'));
            }
        }
    }
    text.extend(open.iter().rev().map(|(_, bracket)| *bracket));
    text.into_bytes()
}

fn push_string(text: &mut String, string: &str) {
    // Its display is JSON, and cannot fail as writing to a file can.
    text.push_str(&serde_json::Value::from(string).to_string());
}

#[cfg(test)]
mod tests {
    use super::Extract;
    use crate::text::{json, yaml};

    /// A profile in a manifest would be read as another one, or point elsewhere.
    #[test]
    fn a_value_is_written_as_it_was_read() {
        let text =
            b"a: [x]\nspec:\n  b: {c: [1, -2.5, {}], \"q\\\"\": null}\n  d: [[], true]\ne: 1\n";
        let documents = yaml::parse(text);
        let spec = documents[0].root().unwrap().get("spec").unwrap();
        let extract = Extract::of(spec);
        let expected = r#"{"b":{"c":[1,-2.5,{}],"q\"":null},"d":[[],true]}"#;
        assert_eq!(std::str::from_utf8(extract.bytes()), Ok(expected));
        let d = extract.document().root().unwrap().get("d").unwrap();
        let there = extract.origin(&documents[0], d).unwrap();
        assert_eq!(there, spec.get("d").unwrap());
    }

    /// The bytes that a reader gets of a string are the string's, whatever they are.
    #[test]
    fn the_text_of_a_string_is_not_written_anew() {
        let text = r#"{"file": "{ \"a\": 1, /* b */ }"}"#;
        let document = json::parse(text.as_bytes());
        let string = document.root().unwrap().get("file").unwrap();
        let inner = crate::text::embed(text.as_bytes(), string).unwrap();
        let extract = Extract::of(inner.root().unwrap());
        assert_eq!(extract.bytes(), br#"{ "a": 1, /* b */ }"#);
        let a = extract.document().root().unwrap().get("a").unwrap();
        let there = extract.origin(&inner, a).unwrap();
        assert_eq!(there.pointer(), "/file/a");
    }
}

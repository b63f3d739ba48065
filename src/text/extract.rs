//! A value of a document as a file of JSON of its own.

use super::{Document, Kind, Node, json};

/// A value as the file that a program gets which reads only that: written as JSON, if it is not the
/// text of a string already.
#[derive(Clone, Debug)]
pub struct Extract {
    bytes: Vec<u8>,
    document: Document<'static>,
    places: Vec<Place>,
}

/// Of which members whoever writes the file writes nothing, by the key and the value.
pub type LeftOut = fn(&str, &Kind<'_>) -> bool;

/// Where a node of a file stands in what the file was made of: the number of its document, and the
/// index there; `None` for what stands nowhere.
type Place = Option<(usize, u32)>;

impl Extract {
    /// The file that holds a value and nothing else, without the members that are `left_out`.
    #[must_use]
    pub fn of(value: Node<'_>, left_out: LeftOut) -> Self {
        let mut file = Composition::new(left_out);
        let embedding = value.document.embedding.as_ref();
        match embedding.filter(|_| value.index == 0) {
            Some(embedding) => {
                file.text.push_str(&embedding.text);
                file.places
                    .extend((0..value.data().next).map(|index| Some((0, index))));
            }
            None => file.value(0, value),
        }
        file.into_extract()
    }

    /// The file that holds an object with other `elements` in the array that its `key` has: each an
    /// element of a document, which is told by a number, 0 for the object's own. Where an element has
    /// an array by the name of `sorted`, its strings are put into byte order.
    #[must_use]
    pub fn with_elements(
        object: Node<'_>,
        key: &str,
        elements: &[(usize, Node<'_>)],
        sorted: &str,
        left_out: LeftOut,
    ) -> Self {
        let mut file = Composition::new(left_out);
        file.open('{', Some((0, object.index)));
        let members = file.members(object);
        let is_list = |(it, _): &&(Node<'_>, _)| it.as_str() == Some(key);
        let list = members.iter().rfind(is_list).map(|(_, list)| list);
        for (name, value) in members.iter().filter(|it| !is_list(it)) {
            file.key(0, *name);
            file.value(0, *value);
        }
        file.name(key);
        file.open('[', list.map(|list| (0, list.index)));
        for &(number, element) in elements {
            file.sorted(number, element, sorted);
        }
        file.close(']');
        file.close('}');
        file.into_extract()
    }

    /// About how much an extract holds of a value, for limits: its nodes, and their text in pieces of
    /// 16 bytes.
    #[must_use]
    pub fn size_of(value: Node<'_>) -> usize {
        let nodes = value.index as usize..value.data().next as usize;
        let nodes = value.document.nodes.get(nodes).unwrap_or_default().iter();
        let texts = nodes.map(|node| match &node.kind {
            Kind::String(text) | Kind::Number(text) => text.len(),
            _ => 0,
        });
        texts.map(|length| 1 + length / 16).sum()
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

    /// The node that a node of the file was made of, in the document that the value was taken from.
    /// `None` if it is read as something else here, or comes from another document.
    #[must_use]
    pub fn origin<'d>(&self, whole: &'d Document<'_>, node: Node<'_>) -> Option<Node<'d>> {
        self.origin_in(0, whole, node)
    }

    /// The same for the document of a number, as [`Extract::with_elements`] was given it.
    #[must_use]
    pub fn origin_in<'d>(
        &self,
        number: usize,
        whole: &'d Document<'_>,
        node: Node<'_>,
    ) -> Option<Node<'d>> {
        let (of, index) = (*self.places.get(node.index as usize)?)?;
        let there = whole.nodes.get(index as usize).filter(|_| of == number)?;
        (there.kind == *node.kind()).then_some(Node {
            document: whole,
            index,
        })
    }
}

/// A file of JSON as it is put together, and where each of its nodes comes from.
struct Composition {
    text: String,
    places: Vec<Place>,
    left_out: LeftOut,
}

impl Composition {
    const fn new(left_out: LeftOut) -> Self {
        Self {
            text: String::new(),
            places: Vec::new(),
            left_out,
        }
    }

    /// Whether a member is written: not what a merge key has, which others have brought in.
    fn has(&self, key: Node<'_>, value: Node<'_>) -> bool {
        let name = key.as_str().unwrap_or_default();
        *key.kind() != Kind::Merge && !(self.left_out)(name, value.kind())
    }

    fn members<'d>(&self, object: Node<'d>) -> Vec<(Node<'d>, Node<'d>)> {
        let members = object.members();
        members
            .filter(|&(key, value)| self.has(key, value))
            .collect()
    }

    fn into_extract(self) -> Extract {
        let bytes = self.text.into_bytes();
        Extract {
            document: json::parse(&bytes).into_owned(),
            bytes,
            places: self.places,
        }
    }

    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['{', '[', ':']) {
            self.text.push(',');
        }
    }

    fn open(&mut self, bracket: char, place: Place) {
        self.separate();
        self.text.push(bracket);
        self.places.push(place);
    }

    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    fn key(&mut self, number: usize, key: Node<'_>) {
        self.separate();
        let text = key.as_str().or_else(|| key.as_number());
        push_string(&mut self.text, text.unwrap_or_default());
        self.places.push(Some((number, key.index)));
        self.text.push(':');
    }

    /// A key that stands nowhere.
    fn name(&mut self, name: &str) {
        self.separate();
        push_string(&mut self.text, name);
        self.places.push(None);
        self.text.push(':');
    }

    /// A value, with its nodes in their order. Numbers stay as they are, even if that is no JSON.
    fn value(&mut self, number: usize, value: Node<'_>) {
        // The containers that are not closed yet: where each ends, and with what.
        let mut open: Vec<(u32, char)> = Vec::new();
        let (mut index, end) = (value.index, value.data().next);
        while index < end {
            while open.last().is_some_and(|(next, _)| *next <= index) {
                self.text.extend(open.pop().map(|(_, bracket)| bracket));
            }
            let node = Node {
                document: value.document,
                index,
            };
            index += 1;
            let data = node.data();
            let is_in_object = open.last().is_some_and(|(_, bracket)| *bracket == '}');
            let is_key = is_in_object && data.position.is_multiple_of(2);
            if let Some(value) = node
                .value()
                .filter(|&value| is_key && !self.has(node, value))
            {
                index = value.data().next;
                continue;
            }
            if is_in_object && !is_key {
                self.text.push(':');
            } else {
                self.separate();
            }
            self.places.push(Some((number, node.index)));
            match &data.kind {
                Kind::String(string) => push_string(&mut self.text, string),
                Kind::Number(digits) if is_key => push_string(&mut self.text, digits),
                Kind::Number(digits) => self.text.push_str(digits),
                Kind::Bool(is) => self.text.push_str(if *is { "true" } else { "false" }),
                Kind::Null | Kind::Broken | Kind::Merge => self.text.push_str("null"),
                Kind::Array => {
                    self.text.push('[');
                    open.push((data.next, ']'));
                }
                Kind::Object => {
                    self.text.push('{');
                    open.push((data.next, '}'));
                }
            }
        }
        self.text
            .extend(open.iter().rev().map(|(_, bracket)| *bracket));
    }

    fn sorted(&mut self, number: usize, value: Node<'_>, sorted: &str) {
        if !value.is_object() {
            return self.value(number, value);
        }
        self.open('{', Some((number, value.index)));
        for (key, value) in self.members(value) {
            self.key(number, key);
            if key.as_str() == Some(sorted) && *value.kind() == Kind::Array {
                self.open('[', Some((number, value.index)));
                let mut elements: Vec<_> = value.elements().collect();
                elements.sort_by_key(|element| element.as_str());
                for element in elements {
                    self.value(number, element);
                }
                self.close(']');
            } else {
                self.value(number, value);
            }
        }
        self.close('}');
    }
}

fn push_string(text: &mut String, string: &str) {
    // Its display is JSON, and cannot fail as writing to a file can.
    text.push_str(&serde_json::Value::from(string).to_string());
}

#[cfg(test)]
mod tests {
    use super::Extract;
    use super::LeftOut;
    use crate::text::{Node, json, yaml};

    const ALL: LeftOut = |_, _| false;

    /// A profile in a manifest would be read as another one, or point elsewhere.
    #[test]
    fn a_value_is_written_as_it_was_read() {
        let text =
            b"a: [x]\nspec:\n  b: {c: [1, -2.5, {}], \"q\\\"\": null}\n  d: [[], true]\ne: 1\n";
        let documents = yaml::parse(text);
        let spec = documents[0].root().unwrap().get("spec").unwrap();
        let extract = Extract::of(spec, ALL);
        let expected = r#"{"b":{"c":[1,-2.5,{}],"q\"":null},"d":[[],true]}"#;
        assert_eq!(std::str::from_utf8(extract.bytes()), Ok(expected));
        let d = extract.document().root().unwrap().get("d").unwrap();
        let there = extract.origin(&documents[0], d).unwrap();
        assert_eq!(there, spec.get("d").unwrap());
    }

    /// What `<<` brings in stands in the object already: with the key as well, the file of a good
    /// manifest would be none of JSON.
    #[test]
    fn merge_keys_are_left_out() {
        let text = b"- &e {n: [x], a: 1}\n- <<: *e\n  n: [z]\n- {<<: [*e]}\n- m: {<<: {}}\n";
        let documents = yaml::parse(text);
        let list = documents[0].root().unwrap();
        let extract = Extract::of(list, ALL);
        let expected = r#"[{"n":["x"],"a":1},{"n":["z"],"a":1},{"n":["x"],"a":1},{"m":{}}]"#;
        assert_eq!(std::str::from_utf8(extract.bytes()), Ok(expected));
        let second = |list: Node<'_>| list.elements().nth(1).unwrap().get("n").unwrap().span();
        let n = extract
            .document()
            .root()
            .unwrap()
            .elements()
            .nth(1)
            .unwrap()
            .get("n")
            .unwrap();
        let there = extract.origin(&documents[0], n).unwrap();
        assert_eq!(there.span(), second(list));
        let object = list.elements().nth(1).unwrap();
        let with = Extract::with_elements(object, "l", &[(0, object)], "n", ALL);
        assert_eq!(
            with.bytes(),
            br#"{"n":["z"],"a":1,"l":[{"n":["z"],"a":1}]}"#
        );
    }

    /// A rule entry of a base profile would be shown where the profile has something else.
    #[test]
    fn elements_of_several_documents_keep_their_places() {
        let [own, base] = [
            br#"{"a":{"list":[{"n":["x"]}],"b":"},:"}}"#.as_slice(),
            br#"[{"n":["z","y"],"m":1}]"#,
        ]
        .map(json::parse);
        let object = own.root().unwrap().get("a").unwrap();
        let old = object.get("list").unwrap().elements().next().unwrap();
        let new = base.root().unwrap().elements().next().unwrap();
        let file = Extract::with_elements(object, "list", &[(1, new), (0, old)], "n", ALL);
        let expected = r#"{"b":"},:","list":[{"n":["y","z"],"m":1},{"n":["x"]}]}"#;
        assert_eq!(std::str::from_utf8(file.bytes()), Ok(expected));
        let list = file.document().root().unwrap().get("list").unwrap();
        let [first, second] = [0, 1].map(|at| list.elements().nth(at).unwrap());
        assert_eq!(file.origin_in(1, &base, first), Some(new));
        assert_eq!(file.origin(&own, first), None);
        assert_eq!(file.origin(&own, second), Some(old));
        let y = first.get("n").unwrap().elements().next().unwrap();
        let there = file.origin_in(1, &base, y).unwrap();
        assert_eq!(there.pointer(), "/0/n/1");
        let without = Extract::with_elements(old, "list", &[], "n", ALL);
        assert_eq!(without.bytes(), br#"{"n":["x"],"list":[]}"#);
    }

    /// The bytes that a reader gets of a string are the string's, whatever they are.
    #[test]
    fn the_text_of_a_string_is_not_written_anew() {
        let text = r#"{"file": "{ \"a\": 1, /* b */ }"}"#;
        let document = json::parse(text.as_bytes());
        let string = document.root().unwrap().get("file").unwrap();
        let inner = crate::text::embed(text.as_bytes(), string).unwrap();
        let extract = Extract::of(inner.root().unwrap(), ALL);
        assert_eq!(extract.bytes(), br#"{ "a": 1, /* b */ }"#);
        let a = extract.document().root().unwrap().get("a").unwrap();
        let there = extract.origin(&inner, a).unwrap();
        assert_eq!(there.pointer(), "/file/a");
    }
}

//! The JSON reader and `serde_json` on the same documents. If one of these
//! fails, seclint reads another profile than the one that runtimes read.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

use proptest::prelude::*;
use seclint::text::{DeviationKind, Kind, Node, json};
use serde_json::{Map, Number, Value};

/// A document as text, with the white space and the escapes that people and
/// programs use.
fn documents() -> impl Strategy<Value = Value> {
    let strings = prop_oneof![
        "[a-z_0-9]{0,12}",
        any::<String>(),
        Just("\u{0}\u{1f}\"\\/\u{2028}\u{10ffff}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::from)),
        strings.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        let members = proptest::collection::vec((strings.clone(), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(Value::from),
            members.prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The tree as `serde_json` has it.
fn value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::from(*value),
        Kind::Number(digits) => serde_json::from_str(digits).expect("a number"),
        Kind::String(text) => Value::from(text.as_ref()),
        Kind::Array => node.elements().map(value).collect(),
        Kind::Object => {
            let member =
                |(key, of): (Node<'_>, _)| (key.as_str().expect("a key").to_owned(), value(of));
            Value::from(node.members().map(member).collect::<Map<_, _>>())
        }
        Kind::Merge | Kind::Broken => panic!("no value"),
    }
}

proptest! {
    #[test]
    fn valid_documents_are_read_alike(document in documents(), pretty: bool) {
        let text = if pretty {
            serde_json::to_string_pretty(&document).expect("JSON")
        } else {
            serde_json::to_string(&document).expect("JSON")
        };
        let read = json::parse(text.as_bytes());
        prop_assert_eq!(read.deviations(), &[]);
        prop_assert_eq!(value(read.root().expect("a value")), document);
    }

    /// Broken in one place, both must say so, or both must not.
    #[test]
    fn broken_documents_are_told_from_valid_ones(
        document in documents(),
        at in any::<prop::sample::Index>(),
        put in prop_oneof![Just(""), Just(","), Just("\""), Just("]"), Just("}"), Just("0"), Just("-"), Just("\\"), Just("\n"), Just("nul")],
    ) {
        let mut bytes = serde_json::to_vec(&document).expect("JSON");
        let at = at.index(bytes.len());
        bytes.splice(at..=at, put.bytes());
        let read = json::parse(&bytes);
        // Nothing in the grammar is against half a surrogate pair.
        let is_json = read.deviations().iter().all(|it| it.kind == DeviationKind::LoneSurrogate);
        let text = std::str::from_utf8(&bytes);
        let verdict = text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
        prop_assert_eq!(is_json, verdict, "{}", bytes.escape_ascii());
    }
}

/// What `serde_json::Value` loses is what this reader is for.
#[test]
fn duplicates_and_numbers_stay_as_written() {
    let text = br#"{"a": 18446744073709551615, "a": 18446744073709551616, "b": [1.0, 1e400, -0]}"#;
    let read = json::parse(text);
    assert_eq!(read.deviations(), &[]);
    let root = read.root().expect("a value");
    let keys: Vec<_> = root.members().filter_map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "a", "b"]);
    let numbers: Vec<_> = root
        .members()
        .filter_map(|(_, value)| value.as_number())
        .collect();
    assert_eq!(numbers, ["18446744073709551615", "18446744073709551616"]);
    let list = root.get("b").expect("b");
    let numbers: Vec<_> = list.elements().filter_map(Node::as_number).collect();
    assert_eq!(numbers, ["1.0", "1e400", "-0"]);
}

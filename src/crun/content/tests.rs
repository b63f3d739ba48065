//! What is known of the bug, and what is not.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

use serde_json::{Value, json};

use super::*;
use crate::crun::Host;
use crate::runtime::crun::{Parser, read};
use crate::text::json;

const CONFIG: &[u8] =
    include_bytes!("../../../tests/fixtures/cache/vulnerable/root/bounds/config.json");
/// What 2.6.0 makes of it, and what 2.6.1 does.
const ENTRY: &[u8] = include_bytes!(
    "../../../tests/fixtures/cache/vulnerable/root/.cache/seccomp/d203affeff928596c2ef27ba9a0793beaa6d26f6d97f10141e91b81a50f76bee"
);
const MENDED: &[u8] = include_bytes!("../../../tests/fixtures/cache/vulnerable/mended.bpf");

fn host() -> Host {
    Host {
        crun: "1.21".to_owned(),
        libseccomp: Release::new(2, 6, 0),
        uname: "6.1.0|#1 SMP|x86_64".parse().expect("a uname"),
    }
}

/// The configuration, with more rule entries, among the sections of an audit.
fn asked(more: impl IntoIterator<Item = Value>) -> (Sections, SectionId) {
    let host = host();
    let mut config: Value = serde_json::from_slice(CONFIG).expect("JSON");
    let section = &mut config["linux"]["seccomp"];
    let entries = section["syscalls"].as_array_mut().expect("rule entries");
    entries.extend(more);
    let text = section.to_string();
    let document = json::parse(text.as_bytes());
    let section = read(&document, text.as_bytes(), Parser::Yajl);
    let section = section.expect("a section").expect("a section");
    let mut sections = Sections::default();
    let id = sections.add(&section, false, &host, host.libseccomp).id;
    (sections, id)
}

/// What nobody could find out would be told as the harmless bug, whatever else is in the filter.
#[test]
fn what_is_not_known_is_no_known_bug() {
    // Too many ways to be told apart.
    let (sections, id) = asked((0..32).map(|bit| {
        let set = |index| {
            let bit = 1_u64 << bit;
            json!({"index": index, "value": bit, "valueTwo": bit, "op": "SCMP_CMP_MASKED_EQ"})
        };
        json!({"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [set(0), set(1)]})
    }));
    let entry = Filter::detect(ENTRY).expect("a filter");
    let mut comparer = Comparer::new(&sections, Some(host().libseccomp));
    let MergeBug::Unknown(reason) = comparer.merge_bug(&entry, id) else {
        panic!("it is known");
    };
    assert_eq!(reason, TooLarge.to_string());
    let (sections, id) = asked([]);
    comparer = Comparer::new(&sections, Some(host().libseccomp));
    comparer.deadline = Instant::now();
    let late = comparer.merge_bug(&entry, id);
    assert_eq!(late, MergeBug::Unknown(too_long()));
}

/// Where a distribution mended its libseccomp and left it its release, whoever made entries before
/// that would pass for an attacker.
#[test]
fn what_a_mended_library_makes_otherwise_is_known_for_the_bug() {
    let (sections, id) = asked([]);
    let filter = |bytes| Filter::detect(bytes).expect("a filter");
    let mut comparer = Comparer::new(&sections, Some(host().libseccomp));
    comparer.made[id.0] = Some(Ok(filter(MENDED)));

    assert!(comparer.is_vulnerable());
    let entry = filter(ENTRY);
    assert!(matches!(
        comparer.compare(&entry, id),
        Outcome::Differs(Ok(_))
    ));
    assert!(matches!(comparer.merge_bug(&entry, id), MergeBug::Alone(_)));
    let mended = filter(MENDED);
    assert!(comparer.compare(&mended, id).is_equal());
    assert_eq!(comparer.merge_bug(&mended, id), MergeBug::No);
}

//! The records of what real runtimes did, which `tests/live` makes: if they are not
//! whole, models are checked against less than they seem to be.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/runtimes.rs"]
mod runtimes;

use std::path::Path;

use runtimes::{Case, Outcome, Record};

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtimes"))
}

fn records() -> Vec<Record> {
    let names = std::fs::read_dir(directory()).expect("the records");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name"));
    let mut names: Vec<_> = names.filter(|name| name != "sections.jsonl").collect();
    names.sort();
    let records = names.iter().map(|file| {
        let name = file.strip_suffix(".jsonl").expect("a record");
        let record = Record::read(directory(), name).expect("a record");
        assert_eq!(record.header.name(), name, "the record of another runtime");
        record
    });
    records.collect()
}

/// A case without an observation is a case that no model is checked against.
#[test]
fn every_record_has_every_case() {
    let cases = Case::all(&directory().join("sections.jsonl"));
    let cases: Vec<_> = cases.iter().map(|case| &case.case).collect();
    let records = records();
    for runtime in ["crun", "runc"] {
        let mut runtimes = records.iter().map(|it| &it.header.runtime);
        assert!(runtimes.any(|it| it == runtime), "no record of {runtime}");
    }
    for record in records {
        let name = record.header.name();
        let observed: Vec<_> = record.observations.iter().map(|it| &it.case).collect();
        assert!(
            observed == cases,
            "{name}: SECLINT_LIVE=record records all cases"
        );
    }
}

/// An observation that contradicts itself shows that the harness misread a runtime,
/// and teaches the models what no runtime does.
#[test]
fn observations_make_sense() {
    for record in records() {
        let is_crun = record.header.runtime == "crun";
        for it in &record.observations {
            let case = format!("{}: {it:?}", record.header.name());
            assert!(!it.hung || it.outcome == Outcome::Dies, "{case}");
            assert!(
                it.error.is_empty() || it.outcome != Outcome::Starts,
                "{case}"
            );
            assert!(
                is_crun || it.key.is_none() && it.warned.is_empty(),
                "{case}"
            );
            assert!(!is_crun || it.dropped.is_empty(), "{case}");
            // A refusal says what is wrong; the filter kills in silence.
            assert!(
                !it.error.is_empty() || it.outcome != Outcome::Refuses,
                "{case}"
            );
        }
        for outcome in [Outcome::Starts, Outcome::Dies, Outcome::Refuses] {
            let mut outcomes = record.observations.iter().map(|it| it.outcome);
            assert!(outcomes.any(|it| it == outcome), "no section {outcome:?}");
        }
    }
}

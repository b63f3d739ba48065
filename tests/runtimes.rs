//! The records of what real runtimes did, which `tests/live` makes, and what `seclint predict` says
//! that they do. If the records are not whole, predictions are compared with less than they seem to
//! be; if a prediction is wrong, users are told of containers that do not start, or not told.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[allow(dead_code, reason = "the live runs compare with the record as well")]
#[path = "live/compare.rs"]
mod compare;
#[path = "live/predictions.rs"]
mod predictions;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use seclint::finding::{Category, Finding, Severity};
use seclint::lint::Linter;
use seclint::profile::Dialects;
use seclint::target::Target;
use seclint::text::Source;

use runtimes::{Case, Outcome, Record};

/// Where the records are; `SECLINT_RECORDS` names others, which `live observe` made.
fn directory() -> PathBuf {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtimes");
    std::env::var_os("SECLINT_RECORDS").map_or_else(|| here.into(), PathBuf::from)
}

fn records() -> Vec<Record> {
    let names = std::fs::read_dir(directory()).expect("the records");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name"));
    let mut names: Vec<_> = names.filter(|name| name != "sections.jsonl").collect();
    names.sort();
    let records = names.iter().map(|file| {
        let name = file.strip_suffix(".jsonl").expect("a record");
        let record = Record::read(&directory(), name).expect("a record");
        assert_eq!(record.header.name(), name, "the record of another runtime");
        record
    });
    records.collect()
}

/// Everything that seclint says of runtimes rests on this.
#[test]
fn runtimes_did_what_is_predicted() {
    let cases = Case::all(&directory().join("sections.jsonl"));
    let mut compared = 0;
    let mut wrong = Vec::new();
    for record in records() {
        let predictions = predictions::of(&cases, &record.header).expect("predictions");
        for observation in &record.observations {
            let case = &observation.case;
            // How large a filter is only libseccomp can tell.
            let is_large = case.starts_with("rule filter-too-large, bad")
                || case.starts_with("a filter that is too large");
            if is_large && !cfg!(feature = "libseccomp") {
                continue;
            }
            let predicted = predictions.get(case).expect(case);
            let differences = compare::with_prediction(observation, &record.header, predicted);
            let name = record.header.name();
            wrong.extend((differences.iter()).map(|it| format!("{name}, {case:?}: {it}")));
            compared += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared >= 4 * 300, "{compared} compared");
}

/// A rule without a case claims what no runtime was asked about.
#[test]
fn every_lint_rule_has_its_examples_among_the_sections() {
    let cases = Case::all(&directory().join("sections.jsonl"));
    for rule in seclint::lint::lint_rules().iter().map(|rule| &rule.rule) {
        if !rule.page.contains("```json bad") {
            continue;
        }
        let prefix = format!("rule {},", rule.id);
        let mut names = cases.iter().map(|case| &case.case);
        assert!(names.any(|name| name.starts_with(&prefix)), "{}", rule.id);
    }
}

/// A user would be told that containers do not start which do.
#[test]
fn containers_do_not_start_where_a_rule_says_so() {
    let cases = Case::all(&directory().join("sections.jsonl"));
    let linter = Linter {
        rules: seclint::lint::lint_rules().to_vec(),
        targets: vec![Target::default()],
        dialects: Some(Dialects::OCI),
        ..Linter::default()
    };
    let records = records();
    let mut told = BTreeMap::<String, usize>::new();
    for (number, case) in cases.iter().enumerate() {
        let findings = linter
            .lint(&Arc::new(Source::new("section.json", case.section())))
            .findings;
        // Of a section with such mistakes runtimes do not read what a person does.
        let is_misread = |it: &Finding| {
            it.rule.category == Category::Correctness && it.severity == Severity::Error
        };
        let mut about = findings
            .iter()
            .filter(|it| it.rule.id == "missing-runtime-syscalls");
        let Some(finding) = about
            .next()
            .filter(|_| !findings.iter().any(is_misread) && case.annotations.is_empty())
        else {
            continue;
        };
        let runtimes = finding.facts["runtimes"].as_object().expect("runtimes");
        for record in &records {
            let (runtime, version) = (&record.header.runtime, &record.header.version);
            let version = version.split('+').next().expect("a version");
            let is_it = |title: &&String| title.starts_with(runtime) && title.contains(version);
            let Some(title) = runtimes.keys().find(is_it) else {
                continue;
            };
            // What is said after that is of containers without `noNewPrivileges`.
            let always = finding
                .message
                .strip_prefix("containers do not start with ");
            let always = always
                .and_then(|words| words.split([',', ':']).next())
                .unwrap_or_default();
            let is_always = always.split(" and ").any(|it| it == runtime || it == title);
            if case.no_new_privileges && !is_always {
                continue;
            }
            *told.entry(title.clone()).or_default() += 1;
            let outcome = record.observations[number].outcome;
            assert_ne!(
                outcome,
                Outcome::Starts,
                "{title}, {:?}: {}",
                case.case,
                finding.message
            );
        }
    }
    assert!(
        told.len() == 3 && told.values().all(|&count| count > 100),
        "{told:?}"
    );
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
            // A refusal says what is wrong, unless it is a crash; the filter kills in silence.
            let crashes = [
                "odd: element of flags null",
                "odd: element of architectures null",
            ];
            assert!(
                !it.error.is_empty()
                    || it.outcome != Outcome::Refuses
                    || crashes.contains(&it.case.as_str()),
                "{case}"
            );
        }
        for outcome in [Outcome::Starts, Outcome::Dies, Outcome::Refuses] {
            let mut outcomes = record.observations.iter().map(|it| it.outcome);
            assert!(outcomes.any(|it| it == outcome), "no section {outcome:?}");
        }
    }
}

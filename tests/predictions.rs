//! What real runtimes did with sections, and what `seclint predict` says that they do:
//! `tests/runtimes` holds the sections and a record for each runtime. If one of these fails, users
//! are told of containers that do not start, or not told.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

#[path = "support/runtimes.rs"]
mod runtimes;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use runtimes::{Case, Record};
use serde_json::Value;
use support::{repository, run};

/// The sections and the records.
fn directory() -> PathBuf {
    std::env::var_os("SECLINT_RECORDS").map_or_else(|| repository("tests/runtimes"), PathBuf::from)
}

#[test]
fn runtimes_did_what_is_predicted() {
    let directory = directory();
    let cases = Case::all(&directory.join("sections.jsonl"));
    let files = tempfile::tempdir().expect("a directory");
    for (number, case) in cases.iter().enumerate() {
        let file = files.path().join(format!("{number:05}.json"));
        fs::write(file, case.config("rootfs")).expect("a file");
    }
    let mut records = 0;
    let mut wrong = Vec::new();
    for name in ["crun-1.21", "crun-1.28", "runc-1.1.15", "runc-1.3.6"] {
        let Some(record) = Record::read(&directory, name) else {
            panic!("{} has no record of {name}", directory.display());
        };
        records += 1;
        let uname = &record.header.uname;
        let uname = format!("{}|{}|{}", uname.release, uname.version, uname.machine);
        let header = &record.header;
        let ran = run([
            "predict".to_owned(),
            "--format=json".to_owned(),
            format!("--runtime={}@{}", header.runtime, header.version),
            format!("--libseccomp={}", header.libseccomp),
            format!("--uname={uname}"),
            files.path().display().to_string(),
        ]);
        let report: Value = serde_json::from_str(&ran.stdout).expect("a report");
        let predictions: BTreeMap<&str, &Value> = report["predictions"]
            .as_array()
            .expect("predictions")
            .iter()
            .map(|prediction| (prediction["path"].as_str().expect("a path"), prediction))
            .collect();
        assert_eq!(predictions.len(), cases.len());
        for (case, prediction) in cases.iter().zip(predictions.values()) {
            let observed = record.of(&case.case);
            let observed = observed.unwrap_or_else(|| panic!("{name}: no {:?}", case.case));
            let differences = observed.differences(prediction);
            if !differences.is_empty() {
                wrong.push(format!("{name}, {}: {}", case.case, differences.join("; ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(records == 4 && cases.len() >= 300, "{}", cases.len());
}

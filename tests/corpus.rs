//! Real files, outside the project: `SECLINT_CORPUS=DIR cargo test --test corpus`.
//! If this fails, seclint falls over on what people really have.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use support::run;

/// Every file, one by one, ends in 0 or 1, and its report fits the schema.
#[test]
fn every_real_file_is_handled() {
    let Some(corpus) = std::env::var_os("SECLINT_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: SECLINT_CORPUS is not set");
        return;
    };
    let files = fs::read_dir(&corpus).expect("the corpus");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let mut profiles = 0;
    let mut unknown = BTreeMap::<String, usize>::new();
    for path in &files {
        let ran = run(["check".as_ref(), "--format=json".as_ref(), path.as_os_str()]);
        assert!(ran.code < 2, "{}: {}", path.display(), ran.stderr);
        let report = ran.report();
        profiles += report["summary"]["profiles"].as_u64().expect("a count");
        for finding in report["findings"].as_array().expect("findings") {
            let rule = finding["rule"].as_str().expect("a rule");
            let is_about_spelling =
                ["unknown-syscall", "syscall-alias", "empty-syscall-name"].contains(&rule);
            if let (Some(name), true) = (finding["facts"]["syscall"].as_str(), is_about_spelling) {
                *unknown.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    assert!(
        !files.is_empty(),
        "there is nothing in {}",
        corpus.display()
    );
    println!(
        "{} files, {profiles} profiles, {} names that are no syscall: {unknown:?}",
        files.len(),
        unknown.len()
    );
}

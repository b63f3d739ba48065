//! What a fix does to a file. If this fails, who takes seclint's advice has a
//! broken profile, or is told the same again.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::Value;
use support::{file, repository, run};

fn findings(profile: &str, options: &[&str]) -> Vec<Value> {
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let arguments = ["check", &path, "--format=json"];
    let report = run(arguments.into_iter().chain(options.iter().copied())).report();
    report["findings"].as_array().expect("findings").clone()
}

fn fixed(profile: &str, finding: &Value) -> String {
    let edits = finding["fix"]["edits"].as_array().expect("edits");
    let mut edits: Vec<_> = edits
        .iter()
        .map(|edit| {
            let byte = |end: &str| edit["span"][end]["byte"].as_u64().expect("a byte");
            let text = edit["text"].as_str().expect("text");
            (byte("start") as usize, byte("end") as usize, text)
        })
        .collect();
    edits.sort_unstable();
    let mut profile = profile.to_owned();
    for (start, end, text) in edits.into_iter().rev() {
        profile.replace_range(start..end, text);
    }
    profile
}

/// Each fix of each bad example of the rule book takes its own finding away, and
/// leaves what was JSON before.
#[test]
fn a_fix_settles_its_finding() {
    let mut fixes = 0;
    for category in fs::read_dir(repository("rules")).expect("rules") {
        for page in fs::read_dir(category.expect("a category").path()).expect("pages") {
            let page = fs::read_to_string(page.expect("a page").path()).expect("a page");
            for example in page.split("```json bad").skip(1) {
                let (options, example) = example.split_once('\n').expect("a fence");
                let (profile, _) = example.split_once("```").expect("a fence");
                let options: Vec<_> = options.split_whitespace().collect();
                let before = findings(profile, &options);
                for finding in before.iter().filter(|finding| !finding["fix"].is_null()) {
                    let after = findings(&fixed(profile, finding), &options);
                    let count = |findings: &[Value], wanted: &dyn Fn(&Value) -> bool| {
                        findings.iter().filter(|finding| wanted(finding)).count()
                    };
                    let same = |other: &Value| {
                        other["rule"] == finding["rule"] && other["message"] == finding["message"]
                    };
                    let syntax = |other: &Value| other["rule"] == "json-syntax";
                    let what = format!("{finding} of\n{profile}\ngave\n{after:?}");
                    assert!(count(&after, &same) < count(&before, &same), "{what}");
                    assert!(count(&after, &syntax) <= count(&before, &syntax), "{what}");
                    fixes += 1;
                }
            }
        }
    }
    assert!(fixes > 30, "only {fixes} fixes were tried");
}

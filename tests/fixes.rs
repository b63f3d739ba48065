//! What a fix does to a file. If this fails, who takes seclint's advice has a
//! broken profile, or is told the same again.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::Value;
use support::{file, fixed, repository, run};

fn findings(profile: &str, options: &[&str]) -> Vec<Value> {
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let arguments = ["check", &path, "--format=json"];
    let report = run(arguments.into_iter().chain(options.iter().copied())).report();
    report["findings"].as_array().expect("findings").clone()
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
                    let after = findings(&fixed(profile, [finding]), &options);
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

/// A fix that breaks the JSON, or asks for something else, is worse than none.
#[test]
fn fixes_of_conditions_write_the_condition_that_is_meant() {
    for (rule, before, after) in [
        (
            "value-two-ignored",
            r#"{"index":0,"value":1,"valueTwo":5,"op":"SCMP_CMP_EQ"}"#,
            r#"{"index":0,"value":1,"op":"SCMP_CMP_EQ"}"#,
        ),
        (
            "value-two-ignored",
            r#"{ "valueTwo" : 5 , "index":0,"value":1,"op":"SCMP_CMP_NE"}"#,
            r#"{ "index":0,"value":1,"op":"SCMP_CMP_NE"}"#,
        ),
        (
            "masked-eq-bits-outside-mask",
            r#"{"index":0,"value":240,"valueTwo":287,"op":"SCMP_CMP_MASKED_EQ"}"#,
            r#"{"index":0,"value":240,"valueTwo":16,"op":"SCMP_CMP_MASKED_EQ"}"#,
        ),
        (
            "tautological-condition",
            r#"{"index":0,"valueTwo":8,"value":0,"op":"SCMP_CMP_MASKED_EQ"}"#,
            r#"{"index":0,"valueTwo":0,"value":8,"op":"SCMP_CMP_MASKED_EQ"}"#,
        ),
        (
            "negative-int-as-64bit",
            r#"{"op":"SCMP_CMP_EQ","index":0,"value":18446744073709551614}"#,
            r#"{ "index": 0, "value": 4294967295, "valueTwo": 4294967294, "op": "SCMP_CMP_MASKED_EQ" }"#,
        ),
    ] {
        let profile = |condition: &str| {
            format!(
                r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{condition}]}}]}}"#
            )
        };
        let found = findings(&profile(before), &["--select", rule]);
        let fixed = fixed(&profile(before), found.first());
        assert_eq!(fixed, profile(after), "{rule}");
    }
}

/// Of two lists of names readers take one: a name that stands in both stands in neither twice, and
/// if it went the rule entry would be empty.
#[test]
fn a_list_that_is_given_twice_keeps_its_names() {
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "names": ["chroot"]}]}"#;
    assert!(findings(profile, &["--select=duplicate-entry"]).is_empty());
}

/// A fix that is called safe is made without a look at it: it must leave JSON, and nothing of what
/// it was for.
#[test]
fn safe_fixes_leave_json_without_the_mistake() {
    let profile = r#"{
  "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet" : 1,
  "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X86" ],
  "flags": ["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_LOG"],
  "listenerPath": "/run/agent.socket",
  "syscalls": [
    { "names": ["mount" , "umount2", "mount", "mount"], "action": "SCMP_ACT_ERRNO" },
    { "errnoRet": 1, "names": ["ptrace"], "action": "SCMP_ACT_TRAP" }
  ]
}"#;
    let rules = "duplicate-entry,errno-on-non-errno-action,listener-unused";
    let only = ["--select", rules];
    let found = findings(profile, &only);
    let edits = found.iter().map(|finding| {
        assert_eq!(finding["fix"]["applicability"], "safe", "{finding}");
        finding["fix"]["edits"].as_array().expect("edits").len()
    });
    assert_eq!(edits.sum::<usize>(), 7, "{found:?}");
    let fixed = fixed(profile, &found);
    serde_json::from_str::<Value>(&fixed).expect("JSON");
    assert!(findings(&fixed, &only).is_empty(), "{fixed}");
}

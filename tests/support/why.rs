//! Questions to `seclint why`.

use serde_json::Value;

use super::{Ran, file, run};

/// The architecture that is asked about.
pub const ARCH: &str = "--arch=x86_64";

/// Rule entries that decide, and some that lose.
pub const PROFILE: &str = r#"{
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86"],
  "syscalls": [
    { "names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }] },
    { "names": ["read", "write"], "action": "SCMP_ACT_LOG" },
    { "names": ["write"], "action": "SCMP_ACT_KILL" },
    { "names": ["write"], "action": "SCMP_ACT_ERRNO" },
    { "names": ["mseal", "nosuchcall"], "action": "SCMP_ACT_ALLOW" },
    { "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97, "args": [{ "index": 0, "value": 38, "op": "SCMP_CMP_EQ" }] }
  ]
}"#;

/// Asks about a profile on x86-64.
pub fn why(profile: &str, arguments: &[&str]) -> Ran {
    let (directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    let mut ran = run(["why", ARCH, &path].iter().chain(arguments));
    ran.stdout = (ran.stdout).replace(&format!("{}/", directory.path().display()), "");
    ran
}

/// The answer for an architecture.
pub fn on<'r>(report: &'r Value, arch: &str) -> &'r Value {
    let all = report["architectures"].as_array().expect("architectures");
    let found = all.iter().find(|it| it["arch"] == arch);
    found.unwrap_or_else(|| panic!("no {arch} in {report:#}"))
}

/// What is decided for all arguments, by the call's own number.
pub fn decided(report: &Value, arch: &str) -> String {
    let cases = on(report, arch)["ways"][0]["cases"]
        .as_array()
        .expect("cases");
    assert_eq!(cases.len(), 1, "{cases:#?}");
    cases[0]["decision"]["text"]
        .as_str()
        .expect("text")
        .to_owned()
}

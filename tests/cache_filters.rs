//! What `seclint cache-audit` makes of the bytes of entries. If one of these fails, an entry that no
//! container can start with passes for a healthy one, or a healthy one is removed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::{Ran, StateRoot, give_to_user, run, seclint_as_user};

/// The kernel refuses such a filter to every container that asks for it.
#[test]
fn entries_that_no_filter_can_be_are_malformed() {
    let allow = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];
    let jumps = [5, 0, 0, 0, 1, 0, 0, 0];
    for (bytes, why) in [
        (vec![], Some("0 bytes are no filter")),
        (vec![6; 7], Some("7 bytes are no filter")),
        (vec![0; 8], Some("instruction 0 is the last")),
        (allow.to_vec(), None),
        (allow[..].repeat(2)[..12].to_vec(), Some("12 bytes")),
        ([jumps, allow].concat(), Some("instruction 0 jumps past")),
        (allow.repeat(4096), None),
        (allow.repeat(4097), Some("more than 32768 bytes")),
    ] {
        let root = StateRoot::of("clean");
        let name = "a".repeat(64);
        let entry = root.path().join(".cache/seccomp").join(&name);
        fs::write(&entry, &bytes).expect("an entry");
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o700)).expect("a mode");
        let report = root.audit(&["--format=json"]).report();
        let entries = report["entries"].as_array().expect("entries").iter();
        let found = entries.filter(|entry| entry["name"] == name);
        let statuses: Vec<_> = found.map(|entry| &entry["status"]).collect();
        let findings = report["findings"].as_array().expect("findings").iter();
        let told: Vec<_> = findings
            .filter(|finding| finding["rule"] == "cache-malformed-bpf")
            .map(|finding| finding["message"].as_str().expect("a message"))
            .collect();
        match why {
            Some(why) => {
                assert_eq!(statuses, ["malformed"], "{why}");
                assert!(told.len() == 1 && told[0].contains(why), "{told:?}");
            }
            None => assert_eq!(
                (statuses, told),
                (vec![&Value::from("unattributed")], vec![])
            ),
        }
    }
}

/// Another machine's filter stops containers as well; and a root that was copied from such a
/// machine is no reason to call its entries broken.
#[test]
fn filters_are_read_in_the_byte_order_of_their_host() {
    let root = StateRoot::of("clean");
    let entry = root.path().join(".cache/seccomp").join("a".repeat(64));
    fs::write(&entry, [0, 6, 0, 0, 0x7f, 0xff, 0, 0]).expect("an entry");
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o700)).expect("a mode");
    let malformed = |machine: &str| {
        let uname = format!("--uname=6.1.0|#1|{machine}");
        let path = root.path().display().to_string();
        let ran = run([
            "cache-audit",
            &path,
            "--format=json",
            "--runtime=crun@1.21",
            "--libseccomp=2.6.0",
            &uname,
        ]);
        ran.report()["summary"]["malformed"].clone()
    };
    // The fixture's own entry is little-endian.
    assert_eq!(malformed("x86_64"), 1);
    assert_eq!(malformed("s390x"), 1);
    // `uname` says the same on both kinds of MIPS.
    assert_eq!(malformed("mips64"), 0);
}

/// An entry that cannot be looked into must not pass for a healthy one in silence.
#[test]
fn entries_that_may_not_be_read_are_told_of() {
    let root = StateRoot::of("clean");
    let entry = root.path().join(".cache/seccomp").join("a".repeat(64));
    fs::write(&entry, [0; 8]).expect("an entry");
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o000)).expect("a mode");
    let outer = root.path();
    let outer = outer.parent().expect("a directory");
    fs::set_permissions(outer, fs::Permissions::from_mode(0o755)).expect("a mode");
    give_to_user(&root.path());
    let mut command = seclint_as_user(outer);
    command
        .arg("cache-audit")
        .arg(root.path())
        .args(root.host());
    let ran = Ran::from(command.arg("--format=json").output().expect("seclint runs"));
    let report = ran.report();
    assert_eq!(report["summary"]["malformed"], 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("1 entry could not be read"), "{notes}");
}

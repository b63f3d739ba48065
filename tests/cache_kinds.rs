//! Caches of every kind that a host can have, as real cruns left them: after
//! containers were stopped, deleted and refused, after updates and reboots, of
//! users, with pinned entries, and with containers that pass the cache by. If one
//! of these fails, a person who runs hosts is told of a hole that is not there, or
//! is not told of one that is.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use seclint::crun::{Host, cache_key};
use seclint::runtime::crun::{Parser, read};
use seclint::text::json;
use serde_json::{Value, json};
use support::{Ran, StateRoot, repository, run};

/// A figure of each entry, by the container or bundle that the entry is of.
fn of_each(root: &StateRoot, report: &Value, figure: &str) -> BTreeMap<String, Value> {
    let keys = root.record["keys"].as_object().expect("keys");
    let entries = report["entries"].as_array().expect("entries");
    let entry = |key: &Value| entries.iter().find(|entry| entry["name"] == *key);
    (keys.iter())
        .map(|(name, key)| (name.clone(), entry(key).expect("an entry")[figure].clone()))
        .collect()
}

fn expected<const N: usize>(figures: [(&str, Value); N]) -> BTreeMap<String, Value> {
    figures
        .map(|(name, figure)| (name.to_owned(), figure))
        .into()
}

/// The option that names the profiles that the fixture's containers came from.
fn profiles(fixture: &str) -> [String; 2] {
    let profiles = repository(&format!("tests/fixtures/cache/{fixture}/profiles"));
    ["--profile".to_owned(), profiles.display().to_string()]
}

/// An audit that supposes the host as it was before the update.
fn audit_as_before(root: &StateRoot, arguments: &[String]) -> Ran {
    let before = |key: &str| root.record["before"][key].as_str().expect(key).to_owned();
    let host = [
        format!("--runtime=crun@{}", before("crun")),
        format!("--libseccomp={}", before("libseccomp")),
        format!("--uname={}", before("uname")),
    ];
    let path = root.path().display().to_string();
    let audit = ["cache-audit".to_owned(), path, "--format=json".to_owned()];
    run(audit.iter().chain(&host).chain(arguments))
}

fn last_line(ran: &Ran) -> &str {
    let line = ran.stdout.lines().last().expect("a last line");
    line.split_once(": ").expect("a root and its figures").1
}

/// Stopped and not yet started containers have their entries as running ones do;
/// a deleted one leaves an entry that only its profile explains.
#[test]
fn containers_have_their_entries_until_they_are_deleted() {
    let root = StateRoot::of("lifecycle");
    let report = root.audit(&["--format=json"]).report();
    let each = expected([
        ("created", "hides-warnings".into()),
        ("gone", "unattributed".into()),
        ("running", "clean".into()),
        ("stopped", "hides-warnings".into()),
    ]);
    assert_eq!(of_each(&root, &report, "status"), each);
    let links = [("created", 2), ("gone", 1), ("running", 2), ("stopped", 2)];
    let links = links.map(|(name, links)| (name, links.into()));
    assert_eq!(of_each(&root, &report, "links"), expected(links));
    let containers =
        ["created", "running", "stopped"].map(|id| json!({"id": id, "filter": "entry"}));
    assert_eq!(report["containers"], json!(containers));

    let [option, value] = profiles("lifecycle");
    let report = root.audit(&["--format=json", &option, &value]).report();
    assert_eq!(of_each(&root, &report, "status")["gone"], "hides-warnings");
}

/// A pinned entry that hides a warning hides it for ever: crun never evicts it.
/// Who asks for it to be removed gets that, and is told that it was pinned; what
/// is pinned and not flagged stays.
#[test]
fn pinned_entries_are_told_apart() {
    let root = StateRoot::of("pinned");
    let report = root.audit(&["--format=json"]).report();
    let each = expected([("running", true.into()), ("two", true.into())]);
    assert_eq!(of_each(&root, &report, "pinned"), each);
    assert_eq!(report["summary"]["pinned"], 2);
    let help = report["findings"][0]["help"].as_str().expect("help");
    assert!(help.contains("pinned (sticky bit)"), "{help}");
    let words = "3 entries: 1 hiding warnings, 1 clean, 1 not explained; 2 of them pinned";
    assert_eq!(last_line(&root.audit(&[])), words);

    let path = |name: &str| {
        let key = root.record["keys"][name].as_str().expect("a key");
        root.path().join(".cache/seccomp").join(key)
    };
    let dry = root.audit(&["--prune", "--dry-run"]).stdout;
    assert!(
        dry.contains(": would be removed, though it is pinned\n"),
        "{dry}"
    );
    assert!(path("two").exists(), "a dry run removes nothing");
    let report = root.audit(&["--format=json", "--prune"]).report();
    let each = expected([("running", Value::Null), ("two", "removed".into())]);
    assert_eq!(of_each(&root, &report, "pruned"), each);
    assert!(!path("two").exists());
    let mode = fs::metadata(path("running"))
        .expect("an entry")
        .permissions()
        .mode();
    assert_eq!(
        mode & 0o7777,
        0o1700,
        "what is not flagged stays, and stays pinned"
    );
    let said = StateRoot::of("pinned").audit(&["--prune"]).stdout;
    assert!(said.contains(": removed, though it was pinned; "), "{said}");
}

/// After an update of crun, the entries of containers that still run are not what
/// the next ones get, and hide no warning from them.
#[test]
fn entries_from_before_an_update_are_told_apart() {
    let root = StateRoot::of("upgraded");
    insta::assert_snapshot!(root.without_place(&root.audit(&[]).stdout));
    let report = root.audit(&["--format=json"]).report();
    let each = expected([
        ("new", false.into()),
        ("newbad", false.into()),
        ("old", true.into()),
        ("oldbad", true.into()),
        ("oldgone", Value::Null),
    ]);
    assert_eq!(of_each(&root, &report, "stale"), each);
    assert_eq!(report["summary"]["stale"], 2);
    let scheme =
        json!({"name": "crun-1.14-blake3", "state": "verified", "agreeing": 2, "differing": 2});
    assert_eq!(report["key_scheme"], scheme);

    // Seen as the older crun, it is the other way round, and its deleted container is explained.
    let report = audit_as_before(&root, &profiles("upgraded")).report();
    let each = expected([
        ("new", true.into()),
        ("newbad", true.into()),
        ("old", false.into()),
        ("oldbad", false.into()),
        ("oldgone", false.into()),
    ]);
    assert_eq!(of_each(&root, &report, "stale"), each);
    assert_eq!(
        of_each(&root, &report, "status")["oldgone"],
        "hides-warnings"
    );
}

/// Right after an update, when no container was started since, nothing shows that
/// the versions given are right: no entry may be said to be stale for it.
#[test]
fn an_update_without_a_container_since_is_no_proof() {
    let root = StateRoot::of("upgraded");
    for container in ["new", "newbad"] {
        let key = root.record["keys"][container].as_str().expect("a key");
        fs::remove_file(root.path().join(".cache/seccomp").join(key)).expect("an entry");
        fs::remove_dir_all(root.path().join(container)).expect("a container");
    }
    let report = root.audit(&["--format=json"]).report();
    let scheme = &report["key_scheme"];
    assert_eq!(
        (&scheme["state"], &scheme["differing"]),
        (&json!("contradicted"), &json!(2))
    );
    assert_eq!(report["summary"]["stale"], 0);
    assert!(
        report["entries"]
            .as_array()
            .expect("entries")
            .iter()
            .all(|entry| entry["stale"].is_null())
    );
    let note = report["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("from before an update") && note.contains("--runtime"),
        "{note}"
    );
    // By their links, the containers explain their entries all the same.
    assert_eq!(report["summary"]["hides_warnings"], 1);
}

/// An entry that was made since explains itself by its name, and so shows that the
/// versions are right, though its container is gone.
#[test]
fn a_profile_can_show_that_the_versions_are_right() {
    let root = StateRoot::of("upgraded");
    for container in ["new", "newbad"] {
        fs::remove_dir_all(root.path().join(container)).expect("a container");
    }
    let [option, value] = profiles("upgraded");
    let report = root.audit(&["--format=json", &option, &value]).report();
    assert_eq!(report["key_scheme"]["state"], "verified");
    assert_eq!(
        of_each(&root, &report, "status")["newbad"],
        "hides-warnings"
    );
    assert_eq!(report["summary"]["stale"], 2);
}

/// A state root on a disk outlives a reboot into another kernel. What no container
/// has cannot be explained by a key of the kernel that runs now; the person is
/// told what would explain it, and that does.
#[test]
fn entries_of_another_kernel_are_explained_by_that_kernel() {
    let root = StateRoot::of("rebooted");
    let report = root.audit(&["--format=json"]).report();
    let each = expected([
        ("new", false.into()),
        ("old", true.into()),
        ("oldbad", true.into()),
        ("oldgone", Value::Null),
    ]);
    assert_eq!(of_each(&root, &report, "stale"), each);
    assert_eq!(of_each(&root, &report, "status")["oldgone"], "unattributed");
    let findings = report["findings"].as_array().expect("findings");
    let unattributed = findings
        .iter()
        .find(|it| it["rule"] == "cache-unattributed");
    let help = unattributed.expect("a finding")["help"]
        .as_str()
        .expect("help");
    assert!(help.contains("--uname"), "{help}");

    let report = audit_as_before(&root, &profiles("rebooted")).report();
    assert_eq!(
        of_each(&root, &report, "status")["oldgone"],
        "hides-warnings"
    );
    assert_eq!(report["summary"]["unattributed"], 0);
    assert_eq!(
        of_each(&root, &report, "attributed")["oldgone"][0]["by"],
        "key"
    );
}

/// Whoever does not know any more what the kernel was is told by what the entry is that one of the
/// profiles at hand asks for it.
#[test]
fn entries_that_no_key_explains_are_explained_by_their_content() {
    let root = StateRoot::of("rebooted");
    let [option, value] = profiles("rebooted");
    let report = root.audit(&["--format=json", &option, &value]).report();
    let attributed = &of_each(&root, &report, "attributed")["oldgone"];
    assert_eq!(attributed.as_array().map(Vec::len), Some(1));
    assert_eq!(attributed[0]["by"], "content");
    let path = attributed[0]["path"].as_str().expect("a path");
    assert!(path.ends_with("fsopn.json"), "{path}");
    assert_eq!(of_each(&root, &report, "stale")["oldgone"], Value::Null);
    assert_eq!(
        of_each(&root, &report, "status")["oldgone"],
        "hides-warnings"
    );
    // Whether crun still finds it is not known.
    let findings = report["findings"].as_array().expect("findings").iter();
    let told = findings.filter(|it| it["facts"]["syscall"] == "fsopn");
    let told: Vec<_> = told.filter_map(|it| it["message"].as_str()).collect();
    assert!(
        told.len() == 1 && !told[0].contains("does not warn"),
        "{told:?}"
    );

    // Of two that ask for the same, neither is said to be the one.
    let (_directory, copy) = support::file("copy.json", fs::read(path).expect("the profile"));
    let copy = copy.display().to_string();
    let report = root
        .audit(&["--format=json", &option, &value, &option, &copy])
        .report();
    assert_eq!(of_each(&root, &report, "status")["oldgone"], "unattributed");
}

/// A user's root says the same to the user and to root, and is no matter of
/// permissions for either.
#[test]
fn a_users_root_is_audited_by_the_user_and_by_root() {
    let root = StateRoot::of("rootless");
    let path = root.path();
    let outer = path.parent().expect("a parent");
    fs::set_permissions(outer, fs::Permissions::from_mode(0o755)).expect("a mode");
    support::give_to_user(&path);
    let mut command = support::seclint_as_user(outer);
    command
        .args(["cache-audit", "--format=json"])
        .args(root.host())
        .arg(&path);
    let user = Ran::from(command.output().expect("seclint runs"));
    let report = user.report();
    assert_eq!(
        (user.code, &report["summary"]["errors"]),
        (1, &json!(0)),
        "{report:#}"
    );
    let each = expected([
        ("chmdo", "hides-warnings".into()),
        ("clean", "unattributed".into()),
    ]);
    assert_eq!(of_each(&root, &report, "status"), each);
    assert_eq!(root.audit(&["--format=json"]).stdout, user.stdout);
}

/// With the annotation crun refuses unknown names: the same section has an entry of
/// its own then, and that never hides a warning.
#[test]
fn entries_of_strict_containers_hide_nothing() {
    let root = StateRoot::of("strict");
    let report = root.audit(&["--format=json"]).report();
    let each = expected([("lax", "clean".into()), ("strict", "clean".into())]);
    assert_eq!(of_each(&root, &report, "status"), each);
    assert_eq!(report["key_scheme"]["agreeing"], 2);

    // Whatever stands in the configuration: crun took it, so it knew all names.
    let configuration = root.path().join("strict/config.json");
    let text = fs::read_to_string(&configuration).expect("a configuration");
    let unknown = text.replace("\"keyctl\"", "\"keyctll\"");
    assert_ne!(unknown, text);
    fs::write(&configuration, &unknown).expect("a configuration");
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["hides_warnings"], 0);

    // Nor is a profile with an unknown name said to be behind a strict entry: crun stores none,
    // and `cache-key` says so.
    let arguments = ["cache-key".to_owned(), configuration.display().to_string()];
    let ran = run(arguments.into_iter().chain(root.host()));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("`keyctll`"), "{}", ran.stderr);
    let document = json::parse(unknown.as_bytes());
    let host = |key: &str| root.record[key].as_str().expect(key);
    let host = Host {
        crun: host("crun").to_owned(),
        libseccomp: host("libseccomp").parse().expect("a release"),
        uname: host("uname").parse().expect("a uname"),
    };
    let parser = Parser::of(&host.crun);
    let section = read(&document, unknown.as_bytes(), parser).expect("a section");
    let key = cache_key(&section.expect("a section"), true, &host).expect("a key");
    let entry = root.path().join(".cache/seccomp").join(key);
    fs::write(&entry, [0; 8]).expect("an entry");
    let section: Value = serde_json::from_str(&unknown).expect("JSON");
    let (_directory, profile) =
        support::file("profile.json", section["linux"]["seccomp"].to_string());
    fs::remove_dir_all(root.path().join("strict")).expect("a container");
    let profile = profile.display().to_string();
    let report = root
        .audit(&["--format=json", "--profile", &profile])
        .report();
    assert_eq!(report["summary"]["hides_warnings"], 0);
}

/// A container that crun refused, or whose program could not be executed, leaves
/// its entry, which the next one is given without a warning.
#[test]
fn entries_of_containers_that_never_ran_are_found() {
    let hides = |names: [&str; 2]| expected(names.map(|name| (name, "hides-warnings".into())));
    let root = StateRoot::of("refused");
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["unattributed"], 2);
    let [option, value] = profiles("refused");
    let report = root.audit(&["--format=json", &option, &value]).report();
    assert_eq!(
        of_each(&root, &report, "status"),
        hides(["badflag", "noexec"])
    );

    // Detached, crun says that all went well, and the container stays as a stopped one.
    let root = StateRoot::of("refused-detached");
    let report = root.audit(&["--format=json"]).report();
    let each = hides(["dead-detached", "refused-detached"]);
    assert_eq!(of_each(&root, &report, "status"), each);
}

/// A clean cache says nothing of containers whose filters are not in it.
#[test]
fn containers_that_pass_the_cache_by_are_told() {
    let root = StateRoot::of("no-filter");
    let ran = root.audit(&[]);
    let words = "1 entry: 1 clean; 2 containers with a filter that is no entry; 2 containers without a filter";
    assert_eq!((ran.code, last_line(&ran)), (0, words));
    let report = root.audit(&["--format=json"]).report();
    let containers = [
        ("bpfdata", "own"),
        ("cached", "entry"),
        ("nosection", "none"),
        ("nullsection", "none"),
        ("pruned", "own"),
    ];
    let containers = containers.map(|(id, filter)| json!({"id": id, "filter": filter}));
    assert_eq!(report["containers"], json!(containers));
    // `bpfdata` has the same section, and runs with another filter.
    let whose = of_each(&root, &report, "attributed")["cached"].clone();
    let whose: Vec<_> = (whose.as_array().expect("attributed").iter())
        .map(|it| it["container"].clone())
        .collect();
    assert_eq!(whose, ["cached", "cached"]);
}

/// A crun that is newer than seclint: names that are found to hold are used, and
/// it is said of how many containers they hold. Of the others nothing is claimed.
#[test]
fn a_newer_crun_is_believed_as_far_as_its_entries_show() {
    let root = StateRoot::of("mixed");
    let cache = root.path().join(".cache/seccomp");
    let host = |root: &StateRoot| {
        let mut host = root.host();
        host[0] = "--runtime=crun@1.30".to_owned();
        host
    };
    let audit = || {
        let path = root.path().display().to_string();
        let arguments = ["cache-audit".to_owned(), path, "--format=json".to_owned()];
        run(arguments.into_iter().chain(host(&root))).report()
    };
    let report = audit();
    assert_eq!(report["key_scheme"]["state"], "unknown");
    let note = report["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("how crun 1.30 names them is not known"),
        "{note}"
    );

    // What the recipe of crun 1.14 makes of this profile and the version 1.30, computed apart from seclint.
    let now = "3416ac215d085c03b137ce57d4ca93efeb228c97e3f98991fb6158026e831726";
    let then = root.record["keys"]["clean"].as_str().expect("a key");
    fs::rename(cache.join(then), cache.join(now)).expect("an entry");
    let report = audit();
    let scheme =
        json!({"name": "crun-1.14-blake3", "state": "verified", "agreeing": 1, "differing": 2});
    assert_eq!(report["key_scheme"], scheme);
    let note = report["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("is not known") && note.ends_with("of 1 of 3 containers"),
        "{note}"
    );
    assert_eq!(report["summary"]["stale"], 0);
}

//! Entries of containers that an engine made: `seclint cache-audit`, `cache-key` and `predict` know
//! what Podman makes of a profile, by what Podman and crun left of one (`fixtures/cache/podman`). If
//! one of these fails, a profile for an engine is said to explain nothing, so that the entry which
//! keeps its warnings from being seen stays; or an audit reads what an attacker points it to.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::{Ran, StateRoot, file, repository, run};

fn fixture(path: &str) -> String {
    let path = repository("tests/fixtures/cache/podman").join(path);
    path.display().to_string()
}

fn recorded<'r>(root: &'r StateRoot, of: &str, name: &str) -> &'r str {
    root.record[of][name].as_str().expect(name)
}

/// The report's entry of one of the recorded containers.
fn entry<'r>(root: &StateRoot, report: &'r Value, container: &str) -> &'r Value {
    let entries = report["entries"].as_array().expect("entries");
    let key = recorded(root, "keys", container);
    let mut entries = entries.iter();
    entries.find(|it| it["name"] == key).expect("an entry")
}

/// What of an entry's attributions is told of.
fn attributed(entry: &Value, field: &str) -> Vec<Value> {
    let attributed = entry["attributed"].as_array().expect("attributed");
    attributed.iter().map(|it| it[field].clone()).collect()
}

/// Runs a command with the fixture's host.
fn with_host(root: &StateRoot, arguments: &[&str]) -> Ran {
    let arguments = arguments.iter().map(ToString::to_string);
    run(arguments.chain(root.host()))
}

/// The profile is for an engine; each container's capabilities make another section of it.
#[test]
fn an_entry_is_attributed_to_the_profile_that_an_engine_resolved() {
    let root = StateRoot::of("podman");
    let profile = fixture("profile.json");
    let report = root
        .audit(&["--format=json", "--profile", &profile])
        .report();
    assert_eq!(report["key_scheme"]["state"], "verified");
    for container in ["default", "all", "none"] {
        let entry = entry(&root, &report, container);
        assert_eq!(entry["status"], "hides-warnings", "{container}");
        assert_eq!(attributed(entry, "path"), [profile.as_str()], "{container}");
        let resolved = json!({"engine": "podman", "capabilities": container});
        assert_eq!(attributed(entry, "resolved"), [resolved], "{container}");
    }
    // The capabilities of a container that crun has are those that it was given.
    let running = attributed(entry(&root, &report, "running"), "resolved");
    let [Value::Null, Value::Null, resolved] = running.as_slice() else {
        panic!("by link, by its configuration, by the profile: {running:?}");
    };
    let capabilities = resolved["capabilities"].as_array().expect("a set");
    assert!(capabilities.contains(&json!("CAP_SYS_PTRACE")) && capabilities.len() == 12);
    // Nothing shows with which capabilities this one ran.
    assert_eq!(entry(&root, &report, "stored")["status"], "unattributed");

    // What it hides stands in the profile, where a person corrects it.
    let hidden = &entry(&root, &report, "none")["hidden"][0];
    assert_eq!(hidden["syscall"], "add_keyy");
    assert_eq!(hidden["path"], profile.as_str());
    assert_eq!(hidden["pointer"], "/syscalls/0/names/1");
    assert_eq!(hidden["span"]["start"]["line"], 8);
    let said = root.audit(&["--profile", &profile]).stdout;
    assert!(
        said.contains("this profile asks for it, as Podman resolves it; did it mean `add_key`?"),
        "{said}"
    );
}

/// A profile that an engine resolves has other rule entries than the section that crun got.
#[test]
fn what_an_entry_is_not_is_shown_in_the_profile_that_an_engine_resolved() {
    let root = StateRoot::of("podman");
    let key = recorded(&root, "keys", "none");
    let everything = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];
    fs::write(root.path().join(".cache/seccomp").join(key), everything).expect("an entry");
    let profile = fixture("profile.json");
    let report = root
        .audit(&["--format=json", "--profile", &profile])
        .report();
    assert_eq!(entry(&root, &report, "none")["status"], "mismatch");
    let all = report["findings"].as_array().expect("findings").iter();
    let mut told = all.filter(|it| it["rule"] == "cache-content-mismatch");
    let told = told.next().expect("a finding");
    let label = &told["labels"][0];
    assert_eq!(label["path"], profile.as_str());
    let text = fs::read_to_string(&profile).expect("a profile");
    let text: Value = serde_json::from_str(&text).expect("JSON");
    let pointer = label["pointer"].as_str().expect("a pointer");
    assert_eq!(
        text.pointer(pointer),
        Some(&told["facts"]["syscall"]),
        "{label:#}"
    );
}

/// What crun has forgotten, Podman still knows.
#[test]
fn an_entry_is_attributed_to_a_container_that_an_engine_stores() {
    let root = StateRoot::of("podman");
    let report = root.audit(&["--format=json"]).report();
    assert_eq!(report["summary"]["unattributed"], 4);
    let storage = fixture("storage");
    let report = root
        .audit(&["--format=json", "--storage", &storage])
        .report();
    assert_eq!(report["summary"]["unattributed"], 3);
    let stored = entry(&root, &report, "stored");
    let id = recorded(&root, "containers", "stored");
    let path = fixture(&format!("storage/vfs-containers/{id}/userdata/config.json"));
    let expected = json!([{"path": path, "container": id, "by": "key", "resolved": null}]);
    assert_eq!(stored["attributed"], expected);
    assert_eq!(stored["status"], "hides-warnings");
    // One that crun has is told of once.
    let running = entry(&root, &report, "running");
    assert_eq!(attributed(running, "by"), ["link", "key"]);

    // Its capabilities are tried for profiles, so that the profile is found as well.
    let profile = fixture("profile.json");
    let both = ["--storage", &storage, "--profile", &profile];
    let report = root
        .audit(&[&["--format=json"], &both[..]].concat())
        .report();
    assert_eq!(report["summary"]["unattributed"], 0);
    let stored = entry(&root, &report, "stored");
    assert_eq!(attributed(stored, "path"), [path, profile]);
}

/// A storage that someone else can write to must not lead the audit to other files, or stop it.
#[test]
fn nothing_in_a_storage_is_followed() {
    let root = StateRoot::of("podman");
    let id = recorded(&root, "containers", "stored");
    let place = format!("vfs-containers/{id}/userdata");
    let whole = PathBuf::from(fixture("storage"));
    let unattributed = |storage: &PathBuf| {
        let storage = storage.display().to_string();
        let ran = root.audit(&["--format=json", "--storage", &storage]);
        ran.report()["summary"]["unattributed"].clone()
    };
    for link in [
        "vfs-containers".to_owned(),
        format!("vfs-containers/{id}"),
        place.clone(),
        format!("{place}/config.json"),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let storage = directory.path().to_owned();
        let path = storage.join(&link);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        symlink(whole.join(&link), &path).expect("a link");
        assert_eq!(unattributed(&storage), 4, "{link}");
        // Only the link was in the way.
        fs::remove_file(&path).expect("a link");
        let mut copy = Command::new("cp");
        let copied = copy.arg("-r").arg(whole.join(&link)).arg(&path).status();
        assert!(copied.expect("cp runs").success());
        assert_eq!(unattributed(&storage), 3, "{link}");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let storage = directory.path().join("storage");
    fs::create_dir_all(storage.join(&place)).expect("directories");
    let fifo = Command::new("mkfifo")
        .arg(storage.join(&place).join("config.json"))
        .status();
    assert!(fifo.expect("mkfifo runs").success());
    assert_eq!(unattributed(&storage), 4);

    let link = directory.path().join("link");
    symlink(&storage, &link).expect("a link");
    for (path, words) in [
        (
            link,
            "a symbolic link; name the directory that it points to",
        ),
        (directory.path().join("none"), "No such file or directory"),
    ] {
        let path = path.display().to_string();
        let ran = root.audit(&["--storage", &path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{path}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

/// The key of a profile for an engine is that of the entry which Podman and crun left.
#[test]
fn the_key_is_that_of_what_the_engine_makes() {
    let root = StateRoot::of("podman");
    let profile = fixture("profile.json");
    for (container, options) in [
        ("default", &[][..]),
        ("all", &["--privileged"]),
        ("none", &["--cap-drop=all"]),
        ("stored", &["--cap-add=SYS_ADMIN"]),
        ("running", &["--cap-add=SYS_PTRACE"]),
    ] {
        let key = recorded(&root, "keys", container);
        let arguments = [&["cache-key", &profile, "--engine=podman"], options].concat();
        let ran = with_host(&root, &arguments);
        assert_eq!(
            (ran.code, ran.stdout.trim_end()),
            (0, key),
            "{}",
            ran.stderr
        );
        let arguments = [&["predict", &profile, "--engine=podman"], options].concat();
        let host = root.host();
        let uname = host.last().expect("a uname");
        let last = ["--format=json", "--runtime=crun@1.21", uname];
        let report = run([&arguments[..], &last].concat()).report();
        let prediction = &report["predictions"][0];
        assert_eq!(prediction["key"], key, "{container}");
        assert_eq!(prediction["warned"], json!(["add_keyy"]), "{container}");
    }
    let ran = with_host(&root, &["cache-key", &profile]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("(--engine)"), "{}", ran.stderr);
}

/// Entries of other engines are found too: here of Docker, which goes by the kernel.
#[test]
fn an_entry_of_docker_is_attributed_to_docker() {
    let root = StateRoot::of("podman");
    let (_directory, profile) = file(
        "profile.json",
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["read", "reed"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.1"}}
        ]}"#,
    );
    let profile = profile.display().to_string();
    let docker = ["cache-key", &profile, "--engine=docker"];
    let key = with_host(&root, &docker).stdout;
    let newer = with_host(&root, &[&docker[..], &["--kernel=99.1"]].concat()).stdout;
    assert_ne!(newer, key);
    let entry = root.path().join(".cache/seccomp").join(key.trim_end());
    fs::write(entry, [0; 8]).expect("an entry");
    let report = root
        .audit(&["--format=json", "--profile", &profile])
        .report();
    let entries = report["entries"].as_array().expect("entries");
    let mut entries = entries.iter();
    let entry = entries.find(|it| it["name"] == key.trim_end());
    let resolved = json!({"engine": "docker", "capabilities": "default"});
    assert_eq!(attributed(entry.expect("an entry"), "resolved"), [resolved]);
}

/// Where an engine refuses, or wants no filter, there is nothing that a runtime could do with it.
#[test]
fn what_an_engine_refuses_reaches_no_runtime() {
    let root = StateRoot::of("podman");
    let refused = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EWHAT"}]}"#;
    let (_directory, path) = file("profile.json", refused);
    let path = path.display().to_string();
    let ran = with_host(&root, &["cache-key", &path, "--engine=podman"]);
    let words = "profile.json:1:47: Podman refuses the profile: unknown errno EWHAT";
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let ran = run(["predict", &path, "--engine=podman"]);
    let said = format!("{path}\n  Podman          refuses: unknown errno EWHAT\n");
    assert_eq!((ran.code, ran.stdout), (1, said));
    let report = run(["predict", &path, "--engine=podman", "--format=json"]).report();
    let expected = json!([{"path": path, "profile": null, "engine": "podman", "target": null, "error": "unknown errno EWHAT"}]);
    assert_eq!(report["refused"], expected);
    assert_eq!(report["predictions"], json!([]));

    let (_directory, path) = file("profile.json", "{}");
    let path = path.display().to_string();
    let why = "Podman gives no filter: the profile has neither a default action nor a rule entry";
    let ran = run(["predict", &path, "--engine=podman"]);
    assert_eq!((ran.code, ran.stdout.matches(why).count()), (0, 1));
    let ran = with_host(&root, &["cache-key", &path, "--engine=podman"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
}

/// Options about an engine without one are a slip of the pen: the answer would not heed them.
#[test]
fn options_of_an_engine_need_one() {
    let root = StateRoot::of("podman");
    let profile = fixture("profile.json");
    for option in [
        "--arch=aarch64",
        "--kernel=6.1",
        "--cap-add=all",
        "--cap-drop=all",
        "--privileged",
    ] {
        let ran = with_host(&root, &["cache-key", &profile, option]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{option}");
        assert!(ran.stderr.contains("--engine"), "{}", ran.stderr);
    }
}

/// Clusters keep profiles in manifests; what reaches crun is the file that is made of them.
#[test]
fn profiles_in_manifests_are_read_as_the_files_that_become_of_them() {
    let root = StateRoot::of("podman");
    let profile = fs::read_to_string(fixture("profile.json")).expect("a profile");
    let block = profile.replace('\n', "\n    ");
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: profiles}}\ndata:\n  one.json: |\n    {}\n",
        block.trim_end()
    );
    let (_directory, map) = file("map.yaml", map);
    let map = map.display().to_string();
    let key = recorded(&root, "keys", "default");
    let ran = with_host(&root, &["cache-key", &map, "--engine=podman"]);
    assert_eq!(
        (ran.code, ran.stdout.trim_end()),
        (0, key),
        "{}",
        ran.stderr
    );
    let report = root.audit(&["--format=json", "--profile", &map]).report();
    let hidden = &entry(&root, &report, "default")["hidden"][0];
    assert_eq!(hidden["path"], map.as_str());
    assert_eq!(hidden["pointer"], "/data/one.json/syscalls/0/names/1");
    assert_eq!(hidden["span"]["start"]["line"], 13);

    let spec = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let kind = "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\nmetadata: {name: one}\n";
    let manifest = format!(
        "{kind}spec:\n  defaultAction: SCMP_ACT_ERRNO\n  architectures: [SCMP_ARCH_X86_64]\n  syscalls:\n  - names: [read]\n    action: SCMP_ACT_ALLOW\n"
    );
    let (_directory, bare) = file("profile.json", spec);
    let (_other, manifest_path) = file("profile.yaml", &manifest);
    let [bare, path] = [bare, manifest_path].map(|path| path.display().to_string());
    let key = with_host(&root, &["cache-key", &bare]).stdout;
    let ran = with_host(&root, &["cache-key", &path]);
    assert_eq!((ran.code, &ran.stdout), (0, &key), "{}", ran.stderr);
    let ran = run(["predict", &path, "--engine=crio", "--runtime=crun@1.21"]);
    let place = "of the profile at ";
    assert!(
        ran.stdout.contains(place) && ran.stdout.contains("profile.yaml:5:3"),
        "{}",
        ran.stdout
    );

    // What the operator adds is not seen, so that no key is.
    let (_directory, based) = file(
        "profile.yaml",
        format!("{manifest}  baseProfileName: runc\n"),
    );
    let based = based.display().to_string();
    let ran = with_host(&root, &["cache-key", &based, "--engine=crio"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("`runc`"), "{}", ran.stderr);
    let two = format!("{manifest}---\n{manifest}");
    let (_directory, two) = file("profile.yaml", two);
    let two = two.display().to_string();
    let ran = with_host(&root, &["cache-key", &two]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("2 profiles are in it"),
        "{}",
        ran.stderr
    );
    let report = run(["predict", &two, "--format=json", "--runtime=crun@1.21"]).report();
    assert_eq!(report["predictions"].as_array().map(Vec::len), Some(2));
}

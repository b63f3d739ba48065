//! Reports as CI asks for them: SARIF for code scanning, annotations for GitHub,
//! and files beside the log.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Ran, StateRoot, repository, results, sarif, seclint};
use tempfile::TempDir;

const GOOD: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}"#;
const BAD: &str = r#"{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    { "names": ["kexec_load", "kexec_file_lod"], "action": "SCMP_ACT_ERRNO" },
    { "names": ["mkdirr", "kexec_file_lod"], "action": "SCMP_ACT_ERRNO", "arg": [] }
  ]
}
"#;

/// A directory with files in it.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (name, contents) in files {
        fs::write(directory.path().join(name), contents).expect("a file");
    }
    directory
}

fn command(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = seclint();
    command.current_dir(directory.path()).args(arguments);
    command
}

fn run(directory: &TempDir, arguments: &[&str]) -> Ran {
    Ran::from(
        command(directory, arguments)
            .output()
            .expect("seclint runs"),
    )
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.display().to_string()).collect();
    names.sort();
    names
}

fn read(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).expect(name)
}

/// The fingerprints of what is found in a profile, by what it is found of.
fn fingerprints(profile: &str) -> Vec<(String, String)> {
    let directory = directory(&[("profile.json", profile)]);
    let report = run(&directory, &["check", "profile.json", "--format=sarif"]).sarif();
    let told = |result: &Value| {
        let facts = result["properties"]["facts"].to_string();
        let fingerprint = result["partialFingerprints"]["seclint/v1"].as_str();
        (facts, fingerprint.expect("a fingerprint").to_owned())
    };
    results(&report).iter().map(told).collect()
}

/// A service that loses track of an alert opens it again, and forgets that a
/// person has dismissed it.
#[test]
fn fingerprints_stay_when_other_lines_change() {
    let before = fingerprints(BAD);
    assert_eq!(before.len(), 4);
    let entry = r#"{ "names": ["getpid"], "action": "SCMP_ACT_LOG" },"#;
    for (what, edited) in [
        ("a line above", format!("\n\n{BAD}")),
        (
            "a rule entry before",
            BAD.replace("[\n    {", &format!("[\n    {entry}\n    {{")),
        ),
        ("a name before", BAD.replacen("[\"", "[\"getpid\", \"", 1)),
        ("other white space", BAD.replace([' ', '\n'], "")),
        (
            "another field",
            BAD.replace("{\n  \"def", "{ \"comment\": \"\",\n  \"def"),
        ),
    ] {
        assert_ne!(edited, BAD, "{what}");
        assert_eq!(fingerprints(&edited), before, "{what}");
    }
    let renamed = fingerprints(&BAD.replace("mkdirr", "mkdirrr"));
    let changed = renamed.iter().filter(|finding| !before.contains(finding));
    assert_eq!(changed.count(), 1, "another mistake is another alert");
}

/// The registry is the single source of what a report's head says of rules.
#[test]
fn sarif_describes_every_rule() {
    let directory = directory(&[("profile.json", GOOD)]);
    let ran = run(&directory, &["check", "profile.json", "--format=sarif"]);
    assert_eq!(ran.code, 0);
    let report = ran.sarif();
    assert_eq!(results(&report).len(), 0);
    let listed = run(&directory, &["rules", "--format=json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let listed = listed.as_array().expect("rules");
    let described = &report["runs"][0]["tool"]["driver"]["rules"];
    let described = described.as_array().expect("rules");
    assert_eq!(listed.len(), described.len());
    for (rule, descriptor) in listed.iter().zip(described) {
        assert_eq!(rule["id"], descriptor["id"]);
        let level = match rule["severity"].as_str() {
            Some("info") => "note",
            level => level.expect("a severity"),
        };
        assert_eq!(descriptor["defaultConfiguration"]["level"], level);
        assert_eq!(descriptor["shortDescription"]["text"], rule["summary"]);
        assert_eq!(descriptor["help"]["markdown"], rule["page"]);
        assert_eq!(descriptor["properties"]["category"], rule["category"]);
        for name in ["fullDescription", "help"] {
            let text = descriptor[name]["text"].as_str().expect("a text");
            let summary = rule["summary"].as_str().expect("a summary");
            assert!(text.len() > summary.len() + 40, "{name} of {}", rule["id"]);
            assert!(
                name == "help" || text.len() <= 1024,
                "GitHub cuts {}",
                rule["id"]
            );
        }
    }
}

/// Whatever stands in a file, the report of it is SARIF.
#[test]
fn the_report_of_any_file_is_sarif() {
    let directory = TempDir::new().expect("a directory");
    for (number, bytes) in [
        &b"\xef\xbb\xbf{\"defaultAction\":\"scmp_act_allow\",}"[..],
        b"\xff\xfe{\x00}\x00",
        b"",
        b"{\"syscalls\": [{\"names\": [\"\x80\xfe\", \"\\ud800\", \"\xc3\xa9\x1b\"],}",
        b"[]\n",
        b"{\"seccomp",
        b"{\"linux\": {\"seccomp\": null}, \"ociVersion\": \"1.0.0\"}",
        b"\x89PNG\r\n\x1a\n",
        "{\"größe\": \"λ\", \"syscalls\": [{\"names\": [\"λ\", \"{0} [a](b)\"], \"action\": \"SCMP_ACT_ERRNO\"}], \"defaultAction\": 3}".as_bytes(),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("{number} %#?.json");
        fs::write(directory.path().join(&name), bytes).expect("a file");
        let ran = run(&directory, &["check", &name, "--format=sarif"]);
        assert_eq!(ran.code, 1, "{}", bytes.escape_ascii());
        assert!(!results(&ran.sarif()).is_empty(), "{}", bytes.escape_ascii());
        let path = directory.path().join(&name).display().to_string();
        run(&directory, &["check", &path, "--format=sarif"]).sarif();
    }
    let conformance = repository("tests/fixtures").display().to_string();
    let ran = run(&directory, &["check", &conformance, "--format=sarif"]);
    assert!(results(&ran.sarif()).len() > 1);
}

/// A run that left files out must not look like one that found nothing in them.
#[test]
fn sarif_says_whether_all_could_be_done() {
    let directory = directory(&[("profile.json", GOOD)]);
    let successful = |arguments: &[&str]| {
        let report = run(&directory, arguments).sarif();
        report["runs"][0]["invocations"][0]["executionSuccessful"].clone()
    };
    assert_eq!(
        successful(&["check", "profile.json", "--format=sarif"]),
        true
    );
    assert_eq!(
        successful(&["check", "missing.json", "--format=sarif"]),
        false
    );
}

#[test]
fn standard_input_is_no_file_of_the_repository() {
    let directory = directory(&[("profile.json", BAD)]);
    let stdout = |format: &str| {
        let profile = fs::File::open(directory.path().join("profile.json")).expect("a file");
        let mut command = command(&directory, &["check", "-", format]);
        Ran::from(command.stdin(profile).output().expect("seclint runs")).stdout
    };
    let report = sarif(&stdout("--format=sarif"));
    let place = &results(&report)[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"].get("uriBaseId"), None);
    let annotations = stdout("--format=github");
    assert!(annotations.starts_with("::error title="), "{annotations}");
    assert!(annotations.contains("::<stdin>:4:32: "), "{annotations}");
}

/// A job may run its commands below the repository's root: annotations and alerts
/// of paths that are not the repository's are shown nowhere.
#[test]
fn a_workflow_gets_the_repositorys_paths() {
    let directory = directory(&[("profile.json", BAD)]);
    let stdout = |format: &str| {
        let mut command = command(&directory, &["check", "profile.json", format]);
        let root = directory.path().parent().expect("a parent");
        command.env("GITHUB_WORKSPACE", root);
        Ran::from(command.output().expect("seclint runs")).stdout
    };
    let name = directory
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy();
    let path = format!("{name}/profile.json");
    let annotations = stdout("--format=github");
    assert!(
        annotations.starts_with(&format!("::error file={path},line=4,")),
        "{annotations}"
    );
    let report = sarif(&stdout("--format=sarif"));
    let place = &results(&report)[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], path);
    let fixed = &results(&report)[0]["fixes"][0]["artifactChanges"][0]["artifactLocation"];
    assert_eq!(fixed["uri"], path);
}

/// On GitHub a log without annotations goes unread.
#[test]
fn a_workflow_gets_annotations_unless_it_asks_for_something_else() {
    let directory = directory(&[("profile.json", BAD)]);
    let stdout = |is_workflow: &str, arguments: &[&str]| {
        let mut command = command(&directory, &["check", "profile.json"]);
        command.args(arguments).env("GITHUB_ACTIONS", is_workflow);
        let ran = Ran::from(command.output().expect("seclint runs"));
        assert_eq!(ran.code, 1);
        ran.stdout
    };
    assert!(stdout("true", &[]).starts_with("::error file=profile.json,line=4,"));
    assert!(!stdout("true", &["--format=human"]).contains("::error"));
    assert!(!stdout("false", &[]).contains("::error"));
    assert!(!stdout("", &[]).contains("::error"));
}

/// CI wants a log to read, and a report to upload, of one run.
#[test]
fn one_run_writes_several_reports() {
    let directory = directory(&[("profile.json", BAD)]);
    let check = ["check", "profile.json"];
    let alone = |format: &str| run(&directory, &[&check[..], &[format]].concat()).stdout;
    let [human, json, sarif, github] =
        ["human", "json", "sarif", "github"].map(|format| alone(&format!("--format={format}")));
    fs::write(directory.path().join("a.sarif"), "of an earlier run").expect("a file");
    let reports = [
        "--report=sarif=a.sarif",
        "--report=json=b=c.json",
        "--report=github=./d",
        "--report=json=e.json",
        "--report=human=f",
    ];
    let ran = run(&directory, &[&check[..], &reports].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert_eq!(ran.stdout, human);
    for (name, report) in [
        ("a.sarif", &sarif),
        ("b=c.json", &json),
        ("d", &github),
        ("e.json", &json),
        ("f", &human),
    ] {
        assert_eq!(&read(&directory, name), report, "{name}");
    }
    let files = ["a.sarif", "b=c.json", "d", "e.json", "f", "profile.json"];
    assert_eq!(names(directory.path()), files, "nothing else is left");
    let mode = |name: &str| {
        let meta = fs::metadata(directory.path().join(name)).expect(name);
        meta.permissions().mode()
    };
    assert_eq!(mode("e.json"), mode("profile.json"), "others may read it");
}

/// A report in the directory that is checked is not checked itself.
#[test]
fn a_report_being_written_is_no_input() {
    let directory = directory(&[("profile.json", BAD)]);
    let summary = |ran: &Ran| ran.report()["summary"].clone();
    let before = summary(&run(&directory, &["check", ".", "--format=json"]));
    let arguments = ["check", ".", "--format=json", "--report=json=report.json"];
    assert_eq!(summary(&run(&directory, &arguments)), before);
}

/// An hour of work, and then there is no place for what came of it.
#[test]
fn a_report_that_cannot_be_written_is_2_before_any_work_is_done() {
    let directory = directory(&[("profile.json", BAD)]);
    symlink("nowhere", directory.path().join("dangling")).expect("a link");
    for (report, why) in [
        (
            "sarif=missing/a.sarif",
            "missing/a.sarif: the report could not be written: No such file",
        ),
        ("sarif=.", "directory"),
        ("sarif=..", "directory"),
        ("sarif=dangling", "No such file"),
        ("sarif=profile.json/a", "Not a directory"),
        ("sarif=", "FORMAT=PATH"),
        ("a.sarif", "FORMAT=PATH"),
        ("xml=a.xml", "the formats are human, json, sarif, github"),
    ] {
        for command in [
            &["check", "profile.json"][..],
            &[
                "cache-audit",
                "--runtime=crun@1.21",
                "--libseccomp=2.6.0",
                ".",
            ],
        ] {
            let ran = run(&directory, &[command, &["--report", report]].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{report}");
            assert!(ran.stderr.contains(why), "{report}: {}", ran.stderr);
        }
    }
    let twice = [
        "check",
        "profile.json",
        "--report=json=a",
        "--report=sarif=./a",
    ];
    let ran = run(&directory, &twice);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("two reports to one file"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        names(directory.path()),
        ["dangling", "profile.json"],
        "nothing is left"
    );
}

/// While a report is being written, only the one of an earlier run has its name,
/// and if the job fails it keeps it.
#[test]
fn half_a_report_is_never_taken_for_one() {
    let directory = directory(&[("report.json", "of an earlier run")]);
    let mut check = command(&directory, &["check", "-", "--report=json=report.json"]);
    check.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = check.spawn().expect("seclint runs");
    // It waits for its standard input, with its reports open.
    let started = std::time::Instant::now();
    while names(directory.path()).len() < 2 {
        assert!(started.elapsed().as_secs() < 20, "no file is opened");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(read(&directory, "report.json"), "of an earlier run");
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("seclint ends").code(), Some(1));
    assert!(read(&directory, "report.json").starts_with("{\"schema\""));
    assert_eq!(names(directory.path()), ["report.json"]);

    // The root is there; the profile is not, which is found out with the report open.
    let failing = [
        "cache-audit",
        ".",
        "--profile=none",
        "--report=json=report.json",
    ];
    assert_eq!(run(&directory, &failing).code, 2);
    assert!(read(&directory, "report.json").starts_with("{\"schema\""));
    assert_eq!(names(directory.path()), ["report.json"]);
}

/// `--report json=/dev/null` must not put a file in the place of the device, nor
/// in that of a link. A pipe stands here for the device: if this fails, it is the
/// test's own that is gone.
#[test]
fn what_is_no_plain_file_is_written_and_stays() {
    let directory = directory(&[("profile.json", BAD), ("goal", "")]);
    let path = |name: &str| directory.path().join(name);
    symlink("goal", path("link")).expect("a link");
    symlink("fifo", path("device")).expect("a link");
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        path("fifo"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    );
    made.expect("a fifo");
    // Opened for both, a pipe waits for nobody.
    let mut both = fs::File::options();
    let mut fifo = both
        .read(true)
        .write(true)
        .open(path("fifo"))
        .expect("a fifo");
    let reports = ["--report=json=link", "--report=json=device"];
    let check = ["check", "profile.json", "--format=json"];
    let ran = run(&directory, &[&check[..], &reports].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert_eq!(read(&directory, "goal"), ran.stdout);
    for (link, goal) in [("link", "goal"), ("device", "fifo")] {
        let target = fs::read_link(path(link));
        assert_eq!(target.expect("a link"), Path::new(goal));
    }
    let kind = fs::metadata(path("fifo")).expect("a fifo").file_type();
    assert!(!kind.is_file(), "the pipe is still one");
    let mut written = vec![0; ran.stdout.len()];
    fifo.read_exact(&mut written).expect("a report");
    assert_eq!(written, ran.stdout.as_bytes());
}

/// `seclint check --report sarif=a.sarif | head` still leaves a whole report.
#[test]
fn files_are_complete_though_nobody_reads_on() {
    let directory = TempDir::new().expect("a directory");
    for number in 0..200 {
        fs::write(directory.path().join(format!("{number}.json")), BAD).expect("a file");
    }
    let mut check = command(&directory, &["check", ".", "--report=sarif=a.sarif"]);
    let mut child = check.stdout(Stdio::piped()).spawn().expect("seclint runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("seclint ends").code(), Some(1));
    assert_eq!(results(&sarif(&read(&directory, "a.sarif"))).len(), 800);
}

/// A file's name may hold a line of its own, which a runner would obey.
#[test]
fn no_file_name_commands_a_runner() {
    let directory = directory(&[("profile.json", GOOD)]);
    let name = "a\n::error::owned";
    let ran = run(&directory, &["check", name, "--format=github"]);
    assert_eq!(ran.code, 2);
    assert!(!ran.stderr.contains("\n::"), "{}", ran.stderr);
}

/// Audits a recorded root by a relative path, which is the same on every machine.
fn audit(roots: &[&StateRoot], arguments: &[&str]) -> Ran {
    let mut command = seclint();
    let host = roots[0].host();
    command.arg("cache-audit").args(host).args(arguments);
    if let [root] = roots {
        command.current_dir(root.path().parent().expect("a directory"));
        command.arg("crun");
    } else {
        command.args(roots.iter().map(|root| root.path()));
    }
    Ran::from(command.output().expect("seclint runs"))
}

/// What the audit finds stands at the entry's path, and leads to the profiles.
#[test]
fn an_audit_is_reported_like_a_check() {
    let root = StateRoot::of("unknown1");
    let ran = audit(&[&root], &["--format=sarif"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report = ran.sarif();
    let [result] = results(&report).as_slice() else {
        panic!("one result: {report:#}");
    };
    let mut result = result.clone();
    // That of a rule among all rules.
    result
        .as_object_mut()
        .expect("a result")
        .remove("ruleIndex");
    insta::assert_snapshot!(format!("{result:#}"));
    let ran = audit(&[&root], &["--format=github"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
}

/// Several roots are one run, since a file holds one report.
#[test]
fn audits_of_several_roots_share_a_report() {
    let roots = ["unknown1", "foreign"].map(StateRoot::of);
    let alone = roots.each_ref().map(|root| {
        let report = audit(&[root], &["--format=sarif"]).sarif();
        results(&report).len()
    });
    let ran = audit(&[&roots[0], &roots[1]], &["--format=sarif"]);
    assert_eq!(results(&ran.sarif()).len(), alone.iter().sum::<usize>());
    assert!(alone.iter().all(|count| *count > 0));
}

/// What kept the audit from knowing more must not be lost: few findings may mean
/// that little could be seen.
#[test]
fn notes_of_an_audit_are_in_the_report() {
    let root = StateRoot::of("unknown1");
    let mut command = seclint();
    command
        .args(["cache-audit", "--format=sarif"])
        .arg(root.path());
    let report = Ran::from(command.output().expect("seclint runs")).sarif();
    let notes = &report["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    let notes = notes.as_array().expect("notes");
    assert!(!notes.is_empty());
    assert_eq!(notes[0]["level"], json!("note"));
}

/// A step that uploads the report must find one, though there was nothing to audit.
#[test]
fn nothing_to_audit_is_a_report_too() {
    let directory = TempDir::new().expect("a directory");
    let mut command = command(&directory, &["cache-audit", "--format=sarif"]);
    let elsewhere = directory.path().join("none");
    let ran = Ran::from(
        command
            .env("XDG_RUNTIME_DIR", elsewhere)
            .output()
            .expect("seclint runs"),
    );
    // Root is asked about this machine's own containers as well.
    if ran.stderr.contains("nothing to audit") {
        assert_eq!(ran.code, 0);
        assert_eq!(results(&ran.sarif()).len(), 0);
    }
}

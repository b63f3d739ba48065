//! `--target`: a profile against the platforms that it is for.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use seclint::target::platforms;
use serde_json::{Value, json};
use support::{Ran, file, repository, run, seclint};

/// Names from libseccomp 2.5.2, 2.5.5 and 2.5.6; the last but one came with Linux 6.6.
const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
{"names":["close_range","fchmodat2","mseal"],"action":"SCMP_ACT_ERRNO"}]}"#;

fn check(profile: &str, options: &[&str]) -> Ran {
    let (_directory, path) = file("profile.json", profile);
    let path = path.display().to_string();
    run(["check", &path, "--format=json"]
        .into_iter()
        .chain(options.iter().copied()))
}

/// What is newer than the targets, and on which of them.
fn newer(options: &[&str]) -> Vec<(String, Value)> {
    let only = ["--select=syscall-newer-than-target"];
    let report = check(PROFILE, &[&only, options].concat()).report();
    let findings = report["findings"].as_array().expect("findings").iter();
    let told = findings.map(|finding| {
        let facts = &finding["facts"];
        let name = facts["syscall"].as_str().expect("a name").to_owned();
        (name, facts["targets"].clone())
    });
    told.collect()
}

fn found(name: &str, targets: &[&str]) -> (String, Value) {
    (name.to_owned(), json!(targets))
}

/// Whoever names a platform wants its distribution's libseccomp, and not upstream's of that number.
#[test]
fn names_that_a_distribution_added_are_known() {
    let new_kernel = "--kernel=6.12";
    assert_eq!(
        newer(&["--target=debian-12", new_kernel]),
        [found("mseal", &["debian-12"])]
    );
    let upstream = newer(&["--libseccomp=2.5.4", new_kernel]);
    let names: Vec<_> = upstream.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["fchmodat2", "mseal"]);
    assert!(upstream.iter().all(|(_, targets)| targets.is_null()));
}

/// A runc before 1.2 starts no container of a profile with flags, whichever they are.
#[test]
fn flags_that_a_targets_runc_does_not_know_are_told() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"]}"#;
    let none = profile.replace("\"SECCOMP_FILTER_FLAG_LOG\"", "");
    let told = |profile: &str, targets: &str| {
        let report = check(profile, &["--select=unknown-flag", targets]).report();
        let findings = report["findings"].as_array().expect("findings").iter();
        let targets = findings.map(|finding| finding["facts"]["targets"].clone());
        targets.collect::<Vec<_>>()
    };
    let all = "--target=debian-12,debian-13,ubuntu-24.04,fedora-43";
    assert_eq!(told(profile, all), [json!(["debian-12", "debian-13"])]);
    assert!(told(profile, "--target=ubuntu-24.04,fedora-43").is_empty());
    assert!(told(profile, "--kernel=6.1").is_empty());
    assert!(told(&none, all).is_empty());
}

/// A place that is wrong on two platforms is one place to look at, and says which they are.
#[test]
fn several_targets_give_one_finding_a_place() {
    let options = ["--target=debian-12,rhel-9", "--target=debian-13,rhel-9"];
    let both = ["debian-12", "rhel-9"];
    let expected = [found("fchmodat2", &both), found("mseal", &both)];
    assert_eq!(newer(&options), expected);
    let only = ["--select=syscall-newer-than-target", "--fail-on=warning"];
    let ran = check(PROFILE, &[options.as_slice(), &only].concat());
    assert_eq!(ran.code, 1);
    let findings = &ran.report()["findings"];
    let text = |index: usize, field: &str| findings[index][field].as_str().expect(field).to_owned();
    assert_eq!(
        text(0, "message"),
        "`fchmodat2` came with libseccomp 2.5.5: rhel-9 has 2.5.2, and with Linux 6.6: debian-12 has 6.1"
    );
    assert_eq!(
        text(1, "message"),
        "`mseal` came with libseccomp 2.5.6: debian-12 has 2.5.4, rhel-9 has 2.5.2"
    );
    // Nobody has looked into RHEL 9's package; what is not known is not passed off as known.
    assert!(text(1, "help").contains("the libseccomp of rhel-9 is not known"));
}

/// A rule that holds on some targets only must not speak for all of them.
#[test]
fn findings_of_other_rules_say_on_which_targets_they_hold() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_LOONGARCH64"],"syscalls":[
{"names":["open","read","_sysctl"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let of = |rule: &str, targets: &str| {
        let options = [&format!("--select={rule}"), &format!("--target={targets}")];
        let report = check(profile, &options.map(String::as_str)).report();
        let finding = report["findings"][0].clone();
        (
            finding["message"].clone(),
            finding["facts"]["targets"].clone(),
        )
    };
    let rule = "unknown-architecture";
    let message =
        "libseccomp 2.5.2 does not know `SCMP_ARCH_LOONGARCH64`: runtimes refuse the profile";
    let both = json!(["debian-12", "rhel-9"]);
    assert_eq!(of(rule, "debian-12,rhel-9"), (json!(message), both.clone()));
    let some = format!("{message} (on debian-12, rhel-9)");
    assert_eq!(of(rule, "debian-12,debian-13,rhel-9"), (json!(some), both));
    assert_eq!(of(rule, "debian-13"), (Value::Null, Value::Null));
    let (message, targets) = of("nonexistent-syscall", "rhel-8,debian-12");
    assert_eq!(message, "Linux has no `_sysctl` since 5.5 (on debian-12)");
    assert_eq!(targets, json!(["debian-12"]));
}

/// A host that differs from its distribution in one thing is still described in two words.
#[test]
fn options_say_otherwise_for_all_targets() {
    let targets = "--target=debian-12,rhel-9";
    assert_eq!(newer(&[targets, "--libseccomp=2.6.0", "--kernel=6.12"]), []);
    let both = ["debian-12", "rhel-9"];
    let expected = [found("fchmodat2", &both), found("mseal", &both)];
    assert_eq!(newer(&[targets, "--libseccomp=2.5.4"]), expected);
    let report = check(PROFILE, &[targets, "--kernel=6.12", "--arch=aarch64"]).report();
    assert_eq!(
        report["target"],
        json!({"architectures": ["aarch64"], "kernel": "6.12", "libseccomp": null, "engines": [], "dialects": null})
    );
    for target in report["targets"].as_array().expect("targets") {
        assert_eq!(target["architectures"], json!(["aarch64"]));
        assert_eq!(target["kernel"], "6.12");
        assert_eq!(target["kernel_has_later_calls"], false);
    }
}

/// A program that knows one target from the report goes on knowing it.
#[test]
fn reports_say_what_was_checked_against() {
    let report = check(PROFILE, &["--target=debian-12"]).report();
    assert_eq!(report["target"]["kernel"], "6.1");
    assert_eq!(report["target"]["libseccomp"], "2.5.4");
    let backported = report["targets"][0]["backported"].as_array();
    assert_eq!(backported.map(Vec::len), Some(6));
    assert_eq!(report["targets"][0]["crun"], "1.8.1");
    let report = check(PROFILE, &["--libseccomp=2.5.4"]).report();
    assert_eq!(report["target"]["libseccomp"], "2.5.4");
    assert_eq!(report["targets"], json!([]));
    assert_eq!(
        check(PROFILE, &[]).report()["target"]["kernel"],
        Value::Null
    );
}

/// Half a name must not be taken for no target, which finds nothing.
#[test]
fn unknown_targets_are_refused_with_those_that_there_are() {
    let ran = check(PROFILE, &["--target=debain-12"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("'debian-12'"), "{ran:?}");
    for platform in platforms() {
        assert!(ran.stderr.contains(platform.name), "{ran:?}");
    }
}

/// The names and the facts behind them are to be had without reading the source.
#[test]
fn platforms_are_listed() {
    let table = fs::read_to_string(repository("data/platforms.tsv")).expect("the table");
    let rows: Vec<Vec<&str>> = (table.lines().skip(1))
        .map(|line| line.split('\t').collect())
        .collect();
    let human = run(["targets"]);
    assert_eq!(human.code, 0);
    let listed = run(["targets", "--format=json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let listed = listed.as_array().expect("platforms");
    assert_eq!(rows.len(), listed.len());
    for (row, platform) in rows.iter().zip(listed) {
        let fact = |fact: &str| match fact {
            "-" => Value::Null,
            fact => json!(fact.trim_end_matches('+')),
        };
        assert_eq!(platform["name"], row[0]);
        assert_eq!(platform["title"], row[1]);
        assert_eq!(platform["kernel"], fact(row[2]));
        assert_eq!(platform["libseccomp"], fact(row[3]));
        assert_eq!(platform["crun"], fact(row[5]));
        assert_eq!(platform["runc"], fact(row[6]));
        assert_eq!(platform["source"], row[7]);
        let line = format!("{:<20}", row[0]);
        assert!(human.stdout.contains(&line), "{}", human.stdout);
    }
    assert!(human.stdout.contains("2.5.4+6 "), "{}", human.stdout);
}

/// A report of calls that the kernel lacks is of no use if Red Hat has added them to it.
#[test]
fn the_age_of_a_kernel_with_later_calls_proves_nothing() {
    let profile = PROFILE.replace("close_range\",\"fchmodat2\",\"mseal", "fsopen");
    let only = "--select=syscall-newer-than-target";
    for (target, count) in [("--target=rhel-8", 0), ("--kernel=4.18", 1)] {
        let report = check(&profile, &[only, target]).report();
        assert_eq!(report["summary"]["warnings"], count, "{target}");
    }
}

/// `host` is what this kernel and the installed crun say of themselves.
#[test]
fn host_is_this_machine() {
    let uname = rustix::system::uname();
    let kernel = uname.release().to_string_lossy().into_owned();
    let ran = check(PROFILE, &["--target=host"]);
    assert!(ran.stderr.contains("no crun here"), "{ran:?}");
    let target = ran.report()["targets"][0].clone();
    assert_eq!(target["name"], "host");
    let version = target["kernel"].as_str().expect("a kernel");
    assert!(kernel.starts_with(version), "{kernel} {version}");
    assert_eq!(target["libseccomp"], Value::Null);

    let (_directory, path) = file("profile.json", PROFILE);
    let output = (seclint().env("PATH", repository("tests/fixtures/bin")))
        .args(["check", "--format=json", "--target=host"])
        .arg(path)
        .output();
    let ran = Ran::from(output.expect("seclint runs"));
    assert_eq!(ran.stderr, "");
    let target = ran.report()["targets"][0].clone();
    assert_eq!(target["crun"], "1.21");
    assert_eq!(target["libseccomp"], "2.6.0");
    // It may be a distribution's build, and knows more than it says.
    assert_eq!(target["backported"], Value::Null);
}

/// A list for other hosts is no mistake where its rule entry says whose it is.
#[test]
fn rule_entries_for_other_hosts_are_left_alone() {
    let of = |filter: &str| {
        let profile = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
            {{"names":["s390_pci_mmio_read"],"action":"SCMP_ACT_ALLOW",{filter}}}]}}"#
        );
        let options = ["--select=syscall-not-on-arch", "--arch=x86_64"];
        check(&profile, &options).report()["summary"]["infos"].clone()
    };
    assert_eq!(of(r#""includes":{"arches":["s390","s390x"]}"#), 0);
    assert_eq!(of(r#""excludes":{"arches":["amd64"]}"#), 0);
    assert_eq!(of(r#""includes":{"arches":["s390x","amd64"]}"#), 1);
    assert_eq!(
        of(r#""includes":{"arches":[]},"excludes":{"arches":["arm"]}"#),
        1
    );
}

/// A version that the user gave is not passed off as the platform's.
#[test]
fn what_an_option_says_is_not_the_platforms() {
    let targets = "--target=debian-12,debian-13";
    let only = "--select=syscall-newer-than-target";
    let profile = PROFILE.replace("close_range\",\"fchmodat2\",\"mseal", "close_range");
    let report = check(&profile, &[only, targets, "--kernel=5.4"]).report();
    let finding = &report["findings"][0];
    assert_eq!(
        finding["message"],
        "`close_range` came with Linux 5.9: --kernel says 5.4"
    );
    let help = finding["help"].as_str().expect("help");
    assert!(
        help.starts_with("on debian-12 and debian-13 the call fails"),
        "{help}"
    );
}

/// Whoever writes for a distribution would have to look its versions up, and give them one by one.
#[test]
fn a_target_says_what_a_profile_runs_with() {
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["cachestat","mseal","read"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let (_directory, path) = file("profile.json", text);
    let path = path.display().to_string();
    let predicted = |options: &[&str]| {
        let fixed = ["predict", &path, "--format=json", "--arch=x86_64"];
        let report = run(fixed.iter().chain(options)).report();
        let all = report["predictions"].as_array().expect("predictions");
        let told = all.iter().map(|it| {
            let runtime = &it["runtime"];
            let words = [
                &it["target"],
                &runtime["name"],
                &runtime["version"],
                &it["libseccomp"],
            ];
            let words: Vec<_> = words.iter().filter_map(|it| it.as_str()).collect();
            (
                words.join(" "),
                it["warned"].to_string(),
                it["notes"].to_string(),
            )
        });
        told.collect::<Vec<_>>()
    };
    let both = predicted(&["--target=debian-12,debian-13"]);
    assert_eq!(both[0].0, "debian-12 crun 1.8.1 2.5.4");
    // Debian gave its 2.5.4 the name of the one, and not of the other.
    assert_eq!(both[0].1, r#"["mseal"]"#);
    let newer = (both[1].0.as_str(), both[1].1.as_str());
    assert_eq!(newer, ("debian-13 crun 1.21 2.6.0", "[]"));
    assert!(
        both[0]
            .2
            .contains("nobody knows those of a host with debian-12"),
        "{}",
        both[0].2
    );
    let runc = predicted(&[
        "--target=debian-12",
        "--runtime=runc,crun@1.21",
        "--libseccomp=2.5.3",
    ]);
    let names: Vec<_> = runc.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(
        names,
        ["debian-12 runc 1.1.5 2.5.3", "debian-12 crun 1.21 2.5.3"]
    );
}

/// What nobody has looked up of a platform would be taken for its own.
#[test]
fn what_a_target_does_not_say_is_told() {
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#;
    let (_directory, path) = file("profile.json", text);
    let path = path.display().to_string();
    let why = |options: &[&str]| run(["why", &path, "read"].iter().chain(options));
    let ran = why(&["--target=ubuntu-22.04", "--arch=x86_64"]);
    assert!(
        ran.stdout.contains("under crun 0.17 with libseccomp 2.5.3"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("which names ubuntu-22.04 added"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("(--arch)"), "{}", ran.stdout);
    assert!(why(&["--target=debian-12"]).stdout.contains("(--arch)"));
    let lacking = why(&["--target=ubuntu-22.04", "--runtime=runc"]);
    assert_eq!(lacking.code, 2, "{}", lacking.stdout);
    assert!(
        lacking.stderr.contains("ubuntu-22.04 says none"),
        "{}",
        lacking.stderr
    );
    for twice in [
        "--target=debian-12,debian-13",
        "--target=debian-12 --target=debian-13",
    ] {
        let twice: Vec<_> = twice.split(' ').collect();
        assert_eq!(why(&twice).code, 2);
    }
    let resolve = |options: &[&str]| {
        let fixed = [
            "resolve",
            &path,
            "--engine=docker",
            "--arch=x86_64",
            "--explain",
            "--format=json",
        ];
        run(fixed.iter().chain(options)).report()["kernel"].clone()
    };
    assert_eq!(resolve(&["--target=debian-12"]), "6.1");
    assert_eq!(resolve(&["--target=debian-12", "--kernel=4.4"]), "4.4");
}

//! Base profiles of security-profiles-operator: where they are looked for, and what is judged then.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Ran, run};
use tempfile::TempDir;

/// A `SeccompProfile`: its name, its base, its default action and its rule entries.
fn object(name: &str, base: &str, default: &str, entries: &[&str]) -> String {
    let base = match base {
        "" => String::new(),
        base => format!("  baseProfileName: {base}\n"),
    };
    let entries: Vec<_> = entries.iter().map(|it| format!("  - {{{it}}}\n")).collect();
    let entries = entries.concat();
    format!(
        "---\napiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n\
         metadata:\n  name: {name}\nspec:\n{base}  defaultAction: SCMP_ACT_{default}\n  \
         architectures: [SCMP_ARCH_X86_64]\n  syscalls:\n{entries}"
    )
}

/// What runtimes call to start a container, and more.
const RUNTIME: &str = "action: SCMP_ACT_ALLOW, names: [capget, capset, chdir, close, close_range, \
    dup3, epoll_ctl, epoll_pwait, execve, exit, exit_group, faccessat2, fchdir, fchmodat2, fcntl, \
    fstat, fstatfs, futex, getdents64, getpgid, getpid, getppid, getrandom, gettid, mmap, mprotect, \
    mount, munmap, nanosleep, newfstatat, openat, openat2, pipe2, prctl, pread64, read, readlinkat, \
    recvmsg, rt_sigaction, rt_sigprocmask, rt_sigreturn, seccomp, sendmsg, set_robust_list, \
    set_tid_address, setgid, setgroups, setresgid, setresuid, setuid, sigaltstack, statx, \
    tgkill, umask, unlinkat, write, writev, brk, arch_prctl, rseq, prlimit64, rt_sigreturn, clone3, clone]";
const WEB: &str = "action: SCMP_ACT_ALLOW, names: [accept4, bind, listen]";

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, String)]) -> Self {
        let directory = TempDir::new().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn check(&self, paths: &[&str], options: &[&str]) -> Vec<(String, String)> {
        let paths = paths.iter().map(|name| self.path(name));
        let options = options.iter().map(|it| it.replace("DIR", &self.path("")));
        let fixed = ["check", "--no-config", "--format=json"].map(str::to_owned);
        let report = run(fixed.into_iter().chain(options).chain(paths)).report();
        told(&report)
    }
}

/// Each finding's rule, and the line where it is, with the file's name.
fn told(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let told = findings.map(|it| {
        let path = it["path"].as_str().expect("a path");
        let name = path.rsplit('/').next().unwrap_or_default();
        let line = &it["span"]["start"]["line"];
        let rule = it["rule"].as_str().expect("a rule");
        (rule.to_owned(), format!("{name}:{line}"))
    });
    told.collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |&(rule, place): &(&str, &str)| (rule.to_owned(), place.to_owned());
    expected.iter().map(own).collect()
}

/// Whoever keeps the base beside the profile would be told that it is not seen.
#[test]
fn a_base_is_found_where_it_was_given() {
    let web = object("web", "common", "ERRNO", &[WEB]);
    let common = object("common", "", "ERRNO", &[RUNTIME]);
    let files = Files::new(&[
        ("web.yaml", web.clone()),
        ("lib/common.yaml", common.clone()),
        ("one.yaml", web + &common),
    ]);
    let unseen = pairs(&[("base-profile-unseen", "web.yaml:7")]);
    let rule = "--select=base-profile-unseen,missing-runtime-syscalls";
    assert_eq!(files.check(&["web.yaml"], &[rule]), unseen);
    assert_eq!(files.check(&["one.yaml"], &[rule]), []);
    assert_eq!(files.check(&["web.yaml", "lib"], &[rule]), []);
    assert_eq!(
        files.check(&["web.yaml"], &[rule, "--base-profile=DIR/lib"]),
        []
    );
    // The same file, twice.
    let twice = ["--base-profile=DIR/lib/../lib/common.yaml", rule];
    assert_eq!(files.check(&["web.yaml", "lib"], &twice), []);
    let missing = run([
        "check",
        "--base-profile",
        "/no/such/file",
        &files.path("web.yaml"),
    ]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
}

/// A profile whose base lacks what runtimes call starts no container, and nobody would say so.
#[test]
fn a_profile_is_judged_with_its_base() {
    let few = "action: SCMP_ACT_ALLOW, names: [read, write]";
    let files = Files::new(&[
        ("web.yaml", object("web", "few", "ERRNO", &[WEB])),
        ("few.yaml", object("few", "", "ERRNO", &[few])),
    ]);
    let rule = "--select=missing-runtime-syscalls,missing-exit-syscalls";
    let base = "--base-profile=DIR/few.yaml";
    let found = files.check(&["web.yaml"], &[rule, base]);
    assert_eq!(found, pairs(&[("missing-runtime-syscalls", "web.yaml:8")]));
    assert_eq!(files.check(&["web.yaml"], &[rule]), []);
}

/// A condition that the base makes useless looks as if it counted; a fix of it would be written into
/// the wrong file.
#[test]
fn rule_entries_are_held_against_those_of_the_base() {
    let condition = "args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]";
    let strict = format!("action: SCMP_ACT_ALLOW, names: [socket], {condition}");
    let loose = "action: SCMP_ACT_ALLOW, names: [socket]";
    let denied = "action: SCMP_ACT_KILL, names: [bind]";
    let files = Files::new(&[
        (
            "web.yaml",
            object("web", "common", "ERRNO", &[&strict, WEB]),
        ),
        (
            "common.yaml",
            object("common", "", "ERRNO", &[RUNTIME, loose]),
        ),
        (
            "rest.yaml",
            object("rest", "strict", "ERRNO", &[WEB, loose]),
        ),
        (
            "strict.yaml",
            object("strict", "", "ERRNO", &[RUNTIME, &strict]),
        ),
        ("other.yaml", object("other", "denies", "ERRNO", &[WEB])),
        ("denies.yaml", object("denies", "", "ERRNO", &[denied])),
    ]);
    let rules = "--select=shadowed-conditional-rule,redundant-conditional-rule,conflicting-unconditional-rules,duplicate-entry";
    let base = |name: &str| format!("--base-profile=DIR/{name}.yaml");
    let of = |name: &str, of: &str| files.check(&[&format!("{name}.yaml")], &[rules, &base(of)]);
    let redundant = [("redundant-conditional-rule", "web.yaml:11")];
    assert_eq!(of("web", "common"), pairs(&redundant));
    // What is lost stands in the base; what makes it so, in the profile.
    let redundant = [("redundant-conditional-rule", "rest.yaml:7")];
    assert_eq!(of("rest", "strict"), pairs(&redundant));
    let conflict = [("conflicting-unconditional-rules", "other.yaml:7")];
    assert_eq!(of("other", "denies"), pairs(&conflict));
    let paths = ["denies.yaml", "other.yaml"].map(|name| files.path(name));
    let told = run([
        "check",
        "--no-config",
        rules,
        "--base-profile",
        &paths[0],
        &paths[1],
    ]);
    let words = "a rule entry of the base profile never counts for `bind`";
    assert!(told.stdout.contains(words), "{}", told.stdout);
    // What is wrong with the base is told of the base.
    assert_eq!(files.check(&["web.yaml"], &[rules]), []);
}

/// A profile that is never installed would pass for one whose base is somewhere else.
#[test]
fn a_missing_base_and_one_without_end_are_told_apart() {
    let files = Files::new(&[
        ("a.yaml", object("a", "b", "ERRNO", &[WEB])),
        ("b.yaml", object("b", "a", "ERRNO", &[WEB])),
        (
            "c.yaml",
            object("c", "oci://example.com/b", "ERRNO", &[WEB]),
        ),
        ("d.yaml", object("d", "gone", "ERRNO", &[WEB])),
        ("e.yaml", object("e", "d", "ERRNO", &[WEB])),
    ]);
    let rules = ["--select=base-profile-unseen,base-profile-cycle"];
    let expected = [
        ("base-profile-cycle", "a.yaml:7"),
        ("base-profile-cycle", "b.yaml:7"),
        ("base-profile-unseen", "c.yaml:7"),
        ("base-profile-unseen", "d.yaml:7"),
        ("base-profile-unseen", "e.yaml:7"),
    ];
    assert_eq!(files.check(&[""], &rules), pairs(&expected));
}

/// Which of two files is meant would be guessed.
#[test]
fn two_bases_of_a_name_are_not_chosen_between() {
    let files = Files::new(&[
        ("web.yaml", object("web", "common", "ERRNO", &[WEB])),
        ("one/common.yaml", object("common", "", "ERRNO", &[RUNTIME])),
        ("two/common.yaml", object("common", "", "LOG", &[RUNTIME])),
    ]);
    let ran: Ran = run(["check", "--no-config", &files.path("")]);
    assert!(
        ran.stdout.contains("several have the name"),
        "{}",
        ran.stdout
    );
}

/// Says what becomes of a profile without what its base allows, and nobody sees which entry is whose.
#[test]
fn what_runs_is_the_profile_with_its_base() {
    let few = "action: SCMP_ACT_ALLOW, names: [write, read]";
    let files = Files::new(&[
        ("web.yaml", object("web", "few", "ERRNO", &[WEB])),
        (
            "lib/few.yaml",
            object(
                "few",
                "",
                "LOG",
                &["action: SCMP_ACT_KILL, names: [mount]", few],
            ),
        ),
    ]);
    let [web, lib] = ["web.yaml", "lib"].map(|name| files.path(name));
    let base = format!("--base-profile={lib}");
    let crio = ["--engine=crio", "--arch=x86_64", "--kernel=6.1"];
    let fixed = ["resolve", &web, &base].into_iter().chain(crio);
    let resolved = run(fixed.clone());
    let section: Value = serde_json::from_str(&resolved.stdout).expect("a section");
    let names: Vec<_> = (section["syscalls"].as_array().expect("rule entries").iter())
        .map(|entry| (entry["action"].clone(), entry["names"].to_string()))
        .collect();
    let expected = [
        ("SCMP_ACT_ALLOW", r#"["read","write"]"#),
        ("SCMP_ACT_ALLOW", r#"["accept4","bind","listen"]"#),
        ("SCMP_ACT_KILL", r#"["mount"]"#),
    ];
    let expected = expected.map(|(action, names)| (Value::from(action), names.to_owned()));
    assert_eq!(names, expected);
    assert_eq!(section["defaultAction"], "SCMP_ACT_ERRNO");
    let explained = run(fixed.chain(["--explain", "--format=json"])).report();
    let bases: Vec<_> = (explained["entries"]
        .as_array()
        .expect("rule entries")
        .iter())
    .map(|entry| (&entry["base"]["name"], &entry["span"]["start"]["line"]))
    .collect();
    let [few, line] = [Value::from("few"), Value::from(10)];
    assert_eq!(bases[0], (&few, &Value::from(11)));
    assert_eq!((bases[1].0, bases[2]), (&Value::Null, (&few, &line)));
    let why = run(["why", &web, "mount", &base, "--arch=x86_64"]);
    let place = format!("by {lib}/few.yaml:10:5");
    assert!(
        why.stdout.contains("KILL") && why.stdout.contains(&place),
        "{}",
        why.stdout
    );
    let alone = run(["why", &web, "mount", "--arch=x86_64"]);
    assert!(
        alone.stdout.contains("`few` is in no file"),
        "{}",
        alone.stdout
    );
    // predict looks into what it was given.
    let warned = |paths: &[&str]| {
        let fixed = [
            "predict",
            "--format=json",
            "--runtime=crun@1.21",
            "--arch=x86_64",
        ];
        let report = run(fixed.iter().chain(paths)).report();
        report["predictions"][0]["notes"].to_string()
    };
    assert!(warned(&[&web]).contains("`few` is in no file"));
    assert!(warned(&[&web, &lib]).contains("its base profile `few`"));
    let key = [
        "cache-key",
        &web,
        "--runtime=crun@1.21",
        "--libseccomp=2.6.0",
        "--uname=6|#1|x86_64",
    ];
    let crio = ["--engine=crio", "--kernel=6.1"];
    let unknown = run(key.into_iter().chain(crio));
    assert_eq!(unknown.code, 2, "{}", unknown.stdout);
    let known = run(key.into_iter().chain(crio).chain([base.as_str()]));
    assert_eq!(
        (known.code, known.stdout.trim().len()),
        (0, 64),
        "{}",
        known.stderr
    );
}

/// A profile that is never installed would be told to allow something.
#[test]
fn nothing_runs_with_a_profile_without_end() {
    let text = object("a", "b", "ERRNO", &[WEB]) + &object("b", "a", "ERRNO", &[WEB]);
    let files = Files::new(&[("all.yaml", text)]);
    let ran = run(["why", &files.path("all.yaml"), "bind", "--name=a"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("never installs"), "{}", ran.stderr);
}

/// Files in a repository of their own, committed.
fn committed(files: &[(&str, String)]) -> Files {
    let files = Files::new(files);
    git(&files, &["init", "-q"]);
    git(&files, &["add", "-A"]);
    git(&files, &["commit", "-qm", "before"]);
    files
}

fn git(files: &Files, arguments: &[&str]) {
    let mut git = std::process::Command::new("git");
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
    git.args(["-C", &files.path("")]).args(identity);
    let done = git.args(arguments).output().expect("git runs");
    assert!(done.status.success(), "{done:?}");
}

/// `seclint diff --against=HEAD`, run among the files.
fn against_head(files: &Files, arguments: &[&str]) -> Ran {
    let mut seclint = support::seclint();
    seclint.env("PATH", std::env::var_os("PATH").expect("a path"));
    seclint.current_dir(files.path(""));
    seclint.args(["diff", "--against=HEAD", "--arch=x86_64"]);
    Ran::from(seclint.args(arguments).output().expect("seclint runs"))
}

fn base(names: &str) -> String {
    let entry = format!("action: SCMP_ACT_ALLOW, names: [{names}]");
    object("few", "", "ERRNO", &[&entry])
}

/// A gate would pass a base that lets more run, if it held the old profile with the new base too.
#[test]
fn a_given_base_is_that_of_the_revision() {
    let files = committed(&[
        ("app/web.yaml", object("web", "few", "ERRNO", &[WEB])),
        ("base/few.yaml", base("read")),
    ]);
    fs::write(files.path("base/few.yaml"), base("read, mount")).expect("a file");
    for given in ["--base-profile=base", "--base-profile=base/few.yaml"] {
        let ran = against_head(&files, &["app", given]);
        assert_eq!(ran.code, 1, "{} {}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("mount: ERRNO(EPERM) -> ALLOW"),
            "{}",
            ran.stdout
        );
    }
    // One that git does not have is what it is.
    let elsewhere = Files::new(&[("few.yaml", base("read"))]);
    let given = format!("--base-profile={}", elsewhere.path("few.yaml"));
    let ran = against_head(&files, &["app", &given]);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
}

/// A gate would say that nothing changed, and the base that it does not see lets more run.
#[test]
fn what_an_unseen_base_adds_is_not_the_same() {
    let files = committed(&[
        ("app/web.yaml", object("web", "few", "ERRNO", &[WEB])),
        ("base/few.yaml", base("read")),
    ]);
    fs::write(files.path("base/few.yaml"), base("read, mount")).expect("a file");
    let said = "what a base profile adds is not known";
    // Nobody could have a base in the cluster alone, if that failed whatever is changed.
    let ran = against_head(&files, &["app"]);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    let changed = object("web", "few", "ERRNO", &[WEB, WEB]);
    fs::write(files.path("app/web.yaml"), changed).expect("a file");
    let ran = against_head(&files, &["app"]);
    assert_eq!(ran.code, 2, "{} {}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("no changes"), "{}", ran.stdout);
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n1 not known\n"), "{}", ran.stdout);
    let report = against_head(&files, &["app", "--format=json"]).report();
    assert_eq!(report["diffs"][0]["status"], "unknown");
    assert_eq!(report["summary"]["unknown"], 1);
    // What is seen of the bases has changed, though the profile has not.
    let between = |names: &str| base(names).replace("spec:\n", "spec:\n  baseProfileName: gone\n");
    let files = committed(&[
        ("web.yaml", object("web", "few", "ERRNO", &[WEB])),
        ("few.yaml", between("read")),
    ]);
    fs::write(files.path("few.yaml"), between("read, mount")).expect("a file");
    let ran = against_head(&files, &["--format=json"]);
    let unknown = &ran.report()["summary"]["unknown"];
    assert_eq!((ran.code, unknown), (2, &Value::from(2)), "{}", ran.stdout);
}

/// A gate would never pass where bases are in a registry.
#[test]
fn what_is_in_a_registry_is_no_part_of_a_change() {
    let web = |tag: &str| object("web", &format!("oci://a/b:{tag}"), "ERRNO", &[WEB]);
    let files = committed(&[("far/web.yaml", web("1"))]);
    let ran = against_head(&files, &["far"]);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    fs::write(files.path("far/web.yaml"), web("2")).expect("a file");
    let ran = against_head(&files, &["far"]);
    assert_eq!(ran.code, 2, "{} {}", ran.stdout, ran.stderr);
}

/// The one profile that changed would be lost among those that did not, and nobody could tell which of
/// two of a name it is.
#[test]
fn what_is_unchanged_is_counted() {
    let of = |namespace: &str, names: &str| {
        let named = format!("  name: web\n  namespace: {namespace}\n");
        base(names).replace("  name: few\n", &named)
    };
    let all = |names: &str| of("a", "read") + &of("b", names);
    let files = committed(&[("all.yaml", all("read")), ("few.yaml", base("read"))]);
    let ran = against_head(&files, &[]);
    assert_eq!((ran.code, &*ran.stdout), (0, "no changes, 3 unchanged\n"));
    fs::write(files.path("all.yaml"), all("read, mount")).expect("a file");
    let ran = against_head(&files, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("all.yaml (b/web)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("a/web"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(" 2 unchanged\n"), "{}", ran.stdout);
    let report = against_head(&files, &["--format=json"]).report();
    assert_eq!(report["summary"]["profiles"], 3);
}

/// A reviewer would not see that a profile loses a call when only its base was edited.
#[test]
fn a_change_of_the_base_is_a_change_of_the_profile() {
    let files = committed(&[
        ("web.yaml", object("web", "few", "ERRNO", &[WEB])),
        ("lib/few.yaml", base("read, write")),
    ]);
    fs::write(files.path("lib/few.yaml"), base("read")).expect("a file");
    let ran = against_head(&files, &["--format=json", "--fail-on=tightens"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report = ran.report();
    let changed: Vec<_> = (report["diffs"].as_array().expect("diffs").iter())
        .map(|it| (&it["new"]["profile"], &it["changes"][0]["syscalls"][0]))
        .collect();
    let [few, web, write] = ["few", "web", "write"].map(Value::from);
    assert_eq!(changed, [(&few, &write), (&web, &write)]);
}

/// Whoever checks a base alone would be told to add to it what is the application's to bring, and a base
/// for runc that lacks what runc calls would pass.
#[test]
fn a_base_is_not_judged_for_what_others_add() {
    let few = "action: SCMP_ACT_ALLOW, names: [execve, clone, close_range, newfstatat, open]";
    let rules = "--select=enosys-fallback-missing,incomplete-allow-family,clone3-not-enosys,\
                 missing-exit-syscalls,missing-runtime-syscalls";
    let told = |name: &str, more: &str| {
        let text = object(name, "", "ERRNO", &[few]) + more;
        let files = Files::new(&[("all.yaml", text)]);
        let told = files.check(&["all.yaml"], &[rules]).into_iter();
        let of_first = told.filter(|(_, place)| place == "all.yaml:7" || place == "all.yaml:10");
        of_first.map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(told("database", "").len(), 5);
    for runtime in ["runc", "runc-v1.4.2", "crun-v1.21"] {
        assert_eq!(told(runtime, ""), ["missing-runtime-syscalls"], "{runtime}");
    }
    assert_eq!(told("my-base", ""), [""; 0]);
    let web = object("web", "few", "ERRNO", &[RUNTIME]);
    assert_eq!(told("few", &web), [""; 0]);
}

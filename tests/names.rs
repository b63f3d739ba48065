//! Files with several profiles: which one is meant, and which two are compared.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use support::{file, run};

fn map(name: &str, data: &[(&str, &str)]) -> String {
    let data: Vec<_> = data
        .iter()
        .map(|(key, default)| format!("  {key}: '{{\"defaultAction\":\"SCMP_ACT_{default}\"}}'\n"))
        .collect();
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n{}",
        data.concat()
    )
}

fn object(name: &str, namespace: &str, default: &str) -> String {
    format!(
        "---\napiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n\
         metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{defaultAction: SCMP_ACT_{default}}}\n"
    )
}

/// Who keeps several profiles in a manifest could ask about none of them.
#[test]
fn a_name_says_which_profile_is_meant() {
    let text = map("one", &[("a.json", "ERRNO"), ("b.json", "LOG")])
        + &map("two", &[("a.json", "ALLOW")])
        + &object("web", "shop", "KILL")
        + &object("web", "blog", "TRAP");
    let (_directory, path) = file("all.yaml", &text);
    let path = path.display().to_string();
    let why = |name: &str| run(["why", &path, "read", "--arch=x86_64", "--name", name]);
    for (name, expected) in [
        ("b.json", "LOG"),
        ("one/a.json", "ERRNO"),
        ("two/a.json", "ALLOW"),
        ("shop/web", "KILL"),
        ("blog/web", "TRAP"),
    ] {
        let ran = why(name);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(
            ran.stdout.contains(&format!("  {expected}")),
            "{name}: {}",
            ran.stdout
        );
    }
    for (name, listed) in [
        ("a.json", "one/a.json, two/a.json"),
        ("web", "shop/web, blog/web"),
        ("gone", "one/a.json, b.json, two/a.json, shop/web, blog/web"),
    ] {
        let ran = why(name);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(listed), "{name}: {}", ran.stderr);
    }
    let engine = ["--engine=crio", "--arch=x86_64", "--kernel=6.1"];
    let resolved = run(["resolve", &path, "--name=shop/web"]
        .into_iter()
        .chain(engine));
    assert!(
        resolved.stdout.contains("SCMP_ACT_KILL"),
        "{}",
        resolved.stderr
    );
    let neither = run(["compile", &path, "--output=/dev/null"]);
    assert_eq!(neither.code, 2, "{}", neither.stderr);
}

/// A reviewer would see nothing of a change in such a file.
#[test]
fn each_profile_is_compared_with_its_namesake() {
    let old = map("it", &[("a", "ERRNO"), ("b", "ERRNO"), ("c", "ERRNO")]);
    let new = map("it", &[("d", "ERRNO"), ("b", "ALLOW"), ("a", "ERRNO")]);
    let (_one, old) = file("old.yaml", &old);
    let (_two, new) = file("new.yaml", &new);
    let [old, new] = [old, new].map(|path| path.display().to_string());
    let diff = |options: &[&str]| {
        let fixed = ["diff", &old, &new, "--arch=x86_64"];
        run(fixed.iter().chain(options))
    };
    let ran = diff(&["--format=json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report = ran.report();
    let told: Vec<_> = (report["diffs"].as_array().expect("diffs").iter())
        .map(|it| [&it["old"]["profile"], &it["new"]["profile"], &it["status"]])
        .collect();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(Value::from);
    let [same, changed, new, deleted] = ["same", "changed", "new", "deleted"].map(Value::from);
    let none = Value::Null;
    let expected = [
        [&none, &d, &new],
        [&b, &b, &changed],
        [&a, &a, &same],
        [&c, &none, &deleted],
    ];
    assert_eq!(told, expected);
    assert_eq!(diff(&["--name=a"]).code, 0);
    assert!(
        diff(&[]).stdout.contains("old.yaml (b) -> "),
        "{}",
        diff(&[]).stdout
    );
    // Nobody knows which is the namesake of a file of JSON.
    let (_three, plain) = file("plain.json", r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#);
    let ran = run(["diff", &old, &plain.display().to_string()]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("--name"), "{}", ran.stderr);
}

/// An edit by which a profile is only for Docker would look like a change of the filter, since the
/// old version was not read as Docker reads it.
#[test]
fn both_versions_are_read_by_the_same_engine() {
    let entry = |more: &str| format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW"{more}}}"#);
    let profile = |top: &str, entries: &str| {
        format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO"{top},"syscalls":[{entries}]}}"#)
    };
    let old = profile("", &entry(""));
    let docker = profile("", &entry(r#","includes":{"minKernel":"4.8"}"#));
    let podman = profile(r#","defaultErrno":"EPERM""#, &entry(""));
    let engines = |old: &str, new: &str| {
        let (_one, old) = file("old.json", old);
        let (_two, new) = file("new.json", new);
        let paths = [old, new].map(|path| path.display().to_string());
        let fixed = ["diff", "--format=json", "--arch=x86_64"].map(str::to_owned);
        let report = run(fixed.into_iter().chain(paths)).report();
        let diff = &report["diffs"][0];
        let has_note = diff["notes"].to_string().contains("no engine reads both");
        (
            diff["old"]["engine"].clone(),
            diff["new"]["engine"].clone(),
            has_note,
        )
    };
    let [d, p] = ["docker", "podman"].map(Value::from);
    assert_eq!(engines(&old, &docker), (d.clone(), d.clone(), false));
    assert_eq!(engines(&podman, &old), (p.clone(), p.clone(), false));
    assert_eq!(engines(&docker, &podman), (d, p, true));
    assert_eq!(engines(&old, &old), (Value::Null, Value::Null, false));
}

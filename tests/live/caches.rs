//! Caches of every kind that a host can have, made by the root's own crun, and what
//! `seclint cache-audit` says of each beside what is the case.
//!
//! What is done and what is expected stands in `caches.sh`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::buildah::Step;
use crate::namespaces;

/// How long a kind may take. It takes a second.
const LIMIT: Duration = Duration::from_mins(1);

/// A function for each kind.
const SCRIPT: &str = include_str!("caches.sh");

/// The kinds that need nothing but the root.
const KINDS: [&str; 9] = [
    "lifecycle",
    "pinned",
    "strict",
    "rebooted",
    "refused",
    "own_filters",
    "merged",
    "collided",
    "planted",
];

/// What containers do whose filters are tried: two calls, and what came of them.
const TRIES: &str = "/bin/busybox mkdir /dev/made; echo mkdir $?; /bin/busybox ls -d /dev/made; \
    /bin/busybox chmod 700 /dev; echo chmod $?; echo done; /bin/busybox sleep 1000";

/// What a container does with rule entries that are joined: which sizes a file can have.
const SIZES: &str = "for size in 16 8589934596 8589934600 8589934608; do \
    said=$(/bin/busybox truncate -s $size /dev/made 2>&1) && said=can; \
    echo $size ${said##*: }; done; echo done; /bin/busybox sleep 1000";

/// Makes and audits all kinds in a root that has been [mounted](namespaces::mount). With
/// an older release's root, an update of crun is one of them.
pub(crate) fn steps(root: &Path, seclint: &Path, older: Option<&Path>) -> io::Result<Vec<Step>> {
    lay_out(root, seclint)?;
    let mut steps = Vec::new();
    for kind in KINDS {
        steps.extend(steps_of(kind, root)?);
    }
    if let Some(older) = older {
        namespaces::mount(older)?;
        let place = root.join("mnt/older");
        fs::create_dir(&place)?;
        let mut mount = Command::new("mount");
        let status = mount.arg("--rbind").args([older, &place]).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("mount --rbind: {status}")));
        }
        steps.extend(steps_of("updated", root)?);
    }
    Ok(steps)
}

/// The bundles and profiles that the scripts name.
fn lay_out(root: &Path, seclint: &Path) -> io::Result<()> {
    let tmp = root.join("tmp");
    fs::copy(seclint, tmp.join("seclint"))?;
    for directory in ["profiles", "rootfs/bin", "rootfs/proc", "rootfs/dev"] {
        fs::create_dir_all(tmp.join(directory))?;
    }
    fs::copy(root.join("bin/busybox"), tmp.join("rootfs/bin/busybox"))?;
    let deny = |names: &[&str]| {
        let entries = json!([{ "names": names, "action": "SCMP_ACT_ERRNO" }]);
        json!({ "seccomp": { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": entries } })
    };
    let [clean, umuont] = [&["add_key", "keyctl"], &["umount2", "umuont"]].map(|it| deny(it));
    let mut flag = deny(&["mknod", "mkond"]);
    flag["seccomp"]["flags"] = json!(["SECCOMP_FILTER_FLAG_NOPE"]);
    let mut pretends = deny(&["mkdir", "mkdirat"]);
    pretends["seccomp"]["syscalls"][0]["errnoRet"] = 0.into();
    let shorter = |size: u64, errno: u32| {
        let args = json!([{ "index": 1, "value": size, "op": "SCMP_CMP_LT" }]);
        let names = ["ftruncate"];
        json!({ "names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": errno, "args": args })
    };
    let mut merged = deny(&[]);
    merged["seccomp"]["syscalls"] = json!([shorter((1 << 33) + 16, 13), shorter((1 << 33) + 5, 1)]);
    let none = json!({});
    let fail = json!({ "run.oci.seccomp_fail_unknown_syscall": "1" });
    // One instruction that allows everything: BPF_RET with SECCOMP_RET_ALLOW.
    let data = json!({ "run.oci.seccomp_bpf_data": "BgAAAAAA/38=" });
    for (name, mut linux, annotations) in [
        ("chmdo", deny(&["chmod", "chmdo"]), &none),
        ("clean", clean.clone(), &none),
        ("data", clean.clone(), &data),
        ("denies", deny(&["mkdir", "mkdirat"]), &none),
        ("execve", deny(&["execve", "execveat", "execvee"]), &none),
        ("flag", flag, &none),
        ("fsopn", deny(&["fsopn", "fsmount"]), &none),
        ("joined", deny(&["chmod", "fchmod"]), &none),
        ("nosection", none.clone(), &none),
        ("merged", merged, &none),
        ("null", json!({ "seccomp": null }), &none),
        ("parted", deny(&["chm", "od", "fchmod"]), &none),
        ("pretends", pretends, &none),
        ("strict", clean, &fail),
        ("strict-umuont", umuont.clone(), &fail),
        ("umuont", umuont, &none),
    ] {
        let profile = linux["seccomp"].to_string();
        fs::write(tmp.join(format!("profiles/{name}.json")), profile)?;
        linux["namespaces"] = ["pid", "ipc", "uts", "mount"]
            .map(|it| json!({ "type": it }))
            .to_vec()
            .into();
        let program = match name {
            "denies" | "joined" | "parted" | "pretends" => {
                json!(["/bin/busybox", "sh", "-c", TRIES])
            }
            "merged" => json!(["/bin/busybox", "sh", "-c", SIZES]),
            _ => json!(["/bin/busybox", "sleep", "1000"]),
        };
        let config = json!({
            "ociVersion": "1.0.0",
            "process": {
                "user": { "uid": 0, "gid": 0 },
                "args": program,
                "env": ["PATH=/bin"],
                "cwd": "/",
                "noNewPrivileges": true,
            },
            "root": { "path": "/tmp/rootfs", "readonly": true },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" },
            ],
            "annotations": annotations,
            "linux": linux,
        });
        let bundle = tmp.join("bundles").join(name);
        fs::create_dir_all(&bundle)?;
        fs::write(bundle.join("config.json"), config.to_string())?;
    }
    Ok(())
}

/// Makes caches of a kind; a step is an audit, or what a container's program said.
fn steps_of(kind: &str, root: &Path) -> io::Result<Vec<Step>> {
    let [audits, log] = ["audits", "log"].map(|it| root.join(format!("tmp/{kind}.{it}")));
    let mut command = namespaces::command(root);
    command.args(["sh", "-c", SCRIPT, "sh", kind]);
    let status = namespaces::run(&mut command, &log, LIMIT, || true)?;
    let audits = fs::read_to_string(audits).unwrap_or_default();
    let audits: Vec<_> = audits.lines().collect();
    let mut steps = Vec::new();
    let (whole, _) = audits.as_chunks();
    for [when, expected, report] in whole {
        let described = match serde_json::from_str(report).unwrap_or_default() {
            Value::String(said) => said,
            report => described(&report),
        };
        let passed = described == *expected;
        let mut said = format!("{kind}, {when}: {described}");
        if !passed {
            let _ = write!(said, "\nexpected: {expected}\n");
        }
        steps.push(Step { passed, said });
    }
    if !status.is_some_and(|status| status.success()) {
        let (passed, said) = (false, format!("{kind}: the script did not succeed\n"));
        steps.push(Step { passed, said });
    }
    if let Some(Step { said, .. }) = steps.iter_mut().find(|step| !step.passed) {
        *said += &fs::read_to_string(log)?;
    }
    Ok(steps)
}

/// An audit in words: every entry, the containers by where their filters came from, the calls that
/// show that two of them have one key, and whether the entries have the names that are made from the
/// containers' configurations.
fn described(report: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines: Vec<String> = list(&report["entries"]).iter().map(entry).collect();
    lines.sort();
    for (filter, words) in [
        ("entry", "with entries"),
        ("own", "with filters of their own"),
        ("none", "without a filter"),
    ] {
        let containers = list(&report["containers"]);
        let containers = containers.iter().filter(|it| it["filter"] == filter);
        let ids: Vec<_> = containers.filter_map(|it| it["id"].as_str()).collect();
        if !ids.is_empty() {
            lines.push(format!("{words} {}", ids.join(", ")));
        }
    }
    for finding in list(&report["findings"]) {
        if finding["rule"] == "cache-key-collision" {
            let syscall = finding["facts"]["syscall"].as_str().unwrap_or_default();
            lines.push(format!("collision in {syscall}"));
        }
    }
    let scheme = &report["key_scheme"];
    let state = scheme["state"].as_str().unwrap_or("missing");
    let differing = match &scheme["differing"] {
        count if count == 0 => String::new(),
        count => format!(", {count} differ"),
    };
    let agreeing = &scheme["agreeing"];
    lines.push(format!("keys {state} ({agreeing} agree{differing})"));
    lines.join("; ")
}

/// An entry in words: whose it is, both by link and by key where nothing is said of that,
/// and what is the matter with it.
fn entry(entry: &Value) -> String {
    let mut owners: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for it in entry["attributed"].as_array().into_iter().flatten() {
        let path = Path::new(it["path"].as_str().unwrap_or_default());
        let profile = path.file_name().unwrap_or_default().to_string_lossy();
        let owner = it["container"].as_str().unwrap_or(&profile).to_owned();
        let by = it["by"].as_str().unwrap_or_default();
        // Nothing else can be said of a profile.
        let by = if it["container"].is_null() { "" } else { by };
        owners.entry(owner).or_default().push(by);
    }
    let owners = owners.iter().map(|(owner, by)| match by[..] {
        [by @ ("key" | "link")] => format!("{owner} by {by}"),
        _ => owner.clone(),
    });
    let mut owners = owners.collect::<Vec<_>>().join(", ");
    if owners.is_empty() {
        owners += "nobody";
    }
    let hidden = entry["hidden"].as_array().into_iter().flatten();
    let mut hidden: Vec<_> = hidden.filter_map(|it| it["syscall"].as_str()).collect();
    hidden.dedup();
    let witness = &entry["content"]["witness"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdict = |verdict: &Value| {
        let action = text(&verdict["action"]).replace("SCMP_ACT_", "");
        format!("{action} {}", verdict["data"])
    };
    let status = match entry["status"].as_str().unwrap_or_default() {
        "mismatch" => format!(
            "{} is {}, not {}",
            text(&witness["call"]["syscall"]),
            verdict(&witness["entry"]),
            verdict(&witness["configuration"])
        ),
        "hides-warnings" => format!("hides {}", hidden.join(" and ")),
        status => status.to_owned(),
    };
    let stale = match entry["stale"].as_bool() {
        Some(true) => ", stale",
        Some(false) => "",
        None => ", perhaps stale",
    };
    let pinned = if entry["pinned"] == true {
        ", pinned"
    } else {
        ""
    };
    let compared = match entry["content"]["compared"].as_str() {
        Some("meaning") if witness.is_null() => ", as asked, in other bytes",
        Some("no") => ", not compared",
        _ => "",
    };
    let pruned = entry["pruned"].as_str().map(|it| format!(", {it}"));
    format!(
        "{owners}: {status}{compared}{stale}{pinned}{}",
        pruned.unwrap_or_default()
    )
}

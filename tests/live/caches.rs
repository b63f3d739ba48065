//! Caches of every kind that a host can have, made by the root's own crun, and what
//! `seclint cache-audit` says of each beside what is the case.
//!
//! A [`Kind`] is a shell script in a PID namespace of its own, because containers have
//! to run while their cache is audited; what it is made of stands in [`SHELL`].

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::buildah::Step;
use crate::namespaces;

/// How long a kind may take. It takes one or two seconds.
const LIMIT: Duration = Duration::from_mins(1);

/// A cache, and what every audit of it has to say, in the words of [`described`].
struct Kind {
    name: &'static str,
    script: &'static str,
    audits: &'static [Audit],
}

/// When the audit was made, and what it has to say.
struct Audit(&'static str, &'static [&'static str]);

/// What the scripts are written in. `$state` is the state root; `$under` is what crun
/// is started by.
const SHELL: &str = r#"
n=0 under=
on_state() { command=$1; shift; $under crun --cgroup-manager=disabled --root "$state" "$command" "$@"; }
# Of a bundle, a container that goes on running.
start() { on_state run --detach --bundle "/tmp/bundles/$1" "$2"; }
stop() { on_state kill "$1" KILL; until on_state state "$1" | grep -q '"status": "stopped"'; do sleep .02; done; }
delete() { stop "$1"; on_state delete "$1"; }
audit() { n=$((n + 1)); /tmp/seclint cache-audit "$state" --format=json "$@" >"$state.$n.json"; }
"#;

const KINDS: &[Kind] = &[
    // The link to an entry stays until the container is deleted.
    Kind {
        name: "lifecycle",
        script: "
            start clean running
            on_state create --bundle /tmp/bundles/umuont created
            start chmdo stopped; stop stopped
            start fsopn deleted; delete deleted
            audit
            audit --profile /tmp/profiles/fsopn.json
        ",
        audits: &[
            Audit(
                "a running, a created, a stopped and a deleted container",
                &[
                    "created: hides umuont",
                    "nobody: unattributed, perhaps stale",
                    "running: clean",
                    "stopped: hides chmdo",
                    "with entries created, running, stopped",
                    "keys verified by 3",
                ],
            ),
            Audit(
                "with the deleted one's profile",
                &[
                    "created: hides umuont",
                    "fsopn.json: hides fsopn",
                    "running: clean",
                    "stopped: hides chmdo",
                    "with entries created, running, stopped",
                    "keys verified by 3",
                ],
            ),
        ],
    },
    // crun's next miss in a large cache evicts the older half: `deleted`, and not what is pinned.
    Kind {
        name: "pinned",
        script: r#"
            start clean running
            start chmdo again; delete again
            chmod +t "$state"/.cache/seccomp/*
            start fsopn deleted; delete deleted
            for i in $(seq 400); do : >"$state/.cache/seccomp/$(printf %064d "$i")"; done
            start umuont late
            rm "$state"/.cache/seccomp/0000000000*
            start chmdo again
            audit
            audit --prune
        "#,
        audits: &[
            Audit(
                "two pinned entries after an eviction",
                &[
                    "again: hides chmdo, pinned",
                    "late: hides umuont",
                    "running: clean, pinned",
                    "with entries again, late, running",
                    "keys verified by 3",
                ],
            ),
            Audit(
                "pruned",
                &[
                    "again: hides chmdo, pinned, removed",
                    "late: hides umuont, removed",
                    "running: clean, pinned",
                    "with entries again, late, running",
                    "keys verified by 3",
                ],
            ),
        ],
    },
    // The annotation is in the key: one section has two entries.
    Kind {
        name: "fail annotation",
        script: "
            start strict strict
            start clean lax
            start strict-umuont refused
            audit
        ",
        audits: &[Audit(
            "a section with and without it, and a name that it refuses",
            &[
                "lax: clean",
                "strict: clean",
                "with entries lax, strict",
                "keys verified by 2",
            ],
        )],
    },
    // `setarch --uname-2.6` stands in for the kernel before a reboot, of which a state
    // root on a disk has the containers' directories left.
    Kind {
        name: "another kernel",
        script: r#"
            under="setarch --uname-2.6"
            before="$($under uname -r)|$($under uname -v)|$($under uname -m)"
            start clean old; stop old
            start chmdo oldbad; stop oldbad
            start fsopn oldgone; delete oldgone
            under=
            start clean new
            audit --profile /tmp/profiles/fsopn.json
            audit --profile /tmp/profiles/fsopn.json --uname "$before"
        "#,
        audits: &[
            Audit(
                "after the reboot",
                &[
                    "new, old by key: clean",
                    "nobody: unattributed, perhaps stale",
                    "old by link: clean, stale",
                    "oldbad by link: hides chmdo, stale",
                    "with entries new, old, oldbad",
                    "keys verified by 1, not by 2",
                ],
            ),
            Audit(
                "with the kernel of before",
                &[
                    "fsopn.json: hides fsopn",
                    "new by key, old: clean",
                    "new by link: clean, stale",
                    "oldbad: hides chmdo",
                    "with entries new, old, oldbad",
                    "keys verified by 2, not by 1",
                ],
            ),
        ],
    },
    Kind {
        name: "refused",
        script: "
            on_state run --bundle /tmp/bundles/flag flag
            on_state run --bundle /tmp/bundles/execve execve
            audit
            audit --profile /tmp/profiles
            start flag flag
            start execve execve
            audit
        ",
        audits: &[
            Audit(
                "an unknown flag, and a program that may not be executed",
                &[
                    "nobody: unattributed, perhaps stale",
                    "nobody: unattributed, perhaps stale",
                    "keys unverified by 0",
                ],
            ),
            Audit(
                "with their profiles",
                &[
                    "execve.json: hides execvee",
                    "flag.json: hides mkond",
                    "keys verified by 0",
                ],
            ),
            // Detached, crun says nothing by its exit status, and leaves the container.
            Audit(
                "the same, detached",
                &[
                    "execve: hides execvee",
                    "flag: hides mkond",
                    "with entries execve, flag",
                    "keys verified by 2",
                ],
            ),
        ],
    },
    Kind {
        name: "no filter",
        script: r#"
            start nosection nosection
            start null null
            start data data
            start chmdo removed; rm "$state"/.cache/seccomp/*
            start clean cached
            audit
        "#,
        audits: &[Audit(
            "no section, null, a filter given by an annotation, an entry removed since, and a profile",
            &[
                "cached: clean",
                "with entries cached",
                "with filters of their own data, removed",
                "without a filter nosection, null",
                "keys verified by 1",
            ],
        )],
    },
];

/// Two cruns on one state root: the older one is in another root.
const UPDATE: Kind = Kind {
    name: "update",
    script: "
        mount -t proc proc /mnt/older/proc
        mount --bind /tmp /mnt/older/tmp
        under='chroot /mnt/older'
        start clean old
        start chmdo oldbad
        start fsopn oldgone; delete oldgone
        under=
        audit
        start clean new
        start umuont newbad
        audit
    ",
    audits: &[
        // Nothing shows yet that the versions are right: only links are believed.
        Audit(
            "before a container is started",
            &[
                "nobody: unattributed, perhaps stale",
                "old by link: clean, perhaps stale",
                "oldbad by link: hides chmdo, perhaps stale",
                "with entries old, oldbad",
                "keys contradicted by 0, not by 2",
            ],
        ),
        Audit(
            "after that",
            &[
                "new, old by key: clean",
                "newbad: hides umuont",
                "nobody: unattributed, perhaps stale",
                "old by link: clean, stale",
                "oldbad by link: hides chmdo, stale",
                "with entries new, newbad, old, oldbad",
                "keys verified by 2, not by 2",
            ],
        ),
    ],
};

/// Makes and audits all kinds in a root that has been [mounted](namespaces::mount). With
/// an older release's root, an update of crun is one of them.
pub(crate) fn steps(root: &Path, seclint: &Path, older: Option<&Path>) -> io::Result<Vec<Step>> {
    lay_out(root, seclint)?;
    let mut steps = Vec::new();
    for kind in KINDS {
        steps.extend(kind.steps(root)?);
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
        steps.extend(UPDATE.steps(root)?);
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
    let section = |names: &[&str]| {
        json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{ "names": names, "action": "SCMP_ACT_ERRNO" }],
        })
    };
    let clean = section(&["add_key", "keyctl"]);
    let umuont = section(&["umount2", "umuont"]);
    let mut flag = section(&["mknod", "mkond"]);
    flag["flags"] = json!(["SECCOMP_FILTER_FLAG_NOPE"]);
    let none = json!({});
    let fail = json!({ "run.oci.seccomp_fail_unknown_syscall": "1" });
    // One instruction that allows everything: BPF_RET with SECCOMP_RET_ALLOW.
    let data = json!({ "run.oci.seccomp_bpf_data": "BgAAAAAA/38=" });
    let bundles = [
        ("chmdo", Some(section(&["chmod", "chmdo"])), &none),
        ("clean", Some(clean.clone()), &none),
        ("data", Some(clean.clone()), &data),
        (
            "execve",
            Some(section(&["execve", "execveat", "execvee"])),
            &none,
        ),
        ("flag", Some(flag), &none),
        ("fsopn", Some(section(&["fsopn", "fsmount"])), &none),
        ("nosection", None, &none),
        ("null", Some(Value::Null), &none),
        ("strict", Some(clean), &fail),
        ("strict-umuont", Some(umuont.clone()), &fail),
        ("umuont", Some(umuont), &none),
    ];
    for (name, section, annotations) in bundles {
        let bundle = tmp.join("bundles").join(name);
        fs::create_dir_all(&bundle)?;
        let namespaces = ["pid", "ipc", "uts", "mount"].map(|it| json!({ "type": it }));
        let mut linux = Map::from_iter([("namespaces".to_owned(), json!(namespaces))]);
        if let Some(section) = section {
            let profile = tmp.join(format!("profiles/{name}.json"));
            // That of a plain bundle is the profile that a person has.
            if *annotations == none && !section.is_null() {
                fs::write(profile, section.to_string())?;
            }
            linux.insert("seccomp".to_owned(), section);
        }
        let config = json!({
            "ociVersion": "1.0.0",
            "process": {
                "user": { "uid": 0, "gid": 0 },
                "args": ["/bin/busybox", "sleep", "1000"],
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
        fs::write(bundle.join("config.json"), config.to_string())?;
    }
    Ok(())
}

impl Kind {
    /// A step an audit.
    fn steps(&self, root: &Path) -> io::Result<Vec<Step>> {
        let state = format!("tmp/state of {}", self.name);
        let log = root.join(format!("{state}.log"));
        let mut command = namespaces::command(root);
        let script = format!("state='/{state}'\n{SHELL}\n{}", self.script);
        command.args(["sh", "-c", &script]);
        namespaces::run(&mut command, &log, LIMIT, || true)?;
        let steps = (1..)
            .zip(self.audits)
            .map(|(number, Audit(when, expected))| {
                let report = fs::read(root.join(format!("{state}.{number}.json")));
                let report: Value =
                    serde_json::from_slice(&report.unwrap_or_default()).unwrap_or_default();
                let described = described(&report);
                let passed = described == *expected;
                let mut said = format!("{}: {when}: {}", self.name, described.join("; "));
                if !passed {
                    let log = fs::read_to_string(&log)?;
                    said += &format!("\nexpected: {}\n{log}", expected.join("; "));
                }
                Ok(Step { passed, said })
            });
        steps.collect()
    }
}

/// An audit in words: a line for every entry, for the containers by where their
/// filters came from, and for the keys.
fn described(report: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines: Vec<String> = list(&report["entries"]).iter().map(entry).collect();
    lines.sort();
    for (filter, words) in [
        ("entry", "with entries"),
        ("own", "with filters of their own"),
        ("none", "without a filter"),
        ("unreadable", "unreadable"),
    ] {
        let containers = list(&report["containers"]);
        let containers = containers.iter().filter(|it| it["filter"] == filter);
        let ids: Vec<_> = containers.filter_map(|it| it["id"].as_str()).collect();
        if !ids.is_empty() {
            lines.push(format!("{words} {}", ids.join(", ")));
        }
    }
    let scheme = &report["key_scheme"];
    let state = scheme["state"].as_str().unwrap_or("missing");
    let mut keys = format!("keys {state} by {}", scheme["agreeing"]);
    if scheme["differing"] != 0 {
        keys += &format!(", not by {}", scheme["differing"]);
    }
    lines.push(keys);
    lines
}

/// An entry in words: whose it is, by link and by key if it is not said, and its state.
fn entry(entry: &Value) -> String {
    let mut owners: Vec<(String, Vec<&str>)> = Vec::new();
    for it in entry["attributed"].as_array().into_iter().flatten() {
        let by = it["by"].as_str().unwrap_or_default();
        let path = Path::new(it["path"].as_str().unwrap_or_default());
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let owner = it["container"].as_str().unwrap_or(&file);
        match owners.iter_mut().find(|(known, _)| known == owner) {
            Some((_, bys)) => bys.push(by),
            None => owners.push((owner.to_owned(), vec![by])),
        }
    }
    owners.sort();
    let owners = owners.iter().map(|(owner, bys)| match bys[..] {
        // Nothing else can be said of a profile.
        ["key"] if !owner.ends_with(".json") => format!("{owner} by key"),
        ["link"] => format!("{owner} by link"),
        _ => owner.clone(),
    });
    let mut owners = owners.collect::<Vec<_>>().join(", ");
    if owners.is_empty() {
        owners += "nobody";
    }
    let hidden = entry["hidden"].as_array().into_iter().flatten();
    let mut hidden: Vec<_> = hidden.filter_map(|it| it["syscall"].as_str()).collect();
    hidden.dedup();
    let status = match entry["status"].as_str().unwrap_or_default() {
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
    let pruned = entry["pruned"].as_str().map(|it| format!(", {it}"));
    format!(
        "{owners}: {status}{stale}{pinned}{}",
        pruned.unwrap_or_default()
    )
}

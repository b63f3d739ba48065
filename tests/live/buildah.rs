//! crun's cache seen from above: a build that warns once and never again
//! (<https://github.com/containers/buildah/issues/5553>), and what seclint does about it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::namespaces;

/// How long a build may take. It takes a second.
const LIMIT: Duration = Duration::from_mins(2);

/// A call that is none.
const UNKNOWN: &str = "unknown1";
const PROFILE: &str = "/tmp/foo.json";

/// What was seen at a step, and whether it is what should be seen.
pub(crate) struct Step {
    pub(crate) passed: bool,
    pub(crate) said: String,
}

/// Builds the same image again and again in a root that has been
/// [mounted](namespaces::mount), with the cache audited and pruned between.
pub(crate) fn steps(root: &Path, seclint: &Path) -> io::Result<Vec<Step>> {
    lay_out(root, seclint)?;
    let build = |options: &[&str], warns: bool| -> io::Result<Step> {
        let output = build(root, options)?;
        let warned = output.contains(&format!("unknown seccomp syscall `{UNKNOWN}` ignored"));
        let built = output.lines().any(|line| line == "built");
        let last = output.lines().next_back().unwrap_or_default();
        Ok(Step {
            passed: built && warned == warns,
            said: match (built, warned) {
                (true, true) => "crun warned".to_owned(),
                (true, false) => "crun was silent".to_owned(),
                (false, _) => format!("the build failed: {last}"),
            },
        })
    };
    let mut steps = Vec::new();
    let mut step = |name: &str, step: Step| {
        let said = format!("{name}: {}", step.said);
        steps.push(Step { said, ..step });
    };
    step("first build", build(&[], true)?);
    step("second build", build(&[], false)?);
    step("audit", audit(root)?);
    step("audit --prune", prune(root)?);
    step("third build, after the pruning", build(&[], true)?);
    // The way out without giving up the cache of others.
    for (name, state) in [("a state root of its own", "one"), ("another one", "two")] {
        let flag = format!("--runtime-flag=root=/tmp/{state}");
        step(&format!("build with {name}"), build(&[&flag], true)?);
    }
    Ok(steps)
}

fn lay_out(root: &Path, seclint: &Path) -> io::Result<()> {
    let context = root.join("tmp/context");
    fs::create_dir(&context)?;
    fs::copy(root.join("bin/busybox"), context.join("busybox"))?;
    fs::copy(seclint, root.join("tmp/seclint"))?;
    fs::write(
        context.join("Containerfile"),
        "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"true\"]\n",
    )?;
    let profile = serde_json::json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": ["mkdir", UNKNOWN], "action": "SCMP_ACT_ERRNO" }],
    });
    fs::write(
        root.join(PROFILE.trim_start_matches('/')),
        profile.to_string(),
    )
}

/// What a build prints; at its end `built`, if it succeeds.
fn build(root: &Path, options: &[&str]) -> io::Result<String> {
    let log = root.join("tmp/build.log");
    let mut command = namespaces::command(root);
    command
        .args([
            "buildah",
            "--storage-driver=vfs",
            "build",
            "--isolation=oci",
        ])
        // No network to be set up, no control groups, and no limits above those that are.
        .args(["--network=host", "--cgroupns=host"])
        .args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"])
        .args(["--runtime=crun", "--runtime-flag=cgroup-manager=disabled"])
        .arg("--runtime-flag=debug")
        .arg(format!("--security-opt=seccomp={PROFILE}"))
        .args(options)
        .arg("/tmp/context");
    let status = namespaces::run(&mut command, &log, LIMIT, || true)?;
    let mut output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if status.is_some_and(|status| status.success()) {
        output += "\nbuilt\n";
    }
    Ok(output)
}

fn seclint(root: &Path, options: &[&str]) -> io::Result<Output> {
    let mut command: Command = namespaces::command(root);
    command.args(["/tmp/seclint", "cache-audit", "--profile", PROFILE]);
    command.args(options).output()
}

/// The audit of the default state root: it must flag the one entry, and say which
/// call it hides and which profile asks for it.
fn audit(root: &Path) -> io::Result<Step> {
    let output = seclint(root, &["--format=json"])?;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let hides: Vec<_> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding["rule"] == "cache-hides-warnings")
        .collect();
    let [finding] = *hides else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = format!("{} entries flagged {stderr}", hides.len());
        return Ok(Step {
            passed: false,
            said,
        });
    };
    let [syscall, profile] = [&finding["facts"]["syscall"], &finding["labels"][0]["path"]];
    Ok(Step {
        passed: syscall == UNKNOWN && profile == PROFILE && output.status.code() == Some(1),
        said: format!("flags the entry, which hides {syscall} of {profile}"),
    })
}

/// The same, with the entry removed.
fn prune(root: &Path) -> io::Result<Step> {
    let output = seclint(root, &["--prune"])?;
    let left = fs::read_dir(root.join("run/crun/.cache/seccomp"))?.count();
    Ok(Step {
        passed: left == 0 && output.status.code() == Some(1),
        said: format!("{left} entries left"),
    })
}

//! What Podman hands its runtime: a stand-in for the runtime keeps the `config.json` that it gets.
//!
//! Every profile of `tests/engines/podman.jsonl` must come to what is on record there, which the
//! plain tests hold seclint against. The distribution's own default profile, which is not in the
//! repository, must come to what `seclint resolve` prints, whatever the container's capabilities.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::buildah::Step;
use crate::namespaces;

/// How long Podman may take. It takes a fifth of a second.
const LIMIT: Duration = Duration::from_secs(30);

/// Where all of this is in the root.
const HERE: &str = "/tmp/engines";

/// The default profile of Debian's containers-common.
const DEFAULT_PROFILE: &str = "/usr/share/containers/seccomp.json";

/// A runtime that starts nothing, and keeps the container's configuration.
const STAND_IN: &str = r#"#!/bin/sh
case "$*" in *--version*) echo "crun version 1.21"; exit 0;; *features*) exit 1;; esac
while [ $# -gt 0 ]; do
    case "$1" in --bundle) cp "$2/config.json" /tmp/engines/captured.json;; esac
    shift
done
exit 1
"#;

/// What an engine did with a profile: the section, which is null for no filter, or its error.
type Outcome = Result<Value, String>;

/// Compares Podman with the records in `engines` and with `seclint`, in a root that has been
/// [mounted](namespaces::mount). What differs is printed; a step counts what agrees.
pub(crate) fn steps(root: &Path, seclint: &Path, engines: &Path) -> io::Result<Vec<Step>> {
    let podman = Podman::new(root)?;
    fs::copy(seclint, podman.path("seclint"))?;
    Ok(vec![
        podman.compare_with_records(&engines.join("podman.jsonl"))?,
        podman.compare_with_seclint()?,
    ])
}

struct Podman<'a> {
    root: &'a Path,
    /// `podman 5.4.2`, as records call it.
    version: String,
}

impl<'a> Podman<'a> {
    /// Podman with an image to make containers of.
    fn new(root: &'a Path) -> io::Result<Self> {
        let mut podman = Self {
            root,
            version: String::new(),
        };
        fs::create_dir_all(podman.path("image/bin"))?;
        fs::copy(root.join("bin/busybox"), podman.path("image/bin/busybox"))?;
        fs::write(podman.path("crun"), STAND_IN)?;
        let script = format!(
            "chmod +x {HERE}/crun && cd {HERE} && tar -C image -cf image.tar . && {} import image.tar base",
            Self::global().join(" ")
        );
        let mut shell = namespaces::command(root);
        let imported = shell.args(["sh", "-c", &script]).output()?;
        if !imported.status.success() {
            let said = String::from_utf8_lossy(&imported.stderr).into_owned();
            return Err(io::Error::other(format!("podman import: {said}")));
        }
        let mut version = namespaces::command(root);
        let version = version.args(["podman", "--version"]).output()?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let number = version.split_whitespace().last().unwrap_or_default();
        podman.version = format!("podman {number}");
        Ok(podman)
    }

    /// A file of ours in the root, from outside.
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.join(HERE.trim_start_matches('/')).join(name)
    }

    /// Podman's options before the command: storage of its own, and no help of the system.
    fn global() -> Vec<String> {
        [
            "podman",
            "--root=/tmp/engines/storage",
            "--runroot=/tmp/engines/run",
            "--storage-driver=vfs",
            "--runtime=/tmp/engines/crun",
            "--cgroup-manager=cgroupfs",
            "--events-backend=none",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// What Podman makes of a profile in the root.
    fn resolve(&self, profile: &str, options: &[&str]) -> io::Result<Outcome> {
        let captured = self.path("captured.json");
        let _ = fs::remove_file(&captured);
        let mut command = namespaces::command(self.root);
        command
            .args(Self::global())
            .args(["run", "--rm", "--network=none", "--cgroups=disabled"])
            // No limits above those that are.
            .args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"])
            .arg(format!("--security-opt=seccomp={profile}"))
            .args(options)
            .args(["base", "/bin/busybox", "true"]);
        let log = self.path("log");
        namespaces::run(&mut command, &log, LIMIT, || true)?;
        if let Ok(config) = fs::read(&captured) {
            let config: Value = serde_json::from_slice(&config)?;
            return Ok(Ok(config["linux"]["seccomp"].clone()));
        }
        let log = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let is_error = |line: &&str| line.starts_with("Error: ") || line.starts_with("panic: ");
        let line = log.lines().find(is_error).unwrap_or(&log);
        let prefix = format!("Error: loading seccomp profile ({profile}) failed: ");
        Ok(Err(line.strip_prefix(&prefix).unwrap_or(line).to_owned()))
    }

    fn compare_with_records(&self, records: &Path) -> io::Result<Step> {
        let (mut agree, mut differ) = (0, 0);
        for line in fs::read_to_string(records)?.lines() {
            let record: Value = serde_json::from_str(line)?;
            fs::write(self.path("profile.json"), profile(&record))?;
            let options = texts(&record["options"]);
            let outcome = self.resolve("/tmp/engines/profile.json", &options)?;
            let recorded = match (&record["refusals"], &outcome) {
                (Value::Null, _) => Ok(record["section"].clone()),
                (refusals, Err(words)) => {
                    // Versions word a refusal each in its own way.
                    let words = refusals[&self.version].as_str().unwrap_or(words);
                    Err(words.to_owned())
                }
                (refusals, Ok(_)) => Err(refusals.to_string()),
            };
            if outcome == recorded {
                agree += 1;
            } else {
                differ += 1;
                let (version, case) = (&self.version, &record["case"]);
                println!("{version}: {case}: {outcome:?} instead of {recorded:?}");
            }
        }
        Ok(Step {
            passed: differ == 0 && agree > 0,
            said: format!("{}: {agree} profiles as on record", self.version),
        })
    }

    /// Compares the distribution's default profile, with each capability that it names.
    fn compare_with_seclint(&self) -> io::Result<Step> {
        let bytes = fs::read(self.root.join(DEFAULT_PROFILE.trim_start_matches('/')))?;
        let profile: Value = serde_json::from_slice(&bytes)?;
        // By this path Podman does not see that it is the default one, which a privileged
        // container would not have.
        fs::write(self.path("default.json"), &bytes)?;
        let mut choices = vec![vec![], vec!["--cap-drop=all"], vec!["--privileged"]];
        let calls = profile["syscalls"].as_array().into_iter().flatten();
        let filters = calls.flat_map(|call| [&call["includes"], &call["excludes"]]);
        let named: BTreeSet<&str> = filters.flat_map(|filter| texts(&filter["caps"])).collect();
        choices.extend(
            named
                .into_iter()
                .map(|capability| vec!["--cap-add", capability]),
        );
        let mut agree = 0;
        for options in &choices {
            let outcome = self.resolve("/tmp/engines/default.json", options)?;
            let mut seclint: Command = namespaces::command(self.root);
            let arguments = ["/tmp/engines/seclint", "resolve", "--engine=podman"];
            let printed = seclint.args(arguments).arg("/tmp/engines/default.json");
            let printed = printed.args(options).output()?;
            let printed: Value = serde_json::from_slice(&printed.stdout).unwrap_or_default();
            if outcome.as_ref() == Ok(&printed) {
                agree += 1;
            } else {
                let version = &self.version;
                println!("{version}: the default profile with {options:?} is resolved otherwise");
            }
        }
        let count = choices.len();
        Ok(Step {
            passed: agree == count && count > 5,
            said: format!(
                "{}: the default profile resolved {agree} of {count} times as seclint does",
                self.version
            ),
        })
    }
}

/// The profile of a record as Podman reads it.
fn profile(record: &Value) -> Vec<u8> {
    if let Some(text) = record["profile"].as_str() {
        return text.as_bytes().to_vec();
    }
    let digits = record["profile_hex"].as_str().unwrap_or_default();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("a byte")
    };
    digits.as_bytes().chunks(2).map(byte).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    let elements = list.as_array().into_iter().flatten();
    elements.filter_map(Value::as_str).collect()
}

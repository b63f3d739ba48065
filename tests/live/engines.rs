//! What Podman hands its runtime: a stand-in for the runtime keeps the `config.json` that it gets.
//!
//! Every profile of `tests/engines/podman.jsonl` must come to what is on record there, which the
//! plain tests hold seclint against. Those of the rule book, engines' own, and people's, which are
//! not in the repository, must come to what `seclint resolve` prints, whatever the container's
//! capabilities.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use seclint::engine::Engine;
use serde_json::Value;

use crate::buildah::Step;
use crate::engine_records::{Observed, Outcome};
use crate::inputs::{self, Profile};
use crate::namespaces;
use crate::resolve::Comparison;

/// How long Podman may take for each profile, on average. It takes a twentieth of that.
const LIMIT: Duration = Duration::from_secs(2);

/// Where all of this is in the root.
const HERE: &str = "/tmp/engines";

/// The default profile of Debian's containers-common.
const DEFAULT_PROFILE: &str = "usr/share/containers/seccomp.json";

/// A runtime that starts nothing, and keeps the container's configuration.
const STAND_IN: &str = r#"#!/bin/sh
case "$*" in *--version*) echo "crun version 1.21"; exit 0;; *features*) exit 1;; esac
while [ $# -gt 0 ]; do
    case "$1" in --bundle) cp "$2/config.json" /tmp/engines/captured.json;; esac
    shift
done
exit 1
"#;

/// Resolves what `$1` lists, a line for each profile and its options, and leaves for the line's
/// number a configuration or what Podman said. Limits are not above those that are.
const BATCH: &str = r#"
set -eu
cd /tmp/engines
chmod +x crun
mkdir -p "$1.out"
# Podman ends before its garbage is worth collecting.
export GOGC=off
while read -r number profile options; do
    rm -f captured.json
    timeout 30 podman --root=/tmp/engines/storage --runroot=/tmp/engines/run --storage-driver=vfs \
        --runtime=/tmp/engines/crun --cgroup-manager=cgroupfs --events-backend=none \
        run --rm --network=none --cgroups=disabled \
        --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 \
        --security-opt="seccomp=/tmp/engines/$profile" $options \
        --rootfs /tmp/engines/rootfs /bin/busybox true >/dev/null 2>"$1.out/$number.err" </dev/null || true
    [ ! -e captured.json ] || mv captured.json "$1.out/$number.json"
done <"$1"
"#;

/// Compares Podman with the records in `engines` and with `seclint`, in a root that has been
/// [mounted](namespaces::mount), or records it. What differs is printed; a step counts what agrees.
/// `docker` is Docker's default profile.
pub(crate) fn steps(
    root: &Path,
    seclint: &Path,
    engines: &Path,
    docker: &Path,
    is_recording: bool,
) -> io::Result<Vec<Step>> {
    let podman = Podman::new(root)?;
    let records = engines.join("podman.jsonl");
    if is_recording {
        return Ok(vec![podman.record(&records)?]);
    }
    let step = podman.compare_with_records(&records)?;
    let profiles = inputs::all(&[root.join(DEFAULT_PROFILE), docker.to_path_buf()])?;
    Ok(vec![step, podman.compare_with_seclint(seclint, &profiles)?])
}

struct Podman<'a> {
    root: &'a Path,
    /// `podman 5.4.2`, as records call it.
    version: String,
}

impl<'a> Podman<'a> {
    /// Podman with a file system to make containers of.
    fn new(root: &'a Path) -> io::Result<Self> {
        let mut podman = Self {
            root,
            version: String::new(),
        };
        fs::create_dir_all(podman.path("rootfs/bin"))?;
        fs::copy(root.join("bin/busybox"), podman.path("rootfs/bin/busybox"))?;
        fs::write(podman.path("crun"), STAND_IN)?;
        let mut version = namespaces::command(root);
        let version = version.args(["podman", "--version"]).output()?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let number = version.split_whitespace().last().unwrap_or_default();
        podman.version = format!("podman {number}");
        Ok(podman)
    }

    /// A file of ours in the root, from outside.
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(HERE.trim_start_matches('/')).join(name)
    }

    /// What Podman makes of profiles, which are files in [`HERE`], each with its options.
    fn resolve(&self, name: &str, jobs: &[(String, &[String])]) -> io::Result<Vec<Outcome>> {
        let mut list = File::create(self.path(name))?;
        for (number, (profile, options)) in jobs.iter().enumerate() {
            writeln!(list, "{number} {profile} {}", options.join(" "))?;
        }
        let mut command = namespaces::command(self.root);
        let log = self.path("log");
        command.args(["sh", "-c", BATCH, "sh", name]);
        let limit = LIMIT * jobs.len() as u32;
        let status = namespaces::run(&mut command, &log, limit, || true)?;
        if !status.is_some_and(|status| status.success()) {
            let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
            return Err(io::Error::other(format!("podman: {status:?}: {said}")));
        }
        let outcome = |(number, (profile, _)): (usize, &(String, _))| {
            let file = |suffix| self.path(&format!("{name}.out/{number}.{suffix}"));
            if let Ok(config) = File::open(file("json")) {
                let mut config: Value = serde_json::from_reader(io::BufReader::new(config))?;
                return Ok(Ok(config["linux"]["seccomp"].take()));
            }
            let log = String::from_utf8_lossy(&fs::read(file("err"))?).into_owned();
            let is_error = |line: &&str| line.starts_with("Error: ") || line.starts_with("panic: ");
            let line = log.lines().find(is_error).unwrap_or(&log);
            let prefix = format!("Error: loading seccomp profile ({HERE}/{profile}) failed: ");
            Ok(Err(line.strip_prefix(&prefix).unwrap_or(line).to_owned()))
        };
        jobs.iter().enumerate().map(outcome).collect()
    }

    /// The same for records.
    fn resolve_records(&self, name: &str, records: &[Observed]) -> io::Result<Vec<Outcome>> {
        let mut jobs = Vec::new();
        for (number, record) in records.iter().enumerate() {
            let file = format!("record-{number}.json");
            fs::write(self.path(&file), record.profile())?;
            jobs.push((file, record.options.as_slice()));
        }
        self.resolve(name, &jobs)
    }

    fn compare_with_records(&self, records: &Path) -> io::Result<Step> {
        let records = Observed::all(records)?;
        let outcomes = self.resolve_records("records", &records)?;
        let mut differ = 0;
        for (record, outcome) in records.iter().zip(&outcomes) {
            if !record.is(outcome, &self.version) {
                differ += 1;
                let (version, case) = (&self.version, &record.case);
                println!("{version}: {case}: {outcome:?} is not on record");
            }
        }
        let agree = records.len() - differ;
        Ok(Step {
            passed: differ == 0 && agree > 0,
            said: format!("{}: {agree} profiles as on record", self.version),
        })
    }

    /// Records what Podman makes of the profiles on record, and of the rule book's as it is now. The
    /// other root's Podman does the same in its time.
    fn record(&self, file: &Path) -> io::Result<Step> {
        let lock = File::open(file)?;
        lock.lock()?;
        let mut records = inputs::with_examples(Observed::all(file)?, |profile| {
            let all = choices(profile);
            // Where no capability is named, they are all one.
            let is_one = profile.capabilities().is_empty();
            let count = if is_one { 1 } else { all.len() };
            all.into_iter().take(count).collect()
        })?;
        let outcomes = self.resolve_records("records", &records)?;
        for (record, outcome) in records.iter_mut().zip(&outcomes) {
            record.record(outcome, &self.version);
        }
        Observed::write_all(file, &records)?;
        Ok(Step {
            passed: true,
            said: format!("{}: {} profiles recorded", self.version, records.len()),
        })
    }

    fn compare_with_seclint(&self, seclint: &Path, profiles: &[Profile]) -> io::Result<Step> {
        let mut comparison = Comparison::new(seclint, Engine::Podman, &self.version);
        let mut cases = Vec::new();
        for (number, profile) in profiles.iter().enumerate() {
            // By this path Podman does not see which one is the default one, which a privileged
            // container would not have.
            let file = format!("profile-{number}.json");
            fs::write(self.path(&file), &profile.bytes)?;
            let choices = choices(profile).into_iter();
            cases.extend(choices.map(|options| (profile, file.clone(), options)));
        }
        let jobs = cases.iter();
        let jobs: Vec<_> = jobs
            .map(|(_, file, options)| (file.clone(), options.as_slice()))
            .collect();
        let outcomes = self.resolve("profiles", &jobs)?;
        for ((profile, file, options), outcome) in cases.iter().zip(&outcomes) {
            comparison.add(&profile.name, &self.path(file), options, outcome)?;
        }
        Ok(comparison.step(profiles.len()))
    }
}

/// The options that a profile is tried with: none at first.
fn choices(profile: &Profile) -> Vec<Vec<String>> {
    let mut choices = vec![vec![], vec!["--cap-drop", "all"], vec!["--privileged"]];
    let named = profile.capabilities();
    choices.extend(named.into_iter().map(|name| vec!["--cap-add", name]));
    let owned = |options: Vec<&str>| options.into_iter().map(str::to_owned).collect();
    choices.into_iter().map(owned).collect()
}

//! What a runtime does with a section.
//!
//! A container is told to have started by what only its program can do (see
//! [`program`](crate::program)). If it has not, the kernel is asked why, and not the
//! runtime's messages, since those of a runtime whose calls the filter denies can be
//! anything: the container is run again under strace. If the kernel took a filter for
//! any process (`seccomp(SECCOMP_SET_MODE_FILTER, ..)` or `prctl(PR_SET_SECCOMP, ..)`
//! did not fail), the filter killed it, and it [dies](Outcome::Dies); if not, the
//! runtime [refuses](Outcome::Refuses). A container that neither starts nor ends dies.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::messages;
use crate::namespaces::{self, code};
use crate::program;
use crate::runtimes::{Case, Header, Observation, Outcome, Record, Uname};

/// How long a container may take. It takes a tenth of a second.
const LIMIT: Duration = Duration::from_secs(3);
/// How long a container is waited for that is known to hang.
const KNOWN_LIMIT: Duration = Duration::from_secs(2);
/// How long it may take at the second try: machines are slow sometimes.
const PATIENT_LIMIT: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Crun,
    Runc,
}

impl Runtime {
    pub(crate) const ALL: [Self; 2] = [Self::Crun, Self::Runc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crun => "crun",
            Self::Runc => "runc",
        }
    }

    /// What makes it say what it ignores, and leave control groups alone.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Crun => &["--log-level=warning", "--cgroup-manager=disabled"],
            Self::Runc => &["--debug", "--log-format=json"],
        }
    }
}

/// A root that has been [mounted](namespaces::mount), laid out for containers.
pub(crate) struct Root {
    path: PathBuf,
    /// Makes the containers' names different from those of other roots: runc makes
    /// control groups for them, in a tree that all roots share.
    prefix: String,
}

impl Root {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        for directory in ["proc", "dev", "sys"] {
            fs::create_dir_all(path.join("mnt/rootfs").join(directory))?;
        }
        let executable = path.join("mnt/rootfs/program");
        fs::write(&executable, program::executable().unwrap_or_default())?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&executable, mode)?;
        let path = path.to_owned();
        let suite = path.file_name().unwrap_or_default().to_string_lossy();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let prefix = format!("seclint-{suite}-{}", now.as_nanos());
        Ok(Self { path, prefix })
    }

    /// Runs all cases under one runtime. What is on record in a directory saves time:
    /// what is known to hang is not waited for long, and the kernel is asked only of
    /// containers that end otherwise than on record.
    pub(crate) fn observe(
        &self,
        runtime: Runtime,
        cases: &[Case],
        records: &Path,
    ) -> io::Result<Record> {
        let header = self.header(runtime)?;
        let record = Record::read(records, &header.name());
        let known: BTreeMap<_, _> = (record.iter())
            .flat_map(|record| &record.observations)
            .map(|known| (known.case.as_str(), known))
            .collect();
        let mut observations = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let container = self.container(runtime, number);
            let known = known.get(case.case.as_str()).copied();
            observations.push(container.observe(case, known)?);
        }
        Ok(Record {
            header,
            observations,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn container(&self, runtime: Runtime, number: usize) -> Container<'_> {
        Container {
            root: self,
            runtime,
            name: format!("{}-{number}", self.prefix),
        }
    }

    /// Which runtime this is.
    pub(crate) fn header(&self, runtime: Runtime) -> io::Result<Header> {
        let asked = |argument: &str| -> io::Result<String> {
            let mut command = namespaces::command(&self.path);
            let output = command.args([runtime.name(), argument]).output()?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let version = asked("--version")?;
        let version = version.lines().next().and_then(|it| it.rsplit(' ').next());
        let features: Value = serde_json::from_str(&asked("features")?)?;
        let libseccomp = &features["annotations"]["io.github.seccomp.libseccomp.version"];
        let uname = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        Ok(Header {
            runtime: runtime.name().to_owned(),
            version: version.unwrap_or_default().to_owned(),
            libseccomp: libseccomp.as_str().unwrap_or_default().to_owned(),
            uname: Uname {
                release: text(uname.release()),
                version: text(uname.version()),
                machine: text(uname.machine()),
            },
        })
    }
}

/// A container that is run, and run again.
pub(crate) struct Container<'a> {
    root: &'a Root,
    runtime: Runtime,
    name: String,
}

impl Container<'_> {
    /// Lays out the bundle.
    pub(crate) fn lay_out(&self, case: &Case) -> io::Result<()> {
        let bundle = self.root.path.join("mnt/bundle");
        fs::create_dir_all(&bundle)?;
        fs::write(bundle.join("config.json"), case.config("/mnt/rootfs"))
    }

    fn observe(&self, case: &Case, known: Option<&Observation>) -> io::Result<Observation> {
        self.lay_out(case)?;
        let limits: &[_] = if known.is_some_and(|known| known.hung) {
            &[KNOWN_LIMIT]
        } else {
            &[LIMIT, PATIENT_LIMIT]
        };
        let mut status = None;
        for &limit in limits {
            self.clear()?;
            let mut command = self.command(&[]);
            status = namespaces::run(&mut command, &self.path("output"), limit, || true)?.map(code);
            if status.is_some() {
                break;
            }
        }
        let output = fs::read(self.path("output"))?;
        let said = match self.runtime {
            Runtime::Crun => messages::of_crun(&output),
            Runtime::Runc => messages::of_runc(&output),
        };
        let key = self.key();
        let ends_as_known = |known: &&Observation| {
            // What ends without a word can have ended in either way.
            !known.error.is_empty()
                && known.outcome != Outcome::Starts
                && (&known.error, &known.warned, &known.dropped)
                    == (&said.error, &said.warned, &said.dropped)
        };
        let outcome = match (status, known.filter(ends_as_known)) {
            (Some(program::STATUS), _) => Outcome::Starts,
            (Some(_), Some(known)) => known.outcome,
            (Some(_), None) if self.loads_a_filter()? => Outcome::Dies,
            (Some(_), None) => Outcome::Refuses,
            (None, _) => Outcome::Dies,
        };
        self.clear()?;
        Ok(Observation {
            case: case.case.clone(),
            outcome,
            error: match outcome {
                Outcome::Starts => String::new(),
                Outcome::Dies | Outcome::Refuses => said.error,
            },
            warned: said.warned,
            dropped: said.dropped,
            key,
            hung: status.is_none(),
            varies: false,
        })
    }

    /// A path in the root's /tmp.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path.join("tmp").join(name)
    }

    /// The runtime with a new state root, under what is given.
    pub(crate) fn command(&self, under: &[&str]) -> Command {
        let mut command = namespaces::command(&self.root.path);
        command
            .args(under)
            .arg(self.runtime.name())
            .args(self.runtime.options())
            .args(["--root", "/tmp/state", "run", "--bundle", "/mnt/bundle"])
            .arg(&self.name);
        command
    }

    /// Removes what a run has left.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let found = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        found(fs::remove_dir_all(self.path("state")))?;
        found(fs::remove_file(self.path("trace")))?;
        // A runtime that was killed leaves it, and so does one that ends too early.
        let group = self.root.path.join("sys/fs/cgroup").join(&self.name);
        for _ in 0..100 {
            match found(fs::remove_dir(&group)) {
                Ok(()) => break,
                // What was killed in it is not quite gone.
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        Ok(())
    }

    /// The name of the cache entry that is there now.
    pub(crate) fn key(&self) -> Option<String> {
        let entries = fs::read_dir(self.path("state/.cache/seccomp")).ok()?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut keys: Vec<_> = names.filter(|name| name.len() == 64).collect();
        assert!(keys.len() <= 1, "one container, and the entries {keys:?}");
        keys.pop()
    }

    /// Whether the kernel takes a filter before the container ends.
    fn loads_a_filter(&self) -> io::Result<bool> {
        self.clear()?;
        let trace = self.path("trace");
        let mut command = self.command(&[
            "strace",
            "--follow-forks",
            "--quiet=all",
            "--trace=seccomp,prctl",
            "--signal=none",
            "--output=/tmp/trace",
        ]);
        let loaded = || {
            let trace = fs::read(&trace).unwrap_or_default();
            is_filter_taken(&String::from_utf8_lossy(&trace))
        };
        // Ended as soon as it is clear: an init process that dies of a signal of its
        // own does not die of it while it is traced, but goes on for ever.
        namespaces::run(&mut command, &self.path("output"), PATIENT_LIMIT, || {
            !loaded()
        })?;
        Ok(loaded())
    }
}

/// Whether a trace by strace has a call in it that loaded a filter. Those that ask
/// what the kernel knows fail, since they come without a filter.
fn is_filter_taken(trace: &str) -> bool {
    let mut lines = trace.lines();
    lines.any(|line| {
        let is_load = [
            "seccomp(SECCOMP_SET_MODE_FILTER, ",
            "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ",
        ]
        .iter()
        .any(|call| line.contains(call));
        let result = line.rsplit_once(") = ").map(|(_, result)| result);
        is_load && result.is_some_and(|result| result.starts_with(|it: char| it.is_ascii_digit()))
    })
}

//! What engines' own code makes of profiles: `LoadProfile` of moby and of containers/common, and
//! `WithProfile` of containerd, which Debian packages as source, called by a program of ours.
//!
//! Of these, only the files that read profiles are compiled. What they ask the host, its
//! architecture and its kernel, is put in from outside: so that other hosts than this one are
//! compared as well.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use seclint::engine::Engine;
use seclint::syscalls::Arch;
use serde_json::{Value, json};

use crate::buildah::Step;
use crate::engine_records::{Observed, Outcome};
use crate::inputs::{self, Profile};
use crate::namespaces;
use crate::resolve::Comparison;

/// How long compiling may take. It takes ten seconds.
const LIMIT: Duration = Duration::from_mins(5);

/// Where all of this is in the root.
const HERE: &str = "/tmp/engines";

/// Where Debian's packages have Go's sources.
const SOURCES: &str = "/usr/share/gocode/src";

/// What is compiled besides the engines: the program, and packages of which they need but names.
const OURS: [(&str, &str); 4] = [
    ("resolve", include_str!("go/main.go")),
    (
        "github.com/seccomp/libseccomp-golang",
        include_str!("go/libseccomp.go"),
    ),
    (
        "github.com/containerd/containerd/containers",
        include_str!("go/containers.go"),
    ),
    (
        "github.com/containerd/containerd/oci",
        include_str!("go/oci.go"),
    ),
];

const DOCKER: &str = "github.com/docker/docker/profiles/seccomp";
const COMMON: &str = "github.com/containers/common/pkg/seccomp";

/// Docker's default profile in the root.
pub(crate) fn docker_default(root: &Path) -> PathBuf {
    let path = format!("{SOURCES}/{DOCKER}/default.json");
    root.join(path.trim_start_matches('/'))
}

/// An engine whose code is here.
struct Source {
    engine: Engine,
    /// The record in `tests/engines`.
    record: &'static str,
    /// As the record calls it.
    name: &'static str,
    package: &'static str,
    /// The host for examples on record.
    host: Host,
}

const ENGINES: [Source; 3] = [
    Source {
        engine: Engine::Docker,
        record: "docker.jsonl",
        name: "moby",
        package: "golang-github-docker-docker-dev",
        host: HOSTS[0],
    },
    Source {
        engine: Engine::Podman,
        record: "containers-common.jsonl",
        name: "containers/common",
        package: "golang-github-containers-common-dev",
        // On this one Podman runs.
        host: HOSTS[1],
    },
    Source {
        engine: Engine::Containerd,
        record: "containerd.jsonl",
        name: "containerd",
        package: "golang-github-containerd-containerd-dev",
        host: HOSTS[0],
    },
];

/// An architecture and a kernel.
#[derive(Clone, Copy)]
struct Host(Arch, &'static str);

/// The hosts that profiles are for. None is one on which errnos have other numbers than on the one
/// that the code is compiled for.
const HOSTS: [Host; 5] = [
    Host(Arch::X86_64, "6.1"),
    Host(Arch::X86, "4.8"),
    Host(Arch::Aarch64, "5.0"),
    Host(Arch::S390X, "3.10"),
    Host(Arch::Arm, "4.7"),
];

impl Host {
    fn options(self) -> [String; 4] {
        ["--arch", self.0.name(), "--kernel", self.1].map(str::to_owned)
    }
}

/// What Go and what libseccomp's binding for it call an architecture; what the binding knows
/// nothing of has no name there.
fn go_names(arch: Arch) -> [&'static str; 2] {
    match arch {
        Arch::X86 => ["386", "x86"],
        Arch::X86_64 => ["amd64", "amd64"],
        Arch::Arm => ["arm", "arm"],
        Arch::Aarch64 => ["arm64", "arm64"],
        Arch::Mips => ["mips", "mips"],
        Arch::Mips64 => ["mips64", "mips64"],
        Arch::Mipsel => ["mipsle", "mipsel"],
        Arch::Mipsel64 => ["mips64le", "mipsel64"],
        Arch::Ppc64Le => ["ppc64le", "ppc64le"],
        Arch::S390X => ["s390x", "s390x"],
        other => panic!("{other}: no architecture of a case"),
    }
}

/// Compares the engines with the records in `engines` and with `seclint`, in a root that has been
/// [mounted](namespaces::mount), or records them. What differs is printed; a step counts what
/// agrees.
pub(crate) fn steps(
    root: &Path,
    seclint: &Path,
    engines: &Path,
    is_recording: bool,
) -> io::Result<Vec<Step>> {
    let program = Program { root };
    program.build()?;
    let profiles = if is_recording {
        Vec::new()
    } else {
        program.profiles()?
    };
    let mut steps = Vec::new();
    for source in &ENGINES {
        let name = format!("{} {}", source.name, program.version(source.package)?);
        let records = engines.join(source.record);
        if is_recording {
            steps.push(program.record(source, &name, &records)?);
            continue;
        }
        steps.push(program.compare_with_record(source, &name, &records)?);
        steps.push(program.compare_with_seclint(source, &name, seclint, &profiles)?);
    }
    Ok(steps)
}

/// A profile's file, and the options that it is given with.
type Job = (PathBuf, Observed);

struct Program<'a> {
    root: &'a Path,
}

impl Program<'_> {
    /// A file of ours in the root, from outside.
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(HERE.trim_start_matches('/')).join(name)
    }

    /// The upstream version of a package.
    fn version(&self, package: &str) -> io::Result<String> {
        let mut query = namespaces::command(self.root);
        query.args(["dpkg-query", "--show", "--showformat=${Version}", package]);
        let version = String::from_utf8_lossy(&query.output()?.stdout).into_owned();
        let upstream = version.split(['+', '~', '-']).next();
        Ok(upstream.unwrap_or_default().to_owned())
    }

    /// Compiles the program: for this machine, and for one with words of 32 bits.
    fn build(&self) -> io::Result<()> {
        for (package, text) in OURS {
            let directory = self.path("src").join(package);
            fs::create_dir_all(&directory)?;
            fs::write(directory.join("ours.go"), text)?;
        }
        fs::write(self.path("host.go"), include_str!("go/host.go"))?;
        let docker = format!("{SOURCES}/{DOCKER}/seccomp_linux.go");
        let text = fs::read_to_string(self.root.join(docker.trim_start_matches('/')))?;
        let put_in = text.replacen("runtime.GOARCH", "hostArch", 1);
        let put_in = put_in.replacen("\t\"runtime\"\n", "", 1);
        fs::write(self.path("docker.go"), put_in)?;
        // An empty name removes a file: these two need libseccomp, and read no profile.
        let replaced = json!({"Replace": {
            docker: format!("{HERE}/docker.go"),
            format!("{SOURCES}/{DOCKER}/host.go"): format!("{HERE}/host.go"),
            format!("{SOURCES}/{COMMON}/filter.go"): "",
            format!("{SOURCES}/{COMMON}/validate.go"): "",
        }});
        fs::write(self.path("overlay.json"), replaced.to_string())?;
        for bits in WORDS {
            let mut go = namespaces::command(self.root);
            go.env("GO111MODULE", "off")
                .env("GOPATH", format!("{HERE}:/usr/share/gocode"))
                .env("GOCACHE", format!("{HERE}/cache"))
                .env("CGO_ENABLED", "0");
            if bits == 32 {
                go.env("GOARCH", "386");
            }
            go.args(["go", "build", "-tags=seccomp"])
                .arg(format!("-overlay={HERE}/overlay.json"))
                .arg(format!("-o={HERE}/resolve{bits}"))
                .arg("resolve");
            let log = self.path("log");
            let status = namespaces::run(&mut go, &log, LIMIT, || true)?;
            if !status.is_some_and(|status| status.success()) {
                let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
                return Err(io::Error::other(format!("go build: {status:?}: {said}")));
            }
        }
        Ok(())
    }

    /// All that are to be compared, which are files of ours then, by their numbers.
    fn profiles(&self) -> io::Result<Vec<Profile>> {
        let common = format!("{SOURCES}/{COMMON}/seccomp.json");
        let common = self.root.join(common.trim_start_matches('/'));
        let profiles = inputs::all(&[common, docker_default(self.root)])?;
        for (number, profile) in profiles.iter().enumerate() {
            let file = self.path(&format!("profile-{number}.json"));
            fs::write(file, &profile.bytes)?;
        }
        Ok(profiles)
    }

    /// What an engine makes of profiles.
    fn resolve(&self, engine: Engine, jobs: &[Job]) -> io::Result<Vec<Outcome>> {
        let mut outcomes = vec![Ok(Value::Null); jobs.len()];
        for bits in WORDS {
            let is_here =
                |&(_, (_, job)): &(usize, &Job)| job.circumstances(engine).arch.bits() == bits;
            let here: Vec<_> = jobs.iter().enumerate().filter(is_here).collect();
            let mut list = File::create(self.path("list"))?;
            for (_, (profile, job)) in &here {
                let circumstances = job.circumstances(engine);
                let [arch, native] = go_names(circumstances.arch);
                let kernel = circumstances.kernel;
                let profile = profile.file_name().unwrap_or_default().to_string_lossy();
                let line = json!({
                    "engine": engine.name(),
                    "profile": format!("{HERE}/{profile}"),
                    "arch": arch,
                    "native": native,
                    "kernel": kernel.to_string(),
                    "capabilities": circumstances.capabilities,
                });
                writeln!(list, "{line}")?;
            }
            let mut program = namespaces::command(self.root);
            program.arg(format!("{HERE}/resolve{bits}"));
            program.stdin(File::open(self.path("list"))?);
            let mut child = program.stdout(Stdio::piped()).spawn()?;
            let lines = child.stdout.take().into_iter();
            let mut lines = lines.flat_map(|it| BufReader::new(it).lines());
            for (number, _) in here {
                let ended = || io::Error::other("the engines' code came to an end");
                let line = lines.next().ok_or_else(ended)??;
                let mut outcome: Value = serde_json::from_str(&line)?;
                outcomes[number] = match outcome["error"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(outcome["section"].take()),
                };
            }
            child.wait()?;
        }
        Ok(outcomes)
    }

    fn resolve_records(&self, engine: Engine, records: &[Observed]) -> io::Result<Vec<Outcome>> {
        let mut jobs = Vec::new();
        for (number, record) in records.iter().enumerate() {
            let path = self.path(&format!("record-{number}.json"));
            fs::write(&path, record.profile())?;
            jobs.push((path, record.clone()));
        }
        self.resolve(engine, &jobs)
    }

    fn compare_with_record(&self, source: &Source, name: &str, file: &Path) -> io::Result<Step> {
        let records = Observed::all(file)?;
        let outcomes = self.resolve_records(source.engine, &records)?;
        let mut differ = 0;
        for (record, outcome) in records.iter().zip(&outcomes) {
            if !record.is(outcome, name) {
                differ += 1;
                println!("{name}: {}: {outcome:?} is not on record", record.case);
            }
        }
        let agree = records.len() - differ;
        Ok(Step {
            passed: differ == 0 && agree > 0,
            said: format!("{name}: {agree} profiles as on record"),
        })
    }

    /// Records what an engine makes of the profiles on record, and of the rule book's as it is now.
    fn record(&self, source: &Source, name: &str, file: &Path) -> io::Result<Step> {
        let mut records = inputs::with_examples(Observed::all(file)?, |profile| {
            let mut choices = choices(source.engine, profile);
            for choice in &mut choices {
                choice.splice(..0, source.host.options());
            }
            choices
        })?;
        let outcomes = self.resolve_records(source.engine, &records)?;
        for (record, outcome) in records.iter_mut().zip(&outcomes) {
            record.record(outcome, name);
        }
        Observed::write_all(file, &records)?;
        Ok(Step {
            passed: true,
            said: format!("{name}: {} profiles recorded", records.len()),
        })
    }

    fn compare_with_seclint(
        &self,
        source: &Source,
        name: &str,
        seclint: &Path,
        profiles: &[Profile],
    ) -> io::Result<Step> {
        let mut comparison = Comparison::new(seclint, source.engine, name);
        let mut jobs = Vec::new();
        for (number, profile) in profiles.iter().enumerate() {
            for (place, host) in HOSTS.into_iter().enumerate() {
                // The words of the first two differ, and nothing of the others that matters here.
                let count = if place < 2 { usize::MAX } else { 1 };
                for choice in choices(source.engine, profile).into_iter().take(count) {
                    let path = self.path(&format!("profile-{number}.json"));
                    let options = [host.options().to_vec(), choice].concat();
                    jobs.push((path, Observed::new(&profile.name, "", options)));
                }
            }
        }
        let outcomes = self.resolve(source.engine, &jobs)?;
        for ((path, job), outcome) in jobs.iter().zip(&outcomes) {
            comparison.add(&job.case, path, &job.options, outcome)?;
        }
        Ok(comparison.step(profiles.len()))
    }
}

/// The sizes of words that the program is compiled for.
const WORDS: [u8; 2] = [64, 32];

/// The options about capabilities that a profile is tried with: none at first.
fn choices(engine: Engine, profile: &Profile) -> Vec<Vec<String>> {
    let named = profile.capabilities();
    let mut choices = vec![vec![]];
    // Where no capability is named, they are all one, and containerd has no eye for them.
    if engine != Engine::Containerd && !named.is_empty() {
        choices.push(vec!["--cap-drop", "all"]);
        choices.push(vec!["--cap-add", "all"]);
        choices.extend(named.into_iter().map(|name| vec!["--cap-add", name]));
    }
    let owned = |options: Vec<&str>| options.into_iter().map(str::to_owned).collect();
    choices.into_iter().map(owned).collect()
}

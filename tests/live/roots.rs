//! Debian roots with real runtimes in them: made with debootstrap, and kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LiveError;

/// The releases whose runtimes are run: one that stays, and one that moves.
pub(crate) const SUITES: [&str; 2] = ["trixie", "sid"];

/// The root with engines' own code, and what compiles it.
pub(crate) const GO: &str = "go";

/// What a root holds.
struct Kind {
    suite: &'static str,
    /// Besides the essential packages.
    packages: &'static str,
    /// Packages without those that they depend on: of engines, a few files are compiled, and what
    /// the rest depends on takes 3 GB.
    lone: &'static [&'static str],
}

impl Kind {
    fn of(name: &str) -> Kind {
        match name {
            GO => Kind {
                suite: "trixie",
                packages: "ca-certificates,golang-go",
                lone: &[
                    "golang-github-containerd-containerd-dev",
                    "golang-github-containers-common-dev",
                    "golang-github-docker-docker-dev",
                    "golang-github-opencontainers-specs-dev",
                    "golang-golang-x-sys-dev",
                ],
            },
            suite => Kind {
                suite: SUITES
                    .into_iter()
                    .find(|it| *it == suite)
                    .unwrap_or(SUITES[0]),
                // netavark is named because debootstrap does not choose a provider of a virtual
                // package.
                packages: "buildah,busybox-static,ca-certificates,conmon,crun,netavark,podman,runc,strace",
                lone: &[],
            },
        }
    }

    fn stamp(&self) -> String {
        let lone = self.lone.iter().map(|package| format!(",{package}"));
        self.packages.to_owned() + &lone.collect::<String>()
    }
}

/// In a root: the packages that it was made with. It is the last file that is written.
const STAMP: &str = ".seclint-live";

/// Where the roots are kept.
fn directory() -> Result<PathBuf, LiveError> {
    let set = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty());
    if let Some(roots) = set("SECLINT_LIVE_ROOTS") {
        return Ok(PathBuf::from(roots));
    }
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")));
    let cache =
        cache.ok_or_else(|| LiveError::missing("a HOME, or SECLINT_LIVE_ROOTS", "set it"))?;
    Ok(cache.join("seclint/live"))
}

/// The root of a suite, or [`GO`], which is made if it is not there. Another run that makes it
/// is waited for. It takes about a minute.
pub(crate) fn root(name: &str) -> Result<PathBuf, LiveError> {
    let kind = Kind::of(name);
    let directory = directory()?;
    fs::create_dir_all(&directory)?;
    let directory = directory.canonicalize()?;
    let lock = File::create(directory.join(format!("{name}.lock")))?;
    lock.lock()?;
    let root = directory.join(name);
    if fs::read_to_string(root.join(STAMP)).is_ok_and(|stamp| stamp == kind.stamp()) {
        return Ok(root);
    }
    // A root is whole as soon as it has its name.
    let unfinished = directory.join(format!("{name}.unfinished"));
    remove(&unfinished)?;
    remove(&root)?;
    let log = directory.join(format!("{name}.log"));
    make(name, &kind, &unfinished, &log, &lock)?;
    fs::write(unfinished.join(STAMP), kind.stamp())?;
    fs::rename(&unfinished, &root)?;
    Ok(root)
}

/// Says how old a root is, and how to get a new one.
pub(crate) fn tell_age(suite: &str, root: &Path) -> io::Result<()> {
    let age = fs::metadata(root.join(STAMP))?.modified()?.elapsed();
    let days = age.map_or(0, |age| age.as_secs() / (24 * 60 * 60));
    println!(
        "{suite}: the root of {days} days ago; remove {} for a new one",
        root.display()
    );
    Ok(())
}

/// Removes a root, but never what is mounted in it.
fn remove(root: &Path) -> io::Result<()> {
    let mut rm = Command::new("rm");
    let status = rm
        .args(["-rf", "--one-file-system", "--"])
        .arg(root)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let root = root.display();
    Err(io::Error::other(format!("cannot remove {root}")))
}

fn make(name: &str, kind: &Kind, root: &Path, log: &Path, lock: &File) -> Result<(), LiveError> {
    if Command::new("debootstrap")
        .arg("--version")
        .output()
        .is_err()
    {
        return Err(LiveError::missing(
            "debootstrap",
            "install the package debootstrap",
        ));
    }
    let mirror = mirror(Path::new("/etc/apt")).ok_or_else(|| {
        let remedy = "set SECLINT_LIVE_MIRROR to a mirror's address";
        LiveError::missing("a Debian mirror among this machine's apt sources", remedy)
    })?;
    println!(
        "{name}: making a root; what debootstrap says is in {}",
        log.display()
    );
    let start = std::time::Instant::now();
    let output = File::create(log)?;
    // What debootstrap mounts, and leaves if it is killed, goes with the namespace.
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .args(["debootstrap", "--variant=minbase"])
        .arg(format!("--include={}", kind.packages))
        .arg(kind.suite)
        .arg(root)
        .arg(mirror)
        // If this program is killed, debootstrap goes on; so it holds the lock as well.
        .stdin(lock.try_clone()?)
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .status()?;
    if !status.success() || !add_lone(kind, root, output)? {
        let text = fs::read_to_string(log)?;
        let last = text.lines().next_back().unwrap_or_default();
        return Err(LiveError::Making(name.to_owned(), last.to_owned()));
    }
    println!("{name}: made a root in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Adds packages that lack what they depend on; whether it succeeds.
fn add_lone(kind: &Kind, root: &Path, output: File) -> io::Result<bool> {
    if kind.lone.is_empty() {
        return Ok(true);
    }
    // The mirror is looked up as it is outside.
    fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
    let script = "set -e; cd /tmp
        echo 'Acquire::Retries 5;' >/etc/apt/apt.conf.d/retries
        apt-get update
        apt-get download \"$@\"
        dpkg --force-depends --install ./*.deb
        rm ./*.deb";
    let status = Command::new("chroot")
        .arg(root)
        .args(["sh", "-c", script, "sh"])
        .args(kind.lone)
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    Ok(status.success())
}

/// The mirror that this machine gets Debian's packages from.
fn mirror(apt: &Path) -> Option<String> {
    if let Ok(mirror) = std::env::var("SECLINT_LIVE_MIRROR") {
        return Some(mirror);
    }
    let mut files = vec![apt.join("sources.list")];
    let more = fs::read_dir(apt.join("sources.list.d")).ok();
    files.extend(
        more.into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path())),
    );
    files.sort();
    let is_debian = |uri: &&str| uri.trim_end_matches('/').ends_with("/debian");
    files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        let is_deb822 = file.extension().is_some_and(|it| it == "sources");
        let uris = if is_deb822 {
            deb822(&text)
        } else {
            one_line(&text)
        };
        uris.iter().copied().find(is_debian).map(str::to_owned)
    })
}

/// The addresses in sources of the format deb822.
fn deb822(text: &str) -> Vec<&str> {
    let mut uris = Vec::new();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>();
    for stanza in lines.split(|line| line.trim().is_empty()) {
        let field = |name: &str| {
            let mut lines = stanza.iter().filter_map(|line| line.split_once(':'));
            let field = lines.find(|(field, _)| field.eq_ignore_ascii_case(name));
            field.map(|(_, value)| value.trim())
        };
        if field("Enabled") != Some("no") {
            uris.extend(field("URIs").unwrap_or_default().split_whitespace());
        }
    }
    uris
}

/// The addresses in sources of the format with a line for each.
fn one_line(text: &str) -> Vec<&str> {
    let mut uris = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("deb ") else {
            continue;
        };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
            Some((_, rest)) => rest,
            None => rest,
        };
        uris.extend(rest.split_whitespace().next());
    }
    uris
}

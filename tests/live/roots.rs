//! Debian roots with real runtimes in them: made with debootstrap, and kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LiveError;

/// The releases whose runtimes are run: one that stays, and one that moves.
pub(crate) const SUITES: [&str; 2] = ["trixie", "sid"];

/// What a root holds besides the essential packages. netavark is named because
/// debootstrap does not choose a provider of a virtual package.
const PACKAGES: &str =
    "buildah,busybox-static,ca-certificates,conmon,crun,netavark,podman,runc,strace";

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

/// The root of a suite, which is made if it is not there. Another run that makes it
/// is waited for. It takes about a minute.
pub(crate) fn root(suite: &str) -> Result<PathBuf, LiveError> {
    let directory = directory()?;
    fs::create_dir_all(&directory)?;
    let directory = directory.canonicalize()?;
    let lock = File::create(directory.join(format!("{suite}.lock")))?;
    lock.lock()?;
    let root = directory.join(suite);
    if fs::read_to_string(root.join(STAMP)).is_ok_and(|stamp| stamp == PACKAGES) {
        return Ok(root);
    }
    // A root is whole as soon as it has its name.
    let unfinished = directory.join(format!("{suite}.unfinished"));
    remove(&unfinished)?;
    remove(&root)?;
    make(
        suite,
        &unfinished,
        &directory.join(format!("{suite}.log")),
        lock,
    )?;
    fs::write(unfinished.join(STAMP), PACKAGES)?;
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

fn make(suite: &str, root: &Path, log: &Path, lock: File) -> Result<(), LiveError> {
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
        "{suite}: making a root; what debootstrap says is in {}",
        log.display()
    );
    let start = std::time::Instant::now();
    let output = File::create(log)?;
    // What debootstrap mounts, and leaves if it is killed, goes with the namespace.
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .args(["debootstrap", "--variant=minbase"])
        .arg(format!("--include={PACKAGES}"))
        .arg(suite)
        .arg(root)
        .arg(mirror)
        // If this program is killed, debootstrap goes on; so it holds the lock as well.
        .stdin(lock)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    if !status.success() {
        let text = fs::read_to_string(log)?;
        let last = text.lines().next_back().unwrap_or_default();
        return Err(LiveError::Debootstrap(suite.to_owned(), last.to_owned()));
    }
    println!("{suite}: made a root in {} s", start.elapsed().as_secs());
    Ok(())
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

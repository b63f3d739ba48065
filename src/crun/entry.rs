//! The files in the cache, and what an audit makes of each.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;
use serde::Serialize;

use super::candidate::Candidates;
use super::resolution::Resolution;
use super::root::{Item, Meta, StateRoot, read_file};
use super::{Host, rules};
use crate::filter::{self, ByteOrder, Filter, Refused};
use crate::finding::{Finding, Location, Rule};
use crate::syscalls;
use crate::text::Source;

/// A file in the cache.
#[derive(Debug)]
pub struct Entry {
    /// Its name; a real entry's is its key.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Hard links; more than one means that a container has it, running or not yet deleted.
    pub links: u64,
    /// Whether the sticky bit is set, so that crun's eviction spares it.
    pub pinned: bool,
    /// Whether crun here is known not to use it, since what it was made from has
    /// an entry of another name now; `None` if that is not known.
    pub stale: Option<bool>,
    /// When it was made, as RFC 3339 in UTC.
    pub modified: String,
    /// What the audit makes of it.
    pub status: Status,
    /// What it was made from.
    pub attributed: Vec<Attribution>,
    hidden: Vec<Arc<[Hidden]>>,
    /// What came of removing it, if that was asked for.
    pub pruned: Option<Pruned>,
    /// Whether only its size could be looked at.
    pub(super) is_unread: bool,
    /// The file that was looked at: device and inode.
    identity: (u64, u64),
}

/// What came of removing an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pruned {
    /// It is gone.
    Removed,
    /// It would be removed, were this not a dry run.
    WouldBeRemoved,
    /// Something else stands in its place, or nothing: it was left alone.
    Changed,
    /// Removing it is not allowed, or failed.
    Failed,
}

/// What the audit makes of an entry; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not an entry: another name than entries have, or no plain file.
    Foreign,
    /// No filter: the kernel refuses it, or would if it were given all of it.
    Malformed,
    /// Made from a configuration that crun warned of.
    HidesWarnings,
    /// Made from a configuration that crun had nothing to say of.
    Clean,
    /// Nothing here or given explains it.
    Unattributed,
}

/// A configuration or profile that an entry was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// The file.
    pub path: String,
    /// The container, if it is a container's configuration.
    pub container: Option<String>,
    /// How it is known.
    pub by: By,
    /// How an engine made a section of it; `None` if it is one as it stands.
    pub resolved: Option<Resolution>,
}

/// How an attribution is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The container's filter is the entry: one inode.
    Link,
    /// The key made from it is the entry's name.
    Key,
}

/// A name that crun warned of once.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The name, as written.
    pub syscall: String,
    /// Where it stands.
    pub location: Location,
}

impl Entry {
    /// The names that crun warned of when it made the entry, and not since: of
    /// each configuration and profile that explains it.
    pub fn hidden(&self) -> impl Iterator<Item = &Hidden> {
        self.hidden.iter().flat_map(|hidden| hidden.iter())
    }

    /// The containers that it was made from, each once.
    fn containers(&self) -> Vec<&str> {
        let mut containers: Vec<&str> = Vec::new();
        let used = self.attributed.iter();
        for container in used.filter_map(|used| used.container.as_deref()) {
            // Attributions of one container are neighbours.
            if containers.last() != Some(&container) {
                containers.push(container);
            }
        }
        containers
    }

    /// The rule that asks for the entry to be removed, if one does.
    pub(super) fn removed_by(&self) -> Option<&'static Rule> {
        match self.status {
            Status::Malformed => Some(&rules::MALFORMED_BPF),
            Status::HidesWarnings => Some(&rules::HIDES_WARNINGS),
            Status::Foreign | Status::Clean | Status::Unattributed => None,
        }
    }

    /// Removes the entry from the cache, if it is still the file that was
    /// examined. Containers that use it keep theirs: they have links of their own.
    ///
    /// The kernel cannot remove a file only if it is a certain one. What an
    /// attacker puts in its place between the look and the removal is removed
    /// in its stead: a name in this directory, never what a link points to.
    pub(super) fn remove(&self, cache: &OwnedFd) -> Pruned {
        let is_same =
            |stat: Meta| stat.kind == FileType::RegularFile && stat.identity == self.identity;
        if !is_key(&self.name) {
            return Pruned::Changed;
        }
        match Meta::of(cache, &self.name) {
            Ok(stat) if is_same(stat) => {}
            Ok(_) | Err(Errno::NOENT) => return Pruned::Changed,
            Err(_) => return Pruned::Failed,
        }
        match unlinkat(cache, self.name.as_str(), AtFlags::empty()) {
            Ok(()) => Pruned::Removed,
            Err(Errno::NOENT) => Pruned::Changed,
            Err(_) => Pruned::Failed,
        }
    }
}

/// What is in an entry.
enum Contents {
    /// What the kernel takes for a filter.
    Filter,
    /// What it refuses; if only for its byte order, that one and the host's.
    Refused(Refused, Option<(ByteOrder, ByteOrder)>),
    /// It may not be read, or is gone.
    Unread,
}

/// What a file in the cache is held against.
pub(super) struct Examiner<'a> {
    pub(super) root: &'a StateRoot,
    /// The cache, if there is one.
    pub(super) directory: Option<&'a OwnedFd>,
    pub(super) host: Option<&'a Host>,
    pub(super) candidates: Candidates<'a>,
    /// Whether there are containers from before an update.
    pub(super) is_mixed: bool,
}

impl Examiner<'_> {
    /// What the audit makes of a file in the cache.
    pub(super) fn examine(&self, item: &Item, findings: &mut Vec<Finding>) -> Entry {
        let mut entry = Entry {
            name: item.name.clone(),
            bytes: item.stat.bytes,
            links: item.stat.links,
            pinned: false,
            stale: None,
            modified: humantime::format_rfc3339_seconds(item.stat.modified).to_string(),
            status: Status::Foreign,
            attributed: Vec::new(),
            hidden: Vec::new(),
            pruned: None,
            is_unread: false,
            identity: item.stat.identity,
        };
        let location = in_root(self.root, &format!(".cache/seccomp/{}", item.name));
        if !is_key(&item.name) {
            let message =
                "not a cache entry: entries have names of 64 lower-case hexadecimal digits";
            findings.push(
                Finding::new(&rules::FOREIGN_FILE, location, message)
                    .help("find out what put it there, and remove it"),
            );
            return entry;
        }
        if item.stat.kind != FileType::RegularFile {
            let message = format!("{} in the place of a cache entry", describe(item.stat.kind));
            findings.push(Finding::new(&rules::PERMISSIONS, location, message).help("remove it"));
            return entry;
        }
        check_permissions(self.root, &item.stat, &location, findings);
        entry.pinned = item.stat.mode & 0o1000 != 0;
        self.attribute(&mut entry, item);
        let contents = self.contents(item);
        entry.is_unread = matches!(contents, Contents::Unread);
        entry.status = if let Contents::Refused(..) = contents {
            Status::Malformed
        } else if entry.hidden().next().is_some() {
            Status::HidesWarnings
        } else if !entry.attributed.is_empty() {
            Status::Clean
        } else {
            Status::Unattributed
        };
        findings.extend(self.verdict(&entry, contents, location.clone()));
        findings.extend(self.stale(&entry, location));
        entry
    }

    /// What explains the entry, and so whether crun here uses it.
    fn attribute(&self, entry: &mut Entry, item: &Item) {
        let mut last = None;
        for (candidate, by) in self.candidates.of(item) {
            entry.attributed.push(Attribution {
                path: candidate.source.name().to_owned(),
                container: candidate.container.clone(),
                by,
                resolved: candidate.resolved.clone(),
            });
            // Known by link and by key, it still hides each name once.
            if !last.is_some_and(|last| std::ptr::eq(last, candidate)) {
                entry.hidden.push(Arc::clone(&candidate.hidden));
            }
            last = Some(candidate);
            match by {
                By::Key => entry.stale = Some(false),
                By::Link if candidate.agrees == Some(false) && entry.stale.is_none() => {
                    entry.stale = Some(true);
                }
                By::Link => {}
            }
        }
    }

    /// Reads an entry, once and no further than a filter can be long, and asks whether the kernel
    /// of its machine takes it.
    fn contents(&self, item: &Item) -> Contents {
        if let Some(refused) = Refused::by_size(item.stat.bytes) {
            return Contents::Refused(refused, None);
        }
        let read = |directory| read_file(directory, &item.name, filter::MAX_BYTES);
        let Some(bytes) = self.directory.and_then(read) else {
            return Contents::Unread;
        };
        let order = self.host.and_then(Host::byte_order);
        let read = match order {
            Some(order) => Filter::read(&bytes, order),
            None => Filter::detect(&bytes),
        };
        match (read, order) {
            (Ok(_), _) => Contents::Filter,
            (Err(refused), Some(order)) => {
                let other = Filter::detect(&bytes).ok().map(|filter| filter.order());
                Contents::Refused(refused, other.map(|other| (other, order)))
            }
            (Err(refused), None) => Contents::Refused(refused, None),
        }
    }

    fn verdict(&self, entry: &Entry, contents: Contents, location: Location) -> Option<Finding> {
        let finding = match entry.status {
            Status::Malformed => {
                let Contents::Refused(refused, orders) = contents else {
                    return None;
                };
                malformed(entry, &refused, orders, location)
            }
            Status::HidesWarnings => hides_warnings(entry, location),
            Status::Unattributed => {
                let message = format!("nothing here explains this entry, made {}", entry.modified);
                let help = if self.is_mixed {
                    "give the profiles that containers run with by --profile, and where engines store containers by --storage; if it is from before an update, audit again with --runtime, --libseccomp and --uname as they were"
                } else {
                    "give the profiles that containers run with by --profile, and where engines store containers by --storage"
                };
                Finding::new(&rules::UNATTRIBUTED, location, message).help(help)
            }
            Status::Foreign | Status::Clean => return None,
        };
        Some(finding)
    }

    fn stale(&self, entry: &Entry, location: Location) -> Option<Finding> {
        let host = self.host.filter(|_| entry.stale == Some(true))?;
        let containers = entry.containers();
        let whose = match containers.as_slice() {
            [container] => format!("container {container}"),
            several => format!("{} containers", several.len()),
        };
        let message = format!(
            "crun {} with libseccomp {} under this kernel does not use this entry, which {whose} started with",
            host.crun, host.libseccomp
        );
        let finding = Finding::new(&rules::STALE, location, message)
            .help("it was made under another crun, libseccomp or kernel, as before an update; a container keeps its filter until it is made anew")
            .fact("entry", entry.name.as_str())
            .fact("modified", entry.modified.as_str())
            .fact("containers", containers);
        Some(finding)
    }
}

fn malformed(
    entry: &Entry,
    refused: &Refused,
    orders: Option<(ByteOrder, ByteOrder)>,
    location: Location,
) -> Finding {
    let instruction = refused.first.instruction;
    let message = match (orders, instruction) {
        (Some((its, the_hosts)), _) => {
            let (its, the_hosts) = (its.word(), the_hosts.word());
            format!("the kernel refuses this filter: it is {its}, and the host is {the_hosts}")
        }
        (None, Some(_)) => format!("the kernel refuses this filter: {refused}"),
        (None, None) => refused.to_string(),
    };
    let finding = Finding::new(&rules::MALFORMED_BPF, location, message)
        .help("remove the entry; crun makes it anew")
        .fact("bytes", entry.bytes);
    match instruction.filter(|_| orders.is_none()) {
        Some(instruction) => finding.fact("instruction", instruction),
        None => finding,
    }
}

fn hides_warnings(entry: &Entry, location: Location) -> Finding {
    /// How many places are shown; the facts hold all names.
    const MOST_LABELS: usize = 20;
    let mut names: Vec<&str> = Vec::new();
    for hidden in entry.hidden() {
        if !names.contains(&hidden.syscall.as_str()) {
            names.push(&hidden.syscall);
        }
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let mut message = format!(
        "crun left {} out when it made this entry, {}",
        quoted.join(", "),
        entry.modified
    );
    if entry.stale != Some(true) {
        message.push_str(", and does not warn of it while the entry is here");
    }
    let help = match entry {
        Entry {
            stale: Some(true), ..
        } => "correct the name, and make the containers anew: until then they keep this filter",
        Entry { pinned: true, .. } => {
            "correct the name, and remove this entry: it is pinned (sticky bit), so that crun never does"
        }
        _ => "correct the name, and remove this entry",
    };
    let mut finding = Finding::new(&rules::HIDES_WARNINGS, location, message)
        .help(help)
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str())
        .fact("syscalls", names.clone())
        .fact("containers", entry.containers());
    if let [name] = names.as_slice() {
        finding = finding.fact("syscall", *name);
        if let Some(meant) = syscalls::suggest(name) {
            finding = finding.fact("suggestion", meant);
        }
    }
    for hidden in entry.hidden().take(MOST_LABELS) {
        finding = finding.label(hidden.location.clone(), label(entry, hidden));
    }
    finding
}

fn label(entry: &Entry, hidden: &Hidden) -> String {
    let path = hidden.location.source.name();
    let used = entry.attributed.iter().find(|used| used.path == path);
    let container = used.and_then(|used| used.container.as_deref());
    let resolved = used.and_then(|used| used.resolved.as_ref());
    let whose = match (container, resolved) {
        (Some(container), _) => format!("container {container} asks for it"),
        (None, Some(resolved)) => {
            let engine = resolved.engine.title();
            format!("this profile asks for it, as {engine} resolves it")
        }
        (None, None) => "this profile asks for it".to_owned(),
    };
    match syscalls::suggest(&hidden.syscall) {
        Some(meant) => format!("{whose}; did it mean `{meant}`?"),
        None => whose,
    }
}

// ----------------------------------------------------------------- permissions

/// Whoever can write here decides what filters the next containers get.
pub(super) fn check_permissions(
    root: &StateRoot,
    meta: &Meta,
    location: &Location,
    findings: &mut Vec<Finding>,
) {
    let mut report = |message: String| {
        findings.push(
            Finding::new(&rules::PERMISSIONS, location.clone(), message)
                .help("crun loads what is here without a look; find out who could have written it, and remove it"),
        );
    };
    if meta.owner != root.owner() {
        report(format!(
            "owned by user {}, while the state root is user {}'s",
            meta.owner,
            root.owner()
        ));
    }
    let others = match (meta.mode & 0o020 != 0, meta.mode & 0o002 != 0) {
        (false, false) => return,
        (true, false) => "its group",
        (false, true) => "others",
        (true, true) => "its group and others",
    };
    report(format!("writable by {others} (mode {:04o})", meta.mode));
}

/// Whether it is a name that crun gives to entries.
pub(super) fn is_key(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A path in a state root, as a place for findings.
pub(super) fn in_root(root: &StateRoot, path: &str) -> Location {
    let path = root.path().join(path).display().to_string();
    Location::file(&Arc::new(Source::new(path, Vec::new())))
}

/// What stands there, with its article.
pub(super) const fn describe(kind: FileType) -> &'static str {
    match kind {
        FileType::Symlink => "a symbolic link",
        FileType::Directory => "a directory",
        FileType::Fifo => "a fifo",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::RegularFile => "a file",
        FileType::Unknown => "something unknown",
    }
}

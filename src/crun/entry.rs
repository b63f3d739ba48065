//! The files in the cache, and what an audit makes of each.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;
use serde::Serialize;

use super::content::{Compared, Content};
use super::resolution::Resolution;
use super::root::{Item, Meta, StateRoot};
use super::rules;
use crate::finding::{Finding, Location, Rule};
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
    /// How it was compared with that; `None` if there was nothing to compare.
    pub content: Option<Content>,
    pub(super) hidden: Vec<Arc<[Hidden]>>,
    /// What came of removing it, if that was asked for.
    pub pruned: Option<Pruned>,
    /// Whether only its size could be looked at.
    pub(super) is_unread: bool,
    /// Whether it is no more than a bug of libseccomp's that makes it a mismatch.
    pub(super) is_vulnerable: bool,
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
    /// Not what a configuration asks for that crun would use it for.
    Mismatch,
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
    /// Nothing else explains the entry, and of all that could, only this asks for such a filter.
    Content,
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
    /// A file of which only its metadata was looked at.
    pub(super) fn of(item: &Item) -> Self {
        Self {
            name: item.name.clone(),
            bytes: item.stat.bytes,
            links: item.stat.links,
            pinned: false,
            stale: None,
            modified: humantime::format_rfc3339_seconds(item.stat.modified).to_string(),
            status: Status::Foreign,
            attributed: Vec::new(),
            content: None,
            hidden: Vec::new(),
            pruned: None,
            is_unread: false,
            is_vulnerable: false,
            identity: item.stat.identity,
        }
    }

    /// The names that crun warned of when it made the entry, and not since: of
    /// each configuration and profile that explains it.
    pub fn hidden(&self) -> impl Iterator<Item = &Hidden> {
        self.hidden.iter().flat_map(|hidden| hidden.iter())
    }

    /// Whether it could be compared with what explains it; `None` if nothing does.
    pub(super) fn is_compared(&self) -> Option<bool> {
        let content = self.content.as_ref()?;
        Some(content.compared != Compared::No)
    }

    /// The containers that it was made from, each once.
    pub(super) fn containers(&self) -> Vec<&str> {
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
            Status::Mismatch if self.is_vulnerable => Some(&rules::VULNERABLE_BUILD),
            Status::Mismatch => Some(&rules::CONTENT_MISMATCH),
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
            // A directory, which the examined file was not, is not removed.
            Err(Errno::NOENT | Errno::ISDIR) => Pruned::Changed,
            Err(_) => Pruned::Failed,
        }
    }
}

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
    at(root.path().join(path).display().to_string())
}

/// A path, as a place for findings.
pub(super) fn at(path: String) -> Location {
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

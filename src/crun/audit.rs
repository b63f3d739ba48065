//! What a state root's cache holds, what made each entry, and what it hides.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::Serialize;

use super::candidate::{Candidate, Candidates, Search};
use super::collision::collisions;
use super::content::Comparer;
use super::deciding::Deciders;
use super::entry::{Entry, Pruned, Status, check_permissions, describe, in_root, is_key};
use super::examine::Examiner;
use super::key::KeyScheme;
use super::resolution::SeenSets;
use super::root::{Cache, ContainerDirectory, Item, RootError, StateRoot};
use super::sections::Sections;
use super::storage::Storage;
use super::{Host, rules};
use crate::finding::{Finding, Rule, Severity};
use crate::profile;
use crate::syscalls::{Release, TABLE_RELEASE};
use crate::target::Uname;
use crate::text::Source;

/// What came of auditing one state root.
#[derive(Debug)]
pub struct Audit {
    /// The root, as the user named it.
    pub root: String,
    /// The runtime whose cache it is, and its version if known.
    pub runtime: Crun,
    /// The libseccomp release that it runs with, if known.
    pub libseccomp: Option<Release>,
    /// The host's kernel, if keys could be made.
    pub uname: Option<Uname>,
    /// How entries are named, and whether that was seen to be so.
    pub key_scheme: Scheme,
    /// What stands in the cache, in the order of the names.
    pub entries: Vec<Entry>,
    /// The containers that crun has not deleted, in the order of their names.
    pub containers: Vec<Container>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What kept the audit from knowing more, in sentences.
    pub notes: Vec<String>,
    /// Its figures.
    pub summary: AuditSummary,
    /// The cache that was read, if there is one.
    directory: Option<OwnedFd>,
}

/// The crun whose cache it is, as reports name runtimes.
#[derive(Clone, Debug, Serialize)]
pub struct Crun {
    /// Its name.
    pub name: &'static str,
    /// Its version, if known.
    pub version: Option<String>,
}

/// A container that crun has not deleted: created, running or stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its name.
    pub id: String,
    /// Where its filter came from.
    pub filter: FilterOrigin,
}

/// Where a container's filter came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilterOrigin {
    /// It is an entry of the cache.
    Entry,
    /// It is no entry: given by the annotation `run.oci.seccomp_bpf_data`, made by
    /// a crun without a cache, or an entry that was removed since.
    Own,
    /// Its configuration asks for one, and its directory has none: nothing is known of its filter.
    Missing,
    /// It has none.
    None,
    /// The container's directory may not be read.
    Unreadable,
}

/// How entries are named.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Scheme {
    /// The scheme's name, if crun's version has a known one.
    pub name: Option<&'static str>,
    /// Whether it holds here.
    pub state: SchemeState,
    /// Containers whose entry has the name that the scheme gives it.
    pub agreeing: usize,
    /// Containers whose entry has another name.
    pub differing: usize,
}

/// Whether the key scheme explains what is in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeState {
    /// At least one entry has the name that the scheme gives a container's
    /// configuration or a profile. No other scheme gives that name.
    Verified,
    /// No entry has such a name, and no container's entry should have.
    Unverified,
    /// No entry has such a name, though containers' entries should have.
    Contradicted,
    /// There is no scheme for this crun, or nothing is known of the host.
    Unknown,
}

/// The figures of an audit.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct AuditSummary {
    /// Files in the cache.
    pub entries: usize,
    /// Those that are no entry.
    pub foreign: usize,
    /// Entries that are no filter.
    pub malformed: usize,
    /// Entries that are not what their configurations ask for.
    pub mismatch: usize,
    /// Entries that hide warnings.
    pub hides_warnings: usize,
    /// Entries that are explained and hide nothing.
    pub clean: usize,
    /// Entries that nothing explains.
    pub unattributed: usize,
    /// Of all entries, those that crun's eviction spares.
    pub pinned: usize,
    /// Of all entries, those that are known not to be used by this crun.
    pub stale: usize,
    /// Of all entries, those that could not be compared with what explains them.
    pub not_compared: usize,
    /// How often libseccomp was asked for a filter, to compare entries with.
    pub compiled: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are infos.
    pub infos: usize,
    /// Findings that were made and not reported.
    pub suppressed: usize,
}

/// What entries may have been made from, besides the containers that crun has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'s> {
    /// Profiles.
    pub profiles: &'s [Arc<Source>],
    /// Where engines store containers.
    pub storages: &'s [Storage],
}

/// How many bytes of stored containers' configurations are held that explain no entry by its key.
const MOST_SPARE_BYTES: usize = 64 << 20;

/// Audits the cache of a state root. `host` is what made its keys, or why that
/// is not known; `libseccomp` decides which names were unknown.
///
/// # Errors
/// If the root, or a storage, cannot be read.
pub fn audit(
    root: &StateRoot,
    host: Result<&Host, String>,
    libseccomp: Option<Release>,
    sources: Sources<'_>,
) -> Result<Audit, RootError> {
    let (host, mut notes) = match host {
        Ok(host) => (Some(host), Vec::new()),
        Err(why) => (
            None,
            vec![format!("entries are attributed by link only: {why}")],
        ),
    };
    let mut findings = Vec::new();
    let (directory, items) = cache(root, &mut notes, &mut findings)?;
    // After the cache: crun writes a configuration before it stores an entry, so
    // that none of the entries seen lacks the container that made it.
    let mut containers = Vec::new();
    let mut candidates = Vec::new();
    let keys = || items.iter().filter(|item| is_key(&item.name));
    let inodes: HashSet<_> = keys().map(|item| item.stat.identity).collect();
    let mut search = Search {
        host,
        known_to: libseccomp.unwrap_or(TABLE_RELEASE),
        names: keys().map(|item| item.name.as_str()).collect(),
        seen: SeenSets::default(),
        bases: Arc::new(profile::bases_of(sources.profiles)),
        sections: Sections::default(),
        spare: MOST_SPARE_BYTES,
        notes,
    };
    for container in root.containers()? {
        let listed = Container::of(&container, &inodes);
        let candidate = search.container(root, container);
        containers.extend(listed.map(|it| it.asking(candidate.is_some())));
        candidates.extend(candidate);
    }
    for storage in sources.storages {
        let stored = search.stored(storage, &candidates)?;
        candidates.extend(stored);
    }
    for source in sources.profiles {
        candidates.extend(search.profiles(source));
    }
    let sections = std::mem::take(&mut search.sections);
    let mut notes = search.notes(!sources.profiles.is_empty());
    let scheme = scheme(host, &mut candidates, &items);
    notes.extend(scheme.note(host));
    let mut examiner = Examiner {
        root,
        path: root.path().join(".cache/seccomp").display().to_string(),
        directory: directory.as_ref(),
        host,
        candidates: Candidates::new(&candidates),
        comparer: Comparer::new(&sections, libseccomp),
        deciders: Deciders::default(),
        is_mixed: scheme.differing > 0,
        unexplained: HashMap::new(),
    };
    let entries = examiner.examine_all(&items, &mut findings);
    findings.extend(collisions(&candidates, &mut examiner.comparer));
    let compiled = examiner.comparer.compiled;
    notes.extend(not_compared(&entries));
    notes.extend(missing(&containers));
    let unread = entries.iter().filter(|entry| entry.is_unread).count();
    if unread > 0 {
        let entries = if unread == 1 { "entry" } else { "entries" };
        notes.push(format!(
            "{unread} {entries} could not be read: whether they are filters is not known"
        ));
    }
    let runtime = Crun {
        name: "crun",
        version: host.map(|host| host.crun.clone()),
    };
    let mut audit = Audit {
        root: root.path().display().to_string(),
        runtime,
        libseccomp,
        uname: host.map(|host| host.uname.clone()),
        key_scheme: scheme,
        entries,
        containers,
        findings,
        notes,
        summary: AuditSummary {
            compiled,
            ..AuditSummary::default()
        },
        directory,
    };
    audit.count();
    Ok(audit)
}

/// The cache and what is in it, if it is there to be read.
fn cache(
    root: &StateRoot,
    notes: &mut Vec<String>,
    findings: &mut Vec<Finding>,
) -> Result<(Option<OwnedFd>, Vec<Item>), RootError> {
    Ok(match root.cache()? {
        Cache::Found { directory, way } => {
            for (path, meta) in way {
                check_permissions(root, &meta, &in_root(root, path), findings);
            }
            let items = root.entries(&directory)?;
            (Some(directory), items)
        }
        Cache::Absent => {
            notes.push("there is no .cache/seccomp in it: not a crun state root, or its crun caches nothing".to_owned());
            (None, Vec::new())
        }
        Cache::Replaced(path, kind) => {
            let message = format!(
                "{} in the place of the cache; nothing behind it was read",
                describe(kind)
            );
            let help = "find out who put it there: crun follows it, and loads what is there";
            findings
                .push(Finding::new(&rules::PERMISSIONS, in_root(root, path), message).help(help));
            (None, Vec::new())
        }
    })
}

impl Audit {
    /// Drops the findings of rules that were not asked for, and counts again.
    pub fn retain(&mut self, is_selected: impl Fn(&Rule) -> bool) {
        self.findings.retain(|finding| is_selected(finding.rule));
        self.count();
    }

    /// Removes the entries that a selected rule asks to remove: those that hide
    /// warnings, and those that are not what they should be, or no filters. Says of each what came of it.
    pub fn prune(&mut self, is_dry_run: bool, is_selected: impl Fn(&Rule) -> bool) {
        let Some(directory) = &self.directory else {
            return;
        };
        for entry in &mut self.entries {
            if entry.removed_by().is_some_and(&is_selected) {
                entry.pruned = Some(if is_dry_run {
                    Pruned::WouldBeRemoved
                } else {
                    entry.remove(directory)
                });
            }
        }
    }

    fn count(&mut self) {
        let status = |status| {
            self.entries
                .iter()
                .filter(|entry| entry.status == status)
                .count()
        };
        let severity = |severity| {
            let findings = self.findings.iter();
            findings
                .filter(|finding| finding.severity == severity)
                .count()
        };
        self.summary = AuditSummary {
            entries: self.entries.len(),
            foreign: status(Status::Foreign),
            malformed: status(Status::Malformed),
            mismatch: status(Status::Mismatch),
            hides_warnings: status(Status::HidesWarnings),
            clean: status(Status::Clean),
            unattributed: status(Status::Unattributed),
            pinned: self.entries.iter().filter(|entry| entry.pinned).count(),
            stale: (self.entries.iter())
                .filter(|entry| entry.stale == Some(true))
                .count(),
            not_compared: (self.entries.iter())
                .filter(|entry| entry.is_compared() == Some(false))
                .count(),
            compiled: self.summary.compiled,
            errors: severity(Severity::Error),
            warnings: severity(Severity::Warning),
            infos: severity(Severity::Info),
            suppressed: 0,
        };
    }
}

impl Container {
    /// What is in a directory of the root, if that is a container's.
    fn of(directory: &ContainerDirectory, entries: &HashSet<(u64, u64)>) -> Option<Self> {
        let filter = match &directory.filter {
            Some(filter) if entries.contains(filter) => FilterOrigin::Entry,
            Some(_) => FilterOrigin::Own,
            None if !directory.is_readable => FilterOrigin::Unreadable,
            None if directory.configuration.is_some() => FilterOrigin::None,
            None => return None,
        };
        let id = directory.id.clone();
        Some(Self { id, filter })
    }

    /// The same, with what its configuration says: crun writes the filter of each container that
    /// has one into its directory.
    fn asking(mut self, asks: bool) -> Self {
        if asks && self.filter == FilterOrigin::None {
            self.filter = FilterOrigin::Missing;
        }
        self
    }
}

impl Scheme {
    /// What kept keys from explaining entries.
    fn note(self, host: Option<&Host>) -> Option<String> {
        let host = host?;
        let (crun, libseccomp) = (&host.crun, host.libseccomp);
        match self.state {
            SchemeState::Contradicted => Some(format!(
                "keys explain nothing: {} that crun {crun} with libseccomp {libseccomp} under this kernel does not give; they are from before an update, or --runtime, --libseccomp or --uname is not what made them",
                match self.differing {
                    1 => "a container's entry has a name".to_owned(),
                    several => format!("the entries of {several} containers have names"),
                }
            )),
            SchemeState::Unknown => Some(format!(
                "entries are attributed by link only: how crun {crun} names them is not known"
            )),
            SchemeState::Verified if KeyScheme::of(crun).is_none() => Some(format!(
                "how crun {crun} names its entries is not known; names as {} makes them were found to hold here, of {} of {} containers",
                KeyScheme::NEWEST.name(),
                self.agreeing,
                self.agreeing + self.differing
            )),
            SchemeState::Verified | SchemeState::Unverified => None,
        }
    }
}

/// Checks the scheme against the entries that are there, and remembers which
/// containers' entries have the names that it gives them.
fn scheme(host: Option<&Host>, candidates: &mut [Candidate], items: &[Item]) -> Scheme {
    // One file may have several names, of which crun gave one.
    let filters: HashSet<_> = candidates.iter().filter_map(|it| it.filter).collect();
    let is_linked = |item: &&Item| filters.contains(&item.stat.identity) && is_key(&item.name);
    let mut names: HashMap<_, Vec<_>> = HashMap::new();
    for item in items.iter().filter(is_linked) {
        names
            .entry(item.stat.identity)
            .or_default()
            .push(&item.name);
    }
    for candidate in &mut *candidates {
        let names = candidate.filter.and_then(|filter| names.get(&filter));
        let key = candidate.key.as_ref();
        candidate.agrees = names.zip(key).map(|(names, key)| names.contains(&key));
    }
    let count = |agrees| {
        let candidates = candidates.iter();
        candidates
            .filter(|candidate| candidate.agrees == Some(agrees))
            .count()
    };
    let (agreeing, differing) = (count(true), count(false));
    let keys: HashSet<_> = (candidates.iter())
        .filter_map(|candidate| candidate.key.as_ref())
        .collect();
    let known = host.and_then(|host| KeyScheme::of(&host.crun));
    let state = if items.iter().any(|item| keys.contains(&item.name)) {
        SchemeState::Verified
    } else if known.is_none() {
        SchemeState::Unknown
    } else if differing > 0 {
        SchemeState::Contradicted
    } else {
        SchemeState::Unverified
    };
    // A scheme that holds for some need not hold for all, so that a crun that is not
    // known may well use entries of other names.
    if state != SchemeState::Verified || known.is_none() {
        for candidate in candidates {
            candidate.agrees = None;
        }
    }
    let used = (state == SchemeState::Verified).then_some(KeyScheme::NEWEST);
    Scheme {
        name: known.or(used).map(KeyScheme::name),
        state,
        agreeing,
        differing,
    }
}

/// What is to be said of containers whose filters are not there.
fn missing(containers: &[Container]) -> Option<String> {
    let missing = containers
        .iter()
        .filter(|it| it.filter == FilterOrigin::Missing);
    let whose = match missing.count() {
        0 => return None,
        1 => "1 container has a seccomp section".to_owned(),
        several => format!("{several} containers have a seccomp section"),
    };
    Some(format!(
        "{whose} and no seccomp.bpf, which crun links to the entry: no entry is explained by its link; a copy of a root needs the links as well (cp -a, rsync -aH)"
    ))
}

/// Why entries were not compared with what explains them, in sentences.
fn not_compared(entries: &[Entry]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|it| it.is_compared() == Some(false)) {
        let reason = entry.content.as_ref().and_then(|it| it.reason.as_deref());
        *reasons.entry(reason.unwrap_or_default()).or_default() += 1;
    }
    let reasons = reasons.into_iter();
    let note = |(reason, count)| match count {
        1 => format!("1 entry was not compared with what explains it: {reason}"),
        _ => format!("{count} entries were not compared with what explains them: {reason}"),
    };
    reasons.map(note).collect()
}

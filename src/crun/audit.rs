//! What a state root's cache holds, what made each entry, and what it hides.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::FileType;
use serde::Serialize;

use super::key::{KeyError, KeyScheme, Passage, cache_key};
use super::root::{Cache, Container, Item, Meta, RootError, StateRoot};
use super::{Host, rules};
use crate::finding::{Finding, Location, Rule, Severity};
use crate::profile::{self, Found, Profile, RuleEntry, Text};
use crate::syscalls::{self, Release, TABLE_RELEASE};
use crate::target::Uname;
use crate::text::{Document, Node, Source, json};

/// The kernel takes no filter of more than 4096 instructions, 8 bytes each.
const MAX_FILTER_BYTES: u64 = 4096 * INSTRUCTION_BYTES;
const INSTRUCTION_BYTES: u64 = 8;

/// What came of auditing one state root.
#[derive(Debug)]
pub struct Audit {
    /// The root, as the user named it.
    pub root: String,
    /// The runtime whose cache it is, and its version if known.
    pub runtime: RuntimeJson,
    /// The libseccomp release that it runs with, if known.
    pub libseccomp: Option<Release>,
    /// The host's kernel, if keys could be made.
    pub uname: Option<Uname>,
    /// How entries are named, and whether that was seen to be so.
    pub key_scheme: Scheme,
    /// What stands in the cache, in the order of the names.
    pub entries: Vec<Entry>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What kept the audit from knowing more, in sentences.
    pub notes: Vec<String>,
    /// Its figures.
    pub summary: AuditSummary,
}

/// A runtime in a report.
#[derive(Clone, Debug, Serialize)]
pub struct RuntimeJson {
    /// Its name.
    pub name: &'static str,
    /// Its version, if known.
    pub version: Option<String>,
}

/// How entries are named.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Scheme {
    /// The scheme's name, if crun's version has a known one.
    pub name: Option<&'static str>,
    /// Whether it holds here.
    pub state: SchemeState,
}

/// Whether the key scheme explains what is in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeState {
    /// At least one container's entry has the name that the scheme gives it.
    Verified,
    /// No container is there to check it against.
    Unverified,
    /// Containers' entries have other names: no key is used.
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
    /// Entries that hide warnings.
    pub hides_warnings: usize,
    /// Entries that are explained and hide nothing.
    pub clean: usize,
    /// Entries that nothing explains.
    pub unattributed: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are infos.
    pub infos: usize,
    /// Findings that were made and not reported.
    pub suppressed: usize,
}

/// A file in the cache.
#[derive(Debug)]
pub struct Entry {
    /// Its name; a real entry's is its key.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Hard links; more than one means that a container uses it.
    pub links: u64,
    /// When it was made, as RFC 3339 in UTC.
    pub modified: String,
    /// What the audit makes of it.
    pub status: Status,
    /// What it was made from.
    pub attributed: Vec<Attribution>,
    /// The names that crun warned of when it made the entry, and not since.
    pub hidden: Vec<Hidden>,
}

/// What the audit makes of an entry; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not an entry: another name than entries have, or no plain file.
    Foreign,
    /// Of a size that no filter has.
    Malformed,
    /// Made from a configuration that crun warned of.
    HidesWarnings,
    /// Made from a configuration that crun had nothing to say of.
    Clean,
    /// Nothing here or given explains it.
    Unattributed,
}

/// A configuration or profile that an entry was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The file.
    pub path: String,
    /// The container, if it is a container's configuration.
    pub container: Option<String>,
    /// How it is known.
    pub by: By,
}

/// How an attribution is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The key made from it is the entry's name.
    Key,
    /// The container's filter is the entry: one inode.
    Link,
}

/// A name that crun warned of once.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The name, as written.
    pub syscall: String,
    /// Where it stands.
    pub location: Location,
}

/// A configuration or profile that entries may have been made from.
#[derive(Debug)]
pub struct Candidate {
    source: Arc<Source>,
    container: Option<String>,
    /// The inode of the container's filter.
    filter: Option<(u64, u64)>,
    keys: Vec<String>,
    hidden: Vec<Hidden>,
}

/// Audits the cache of a state root. `host` is what made its keys, or why that
/// is not known; `libseccomp` decides which names were unknown; `profiles` are
/// profiles that entries may have been made from.
///
/// # Errors
/// If the root cannot be read.
pub fn audit(
    root: &StateRoot,
    host: Result<&Host, String>,
    libseccomp: Option<Release>,
    profiles: &[Arc<Source>],
) -> Result<Audit, RootError> {
    let (host, mut notes) = match host {
        Ok(host) => (Some(host), Vec::new()),
        Err(why) => (
            None,
            vec![format!("entries are attributed by link only: {why}")],
        ),
    };
    let known_to = libseccomp.unwrap_or(TABLE_RELEASE);
    let mut candidates = Vec::new();
    for container in root.containers()? {
        candidates.extend(of_container(root, container, host, known_to, &mut notes));
    }
    for source in profiles {
        candidates.extend(of_profile(source, host, known_to, &mut notes));
    }
    let mut findings = Vec::new();
    let items = match root.cache()? {
        Cache::Items(directories, items) => {
            for (path, directory) in directories {
                check_permissions(root, &directory, &in_root(root, path), &mut findings);
            }
            items
        }
        Cache::Absent => {
            notes.push("there is no .cache/seccomp in it: not a crun state root, or its crun caches nothing".to_owned());
            Vec::new()
        }
        Cache::Replaced(path, kind) => {
            let message = format!(
                "{} in the place of the cache; nothing behind it was read",
                describe(kind)
            );
            let help = "find out who put it there: crun follows it, and loads what is there";
            findings
                .push(Finding::new(&rules::PERMISSIONS, in_root(root, path), message).help(help));
            Vec::new()
        }
    };
    let scheme = scheme(host, &candidates, &items);
    if scheme.state == SchemeState::Contradicted {
        notes.push("the entries of running containers have other names than this crun gives them, so keys were not used; which crun made them?".to_owned());
        for candidate in &mut candidates {
            candidate.keys.clear();
        }
    }
    let entries = items
        .iter()
        .map(|item| examine(root, item, &candidates, &mut findings))
        .collect();
    let runtime = RuntimeJson {
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
        findings,
        notes,
        summary: AuditSummary::default(),
    };
    audit.count();
    Ok(audit)
}

impl Audit {
    /// Drops the findings of rules that were not asked for, and counts again.
    pub fn retain(&mut self, is_selected: impl Fn(&Rule) -> bool) {
        self.findings.retain(|finding| is_selected(finding.rule));
        self.count();
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
            hides_warnings: status(Status::HidesWarnings),
            clean: status(Status::Clean),
            unattributed: status(Status::Unattributed),
            errors: severity(Severity::Error),
            warnings: severity(Severity::Warning),
            infos: severity(Severity::Info),
            suppressed: 0,
        };
    }
}

// ------------------------------------------------------------------ candidates

fn of_container(
    root: &StateRoot,
    container: Container,
    host: Option<&Host>,
    known_to: Release,
    notes: &mut Vec<String>,
) -> Option<Candidate> {
    let path = root
        .path()
        .join(&container.id)
        .join("config.json")
        .display()
        .to_string();
    let Some(bytes) = container.configuration else {
        if container.filter.is_some() {
            notes.push(format!("{path} could not be read"));
        }
        return None;
    };
    let source = Arc::new(Source::new(path, bytes));
    let document = json::parse(source.bytes());
    let Found::Profile(profile) = profile::find(&document, None) else {
        return None;
    };
    let mut keys = Vec::new();
    if let Some(host) = host {
        let fails = fails_on_unknown(&document);
        match cache_key(&document, &profile, fails, Passage::AsWritten, host) {
            Ok(key) => keys.push(key),
            Err(KeyError::UnknownScheme(_)) => {}
            Err(error) => notes.push(format!("{}: no key could be made: {error}", source.name())),
        }
    }
    Some(Candidate {
        hidden: hidden(&source, &profile, known_to),
        container: Some(container.id),
        filter: container.filter,
        keys,
        source: Arc::clone(&source),
    })
}

fn of_profile(
    source: &Arc<Source>,
    host: Option<&Host>,
    known_to: Release,
    notes: &mut Vec<String>,
) -> Option<Candidate> {
    let document = json::parse(source.bytes());
    let Found::Profile(profile) = profile::find(&document, None) else {
        notes.push(format!("{}: not a profile", source.name()));
        return None;
    };
    let mut keys = Vec::new();
    // Nobody knows which way the profile came to crun, so all are tried.
    for passage in [Passage::AsWritten, Passage::ThroughGo] {
        for fails_on_unknown in [false, true] {
            let Some(host) = host else { break };
            match cache_key(&document, &profile, fails_on_unknown, passage, host) {
                Ok(key) if keys.contains(&key) => {}
                Ok(key) => keys.push(key),
                Err(KeyError::UnknownScheme(_)) => {}
                Err(error) => {
                    let note = format!("{}: no key could be made: {error}", source.name());
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
    }
    Some(Candidate {
        hidden: hidden(source, &profile, known_to),
        container: None,
        filter: None,
        keys,
        source: Arc::clone(source),
    })
}

/// Whether a container configuration asks crun to refuse unknown names: by the
/// annotation `run.oci.seccomp_fail_unknown_syscall`, with any value but "0".
#[must_use]
pub fn fails_on_unknown(document: &Document<'_>) -> bool {
    let annotations = document.root().and_then(|root| root.get("annotations"));
    let value = annotations.and_then(|all| all.get("run.oci.seccomp_fail_unknown_syscall"));
    let value = value.and_then(Node::as_str);
    value.is_some_and(|value| value.split('\0').next() != Some("0"))
}

/// The names that crun warns of, in its order. It passes over rule entries that
/// do what happens anyway.
fn hidden(source: &Arc<Source>, profile: &Profile<'_>, known_to: Release) -> Vec<Hidden> {
    let default = effect(
        profile.default_action,
        profile.default_errno_ret.map(|errno| errno.value),
    );
    let is_looked_at = |entry: &&RuleEntry<'_>| {
        effect(entry.action, entry.errno_ret.map(|errno| errno.value)) != default
    };
    let names = profile
        .entries
        .iter()
        .filter(is_looked_at)
        .flat_map(|entry| &entry.names);
    let is_unknown = |name: &&Text<'_>| {
        let name = name.value.split('\0').next().unwrap_or_default();
        !syscalls::lookup(name).is_some_and(|syscall| syscall.known_to(known_to))
    };
    names
        .filter(is_unknown)
        .map(|name| Hidden {
            syscall: name.value.to_owned(),
            location: Location::node(source, name.node),
        })
        .collect()
}

/// An action as libseccomp's constant tells it apart from others: with its
/// errno, where it has one, and `KILL` as the `KILL_THREAD` that it is.
fn effect<'d>(action: Option<Text<'d>>, errno: Option<&'d str>) -> (&'d str, u16) {
    const EPERM: u16 = 1;
    match action.map(|action| action.value) {
        Some(action @ ("SCMP_ACT_ERRNO" | "SCMP_ACT_TRACE")) => {
            let errno = errno.and_then(|errno| errno.parse::<u32>().ok());
            (action, errno.map_or(EPERM, |errno| (errno & 0xffff) as u16))
        }
        Some("SCMP_ACT_KILL") => ("SCMP_ACT_KILL_THREAD", 0),
        action => (action.unwrap_or_default(), 0),
    }
}

/// Checks the scheme against the containers that are there.
fn scheme(host: Option<&Host>, candidates: &[Candidate], items: &[Item]) -> Scheme {
    let Some(scheme) = host.and_then(|host| KeyScheme::of(&host.crun)) else {
        return Scheme {
            name: None,
            state: SchemeState::Unknown,
        };
    };
    let names: HashMap<_, _> = items
        .iter()
        .map(|item| (item.stat.identity, &item.name))
        .collect();
    let mut agrees = candidates.iter().filter_map(|candidate| {
        let name = names.get(&candidate.filter?)?;
        let key = candidate.keys.first()?;
        Some(key == *name)
    });
    let state = match agrees.next() {
        None => SchemeState::Unverified,
        Some(true) => SchemeState::Verified,
        Some(false) if agrees.any(|agrees| agrees) => SchemeState::Verified,
        Some(false) => SchemeState::Contradicted,
    };
    Scheme {
        name: Some(scheme.name()),
        state,
    }
}

// --------------------------------------------------------------------- entries

fn examine(
    root: &StateRoot,
    item: &Item,
    candidates: &[Candidate],
    findings: &mut Vec<Finding>,
) -> Entry {
    let mut entry = Entry {
        name: item.name.clone(),
        bytes: item.stat.bytes,
        links: item.stat.links,
        modified: humantime::format_rfc3339_seconds(item.stat.modified).to_string(),
        status: Status::Foreign,
        attributed: Vec::new(),
        hidden: Vec::new(),
    };
    let location = in_root(root, &format!(".cache/seccomp/{}", item.name));
    if !is_key(&item.name) {
        let message = "not a cache entry: entries have names of 64 lower-case hexadecimal digits";
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
    check_permissions(root, &item.stat, &location, findings);
    for candidate in candidates {
        let by_link = (candidate.filter == Some(item.stat.identity)).then_some(By::Link);
        let by_key = candidate.keys.contains(&item.name).then_some(By::Key);
        let ways = by_link.into_iter().chain(by_key);
        let before = entry.attributed.len();
        entry.attributed.extend(ways.map(|by| Attribution {
            path: candidate.source.name().to_owned(),
            container: candidate.container.clone(),
            by,
        }));
        if entry.attributed.len() > before {
            entry.hidden.extend_from_slice(&candidate.hidden);
        }
    }
    let is_whole = item.stat.bytes.is_multiple_of(INSTRUCTION_BYTES);
    entry.status = if item.stat.bytes == 0 || !is_whole || item.stat.bytes > MAX_FILTER_BYTES {
        Status::Malformed
    } else if !entry.hidden.is_empty() {
        Status::HidesWarnings
    } else if !entry.attributed.is_empty() {
        Status::Clean
    } else {
        Status::Unattributed
    };
    findings.extend(verdict(&entry, location));
    entry
}

fn verdict(entry: &Entry, location: Location) -> Option<Finding> {
    let finding = match entry.status {
        Status::Malformed => {
            let message = format!(
                "{} bytes are no filter: a filter has 1 to 4096 instructions of 8 bytes",
                entry.bytes
            );
            Finding::new(&rules::MALFORMED_BPF, location, message)
                .help("remove the entry; crun makes it anew")
                .fact("bytes", entry.bytes)
        }
        Status::HidesWarnings => hides_warnings(entry, location),
        Status::Unattributed => {
            let message = format!("nothing here explains this entry, made {}", entry.modified);
            Finding::new(&rules::UNATTRIBUTED, location, message)
                .help("give the profiles that containers run with by --profile")
        }
        Status::Foreign | Status::Clean => return None,
    };
    Some(finding)
}

fn hides_warnings(entry: &Entry, location: Location) -> Finding {
    let mut names: Vec<&str> = Vec::new();
    for hidden in &entry.hidden {
        if !names.contains(&hidden.syscall.as_str()) {
            names.push(&hidden.syscall);
        }
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "crun left {} out when it made this entry, {}, and does not warn of it while the entry is here",
        quoted.join(", "),
        entry.modified
    );
    let mut containers: Vec<&str> = Vec::new();
    for container in entry
        .attributed
        .iter()
        .filter_map(|used| used.container.as_deref())
    {
        if !containers.contains(&container) {
            containers.push(container);
        }
    }
    let mut finding = Finding::new(&rules::HIDES_WARNINGS, location, message)
        .help("correct the name, and remove this entry")
        .fact("entry", entry.name.as_str())
        .fact("modified", entry.modified.as_str())
        .fact("syscalls", names.clone())
        .fact("containers", containers);
    if let [name] = names.as_slice() {
        finding = finding.fact("syscall", *name);
        if let Some(meant) = syscalls::suggest(name) {
            finding = finding.fact("suggestion", meant);
        }
    }
    for hidden in &entry.hidden {
        finding = finding.label(hidden.location.clone(), label(entry, hidden));
    }
    finding
}

fn label(entry: &Entry, hidden: &Hidden) -> String {
    let path = hidden.location.source.name();
    let used = entry.attributed.iter().find(|used| used.path == path);
    let whose = match used.and_then(|used| used.container.as_deref()) {
        Some(container) => format!("container {container} asks for it"),
        None => "this profile asks for it".to_owned(),
    };
    match syscalls::suggest(&hidden.syscall) {
        Some(meant) => format!("{whose}; did it mean `{meant}`?"),
        None => whose,
    }
}

// ----------------------------------------------------------------- permissions

/// Whoever can write here decides what filters the next containers get.
fn check_permissions(
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

fn is_key(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn in_root(root: &StateRoot, path: &str) -> Location {
    let path = root.path().join(path).display().to_string();
    Location::file(&Arc::new(Source::new(path, Vec::new())))
}

const fn describe(kind: FileType) -> &'static str {
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

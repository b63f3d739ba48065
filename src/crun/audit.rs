//! What a state root's cache holds, what made each entry, and what it hides.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::Serialize;

use super::candidate::{Candidate, Candidates};
use super::entry::{Entry, Pruned, Status, check_permissions, describe, examine, in_root};
use super::key::KeyScheme;
use super::root::{Cache, Item, RootError, StateRoot};
use super::{Host, rules};
use crate::finding::{Finding, Rule, Severity};
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
    let mut findings = Vec::new();
    let (directory, items) = match root.cache()? {
        Cache::Found {
            directory,
            way,
            items,
        } => {
            for (path, meta) in way {
                check_permissions(root, &meta, &in_root(root, path), &mut findings);
            }
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
    };
    // After the cache: crun writes a configuration before it stores an entry, so
    // that none of the entries seen lacks the container that made it.
    let mut candidates = Vec::new();
    for container in root.containers()? {
        candidates.extend(Candidate::of_container(
            root, container, host, known_to, &mut notes,
        ));
    }
    for source in profiles {
        candidates.extend(Candidate::of_profile(source, host, known_to, &mut notes));
    }
    let scheme = scheme(host, &candidates, &items);
    if scheme.state == SchemeState::Contradicted {
        notes.push("the entries of running containers have other names than this crun gives them, so keys were not used; which crun made them?".to_owned());
        for candidate in &mut candidates {
            candidate.keys.clear();
        }
    }
    let candidates = Candidates::new(&candidates);
    let entries = items
        .iter()
        .map(|item| examine(root, item, &candidates, &mut findings))
        .collect();
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
        findings,
        notes,
        summary: AuditSummary::default(),
        directory,
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

    /// Removes the entries that a selected rule asks to remove: those that hide
    /// warnings, and those that are no filters. Says of each what came of it.
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

/// Checks the scheme against the containers that are there.
fn scheme(host: Option<&Host>, candidates: &[Candidate], items: &[Item]) -> Scheme {
    let Some(scheme) = host.and_then(|host| KeyScheme::of(&host.crun)) else {
        return Scheme {
            name: None,
            state: SchemeState::Unknown,
        };
    };
    // One file may have several names, of which crun gave one.
    let mut names: HashMap<_, Vec<_>> = HashMap::new();
    for item in items {
        names
            .entry(item.stat.identity)
            .or_default()
            .push(&item.name);
    }
    let mut agrees = candidates.iter().filter_map(|candidate| {
        let names = names.get(&candidate.filter?)?;
        let key = candidate.keys.first()?;
        Some(names.contains(&key))
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

//! What entries may have been made from: containers' configurations, and
//! profiles that the user gave; their keys, and what crun warns of in each.

use std::collections::HashMap;
use std::sync::Arc;

use super::Host;
use super::entry::{By, Hidden};
use super::key::{KeyError, KeyScheme, Passage, cache_key_by};
use super::root::{ContainerDirectory, Item, StateRoot};
use crate::finding::Location;
use crate::profile::{self, Effect, Found, Profile, RuleEntry, Text};
use crate::syscalls::{self, Release};
use crate::text::{Document, Node, Source, json};

/// A configuration or profile that entries may have been made from.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) source: Arc<Source>,
    pub(super) container: Option<String>,
    /// The inode of the container's filter.
    pub(super) filter: Option<(u64, u64)>,
    /// The names that entries made from it have.
    pub(super) keys: Vec<String>,
    /// Whether the container's filter has that name; `None` if it is no entry, or has no key.
    pub(super) agrees: Option<bool>,
    /// Shared by all entries that it explains.
    pub(super) hidden: Arc<[Hidden]>,
}

impl Candidate {
    /// A container's configuration, if it has a section that crun makes its filter from.
    pub(super) fn of_container(
        root: &StateRoot,
        container: ContainerDirectory,
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
            if container.filter.is_some() || !container.is_readable {
                notes.push(format!("{path} could not be read"));
            }
            return None;
        };
        let source = Arc::new(Source::new(path, bytes));
        let document = json::parse(source.bytes());
        if annotation(&document, "run.oci.seccomp_bpf_data").is_some() {
            // The annotation is the filter, and crun passes the cache by.
            return None;
        }
        let Found::Profile(profile) = profile::find(&document, None) else {
            return None;
        };
        let fails = fails_on_unknown(&document);
        let mut keys = Vec::new();
        if let Some(host) = host {
            match key(&document, &profile, fails, Passage::AsWritten, host) {
                Ok(key) => keys.push(key),
                Err(error) => {
                    notes.push(format!("{}: no key could be made: {error}", source.name()));
                }
            }
        }
        let hidden = if fails {
            // crun refused where it would have warned: an entry shows that it knew all names.
            Arc::default()
        } else {
            hidden(&source, &profile, known_to)
        };
        Some(Candidate {
            hidden,
            container: Some(container.id),
            filter: container.filter,
            keys,
            agrees: None,
            source: Arc::clone(&source),
        })
    }

    /// A profile that the user gave.
    pub(super) fn of_profile(
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
        let hidden = hidden(source, &profile, known_to);
        let mut keys = Vec::new();
        // Nobody knows which way the profile came to crun, so all are tried. Where crun
        // fails on unknown names, a profile that has one leaves no entry.
        let fails = if hidden.is_empty() {
            &[false, true][..]
        } else {
            &[false]
        };
        for passage in [Passage::AsWritten, Passage::ThroughGo] {
            for &fails_on_unknown in fails {
                let Some(host) = host else { break };
                match key(&document, &profile, fails_on_unknown, passage, host) {
                    Ok(key) if keys.contains(&key) => {}
                    Ok(key) => keys.push(key),
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
            hidden,
            container: None,
            filter: None,
            keys,
            agrees: None,
            source: Arc::clone(source),
        })
    }
}

/// All candidates, found by what an entry can be known by.
pub(super) struct Candidates<'c> {
    all: &'c [Candidate],
    by_filter: HashMap<(u64, u64), Vec<usize>>,
    by_key: HashMap<&'c str, Vec<usize>>,
}

impl<'c> Candidates<'c> {
    pub(super) fn new(all: &'c [Candidate]) -> Self {
        let mut by_filter: HashMap<_, Vec<_>> = HashMap::new();
        let mut by_key: HashMap<_, Vec<_>> = HashMap::new();
        for (index, candidate) in all.iter().enumerate() {
            if let Some(filter) = candidate.filter {
                by_filter.entry(filter).or_default().push(index);
            }
            for key in &candidate.keys {
                by_key.entry(key.as_str()).or_default().push(index);
            }
        }
        Self {
            all,
            by_filter,
            by_key,
        }
    }

    /// What explains a file in the cache, and how, in the order of the candidates.
    pub(super) fn of(&self, item: &Item) -> impl Iterator<Item = (&'c Candidate, By)> + use<'c> {
        let of = |found: Option<&Vec<usize>>, by: By| {
            let found = found.map(Vec::as_slice).unwrap_or_default();
            found.iter().map(|&index| (index, by)).collect::<Vec<_>>()
        };
        let mut found = of(self.by_filter.get(&item.stat.identity), By::Link);
        found.extend(of(self.by_key.get(item.name.as_str()), By::Key));
        found.sort_unstable();
        let all = self.all;
        found
            .into_iter()
            .filter_map(move |(index, by)| Some((all.get(index)?, by)))
    }
}

/// The key that an entry may have. For a crun that is not known here it is made as
/// for the newest that is: a wrong one is the name of nothing.
fn key(
    document: &Document<'_>,
    profile: &Profile<'_>,
    fails_on_unknown: bool,
    passage: Passage,
    host: &Host,
) -> Result<String, KeyError> {
    let scheme = KeyScheme::of(&host.crun).unwrap_or(KeyScheme::NEWEST);
    cache_key_by(scheme, document, profile, fails_on_unknown, passage, host)
}

/// Whether a container configuration asks crun to refuse unknown names: by the
/// annotation `run.oci.seccomp_fail_unknown_syscall`, with any value but "0".
#[must_use]
pub fn fails_on_unknown(document: &Document<'_>) -> bool {
    let value = annotation(document, "run.oci.seccomp_fail_unknown_syscall");
    value.is_some_and(|value| value.split('\0').next() != Some("0"))
}

fn annotation<'d>(document: &'d Document<'_>, name: &str) -> Option<&'d str> {
    let annotations = document.root().and_then(|root| root.get("annotations"));
    annotations
        .and_then(|all| all.get(name))
        .and_then(Node::as_str)
}

/// The names that crun warns of, in its order. It passes over rule entries that
/// do what happens anyway.
fn hidden(source: &Arc<Source>, profile: &Profile<'_>, known_to: Release) -> Arc<[Hidden]> {
    // A configuration may be made to hold as many as a file can, and to have many entries.
    const MOST_HIDDEN: usize = 100;
    let default = Effect::of(profile.default_action, profile.default_errno_ret);
    let is_looked_at =
        |entry: &&RuleEntry<'_>| Effect::of(entry.action, entry.errno_ret) != default;
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
        .take(MOST_HIDDEN)
        .collect()
}

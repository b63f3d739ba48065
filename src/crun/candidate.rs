//! What entries may have been made from: containers' configurations, and
//! profiles that the user gave; their keys, and what crun warns of in each.

use std::collections::HashMap;
use std::sync::Arc;

use super::Host;
use super::entry::{By, Hidden};
use super::key::{self, KeyError, KeyScheme, Passage, cache_key_by};
use super::root::{ContainerDirectory, Item, StateRoot};
use crate::finding::Location;
use crate::profile::{self, Found};
use crate::runtime::Section;
use crate::runtime::crun::{self, Conditions, Parser, fails_on_unknown, filter_annotation};
use crate::syscalls::{Arch, Release};
use crate::text::{Source, json};

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
        if filter_annotation(&document).is_some() {
            // The annotation is the filter, and crun passes the cache by.
            return None;
        }
        let Found::Profile(profile) = profile::find(&document, None) else {
            return None;
        };
        let fails = fails_on_unknown(&document);
        let (mut keys, mut unknown) = (Vec::new(), Arc::default());
        match key::section(&document, source.bytes(), &profile, version(host)) {
            Ok(section) => {
                keys.extend(host.map(|host| key(&section, fails, Passage::AsWritten, host)));
                // Where crun refuses instead of warning, an entry shows that it knew all names.
                if !fails {
                    unknown = hidden(&source, &section, host, known_to);
                }
            }
            Err(KeyError::NoSection) => return None,
            Err(error) => notes.push(format!("{}: no key could be made: {error}", source.name())),
        }
        Some(Candidate {
            hidden: unknown,
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
        let (mut keys, mut unknown) = (Vec::new(), Arc::default());
        match key::section(&document, source.bytes(), &profile, version(host)) {
            Ok(section) => {
                unknown = hidden(source, &section, host, known_to);
                // Where crun fails on unknown names, a profile that has one leaves no entry.
                let fails = if unknown.is_empty() {
                    &[false, true][..]
                } else {
                    &[false]
                };
                // Nobody knows which way the profile came to crun, so all are tried.
                for passage in [Passage::AsWritten, Passage::ThroughGo] {
                    for &fails in fails {
                        let made = host.map(|host| key(&section, fails, passage, host));
                        keys.extend(made.filter(|key| !keys.contains(key)));
                    }
                }
            }
            Err(error) => notes.push(format!("{}: no key could be made: {error}", source.name())),
        }
        Some(Candidate {
            hidden: unknown,
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

/// The version of a host's crun, as far as it is known: it decides how a section is read.
fn version(host: Option<&Host>) -> &str {
    host.map_or("", |host| host.crun.as_str())
}

/// The key that an entry may have. For a crun that is not known here it is made as
/// for the newest that is: a wrong one is the name of nothing.
fn key(section: &Section<'_>, fails_on_unknown: bool, passage: Passage, host: &Host) -> String {
    let scheme = KeyScheme::of(&host.crun).unwrap_or(KeyScheme::NEWEST);
    cache_key_by(scheme, section, fails_on_unknown, passage, host)
}

/// The names that crun warns of, in its order.
fn hidden(
    source: &Arc<Source>,
    section: &Section<'_>,
    host: Option<&Host>,
    libseccomp: Release,
) -> Arc<[Hidden]> {
    // A configuration may be made to hold as many as a file can, and to have many entries.
    const MOST_HIDDEN: usize = 100;
    let native = host.and_then(|host| Arch::from_name(&host.uname.machine));
    let planned = crun::plan(
        section,
        Conditions {
            parser: Parser::of(version(host)),
            libseccomp,
            native: native.unwrap_or(Arch::X86_64),
            fails_on_unknown: false,
        },
    );
    let places = planned.warned.into_iter().filter_map(|ignored| {
        Some(Hidden {
            location: Location::node(source, ignored.node?),
            syscall: ignored.name,
        })
    });
    places.take(MOST_HIDDEN).collect()
}

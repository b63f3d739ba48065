//! What entries may have been made from: containers' configurations, and
//! profiles that the user gave; their keys, and what crun warns of in each.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Host;
use super::deciding::place_in;
use super::entry::{By, Hidden};
use super::key::{self, KeyError, KeyScheme, cache_key_by};
use super::resolution::{Resolution, SeenSets};
use super::root::{ContainerDirectory, Item, RootError, StateRoot};
use super::sections::{Known, SectionId, Sections};
use super::storage::Storage;
use crate::engine;
use crate::finding::Location;
use crate::profile::{self, Addition, Found, GivenBases, ProfileFile, UnseenBase};
use crate::runtime::Section;
use crate::runtime::crun::{self, Annotations, Conditions, Parser};
use crate::syscalls::{Arch, Release};
use crate::text::{Node, Source, json};

/// A configuration or profile that entries may have been made from.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) source: Arc<Source>,
    /// What may add to it, if it is a profile.
    pub(super) bases: Option<Arc<GivenBases>>,
    pub(super) container: Option<String>,
    /// How the profile became a section; `None` if it is one as it stands.
    pub(super) resolved: Option<Resolution>,
    /// The inode of the container's filter.
    pub(super) filter: Option<(u64, u64)>,
    /// The name that an entry made from it has, if that is known.
    pub(super) key: Option<String>,
    /// What it asks for; `None` if nothing is known of the host.
    pub(super) section: Option<SectionId>,
    /// Whether the container's filter has that name; `None` if it is no entry, or has no key.
    pub(super) agrees: Option<bool>,
    /// Shared by all entries that it explains.
    pub(super) hidden: Arc<[Hidden]>,
}

/// What candidates are looked for with.
pub(super) struct Search<'a> {
    pub(super) host: Option<&'a Host>,
    /// By which names are judged.
    pub(super) known_to: Release,
    /// The entries to be explained, in order.
    pub(super) names: Vec<&'a str>,
    /// The capabilities of the containers that were seen.
    pub(super) seen: SeenSets,
    /// What may add to profiles.
    pub(super) bases: Arc<GivenBases>,
    /// What was found to be asked for.
    pub(super) sections: Sections,
    /// How many bytes of the configurations are still kept that explain no entry by its key.
    pub(super) spare: usize,
    /// What kept it from knowing more so far, in sentences.
    pub(super) notes: Vec<String>,
}

impl Search<'_> {
    /// A container's configuration, if it has a section that crun makes its filter from.
    pub(super) fn container(
        &mut self,
        root: &StateRoot,
        container: ContainerDirectory,
    ) -> Option<Candidate> {
        let path = root.path().join(&container.id).join("config.json");
        let path = path.display().to_string();
        let Some(bytes) = container.configuration else {
            if container.filter.is_some() || !container.is_readable {
                self.notes.push(format!("{path} could not be read"));
            }
            return None;
        };
        self.configuration(path, bytes, container.id, container.filter)
    }

    /// The containers that an engine keeps, as far as they are not among those that crun has.
    pub(super) fn stored(
        &mut self,
        storage: &Storage,
        known: &[Candidate],
    ) -> Result<Vec<Candidate>, RootError> {
        let (mut found, mut unreadable, mut dropped) = (Vec::new(), 0, 0);
        let known = known.iter().filter_map(|known| known.container.as_deref());
        let known: HashSet<&str> = known.collect();
        let stored = storage.list()?;
        for container in storage.read(&stored) {
            if known.contains(container.id.as_str()) {
                continue;
            }
            let Some(bytes) = container.configuration else {
                unreadable += 1;
                continue;
            };
            let candidate = self.configuration(container.path, bytes, container.id, None);
            match candidate.map(|candidate| (self.keeps(&candidate), candidate)) {
                Some((true, candidate)) => found.push(candidate),
                Some((false, _)) => dropped += 1,
                None => {}
            }
        }
        let path = storage.path().display();
        if unreadable > 0 {
            self.notes.push(format!(
                "{path}: {unreadable} of its containers could not be read"
            ));
        }
        if dropped > 0 {
            self.notes.push(format!(
                "{path}: {dropped} of its containers explain no entry by its key, and are too many to be compared with others"
            ));
        }
        if stored.is_cut {
            self.notes.push(format!(
                "{path}: it has more containers than are read, so that some entries may not be explained"
            ));
        }
        Ok(found)
    }

    fn configuration(
        &mut self,
        path: String,
        bytes: Vec<u8>,
        container: String,
        filter: Option<(u64, u64)>,
    ) -> Option<Candidate> {
        let source = Arc::new(Source::new(path, bytes));
        let document = json::parse(source.bytes());
        self.seen.add(&document);
        let parser = Parser::of(version(self.host));
        let annotations = Annotations::of(&document, source.bytes(), parser);
        if annotations.has_filter {
            // The annotation is the filter, and crun passes the cache by.
            return None;
        }
        let Found::Profile(profile) = profile::find(&document, None) else {
            return None;
        };
        let fails = annotations.fails_on_unknown;
        let (mut key, mut asked, mut unknown) = (None, None, Arc::default());
        match key::section(&document, source.bytes(), &profile, version(self.host)) {
            Ok(section) => {
                key = self.host.map(|host| made(&section, fails, host));
                asked = self.add(&section, fails);
                // Where crun refuses instead of warning, an entry shows that it knew all names.
                if !fails && asked.is_none_or(|known| known.warns) {
                    unknown = self.hidden(&section, |node| Location::node(&source, node));
                }
            }
            Err(KeyError::NoSection) => return None,
            Err(error) => self.no_key(&source, &error),
        }
        Some(Candidate {
            hidden: unknown,
            bases: None,
            container: Some(container),
            resolved: None,
            filter,
            key,
            section: asked.map(|known| known.id),
            agrees: None,
            source: Arc::clone(&source),
        })
    }

    fn add(&mut self, section: &Section<'_>, fails_on_unknown: bool) -> Option<Known> {
        let host = self.host?;
        let known_to = self.known_to;
        Some((self.sections).add(section, fails_on_unknown, host, known_to))
    }

    /// Whether there is room for a candidate. Nobody knows how many there are, or how large.
    fn keeps(&mut self, candidate: &Candidate) -> bool {
        if self.explains(candidate.key.as_deref()) {
            return true;
        }
        let bytes = candidate.source.bytes().len();
        let left = self.spare.checked_sub(bytes);
        self.spare = left.unwrap_or(self.spare);
        left.is_some()
    }

    /// What of the profiles in a file that the user gave explains entries.
    pub(super) fn profiles(&mut self, source: &Arc<Source>) -> Vec<Candidate> {
        let mut found = Vec::new();
        for file in profile::files(source, &self.bases) {
            self.profile(source, &file, &mut found);
        }
        found
    }

    /// Nobody knows which way a profile came to crun, so all are tried.
    fn profile(
        &mut self,
        source: &Arc<Source>,
        file: &ProfileFile<'_>,
        found: &mut Vec<Candidate>,
    ) {
        let (document, bytes) = (file.document(), file.bytes());
        let Found::Profile(profile) = profile::find(document, None) else {
            let name = source.name();
            self.notes.push(format!("{name}: not a profile"));
            return;
        };
        if let Some(Addition::Unseen(why)) = &file.addition {
            let place = file
                .document()
                .root()
                .map(|root| place_in(file, source, root));
            let place = place.and_then(|place| Some(source.position(place.span?.start)));
            let place = place.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
            let help = match why {
                UnseenBase::Missing(_) => "give the file that holds it as well, by --profile",
                _ => why.help(),
            };
            self.notes.push(format!(
                "{}{place}: the profile explains no entry: {why}, and what it adds is part of the filter: {help}",
                source.name()
            ));
            return;
        }
        let Some(host) = self.host else {
            return;
        };
        let as_it_stands = key::section(document, bytes, &profile, &host.crun);
        if let Ok(section) = &as_it_stands {
            self.section((source, file), section, host, None, found);
        }
        let mut sections = HashSet::new();
        for (resolution, circumstances) in self.seen.resolutions(&host.uname) {
            let engine = resolution.engine;
            let Ok(resolved) = engine::resolve(bytes, document, engine, &circumstances) else {
                continue;
            };
            let (Ok(handed), Ok(text)) = (&resolved.section, resolved.to_json()) else {
                continue;
            };
            // Most ways lead to the same few sections.
            if sections.contains(&text) {
                continue;
            }
            let parsed = json::parse(&text);
            if let Ok(Some(mut section)) = crun::read(&parsed, &text, Parser::of(&host.crun)) {
                move_to_profile(&mut section, handed);
                self.section((source, file), &section, host, Some(&resolution), found);
            }
            sections.insert(text);
        }
        match as_it_stands {
            Err(error) if sections.is_empty() => self.no_key(source, &error),
            _ => {}
        }
    }

    /// Adds a section that a profile became, unless it is there.
    fn section(
        &mut self,
        (source, file): (&Arc<Source>, &ProfileFile<'_>),
        section: &Section<'_>,
        host: &Host,
        resolved: Option<&Resolution>,
        found: &mut Vec<Candidate>,
    ) {
        for fails in [false, true] {
            let key = Some(made(section, fails, host));
            if fails && !self.explains(key.as_deref()) {
                continue;
            }
            let asked = self.add(section, fails);
            let id = asked.map(|known| known.id);
            if found.iter().any(|it| it.key == key && it.section == id) {
                continue;
            }
            let mut hidden = Arc::default();
            if asked.is_none_or(|known| known.warns) {
                hidden = self.hidden(section, |node| place_in(file, source, node));
            }
            // Where crun fails on unknown names, a profile that has one leaves no entry.
            if fails && !hidden.is_empty() {
                continue;
            }
            found.push(Candidate {
                hidden,
                bases: Some(Arc::clone(&self.bases)),
                container: None,
                resolved: resolved.cloned(),
                filter: None,
                key,
                section: asked.map(|known| known.id),
                agrees: None,
                source: Arc::clone(source),
            });
        }
    }

    /// What kept it from knowing more, with profiles or without.
    pub(super) fn notes(mut self, had_profiles: bool) -> Vec<String> {
        if had_profiles && self.seen.is_full {
            self.notes.push(
                "containers have more sets of capabilities than profiles are resolved for"
                    .to_owned(),
            );
        }
        self.notes
    }

    /// Whether there is an entry of that name.
    fn explains(&self, key: Option<&str>) -> bool {
        key.is_some_and(|key| self.names.binary_search(&key).is_ok())
    }

    fn no_key(&mut self, source: &Source, why: &KeyError) {
        let name = source.name();
        self.notes
            .push(format!("{name}: no key could be made: {why}"));
    }

    /// The names that crun warns of, in its order.
    fn hidden<'d>(
        &self,
        section: &Section<'d>,
        place: impl Fn(Node<'d>) -> Location,
    ) -> Arc<[Hidden]> {
        // A configuration may be made to hold as many as a file can, and to have many entries.
        const MOST_HIDDEN: usize = 100;
        let native = (self.host).and_then(|host| Arch::from_name(&host.uname.machine));
        let planned = crun::plan(
            section,
            Conditions {
                parser: Parser::of(version(self.host)),
                libseccomp: self.known_to.into(),
                native: native.unwrap_or(Arch::X86_64),
                fails_on_unknown: false,
            },
        );
        let places = planned.warned.into_iter().filter_map(|ignored| {
            Some(Hidden {
                location: place(ignored.node?),
                syscall: ignored.name,
            })
        });
        places.take(MOST_HIDDEN).collect()
    }
}

/// Says of each name in a section that an engine made where it stands in the profile.
pub(super) fn move_to_profile<'d>(section: &mut Section<'d>, handed: &engine::Section<'d>) {
    for (entry, handed) in section.entries.iter_mut().zip(&handed.syscalls) {
        let mut written = handed.origin.into_iter().flat_map(engine::names);
        for name in &mut entry.names {
            let is_it = |node: &Node<'_>| node.as_str() == Some(name.as_str());
            name.node = written.find(is_it).or(handed.origin);
        }
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
            if let Some(key) = &candidate.key {
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

    /// The first candidate of some sections, if they are all of one file.
    pub(super) fn only_of(&self, sections: &[SectionId]) -> Option<&'c Candidate> {
        let is_of = |it: &&Candidate| it.section.is_some_and(|it| sections.contains(&it));
        let mut found = self.all.iter().filter(is_of);
        let first = found.next()?;
        found
            .all(|other| other.source.name() == first.source.name())
            .then_some(first)
    }
}

/// The version of a host's crun, as far as it is known: it decides how a section is read.
fn version(host: Option<&Host>) -> &str {
    host.map_or("", |host| host.crun.as_str())
}

/// The key that an entry may have. For a crun that is not known here it is made as
/// for the newest that is: a wrong one is the name of nothing.
fn made(section: &Section<'_>, fails_on_unknown: bool, host: &Host) -> String {
    let scheme = KeyScheme::of(&host.crun).unwrap_or(KeyScheme::NEWEST);
    cache_key_by(scheme, section, fails_on_unknown, host)
}

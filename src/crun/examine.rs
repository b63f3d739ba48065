//! What the audit makes of a file in the cache.

use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rayon::prelude::*;
use rustix::fs::FileType;

use super::candidate::{Candidate, Candidates};
use super::content::{Compared, Comparer, Content, MergeBug, Outcome, Witness};
use super::deciding::{Deciders, Told};
use super::entry::{self, Attribution, By, Entry, Status, check_permissions, describe, is_key};
use super::root::{Item, StateRoot, read_into};
use super::weak::Weakness;
use super::{Host, merge_bug, rules, told};
use crate::filter::{self, ByteOrder, Filter, Refused};
use crate::finding::{Finding, Location};

/// How many entries are read at once, and held in memory.
const AT_ONCE: usize = 512;

/// What is in an entry.
enum Contents {
    /// What the kernel takes for a filter, and what there is to know of it if nothing explains it by
    /// its name or its links.
    Filter(Filter, Option<Glance>),
    /// A filter that nothing explains, or could, and in which nothing is weak: all that there is to
    /// say of it is said, and nobody needs it in memory.
    Told,
    /// What it refuses; if only for its byte order, that one and the host's.
    Refused(Refused, Option<(ByteOrder, ByteOrder)>),
    /// It may not be read, or is gone.
    Unread,
}

/// What one look at a filter tells.
#[derive(Clone, Copy)]
struct Glance {
    /// Of its bytes.
    digest: blake3::Hash,
    /// Whether it is clear that nothing is weak in it.
    is_sound: bool,
}

/// In what an entry is not what a configuration asks for.
pub(super) struct Mismatch<'a> {
    /// The configuration.
    pub(super) candidate: &'a Candidate,
    /// A call that shows it, or why no filter that libseccomp makes is like that.
    pub(super) shown: Result<Witness, String>,
    /// Another configuration that has the same key, and asks for what the entry is.
    pub(super) other: Option<&'a Candidate>,
    /// Whether it is a bug of the libseccomp that made the entry, and nothing else.
    pub(super) bug: MergeBug,
}

/// What a file in the cache is held against.
pub(super) struct Examiner<'a> {
    pub(super) root: &'a StateRoot,
    /// The cache's path.
    pub(super) path: String,
    /// The cache, if there is one.
    pub(super) directory: Option<&'a OwnedFd>,
    pub(super) host: Option<&'a Host>,
    pub(super) candidates: Candidates<'a>,
    pub(super) comparer: Comparer<'a>,
    pub(super) deciders: Deciders,
    /// Whether there are containers from before an update.
    pub(super) is_mixed: bool,
    /// What came of filters that no name and no link explains: many entries may have the same.
    pub(super) unexplained: HashMap<blake3::Hash, Unexplained<'a>>,
}

/// What is to be said of a filter whatever its name is.
#[derive(Clone)]
pub(super) struct Unexplained<'a> {
    candidate: Option<&'a Candidate>,
    weakness: Option<Weakness>,
}

impl<'a> Examiner<'a> {
    /// What the audit makes of the files in the cache, in their order.
    pub(super) fn examine_all(
        &mut self,
        items: &[Item],
        findings: &mut Vec<Finding>,
    ) -> Vec<Entry> {
        let is_unexplained = |item: &Item| self.candidates.of(item).next().is_none();
        let mut places: Vec<_> = (0..)
            .zip(items)
            .map(|(place, item)| (place, item, is_unexplained(item)))
            .collect();
        // Time may run out, and there may be any number of others.
        places.sort_by_key(|&(.., is_unexplained)| is_unexplained);
        let mut examined = Vec::with_capacity(items.len());
        let (mut told, mut all_told) = (Vec::new(), Vec::new());
        let reader = Reader {
            directory: self.directory,
            order: self.host.and_then(Host::byte_order),
            is_explainable: self.comparer.has_plans(),
        };
        for some in places.chunks(AT_ONCE) {
            let read: Vec<_> = some
                .par_iter()
                .map_init(Vec::new, |buffer, &(_, item, is_unexplained)| {
                    reader.contents(item, is_unexplained, buffer)
                })
                .collect();
            for (&(place, item, _), contents) in some.iter().zip(&read) {
                examined.push((place, self.examine(item, contents, &mut told)));
                all_told.extend(told.drain(..).map(|finding| (place, finding)));
            }
        }
        // Sorting is stable.
        examined.sort_by_key(|&(place, _)| place);
        all_told.sort_by_key(|&(place, _)| place);
        findings.extend(all_told.into_iter().map(|(_, finding)| finding));
        examined.into_iter().map(|(_, entry)| entry).collect()
    }

    /// What the audit makes of a file in the cache.
    fn examine(&mut self, item: &Item, contents: &Contents, findings: &mut Vec<Finding>) -> Entry {
        let mut entry = Entry::of(item);
        let location = entry::at(format!("{}/{}", self.path, item.name));
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
        let mut explained: Vec<_> = self.candidates.of(item).collect();
        entry.is_unread = matches!(contents, Contents::Unread);
        let (mut mismatch, mut bug, mut weakness) = (None, None, None);
        if let Contents::Filter(filter, glance) = contents {
            if let Some(glance) = glance {
                let found = self.unexplained(filter, *glance);
                explained.extend(found.candidate.map(|candidate| (candidate, By::Content)));
                weakness = found.weakness;
            }
            (entry.content, mismatch) = self.compare(filter, &mut explained);
            bug = match self.merge_bug(filter, &explained, mismatch.as_ref()) {
                Ok(bug) => bug,
                Err(reason) => {
                    if let Some(content) = &mut entry.content {
                        content
                            .reason
                            .get_or_insert_with(|| merge_bug::not_known(&reason));
                    }
                    None
                }
            };
        }
        attribute(&mut entry, &explained);
        entry.is_vulnerable =
            (mismatch.as_ref()).is_some_and(|it| matches!(it.bug, MergeBug::Alone(_)));
        entry.status = if let Contents::Refused(..) = contents {
            Status::Malformed
        } else if mismatch.is_some() {
            Status::Mismatch
        } else if entry.hidden().next().is_some() {
            Status::HidesWarnings
        } else if !entry.attributed.is_empty() {
            Status::Clean
        } else {
            Status::Unattributed
        };
        findings.extend(self.verdict(&entry, contents, mismatch.as_ref(), location.clone()));
        if let Some((candidate, witness)) = bug {
            let is_old = entry.stale == Some(true) || !self.comparer.is_vulnerable();
            let told = told::vulnerable(&entry, candidate, &witness, is_old, location.clone());
            findings.push(told::asked_at(told, self.deciding(candidate, &witness)));
        }
        if let Contents::Filter(filter, _) = contents
            && !explained.is_empty()
        {
            weakness = self.weakness(&entry, filter, &explained);
        }
        findings.extend(weakness.map(|it| told::weakness(&entry, &it, location.clone())));
        findings.extend(self.stale(&entry, location));
        entry
    }

    /// The candidate that asks for a filter, if there is exactly one, or else what is weak in it.
    fn unexplained(&mut self, filter: &Filter, glance: Glance) -> Unexplained<'a> {
        let Glance { digest, is_sound } = glance;
        if let Some(known) = self.unexplained.get(&digest) {
            return known.clone();
        }
        let sections = self.comparer.sections_of(filter);
        let candidate = self.candidates.only_of(&sections);
        let is_known = is_sound || !sections.is_empty() || self.comparer.is_late();
        let weakness = (!is_known).then(|| Weakness::of(filter, None));
        let found = Unexplained {
            candidate,
            weakness: weakness.flatten(),
        };
        self.unexplained.insert(digest, found.clone());
        found
    }

    /// Compares an entry with all that explains it. Of the ways that a profile may have come to
    /// crun, one is left: the one that asks for what the entry is, if any does.
    fn compare(
        &mut self,
        filter: &Filter,
        explained: &mut Vec<(&'a Candidate, By)>,
    ) -> (Option<Content>, Option<Mismatch<'a>>) {
        let mut known = HashMap::new();
        let mut outcomes = Vec::new();
        for &(candidate, by) in &*explained {
            let outcome = match candidate.section {
                None => Outcome::Unknown("it is not known which crun made it".to_owned()),
                Some(section) => known
                    .entry(section)
                    .or_insert_with(|| self.comparer.compare(filter, section))
                    .clone(),
            };
            outcomes.push((candidate, by, outcome));
        }
        // Sorting is stable.
        let mut profiles = HashSet::new();
        outcomes.sort_by_key(|(candidate, _, outcome)| {
            candidate.container.is_none() && !outcome.is_equal()
        });
        outcomes.retain(|(candidate, ..)| {
            candidate.container.is_some() || profiles.insert(candidate.source.name())
        });
        *explained = (outcomes.iter())
            .map(|&(candidate, by, _)| (candidate, by))
            .collect();
        let is_by_key = |candidate: &Candidate| {
            let mut others = explained.iter();
            others.any(|(it, by)| *by != By::Link && std::ptr::eq(*it, candidate))
        };
        let bug = |candidate: &Candidate| {
            let section = candidate.section.filter(|_| self.comparer.is_vulnerable());
            section.map_or(MergeBug::No, |it| self.comparer.merge_bug(filter, it))
        };
        let mut content: Option<Content> = None;
        for (candidate, _, outcome) in &outcomes {
            let bug = match outcome {
                Outcome::Unknown(_) | Outcome::Differs(_) if is_by_key(candidate) => bug(candidate),
                _ => MergeBug::No,
            };
            let outcome = match (outcome, &bug) {
                (Outcome::Unknown(_), MergeBug::Alone(witness)) => &Outcome::Differs(Ok(*witness)),
                _ => outcome,
            };
            let (compared, reason) = match outcome {
                Outcome::Differs(_) if !is_by_key(candidate) => (
                    Compared::No,
                    Some(
                        "another crun, libseccomp or kernel made it, whose filters may differ"
                            .to_owned(),
                    ),
                ),
                Outcome::Differs(shown) => {
                    let other = outcomes.iter().find(|(.., outcome)| outcome.is_equal());
                    let content = Content {
                        compared: Compared::Meaning,
                        reason: shown.as_ref().err().cloned(),
                        witness: shown.as_ref().ok().copied(),
                    };
                    let mismatch = Mismatch {
                        candidate,
                        shown: shown.clone(),
                        other: other.map(|(other, ..)| *other),
                        bug: if other.is_none() { bug } else { MergeBug::No },
                    };
                    return (Some(content), Some(mismatch));
                }
                Outcome::Unknown(reason) => (Compared::No, Some(reason.clone())),
                Outcome::Meaning => (Compared::Meaning, None),
                Outcome::Bytes => (Compared::Bytes, None),
            };
            if (content.as_ref()).is_none_or(|least| compared < least.compared) {
                content = Some(Content {
                    compared,
                    reason,
                    witness: None,
                });
            }
        }
        (content, None)
    }

    /// A call that libseccomp got wrong when it made an entry, as it would again or for a crun that
    /// was here before, and for whom; or why that is not known.
    fn merge_bug(
        &self,
        filter: &Filter,
        explained: &[(&'a Candidate, By)],
        mismatch: Option<&Mismatch<'_>>,
    ) -> Result<Option<(&'a Candidate, Witness)>, String> {
        if mismatch.is_some() {
            return Ok(None);
        }
        let mut unknown = None;
        for &(candidate, by) in explained {
            // Of what need not be crun's entry now, the release is not known.
            let is_old =
                self.comparer.is_vulnerable() || by == By::Link && candidate.agrees != Some(true);
            let Some(section) = candidate.section.filter(|_| is_old) else {
                continue;
            };
            match self.comparer.merge_bug(filter, section) {
                MergeBug::Alone(witness) => return Ok(Some((candidate, witness))),
                MergeBug::Unknown(reason) => unknown = Some(reason),
                MergeBug::No => {}
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// The places where a configuration asks for what a call does not get.
    fn deciding(&mut self, candidate: &'a Candidate, witness: &Witness) -> Vec<Told> {
        match self.host {
            Some(host) if !self.comparer.is_late() => {
                self.deciders.places(candidate, witness, host)
            }
            _ => Vec::new(),
        }
    }

    fn verdict(
        &mut self,
        entry: &Entry,
        contents: &Contents,
        mismatch: Option<&Mismatch<'a>>,
        location: Location,
    ) -> Option<Finding> {
        let finding = match entry.status {
            Status::Malformed => {
                let Contents::Refused(refused, orders) = contents else {
                    return None;
                };
                told::malformed(entry, refused, *orders, location)
            }
            Status::Mismatch => {
                let mismatch = mismatch?;
                let candidate = mismatch.candidate;
                let told = match (&mismatch.bug, &mismatch.shown) {
                    (MergeBug::Alone(_), Ok(witness)) => {
                        told::vulnerable(entry, candidate, witness, false, location)
                    }
                    _ => told::mismatch(entry, mismatch, location),
                };
                match &mismatch.shown {
                    Ok(witness) => told::asked_at(told, self.deciding(candidate, witness)),
                    Err(_) => told,
                }
            }
            Status::HidesWarnings => told::hides_warnings(entry, location),
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

    /// What is weak in an entry that is explained, and not known to be as asked. What is as asked is
    /// for the rules about profiles to judge.
    fn weakness(
        &self,
        entry: &Entry,
        filter: &Filter,
        explained: &[(&Candidate, By)],
    ) -> Option<Weakness> {
        if entry.is_compared() == Some(true) || self.comparer.is_late() {
            return None;
        }
        let sections = self.comparer.sections;
        let mut plans = explained
            .iter()
            .filter_map(|(it, _)| sections.plan(it.section?));
        Weakness::of(filter, plans.next())
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

/// Says what explains the entry, and so whether crun here uses it.
fn attribute(entry: &mut Entry, explained: &[(&Candidate, By)]) {
    let mut last = None;
    for &(candidate, by) in explained {
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
            By::Link | By::Content => {}
        }
    }
}

/// Reads entries, any number of them at once.
struct Reader<'a> {
    directory: Option<&'a OwnedFd>,
    /// That of the host's machine, if it is known.
    order: Option<ByteOrder>,
    /// Whether there is anything that a filter may be made of.
    is_explainable: bool,
}

impl Reader<'_> {
    /// Reads an entry, once and no further than a filter can be long, and asks whether the kernel
    /// of its machine takes it.
    fn contents(&self, item: &Item, is_unexplained: bool, buffer: &mut Vec<u8>) -> Contents {
        if !is_key(&item.name) || item.stat.kind != FileType::RegularFile {
            return Contents::Unread;
        }
        if let Some(refused) = Refused::by_size(item.stat.bytes) {
            return Contents::Refused(refused, None);
        }
        let read = |directory| read_into(directory, &item.name, filter::MAX_BYTES, buffer);
        if self.directory.and_then(read).is_none() {
            return Contents::Unread;
        }
        let read = match self.order {
            Some(order) => Filter::read(buffer, order),
            None => Filter::detect(buffer),
        };
        match (read, self.order) {
            (Ok(filter), _) if is_unexplained => {
                let is_sound = Weakness::is_clearly_none(&filter);
                if is_sound && !self.is_explainable {
                    return Contents::Told;
                }
                let digest = blake3::hash(buffer);
                Contents::Filter(filter, Some(Glance { digest, is_sound }))
            }
            (Ok(filter), _) => Contents::Filter(filter, None),
            (Err(refused), Some(order)) => {
                let other = Filter::detect(buffer).ok().map(|filter| filter.order());
                Contents::Refused(refused, other.map(|other| (other, order)))
            }
            (Err(refused), None) => Contents::Refused(refused, None),
        }
    }
}

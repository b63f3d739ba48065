//! The profiles of two versions of a file, each beside its namesake.

use std::collections::{HashMap, HashSet};
use std::sync::Arc as Shared;

use crate::cli::CliError;
use crate::cli::engine::{of_dialect, of_dialects};
use crate::cli::meaning::is_binary;
use crate::cli::profile::{Names, one};
use crate::engine::Engine;
use crate::filter::Filter;
use crate::profile::{self, Dialects, Found, GivenBases, ProfileFile};
use crate::text::Source;

/// A version of a file, and what is in it.
pub(super) struct Version<'v> {
    source: &'v Shared<Source>,
    /// None if it is a filter.
    files: Vec<ProfileFile<'v>>,
    names: Names,
}

/// A profile of a version, or its filter.
#[derive(Clone, Copy)]
pub(super) struct Part<'v> {
    pub(super) source: &'v Shared<Source>,
    /// `None` for a filter.
    pub(super) file: Option<&'v ProfileFile<'v>>,
    /// What tells it from the others of its file, if it has a name.
    pub(super) name: Option<&'v str>,
}

impl<'v> Part<'v> {
    /// Those that an engine or a runtime is given.
    pub(super) fn bytes(&self) -> &'v [u8] {
        self.file.map_or(self.source.bytes(), ProfileFile::bytes)
    }
}

/// A profile of the old version and its namesake in the new one; one may not be there.
pub(super) type Pair<'v> = [Option<Part<'v>>; 2];

impl<'v> Version<'v> {
    pub(super) fn new(source: &'v Shared<Source>, bases: &GivenBases) -> Self {
        let files = if is_binary(source) {
            Vec::new()
        } else {
            profile::files(source, bases)
        };
        Self {
            source,
            names: Names::of(&files),
            files,
        }
    }

    /// Whether neither a profile nor a filter is in it.
    pub(super) fn is_nothing(&self) -> bool {
        if self.files.is_empty() {
            return Filter::detect(self.source.bytes()).is_err();
        }
        let mut files = self.files.iter();
        files.all(|file| matches!(profile::find(file.document(), None), Found::Nothing))
    }

    fn part(&'v self, file: Option<&'v ProfileFile<'v>>) -> Part<'v> {
        Part {
            source: self.source,
            file,
            name: file.and_then(|file| self.names.telling(file)),
        }
    }

    /// The one that is meant.
    fn one(&'v self, name: Option<&str>) -> Result<Part<'v>, CliError> {
        if self.files.is_empty() {
            return Ok(self.part(None));
        }
        let file = one(&self.files, self.source, name, "a filter")?;
        Ok(self.part(Some(file)))
    }

    /// What tells each profile from the others; `None` if something has no name, or not one of its
    /// own.
    fn names(&'v self) -> Option<Vec<(&'v str, Part<'v>)>> {
        let mut names: Vec<(&str, Part<'_>)> = Vec::with_capacity(self.files.len());
        let mut seen = HashSet::new();
        for file in &self.files {
            let name = file.names().last()?;
            if !seen.insert(name) {
                return None;
            }
            names.push((name, self.part(Some(file))));
        }
        (!names.is_empty()).then_some(names)
    }
}

/// What is to be compared: the profiles of a name, or the only ones, or each with its namesake, first
/// those of the new version.
pub(super) fn pairs<'v>(
    old: Option<&'v Version<'v>>,
    new: Option<&'v Version<'v>>,
    name: Option<&str>,
) -> Result<Vec<Pair<'v>>, CliError> {
    let is_one = |version: &Version<'_>| name.is_some() || version.files.len() < 2;
    let all = [old, new].into_iter().flatten();
    if all.clone().all(is_one) {
        let part = |version: Option<&'v Version<'v>>| version.map(|it| it.one(name)).transpose();
        return Ok(vec![[part(old)?, part(new)?]]);
    }
    let named = |version: Option<&'v Version<'v>>| {
        match version {
        None => Ok(Vec::new()),
        Some(version) => match version.names() {
            Some(names) => Ok(names),
            // Says which there are.
            None => version.one(None).and_then(|_| {
                Err(CliError::Usage(format!(
                    "{}: the profile has no name by which it can be compared with one of several; --name says with which",
                    version.source.name()
                )))
            }),
        },
    }
    };
    let (old, new) = (named(old)?, named(new)?);
    let mut namesakes: HashMap<&str, Part<'_>> = old.iter().copied().collect();
    let mut pairs: Vec<_> = new
        .into_iter()
        .map(|(name, part)| [namesakes.remove(name), Some(part)])
        .collect();
    let is_left = |(name, _): &(&str, Part<'_>)| namesakes.contains_key(name);
    pairs.extend(
        old.into_iter()
            .filter(is_left)
            .map(|(_, part)| [Some(part), None]),
    );
    Ok(pairs)
}

/// The engines as which the two are read, where none was chosen, and what is to be said of them: the
/// same one, if it reads both.
pub(super) fn engines(pair: &Pair<'_>) -> ([Option<Engine>; 2], Option<String>) {
    let known = pair.map(|part| {
        let document = part?.file?.document();
        match profile::find(document, None) {
            Found::Profile(profile) => Some((profile.dialects, of_dialect(&profile))),
            _ => None,
        }
    });
    let own = known.map(|it| it.and_then(|(_, engine)| engine));
    let [Some((old, _)), Some((new, _))] = known else {
        return (own, None);
    };
    if own == [None, None] {
        return (own, None);
    }
    let common = of_dialects(old & new & Dialects::DOCKER.or(Dialects::PODMAN));
    if common.is_some() {
        return ([common; 2], None);
    }
    let [old, new] = own.map(|engine| match engine {
        Some(engine) => format!("as {} reads it", engine.title()),
        None => "as the section that reaches the runtime".to_owned(),
    });
    let note = format!("no engine reads both: the old one is taken {old}, the new one {new}");
    (own, Some(note))
}

//! The profiles that engines are given: those of the rule book, default ones, and, if
//! `SECLINT_CORPUS` names a directory, those in it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seclint::capabilities::CAPABILITIES;

use crate::engine_records::Observed;
use crate::repository;

/// How the names of examples begin.
const EXAMPLE: &str = "example of ";

/// A profile for an engine.
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Profile {
    fn read(name: String, path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        Ok(Self { name, bytes })
    }

    /// The capabilities that it names, in the order of names.
    pub(crate) fn capabilities(&self) -> BTreeSet<&'static str> {
        let text = String::from_utf8_lossy(&self.bytes);
        let words = text.split(|it: char| !it.is_ascii_uppercase() && it != '_');
        let known = |word: &str| CAPABILITIES.iter().copied().find(|it| *it == word);
        words.filter_map(known).collect()
    }
}

/// Every profile, once.
pub(crate) fn all(defaults: &[PathBuf]) -> io::Result<Vec<Profile>> {
    let mut profiles = examples()?;
    for path in defaults {
        profiles.push(Profile::read(path.display().to_string(), path)?);
    }
    if let Some(corpus) = std::env::var_os("SECLINT_CORPUS") {
        for path in sorted(Path::new(&corpus))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".json") {
                profiles.push(Profile::read(name.into_owned(), &path)?);
            }
        }
    }
    Ok(once(profiles))
}

/// Every bad and good example of the rule book that is JSON.
pub(crate) fn examples() -> io::Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for category in sorted(&repository("rules"))? {
        for page in sorted(&category)? {
            let name = page.file_stem().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&page)?;
            // What follows each fence that opens: a fence is closed before the next one opens.
            let fences = text.split("\n```json ").skip(1).filter_map(|rest| {
                let (info, rest) = rest.split_once('\n')?;
                let is_example = info.starts_with("bad") || info.starts_with("good");
                let (profile, _) = rest.split_once("```\n").filter(|_| is_example)?;
                Some(profile)
            });
            profiles.extend(fences.enumerate().map(|(number, profile)| Profile {
                name: format!("{EXAMPLE}{name}-{number}"),
                bytes: profile.as_bytes().to_vec(),
            }));
        }
    }
    Ok(once(profiles))
}

/// Records with those of examples that are no more left out, and those that are new added, each
/// with some choices of options.
pub(crate) fn with_examples(
    records: Vec<Observed>,
    choices: impl Fn(&Profile) -> Vec<Vec<String>>,
) -> io::Result<Vec<Observed>> {
    let is_example = |record: &Observed| record.case.starts_with(EXAMPLE);
    let (known, mut records): (Vec<_>, Vec<_>) = records.into_iter().partition(is_example);
    for profile in examples()? {
        let text = String::from_utf8_lossy(&profile.bytes);
        for options in choices(&profile) {
            let new = Observed::new(&profile.name, &text, options);
            let is_it = |it: &&Observed| it.case == new.case && it.profile() == new.profile();
            let known = known.iter().find(is_it).cloned();
            records.push(known.unwrap_or(new));
        }
    }
    Ok(records)
}

fn once(mut profiles: Vec<Profile>) -> Vec<Profile> {
    let mut seen = BTreeSet::new();
    profiles.retain(|profile| seen.insert(profile.bytes.clone()));
    profiles
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

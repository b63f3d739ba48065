//! Profiles that have another name than in a revision.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::git::{Changed, Entry, Revision, blob, git, is_something, succeeded};
use super::renames::renames;
use crate::cli::CliError;
use crate::cli::input::read;
use crate::text::Source;

/// The most files on either side that are compared with each other, as git has it
/// (`diff.renameLimit`).
const MOST: usize = 1_000;

/// The files of a repository that were renamed: all of it is looked at, so that the answer is the
/// same whatever was asked about. What git ignores is not looked at.
pub(super) struct Moves {
    top: PathBuf,
    /// What was, and where it is now, from the top.
    pairs: Vec<(Entry, PathBuf)>,
    /// What is to be said of files that are not among them.
    note: Option<String>,
}

impl Moves {
    /// Those of the repositories in which some files have no other version.
    pub(super) fn find<'c>(
        revision: &Revision<'_>,
        all: impl Iterator<Item = &'c Changed> + Clone,
    ) -> Result<Vec<Self>, CliError> {
        let alone = all.filter(|changed| changed.old.is_some() != changed.new.is_some());
        let tops: BTreeSet<_> = alone.clone().map(|changed| &changed.place.top).collect();
        let mut found = Vec::new();
        for top in tops {
            let of_top = alone.clone().filter(|changed| changed.place.top == *top);
            // A profile does not become one of another format and stay alike.
            let extensions: BTreeSet<_> = of_top
                .filter(|changed| changed.is_something())
                .map(|changed| extension(&changed.place.path))
                .collect();
            if !extensions.is_empty() {
                found.push(Self::of(revision, top, &extensions)?);
            }
        }
        Ok(found)
    }

    fn of(
        revision: &Revision<'_>,
        top: &Path,
        extensions: &BTreeSet<OsString>,
    ) -> Result<Self, CliError> {
        let was = revision.tree(top, Path::new("."), true)?;
        let known: BTreeSet<_> = was.iter().map(|entry| entry.path.clone()).collect();
        let (mut gone, mut come) = (was, files(top)?);
        gone.retain(|entry| {
            extensions.contains(&extension(&entry.path))
                && top.join(&entry.path).symlink_metadata().is_err()
        });
        come.retain(|path| {
            let is_file = |path: PathBuf| path.symlink_metadata().is_ok_and(|it| it.is_file());
            extensions.contains(&extension(path))
                && !known.contains(path)
                && is_file(top.join(path))
        });
        let mut moves = Self {
            top: top.to_owned(),
            pairs: Vec::new(),
            note: None,
        };
        if gone.is_empty() || come.is_empty() {
            return Ok(moves);
        }
        moves.add_same(&mut gone, &mut come)?;
        if gone.len() > MOST || come.len() > MOST {
            moves.note = Some(format!(
                "whether it was renamed and changed is not known: {} files are gone and {} are new, and git too compares no more than {MOST} with each other",
                gone.len(),
                come.len()
            ));
        } else {
            moves.add_alike(revision, gone, come)?;
        }
        Ok(moves)
    }

    /// Takes out those that are the same under another name, best the same name elsewhere.
    fn add_same(&mut self, gone: &mut Vec<Entry>, come: &mut Vec<PathBuf>) -> Result<(), CliError> {
        /// So many paths are one command's.
        const AT_ONCE: usize = 200;
        let mut objects = Vec::with_capacity(come.len());
        for paths in come.chunks(AT_ONCE) {
            let arguments = ["hash-object", "--no-filters", "--"].map(OsStr::new);
            let paths = paths.iter().map(|path| path.as_os_str());
            let arguments: Vec<_> = arguments.into_iter().chain(paths).collect();
            let hashed = succeeded(&self.top, git(&self.top, &arguments)?)?;
            let lines = String::from_utf8_lossy(&hashed);
            objects.extend(lines.lines().map(str::to_owned));
        }
        let mut left = Vec::new();
        for (path, object) in come.drain(..).zip(objects) {
            let is_same = |entry: &Entry| entry.object == object;
            let is_namesake =
                |entry: &Entry| is_same(entry) && entry.path.file_name() == path.file_name();
            let place = gone.iter().position(is_namesake);
            match place.or_else(|| gone.iter().position(is_same)) {
                Some(place) => self.pairs.push((gone.remove(place), path)),
                None => left.push(path),
            }
        }
        *come = left;
        Ok(())
    }

    /// Adds profiles that are alike.
    fn add_alike(
        &mut self,
        revision: &Revision<'_>,
        gone: Vec<Entry>,
        come: Vec<PathBuf>,
    ) -> Result<(), CliError> {
        // What cannot be read is said so when it is compared.
        let new = come.into_iter().filter_map(|path| {
            let source = read(&self.top.join(&path)).ok().filter(is_something);
            Some((path, source?))
        });
        let new: Vec<_> = new.collect();
        let mut old: Vec<(Entry, Arc<Source>)> = Vec::new();
        for entry in gone {
            if new
                .iter()
                .any(|(path, _)| extension(path) == extension(&entry.path))
            {
                let name = revision.named(&entry.path);
                let source = blob(&self.top, entry.object.clone()).read(name)?;
                if is_something(&source) {
                    old.push((entry, source));
                }
            }
        }
        let was: Vec<_> = (old.iter())
            .map(|(entry, it)| (&*entry.path, it.bytes()))
            .collect();
        let is: Vec<_> = new.iter().map(|(path, it)| (&**path, it.bytes())).collect();
        let pairs = renames(&was, &is).map_err(|error| {
            CliError::Usage(format!("which files were renamed is not known: {error}"))
        })?;
        let pairs = pairs.into_iter().filter_map(|(was, is)| {
            let (entry, path) = (&old.get(was)?.0, &new.get(is)?.0);
            Some((entry.clone(), path.clone()))
        });
        self.pairs.extend(pairs);
        Ok(())
    }

    /// Puts files together with what they were or became.
    pub(super) fn apply(&self, revision: &Revision<'_>, all: &mut Vec<Result<Changed, CliError>>) {
        let new_ones: BTreeSet<_> = (all.iter().flatten())
            .filter(|changed| changed.place.top == self.top && changed.new.is_some())
            .map(|changed| changed.place.path.clone())
            .collect();
        let pair = |changed: &Changed| {
            let is_new = |(_, path): &&(Entry, PathBuf)| *path == changed.place.path;
            let is_old = |(entry, _): &&(Entry, PathBuf)| entry.path == changed.place.path;
            match (&changed.old, &changed.new) {
                _ if changed.place.top != self.top => None,
                (None, Some(_)) => self.pairs.iter().find(is_new),
                (Some(_), None) => self.pairs.iter().find(is_old),
                _ => None,
            }
        };
        // Those are told of with what they became.
        all.retain(|changed| {
            !matches!(changed, Ok(changed) if changed.new.is_none()
                && pair(changed).is_some_and(|(_, path)| new_ones.contains(path)))
        });
        for changed in all.iter_mut().flatten() {
            if let Some((entry, path)) = pair(changed) {
                if changed.new.is_none() {
                    changed.new = Some(self.shown(path));
                    changed.place.path.clone_from(path);
                } else {
                    let blob = blob(&self.top, entry.object.clone());
                    changed.old = Some((revision.named(&entry.path), blob));
                }
                changed.renamed_from = Some(entry.path.display().to_string());
            } else if changed.place.top == self.top
                && changed.old.is_some() != changed.new.is_some()
            {
                changed.note.clone_from(&self.note);
            }
        }
    }

    /// A path of the repository, from here.
    fn shown(&self, path: &Path) -> PathBuf {
        let path = self.top.join(path);
        let here = std::env::current_dir().and_then(|here| here.canonicalize());
        let inner = here.ok().and_then(|here| path.strip_prefix(here).ok());
        inner.map_or_else(|| path.clone(), Path::to_owned)
    }
}

/// The files of a working tree that git does not ignore, in the order of their names.
fn files(top: &Path) -> Result<Vec<PathBuf>, CliError> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let listed = succeeded(top, git(top, &arguments)?)?;
    let paths = listed.split(|&byte| byte == 0).filter(|it| !it.is_empty());
    let paths: BTreeSet<_> = paths
        .map(|path| Path::new(OsStr::from_bytes(path)))
        .collect();
    Ok(paths.into_iter().map(Path::to_owned).collect())
}

fn extension(path: &Path) -> OsString {
    path.extension().unwrap_or_default().to_owned()
}

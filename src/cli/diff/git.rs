//! Files of a revision in git.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use super::renames::renames;
use super::version::Version;
use crate::cli::CliError;
use crate::cli::input::{inputs, read};
use crate::profile::no_bases;
use crate::text::{MAX_BYTES, Source};

/// A revision, as git understands it.
pub(super) struct Revision<'r>(&'r str);

/// A file that is in a revision, or in the working tree, or in both.
pub(super) struct Changed {
    /// What it is called in git, and there.
    old: Option<(String, Blob)>,
    new: Option<PathBuf>,
    /// Where it is in its repository.
    place: Place,
}

/// A path in a repository.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The directory that the repository is of.
    top: PathBuf,
    path: PathBuf,
}

/// What was, and what is.
pub(super) type Versions = (Option<Arc<Source>>, Option<Arc<Source>>);

/// A file's contents in a repository.
struct Blob {
    directory: PathBuf,
    object: String,
}

/// An entry of a tree.
struct Entry {
    /// From the directory that git was asked in.
    path: PathBuf,
    object: String,
}

impl<'r> Revision<'r> {
    pub(super) fn new(name: &'r str) -> Result<Self, CliError> {
        if name.is_empty() || name.starts_with('-') {
            let words = format!("`{name}` is no revision");
            return Err(CliError::Usage(words));
        }
        Ok(Self(name))
    }

    /// The files that paths stand for, in either place; those of a directory in the order of their
    /// names.
    pub(super) fn changed(&self, paths: &[PathBuf]) -> Vec<Result<Changed, CliError>> {
        let mut all = Vec::new();
        for path in paths {
            match self.of_path(path) {
                Ok(found) => all.extend(found),
                Err(error) => all.push(Err(error)),
            }
        }
        if let Err(error) = self.find_renames(&mut all) {
            all.push(Err(error));
        }
        all
    }

    /// What the revision has of the files that paths stand for, and where. What cannot be read is left
    /// out.
    pub(super) fn files(&self, paths: &[PathBuf]) -> Vec<(Place, Arc<Source>)> {
        let changed = self.changed(paths).into_iter().flatten();
        changed
            .filter_map(|changed| {
                let (name, blob) = changed.old?;
                Some((changed.place, blob.read(name).ok()?))
            })
            .collect()
    }

    /// Puts profiles that are in the working tree only together with those that they were in the
    /// revision, wherever in the repository that was.
    fn find_renames(&self, all: &mut Vec<Result<Changed, CliError>>) -> Result<(), CliError> {
        let tops: BTreeSet<_> = new_ones(all)
            .map(|(_, _, place)| place.top.clone())
            .collect();
        for top in tops {
            let mut gone = self.tree(&top, Path::new("."), true)?;
            gone.retain(|entry| top.join(&entry.path).symlink_metadata().is_err());
            let mut come = Vec::new();
            for (index, path, place) in new_ones(all) {
                // A profile does not become one of another format and stay alike.
                let is_like = |entry: &Entry| entry.path.extension() == path.extension();
                if place.top == top && gone.iter().any(is_like) {
                    // What cannot be read is said so when it is compared.
                    let source = read(path).ok().filter(is_something);
                    come.extend(source.map(|source| (index, path.to_owned(), source)));
                }
            }
            let mut was = Vec::new();
            for entry in gone {
                let is_like = |path: &Path| entry.path.extension() == path.extension();
                if come.iter().any(|(_, path, _)| is_like(path)) {
                    let name = format!("{}:{}", self.0, entry.path.display());
                    let source = blob(&top, entry.object.clone()).read(name.clone())?;
                    if is_something(&source) {
                        was.push((name, entry, source));
                    }
                }
            }
            let old = was.iter().map(|(_, entry, it)| (&*entry.path, it.bytes()));
            let new = come.iter().map(|(_, path, it)| (&**path, it.bytes()));
            let pairs = renames(&old.collect::<Vec<_>>(), &new.collect::<Vec<_>>());
            let pairs = pairs.map_err(|error| {
                CliError::Usage(format!("which files were renamed is not known: {error}"))
            })?;
            for &(old, new) in &pairs {
                let (Some((name, entry, _)), Some((index, ..))) = (was.get(old), come.get(new))
                else {
                    continue;
                };
                if let Some(Ok(changed)) = all.get_mut(*index) {
                    changed.old = Some((name.clone(), blob(&top, entry.object.clone())));
                }
            }
            // They are told of with what they became.
            let moved = |place: &Place| {
                let mut was = was.iter().enumerate();
                place.top == top
                    && was.any(|(old, (_, entry, _))| {
                        entry.path == place.path && pairs.iter().any(|&(it, _)| it == old)
                    })
            };
            all.retain(
                |changed| !matches!(changed, Ok(Changed { new: None, place, .. }) if moved(place)),
            );
        }
        Ok(())
    }

    fn of_path(&self, path: &Path) -> Result<Vec<Result<Changed, CliError>>, CliError> {
        let is_directory = path.is_dir();
        let (directory, inner) = within(path, is_directory);
        let (top, prefix) = self.check(&directory)?;
        let place_of = |inner: &Path| Place {
            top: top.clone(),
            path: prefix.join(inner),
        };
        let old = self.tree(&directory, &inner, is_directory)?;
        let shown = |entry: &Entry| directory.join(&entry.path);
        let named = |path: &Path| format!("{}:{}", self.0, path.display());
        if !is_directory {
            let is_there = path.symlink_metadata().is_ok();
            let old = old.into_iter().find(|entry| entry.path == inner);
            if old.is_none() && !is_there {
                let words = format!("{}: neither here nor in {}", path.display(), self.0);
                return Err(CliError::Usage(words));
            }
            return Ok(vec![Ok(Changed {
                place: place_of(&inner),
                old: old.map(|entry| (named(path), blob(&directory, entry.object))),
                new: is_there.then(|| path.to_owned()),
            })]);
        }
        let mut found = Vec::new();
        let mut paths = BTreeSet::new();
        for input in inputs(&[path.to_owned()]) {
            match input {
                Ok(input) => _ = paths.insert(input.path().to_owned()),
                Err(error) => found.push(Err(error)),
            }
        }
        let mut old: Vec<_> = old
            .into_iter()
            .map(|entry| (shown(&entry), entry))
            .collect();
        paths.extend(old.iter().map(|(path, _)| path.clone()));
        for name in paths {
            let place = old.iter().position(|(path, _)| *path == name);
            let old = place.map(|place| old.swap_remove(place).1);
            found.push(Ok(Changed {
                place: place_of(name.strip_prefix(&directory).unwrap_or(&name)),
                old: old.map(|entry| (named(&name), blob(&directory, entry.object))),
                new: name.is_file().then_some(name),
            }));
        }
        Ok(found)
    }

    /// The directory that the repository is of, and the way from there to `directory`. Refuses one
    /// that is in no repository, and a revision that the repository lacks.
    fn check(&self, directory: &Path) -> Result<(PathBuf, PathBuf), CliError> {
        let shown = directory.display();
        let inside = git(
            directory,
            &["rev-parse", "--show-toplevel", "--show-prefix"],
        )?;
        if !inside.status.success() {
            return Err(CliError::Usage(format!("{shown}: {}", words(&inside))));
        }
        let mut lines = inside.stdout.split(|&byte| byte == b'\n');
        let mut path = || PathBuf::from(OsStr::from_bytes(lines.next().unwrap_or_default()));
        let place = (path(), path());
        let commit = format!("{}^{{commit}}", self.0);
        let known = git(directory, &["rev-parse", "--verify", "--quiet", &commit])?;
        if known.status.success() {
            return Ok(place);
        }
        let words = format!(
            "git knows no revision `{}` in {shown}: is it fetched? (a shallow clone has only the newest)",
            self.0
        );
        Err(CliError::Usage(words))
    }

    /// The files of a path in the revision.
    fn tree(
        &self,
        directory: &Path,
        inner: &Path,
        is_directory: bool,
    ) -> Result<Vec<Entry>, CliError> {
        let mut arguments: Vec<&OsStr> = ["ls-tree", "-z"].map(OsStr::new).to_vec();
        if is_directory {
            arguments.push(OsStr::new("-r"));
        }
        arguments.push(OsStr::new(self.0));
        if !is_directory {
            arguments.push(OsStr::new("--"));
            arguments.push(inner.as_os_str());
        }
        let listed = git(directory, &arguments)?;
        if !listed.status.success() {
            let shown = directory.join(inner);
            let words = format!("{}: {}", shown.display(), words(&listed));
            return Err(CliError::Usage(words));
        }
        let entries = listed.stdout.split(|&byte| byte == 0);
        Ok(entries.filter_map(entry).collect())
    }
}

/// An entry as `git ls-tree` writes it, if it is a plain file: mode, type, object, a tab, the path.
fn entry(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let (head, path) = (str::from_utf8(&line[..tab]).ok()?, &line[tab + 1..]);
    let mut words = head.split(' ');
    let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
    mode.starts_with("100").then(|| Entry {
        path: OsStr::from_bytes(path).into(),
        object: object.to_owned(),
    })
}

fn blob(directory: &Path, object: String) -> Blob {
    Blob {
        directory: directory.to_owned(),
        object,
    }
}

/// The files that are not in the revision, by their places in a list.
fn new_ones(all: &[Result<Changed, CliError>]) -> impl Iterator<Item = (usize, &Path, &Place)> {
    let all = all.iter().enumerate();
    all.filter_map(|(index, changed)| match changed {
        Ok(Changed {
            old: None,
            new: Some(path),
            place,
        }) => Some((index, &**path, place)),
        _ => None,
    })
}

impl Changed {
    /// What was, and what is.
    pub(super) fn read(self) -> Result<Versions, CliError> {
        let old = match self.old {
            Some((name, blob)) => Some(blob.read(name)?),
            None => None,
        };
        let new = self.new.as_deref().map(read).transpose()?;
        Ok((old, new))
    }
}

impl Blob {
    fn read(&self, name: String) -> Result<Arc<Source>, CliError> {
        let contents = git(&self.directory, &["cat-file", "blob", &self.object])?;
        if !contents.status.success() {
            return Err(CliError::Usage(format!("{name}: {}", words(&contents))));
        }
        let mut bytes = contents.stdout;
        // As much as is read of a file.
        bytes.truncate(MAX_BYTES + 1);
        Ok(Arc::new(Source::new(name, bytes)))
    }
}

/// The nearest directory that is there, and the path in it.
fn within(path: &Path, is_directory: bool) -> (PathBuf, PathBuf) {
    if is_directory {
        return (path.to_owned(), PathBuf::from("."));
    }
    let mut directory = path;
    while let Some(parent) = directory.parent() {
        directory = parent;
        if directory.as_os_str().is_empty() || directory.is_dir() {
            break;
        }
    }
    let inner = path.strip_prefix(directory).unwrap_or(path).to_owned();
    if directory.as_os_str().is_empty() {
        (PathBuf::from("."), inner)
    } else {
        (directory.to_owned(), inner)
    }
}

fn git<A: AsRef<OsStr>>(directory: &Path, arguments: &[A]) -> Result<Output, CliError> {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments);
    let output = command.output();
    output.map_err(|error| CliError::Usage(format!("git could not be run: {error}")))
}

/// What git says of a failure, in its first line.
fn words(output: &Output) -> String {
    let text = std::ffi::OsString::from_vec(output.stderr.clone());
    let text = text.to_string_lossy();
    let line = text.lines().next().unwrap_or("it failed without a word");
    format!("git: {}", line.trim_start_matches("fatal: "))
}

/// Whether a profile or a filter is in a file.
fn is_something(source: &Arc<Source>) -> bool {
    !Version::new(source, &no_bases()).is_nothing()
}

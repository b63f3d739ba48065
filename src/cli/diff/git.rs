//! Files of a revision in git.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use super::moves::Moves;
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
    pub(super) old: Option<(String, Blob)>,
    pub(super) new: Option<PathBuf>,
    /// Where it is in its repository, or was if it is not there.
    pub(super) place: Place,
    /// Where it was in its repository, if that is elsewhere.
    pub(super) renamed_from: Option<String>,
    /// What is to be said of it.
    pub(super) note: Option<String>,
}

/// A path in a repository.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The directory that the repository is of.
    pub(super) top: PathBuf,
    pub(super) path: PathBuf,
}

/// What was, and what is.
pub(super) type Versions = (Option<Arc<Source>>, Option<Arc<Source>>);

/// A file's contents in a repository.
#[derive(Clone)]
pub(super) struct Blob {
    directory: PathBuf,
    object: String,
}

/// An entry of a tree.
#[derive(Clone)]
pub(super) struct Entry {
    /// From the directory that git was asked in.
    pub(super) path: PathBuf,
    pub(super) object: String,
}

/// What a revision had: where, what it is called, and its contents.
pub(super) type Old = (Place, String, Blob);

impl<'r> Revision<'r> {
    pub(super) fn new(name: &'r str) -> Result<Self, CliError> {
        if name.is_empty() || name.starts_with('-') {
            let words = format!("`{name}` is no revision");
            return Err(CliError::Usage(words));
        }
        Ok(Self(name))
    }

    /// The files that each list of paths stands for, in either place; those of a directory in the
    /// order of their names. A file that was renamed stands beside what it was.
    pub(super) fn changed(&self, lists: &[&[PathBuf]]) -> Vec<Vec<Result<Changed, CliError>>> {
        let of_list = |paths: &&[PathBuf]| {
            let found = paths.iter().map(|path| self.of_path(path));
            let found = found.map(|found| found.unwrap_or_else(|error| vec![Err(error)]));
            found.flatten().collect::<Vec<_>>()
        };
        let mut all: Vec<_> = lists.iter().map(of_list).collect();
        match Moves::find(self, all.iter().flatten().flatten()) {
            Ok(moves) => {
                for list in &mut all {
                    for moves in &moves {
                        moves.apply(self, list);
                    }
                }
            }
            Err(error) => {
                if let Some(list) = all.first_mut() {
                    list.push(Err(error));
                }
            }
        }
        all
    }

    /// What a file is called in the revision.
    pub(super) fn named(&self, path: &Path) -> String {
        format!("{}:{}", self.0, path.display())
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
        if !is_directory {
            let is_there = path.symlink_metadata().is_ok();
            let old = old.into_iter().find(|entry| entry.path == inner);
            if old.is_none() && !is_there {
                let words = format!("{}: neither here nor in {}", path.display(), self.0);
                return Err(CliError::Usage(words));
            }
            return Ok(vec![Ok(Changed {
                place: place_of(&inner),
                old: old.map(|entry| (self.named(path), blob(&directory, entry.object))),
                new: is_there.then(|| path.to_owned()),
                renamed_from: None,
                note: None,
            })]);
        }
        let mut found = Vec::new();
        let mut paths = BTreeSet::new();
        for input in inputs(&[path.to_owned()]) {
            match input {
                // Of a link git keeps where it leads, not the file.
                Ok(input) if input.is_link => {}
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
                old: old.map(|entry| (self.named(&name), blob(&directory, entry.object))),
                new: name.is_file().then_some(name),
                renamed_from: None,
                note: None,
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
    pub(super) fn tree(
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
        let listed = succeeded(&directory.join(inner), git(directory, &arguments)?)?;
        let entries = listed.split(|&byte| byte == 0);
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

pub(super) fn blob(directory: &Path, object: String) -> Blob {
    Blob {
        directory: directory.to_owned(),
        object,
    }
}

impl Changed {
    /// Whether a profile or a filter is in either version. What cannot be read is said so when it is
    /// compared.
    pub(super) fn is_something(&self) -> bool {
        let versions = self.read();
        versions.is_ok_and(|(old, new)| [old, new].iter().flatten().any(is_something))
    }

    /// What the revision had.
    pub(super) fn old(&self) -> Option<Old> {
        let (name, blob) = self.old.clone()?;
        Some((self.place.clone(), name, blob))
    }

    /// What was, and what is.
    pub(super) fn read(&self) -> Result<Versions, CliError> {
        let old = match &self.old {
            Some((name, blob)) => Some(blob.read(name.clone())?),
            None => None,
        };
        let new = self.new.as_deref().map(read).transpose()?;
        Ok((old, new))
    }
}

impl Blob {
    pub(super) fn read(&self, name: String) -> Result<Arc<Source>, CliError> {
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

pub(super) fn git<A: AsRef<OsStr>>(directory: &Path, arguments: &[A]) -> Result<Output, CliError> {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments);
    let output = command.output();
    output.map_err(|error| CliError::Usage(format!("git could not be run: {error}")))
}

/// What git answers, or what it says of its failure in a directory.
pub(super) fn succeeded(directory: &Path, output: Output) -> Result<Vec<u8>, CliError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = format!("{}: {}", directory.display(), words(&output));
    Err(CliError::Usage(words))
}

/// What git says of a failure, in its first line.
fn words(output: &Output) -> String {
    let text = std::ffi::OsString::from_vec(output.stderr.clone());
    let text = text.to_string_lossy();
    let line = text.lines().next().unwrap_or("it failed without a word");
    format!("git: {}", line.trim_start_matches("fatal: "))
}

/// Whether a profile or a filter is in a file.
pub(super) fn is_something(source: &Arc<Source>) -> bool {
    !Version::new(source, &no_bases()).is_nothing()
}

//! Files: which ones to read, and what stands in them.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::output::is_unfinished;
use super::{CliError, complain};
use crate::text::{MAX_BYTES, Source, Syntax};

/// How much is read of a file that was found, before it is known whether it is worth reading on: all
/// of nearly every profile.
const START: usize = 64 << 10;

/// A file to be read.
#[derive(Debug)]
pub(super) struct Input {
    path: PathBuf,
    /// Found in a directory, rather than named by the user.
    pub(super) is_found: bool,
    /// Found as a symbolic link: the file itself is elsewhere.
    pub(super) is_link: bool,
}

/// Every file that some paths stand for, each once, in the order of the paths, and in the order of
/// names within a directory. Hidden directories are left out, and so is, with a note, what is in a
/// directory and no plain file, and a report being written. A link to a plain file stands for it, as in a
/// mounted `ConfigMap`, unless the walk comes by the file itself.
pub(super) fn inputs(paths: &[PathBuf]) -> impl Iterator<Item = Result<Input, CliError>> {
    let mut seen = HashSet::new();
    let is_single = paths.len() == 1;
    let all = paths.iter().flat_map(|path| in_path(path));
    all.filter(move |input| match input {
        Ok(input) if (input.is_link || !is_single) && input.path.as_os_str() != "-" => {
            input.path.canonicalize().map_or(true, |it| seen.insert(it))
        }
        _ => true,
    })
}

fn in_path(path: &Path) -> Box<dyn Iterator<Item = Result<Input, CliError>>> {
    if path.as_os_str() == "-" || !path.is_dir() {
        return Box::new(std::iter::once(Ok(Input {
            path: path.to_owned(),
            is_found: false,
            is_link: false,
        })));
    }
    let root = path.to_owned();
    let walk = WalkDir::new(path).sort_by_file_name().into_iter();
    Box::new(
        walk.filter_entry(is_visible)
            .filter_map(move |entry| match entry {
                Ok(entry) => {
                    let is_link = entry.path_is_symlink();
                    if let Some(what) = unreadable(&entry) {
                        let path = entry.path().display();
                        complain("note", &format!("{path}: passed over: it is {what}"));
                        return None;
                    }
                    let is_input = !is_unfinished(entry.file_name())
                        && (entry.file_type().is_file()
                            || is_link && leads_elsewhere(entry.path(), &root));
                    is_input.then(|| {
                        Ok(Input {
                            path: entry.into_path(),
                            is_found: true,
                            is_link,
                        })
                    })
                }
                Err(error) => {
                    let path = error
                        .path()
                        .map_or_else(String::new, |path| path.display().to_string());
                    let loops = || io::Error::other("a directory that holds itself");
                    Some(Err(CliError::Read(
                        path,
                        error.into_io_error().unwrap_or_else(loops),
                    )))
                }
            }),
    )
}

/// What stands in a directory in the place of a file, if nothing can be read there.
fn unreadable(entry: &DirEntry) -> Option<&'static str> {
    let kind = entry.file_type();
    if kind.is_symlink() {
        let is_lost = entry.path().metadata().is_err();
        return is_lost.then_some("a link that leads to nothing that can be read");
    }
    (!kind.is_file() && !kind.is_dir()).then_some("no plain file")
}

/// Whether a link leads to a plain file that the walk of a directory does not come by.
fn leads_elsewhere(link: &Path, root: &Path) -> bool {
    let (Ok(file), Ok(root)) = (link.canonicalize(), root.canonicalize()) else {
        return false;
    };
    let is_walked = file.strip_prefix(root).is_ok_and(|within| {
        let directories = within.parent().into_iter().flat_map(Path::components);
        !directories.into_iter().any(|it| is_hidden(it.as_os_str()))
    });
    file.is_file() && !is_walked
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !(entry.file_type().is_dir() && is_hidden(entry.file_name()))
}

impl Input {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the user calls it.
    pub(super) fn name(&self) -> String {
        if self.path.as_os_str() == "-" {
            return Source::STANDARD_INPUT.to_owned();
        }
        self.path.display().to_string()
    }

    /// The directory that the file is in, as the path has it; standard input has the working
    /// directory's.
    pub(super) fn directory(&self) -> &Path {
        let parent = self.path.parent();
        let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// The file itself in its real directory; `None` for standard input.
    pub(super) fn within(&self, directory: &Path) -> Option<PathBuf> {
        let is_file = self.path.as_os_str() != "-";
        is_file.then(|| Some(directory.join(self.path.file_name()?)))?
    }

    /// Reads the file; `None` if it was found in a directory, and its first
    /// bytes already tell that no profile is in it.
    pub(super) fn read(&self) -> Result<Option<Arc<Source>>, CliError> {
        let name = self.name();
        if self.path.as_os_str() == "-" {
            return named(&name, read_all(io::stdin().lock(), Vec::new())).map(Some);
        }
        let failed = |error| CliError::Read(name.clone(), error);
        let file = File::open(&self.path).map_err(failed)?;
        let size = file.metadata().map_or(0, |meta| meta.len() as usize);
        // One more, for which the end is asked.
        let most = if self.is_found { START } else { MAX_BYTES };
        let mut start = Vec::with_capacity(size.min(most) + 1);
        if self.is_found {
            let is_all = read_start(&file, &mut start).map_err(failed)?;
            let may_be_yaml = Syntax::has_yaml_name(&name) || Syntax::may_be_yaml(&start);
            if !may_hold_object(&start) && !may_be_yaml {
                return Ok(None);
            }
            if is_all {
                return named(&name, Ok(start)).map(Some);
            }
        }
        named(&name, read_all(file, start)).map(Some)
    }
}

/// Reads a file that the user named.
pub(super) fn read(path: &Path) -> Result<Arc<Source>, CliError> {
    let input = Input {
        path: path.to_owned(),
        is_found: false,
        is_link: false,
    };
    let name = path.display().to_string();
    input
        .read()?
        .ok_or_else(|| CliError::Usage(format!("{name}: not a profile")))
}

fn named(name: &str, bytes: io::Result<Vec<u8>>) -> Result<Arc<Source>, CliError> {
    match bytes {
        Ok(bytes) => Ok(Arc::new(Source::new(name, bytes))),
        Err(error) => Err(CliError::Read(name.to_owned(), error)),
    }
}

/// Reads on to the [`START`] or to the end; whether it is the end. All that there is room for at once:
/// the standard library, told to stop somewhere, reads pieces of 8 KiB.
fn read_start(from: &File, bytes: &mut Vec<u8>) -> io::Result<bool> {
    while bytes.len() < START {
        bytes.reserve(1);
        let read = || rustix::io::read(from, rustix::buffer::spare_capacity(bytes));
        if rustix::io::retry_on_intr(read)? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads on, to one byte past the largest document: that it is larger is then
/// for the reader of the document to say.
fn read_all(from: impl Read, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let left = (MAX_BYTES + 1).saturating_sub(bytes.len());
    from.take(left as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file that starts so may be a JSON object: after white space and a
/// byte order mark comes a brace, or a comment, which may stand before one.
fn may_hold_object(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match start.trim_ascii_start() {
        [b'{', ..] | [b'/', b'/' | b'*', ..] => true,
        blank => blank.is_empty() && !start.is_empty(),
    }
}

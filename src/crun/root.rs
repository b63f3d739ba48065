//! What stands in a crun state root, read without trusting any of it.
//!
//! The root may belong to an attacker. No link below it is followed, nothing but
//! plain files is opened, no access time is changed (crun evicts entries by it),
//! and everything may vanish at any moment.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::text::MAX_BYTES;

/// A crun state root: the directory itself, and its cache.
#[derive(Debug)]
pub struct StateRoot {
    path: PathBuf,
    directory: OwnedFd,
    /// The user who owns the root, and so should own all that is in it.
    owner: u32,
}

/// Why a state root could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The root is not there.
    #[error("{0}: no such directory; crun makes its state root when it runs its first container")]
    Missing(PathBuf),
    /// The path, or that of a storage directory, is a link.
    #[error("{0}: a symbolic link; name the directory that it points to")]
    Link(PathBuf),
    /// The path is no directory.
    #[error("{0}: not a directory; name the state root, such as /run/crun")]
    NotADirectory(PathBuf),
    /// The directory is another one; the root that may have been meant.
    #[error("{}: not a state root of crun: neither .cache/seccomp nor a container is in it{}", .0.display(), did_you_mean(.1.as_deref()))]
    NotARoot(PathBuf, Option<PathBuf>),
    /// Reading is not allowed.
    #[error("{0}: not allowed to read it; only root, or the user who owns it, can")]
    Denied(PathBuf),
    /// Anything else.
    #[error("{0}: {1}")]
    Other(PathBuf, io::Error),
}

/// A name in a directory, and what `stat` says of it. Times are those of the
/// contents.
#[derive(Debug)]
pub(super) struct Item {
    /// The name; bytes that are no UTF-8 are replaced.
    pub(super) name: String,
    pub(super) stat: Meta,
}

/// What is asked of a file's metadata.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) kind: FileType,
    /// Permission bits, as in `0o700`.
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) bytes: u64,
    pub(super) links: u64,
    pub(super) modified: SystemTime,
    /// Device and inode: the same file has the same.
    pub(super) identity: (u64, u64),
}

/// A container's directory in the root.
#[derive(Debug)]
pub(super) struct ContainerDirectory {
    /// Its name.
    pub(super) id: String,
    /// Its `config.json`, if it could be read.
    pub(super) configuration: Option<Vec<u8>>,
    /// The identity of its `seccomp.bpf`, if that is a plain file.
    pub(super) filter: Option<(u64, u64)>,
    /// Whether its directory could be opened.
    pub(super) is_readable: bool,
}

/// The cache directory, or why there is none to look into.
#[derive(Debug)]
pub(super) enum Cache {
    /// It is there.
    Found {
        /// The directory itself: what is done to it later is done to this one.
        directory: OwnedFd,
        /// The directories on the way to it, itself included, by their paths in the root.
        way: Vec<(&'static str, Meta)>,
    },
    /// There is none.
    Absent,
    /// Something else stands in its place: the path in the root, and what it is.
    Replaced(&'static str, FileType),
}

impl StateRoot {
    /// Opens a state root.
    ///
    /// # Errors
    /// If it is missing, a link, no directory, or may not be read.
    pub fn open(path: &Path) -> Result<Self, RootError> {
        let failed = |errno: Errno| {
            let path = path.to_owned();
            match errno {
                Errno::NOENT => RootError::Missing(path),
                Errno::NOTDIR if path.is_symlink() => RootError::Link(path),
                Errno::LOOP => RootError::Link(path),
                Errno::NOTDIR => RootError::NotADirectory(path),
                Errno::ACCESS | Errno::PERM => RootError::Denied(path),
                errno => RootError::Other(path, errno.into()),
            }
        };
        let directory = open_directory(CWD, path).map_err(failed)?;
        let owner = fstat(&directory).map_err(failed)?.st_uid;
        Ok(Self {
            path: path.to_owned(),
            directory,
            owner,
        })
    }

    /// The root's path, as the user gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells a directory of something else. An empty one may be the root of a crun that caches
    /// nothing.
    ///
    /// # Errors
    /// If it is no state root, or cannot be read.
    pub fn check(&self) -> Result<(), RootError> {
        if !matches!(self.cache()?, Cache::Absent) {
            return Ok(());
        }
        let items = self.items()?;
        let containers = self.containers()?;
        let is_container =
            |it: &ContainerDirectory| it.configuration.is_some() || it.filter.is_some();
        if items.is_empty() || containers.iter().any(is_container) {
            return Ok(());
        }
        let meant = self.meant(&items);
        // What may not be read may be containers.
        if meant.is_none() && containers.iter().any(|it| !it.is_readable) {
            return Ok(());
        }
        Err(RootError::NotARoot(self.path.clone(), meant))
    }

    /// The nearest directory below or above this one that has a cache.
    fn meant(&self, items: &[Item]) -> Option<PathBuf> {
        let has_cache = |path: &PathBuf| open_directory(CWD, path.join(".cache/seccomp")).is_ok();
        let directories = items
            .iter()
            .filter(|it| it.stat.kind == FileType::Directory);
        let mut below = directories.map(|it| self.path.join(&it.name));
        below.find(has_cache).or_else(|| {
            let path = std::path::absolute(&self.path).ok()?;
            let mut above = path.ancestors().skip(1).map(Path::to_owned);
            above.find(has_cache)
        })
    }

    /// What is in the root itself.
    fn items(&self) -> Result<Vec<Item>, RootError> {
        let again =
            open_directory(&self.directory, ".").map_err(|errno| other(&self.path, errno))?;
        list(again).map_err(|errno| other(&self.path, errno))
    }

    /// The user who owns the root.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// Goes to the cache.
    pub(super) fn cache(&self) -> Result<Cache, RootError> {
        let outer = self.path.join(".cache");
        let hidden = match step(&self.directory, ".cache", &outer)? {
            Step::Directory(directory) => directory,
            Step::Absent => return Ok(Cache::Absent),
            Step::Replaced(kind) => return Ok(Cache::Replaced(".cache", kind)),
        };
        let inner = outer.join("seccomp");
        let cache = match step(&hidden, "seccomp", &inner)? {
            Step::Directory(directory) => directory,
            Step::Absent => return Ok(Cache::Absent),
            Step::Replaced(kind) => return Ok(Cache::Replaced(".cache/seccomp", kind)),
        };
        let meta = |directory: &OwnedFd| {
            fstat(directory)
                .map(Meta::from)
                .map_err(|errno| other(&inner, errno))
        };
        let way = vec![
            ("", meta(&self.directory)?),
            (".cache", meta(&hidden)?),
            (".cache/seccomp", meta(&cache)?),
        ];
        Ok(Cache::Found {
            directory: cache,
            way,
        })
    }

    /// What is in the cache, in the order of the names.
    pub(super) fn entries(&self, cache: &OwnedFd) -> Result<Vec<Item>, RootError> {
        let path = self.path.join(".cache/seccomp");
        let again = cache
            .try_clone()
            .map_err(|error| RootError::Other(path.clone(), error))?;
        let mut items = list(again).map_err(|errno| other(&path, errno))?;
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    /// Reads the containers, in the order of their names.
    pub(super) fn containers(&self) -> Result<Vec<ContainerDirectory>, RootError> {
        let items = self.items()?;
        let is_container =
            |item: &&Item| item.stat.kind == FileType::Directory && !item.name.starts_with('.');
        let mut containers = Vec::new();
        for item in items.iter().filter(is_container) {
            containers.extend(self.container(&item.name));
        }
        containers.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(containers)
    }

    /// Reads a container, unless it is gone by now. One that may not be read has
    /// neither configuration nor filter.
    fn container(&self, id: &str) -> Option<ContainerDirectory> {
        let directory = match open_directory(&self.directory, id) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return None,
            Err(_) => {
                return Some(ContainerDirectory {
                    id: id.to_owned(),
                    configuration: None,
                    filter: None,
                    is_readable: false,
                });
            }
        };
        let filter = Meta::of(&directory, "seccomp.bpf").ok();
        let filter = filter.filter(|meta| meta.kind == FileType::RegularFile);
        Some(ContainerDirectory {
            id: id.to_owned(),
            configuration: read_file(&directory, "config.json", MAX_BYTES),
            filter: filter.map(|meta| meta.identity),
            is_readable: true,
        })
    }
}

fn did_you_mean(root: Option<&Path>) -> String {
    root.map_or_else(String::new, |root| {
        format!("; did you mean {}?", root.display())
    })
}

enum Step {
    Directory(OwnedFd),
    Absent,
    Replaced(FileType),
}

/// Goes into a directory of the cache's path.
fn step(parent: &OwnedFd, name: &str, path: &Path) -> Result<Step, RootError> {
    match open_directory(parent, name) {
        Ok(directory) => Ok(Step::Directory(directory)),
        Err(Errno::NOENT) => Ok(Step::Absent),
        Err(Errno::NOTDIR | Errno::LOOP) => match Meta::of(parent, name) {
            Ok(meta) => Ok(Step::Replaced(meta.kind)),
            Err(_) => Ok(Step::Absent),
        },
        Err(errno) => Err(other(path, errno)),
    }
}

fn other(path: &Path, errno: Errno) -> RootError {
    match errno {
        Errno::ACCESS | Errno::PERM => RootError::Denied(path.to_owned()),
        errno => RootError::Other(path.to_owned(), errno.into()),
    }
}

pub(super) fn open_directory(
    parent: impl AsFd,
    path: impl rustix::path::Arg,
) -> Result<OwnedFd, Errno> {
    let flags =
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NOATIME | OFlags::CLOEXEC;
    openat(parent, path, flags, Mode::empty())
}

/// What is in a directory. Names that vanish meanwhile are left out.
pub(super) fn list(directory: OwnedFd) -> Result<Vec<Item>, Errno> {
    let parent = directory
        .try_clone()
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let mut names = Vec::new();
    for entry in Dir::new(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    let item = |name: &CString| match Meta::of(&parent, name.as_c_str()) {
        Ok(stat) if stat.links > 0 => Some(Ok(Item {
            name: name.to_string_lossy().into_owned(),
            stat,
        })),
        // Also gone: its last name went while it was looked at.
        Ok(_) | Err(Errno::NOENT) => None,
        Err(errno) => Some(Err(errno)),
    };
    let items: Vec<_> = names.par_iter().filter_map(item).collect();
    items.into_iter().collect()
}

/// Reads a plain file; `None` if it is anything else, gone, or not allowed. One
/// byte more than `most` is read of a larger one, which tells that it is.
pub(super) fn read_file(directory: &OwnedFd, name: &str, most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    read_into(directory, name, most, &mut bytes).map(|()| bytes)
}

/// The same, where many are read, into the place of what `bytes` had.
pub(super) fn read_into(
    directory: &OwnedFd,
    name: &str,
    most: usize,
    bytes: &mut Vec<u8>,
) -> Option<()> {
    // Without NONBLOCK, opening a fifo would wait for its writer.
    let flags = OFlags::RDONLY
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::NOATIME
        | OFlags::CLOEXEC;
    let is_plain = |meta: &Meta| meta.kind == FileType::RegularFile;
    // Asked before opening, since opening a device can have effects of its own.
    Meta::of(directory, name).ok().filter(is_plain)?;
    let file = openat(directory, name, flags, Mode::empty()).ok()?;
    let meta = fstat(&file).ok().map(Meta::from).filter(is_plain)?;
    let size = usize::try_from(meta.bytes).unwrap_or(most);
    bytes.clear();
    bytes.reserve(size.min(most) + 1);
    let mut file = File::from(file).take(most as u64 + 1);
    file.read_to_end(bytes).ok().map(|_| ())
}

impl Meta {
    /// Of a name in a directory; of a link itself, not of what it points to.
    pub(super) fn of(directory: &OwnedFd, name: impl rustix::path::Arg) -> Result<Self, Errno> {
        statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(Self::from)
    }
}

impl From<Stat> for Meta {
    fn from(stat: Stat) -> Self {
        // The last second of the year 9999: RFC 3339 goes no further.
        const LATEST: u64 = 253_402_300_799;
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0).min(LATEST);
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            mode: stat.st_mode & 0o7777,
            owner: stat.st_uid,
            bytes: u64::try_from(stat.st_size).unwrap_or(0),
            #[allow(clippy::useless_conversion, reason = "of another width elsewhere")]
            links: u64::from(stat.st_nlink),
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            identity: (stat.st_dev, stat.st_ino),
        }
    }
}

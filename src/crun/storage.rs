//! The containers that engines keep: their configurations outlive what crun knows of them.
//!
//! Podman, Buildah and CRI-O store containers with containers/storage, which puts the configuration
//! that a runtime is given at `<driver>-containers/<id>/userdata/config.json` below its directory
//! (`/var/lib/containers/storage`); CRI-O puts it below the directory of running containers
//! (`/run/containers/storage`) as well. As a state root, a storage may belong to an attacker.
//!
//! Source: what Podman 5.4.2 left there; CRI-O `internal/factory/container` and
//! `server/container_create_linux.go`, which has not been run.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType};
use rustix::io::Errno;

use super::root::{RootError, list, open_directory, read_file};
use crate::text::MAX_BYTES;

/// How many containers of a storage are read.
const MOST_CONTAINERS: usize = 10_000;

/// How the names of the directories end that hold containers; they begin with the storage driver's.
const CONTAINERS: &str = "-containers";

/// A directory in which an engine stores containers.
#[derive(Debug)]
pub struct Storage {
    path: PathBuf,
    directory: OwnedFd,
}

/// Containers by where they are stored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The name of the `<driver>-containers` that each is in, and its own.
    containers: Vec<(String, String)>,
    /// Whether there are more than are read.
    pub(super) is_cut: bool,
}

/// A container's configuration in a storage.
pub(super) struct StoredContainer {
    pub(super) id: String,
    pub(super) path: String,
    /// `None` if it is there, and could not be read.
    pub(super) configuration: Option<Vec<u8>>,
}

impl Storage {
    /// Opens a storage directory.
    ///
    /// # Errors
    /// If it is missing, a link, no directory, or may not be read.
    pub fn open(path: &Path) -> Result<Self, RootError> {
        let directory = open_directory(CWD, path).map_err(|errno| {
            let path = path.to_owned();
            match errno {
                Errno::NOTDIR | Errno::LOOP if path.is_symlink() => RootError::Link(path),
                Errno::ACCESS | Errno::PERM => RootError::Denied(path),
                errno => RootError::Other(path, errno.into()),
            }
        })?;
        let path = path.to_owned();
        Ok(Self { path, directory })
    }

    /// The directory, as the user named it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lists the containers.
    pub(super) fn list(&self) -> Result<Stored, RootError> {
        let failed = |errno: Errno| RootError::Other(self.path.clone(), errno.into());
        let mut stored = Stored::default();
        let drivers = subdirectories(&self.directory).map_err(failed)?.into_iter();
        for driver in drivers.filter(|name| name.ends_with(CONTAINERS)) {
            let ids = open_directory(&self.directory, driver.as_str());
            let ids = ids.and_then(|directory| subdirectories(&directory));
            for id in ids.map_err(failed)? {
                if stored.containers.len() == MOST_CONTAINERS {
                    stored.is_cut = true;
                    return Ok(stored);
                }
                stored.containers.push((driver.clone(), id));
            }
        }
        Ok(stored)
    }

    /// Reads those containers one by one. Those without a configuration are left out, as they are
    /// before they are started for the first time.
    pub(super) fn read<'s>(&'s self, stored: &'s Stored) -> impl Iterator<Item = StoredContainer> {
        stored.containers.iter().filter_map(|(driver, id)| {
            let way = [driver, id, "userdata"];
            let configuration = match open_below(&self.directory, &way) {
                Ok(userdata) => Some(read_file(&userdata, "config.json", MAX_BYTES)?),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return None,
                Err(_) => None,
            };
            let path = way
                .iter()
                .fold(self.path.clone(), |path, name| path.join(name));
            Some(StoredContainer {
                id: id.clone(),
                path: path.join("config.json").display().to_string(),
                configuration,
            })
        })
    }
}

/// Goes down step by step, so that no link on the way is followed.
fn open_below(directory: &OwnedFd, way: &[&str]) -> Result<OwnedFd, Errno> {
    let mut below = open_directory(directory, ".")?;
    for name in way {
        below = open_directory(&below, *name)?;
    }
    Ok(below)
}

/// The names of the directories in a directory, in order.
fn subdirectories(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let items = list(open_directory(directory, ".")?)?.into_iter();
    let directories = items.filter(|item| item.stat.kind == FileType::Directory);
    let mut names: Vec<_> = directories.map(|item| item.name).collect();
    names.sort_unstable();
    Ok(names)
}

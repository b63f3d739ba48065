//! Where a `seclint.toml` is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::Config;
use crate::finding::Finding;
use crate::text::{MAX_BYTES, Source};

/// What the file is called.
pub const FILE_NAME: &str = "seclint.toml";

/// Why a `seclint.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Read(String, io::Error),
    /// There are mistakes in it: at least one.
    #[error("{}: there are mistakes in it", .0.first().map_or("", |it| it.location.source.name()))]
    Mistakes(Vec<Finding>),
}

/// The `seclint.toml` in a directory; `None` if there is none.
///
/// # Errors
/// If it cannot be read, or there are mistakes in it.
pub fn find(directory: &Path) -> Result<Option<Config>, ConfigError> {
    let path = directory.join(FILE_NAME);
    match File::open(&path) {
        Ok(file) => parse(file, &path, directory).map(Some),
        // A link that leads nowhere is a configuration that is missing.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(ConfigError::Read(name(&path), error)),
    }
}

/// A file that is taken for a `seclint.toml`, whatever it is called.
///
/// # Errors
/// If it cannot be read, or there are mistakes in it.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let failed = |error| ConfigError::Read(name(path), error);
    let file = File::open(path).map_err(failed)?;
    let real = path.canonicalize().map_err(failed)?;
    parse(file, path, real.parent().unwrap_or(&real))
}

fn parse(file: File, path: &Path, directory: &Path) -> Result<Config, ConfigError> {
    let mut bytes = Vec::new();
    let mut file = file.take(MAX_BYTES as u64 + 1);
    let read = file.read_to_end(&mut bytes);
    let read = read.and_then(|size| {
        let is_whole = size <= MAX_BYTES;
        is_whole
            .then_some(())
            .ok_or_else(|| io::ErrorKind::FileTooLarge.into())
    });
    read.map_err(|error| ConfigError::Read(name(path), error))?;
    let source = Arc::new(Source::new(name(path), bytes));
    Config::parse(&source, directory).map_err(ConfigError::Mistakes)
}

/// As the user would call it: from the working directory, if it is below that.
fn name(path: &Path) -> String {
    let here = std::env::current_dir();
    let below = here
        .as_ref()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}

//! Putting a corrected text in the place of a file's.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::output::Unfinished;

/// Replaces what is in a file, from one moment to the next, and keeps its mode, and its owner if
/// that is possible. A link stays, and the file that it leads to is replaced. Other hard links keep
/// the old text.
///
/// # Errors
/// If it cannot be, or is no plain file, or its text is neither `before` nor `after` any more.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> io::Result<()> {
    let path = path.canonicalize()?;
    let meta = fs::metadata(&path)?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no plain file, and was not fixed"));
    }
    let now = fs::read(&path)?;
    if now == after {
        return Ok(());
    }
    if now != before {
        return Err(io::Error::other(
            "it has changed meanwhile, and was not fixed",
        ));
    }
    let (mut file, unfinished) = Unfinished::create(path)?;
    // Before there is anything in it that others may not read. Only root can give files away.
    let _ = fchown(&file, Some(meta.uid()), Some(meta.gid()));
    file.set_permissions(meta.permissions())?;
    file.write_all(after)?;
    file.sync_all()?;
    unfinished.finish()
}

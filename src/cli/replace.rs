//! Putting a corrected text in the place of a file's.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use super::output::Unfinished;

/// Replaces what is in a file, from one moment to the next, and keeps its mode and whose it is. A link
/// stays, and the file that it leads to is replaced.
///
/// # Errors
/// If it cannot be, or should not: it is no plain file, it is write-protected, it has other names, it
/// would be somebody else's, or its text is neither `before` nor `after` any more.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> io::Result<()> {
    let refused = |why: &str| Err(io::Error::other(format!("{why}, and was not fixed")));
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other(
            "a pipe or a device cannot be fixed in place; `-` reads standard input, and writes what is \
             fixed to standard output",
        ));
    }
    let path = path.canonicalize()?;
    let meta = fs::metadata(&path)?;
    let now = fs::read(&path)?;
    if now == after {
        return Ok(());
    }
    if now != before {
        return refused("it has changed meanwhile");
    }
    // The directory would let it be replaced all the same.
    if meta.mode() & 0o200 == 0 {
        return refused("it is write-protected (`chmod u+w` changes that)");
    }
    if meta.nlink() > 1 {
        return refused("it has other names (hard links), which would keep the old text");
    }
    let failed = |error| io::Error::other(format!("it could not be written: {error}"));
    let (mut file, unfinished) = Unfinished::create(path).map_err(failed)?;
    let made = file.metadata()?;
    // Before there is anything in it that others may not read. Only root can give files away.
    if (made.uid(), made.gid()) != (meta.uid(), meta.gid())
        && fchown(&file, Some(meta.uid()), Some(meta.gid())).is_err()
    {
        return refused(
            "it would no longer be its owner's or its group's (run seclint as its owner)",
        );
    }
    let mut write = || {
        file.set_permissions(meta.permissions())?;
        file.write_all(after)?;
        file.sync_all()
    };
    write().map_err(failed)?;
    unfinished.finish().map_err(failed)
}

/// How a patch names a file in the working directory, or below: by the file itself, since no patch goes
/// through links.
///
/// # Errors
/// If it is elsewhere, or has no name.
pub(super) fn name_in_patch(path: &Path) -> io::Result<PathBuf> {
    let outside = || {
        io::Error::other(
            "no patch can name it, since it is not in the working directory; run seclint in one above it",
        )
    };
    let file = path.canonicalize().map_err(|_| outside())?;
    let name = file.strip_prefix(Path::new(".").canonicalize()?);
    name.map(Path::to_owned).map_err(|_| outside())
}

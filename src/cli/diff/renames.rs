//! Which files are others under a new name, as git sees it.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file: its path, of which git looks at the name, and what is in it.
pub(super) type File<'f> = (&'f Path, &'f [u8]);

/// The old files that became new ones: places in both lists, each in one pair at most. git finds
/// them by what is in them: it is the same, or about half of it at least is.
///
/// The files need not be in git, and nothing is written to a repository.
///
/// # Errors
/// If they cannot be written to a directory for git, or git fails.
pub(super) fn renames(old: &[File<'_>], new: &[File<'_>]) -> io::Result<Vec<(usize, usize)>> {
    if old.is_empty() || new.is_empty() {
        return Ok(Vec::new());
    }
    let directory = Temporary::new()?;
    for (side, files) in [("old", old), ("new", new)] {
        for (place, (path, contents)) in files.iter().enumerate() {
            // No path is on both sides: git would take these for one file.
            let inner = directory.0.join(side).join(format!("{side}{place}"));
            fs::create_dir_all(&inner)?;
            let name = path.file_name().unwrap_or(path.as_os_str());
            fs::write(inner.join(name), in_lines(contents))?;
        }
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(&directory.0).args([
        "diff",
        "--no-index",
        "--no-ext-diff",
        "--raw",
        "-z",
        "--find-renames",
        "-l0",
        "--diff-filter=R",
        "--",
        "old",
        "new",
    ]);
    let output = git.stdin(Stdio::null()).output()?;
    // 1 says that there are differences.
    if !matches!(output.status.code(), Some(0 | 1)) {
        let words = String::from_utf8_lossy(&output.stderr);
        let line = words.lines().next().unwrap_or("it failed without a word");
        return Err(io::Error::other(format!("git: {line}")));
    }
    // For each the modes, objects and how alike they are, then both paths.
    let parts: Vec<_> = output.stdout.split(|&byte| byte == 0).collect();
    let pairs = parts.chunks_exact(3);
    Ok(pairs
        .filter_map(|pair| Some((place("old", pair[1])?, place("new", pair[2])?)))
        .collect())
}

/// A text with an end of line after every comma. git compares lines, and a profile may be all in
/// one.
fn in_lines(contents: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(contents.len() * 2);
    for &byte in contents {
        lines.push(byte);
        if byte == b',' {
            lines.push(b'\n');
        }
    }
    lines
}

/// The place of a file in its list, by the path that it was given.
fn place(side: &str, path: &[u8]) -> Option<usize> {
    let path = Path::new(OsStr::from_bytes(path));
    let directory = path.parent()?.file_name()?.to_str()?;
    directory.strip_prefix(side)?.parse().ok()
}

/// A directory that goes when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> io::Result<Self> {
        let mut number = 0;
        loop {
            let name = format!("seclint-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left by a process that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Somebody else cleans up there in the end.
        let _ = fs::remove_dir_all(&self.0);
    }
}

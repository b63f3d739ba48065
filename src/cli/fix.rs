//! Fixes: in files, on standard output, or as a patch.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::output::{Main, OutputOptions};
use super::replace::{name_in_patch, replace};
use super::{CliError, complain};
use crate::finding::Applicability;
use crate::lint::{Fixed, HeldBack, Linted, fix};
use crate::report::patch;
use crate::text::{MAX_BYTES, Source};

/// What is corrected, and where the corrected text goes.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Fixes")]
#[allow(clippy::struct_excessive_bools, reason = "an option each")]
pub(super) struct FixOptions {
    /// Correct in the files what can be without changing a filter; report what is left
    #[arg(long)]
    fix: bool,
    /// Correct what changes filters as well, and take comments out of JSON: look at what it does
    #[arg(long)]
    unsafe_fixes: bool,
    /// Write no file: print what would be corrected as a patch for the working directory, instead of
    /// a report
    #[arg(long)]
    diff: bool,
}

/// A corrected text.
pub(super) struct Change {
    before: Arc<Source>,
    after: Arc<Source>,
    /// What is left, if anything was corrected.
    linted: Option<Linted>,
    count: usize,
}

/// What came of a source.
pub(super) struct Corrected {
    /// What was found in the text as it was.
    pub(super) linted: Linted,
    /// A better text.
    pub(super) change: Option<Change>,
    /// What was not corrected of what was asked for.
    pub(super) held_back: Vec<HeldBack>,
}

impl FixOptions {
    fn applicability(self) -> Option<Applicability> {
        match self {
            Self {
                unsafe_fixes: true, ..
            } => Some(Applicability::Unsafe),
            Self { fix: true, .. } | Self { diff: true, .. } => Some(Applicability::Safe),
            _ => None,
        }
    }

    /// Whether a patch is printed instead of a report.
    pub(super) fn shows_patch(self) -> bool {
        self.diff
    }

    /// Where the report goes: a corrected standard input, or a patch, has standard output to itself.
    pub(super) fn main(self, paths: &[PathBuf], output: &OutputOptions) -> Result<Main, CliError> {
        if self.diff && output.format.is_some() {
            let message =
                "--diff prints a patch and no report; --report FORMAT=PATH writes one beside it";
            return Err(CliError::Usage(message.to_owned()));
        }
        let has_stdin = paths.iter().any(|path| path.as_os_str() == "-");
        Ok(match self.applicability() {
            Some(_) if self.diff => Main::Nowhere,
            Some(_) if has_stdin => Main::StandardError,
            _ => Main::StandardOutput,
        })
    }

    /// Corrects what was found in a source, if that is asked for.
    pub(super) fn correct(
        self,
        linted: Linted,
        lint: impl Fn(&Arc<Source>) -> Linted,
    ) -> Result<Corrected, CliError> {
        let source = Arc::clone(&linted.source);
        let is_long = source.name() == Source::STANDARD_INPUT && source.bytes().len() > MAX_BYTES;
        if is_long && self.applicability().is_some() {
            // Not all of it was read.
            let error = io::Error::other("too large to be corrected");
            return Err(CliError::Fix(source.name().to_owned(), error));
        }
        // What holds no profile may be in another language, which is nobody's to correct.
        let applicability = self.applicability().filter(|_| linted.profiles > 0);
        let Some(applicability) = applicability else {
            return Ok(Corrected {
                linted,
                change: self.unchanged(&source),
                held_back: Vec::new(),
            });
        };
        let Fixed {
            before,
            after,
            count,
            held_back,
        } = fix(linted, applicability, lint);
        let change = after.map(|after| Change {
            before: Arc::clone(&source),
            after: Arc::clone(&after.source),
            linted: Some(after),
            count,
        });
        Ok(Corrected {
            linted: before,
            change: change.or_else(|| self.unchanged(&source)),
            held_back,
        })
    }

    /// What is to be written though nothing is corrected: standard input goes on to standard output.
    pub(super) fn unchanged(self, source: &Arc<Source>) -> Option<Change> {
        let goes_on = self.applicability().is_some() && source.name() == Source::STANDARD_INPUT;
        goes_on.then(|| Change {
            before: Arc::clone(source),
            after: Arc::clone(source),
            linted: None,
            count: 0,
        })
    }

    /// Writes a corrected text, or what it would be. What is left then, and how many findings are
    /// not.
    pub(super) fn make(
        self,
        change: Change,
        path: &Path,
    ) -> Result<(Option<Linted>, usize), CliError> {
        let (before, after) = (change.before.bytes(), change.after.bytes());
        let name = change.before.name();
        let is_stdin = name == Source::STANDARD_INPUT;
        let failed = |error| CliError::Fix(name.to_owned(), error);
        if self.diff {
            let name = if is_stdin || before == after {
                PathBuf::from(name)
            } else {
                name_in_patch(path).map_err(failed)?
            };
            let mut out = io::stdout().lock();
            patch(&mut out, name.as_os_str().as_bytes(), before, after)?;
            out.flush()?;
            return Ok((None, 0));
        }
        if is_stdin {
            let mut out = io::stdout().lock();
            out.write_all(after)?;
            out.flush()?;
        } else {
            replace(path, before, after).map_err(failed)?;
        }
        Ok((change.linted, change.count))
    }
}

/// Says of a file which fixes were not made, and why, in one line.
pub(super) fn say_held_back(name: &str, held_back: &[HeldBack]) {
    let mut kinds: Vec<(&HeldBack, usize)> = Vec::new();
    for fix in held_back {
        match kinds.iter_mut().find(|(kind, _)| *kind == fix) {
            Some((_, count)) => *count += 1,
            None => kinds.push((fix, 1)),
        }
    }
    let kinds = kinds.iter().map(|(HeldBack { rule, why }, count)| {
        let times = if *count > 1 {
            format!(" ({count})")
        } else {
            String::new()
        };
        format!("{rule}{times} {why}")
    });
    let (number, verb) = match held_back.len() {
        0 => return,
        1 => ("a fix".to_owned(), "is"),
        more => (format!("{more} fixes"), "are"),
    };
    let kinds = kinds.collect::<Vec<_>>().join("; ");
    complain(
        "note",
        &format!("{name}: {number} {verb} held back: {kinds}"),
    );
}

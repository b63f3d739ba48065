//! Fixes: in files, on standard output, or as a patch.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::CliError;
use super::output::{Main, OutputOptions};
use super::replace::replace;
use crate::finding::Applicability;
use crate::lint::{Fixed, Linted, fix};
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
    /// Correct what changes filters as well: look at what it does
    #[arg(long)]
    unsafe_fixes: bool,
    /// Write no file: print what would be corrected as a patch, instead of a report
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

    /// Checks a source, and corrects it if that is asked for. What was found is of the text as it
    /// was.
    pub(super) fn lint(
        self,
        source: &Arc<Source>,
        lint: impl Fn(&Arc<Source>) -> Linted,
    ) -> Result<(Linted, Option<Change>), CliError> {
        let Some(applicability) = self.applicability() else {
            return Ok((lint(source), None));
        };
        if source.name() == Source::STANDARD_INPUT && source.bytes().len() > MAX_BYTES {
            // Not all of it was read.
            let error = io::Error::other("too large to be corrected");
            return Err(CliError::Fix(source.name().to_owned(), error));
        }
        let Fixed {
            before,
            after,
            count,
        } = fix(source, applicability, lint);
        let change = after.map(|after| Change {
            before: Arc::clone(source),
            after: Arc::clone(&after.source),
            linted: Some(after),
            count,
        });
        Ok((before, change.or_else(|| self.unchanged(source))))
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
    pub(super) fn make(self, change: Change) -> Result<(Option<Linted>, usize), CliError> {
        let (name, before, after) = (
            change.before.name(),
            change.before.bytes(),
            change.after.bytes(),
        );
        if self.diff {
            let mut out = io::stdout().lock();
            patch(&mut out, name, before, after)?;
            out.flush()?;
            return Ok((None, 0));
        }
        if name == Source::STANDARD_INPUT {
            let mut out = io::stdout().lock();
            out.write_all(after)?;
            out.flush()?;
        } else {
            let failed = |error| CliError::Fix(name.to_owned(), error);
            replace(Path::new(name), before, after).map_err(failed)?;
        }
        Ok((change.linted, change.count))
    }
}

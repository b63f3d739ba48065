//! Reports: what is written of findings, one file a format. Nothing else writes
//! them; what answers no question about a file, such as a list, its command prints.

mod baseline;
mod excerpt;
mod github;
mod human;
mod json;
mod patch;
mod sarif;
mod workspace;

use std::io;

use serde::Serialize;

use crate::crun::Audit;
use crate::engine::Engine;
use crate::finding::{Finding, Severity};
use crate::profile::Dialects;
use crate::target::Target;

pub use baseline::{Baseline, BaselineError, Gone};
pub(crate) use excerpt::{Mark, visible};
pub use github::Github;
pub(crate) use human::excerpts;
pub use human::{Human, Look, Picture};
pub use json::Json;
pub use patch::patch;
pub use sarif::Sarif;
pub use workspace::Workspace;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files that were looked at.
    pub files: usize,
    /// Profiles in them; a file of Kubernetes objects can hold several.
    pub profiles: usize,
    /// Those that were passed over, because they held none.
    pub skipped: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are infos.
    pub infos: usize,
    /// Findings that were made and not reported.
    pub suppressed: usize,
    /// Findings that are gone because what was wrong has been corrected.
    pub fixed: usize,
}

impl Summary {
    /// Counts a finding.
    pub fn count(&mut self, finding: &Finding) {
        if finding.suppression.is_some() {
            self.suppressed += 1;
            return;
        }
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Info => self.infos += 1,
        }
    }

    /// Adds what came of other files.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.profiles += other.profiles;
        self.skipped += other.skipped;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.infos += other.infos;
        self.suppressed += other.suppressed;
        self.fixed += other.fixed;
    }

    /// The number of findings at or above a severity.
    #[must_use]
    pub fn at_least(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.errors + self.warnings,
            Severity::Info => self.errors + self.warnings + self.infos,
        }
    }
}

/// What profiles were checked against: all of them together.
#[derive(Clone, Copy, Debug)]
pub struct Against<'t> {
    /// The platforms; at least one, if only one of which nothing is said.
    pub targets: &'t [Target],
    /// The engines that will read the profiles; empty if none was said.
    pub engines: &'t [Engine],
    /// The dialects that the user says the profiles are in.
    pub dialects: Option<Dialects>,
}

/// What stands at the end of a report of profiles.
#[derive(Clone, Copy, Debug)]
pub struct Conclusion<'r> {
    /// What the run came to.
    pub summary: &'r Summary,
    /// What the profiles were checked against.
    pub against: Against<'r>,
    /// What the baseline has and is gone; `None` without a baseline.
    pub gone: Option<&'r [Gone]>,
}

/// The findings that a report shows, of all that were made.
fn reported(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(|finding| finding.suppression.is_none())
}

/// A format for reports. A report of profiles is `begin`, then `findings` for
/// each file that has any, then `end`; a report of caches is `audit` for each.
/// Either is complete after `finish`.
pub trait Report {
    /// The head of a report of profiles.
    ///
    /// # Errors
    /// If it cannot be written. The same holds for the other functions.
    fn begin(&mut self) -> io::Result<()>;

    /// The findings of one file, those that are not reported among them.
    ///
    /// # Errors
    /// If they cannot be written.
    fn findings(&mut self, findings: &[Finding]) -> io::Result<()>;

    /// The same where only people read it, who are shown a picture. Programs are told nothing by
    /// one: no other report takes it.
    ///
    /// # Errors
    /// If it cannot be written.
    fn picture(&mut self, _picture: &Picture) -> io::Result<()> {
        Err(io::Error::other(
            "a report for programs is made of findings",
        ))
    }

    /// The end of a report of profiles. What they were checked against is known then: each may
    /// have been under a `seclint.toml` of its own.
    ///
    /// # Errors
    /// If it cannot be written.
    fn end(&mut self, conclusion: &Conclusion<'_>) -> io::Result<()>;

    /// The report of one cache.
    ///
    /// # Errors
    /// If it cannot be written.
    fn audit(&mut self, audit: &Audit) -> io::Result<()>;

    /// What stands after everything else. `is_complete` says whether all of the
    /// job could be done.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(&mut self, is_complete: bool) -> io::Result<()>;
}

//! Base profiles that the user gives.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::CliError;
use super::input::inputs;
use crate::profile::{Bases, GivenBases};

/// Where base profiles are looked for.
#[derive(Debug, Args)]
pub(super) struct BaseOptions {
    /// File or directory with base profiles, which others name by `baseProfileName` (may be repeated);
    /// what stands in the same file, or in another one that is given, is found without
    #[arg(long, value_name = "PATH")]
    base_profile: Vec<PathBuf>,
}

impl BaseOptions {
    /// The base profiles there, and in the other files that the command was given. They are read if
    /// a profile names one.
    pub(super) fn given(&self, others: &[PathBuf]) -> Result<GivenBases, CliError> {
        for path in &self.base_profile {
            let failed = |error| CliError::Read(path.display().to_string(), error);
            path.metadata().map_err(failed)?;
        }
        let all = self.base_profile.iter().chain(others);
        // Standard input can be read once.
        let all: Vec<_> = all.filter(|it| it.as_os_str() != "-").cloned().collect();
        Ok(GivenBases::new(Box::new(move || bases_in(&all))))
    }

    /// The files and directories that were given for them.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.base_profile
    }
}

/// The base profiles in the files that some paths stand for, each once.
pub(super) fn bases_in(paths: &[PathBuf]) -> Bases {
    let mut bases = Bases::default();
    let mut seen = HashSet::new();
    // What cannot be read is for those to say who check it.
    for input in inputs(paths).flatten() {
        let is_new = input.path().canonicalize().is_ok_and(|it| seen.insert(it));
        if let Some(source) = input.read().ok().flatten().filter(|_| is_new) {
            bases.add(&source);
        }
    }
    bases
}

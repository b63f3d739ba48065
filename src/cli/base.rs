//! Base profiles that the user gives.

use std::collections::HashSet;
use std::fs::File;
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
    /// a profile names one; what can be read once only, such as a pipe, is read now.
    ///
    /// # Errors
    /// If something there cannot be read.
    pub(super) fn given(&self, others: &[PathBuf]) -> Result<GivenBases, CliError> {
        let mut once = Vec::new();
        for input in inputs(&self.base_profile) {
            let input = input?;
            let name = input.name();
            if input.path().as_os_str() == "-" {
                return Err(CliError::Usage(format!(
                    "--base-profile {name}: base profiles are not read from standard input; give a file"
                )));
            }
            let failed = |error| CliError::Read(format!("--base-profile {name}"), error);
            if input.path().metadata().map_err(failed)?.is_file() {
                File::open(input.path()).map_err(failed)?;
            } else {
                once.extend(input.read()?);
            }
        }
        let all: Vec<_> = self.base_profile.iter().chain(others).cloned().collect();
        Ok(GivenBases::new(Box::new(move || {
            let mut bases = bases_in(&all);
            for source in &once {
                bases.add(source);
            }
            bases
        })))
    }

    /// The files and directories that were given for them.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.base_profile
    }
}

/// The base profiles in the files that some paths stand for, each once. Only plain files: a pipe or
/// standard input is gone once it was read, and is for somebody else to read.
pub(super) fn bases_in(paths: &[PathBuf]) -> Bases {
    let mut bases = Bases::default();
    let mut seen = HashSet::new();
    // What cannot be read is for those to say who check it.
    for input in inputs(paths).flatten() {
        let file = input.path().canonicalize().ok();
        let is_new = file.is_some_and(|file| file.is_file() && seen.insert(file));
        if let Some(source) = is_new.then(|| input.read().ok()).flatten().flatten() {
            bases.add(&source);
        }
    }
    bases
}

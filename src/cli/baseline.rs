//! What an earlier report holds, and what of it is gone.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::settings::Settings;
use super::{CliError, complain};
use crate::finding::Finding;
use crate::report::{Baseline, Gone, plain};

/// A baseline, and what was compared with it.
pub(super) struct Comparison {
    baseline: Baseline,
    /// How each file was checked, by its path.
    checked: HashMap<String, Arc<Settings>>,
}

impl Comparison {
    pub(super) fn read(path: &PathBuf) -> Result<Self, CliError> {
        let name = || path.display().to_string();
        let bytes = fs::read(path).map_err(|error| CliError::Read(name(), error))?;
        let baseline = Baseline::read(&bytes);
        Ok(Self {
            baseline: baseline.map_err(|error| CliError::Baseline(path.clone(), error))?,
            checked: HashMap::new(),
        })
    }

    /// Takes note of a file, and marks what is known of it.
    pub(super) fn meet(&mut self, path: &str, settings: &Arc<Settings>, findings: &mut [Finding]) {
        self.checked.insert(plain(path), Arc::clone(settings));
        self.baseline.meet(findings);
    }

    /// What is gone from the files that were checked, and from those that are gone themselves. Says
    /// so.
    pub(super) fn gone(&self) -> Vec<Gone> {
        /// So many are told one by one.
        const TOLD: usize = 10;
        let gone = self
            .baseline
            .gone(|path, rule| match self.checked.get(&plain(path)) {
                Some(settings) => settings.checks(rule),
                None => !Path::new(path).exists(),
            });
        for it in gone.iter().take(TOLD) {
            let Gone {
                path,
                rule,
                message,
                ..
            } = it;
            complain(
                "note",
                &format!("gone since the baseline: {path}: {rule}: {message}"),
            );
        }
        if let Some(more) = gone.len().checked_sub(TOLD).filter(|more| *more > 0) {
            complain("note", &format!("gone since the baseline: {more} others"));
        }
        gone
    }
}

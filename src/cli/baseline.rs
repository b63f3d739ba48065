//! What an earlier report holds, and what of it is gone.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use super::settings::Settings;
use super::{CliError, complain};
use crate::finding::Finding;
use crate::report::{Baseline, Gone};

/// A baseline, and what was compared with it.
pub(super) struct Comparison {
    baseline: Baseline,
    here: PathBuf,
    /// What paths in the report are relative to.
    directory: PathBuf,
    /// Its files if they were relative to where seclint runs.
    from_here: BTreeSet<String>,
    /// How each file was checked, by its path from the root.
    checked: HashMap<String, Arc<Settings>>,
}

impl Comparison {
    pub(super) fn read(path: &PathBuf) -> Result<Self, CliError> {
        let failed = |error| CliError::Read(path.display().to_string(), error);
        let bytes = fs::read(path).map_err(failed)?;
        let baseline = Baseline::read(&bytes);
        let mut baseline = baseline.map_err(|error| CliError::Baseline(path.clone(), error))?;
        let here = env::current_dir().unwrap_or_default();
        let directory = directory(&baseline, path, &here);
        let from_here = baseline.paths().map(|path| place(&here, path)).collect();
        baseline.rename(|path| place(&directory, path));
        Ok(Self {
            baseline,
            here,
            directory,
            from_here,
            checked: HashMap::new(),
        })
    }

    /// Takes note of a file, and marks what is known of it.
    pub(super) fn meet(&mut self, path: &str, settings: &Arc<Settings>, findings: &mut [Finding]) {
        let path = place(&self.here, path);
        self.baseline.meet(&path, findings);
        self.checked.insert(path, Arc::clone(settings));
    }

    /// What is gone from the files that were checked, and from those that are gone themselves. Says
    /// so.
    pub(super) fn gone(&self) -> Vec<Gone> {
        /// So many are told one by one.
        const TOLD: usize = 10;
        self.say_if_strange();
        let gone = self.baseline.gone(|path, rule| {
            let path = place(&self.directory, path);
            match self.checked.get(&path) {
                Some(settings) => settings.checks(rule),
                None => !Path::new(&path).exists(),
            }
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

    /// A baseline that was made elsewhere would let every finding pass for a new one.
    fn say_if_strange(&self) {
        let paths: BTreeSet<_> = self.baseline.paths().collect();
        let is_checked = |path: &str| self.checked.contains_key(path);
        if !paths.iter().any(|path| is_checked(path))
            && self.from_here.iter().any(|it| is_checked(it))
        {
            let directory = self.directory.display();
            complain(
                "note",
                &format!(
                    "the baseline is taken for one of files in {directory}, where it is: move it if it is about those of the same names that were checked"
                ),
            );
            return;
        }
        let is_ours = |path: &&str| is_checked(path) || Path::new(path).exists();
        let Some(first) = paths.first().filter(|_| !paths.iter().any(is_ours)) else {
            return;
        };
        let none = "the baseline is about none of the files that were checked";
        complain(
            "note",
            &format!("{none}: there is no {first}, of which it has findings"),
        );
    }
}

/// What the paths in a report are relative to: where the report is, if as many of its files are found
/// from there as from where seclint runs, and else that.
fn directory(baseline: &Baseline, report: &Path, here: &Path) -> PathBuf {
    let beside = place(here, &report.display().to_string());
    let beside = Path::new(&beside).parent().unwrap_or(here);
    let found = |directory: &Path| {
        let paths = baseline.paths();
        paths.filter(|path| directory.join(path).exists()).count()
    };
    // A file of the same name elsewhere was never looked at.
    let is_beside = found(beside) > 0 && found(beside) >= found(here);
    if is_beside { beside } else { here }.to_owned()
}

/// A path from the root, by what is written in it: `./a//../b` in `/c` is `/c/b`.
fn place(directory: &Path, path: &str) -> String {
    let mut placed = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::ParentDir => {
                placed.pop();
            }
            component => placed.push(component),
        }
    }
    placed.display().to_string()
}

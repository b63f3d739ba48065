//! `seclint diff`.

mod compared;
mod git;
mod moves;
mod renames;
mod version;
mod writer;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::base::bases_in;
use super::input::read;
use super::meaning::{MeaningOptions, Reader};
use super::options::ListFormat;
use super::{CliError, Ending, complain};
use crate::policy::Direction;
use crate::profile::{Bases, GivenBases};
use compared::{Compared, Status, compare};
use git::{Changed, Old, Revision};
use version::{Version, pairs};
use writer::Report;

/// Say what a change does to the filter, call by call: what it loosens (more may run than before),
/// what it tightens, and what else changes.
///
/// Old and new are profiles, config.json files, Kubernetes manifests, or entries of crun's cache.
/// Where a manifest has several profiles, each is compared with its namesake. With --against the old
/// ones are those of a revision in git, and what is no profile is passed over; a file that was renamed
/// is compared with what it was, wherever in the repository that was. Where more than 1000 files are
/// gone, or new, only those are found that are the same as before. A profile that is new or deleted is compared with nothing, and only
/// --fail-on any fails for it.
///
/// Without --engine a profile that is for an engine is taken as an engine of its dialect reads it,
/// and every other one as the section that reaches the runtime; both versions as the same engine
/// reads them, if it reads both.
///
/// Refused is a profile that the engine, the runtime or the kernel does not take, so that no container
/// starts with it, and nothing can be compared. It fails whatever --fail-on names, unless it is
/// unchanged, and was refused before.
///
/// Exit codes: 0 nothing that --fail-on names, 1 something, or a new or changed profile is refused, 2
/// some of the job could not be done, or what a base profile adds is not known.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// OLD NEW; with --against, the files and directories to be compared [default: .]
    #[arg(value_name = "OLD NEW | PATH", required_unless_present = "against")]
    paths: Vec<PathBuf>,
    /// Compare with the files of a revision in git, such as origin/main
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Loosens)]
    fail_on: FailOn,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    #[command(flatten)]
    options: MeaningOptions,
}

/// The changes that make the exit code 1.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    /// Those by which more may run
    Loosens,
    /// Those by which less may run
    Tightens,
    /// Every change, and every profile that is new or deleted
    Any,
    /// None
    None,
}

impl FailOn {
    fn fails(self, compared: &Compared) -> bool {
        let mut directions = compared.directions();
        match self {
            Self::Loosens => directions.any(|it| it == Direction::Loosens),
            Self::Tightens => directions.any(|it| it == Direction::Tightens),
            Self::Any => {
                let is_one_sided = matches!(compared.status, Status::New | Status::Deleted);
                is_one_sided || directions.next().is_some()
            }
            Self::None => false,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let which = &arguments.options.which;
    let here = [PathBuf::from(".")];
    let paths = match &arguments.against {
        Some(_) if arguments.paths.is_empty() => &here[..],
        _ => &arguments.paths,
    };
    let beside = if arguments.against.is_some() {
        paths
    } else {
        &[]
    };
    let reader = Reader::new(&arguments.options, None, beside)?;
    let mut run = Run {
        report: Report::new(&reader.runtime),
        reader: &reader,
        name: which.name.as_deref(),
        fail_on: arguments.fail_on,
        ending: Ending::Clean,
    };
    match (&arguments.against, paths) {
        (None, [old, new]) => {
            if old.as_os_str() == "-" && new.as_os_str() == "-" {
                let words = "standard input is only one of the two files";
                return Err(CliError::Usage(words.to_owned()));
            }
            let (old, new) = (read(old)?, read(new)?);
            let [old, new] = [&old, &new].map(|source| Version::new(source, &reader.bases));
            run.compare(Some(&old), Some(&new), None);
        }
        (None, paths) => {
            return Err(CliError::Usage(format!(
                "two files are compared, OLD and NEW: given {}; with --against REV the old ones come from git",
                paths.len()
            )));
        }
        (Some(revision), paths) => {
            run.report.counts_unchanged = true;
            let bases = which.bases.paths().iter().map(std::slice::from_ref);
            let lists: Vec<_> = std::iter::once(paths).chain(bases).collect();
            let found = Revision::new(revision)?.changed(&lists);
            let old_bases = bases_of(&found, which.bases.paths());
            for changed in found.into_iter().next().unwrap_or_default() {
                let (changed, (old, new)) = match changed.and_then(|it| Ok((it.read()?, it))) {
                    Ok((versions, changed)) => (changed, versions),
                    Err(error) => {
                        run.add(Err(error));
                        continue;
                    }
                };
                let old = old.as_ref().map(|it| Version::new(it, &old_bases));
                let new = new.as_ref().map(|it| Version::new(it, &reader.bases));
                if [&old, &new].into_iter().flatten().all(Version::is_nothing) {
                    run.report.skip();
                } else {
                    run.compare(old.as_ref(), new.as_ref(), Some(&changed));
                }
            }
        }
    }
    writer::write(arguments.format, &run.report)?;
    Ok(run.ending)
}

/// The base profiles that a revision had, first in the files that are compared, then in those that
/// were given for `bases`; of those that it lacks, such as what is in no repository, those that are
/// here.
fn bases_of(found: &[Vec<Result<Changed, CliError>>], bases: &[PathBuf]) -> GivenBases {
    let old = |list: &Vec<Result<Changed, CliError>>| -> Vec<Old> {
        list.iter().flatten().filter_map(Changed::old).collect()
    };
    let all: Vec<_> = found.iter().map(old).collect();
    let given = bases.to_vec();
    GivenBases::new(Box::new(move || {
        let mut bases = Bases::default();
        let mut seen = Vec::new();
        for (place, name, blob) in all.iter().flatten() {
            if !seen.contains(&place)
                && let Ok(source) = blob.read(name.clone())
            {
                bases.add(&source);
                seen.push(place);
            }
        }
        let others = given.iter().zip(&all[1..]);
        let others = others.filter(|(_, old)| old.is_empty());
        let others: Vec<_> = others.map(|(path, _)| path.clone()).collect();
        bases.or(&bases_in(&others));
        bases
    }))
}

/// A run of the command, as far as it has come.
struct Run<'a> {
    reader: &'a Reader<'a>,
    /// The profile that is meant.
    name: Option<&'a str>,
    fail_on: FailOn,
    report: Report,
    ending: Ending,
}

impl Run<'_> {
    fn compare(
        &mut self,
        old: Option<&Version<'_>>,
        new: Option<&Version<'_>>,
        changed: Option<&Changed>,
    ) {
        match pairs(old, new, self.name) {
            Ok(pairs) => {
                self.report.has_namesakes |= pairs.len() > 1;
                for pair in &pairs {
                    let compared = compare(self.reader, pair).map(|mut compared| {
                        if let Some(changed) = changed {
                            let is_both = pair.iter().all(Option::is_some);
                            compared.renamed_from =
                                changed.renamed_from.clone().filter(|_| is_both);
                            compared.notes.extend(changed.note.clone());
                        }
                        compared
                    });
                    self.add(compared);
                }
            }
            Err(error) => self.add(Err(error)),
        }
    }

    fn add(&mut self, compared: Result<Compared, CliError>) {
        match compared {
            Ok(compared) => {
                if compared.status == Status::Unknown {
                    self.ending = Ending::Incomplete;
                }
                if compared.is_newly_refused() || self.fail_on.fails(&compared) {
                    self.ending = self.ending.max(Ending::Findings);
                }
                self.report.add(compared);
            }
            // The other files are still worth their while.
            Err(error) => {
                complain("error", &error.to_string());
                self.ending = Ending::Incomplete;
            }
        }
    }
}

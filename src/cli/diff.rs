//! `seclint diff`.

mod compared;
mod git;
mod renames;
mod writer;

use std::path::PathBuf;
use std::sync::Arc as Shared;

use clap::{Args, ValueEnum};

use super::input::read;
use super::meaning::{MeaningOptions, Reader};
use super::options::ListFormat;
use super::{CliError, Ending, complain};
use crate::policy::Direction;
use crate::profile::{self, Found};
use crate::text::Source;
use compared::{Compared, Status, compare};
use git::{Changed, Revision};
use writer::Report;

/// Say what a change does to the filter, call by call: what it loosens (more may run than before),
/// what it tightens, and what else changes.
///
/// Old and new are profiles, config.json files, Kubernetes manifests with one profile, or entries of
/// crun's cache. With --against the old ones are those of a revision in git, and what is no profile
/// is passed over; a file that was renamed is compared with what it was. A profile that is new or
/// deleted is compared with nothing, and only --fail-on any fails for it.
///
/// Without --engine a profile that is for an engine is taken as the engine of its dialect reads it,
/// and every other one as the section that reaches the runtime.
///
/// Exit codes: 0 nothing that --fail-on names, 1 something, or the engine, the runtime or the kernel
/// refuses the new file, 2 some of the job could not be done.
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
    let reader = Reader::new(&arguments.options)?;
    let mut report = Report::new(&reader.runtime);
    let mut ending = Ending::Clean;
    let mut add = |report: &mut Report, compared: Result<Compared, CliError>| match compared {
        Ok(compared) => {
            if compared.new_is_refused() || arguments.fail_on.fails(&compared) {
                ending = ending.max(Ending::Findings);
            }
            report.add(compared);
        }
        // The other files are still worth their while.
        Err(error) => {
            complain("error", &error.to_string());
            ending = Ending::Incomplete;
        }
    };
    match (&arguments.against, &arguments.paths[..]) {
        (None, [old, new]) => {
            if old.as_os_str() == "-" && new.as_os_str() == "-" {
                let words = "standard input is only one of the two files";
                return Err(CliError::Usage(words.to_owned()));
            }
            let compared = compare(&reader, Some(&read(old)?), Some(&read(new)?));
            add(&mut report, compared);
        }
        (None, paths) => {
            return Err(CliError::Usage(format!(
                "two files are compared, OLD and NEW, and {} was given; with --against REV the old ones come from git",
                paths.len()
            )));
        }
        (Some(revision), paths) => {
            let here = [PathBuf::from(".")];
            let paths = if paths.is_empty() { &here } else { paths };
            for changed in Revision::new(revision)?.changed(paths) {
                match changed.and_then(Changed::read) {
                    Ok((old, new)) => {
                        let is_none = [&old, &new].into_iter().flatten().all(is_nothing);
                        if is_none {
                            report.skip();
                        } else {
                            let compared = compare(&reader, old.as_ref(), new.as_ref());
                            add(&mut report, compared);
                        }
                    }
                    Err(error) => add(&mut report, Err(error)),
                }
            }
        }
    }
    writer::write(arguments.format, &report)?;
    Ok(ending)
}

/// Whether neither a profile nor a filter is in a file.
fn is_nothing(source: &Shared<Source>) -> bool {
    if source.bytes().iter().take(8).any(|&byte| byte < b'\t') {
        return crate::filter::Filter::detect(source.bytes()).is_err();
    }
    let files = profile::files(source);
    let mut found = files
        .iter()
        .map(|file| profile::find(file.document(), None));
    found.all(|found| matches!(found, Found::Nothing))
}

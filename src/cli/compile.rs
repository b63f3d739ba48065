//! `seclint compile`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::engine::{EngineOptions, Handed, native, only_profile, part_notes};
use super::input::read;
use super::runtime::{Foreseen, foreign_note, unrecorded_note};
use super::{CliError, Ending, complain};
use crate::filter::{CompileError, Filter, compile, linked};
use crate::profile::{self, Found};
use crate::runtime::{Ignored, Model, Outcome, Plan, Prediction, Surroundings, any_size};
use crate::syscalls::Release;
use crate::target::{Runtime, Uname};
use crate::text::{Document, json};

/// Make the filter that a runtime makes of a profile: the bare program, as crun's cache keeps it and
/// as `seclint disasm` reads it.
///
/// It is in the byte order of the host's architecture, and made by the libseccomp that seclint runs
/// with: other releases may make other bytes. Without --engine the profile is taken as the section
/// that reaches the runtime, or is taken from a container's config.json.
///
/// Exit codes: 0 the filter is written, 1 there is none, since the engine or the runtime refuses the
/// profile, or starts containers without a filter, 2 the job could not be done.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A profile, a config.json, a Kubernetes manifest with one profile in it, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// File to write; without it the filter goes to standard output, unless that is a terminal
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Runtime whose filter it is
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        help = "Runtime whose filter it is: crun@VERSION, runc@VERSION, or crun, which is asked for its version [default: the newest crun that was compared with its predictions]"
    )]
    runtime: Option<Runtime>,
    /// libseccomp release whose names the runtime knows [default: the one that makes the filter]
    #[arg(long, value_name = "RELEASE")]
    libseccomp: Option<Release>,
    #[command(flatten)]
    engine: EngineOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let Some(made_by) = linked() else {
        return Err(CliError::Usage(CompileError::NoLibrary.to_string()));
    };
    if arguments.output.is_none() && io::stdout().is_terminal() {
        let words = "a filter is nothing for a terminal: give a file by --output, or pipe it into `seclint disasm -`";
        return Err(CliError::Usage(words.to_owned()));
    }
    let libseccomp = arguments.libseccomp.unwrap_or(made_by);
    let [_, (name, version, _), ..] = Model::RECORDED;
    let runtime = match &arguments.runtime {
        Some(runtime) => Foreseen::of(runtime, Some(libseccomp))?,
        None => Foreseen::new(name, version, libseccomp)?,
    };
    let uname = Uname::of_this_machine();
    let chosen = arguments.engine.chosen(&uname)?;
    let surroundings = Surroundings {
        libseccomp,
        native: native(arguments.engine.arch, &uname)?,
        // Nothing of it is in a filter.
        no_new_privileges: true,
        fits: any_size,
    };
    let source = read(&arguments.profile)?;
    let name = source.name();
    let note = |words: String| complain("note", &format!("{name}: {words}"));
    let refuse = |words: String| {
        complain("error", &format!("{name}: {words}"));
        Ok(Ending::Findings)
    };
    let files = profile::files(&source);
    let file = only_profile(&files, &source, "filter")?;
    part_notes(file, &source).into_iter().for_each(note);
    let found = profile::find(file.document(), None);
    let by_dialect = match (&chosen, &found) {
        (None, Found::Profile(profile)) => arguments.engine.of_dialect(profile, &uname)?,
        _ => None,
    };
    if let Some(chosen) = &by_dialect {
        let engine = chosen.engine.title();
        note(format!(
            "it is for an engine: taken as {engine} reads it (--engine)"
        ));
    }
    let made = match chosen.or(by_dialect) {
        None => {
            foreign_note(&found).into_iter().for_each(note);
            make(file.document(), file.bytes(), &runtime.model, surroundings)
        }
        Some(engine) => match engine.hand(&source, file)? {
            Ok(Handed {
                no_filter: Some(why),
                ..
            }) => return refuse(why),
            Ok(Handed { json, .. }) => {
                let document = json::parse(&json);
                make(&document, &json, &runtime.model, surroundings)
            }
            Err(refusal) => {
                complain("error", &refusal.to_string());
                return Ok(Ending::Findings);
            }
        },
    };
    made.notes.into_iter().for_each(note);
    let filter = match made.filter {
        Ok(filter) => filter,
        Err(NoFilter::Refused(words)) => return refuse(words),
        Err(NoFilter::Unmade(error)) if error.is_of_section() => return refuse(error.to_string()),
        Err(NoFilter::Unmade(error)) => return Err(CliError::Usage(format!("{name}: {error}"))),
    };
    if libseccomp != made_by {
        note(format!(
            "made by libseccomp {made_by}; {libseccomp} may make another filter of it"
        ));
    }
    if let Some(path) = &arguments.output {
        fs::write(path, filter.bytes()).map_err(|error| {
            let path = path.display();
            CliError::Usage(format!("{path}: the filter could not be written: {error}"))
        })?;
    } else {
        let mut out = io::stdout().lock();
        out.write_all(&filter.bytes())?;
        out.flush()?;
    }
    Ok(Ending::Clean)
}

/// What came of a section.
struct Made {
    filter: Result<Filter, NoFilter>,
    /// What else is to be said.
    notes: Vec<String>,
}

/// Why there is no filter.
enum NoFilter {
    /// The runtime refuses the section, or takes it for none.
    Refused(String),
    /// libseccomp makes none.
    Unmade(CompileError),
}

fn make(document: &Document<'_>, bytes: &[u8], model: &Model, surroundings: Surroundings) -> Made {
    let prediction = model.predict(document, bytes, surroundings);
    let title = format!("{} {}", model.name(), model.version());
    let names = |ignored: &[Ignored<'_>], does: &str| {
        let names: Vec<_> = (ignored.iter())
            .map(|ignored| format!("`{}`", ignored.name))
            .collect();
        (!names.is_empty()).then(|| format!("{title} {does} {}", names.join(", ")))
    };
    let mut notes: Vec<_> = unrecorded_note(model).into_iter().collect();
    notes.extend(names(&prediction.warned, "warns of"));
    notes.extend(names(&prediction.dropped, "passes over"));
    let filter = if let Some(plan) = plan_of(&prediction) {
        compile(plan).map_err(NoFilter::Unmade)
    } else {
        Err(NoFilter::Refused(no_plan(model, &prediction)))
    };
    Made { filter, notes }
}

/// Why there is no plan.
pub(super) fn no_plan(model: &Model, prediction: &Prediction<'_>) -> String {
    let told = prediction.error.iter().chain(&prediction.notes);
    let told: Vec<_> = told.map(String::as_str).collect();
    let does = match prediction.outcome {
        Outcome::Refuses => "refuses the profile",
        Outcome::Starts | Outcome::Dies => "makes no filter",
    };
    let title = format!("{} {}", model.name(), model.version());
    format!("{title} {does}: {}", told.join("; "))
}

/// The plan that is carried out, though it be for a container that dies, or that needs somebody to
/// listen.
pub(super) fn plan_of<'p>(prediction: &'p Prediction<'_>) -> Option<&'p Plan> {
    // crun leaves an entry before it looks at the flags.
    let is_too_late = prediction.outcome == Outcome::Refuses && prediction.leaves_entry;
    prediction.plan.as_ref().filter(|_| !is_too_late)
}

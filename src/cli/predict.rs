//! `seclint predict`.

mod writer;

use std::io::{BufWriter, StdoutLock};
use std::path::PathBuf;

use clap::Args;

use super::engine::{ChosenEngine, EngineOptions, Handed, check_manifest, native, part_notes};
use super::input::{Input, inputs};
use super::options::ListFormat;
use super::runtime::{Foreseen, foreign_note, unrecorded_note};
use super::{CliError, Ending, complain};
use crate::crun::{Host, cache_key};
use crate::filter::fits;
use crate::profile::{self, Found};
use crate::runtime::{Model, Outcome, Prediction, Surroundings, difference};
use crate::syscalls::{Arch, Release};
use crate::target::{Runtime, Uname};
use crate::text::{Document, json};
use writer::{Report, RuntimeReport, Writer};

/// Say what runtimes do with a profile.
///
/// Without --engine the profile is taken as the section that reaches the runtime, or is taken from a
/// container's config.json or from Kubernetes manifests.
///
/// Exit codes: 0 all containers start, 1 the engine or a runtime refuses a profile, or a container
/// dies, 2 some of the job could not be done.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles, config.json files, Kubernetes manifests, directories of such, or - for standard input
    #[arg(value_name = "PROFILE", required = true)]
    profiles: Vec<PathBuf>,
    /// Runtime to predict (may be repeated)
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        value_delimiter = ',',
        help = "Runtime to predict: crun@VERSION, runc@VERSION, or crun, which is asked for its version (may be repeated) [default: those that were compared with their predictions]"
    )]
    runtime: Vec<Runtime>,
    /// libseccomp release that the runtime runs with [default: the one that the runtime was compared with]
    #[arg(long, value_name = "RELEASE")]
    libseccomp: Option<Release>,
    /// Kernel of another host, for keys, as `uname -r`, `-v` and `-m` say it there
    #[arg(long, value_name = "RELEASE|VERSION|MACHINE")]
    uname: Option<Uname>,
    /// The container runs with `noNewPrivileges`, unless a config.json says so itself
    #[arg(long)]
    no_new_privileges: bool,
    /// How predictions are written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    #[command(flatten)]
    engine: EngineOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let runtimes = runtimes(arguments)?;
    let uname = arguments
        .uname
        .clone()
        .unwrap_or_else(Uname::of_this_machine);
    let engine = arguments.engine.chosen(&uname)?;
    let native = native(arguments.engine.arch, &uname)?;
    let mut run = Run {
        writer: Writer::new(arguments.format)?,
        caveats: caveats(&runtimes, native),
        no_key: arguments.engine.contradicts(&uname),
        runtimes: &runtimes,
        engine,
        uname,
        native,
        no_new_privileges: arguments.no_new_privileges,
        ending: Ending::Clean,
    };
    let (mut files, mut skipped) = (0, 0);
    for input in inputs(&arguments.profiles) {
        files += 1;
        match input.and_then(|input| run.file(&input)) {
            Ok(true) => {}
            Ok(false) => skipped += 1,
            Err(error @ CliError::Write(_)) => return Err(error),
            // The other files are still worth their while.
            Err(error) => {
                complain("error", &error.to_string());
                run.ending = Ending::Incomplete;
            }
        }
    }
    run.writer.finish()?;
    match (files, skipped) {
        (0, _) => complain("note", "there is no file to predict anything of"),
        (_, 0) => {}
        (_, 1) => complain("note", "1 file that holds no profile was passed over"),
        (_, several) => {
            let words = format!("{several} files that hold no profile were passed over");
            complain("note", &words);
        }
    }
    Ok(run.ending)
}

/// A run of the command, as far as it has come.
struct Run<'a> {
    runtimes: &'a [Foreseen],
    engine: Option<ChosenEngine>,
    uname: Uname,
    native: Arch,
    no_new_privileges: bool,
    /// What is to be said of every prediction.
    caveats: Vec<String>,
    /// Why no keys are told.
    no_key: Option<String>,
    writer: Writer<BufWriter<StdoutLock<'static>>>,
    ending: Ending,
}

impl<'a> Run<'a> {
    /// Predicts what becomes of the profiles of a file; `false` if it is passed over.
    fn file(&mut self, input: &Input) -> Result<bool, CliError> {
        let Some(source) = input.read()? else {
            return Ok(false);
        };
        let mut is_passed_over = true;
        for file in profile::files(&source) {
            let found = profile::find(file.document(), None);
            if input.is_found && matches!(found, Found::Nothing) {
                continue;
            }
            is_passed_over = false;
            check_manifest(&file, &source)?;
            let mut notes = part_notes(&file, &source);
            let (reports, no_filter) = match &self.engine {
                None => {
                    notes.extend(foreign_note(&found));
                    (self.predict(file.document(), file.bytes()), None)
                }
                Some(engine) => match engine.hand(&source, &file)? {
                    Ok(Handed { json, no_filter }) => {
                        let document = json::parse(&json);
                        (self.predict(&document, &json), no_filter)
                    }
                    Err(refusal) => {
                        self.writer.refusal(source.name(), &refusal)?;
                        self.ending = self.ending.max(Ending::Findings);
                        continue;
                    }
                },
            };
            notes.extend(no_filter);
            notes.extend_from_slice(&self.caveats);
            let ending = self.writer.reports(source.name(), reports, notes)?;
            self.ending = self.ending.max(ending);
        }
        Ok(!is_passed_over)
    }

    fn predict(&self, document: &Document<'_>, bytes: &[u8]) -> Vec<Report<'a>> {
        let mut reports = Vec::with_capacity(self.runtimes.len());
        let mut first: Option<(&Model, Prediction<'_>)> = None;
        for Foreseen { model, libseccomp } in self.runtimes {
            let surroundings = Surroundings {
                libseccomp: *libseccomp,
                native: self.native,
                no_new_privileges: self.no_new_privileges,
                fits,
            };
            let prediction = model.predict(document, bytes, surroundings);
            let host = Host {
                crun: model.version().to_owned(),
                libseccomp: *libseccomp,
                uname: self.uname.clone(),
            };
            let section = prediction.section.as_ref();
            let mut notes = prediction.notes.clone();
            let key = section
                .filter(|_| prediction.leaves_entry)
                .and_then(|section| {
                    if let Some(why) = &self.no_key {
                        notes.push(why.clone());
                        return None;
                    }
                    let key = cache_key(section, prediction.fails_on_unknown, &host);
                    key.map_err(|error| notes.push(error.to_string())).ok()
                });
            notes.extend(unrecorded_note(model));
            if let Some((other, there)) = &first {
                let differs = difference(there, &prediction);
                notes.extend(differs.map(|how| {
                    format!(
                        "not the filter of {} {}: {how}",
                        other.name(),
                        other.version()
                    )
                }));
            }
            let names = |ignored: &[crate::runtime::Ignored<'_>]| {
                ignored.iter().map(|ignored| ignored.name.clone()).collect()
            };
            reports.push(Report {
                runtime: RuntimeReport {
                    name: model.name(),
                    version: model.version(),
                },
                libseccomp: libseccomp.to_string(),
                outcome: prediction.outcome,
                certain: prediction.is_certain,
                error: prediction.error.clone(),
                warned: names(&prediction.warned),
                dropped: names(&prediction.dropped),
                key,
                notes,
            });
            if first.is_none() && prediction.outcome == Outcome::Starts {
                first = Some((model, prediction));
            }
        }
        reports
    }
}

/// What nobody has seen of what is predicted.
fn caveats(runtimes: &[Foreseen], native: Arch) -> Vec<String> {
    let startup = (native != Arch::X86_64).then(|| {
        format!(
            "what runtimes call while a container starts was seen on x86_64 only; on {native} it may die, or start, all the same"
        )
    });
    let mut recorded: Vec<_> = Model::RECORDED.map(|(_, _, release)| release).into();
    recorded.sort_unstable();
    recorded.dedup();
    let mut unseen: Vec<Release> = runtimes.iter().map(|runtime| runtime.libseccomp).collect();
    unseen.retain(|release| !recorded.contains(release));
    unseen.sort_unstable();
    unseen.dedup();
    let unseen = unseen.iter().map(|release| {
        format!(
            "predictions with libseccomp {release} were not compared with what runtimes do; those with {} were",
            listed(&recorded)
        )
    });
    startup.into_iter().chain(unseen).collect()
}

/// "2.6.0 and 2.6.1".
fn listed(releases: &[Release]) -> String {
    let releases: Vec<_> = releases.iter().map(ToString::to_string).collect();
    releases.join(" and ")
}

/// The runtimes that were asked for, or all that predictions were compared with.
fn runtimes(arguments: &Arguments) -> Result<Vec<Foreseen>, CliError> {
    if arguments.runtime.is_empty() {
        let recorded = Model::RECORDED.into_iter();
        return recorded
            .map(|(name, version, libseccomp)| {
                Foreseen::new(name, version, arguments.libseccomp.unwrap_or(libseccomp))
            })
            .collect();
    }
    let mut runtimes: Vec<Foreseen> = Vec::new();
    for runtime in &arguments.runtime {
        let runtime = Foreseen::of(runtime, arguments.libseccomp)?;
        if !runtimes.contains(&runtime) {
            runtimes.push(runtime);
        }
    }
    Ok(runtimes)
}

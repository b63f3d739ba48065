//! `seclint predict`.

mod writer;

use std::io::{BufWriter, StdoutLock};
use std::path::PathBuf;

use clap::Args;

use super::base::BaseOptions;
use super::engine::{ChosenEngine, EngineOptions, Handed, by_dialect_note, of_dialect};
use super::host::{SeveralTargets, SupposedHost};
use super::input::{Input, inputs};
use super::options::ListFormat;
use super::profile::{Names, check_manifest, part_notes};
use super::runtime::{Foreseen, foreign_note, unrecorded_note};
use super::{CliError, Ending, complain};
use crate::crun::{Host, cache_key};
use crate::filter::fits;
use crate::profile::{self, Found, GivenBases, ProfileFile};
use crate::runtime::{Model, Outcome, Prediction, Surroundings, difference};
use crate::syscalls::{Arch, Release};
use crate::target::{Runtime, Uname};
use crate::text::{Document, Source, json};
use writer::{Report, RuntimeReport, Subject, Writer};

/// Say what runtimes do with a profile.
///
/// Without --engine a profile that is for an engine is taken as an engine of its dialect reads it,
/// and every other one as the section that reaches the runtime, or it is taken from a container's
/// config.json or from Kubernetes manifests.
///
/// Exit codes: 0 all containers start, 1 the engine or a runtime refuses a profile, or a container
/// dies, 2 some of the job could not be done.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles, config.json files, Kubernetes manifests, directories of such, or - for standard
    /// input. Of a directory, what is in hidden ones is left out; links to files are followed, those
    /// to directories are not
    #[arg(value_name = "PROFILE", required = true)]
    profiles: Vec<PathBuf>,
    #[command(flatten)]
    bases: BaseOptions,
    /// The container runs with `noNewPrivileges`, unless a config.json says so itself
    #[arg(long)]
    no_new_privileges: bool,
    /// How predictions are written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    #[command(flatten)]
    target: SeveralTargets,
    /// Runtime to predict (may be repeated)
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        value_delimiter = ',',
        help = "Runtime to predict: crun@VERSION or runc@VERSION; without a version the target's, or else the installed crun (may be repeated) [default: the target's crun, or else its runc; without a target those that were compared with their predictions]"
    )]
    runtime: Vec<Runtime>,
    /// libseccomp release that the runtime runs with [default: the target's, or else the one that the runtime was compared with]
    #[arg(long, value_name = "RELEASE")]
    libseccomp: Option<Release>,
    /// Kernel of another host, for keys, as `uname -r`, `-v` and `-m` say it there
    #[arg(long, value_name = "RELEASE|VERSION|MACHINE")]
    uname: Option<Uname>,
    #[command(flatten)]
    engine: EngineOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let hosts = arguments.target.hosts(arguments.uname.as_ref());
    let hosts: Result<Vec<_>, _> = hosts
        .into_iter()
        .map(|host| Predicted::new(host, arguments))
        .collect();
    let hosts = hosts?;
    let mut run = Run {
        writer: Writer::new(arguments.format)?,
        hosts: &hosts,
        bases: arguments.bases.given(&arguments.profiles)?,
        no_new_privileges: arguments.no_new_privileges,
        engine: &arguments.engine,
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
            Err(error) => run.failed(&error),
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

/// A host that is predicted for.
struct Predicted {
    host: SupposedHost,
    runtimes: Vec<Foreseen>,
    engine: Option<ChosenEngine>,
    native: Arch,
    /// What is to be said of every prediction.
    caveats: Vec<String>,
    /// Why no keys are told.
    no_key: Option<String>,
}

impl Predicted {
    fn new(host: SupposedHost, arguments: &Arguments) -> Result<Self, CliError> {
        let native = host.native(arguments.engine.arch)?;
        let engine = arguments.engine.chosen(&host)?;
        let mut notes = arguments.engine.notes(&host, engine.is_some());
        let runtimes = runtimes(arguments, &host, &mut notes)?;
        notes.extend(caveats(&runtimes, native));
        Ok(Self {
            no_key: host.no_key(arguments.engine.arch),
            caveats: notes,
            host,
            runtimes,
            engine,
            native,
        })
    }
}

/// A run of the command, as far as it has come.
struct Run<'a> {
    hosts: &'a [Predicted],
    bases: GivenBases,
    no_new_privileges: bool,
    engine: &'a EngineOptions,
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
        let files = profile::files(&source, &self.bases);
        let names = Names::of(&files);
        for file in &files {
            let found = profile::find(file.document(), None);
            if input.is_found && matches!(found, Found::Nothing) {
                continue;
            }
            is_passed_over = false;
            match self.on_all(&source, file, names.telling(file), &found) {
                Err(error @ CliError::Write(_)) => return Err(error),
                // The other profiles are still worth their while.
                Err(error) => self.failed(&error),
                Ok(()) => {}
            }
        }
        Ok(!is_passed_over)
    }

    /// Predicts what becomes of a profile on all hosts.
    fn on_all(
        &mut self,
        source: &Source,
        file: &ProfileFile<'_>,
        profile: Option<&str>,
        found: &Found<'_>,
    ) -> Result<(), CliError> {
        check_manifest(file, source)?;
        self.hosts.iter().try_for_each(|on| {
            let of = Subject {
                path: source.name(),
                profile,
                target: on.host.name(),
            };
            self.profile(of, source, file, found, on)
        })
    }

    /// Says why something could not be predicted.
    fn failed(&mut self, error: &CliError) {
        complain("error", &error.to_string());
        self.ending = Ending::Incomplete;
    }

    /// Predicts what becomes of a profile on a host.
    fn profile(
        &mut self,
        of: Subject<'_>,
        source: &Source,
        file: &ProfileFile<'_>,
        found: &Found<'_>,
        on: &'a Predicted,
    ) -> Result<(), CliError> {
        let mut notes = part_notes(file, source);
        let by_dialect = match found {
            Found::Profile(profile) if on.engine.is_none() => of_dialect(profile),
            _ => None,
        };
        let by_dialect = by_dialect.map(|engine| self.engine.as_read_by(engine, &on.host));
        let by_dialect = by_dialect.transpose()?;
        if let Some(by_dialect) = &by_dialect {
            notes.push(by_dialect_note(by_dialect.engine));
            let more = self.engine.notes(&on.host, true).into_iter();
            notes.extend(more.filter(|note| !on.caveats.contains(note)));
        }
        let (reports, no_filter) = match on.engine.as_ref().or(by_dialect.as_ref()) {
            None => {
                notes.extend(foreign_note(found));
                (self.predict(on, file.document(), file.bytes()), None)
            }
            Some(engine) => match engine.hand(source, file)? {
                Ok(Handed { json, no_filter }) => {
                    let document = json::parse(&json);
                    (self.predict(on, &document, &json), no_filter)
                }
                Err(refusal) => {
                    self.writer.refusal(of, &refusal)?;
                    self.ending = self.ending.max(Ending::Findings);
                    return Ok(());
                }
            },
        };
        notes.extend(no_filter);
        notes.extend_from_slice(&on.caveats);
        let ending = self.writer.reports(of, reports, notes)?;
        self.ending = self.ending.max(ending);
        Ok(())
    }

    fn predict(&self, on: &'a Predicted, document: &Document<'_>, bytes: &[u8]) -> Vec<Report<'a>> {
        let mut reports = Vec::with_capacity(on.runtimes.len());
        let mut first: Option<(&Model, Prediction<'_>)> = None;
        for Foreseen { model, libseccomp } in &on.runtimes {
            let surroundings = Surroundings {
                libseccomp: *libseccomp,
                native: on.native,
                no_new_privileges: self.no_new_privileges,
                fits,
            };
            let prediction = model.predict(document, bytes, surroundings);
            let host = Host {
                crun: model.version().to_owned(),
                libseccomp: libseccomp.release,
                uname: on.host.uname.clone(),
            };
            let section = prediction.section.as_ref();
            let mut notes = prediction.notes.clone();
            let key = section
                .filter(|_| prediction.leaves_entry)
                .and_then(|section| {
                    if let Some(why) = &on.no_key {
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
                libseccomp: libseccomp.release.to_string(),
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
    let releases = runtimes.iter().map(|runtime| runtime.libseccomp.release);
    let mut unseen: Vec<Release> = releases.collect();
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

/// The runtimes that were asked for, or that of the host's platform, or else all that predictions
/// were compared with.
fn runtimes(
    arguments: &Arguments,
    host: &SupposedHost,
    notes: &mut Vec<String>,
) -> Result<Vec<Foreseen>, CliError> {
    let said = arguments.libseccomp;
    if arguments.runtime.is_empty() {
        if host.target.is_some() {
            return Foreseen::of(None, said, host, None, notes).map(|runtime| vec![runtime]);
        }
        let recorded = Model::RECORDED.into_iter();
        return recorded
            .map(|(name, version, libseccomp)| {
                Foreseen::new(name, version, said.unwrap_or(libseccomp).into())
            })
            .collect();
    }
    let mut runtimes: Vec<Foreseen> = Vec::new();
    for runtime in &arguments.runtime {
        let mut of_runtime = Vec::new();
        let runtime = Foreseen::of(Some(runtime), said, host, None, &mut of_runtime)?;
        of_runtime.retain(|note| !notes.contains(note));
        notes.append(&mut of_runtime);
        if !runtimes.contains(&runtime) {
            runtimes.push(runtime);
        }
    }
    Ok(runtimes)
}

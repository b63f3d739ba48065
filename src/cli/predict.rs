//! `seclint predict`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::engine::{EngineOptions, EngineRefusal, Handed, written_place};
use super::input::inputs;
use super::options::ListFormat;
use super::{CliError, Ending};
use crate::crun::{Host, cache_key};
use crate::profile::{self, Dialects, Found, ProfileFile};
use crate::report::visible;
use crate::runtime::{Model, Outcome, Prediction, Surroundings, difference};
use crate::syscalls::{Arch, Release, TABLE_RELEASE};
use crate::target::{Runtime, Uname};
use crate::text::{Document, Source, json};

/// Say what runtimes do with a profile.
///
/// Without --engine the profile is taken as the section that reaches the runtime, or is taken from a
/// container's config.json. Exit code 1 says that the engine or a runtime refuses it, or that the
/// container dies.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles, config.json files, directories of such, or - for standard input
    #[arg(value_name = "PROFILE", required = true)]
    profiles: Vec<PathBuf>,
    /// Runtime to predict (may be repeated)
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
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

/// A runtime, and what it runs with.
struct Foreseen {
    model: Model,
    libseccomp: Release,
}

/// What a runtime does with a file.
#[derive(Serialize)]
struct Report<'a> {
    runtime: RuntimeReport<'a>,
    libseccomp: String,
    outcome: Outcome,
    error: Option<String>,
    warned: Vec<String>,
    dropped: Vec<String>,
    key: Option<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct InFile<'a> {
    path: &'a str,
    #[serde(flatten)]
    report: Report<'a>,
}

#[derive(Serialize)]
struct RuntimeReport<'a> {
    name: &'a str,
    version: &'a str,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let runtimes = runtimes(arguments)?;
    let uname = arguments
        .uname
        .clone()
        .unwrap_or_else(Uname::of_this_machine);
    let engine = arguments.engine.chosen(&uname)?;
    let native = arguments
        .engine
        .arch
        .or_else(|| Arch::from_name(&uname.machine));
    let native = native.ok_or_else(|| {
        let machine = &uname.machine;
        CliError::Usage(format!(
            "`{machine}` is no architecture that is known: give one by --arch"
        ))
    })?;
    let mut writer = Writer::new(arguments.format)?;
    let surroundings = |libseccomp| Surroundings {
        libseccomp,
        native,
        no_new_privileges: arguments.no_new_privileges,
    };
    let mut ending = Ending::Clean;
    for input in inputs(&arguments.profiles) {
        let input = input?;
        let is_found = input.is_found;
        let Some(source) = input.read()? else {
            continue;
        };
        for file in profile::files(&source) {
            let found = profile::find(file.document(), None);
            if is_found && matches!(found, Found::Nothing) {
                continue;
            }
            let mut notes = part_notes(&file, &source);
            let Some(engine) = &engine else {
                notes.extend(foreign_note(&found));
                let reports = predict(
                    &runtimes,
                    file.document(),
                    file.bytes(),
                    &uname,
                    surroundings,
                );
                ending = ending.max(writer.reports(source.name(), reports, &notes)?);
                continue;
            };
            match engine.hand(&source, &file)? {
                Ok(Handed { json, no_filter }) => {
                    notes.extend(no_filter);
                    let document = json::parse(&json);
                    let reports = predict(&runtimes, &document, &json, &uname, surroundings);
                    ending = ending.max(writer.reports(source.name(), reports, &notes)?);
                }
                Err(refusal) => {
                    writer.refusal(source.name(), &refusal)?;
                    ending = Ending::Findings;
                }
            }
        }
    }
    writer.finish()?;
    Ok(ending)
}

/// The runtimes that were asked for, or all that predictions were compared with.
fn runtimes(arguments: &Arguments) -> Result<Vec<Foreseen>, CliError> {
    let foreseen = |name: &str, version: &str, libseccomp| -> Result<Foreseen, CliError> {
        let model = Model::of(name, version).map_err(|error| CliError::Usage(error.to_string()))?;
        Ok(Foreseen {
            model,
            libseccomp: arguments.libseccomp.unwrap_or(libseccomp),
        })
    };
    if arguments.runtime.is_empty() {
        let recorded = Model::RECORDED.into_iter();
        return recorded
            .map(|(name, version, libseccomp)| foreseen(name, version, libseccomp))
            .collect();
    }
    let mut runtimes = Vec::new();
    for Runtime { name, version } in &arguments.runtime {
        runtimes.push(match (version, name.as_str()) {
            (Some(version), _) => {
                let is_it = |&(other, recorded, _): &(&str, &str, Release)| {
                    other == name && recorded == version
                };
                let recorded = Model::RECORDED.into_iter().find(is_it);
                let libseccomp = recorded.map_or(TABLE_RELEASE, |(_, _, release)| release);
                foreseen(name, version, libseccomp)?
            }
            (None, "crun") => {
                let libseccomp = match arguments.libseccomp {
                    Some(release) => release,
                    None => Host::installed_libseccomp()?,
                };
                foreseen(name, &Host::installed_crun()?, libseccomp)?
            }
            (None, _) => {
                let words = format!("say which version of {name}: --runtime {name}@VERSION");
                return Err(CliError::Usage(words));
            }
        });
    }
    Ok(runtimes)
}

/// What is to be said of a profile that is a part of a file.
fn part_notes(file: &ProfileFile<'_>, source: &Source) -> Vec<String> {
    let root = file.document().root().filter(|_| file.is_part());
    let place = root.and_then(|root| file.origin(root)).map(|there| {
        let place = written_place(source, there.span());
        format!("of the profile at {place}")
    });
    let base = file.base.as_ref().map(|base| {
        format!("security-profiles-operator adds the profile `{base}`, which is not seen here")
    });
    place.into_iter().chain(base).collect()
}

/// What is to be said of a document that reaches runtimes as it is, whatever the runtime.
fn foreign_note(found: &Found<'_>) -> Option<String> {
    let Found::Profile(profile) = found else {
        let is_nothing = matches!(found, Found::Nothing);
        return is_nothing.then(|| "this does not look like a profile".to_owned());
    };
    if profile.dialects.contains(Dialects::OCI) {
        return None;
    }
    let keys = profile.foreign.iter().filter_map(|key| key.as_str());
    let mut fields: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
    fields.sort_unstable();
    fields.dedup();
    let fields = fields.join(", ");
    Some(format!(
        "runtimes do not read {fields}: this is for an engine, which makes a section of it (--engine)"
    ))
}

fn predict<'a>(
    runtimes: &'a [Foreseen],
    document: &Document<'_>,
    bytes: &[u8],
    uname: &Uname,
    surroundings: impl Fn(Release) -> Surroundings,
) -> Vec<Report<'a>> {
    let mut reports = Vec::with_capacity(runtimes.len());
    let mut first: Option<(&Model, Prediction<'_>)> = None;
    for Foreseen { model, libseccomp } in runtimes {
        let prediction = model.predict(document, bytes, surroundings(*libseccomp));
        let host = Host {
            crun: model.version().to_owned(),
            libseccomp: *libseccomp,
            uname: uname.clone(),
        };
        let section = prediction.section.as_ref();
        let mut notes = prediction.notes.clone();
        let key = section
            .filter(|_| prediction.leaves_entry)
            .and_then(|section| {
                let key = cache_key(section, prediction.fails_on_unknown, &host);
                key.map_err(|error| notes.push(error.to_string())).ok()
            });
        if !model.is_recorded() {
            notes.push(format!(
                "{0} {1} was not compared with its predictions; the nearest that was is {0} {2}",
                model.name(),
                model.version(),
                model.nearest()
            ));
        }
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

/// Writes predictions as they come.
struct Writer<W: Write> {
    out: W,
    format: ListFormat,
    is_first: bool,
    /// The profiles that no runtime gets.
    refused: Vec<Value>,
}

impl Writer<BufWriter<io::StdoutLock<'static>>> {
    fn new(format: ListFormat) -> io::Result<Self> {
        let mut out = BufWriter::new(io::stdout().lock());
        if let ListFormat::Json = format {
            write!(out, r#"{{"schema":"seclint.predict/1","predictions":["#)?;
        }
        Ok(Self {
            out,
            format,
            is_first: true,
            refused: Vec::new(),
        })
    }
}

impl<W: Write> Writer<W> {
    /// Writes what is predicted of a profile, and tells how that ends.
    fn reports(
        &mut self,
        path: &str,
        reports: Vec<Report<'_>>,
        notes: &[String],
    ) -> io::Result<Ending> {
        let mut ending = Ending::Clean;
        if let ListFormat::Human = self.format {
            self.head(path)?;
        }
        for mut report in reports {
            if report.outcome != Outcome::Starts {
                ending = Ending::Findings;
            }
            report.notes.extend_from_slice(notes);
            match self.format {
                ListFormat::Human => print(&mut self.out, &report)?,
                ListFormat::Json => {
                    write!(self.out, "{}", if self.is_first { "\n" } else { ",\n" })?;
                    let report = InFile { path, report };
                    serde_json::to_writer(&mut self.out, &report).map_err(io::Error::from)?;
                    self.is_first = false;
                }
            }
        }
        Ok(ending)
    }

    /// Writes that an engine refuses a profile, so that no runtime gets it.
    fn refusal(&mut self, path: &str, refusal: &EngineRefusal) -> io::Result<()> {
        match self.format {
            ListFormat::Human => {
                self.head(path)?;
                let (engine, words) = (refusal.engine.title(), visible(&refusal.words));
                writeln!(self.out, "  {engine:<16}refuses: {words}")
            }
            ListFormat::Json => {
                let engine = refusal.engine.name();
                let error = &refusal.words;
                self.refused
                    .push(json!({"path": path, "engine": engine, "error": error}));
                Ok(())
            }
        }
    }

    fn head(&mut self, path: &str) -> io::Result<()> {
        let before = if self.is_first { "" } else { "\n" };
        self.is_first = false;
        writeln!(self.out, "{before}{}", visible(path))
    }

    fn finish(mut self) -> io::Result<()> {
        if let ListFormat::Json = self.format {
            writeln!(self.out, "\n],\"refused\":{}}}", Value::from(self.refused))?;
        }
        self.out.flush()
    }
}

fn print(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let runtime = format!("{} {}", report.runtime.name, report.runtime.version);
    let outcome = match report.outcome {
        Outcome::Starts => "starts",
        Outcome::Dies => "dies",
        Outcome::Refuses => "refuses",
    };
    write!(out, "  {runtime:<16}{outcome}")?;
    match &report.error {
        Some(error) => writeln!(out, ": {}", visible(error))?,
        None => writeln!(out)?,
    }
    let mut line = |what: &str, text: &str| writeln!(out, "    {what:<11}{}", visible(text));
    if !report.warned.is_empty() {
        line("warns of", &report.warned.join(", "))?;
    }
    if !report.dropped.is_empty() {
        line("drops", &report.dropped.join(", "))?;
    }
    if let Some(key) = &report.key {
        line("caches", key)?;
    }
    report.notes.iter().try_for_each(|note| line("note", note))
}

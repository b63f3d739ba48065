//! `seclint predict`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::input::inputs;
use super::options::{ListFormat, parse_arch};
use super::{CliError, Ending};
use crate::crun::{Host, cache_key};
use crate::profile::{self, Dialects, Found};
use crate::report::visible;
use crate::runtime::crun::fails_on_unknown;
use crate::runtime::{Model, Outcome, Prediction, Surroundings, difference};
use crate::syscalls::{Arch, Release, TABLE_RELEASE};
use crate::target::{Runtime, Uname};
use crate::text::{Document, Source, json};

/// Say what runtimes do with a profile.
///
/// The profile is taken as the section that reaches the runtime, or is taken from a
/// container's config.json. Exit code 1 says that a runtime refuses it, or that the
/// container dies.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Profiles that are sections already, config.json files, directories of such, or - for standard input
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
    /// Architecture of the host [default: this machine's]
    #[arg(long, value_name = "ARCH", value_parser = parse_arch)]
    arch: Option<Arch>,
    /// Kernel of another host, for keys, as `uname -r`, `-v` and `-m` say it there
    #[arg(long, value_name = "RELEASE|VERSION|MACHINE")]
    uname: Option<Uname>,
    /// The container runs with `noNewPrivileges`, unless a config.json says so itself
    #[arg(long)]
    no_new_privileges: bool,
    /// How predictions are written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

/// A runtime, and what it runs with.
struct Foreseen {
    model: Model,
    libseccomp: Release,
}

/// What a runtime does with a file.
#[derive(Serialize)]
struct Report<'a> {
    path: &'a str,
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
    let native = arguments.arch.or_else(|| Arch::from_name(&uname.machine));
    let native = native.ok_or_else(|| {
        let machine = &uname.machine;
        CliError::Usage(format!(
            "`{machine}` is no architecture that is known: give one by --arch"
        ))
    })?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut ending = Ending::Clean;
    let mut is_first = true;
    if let ListFormat::Json = arguments.format {
        write!(out, r#"{{"schema":"seclint.predict/1","predictions":["#)?;
    }
    for input in inputs(&arguments.profiles) {
        let input = input?;
        let is_found = input.is_found;
        let Some(source) = input.read()? else {
            continue;
        };
        let document = json::parse(source.bytes());
        let found = profile::find(&document, None);
        if is_found && matches!(found, Found::Nothing) {
            continue;
        }
        let notes = notes(&found);
        let reports = predict(arguments, &runtimes, &source, &document, native, &uname);
        for (index, mut report) in reports.into_iter().enumerate() {
            if report.outcome != Outcome::Starts {
                ending = Ending::Findings;
            }
            report.notes.extend_from_slice(&notes);
            match arguments.format {
                ListFormat::Human => {
                    if index == 0 {
                        let name = visible(source.name());
                        writeln!(out, "{}{name}", if is_first { "" } else { "\n" })?;
                    }
                    print(&mut out, &report)?;
                }
                ListFormat::Json => {
                    write!(out, "{}", if is_first { "\n" } else { ",\n" })?;
                    serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
                }
            }
            is_first = false;
        }
    }
    if let ListFormat::Json = arguments.format {
        writeln!(out, "\n]}}")?;
    }
    out.flush()?;
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

/// What is to be said of a document whatever the runtime is.
fn notes(found: &Found<'_>) -> Vec<String> {
    let Found::Profile(profile) = found else {
        return match found {
            Found::Nothing => vec!["this does not look like a profile".to_owned()],
            _ => Vec::new(),
        };
    };
    if profile.dialects.contains(Dialects::OCI) {
        return Vec::new();
    }
    let keys = profile.foreign.iter().filter_map(|key| key.as_str());
    let mut fields: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
    fields.sort_unstable();
    fields.dedup();
    let fields = fields.join(", ");
    vec![format!(
        "runtimes do not read {fields}: this is for an engine, which makes a section of it"
    )]
}

fn predict<'a>(
    arguments: &Arguments,
    runtimes: &'a [Foreseen],
    source: &'a Source,
    document: &'a Document<'a>,
    native: Arch,
    uname: &Uname,
) -> Vec<Report<'a>> {
    let mut reports = Vec::with_capacity(runtimes.len());
    let mut first: Option<(&Model, Prediction<'_>)> = None;
    for Foreseen { model, libseccomp } in runtimes {
        let surroundings = Surroundings {
            libseccomp: *libseccomp,
            native,
            no_new_privileges: arguments.no_new_privileges,
        };
        let prediction = model.predict(document, source.bytes(), surroundings);
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
                let fails = fails_on_unknown(document);
                let key = cache_key(section, fails, &host);
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
            path: source.name(),
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

fn print(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let runtime = format!("{} {}", report.runtime.name, report.runtime.version);
    let outcome = match report.outcome {
        Outcome::Starts => "starts",
        Outcome::Dies => "dies",
        Outcome::Refuses => "refuses",
    };
    write!(out, "  {runtime:<13}{outcome}")?;
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

//! `seclint cache-key`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::engine::{EngineOptions, Handed};
use super::host::SupposedHost;
use super::input::read;
use super::options::{Dialect, HostOptions};
use super::profile::ProfileOptions;
use super::{CliError, Ending, complain};
use crate::crun::{Host, KeyError, cache_key, section};
use crate::profile::{self, Addition, Dialects, Found};
use crate::runtime::{Model, Outcome, Surroundings, any_size};
use crate::text::{Document, json};

/// Print the name that crun gives a profile's cache entry.
///
/// Without --engine the profile is taken as the section that reaches crun, or is taken from a
/// container's config.json.
///
/// Exit codes: 0 there is a key, 1 the engine or crun refuses the profile, 2 the job could not be
/// done, or crun leaves no entry.
#[derive(Debug, Args)]
#[command(mut_arg("arch", |arch| arch.requires("engine")))]
pub(super) struct Arguments {
    /// A profile, a config.json, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    #[command(flatten)]
    which: ProfileOptions,
    /// Take the profile for one in this dialect: with oci, what only engines know is left out, as crun leaves it
    #[arg(long, value_enum, conflicts_with = "engine")]
    dialect: Option<Dialect>,
    #[command(flatten)]
    host: HostOptions,
    #[command(flatten)]
    engine: EngineOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    arguments.host.check_runtime()?;
    let host = arguments.host.host()?;
    let supposed = SupposedHost::of(host.uname.clone());
    let chosen = arguments.engine.chosen(&supposed)?;
    if let Some(why) = supposed.no_key(arguments.engine.arch) {
        return Err(CliError::Usage(why));
    }
    let source = read(&arguments.profile)?;
    let name = source.name();
    let bases = arguments.which.bases.given(&[])?;
    let files = profile::files(&source, &bases);
    let file = arguments.which.one(&files, &source, "a key")?;
    if let Some(Addition::Unseen(unseen)) = &file.addition {
        let words = format!(
            "{name}: {unseen}, and its rule entries are in the key: {}",
            unseen.help()
        );
        return Err(CliError::Usage(words));
    }
    let dialects = arguments.dialect.map(Dialect::dialects);
    let key = match chosen {
        None => key(name, file.bytes(), file.document(), dialects, &host)?,
        Some(chosen) => match chosen.hand(&source, file)? {
            Ok(Handed {
                no_filter: Some(why),
                ..
            }) => return Err(CliError::Usage(format!("{name}: {why}"))),
            Ok(Handed { json, .. }) => {
                let document = json::parse(&json);
                key(name, &json, &document, Some(Dialects::OCI), &host)?
            }
            Err(refusal) => {
                complain("error", &refusal.to_string());
                return Ok(Ending::Findings);
            }
        },
    };
    match key {
        Ok(key) => {
            writeln!(io::stdout(), "{key}")?;
            Ok(Ending::Clean)
        }
        Err(why) => {
            complain("error", &format!("{name}: {why}"));
            Ok(Ending::Findings)
        }
    }
}

/// The key of what reaches crun; the inner error says why crun refuses it.
fn key(
    name: &str,
    bytes: &[u8],
    document: &Document<'_>,
    dialects: Option<Dialects>,
    host: &Host,
) -> Result<Result<String, String>, CliError> {
    let Found::Profile(profile) = profile::find(document, dialects) else {
        return Err(CliError::Usage(format!("{name}: not a seccomp profile")));
    };
    let failed = |error: KeyError| CliError::Key(name.to_owned(), error);
    let section = match section(document, bytes, &profile, &host.crun) {
        Ok(section) => section,
        Err(refusal @ KeyError::Refused(_)) => return Ok(Err(refusal.to_string())),
        Err(error) => return Err(failed(error)),
    };
    let usage = |words: String| CliError::Usage(words);
    let model = Model::of("crun", &host.crun).map_err(|error| usage(error.to_string()))?;
    let surroundings = Surroundings {
        libseccomp: host.libseccomp.into(),
        native: SupposedHost::of(host.uname.clone()).native(None)?,
        // Nothing of it is in an entry.
        no_new_privileges: true,
        fits: any_size,
    };
    let prediction = model.predict(document, bytes, surroundings);
    let key = cache_key(&section, prediction.fails_on_unknown, host).map_err(failed)?;
    if prediction.leaves_entry {
        return Ok(Ok(key));
    }
    let words = prediction
        .error
        .unwrap_or_else(|| prediction.notes.join("; "));
    match prediction.outcome {
        Outcome::Refuses => Ok(Err(KeyError::Refused(words).to_string())),
        Outcome::Starts | Outcome::Dies => {
            Err(usage(format!("{name}: crun leaves no entry: {words}")))
        }
    }
}

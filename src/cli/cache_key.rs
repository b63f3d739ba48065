//! `seclint cache-key`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::engine::{EngineOptions, Handed};
use super::input::read;
use super::options::{Dialect, HostOptions};
use super::{CliError, Ending, complain};
use crate::crun::{Host, KeyError, cache_key, section};
use crate::profile::{self, Dialects, Found};
use crate::runtime::crun::{Annotations, Parser};
use crate::text::{Document, json};

/// Print the name that crun gives a profile's cache entry.
///
/// Without --engine the profile is taken as the section that reaches crun, or is taken from a
/// container's config.json.
///
/// Exit codes: 0 there is a key, 1 the engine refuses the profile, 2 the job could not be done.
#[derive(Debug, Args)]
#[command(mut_arg("arch", |arch| arch.requires("engine")))]
pub(super) struct Arguments {
    /// A profile, a config.json, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
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
    let chosen = arguments.engine.chosen(&host.uname)?;
    let source = read(&arguments.profile)?;
    let name = source.name();
    let files = profile::files(&source);
    let [file] = files.as_slice() else {
        let count = files.len();
        let words = format!("{name}: {count} profiles are in it, each with a key of its own");
        return Err(CliError::Usage(words));
    };
    if let Some(base) = &file.base {
        let words =
            format!("{name}: the operator adds the profile `{base}`, which is not seen here");
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
    writeln!(io::stdout(), "{key}")?;
    Ok(Ending::Clean)
}

/// The key of what reaches crun.
fn key(
    name: &str,
    bytes: &[u8],
    document: &Document<'_>,
    dialects: Option<Dialects>,
    host: &Host,
) -> Result<String, CliError> {
    let Found::Profile(profile) = profile::find(document, dialects) else {
        return Err(CliError::Usage(format!("{name}: not a seccomp profile")));
    };
    let refused = |error: KeyError| CliError::Key(name.to_owned(), error);
    let section = section(document, bytes, &profile, &host.crun).map_err(refused)?;
    let annotations = Annotations::of(document, bytes, Parser::of(&host.crun));
    cache_key(&section, annotations.fails_on_unknown, host).map_err(refused)
}

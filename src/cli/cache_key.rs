//! `seclint cache-key`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::input::read;
use super::options::{Dialect, HostOptions};
use super::{CliError, Ending};
use crate::crun::{KeyError, cache_key, section};
use crate::profile::{self, Found};
use crate::runtime::crun::fails_on_unknown;
use crate::text::json;

/// Print the name that crun gives a profile's cache entry.
///
/// The profile is taken as the section that reaches crun, or is taken from a
/// container's config.json.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A profile that is a section already, a config.json, or - for standard input
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// Take the profile for one in this dialect: with oci, what only engines know is left out, as crun leaves it
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    #[command(flatten)]
    host: HostOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    arguments.host.check_runtime()?;
    let host = arguments.host.host()?;
    let source = read(&arguments.profile)?;
    let document = json::parse(source.bytes());
    let dialects = arguments.dialect.map(Dialect::dialects);
    let Found::Profile(profile) = profile::find(&document, dialects) else {
        let name = source.name();
        return Err(CliError::Usage(format!("{name}: not a seccomp profile")));
    };
    let refused = |error: KeyError| CliError::Key(source.name().to_owned(), error);
    let section = section(&document, source.bytes(), &profile, &host.crun).map_err(refused)?;
    let fails = fails_on_unknown(&document);
    let key = cache_key(&section, fails, &host).map_err(refused)?;
    writeln!(io::stdout(), "{key}")?;
    Ok(Ending::Clean)
}

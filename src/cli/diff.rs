//! placeholder
use super::{CliError, Ending};
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_: &Arguments) -> Result<Ending, CliError> {
    Ok(Ending::Clean)
}

//! `seclint explain`.

use std::io::{self, Write};

use clap::Args;

use super::{CliError, Ending};
use crate::lint::find_rule;

/// Print what the rule book says of a rule.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The rule's name
    #[arg(value_name = "RULE")]
    rule: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let rule = find_rule(&arguments.rule)?;
    io::stdout().write_all(rule.page.as_bytes())?;
    Ok(Ending::Clean)
}

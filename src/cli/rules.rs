//! `seclint rules`.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde_json::json;

use super::options::{ListFormat, write_json};
use super::{CliError, Ending};
use crate::finding::RuleSet;
use crate::lint::all_rules;

/// List the rules.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How the list is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.format {
        ListFormat::Human => {
            for rule in all_rules() {
                let (id, severity) = (rule.id, rule.severity.word());
                let category = rule.category.name();
                let set = match rule.set {
                    RuleSet::Default => "",
                    RuleSet::Strict => "strict",
                };
                let summary = rule.summary();
                writeln!(out, "{id:<32}{severity:<9}{set:<8}{category:<16}{summary}")?;
            }
        }
        ListFormat::Json => {
            let rules: Vec<_> = (all_rules().iter())
                .map(|rule| {
                    json!({
                        "id": rule.id,
                        "category": rule.category,
                        "severity": rule.severity,
                        "set": rule.set,
                        "summary": rule.summary(),
                        "page": rule.page,
                    })
                })
                .collect();
            write_json(&mut out, &rules)?;
        }
    }
    out.flush()?;
    Ok(Ending::Clean)
}

//! `seclint targets`.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde_json::Value;

use super::options::{ListFormat, write_json};
use super::{CliError, Ending};
use crate::target::{Platform, Target, platforms};

/// List the platforms that --target knows.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How the list is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

/// What the signs in the human list mean.
const LEGEND: &str = "
+6  with so many names that the distribution added to the release
+?  nobody has looked whether it added any
+   the distribution adds calls of later kernels, so none is taken to be missing
-   not known

`host` is this machine. --format json says where each fact was read.";

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.format {
        ListFormat::Human => {
            row(
                &mut out,
                ["NAME", "LINUX", "LIBSECCOMP", "CRUN", "RUNC", ""],
            )?;
            for platform in platforms() {
                let [kernel, libseccomp] = [kernel(platform), libseccomp(platform)]
                    .map(|fact| fact.unwrap_or_else(|| "-".to_owned()));
                let (crun, runc) = (platform.crun.unwrap_or("-"), platform.runc.unwrap_or("-"));
                let cells = [
                    platform.name,
                    &kernel,
                    &libseccomp,
                    crun,
                    runc,
                    platform.title,
                ];
                row(&mut out, cells)?;
            }
            writeln!(out, "{LEGEND}")?;
        }
        ListFormat::Json => {
            let platforms: Vec<_> = platforms().iter().map(describe).collect();
            write_json(&mut out, &platforms)?;
        }
    }
    out.flush()?;
    Ok(Ending::Clean)
}

fn row(out: &mut impl Write, cells: [&str; 6]) -> io::Result<()> {
    let [name, kernel, libseccomp, crun, runc, title] = cells;
    let line = format!("{name:<20}{kernel:<8}{libseccomp:<12}{crun:<9}{runc:<9}{title}");
    writeln!(out, "{}", line.trim_end())
}

fn kernel(platform: &Platform) -> Option<String> {
    let kernel = platform.kernel?;
    let sign = if kernel.has_later_calls { "+" } else { "" };
    Some(format!("{}{sign}", kernel.version))
}

fn libseccomp(platform: &Platform) -> Option<String> {
    let libseccomp = platform.libseccomp?;
    let sign = match libseccomp.backported {
        None => "+?".to_owned(),
        Some([]) => String::new(),
        Some(names) => format!("+{}", names.len()),
    };
    Some(format!("{}{sign}", libseccomp.release))
}

/// The facts of a target, but for the architectures, which a platform leaves open.
fn describe(platform: &'static Platform) -> Value {
    let mut facts = Target::from(platform).facts();
    facts.remove("architectures");
    facts.insert("title".to_owned(), platform.title.into());
    facts.insert("source".to_owned(), platform.source.into());
    Value::Object(facts)
}

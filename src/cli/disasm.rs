//! `seclint disasm`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::options::{ListFormat, write_json};
use super::{CliError, Ending, complain};
use crate::filter::{Filter, Line, MAX_BYTES, Refused};
use crate::syscalls::Arch;
use crate::text::Source;

/// List what a filter does, instruction by instruction.
///
/// A line is an instruction, after its number. A and X are registers, M is scratch memory; nr, arch
/// and args are the call's. On the right stand the instructions that jump there. After `#` stand
/// the architectures that the filter has narrowed the call down to, by which numbers are named.
///
/// Exit codes: 0 it is a filter, 1 the kernel refuses it, 2 the job could not be done.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A filter as the kernel takes it: an entry of crun's cache, a container's seccomp.bpf, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let is_standard_input = arguments.file.as_os_str() == "-";
    let name = if is_standard_input {
        Source::STANDARD_INPUT.to_owned()
    } else {
        arguments.file.display().to_string()
    };
    let bytes = read(&arguments.file, is_standard_input)
        .map_err(|error| CliError::Read(name.clone(), error))?;
    let filter = Filter::detect(&bytes);
    let ending = match &filter {
        Ok(_) => Ending::Clean,
        Err(_) => Ending::Findings,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match (arguments.format, filter) {
        (ListFormat::Json, filter) => {
            write_json(&mut out, &as_json(&name, &filter))?;
        }
        (ListFormat::Human, Ok(filter)) => print(&mut out, &filter)?,
        (ListFormat::Human, Err(refused)) => tell(&name, &refused),
    }
    out.flush()?;
    Ok(ending)
}

/// Reads to one byte past the largest filter, which tells that it is larger.
fn read(path: &Path, is_standard_input: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    if is_standard_input {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Says what is wrong with it.
fn tell(name: &str, refused: &Refused) {
    /// How many faults are shown: what is no filter at all has one an instruction.
    const SHOWN: usize = 10;
    for fault in refused.faults().take(SHOWN) {
        complain("error", &format!("{name}: {fault}"));
    }
    let more = refused.faults().count().saturating_sub(SHOWN);
    if more > 0 {
        complain("error", &format!("{name}: {more} more faults"));
    }
}

fn print(out: &mut impl Write, filter: &Filter) -> io::Result<()> {
    /// How many of the instructions that jump to a place are shown.
    const SHOWN: usize = 4;
    let lines = filter.list();
    let instructions = match lines.len() {
        1 => "1 instruction".to_owned(),
        several => format!("{several} instructions"),
    };
    writeln!(out, "# {instructions}, {}", filter.order().word())?;
    let widths = lines.iter().map(|line| line.text.len());
    let width = widths.max().unwrap_or_default().min(48);
    let mut architectures: &[Arch] = &[];
    for line in &lines {
        // What is not about the call is the same on all.
        let is_about_call = line.verdict.is_none() && line.targets.len() != 1;
        if line.architectures != architectures && line.is_reachable && is_about_call {
            architectures = &line.architectures;
            let names: Vec<_> = architectures.iter().map(|arch| arch.name()).collect();
            let names = match names.as_slice() {
                [] => "any architecture".to_owned(),
                names => names.join(" or "),
            };
            writeln!(out, "      # {names}")?;
        }
        let mut sources: Vec<_> = (line.sources.iter().take(SHOWN))
            .map(ToString::to_string)
            .collect();
        if line.sources.len() > SHOWN {
            sources.push(format!("{} more", line.sources.len() - SHOWN));
        }
        let comment = match sources.as_slice() {
            _ if !line.is_reachable => "  <- nothing leads here".to_owned(),
            [] => String::new(),
            sources => format!("  <- {}", sources.join(", ")),
        };
        let text = format!("{:>4}  {:<width$}{comment}", line.index, line.text);
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn as_json(name: &str, filter: &Result<Filter, Refused>) -> Value {
    let instructions = filter.iter().flat_map(Filter::list);
    let faults = filter.as_ref().err().into_iter().flat_map(Refused::faults);
    let faults = faults.map(
        |fault| json!({"instruction": fault.instruction, "message": fault.reason.to_string()}),
    );
    json!({
        "schema": "seclint.disasm/1",
        "path": name,
        "byte_order": filter.as_ref().ok().map(Filter::order),
        "instructions": instructions.map(|line| describe(&line)).collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
    })
}

fn describe(line: &Line) -> Value {
    let architectures = line.architectures.iter().map(|arch| arch.name());
    json!({
        "index": line.index,
        "code": line.raw.code,
        "jt": line.raw.jump_true,
        "jf": line.raw.jump_false,
        "k": line.raw.constant,
        "text": line.text,
        "targets": line.targets,
        "sources": line.sources,
        "reachable": line.is_reachable,
        "architectures": architectures.collect::<Vec<_>>(),
        "syscall": line.syscall,
        "verdict": line.verdict.map(|verdict| json!({
            "action": verdict.action.name(),
            "data": verdict.data,
            "known": verdict.is_known,
        })),
    })
}

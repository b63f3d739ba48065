//! `seclint syscalls`.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde_json::{Map, Value, json};

use super::options::{ListFormat, write_json};
use super::{CliError, Ending};
use crate::syscalls::{self, Arch, Number, Syscall};

/// Print the table of syscalls.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print all that is known of this one; of a number, of all that have it anywhere
    #[arg(value_name = "NAME-OR-NUMBER")]
    name: Option<String>,
    /// How the table is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let calls: Vec<&Syscall> = match &arguments.name {
        Some(name) => match name.parse() {
            Ok(number) => numbered(number)?,
            Err(_) => vec![syscalls::lookup(name).ok_or_else(|| unknown(name))?],
        },
        None => syscalls::all().iter().collect(),
    };
    match (arguments.format, &arguments.name) {
        (ListFormat::Json, _) => {
            let calls: Vec<_> = calls.into_iter().map(describe).collect();
            write_json(&mut out, &calls)?;
        }
        (ListFormat::Human, None) => {
            writeln!(
                out,
                "{:<30}{:<12}{:<8}{:>8}{:>9}",
                "NAME", "LIBSECCOMP", "LINUX", "x86_64", "aarch64"
            )?;
            for call in calls {
                let number = |arch| number(call, arch).unwrap_or_else(|| "-".to_owned());
                writeln!(
                    out,
                    "{:<30}{:<12}{:<8}{:>8}{:>9}",
                    call.name(),
                    call.first_release().to_string(),
                    call.first_kernel()
                        .map_or_else(|| "-".to_owned(), |kernel| kernel.to_string()),
                    number(Arch::X86_64),
                    number(Arch::Aarch64),
                )?;
            }
        }
        (ListFormat::Human, Some(_)) => calls
            .into_iter()
            .try_for_each(|call| print(&mut out, call))?,
    }
    out.flush()?;
    Ok(Ending::Clean)
}

/// The calls that have a number on any architecture, each once; x32's is without its bit.
fn numbered(number: u32) -> Result<Vec<&'static Syscall>, CliError> {
    let mut calls: Vec<&Syscall> = Vec::new();
    for arch in Arch::ALL {
        let bit = if arch == Arch::X32 { Arch::X32_BIT } else { 0 };
        let found = syscalls::with_number(arch, number | bit);
        calls.extend(found.filter(|call| !calls.contains(call)));
    }
    if calls.is_empty() {
        let words = format!("no architecture has a syscall with the number {number}");
        return Err(CliError::Usage(words));
    }
    Ok(calls)
}

pub(super) fn unknown(name: &str) -> CliError {
    let hint = match syscalls::suggest(name) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`seclint syscalls` lists those that there are".to_owned(),
    };
    CliError::Usage(format!("no architecture has a syscall `{name}`; {hint}"))
}

/// The call's number on an architecture, as a person reads it; x32's without
/// the bit that all of them have.
fn number(call: &Syscall, arch: Arch) -> Option<String> {
    match call.number(arch) {
        Number::Direct(number) if arch == Arch::X32 => Some((number & !Arch::X32_BIT).to_string()),
        Number::Direct(number) => Some(number.to_string()),
        Number::Multiplexed(by) => Some(match call.direct_number(arch) {
            Some(number) => format!("{}, {number}", by.name()),
            None => by.name().to_owned(),
        }),
        Number::Absent => None,
    }
}

fn print(out: &mut impl Write, call: &Syscall) -> io::Result<()> {
    writeln!(out, "{}", call.name())?;
    write!(out, "  libseccomp  {}", call.first_release())?;
    match call.last_release() {
        Some(last) => writeln!(out, " to {last}")?,
        None => writeln!(out)?,
    }
    if let Some(kernel) = call.first_kernel() {
        writeln!(out, "  Linux       {kernel}")?;
    }
    for arch in call.arches() {
        if let Some(number) = number(call, arch) {
            writeln!(out, "  {:<12}{number}", arch.name())?;
        }
    }
    Ok(())
}

fn describe(call: &Syscall) -> Value {
    let numbers: Map<String, Value> = (call.arches())
        .map(|arch| {
            let number = match call.number(arch) {
                Number::Direct(number) => json!(number),
                Number::Multiplexed(by) => json!(by.name()),
                Number::Absent => Value::Null,
            };
            (arch.name().to_owned(), number)
        })
        .collect();
    // The kernel's own, where a multiplexer has the call as well.
    let direct = call.arches().filter_map(|arch| {
        let is_multiplexed = matches!(call.number(arch), Number::Multiplexed(_));
        let number = call.direct_number(arch).filter(|_| is_multiplexed)?;
        Some((arch.name().to_owned(), json!(number)))
    });
    json!({
        "name": call.name(),
        "first_libseccomp": call.first_release().to_string(),
        "last_libseccomp": call.last_release().map(|release| release.to_string()),
        "first_kernel": call.first_kernel().map(|kernel| kernel.to_string()),
        "numbers": numbers,
        "direct_numbers": direct.collect::<Map<_, _>>(),
    })
}

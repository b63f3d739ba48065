//! Turns the short lists of names and numbers into Rust.

use crate::Code;
use crate::tsv::{self, Result};

pub(crate) const ERRNOS: &str = "data/errnos.tsv";
pub(crate) const PODMAN_ERRNOS: &str = "data/podman_errnos.tsv";
pub(crate) const CAPABILITIES: &str = "data/capabilities.tsv";
/// The capabilities' names in the order of their numbers.
pub(crate) fn capabilities() -> Result<Code> {
    let mut code = Code(String::new());
    let rows = tsv::read(CAPABILITIES, &["number", "name", "source"])?;
    let mut names = Vec::new();
    for row in &rows {
        let [number, name, _] = row.cells()?;
        if number != names.len().to_string() {
            return row.fail("the numbers count from 0, without a gap");
        }
        names.push(format!("{name:?}"));
    }
    code.line(format_args!(
        "/// Every capability, in the order of the kernel's numbers."
    ));
    code.line(format_args!(
        "pub static CAPABILITIES: [&str; {}] = [{}];",
        names.len(),
        names.join(", ")
    ));
    Ok(code)
}

/// The errnos that Podman knows by name.
pub(crate) fn podman_errnos() -> Result<Code> {
    let mut code = Code(String::new());
    let header = ["name", "number", "mips_number", "source"];
    let rows = tsv::read_sorted(PODMAN_ERRNOS, &header)?;
    let mut errnos = Vec::new();
    for row in &rows {
        let [name, number, mips, _] = row.cells()?;
        match (number.parse::<u16>(), mips.parse::<u16>()) {
            (Ok(number), Ok(mips)) => errnos.push(format!("({name:?}, {number}, {mips})")),
            _ => return row.fail("the errnos are numbers"),
        }
    }
    code.line(format_args!(
        "/// Each with its number, and its number on MIPS.\nstatic PODMAN_ERRNOS: [(&str, u64, u64); {}] = [{}];",
        errnos.len(),
        errnos.join(", ")
    ));
    Ok(code)
}

/// The errnos as most architectures have them.
pub(crate) fn errnos() -> Result<Code> {
    let mut code = Code(String::new());
    let mut errnos = Vec::new();
    for row in &tsv::read(ERRNOS, &["number", "name", "source"])? {
        let [number, name, _] = row.cells()?;
        match number.parse::<u16>() {
            Ok(number) => errnos.push(format!("({number}, {name:?})")),
            Err(_) => return row.fail("the errnos are numbers"),
        }
    }
    code.line(format_args!(
        "/// The errnos, as the architectures have them that have no numbers of their own.\nstatic ERRNOS: [(u16, &str); {}] = [{}];",
        errnos.len(),
        errnos.join(", ")
    ));
    Ok(code)
}

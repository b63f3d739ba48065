//! Turns the tables about what calls can do (dangerous, substitute and `io_uring`) into tables of
//! places in the syscall table, so that rules need not look names up.

use std::collections::BTreeMap;

use crate::Code;
use crate::tsv::{self, Result, Row, words};

/// The tables' files.
pub(crate) const DANGEROUS: &str = "data/dangerous_syscalls.tsv";
pub(crate) const SUBSTITUTES: &str = "data/substitute_syscalls.tsv";
pub(crate) const RING: &str = "data/io_uring_syscalls.tsv";

/// The places of names, which must be in the table.
fn places(row: &Row, text: &str, names: &BTreeMap<String, usize>) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for name in words(text) {
        match names.get(name) {
            Some(&place) => places.push(place),
            None => return row.fail(format_args!("libseccomp does not know `{name}`")),
        }
    }
    if places.is_empty() {
        return row.fail("a row names at least one call");
    }
    Ok(places)
}

/// The calls that no container should make as a matter of course.
pub(crate) fn dangerous(names: &BTreeMap<String, usize>) -> Result<Code> {
    let header = [
        "group",
        "syscalls",
        "capabilities",
        "severity",
        "power",
        "source",
    ];
    let mut rows = Vec::new();
    for row in tsv::read_sorted(DANGEROUS, &header)? {
        let [_, calls, capabilities, severity, power, _] = row.cells()?;
        let severity = match severity {
            "warning" => "Warning",
            "info" => "Info",
            _ => return row.fail("the severity is warning or info"),
        };
        rows.push(format!(
            "Group {{ syscalls: &{:?}, capabilities: &{:?}, severity: Severity::{severity}, power: {power:?} }}",
            places(&row, calls, names)?,
            words(capabilities),
        ));
    }
    Ok(table("GROUPS", "Group", &rows))
}

/// The calls that do what another one does.
pub(crate) fn substitutes(names: &BTreeMap<String, usize>) -> Result<Code> {
    let header = ["syscall", "substitutes", "extent", "source"];
    let mut rows = Vec::new();
    for row in tsv::read_sorted(SUBSTITUTES, &header)? {
        let [call, substitutes, extent, _] = row.cells()?;
        let extent = match extent {
            "all" => "All",
            "together" => "Together",
            "part" => "Part",
            _ => return row.fail("the extent is all, together or part"),
        };
        let (call, substitutes) = (
            places(&row, call, names)?,
            places(&row, substitutes, names)?,
        );
        rows.push(format!(
            "Row {{ denied: {}, substitutes: &{substitutes:?}, extent: Extent::{extent} }}",
            call[0]
        ));
    }
    Ok(table("ROWS", "Row", &rows))
}

/// The calls whose work a ring can do.
pub(crate) fn ring(names: &BTreeMap<String, usize>) -> Result<Code> {
    let mut rows = Vec::new();
    for row in tsv::read_sorted(RING, &["syscall", "operation", "source"])? {
        let [call, ..] = row.cells::<3>()?;
        rows.extend(places(&row, call, names)?.iter().map(usize::to_string));
    }
    Ok(table("RING", "u16", &rows))
}

fn table(name: &str, element: &str, rows: &[String]) -> Code {
    let mut code = Code(String::new());
    let (count, rows) = (rows.len(), rows.join(",\n"));
    code.line(format_args!(
        "static {name}: [{element}; {count}] = [\n{rows}];"
    ));
    code
}

/// The calls that rules ask for by name.
const KNOWN: &[&str] = &[
    "clone",
    "clone3",
    "io_uring_setup",
    "ioctl",
    "ipc",
    "ptrace",
    "socket",
    "socketcall",
    "unshare",
];

/// Writes references to the rows of [`KNOWN`].
pub(crate) fn known(code: &mut Code, names: &BTreeMap<String, usize>) -> Result<()> {
    for name in KNOWN {
        let Some(place) = names.get(*name) else {
            return Err(format!("libseccomp does not know `{name}`"));
        };
        let constant = name.to_uppercase();
        code.line(format_args!(
            "/// The row of `{name}`.\npub static {constant}: &Syscall = &SYSCALLS[{place}];"
        ));
    }
    Ok(())
}

//! Turns `data/platforms.tsv` into the named platforms.

use std::collections::BTreeMap;

use crate::tsv::{self, Result, Row, words};
use crate::{Code, kernel_code, release_code};

/// The table's file.
pub(crate) const PLATFORMS: &str = "data/platforms.tsv";

/// The platforms, whose backported names must be in `names`.
pub(crate) fn platforms(names: &BTreeMap<String, usize>) -> Result<Code> {
    let header = [
        "platform",
        "title",
        "kernel",
        "libseccomp",
        "backported",
        "crun",
        "runc",
        "source",
    ];
    let mut rows = Vec::new();
    for row in tsv::read_sorted(PLATFORMS, &header)? {
        let [
            name,
            title,
            kernel,
            libseccomp,
            backported,
            crun,
            runc,
            source,
        ] = row.cells()?;
        let kernel = kernel_of(&row, kernel)?;
        let libseccomp = libseccomp_of(&row, libseccomp, backported, names)?;
        let (crun, runc) = (version(crun), version(runc));
        rows.push(format!(
            "Platform {{ name: {name:?}, title: {title:?}, kernel: {kernel}, \
             libseccomp: {libseccomp}, crun: {crun:?}, runc: {runc:?}, source: {source:?} }}"
        ));
    }
    let mut code = Code(String::new());
    let (count, rows) = (rows.len(), rows.join(",\n"));
    code.line(format_args!(
        "pub(super) static PLATFORMS: [Platform; {count}] = [\n{rows}];"
    ));
    Ok(code)
}

/// `5.14`, or `5.14+` if the distribution adds calls of later kernels.
fn kernel_of(row: &Row, text: &str) -> Result<String> {
    if text == "-" {
        return Ok("None".to_owned());
    }
    let version = text.strip_suffix('+');
    let has_later_calls = version.is_some();
    let version = kernel_code(row, version.unwrap_or(text))?;
    Ok(format!(
        "Some(Kernel {{ version: {version}, has_later_calls: {has_later_calls} }})"
    ))
}

/// A release, and the names that the distribution added to it; `?` if nobody has looked.
fn libseccomp_of(
    row: &Row,
    release: &str,
    backported: &str,
    names: &BTreeMap<String, usize>,
) -> Result<String> {
    if release == "-" {
        return match backported {
            "-" => Ok("None".to_owned()),
            _ => row.fail("names cannot be added to no release"),
        };
    }
    let release = release_code(row, release)?;
    let backported = if backported == "?" {
        "None".to_owned()
    } else {
        let words = words(backported);
        if let Some(name) = words.iter().find(|name| !names.contains_key(**name)) {
            return row.fail(format_args!("libseccomp does not know `{name}`"));
        }
        format!("Some(&{words:?})")
    };
    Ok(format!(
        "Some(Libseccomp {{ release: {release}, backported: {backported} }})"
    ))
}

fn version(text: &str) -> Option<&str> {
    Some(text).filter(|&text| text != "-")
}

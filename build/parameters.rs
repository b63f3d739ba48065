//! Turns `data/syscall_parameters.tsv` into the parameters of the syscalls.

use std::collections::BTreeMap;

use crate::tsv::{self, Result, Row, words};

/// The table's file.
pub(crate) const PARAMETERS: &str = "data/syscall_parameters.tsv";

/// The rows by name. They are taken out as they are used.
pub(crate) struct Parameters(BTreeMap<String, Row>);

impl Parameters {
    pub(crate) fn read() -> Result<Self> {
        let header = ["syscall", "parameters", "common", "note", "source"];
        Ok(Self(tsv::read_map(PARAMETERS, &header)?))
    }

    /// The code of a syscall's `Option<Parameters>`.
    pub(crate) fn code(&mut self, name: &str) -> Result<String> {
        let Some(row) = self.0.remove(name) else {
            return Ok("None".to_owned());
        };
        let [_, parameters, common, note, _] = row.cells()?;
        let mut list = Vec::new();
        for parameter in words(parameters) {
            let Some((name, size)) = parameter.split_once(':') else {
                return row.fail(format_args!("`{parameter}` is not a name and a size"));
            };
            let kind = match size {
                "pointer" => "Pointer".to_owned(),
                "16" | "32" | "64" => format!("Integer {{ bits: {size} }}"),
                _ => {
                    return row
                        .fail("a parameter is `pointer`, or an integer of 16, 32 or 64 bits");
                }
            };
            list.push(format!(
                "Parameter {{ name: {name:?}, kind: ParameterKind::{kind} }}"
            ));
        }
        if list.len() > 6 {
            return row.fail("no syscall has more than 6 parameters");
        }
        let same = match common {
            "-" => list.len(),
            count => match count.parse() {
                Ok(count) if count < list.len() && note != "-" => count,
                _ => return row.fail("fewer are common, and the note says why; else both are `-`"),
            },
        };
        Ok(format!(
            "Some(Parameters {{ all: &[{}], common: {same} }})",
            list.join(", ")
        ))
    }

    pub(crate) fn are_used_up(&self, table: &str) -> Result<()> {
        match self.0.iter().next() {
            Some((name, row)) => row.fail(format_args!("`{name}` is not in {table}")),
            None => Ok(()),
        }
    }
}

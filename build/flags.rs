//! Turns `data/flags.tsv` and `data/flag_arguments.tsv` into the values that people know by name,
//! and the arguments that they are values of.

use std::collections::BTreeMap;

use crate::tsv::{self, Result, Row, words};
use crate::{Architecture, Code};

/// The table of the names.
pub(crate) const FLAGS: &str = "data/flags.tsv";
/// The table of the arguments.
pub(crate) const FLAG_ARGUMENTS: &str = "data/flag_arguments.tsv";

/// The names in their order, each with its family, its value and where it has another one; the names of
/// each family; and the arguments. The syscalls are those of `names`, the architectures those of `arches`, by name.
pub(crate) fn flags(arches: &[Architecture], names: &BTreeMap<String, usize>) -> Result<Code> {
    let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut rows = Vec::new();
    let header = ["name", "family", "value", "elsewhere", "source"];
    for (place, row) in tsv::read_sorted(FLAGS, &header)?.iter().enumerate() {
        let [name, family, value, elsewhere, _] = row.cells()?;
        let Some(value) = number(row, value)? else {
            return row.fail("most architectures must have it");
        };
        let mut others = Vec::new();
        for other in words(elsewhere) {
            let Some((value, on)) = other.split_once(':') else {
                return row.fail(format_args!("`{other}` is not a value and architectures"));
            };
            let value = number(row, value)?;
            for arch in listed(row, on, arches)? {
                others.push(format!("({arch:?}, {value:?})"));
            }
        }
        let others = others.join(", ");
        let of_family = families.entry(family.to_owned()).or_default();
        of_family.push(place);
        rows.push(format!(
            "Flag {{ name: {name:?}, family: {family:?}, value: {value}, elsewhere: &[{others}] }}"
        ));
    }
    let mut code = Code(String::new());
    code.array("FLAGS", "Flag", &rows);
    let of_families = families.values().map(|of_family| format!("&{of_family:?}"));
    code.array("FAMILIES", "&[u16]", &of_families.collect::<Vec<_>>());
    let families: Vec<_> = families.keys().map(String::as_str).collect();
    code.array("PLACES", "FlagPlace", &places(arches, names, &families)?);
    Ok(code)
}

/// The arguments that have names, in the order of the syscalls. `families` are those of the flags, in
/// the order of their tables.
fn places(
    arches: &[Architecture],
    names: &BTreeMap<String, usize>,
    families: &[&str],
) -> Result<Vec<String>> {
    let header = [
        "syscall",
        "argument",
        "family",
        "kind",
        "architectures",
        "source",
    ];
    let mut rows = Vec::new();
    let mut before = String::new();
    for row in &tsv::read(FLAG_ARGUMENTS, &header)? {
        let [syscall, argument, family, kind, on, _] = row.cells()?;
        if syscall < before.as_str() {
            return row.fail(format_args!("`{syscall}` must stand before `{before}`"));
        }
        syscall.clone_into(&mut before);
        if !names.contains_key(syscall) {
            return row.fail(format_args!("`{syscall}` is no syscall"));
        }
        let Ok(number) = families.binary_search(&family) else {
            return row.fail(format_args!("no flag is of `{family}`"));
        };
        let Some(index) = argument.parse().ok().filter(|index: &u8| *index < 6) else {
            return row.fail(format_args!("`{argument}` is no argument"));
        };
        let kind = match kind {
            "bits" => "Bits",
            "value" => "Value",
            "depends" => "Depends",
            _ => return row.fail(format_args!("`{kind}` is neither bits, value nor depends")),
        };
        let not_on: Vec<&str> = match (on, on.strip_prefix("not:")) {
            ("-", _) => Vec::new(),
            (_, Some(others)) => listed(row, others, arches)?,
            (only, None) => {
                let only = listed(row, only, arches)?;
                let all = arches.iter().map(|arch| arch.name.as_str());
                all.filter(|arch| !only.contains(arch)).collect()
            }
        };
        rows.push(format!(
            "FlagPlace {{ syscall: {syscall:?}, index: {index}, family: {family:?}, number: {number}, kind: Kind::{kind}, not_on: &{not_on:?} }}"
        ));
    }
    Ok(rows)
}

/// The architectures of a list.
fn listed<'t>(row: &Row, list: &'t str, arches: &[Architecture]) -> Result<Vec<&'t str>> {
    let list: Vec<_> = list.split(',').collect();
    match list
        .iter()
        .find(|arch| arches.iter().all(|known| known.name != **arch))
    {
        Some(arch) => row.fail(format_args!("`{arch}` is no architecture")),
        None => Ok(list),
    }
}

/// A number in hexadecimal digits; `-` is none.
fn number(row: &Row, text: &str) -> Result<Option<u64>> {
    if text == "-" {
        return Ok(None);
    }
    let digits = text.strip_prefix("0x").unwrap_or_default();
    match u64::from_str_radix(digits, 16) {
        Ok(value) => Ok(Some(value)),
        Err(_) => row.fail(format_args!("`{text}` is no number such as 0x40")),
    }
}

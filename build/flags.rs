//! Turns `data/flags.tsv` into the values that people know by name.

use crate::tsv::{self, Result, Row, words};
use crate::{Architecture, Code};

/// The table's file.
pub(crate) const FLAGS: &str = "data/flags.tsv";

/// The names in their order, each with its value and where it has another one. The architectures
/// are those of `arches`, by name.
pub(crate) fn flags(arches: &[Architecture]) -> Result<Code> {
    let mut rows = Vec::new();
    for row in &tsv::read_sorted(FLAGS, &["name", "value", "elsewhere", "source"])? {
        let [name, value, elsewhere, _] = row.cells()?;
        let Some(value) = number(row, value)? else {
            return row.fail("most architectures must have it");
        };
        let mut others = Vec::new();
        for other in words(elsewhere) {
            let Some((value, on)) = other.split_once(':') else {
                return row.fail(format_args!("`{other}` is not a value and architectures"));
            };
            let value = number(row, value)?;
            for arch in on.split(',') {
                if arches.iter().all(|known| known.name != arch) {
                    return row.fail(format_args!("`{arch}` is no architecture"));
                }
                others.push(format!("({arch:?}, {value:?})"));
            }
        }
        let others = others.join(", ");
        rows.push(format!(
            "Flag {{ name: {name:?}, value: {value}, elsewhere: &[{others}] }}"
        ));
    }
    let mut code = Code(String::new());
    code.array("FLAGS", "Flag", &rows);
    Ok(code)
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

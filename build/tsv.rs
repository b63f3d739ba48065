//! Reads a table of facts: a header, then rows of tab separated cells. A cell without a fact is `-`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;

/// What went wrong, beginning with the file and the line.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// A line of a table, which knows where it stands.
pub(crate) struct Row {
    file: &'static str,
    line: usize,
    cells: Vec<String>,
}

impl Row {
    /// The cells, as many as the table's header has.
    pub(crate) fn cells<const N: usize>(&self) -> Result<[&str; N]> {
        let cells: Vec<&str> = self.cells.iter().map(String::as_str).collect();
        match cells.try_into() {
            Ok(cells) => Ok(cells),
            Err(_) => self.fail(format_args!("expected {N} columns")),
        }
    }

    /// The first cell, the cells between, and the last.
    pub(crate) fn name_and_source(&self) -> Result<(&str, &[String], &str)> {
        match self.cells.as_slice() {
            [name, between @ .., source] => Ok((name, between, source)),
            _ => self.fail("expected a name and a source"),
        }
    }

    /// An error of this row.
    pub(crate) fn fail<T>(&self, what: impl Display) -> Result<T> {
        Err(format!("{}:{}: {what}", self.file, self.line))
    }

    /// The numbers of a dotted version.
    pub(crate) fn version<const N: usize>(&self, text: &str) -> Result<[u32; N]> {
        let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
        match numbers.and_then(|numbers| numbers.try_into().ok()) {
            Some(version) => Ok(version),
            None => self.fail(format_args!("`{text}` is no version of {N} numbers")),
        }
    }
}

/// The rows of a table with this header.
pub(crate) fn read(file: &'static str, header: &[&str]) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let mut lines = text.lines().zip(1..);
    if lines
        .next()
        .is_none_or(|(line, _)| line.split('\t').ne(header.iter().copied()))
    {
        return Err(format!(
            "{file}:1: the header must be: {}",
            header.join(", ")
        ));
    }
    let rows: Vec<Row> = lines
        .map(|(text, line)| {
            let cells = text.split('\t').map(str::to_owned).collect();
            Row { file, line, cells }
        })
        .collect();
    for row in &rows {
        let columns = row.cells.len();
        if columns != header.len() {
            return row.fail(format_args!("{columns} columns, expected {}", header.len()));
        }
        if row
            .cells
            .iter()
            .any(|cell| cell.is_empty() || cell.trim() != cell)
        {
            return row.fail("a cell is empty (write `-`) or has white space around it");
        }
    }
    Ok(rows)
}

/// The rows of a table with this header whose first column is in strict byte order.
pub(crate) fn read_sorted(file: &'static str, header: &[&str]) -> Result<Vec<Row>> {
    let rows = read(file, header)?;
    for pair in rows.windows(2) {
        if let [before, row] = pair
            && let ([before, ..], [name, ..]) = (before.cells.as_slice(), row.cells.as_slice())
            && name <= before
        {
            return row.fail(format_args!(
                "`{name}` must stand before `{before}`, and only once"
            ));
        }
    }
    Ok(rows)
}

/// The rows of such a table by their first column.
pub(crate) fn read_map(file: &'static str, header: &[&str]) -> Result<BTreeMap<String, Row>> {
    let rows = read_sorted(file, header)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.cells.first()?.clone(), row)))
        .collect())
}

/// The words of a cell; none for `-`.
pub(crate) fn words(cell: &str) -> Vec<&str> {
    if cell == "-" {
        Vec::new()
    } else {
        cell.split(' ').collect()
    }
}

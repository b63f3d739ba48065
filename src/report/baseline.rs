//! An earlier report, whose findings are not reported again.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::finding::{Finding, Origin, Suppression, identity};

/// The findings of an earlier report.
#[derive(Debug)]
pub struct Baseline {
    known: Vec<Known>,
    /// The numbers in `known` of each file's, by the path as the report has it.
    by_path: HashMap<String, Vec<usize>>,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON, or lacks what every report has.
    #[error("this is no report of seclint ({0}); make one with `seclint check --format json`")]
    NoReport(#[from] serde_json::Error),
    /// It is another kind of report.
    #[error(
        "this is a `{0}`; a baseline is a `{SCHEMA}`, which `seclint check --format json` writes"
    )]
    OtherReport(String),
}

const SCHEMA: &str = "seclint.report/1";

#[derive(Deserialize)]
struct Written {
    schema: String,
    #[serde(default)]
    findings: Option<Vec<Known>>,
}

/// A finding of an earlier report.
#[derive(Debug, Deserialize, Serialize)]
struct Known {
    rule: String,
    severity: String,
    message: String,
    path: String,
    pointer: Option<String>,
    #[serde(default)]
    facts: Map<String, Value>,
    #[serde(skip)]
    is_met: bool,
}

/// A finding that an earlier report has, and that is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Gone {
    /// Its rule.
    pub rule: String,
    /// How bad it was.
    pub severity: String,
    /// What it said.
    pub message: String,
    /// Its file.
    pub path: String,
    /// JSON Pointer of its value.
    pub pointer: Option<String>,
    /// What it was about.
    pub facts: Map<String, Value>,
}

impl Baseline {
    /// Reads a report.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, BaselineError> {
        // As PowerShell writes it.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let written: Written = serde_json::from_slice(bytes)?;
        let (SCHEMA, Some(known)) = (written.schema.as_str(), written.findings) else {
            return Err(BaselineError::OtherReport(written.schema));
        };
        let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, known) in known.iter().enumerate() {
            by_path.entry(known.path.clone()).or_default().push(number);
        }
        Ok(Self { known, by_path })
    }

    /// The files that it has findings of.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }

    /// Calls its files by other paths. Two may be one.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        let mut renamed: HashMap<String, Vec<usize>> = HashMap::new();
        for (path, numbers) in self.by_path.drain() {
            renamed.entry(name(&path)).or_default().extend(numbers);
        }
        for numbers in renamed.values_mut() {
            numbers.sort_unstable();
        }
        self.by_path = renamed;
    }

    /// Says which findings of one file are known, each known one of one finding: those that stand
    /// where they stood first, then those that have moved; those that are ignored anyway take what
    /// is left, so that it is not said to be gone.
    pub fn meet(&mut self, path: &str, findings: &mut [Finding]) {
        let numbers = self.by_path.get(path).map_or(&[][..], Vec::as_slice);
        let is_ignored: Vec<_> = findings.iter().map(|it| it.suppression.is_some()).collect();
        let mut is_known = vec![false; findings.len()];
        for (ignored, exactly) in [(false, true), (false, false), (true, true), (true, false)] {
            // By rule, since a file may have thousands of findings.
            let mut left: HashMap<_, Vec<usize>> = HashMap::new();
            for &number in numbers.iter().rev() {
                let known = &self.known[number];
                if !known.is_met {
                    left.entry(known.key(exactly)).or_default().push(number);
                }
            }
            let asked = findings.iter_mut().zip(&mut is_known).zip(&is_ignored);
            for ((finding, is_known), _) in asked.filter(|(_, is)| **is == ignored) {
                let number = match left.get_mut(&key(finding, exactly)) {
                    Some(numbers) if !*is_known => numbers.pop(),
                    _ => None,
                };
                let Some(number) = number else { continue };
                *is_known = true;
                self.known[number].is_met = true;
                finding.suppression.get_or_insert_with(|| Suppression {
                    origin: Origin::External,
                    reason: "an earlier report has it (--baseline)".to_owned(),
                });
            }
        }
    }

    /// What no finding has met. `would_be_found`: by path and rule, whether there would be a
    /// finding if it were not gone.
    pub fn gone(&self, would_be_found: impl Fn(&str, &str) -> bool) -> Vec<Gone> {
        let unmet = self.known.iter().filter(|known| !known.is_met);
        let gone = unmet.filter(|known| would_be_found(&known.path, &known.rule));
        gone.map(Known::gone).collect()
    }
}

/// What must be equal.
type Key = (String, Option<String>, Vec<String>);

fn key(finding: &Finding, exactly: bool) -> Key {
    let pointer = finding.location.pointer.clone();
    let parts = identity(pointer.as_deref(), &finding.facts);
    (
        finding.rule.id.to_owned(),
        pointer.filter(|_| exactly),
        parts,
    )
}

impl Known {
    fn key(&self, exactly: bool) -> Key {
        let parts = identity(self.pointer.as_deref(), &self.facts);
        (
            self.rule.clone(),
            self.pointer.clone().filter(|_| exactly),
            parts,
        )
    }

    fn gone(&self) -> Gone {
        Gone {
            rule: self.rule.clone(),
            severity: self.severity.clone(),
            message: self.message.clone(),
            path: self.path.clone(),
            pointer: self.pointer.clone(),
            facts: self.facts.clone(),
        }
    }
}

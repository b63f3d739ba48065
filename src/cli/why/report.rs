//! The answer, as it is written.

use serde::Serialize;
use serde_json::Value;

use super::call::{Argument, AskedCall};
use crate::cli::meaning::{Meaning, Operand};
use crate::cli::runtime::Foreseen;
use crate::finding::Location;

/// What is answered.
#[derive(Serialize)]
pub(super) struct Report {
    schema: &'static str,
    pub(super) path: String,
    pub(super) engine: Option<&'static str>,
    pub(super) runtime: Option<RuntimeReport>,
    pub(super) libseccomp: Option<String>,
    pub(super) syscall: String,
    pub(super) arguments: Vec<String>,
    /// The same for people.
    #[serde(skip)]
    pub(super) shown: Vec<String>,
    pub(super) no_filter: Option<String>,
    pub(super) refused: Option<String>,
    pub(super) architectures: Vec<OnArch>,
    pub(super) passed_over: Vec<NotDeciding>,
    pub(super) notes: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct RuntimeReport {
    pub(super) name: &'static str,
    pub(super) version: String,
}

/// What happens to it on an architecture.
#[derive(Serialize)]
pub(super) struct OnArch {
    pub(super) arch: &'static str,
    /// What it is called there, if anything.
    pub(super) syscall: Option<&'static str>,
    pub(super) ways: Vec<WayIn>,
    pub(super) note: Option<String>,
}

/// One of the ways by which the call comes.
#[derive(Serialize)]
pub(super) struct WayIn {
    /// The multiplexer that carries it.
    pub(super) via: Option<&'static str>,
    pub(super) number: u32,
    pub(super) cases: Vec<Case>,
    pub(super) lost: Vec<NotDeciding>,
}

#[derive(Serialize)]
pub(super) struct Case {
    /// For which arguments, in words; `None` for all that are left.
    pub(super) when: Option<String>,
    pub(super) decision: Decision,
    pub(super) by: Vec<EntryRef>,
    /// Who decides, if it is no rule entry.
    pub(super) otherwise_by: Option<&'static str>,
}

/// What is done.
#[derive(Serialize)]
pub(super) struct Decision {
    pub(super) text: String,
    /// What comes of the call.
    #[serde(skip)]
    pub(super) outcome: String,
    /// More than one if it is not known which.
    pub(super) verdicts: Vec<Value>,
}

/// A rule entry, and its conditions.
#[derive(Clone, Serialize)]
pub(super) struct EntryRef {
    pub(super) path: String,
    pub(super) pointer: Option<String>,
    pub(super) span: Option<Value>,
    #[serde(skip)]
    pub(super) place: String,
    /// Where it names the call.
    #[serde(skip)]
    pub(super) named: Option<Location>,
    pub(super) conditions: Option<String>,
}

/// A rule entry that does not decide.
#[derive(Serialize)]
pub(super) struct NotDeciding {
    #[serde(flatten)]
    pub(super) entry: EntryRef,
    pub(super) reason: String,
}

impl Report {
    pub(super) fn new(operand: &Operand, runtime: &Foreseen, call: &AskedCall) -> Self {
        let is_filter = matches!(operand.meaning, Meaning::Filter(_));
        let (no_filter, refused) = match &operand.meaning {
            Meaning::NoFilter(why) => (Some(why.clone()), None),
            Meaning::Refused(why) => (None, Some(why.clone())),
            Meaning::Plan(_) | Meaning::Filter(_) => (None, None),
        };
        Self {
            schema: "seclint.why/1",
            path: operand.source.name().to_owned(),
            engine: operand.engine.map(crate::engine::Engine::name),
            runtime: (!is_filter).then(|| RuntimeReport {
                name: runtime.model.name(),
                version: runtime.model.version().to_owned(),
            }),
            libseccomp: (!is_filter).then(|| runtime.libseccomp.release.to_string()),
            syscall: call.name(),
            arguments: (call.arguments.iter())
                .map(|it| it.written.clone())
                .collect(),
            shown: call.arguments.iter().map(Argument::shown).collect(),
            no_filter,
            refused,
            architectures: Vec::new(),
            passed_over: Vec::new(),
            notes: operand.notes.clone(),
        }
    }
}

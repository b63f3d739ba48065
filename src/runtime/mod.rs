//! Container runtimes: what each reads of a document, what it asks of libseccomp for the section
//! there, and what becomes of the container.
//!
//! A runtime is the set of departures from JSON that it accepts, a reader, and a function from the
//! section that was read to a [`Plan`] or a [`Refusal`]. All of it was found by running the
//! runtimes: `tests/runtimes` holds what they did.

pub mod crun;
mod libseccomp;
mod plan;
pub mod runc;
mod section;
mod startup;

pub(crate) use libseccomp::collide;
pub(crate) use plan::compares_twice;
pub use plan::{Ignored, Plan, Planned, Refusal, Rule, Stub, in_rules};
pub use runc::{runc_knows_architecture, runc_knows_flags};
pub use section::{Argument, Entry, Section, Str};
pub use startup::{STARTERS, Starter};

use startup::Start;

use crate::syscalls::{Arch, Release};
use crate::target::Libseccomp;
use crate::text::Document;

/// A runtime that can be predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    kind: ModelKind,
    version: String,
    /// As far as it was needed to tell versions apart.
    number: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModelKind {
    Crun,
    Runc,
}

/// Why there is no prediction for a runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Another runtime.
    #[error("`{0}` is not among the runtimes that can be predicted: crun and runc")]
    Unknown(String),
    /// No version that could be compared.
    #[error("`{0}` is no version of {1}: expected one such as {2}")]
    Version(String, &'static str, &'static str),
}

/// What becomes of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its program runs.
    Starts,
    /// The filter is loaded, and the program never runs.
    Dies,
    /// No filter is loaded, and the program never runs.
    Refuses,
}

/// Where a container starts.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// The libseccomp that the runtime is linked to.
    pub libseccomp: Libseccomp,
    /// The host's architecture.
    pub native: Arch,
    /// `process.noNewPrivileges`, where the document does not say it itself.
    pub no_new_privileges: bool,
    /// Whether the kernel takes a plan's filter for its size, or why that is not known.
    pub fits: fn(&Plan) -> Result<bool, String>,
}

/// For whoever asks nothing of what becomes of a container when its filter is loaded.
///
/// # Errors
/// Never: every filter is taken to fit.
pub fn any_size(_: &Plan) -> Result<bool, String> {
    Ok(true)
}

/// What a runtime does with a document.
#[derive(Clone, Debug)]
pub struct Prediction<'d> {
    /// What becomes of the container.
    pub outcome: Outcome,
    /// Whether it always does. If not, a note says on what it depends.
    pub is_certain: bool,
    /// The runtime's own words where it refuses; the beginning of them, or a part.
    pub error: Option<String>,
    /// The names that it warns of, a message each, in its order.
    pub warned: Vec<Ignored<'d>>,
    /// The names that it passes over in silence or with a word in its debug log, in its order.
    pub dropped: Vec<Ignored<'d>>,
    /// The section as it was read, if there is one.
    pub section: Option<Section<'d>>,
    /// What it asked of libseccomp, if it came to that.
    pub plan: Option<Plan>,
    /// Whether crun leaves an entry in its cache.
    pub leaves_entry: bool,
    /// Whether an annotation asks crun to refuse unknown names, which is a part of the entry's key.
    pub fails_on_unknown: bool,
    /// What else a user should know.
    pub notes: Vec<String>,
}

impl Model {
    /// The runtimes that were run, with the libseccomp release that they were run with. `+ds1` is
    /// Debian's.
    pub const RECORDED: [(&str, &str, Release); 4] = [
        ("crun", "1.21", Release::new(2, 6, 0)),
        ("crun", "1.28", Release::new(2, 6, 1)),
        ("runc", "1.1.15+ds1", Release::new(2, 6, 0)),
        ("runc", "1.3.6+ds1", Release::new(2, 6, 1)),
    ];

    /// The model of a runtime's version, as the runtime prints it.
    ///
    /// # Errors
    /// If the runtime is not among those that are known, or the version is none.
    pub fn of(name: &str, version: &str) -> Result<Self, ModelError> {
        let (kind, name, example) = match name {
            "crun" => (ModelKind::Crun, "crun", "1.21"),
            "runc" => (ModelKind::Runc, "runc", "1.3.6"),
            _ => return Err(ModelError::Unknown(name.to_owned())),
        };
        match numbers(version) {
            Some(number) => Ok(Self {
                kind,
                version: version.to_owned(),
                number,
            }),
            None => Err(ModelError::Version(version.to_owned(), name, example)),
        }
    }

    /// The runtime's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            ModelKind::Crun => "crun",
            ModelKind::Runc => "runc",
        }
    }

    /// Its version, as it prints it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether this version was run, as anybody packaged it, and its predictions compared with what
    /// it did.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        upstream(self.nearest()) == upstream(&self.version)
    }

    /// The recorded version whose ways this one is taken to have.
    #[must_use]
    pub fn nearest(&self) -> &'static str {
        match (self.kind, self.number) {
            (ModelKind::Crun, number) if number < crun::FIRST_WITH_JSON_C => "1.21",
            (ModelKind::Crun, _) => "1.28",
            (ModelKind::Runc, number) if number < runc::FIRST_WITH_FLAGS => "1.1.15+ds1",
            (ModelKind::Runc, _) => "1.3.6+ds1",
        }
    }

    /// What the runtime does with a document, which is a section or a container's configuration.
    #[must_use]
    pub fn predict<'d>(
        &self,
        document: &'d Document<'d>,
        source: &'d [u8],
        surroundings: Surroundings,
    ) -> Prediction<'d> {
        match self.kind {
            ModelKind::Crun => crun::predict(self, document, source, surroundings),
            ModelKind::Runc => runc::predict(self, document, source, surroundings),
        }
    }
}

impl Default for Prediction<'_> {
    fn default() -> Self {
        Self {
            outcome: Outcome::Starts,
            is_certain: true,
            error: None,
            warned: Vec::new(),
            dropped: Vec::new(),
            section: None,
            plan: None,
            leaves_entry: false,
            fails_on_unknown: false,
            notes: Vec::new(),
        }
    }
}

impl Prediction<'_> {
    fn without_filter() -> Self {
        Self::default().with_note("the container runs without a filter, and nothing says so")
    }

    fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn uncertain(mut self, note: String) -> Self {
        self.is_certain = false;
        self.with_note(note)
    }

    fn refused(mut self, refusal: Refusal) -> Self {
        self.outcome = Outcome::Refuses;
        if refusal.0.is_empty() {
            self = self.with_note("the runtime crashes");
        } else {
            self.error = Some(refusal.0);
        }
        self
    }

    /// What becomes of the container when the kernel gets the filter of the plan. `words` are the
    /// runtime's where the kernel refuses.
    fn loaded(self, surroundings: Surroundings, words: &str) -> Self {
        match self.plan.as_ref().map(surroundings.fits) {
            None | Some(Ok(true)) => self,
            Some(Ok(false)) => self.refused(Refusal::new(words)).with_note(
                "the filter has more than 4096 instructions, and the kernel refuses it for that",
            ),
            Some(Err(why)) => self.uncertain(format!(
                "the filter may have more than the 4096 instructions that the kernel takes, and no container starts then: {why}"
            )),
        }
    }

    /// What becomes of the container when the filter of the plan is loaded.
    fn started(mut self, calls: &startup::Calls) -> Self {
        match self.plan.as_ref().map(|plan| startup::start(plan, calls)) {
            Some(Start::Dies(calls)) => {
                let calls: Vec<_> = calls.iter().map(|call| format!("`{call}`")).collect();
                self.outcome = Outcome::Dies;
                self.with_note(format!(
                    "the runtime itself needs {} between loading the filter and the program",
                    calls.join(", ")
                ))
            }
            Some(Start::Depends(call)) => self.uncertain(format!(
                "whether the program ever runs depends on the arguments of `{call}`, which the runtime needs"
            )),
            Some(Start::Varies(call)) => self.uncertain(format!(
                "the program may never run: the runtime calls `{call}` now and then between loading the filter and the program"
            )),
            Some(Start::Runs) | None => self,
        }
    }
}

/// In what the filters of two predictions differ, where both have one: of the second one.
#[must_use]
pub fn difference(first: &Prediction<'_>, second: &Prediction<'_>) -> Option<String> {
    let (first, second) = (first.plan.as_ref()?, second.plan.as_ref()?);
    if first.default != second.default {
        return Some("another default action or errno".to_owned());
    }
    if first.architectures != second.architectures {
        return Some("other architectures".to_owned());
    }
    let both = first.rules.iter().zip(&second.rules);
    let same = both.take_while(|(one, other)| one == other).count();
    let entries = [first, second].map(|plan| plan.rules.get(same).map(|rule| rule.entry));
    if let Some(entry) = entries.into_iter().flatten().min() {
        return Some(format!("rule entry {} is read in another way", entry + 1));
    }
    let largest = second.stub.as_ref()?.largest(second.native)?;
    first.stub.is_none().then(|| {
        format!("syscalls above number {largest}, the largest that is named, fail with ENOSYS")
    })
}

/// The first two numbers of a version: enough to tell apart what differs.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-', '+', '~']).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// A version without what a distribution adds to it.
fn upstream(version: &str) -> &str {
    version.split(['+', '~']).next().unwrap_or_default()
}

//! What is decided for all calls, of what a file comes to.

use super::{Meaning, Operand};
use crate::cli::CliError;
use crate::filter::{CompileError, Diagram, Diagrams, Filter, Leaf, Verdict, linked};
use crate::policy::Policy;
use crate::syscalls::{Arch, all};

impl Operand {
    /// The architectures of the filter, the host's own first; of a bare filter those that it
    /// decides about as about no unknown one.
    pub(in crate::cli) fn architectures(&self, diagrams: &Diagrams, diagram: Diagram) -> Vec<Arch> {
        match &self.meaning {
            Meaning::Plan(of) => {
                let native = std::iter::once(of.plan.native);
                native
                    .chain(of.plan.architectures.iter().copied())
                    .collect()
            }
            Meaning::Filter(_) => {
                let mut found = architectures(diagrams, diagram);
                if found.is_empty() {
                    // It does not ask, or decides nothing.
                    found.push(self.native);
                }
                found
            }
            Meaning::NoFilter(_) | Meaning::Refused(_) => Vec::new(),
        }
    }

    /// What is decided for all calls; `None` if nothing runs at all. What the policy does not know
    /// is as the linked libseccomp makes it, if that `matters`.
    pub(in crate::cli) fn diagram(
        &mut self,
        diagrams: &mut Diagrams,
        matters: impl FnOnce(&Diagrams, Diagram, &[Arch]) -> bool,
    ) -> Result<Option<Diagram>, CliError> {
        let Some(known) = self.known(diagrams)? else {
            return Ok(None);
        };
        let arches = self.architectures(diagrams, known);
        if is_open(diagrams, known) && matters(diagrams, known, &arches) {
            let made = self.made();
            return self.completed(diagrams, known, made).map(Some);
        }
        Ok(Some(known))
    }

    /// What is known to be decided for all calls without libseccomp; `None` if nothing runs at all.
    pub(in crate::cli) fn known(
        &self,
        diagrams: &mut Diagrams,
    ) -> Result<Option<Diagram>, CliError> {
        match &self.meaning {
            Meaning::Refused(_) => Ok(None),
            Meaning::NoFilter(_) => {
                let all = Verdict::of(0x7fff_0000);
                Ok(Some(diagrams.leaf(Leaf::Verdict(all))))
            }
            Meaning::Filter(filter) => {
                let diagram = diagrams.of_filter(filter);
                diagram.map(Some).map_err(|why| self.failed(why))
            }
            Meaning::Plan(of) => {
                let known = Policy::of(&of.plan).diagram(diagrams);
                known.map(Some).map_err(|why| self.failed(why))
            }
        }
    }

    /// The filter that the linked libseccomp makes of what the policy does not know of a plan;
    /// `None` for what is none.
    pub(in crate::cli) fn made(&self) -> Option<Result<Filter, CompileError>> {
        match &self.meaning {
            Meaning::Plan(of) => Some(Policy::of(&of.plan).open_filter()),
            _ => None,
        }
    }

    /// What is decided for all calls: what is `known`, and the rest as in the filter that was made.
    pub(in crate::cli) fn completed(
        &mut self,
        diagrams: &mut Diagrams,
        known: Diagram,
        made: Option<Result<Filter, CompileError>>,
    ) -> Result<Diagram, CliError> {
        let Some(made) = made else {
            return Ok(known);
        };
        let begins = "what rules decide is up to libseccomp's inner order here, or to its mistakes";
        let Some(release) = linked() else {
            self.notes.push(format!(
                "{begins}; this seclint was built without libseccomp, and cannot tell how"
            ));
            return Ok(known);
        };
        let made = match made {
            Ok(filter) => diagrams.of_filter(&filter).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        match made {
            Ok(made) => {
                let whole = diagrams.combine(known, made, |known, made| {
                    if matches!(known, Leaf::OneOf(_)) {
                        made.clone()
                    } else {
                        known.clone()
                    }
                });
                self.notes.push(format!(
                    "{begins}: told as libseccomp {release} does it, which seclint is linked to, whatever release the runtime has"
                ));
                whole.map_err(|why| self.failed(why))
            }
            Err(why) => {
                self.notes
                    .push(format!("{begins}, which is not known: {why}"));
                Ok(known)
            }
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> CliError {
        CliError::Usage(format!("{}: {why}", self.source.name()))
    }
}

/// Whether something is not known of what is decided.
pub(in crate::cli) fn is_open(diagrams: &Diagrams, diagram: Diagram) -> bool {
    let mut leaves = diagrams.leaves(diagram).into_iter();
    leaves.any(|leaf| matches!(leaf, Leaf::OneOf(_)))
}

/// The architectures that a filter tells from unknown ones.
fn architectures(diagrams: &Diagrams, diagram: Diagram) -> Vec<Arch> {
    // No architecture has this value.
    let other = diagrams.architecture(diagram, 0);
    let numbers = |arch: Arch| {
        all()
            .iter()
            .filter_map(move |call| call.direct_number(arch))
    };
    Arch::ALL
        .into_iter()
        .filter(|&arch| {
            let of_arch = diagrams.architecture(diagram, arch.audit_arch());
            numbers(arch).any(|number| diagrams.number(of_arch, number) != other)
        })
        .collect()
}

/// What may be done, of what is decided.
pub(in crate::cli) fn verdicts(leaf: &Leaf) -> &[Verdict] {
    match leaf {
        Leaf::Verdict(verdict) => std::slice::from_ref(verdict),
        Leaf::OneOf(verdicts) => verdicts,
        Leaf::Outside | Leaf::Inside => &[],
    }
}

/// What is decided, in words: `ERRNO(EPERM)`, or `ALLOW or KILL_THREAD` where that is not known.
pub(in crate::cli) fn words(leaf: &Leaf, arch: Arch) -> String {
    let words = verdicts(leaf)
        .iter()
        .map(|verdict| verdict.words(arch.audit_arch()));
    words.collect::<Vec<_>>().join(" or ")
}

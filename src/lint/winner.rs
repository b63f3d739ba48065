//! Which of two rule entries decides where a call meets the conditions of both.

use std::sync::Arc;

use super::rivals::{Contested, MERGES_RIGHT, Rival};
use super::{Context, TargetUse};
use crate::filter::{Diagram, Diagrams, Field, Leaf, Test, compile, linked};
use crate::policy::verdict;
use crate::profile::Effect;
use crate::runtime::{Plan, Rule};
use crate::syscalls::Arch;

/// The most rules on a call of which a filter is made: more than any profile has.
const MOST_RULES: usize = 16;

/// The most filters that are made for a profile: one takes about a millisecond.
const MOST_FILTERS: usize = 32;

/// Asks the linked libseccomp, whose inner order decides and is written down nowhere else.
#[derive(Default)]
pub(super) struct Judge {
    asked: usize,
}

/// The calls of two rule entries, by which of them decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Won {
    /// Those that the first decides, and those that the second does.
    pub sets: [Diagram; 2],
    /// All that both are about.
    pub all: Diagram,
}

impl Judge {
    /// Which of two rule entries decides about the calls in `both`, that both are about, in
    /// containers where both hold. `None` if that is not known: without libseccomp, say.
    pub(super) fn won(
        &mut self,
        context: &Context<'_>,
        contested: &Contested<'_>,
        rivals: [&Rival<'_>; 2],
        both: Diagram,
        diagrams: &mut Diagrams,
    ) -> Option<Won> {
        let native = context.hosts().first().copied().unwrap_or(Arch::X86_64);
        let number = contested.syscall.direct_number(native)?;
        self.asked += 1;
        // What both are about was told for 64 bits.
        if self.asked > MOST_FILTERS || native.bits() == 32 {
            return None;
        }
        if rivals[0].merged_wrongly(rivals[1]).is_some() && !is_linked_like(context) {
            return None;
        }
        let plan = plan(contested, rivals, native);
        if plan.rules.len() > MOST_RULES {
            return None;
        }
        let filter = compile(&plan).ok()?;
        let decided = diagrams.of_filter(&filter).ok()?;
        let mut all = both;
        for (field, word) in [
            (Field::Architecture, native.audit_arch()),
            (Field::Number, number),
        ] {
            let these = diagrams.calls(field, u32::MAX, Test::Equal, word).ok()?;
            all = diagrams.both(all, these).ok()?;
        }
        let mut of = |effect: Effect| {
            let wanted = Leaf::Verdict(verdict(effect));
            diagrams.combine(all, decided, |is_in, leaf| {
                if *is_in == Leaf::Inside && *leaf == wanted {
                    Leaf::Inside
                } else {
                    Leaf::Outside
                }
            })
        };
        let [one, other] = rivals;
        let sets = [of(one.effect).ok()?, of(other.effect).ok()?];
        Some(Won { sets, all })
    }
}

/// Whether all targets' libseccomp has the bug about bounds if the linked one has, as far as they say.
fn is_linked_like(context: &Context<'_>) -> bool {
    let Some(linked) = linked() else {
        return false;
    };
    let is_other = |it: &TargetUse<'_>| {
        let release = it.target.libseccomp.map(|it| it.release);
        release.is_some_and(|it| (it < MERGES_RIGHT) != (linked < MERGES_RIGHT))
    };
    context.targets_where(is_other).is_empty()
}

/// What a runtime asks of libseccomp about the call, where both rule entries hold.
fn plan(contested: &Contested<'_>, rivals: [&Rival<'_>; 2], native: Arch) -> Plan {
    let all = contested.rivals.iter().enumerate();
    let holding = all.filter(|(_, it)| {
        it.effect != contested.default && rivals.iter().any(|rival| it.holds_where(rival))
    });
    let rules = holding.flat_map(|(entry, it)| {
        it.rules().map(move |comparisons| Rule {
            effect: it.effect,
            syscall: contested.syscall,
            comparisons: Arc::from(comparisons),
            entry,
        })
    });
    Plan {
        default: contested.default,
        native,
        architectures: Vec::new(),
        rules: rules.collect(),
        stub: None,
        is_tree: false,
    }
}

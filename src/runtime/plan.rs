//! What a runtime asks of libseccomp for a section, or why it does not.

use std::sync::Arc;

use super::section::Str;
use crate::profile::{Comparison, Effect, Operator};
use crate::syscalls::{self, Arch, Syscall};
use crate::text::Node;

/// What a runtime asks of libseccomp, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What happens to a call that no rule matches.
    pub default: Effect,
    /// The host's own architecture, which is always in the filter.
    pub native: Arch,
    /// The other architectures.
    pub architectures: Vec<Arch>,
    /// The calls of `seccomp_rule_add_array`.
    pub rules: Vec<Rule>,
    /// What runc puts before the filter, or `None` where a runtime puts nothing there.
    pub stub: Option<Stub>,
    /// Whether libseccomp is asked for a binary tree of numbers instead of a list of them
    /// (`SCMP_FLTATR_CTL_OPTIMIZE` is 2). The filter means the same, in other bytes.
    pub is_tree: bool,
}

/// What runc puts before the filter, so that calls which a profile cannot know yet fail with
/// `ENOSYS`: for each architecture of the filter the largest number that the section names. Calls
/// above it get `ENOSYS`; where no name has a number, there is no architecture, and all calls reach
/// the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stub(pub Vec<(Arch, u32)>);

impl Stub {
    /// The largest number that reaches the filter on an architecture, if there is a limit.
    #[must_use]
    pub fn largest(&self, arch: Arch) -> Option<u32> {
        let limit = self.0.iter().find(|(other, _)| *other == arch);
        limit.map(|(_, largest)| *largest)
    }
}

/// One call of `seccomp_rule_add_array`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What happens to the call.
    pub effect: Effect,
    /// The call.
    pub syscall: &'static Syscall,
    /// What its arguments must be; all of it, each argument at most once.
    pub comparisons: Arc<[Comparison]>,
    /// The rule entry that it comes from, counted from 0.
    pub entry: usize,
}

impl Rule {
    /// The rule as libseccomp has it on the call that carries this one on an architecture: that
    /// call's number there, and the conditions. Which call it is takes the place of what the first
    /// argument must be; the others are compared with arguments that have nothing to do with the
    /// call's.
    #[must_use]
    pub fn carried(&self, arch: Arch) -> Option<(u32, Vec<Comparison>)> {
        let subcall = self.syscall.subcall(arch)?;
        let carrier = syscalls::lookup(subcall.multiplexer.name())?;
        let which = Comparison {
            index: 0,
            operator: Operator::Equal,
            value: subcall.call.into(),
            value_two: 0,
        };
        let others = self.comparisons.iter().filter(|it| it.index != 0);
        let comparisons = std::iter::once(which).chain(others.copied());
        Some((carrier.direct_number(arch)?, comparisons.collect()))
    }
}

/// The conditions of a rule entry as rules. Those that compare one argument twice cannot be one
/// rule to libseccomp, and every runtime makes each condition a rule of its own then: any of them
/// is enough.
#[must_use]
pub fn in_rules(comparisons: Vec<Comparison>) -> Vec<Arc<[Comparison]>> {
    if compares_twice(&comparisons) {
        comparisons.into_iter().map(|it| Arc::from([it])).collect()
    } else {
        vec![comparisons.into()]
    }
}

/// Whether one argument is compared twice.
pub(crate) fn compares_twice(comparisons: &[Comparison]) -> bool {
    if comparisons.len() < 2 {
        return false;
    }
    let mut indexes: Vec<_> = comparisons.iter().map(|it| it.index).collect();
    indexes.sort_unstable();
    indexes.windows(2).any(|pair| pair[0] == pair[1])
}

/// A name that a runtime passes over.
#[derive(Clone, Debug)]
pub struct Ignored<'d> {
    /// The name as the runtime shows it.
    pub name: String,
    /// Where it stands.
    pub node: Option<Node<'d>>,
}

impl<'d> Ignored<'d> {
    pub(super) fn new(name: &Str<'d>) -> Self {
        Self {
            name: name.shown(),
            node: name.node,
        }
    }
}

/// What a runtime makes of a section.
#[derive(Clone, Debug)]
pub struct Planned<'d> {
    /// The plan, or the refusal; `None` if it starts containers without a filter.
    pub plan: Result<Option<Plan>, Refusal>,
    /// The names that it warns of, a message each, in its order; also before a refusal.
    pub warned: Vec<Ignored<'d>>,
    /// The names that it passes over in silence, or with a word in its debug log.
    pub dropped: Vec<Ignored<'d>>,
}

/// Why a runtime does not start a container, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

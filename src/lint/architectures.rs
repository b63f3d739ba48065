//! The architectures whose calls a profile's filter may see.

use crate::profile::RuleEntry;
use crate::syscalls::{Arch, Multiplexer};

use super::Context;
use super::target_use::may_hold_on;

/// What the filter of each host sees: of those that were named; if none was, of those that the
/// profile names, where the first element is what is added on any.
pub(super) struct Seen(Vec<(Option<Arch>, Vec<Arch>)>);

impl Seen {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let given = context.targets().iter().flat_map(|it| &it.hosts);
        let given: Vec<_> = (given.map(|(host, seen)| (Some(*host), seen.clone()))).collect();
        let Some(profile) = context.profile().filter(|_| given.is_empty()) else {
            return Self(given);
        };
        let listed = profile.architectures.iter();
        let listed = listed.filter_map(|token| Arch::from_token(token.value));
        let mut all = vec![(None, listed.collect())];
        for element in &profile.arch_map {
            let host = element
                .architecture
                .iter()
                .chain(&element.sub_architectures);
            let seen = host.filter_map(|token| Arch::from_token(token.value));
            let host = element
                .architecture
                .and_then(|token| Arch::from_token(token.value));
            all.push((host, seen.collect()));
        }
        Self(all)
    }

    /// What those see on which a rule entry may hold.
    pub(super) fn of(&self, entry: &RuleEntry<'_>) -> Vec<Arch> {
        let holds = |host: &Option<Arch>| host.is_none_or(|host| may_hold_on(host, entry));
        union(self.0.iter().filter(|(host, _)| holds(host)))
    }
}

/// What any of them sees, and the one that hosts have which nobody names, unless another of 64 bits is
/// there.
pub(super) fn seen_and_usual(context: &Context<'_>) -> Vec<Arch> {
    let mut seen = union(Seen::new(context).0.iter());
    if seen.iter().all(|arch| arch.bits() == 32) && context.hosts().is_empty() {
        seen.push(Arch::X86_64);
    }
    seen
}

fn union<'s>(hosts: impl Iterator<Item = &'s (Option<Arch>, Vec<Arch>)>) -> Vec<Arch> {
    let mut seen: Vec<_> = hosts.flat_map(|(_, seen)| seen).copied().collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Those that have a multiplexer.
pub(super) fn carriers(mut seen: Vec<Arch>, multiplexer: Multiplexer) -> Vec<Arch> {
    seen.retain(|arch| arch.multiplexers().contains(&multiplexer));
    seen
}

/// Architectures as a sentence has them.
pub(super) fn named(architectures: &[Arch]) -> String {
    let names: Vec<_> = architectures.iter().map(|arch| arch.name()).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        few => few.concat(),
    }
}

//! The architectures whose calls a profile's filter may see.

use super::Context;
use crate::syscalls::{Arch, Multiplexer};

/// Those of the hosts that were named; if none was, those that the profile names. Empty if neither
/// says anything.
pub(super) fn seen(context: &Context<'_>) -> Vec<Arch> {
    let mut seen = context.active_architectures();
    if let (true, Some(profile)) = (seen.is_empty(), context.profile()) {
        let hosts = profile.arch_map.iter();
        let of_hosts = hosts.flat_map(|it| it.architecture.iter().chain(&it.sub_architectures));
        let tokens = profile.architectures.iter().chain(of_hosts);
        seen.extend(tokens.filter_map(|token| Arch::from_token(token.value)));
        seen.sort_unstable();
        seen.dedup();
    }
    seen
}

/// The same, and the one that hosts have which nobody names, unless another of 64 bits is there.
pub(super) fn seen_and_usual(context: &Context<'_>) -> Vec<Arch> {
    let mut seen = seen(context);
    if seen.iter().all(|arch| arch.bits() == 32) && context.hosts().is_empty() {
        seen.push(Arch::X86_64);
    }
    seen
}

/// Those of them that have a multiplexer.
pub(super) fn carriers(context: &Context<'_>, multiplexer: Multiplexer) -> Vec<Arch> {
    let mut carriers = seen(context);
    carriers.retain(|arch| arch.multiplexers().contains(&multiplexer));
    carriers
}

/// Architectures as a sentence has them.
pub(super) fn named(architectures: &[Arch]) -> String {
    let names: Vec<_> = architectures.iter().map(|arch| arch.name()).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        few => few.concat(),
    }
}

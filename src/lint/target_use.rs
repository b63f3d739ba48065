//! A target, as a profile uses it, and on which targets a finding holds.

use crate::finding::Finding;
use crate::profile::{Found, RuleEntry, Text};
use crate::syscalls::{Arch, Syscall};
use crate::target::Target;

/// A target, and what a profile's filter sees there.
#[derive(Debug)]
pub struct TargetUse<'c> {
    /// The target itself.
    pub target: &'c Target,
    /// The architectures whose calls the filter sees: the hosts' own, and those
    /// that the profile adds there. Empty if the target says nothing of them.
    pub architectures: Vec<Arch>,
    /// The same for each host, with its own.
    pub(super) hosts: Vec<(Arch, Vec<Arch>)>,
}

impl<'c> TargetUse<'c> {
    pub(super) fn new(found: &Found<'_>, target: &'c Target) -> Self {
        let profile = match found {
            Found::Profile(profile) => Some(profile),
            _ => None,
        };
        let arch = |token: &Text<'_>| Arch::from_token(token.value);
        let of_host = |&host: &Arch| {
            let mut seen = vec![host];
            if let Some(profile) = profile {
                seen.extend(profile.architectures.iter().filter_map(arch));
                let elements = profile.arch_map.iter();
                let own =
                    elements.filter(|it| it.architecture.as_ref().and_then(arch) == Some(host));
                seen.extend(own.flat_map(|it| it.sub_architectures.iter().filter_map(arch)));
            }
            (host, seen)
        };
        let hosts: Vec<_> = target.architectures.iter().map(of_host).collect();
        let mut architectures = target.architectures.clone();
        architectures.extend(hosts.iter().flat_map(|(_, seen)| seen));
        Self {
            target,
            architectures,
            hosts,
        }
    }

    /// Whether the target says nothing of architectures, or a rule entry may hold on a host whose
    /// filter sees an architecture on which a syscall exists.
    #[must_use]
    pub fn may_run(&self, syscall: &Syscall, entry: &RuleEntry<'_>) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|(host, seen)| {
                may_hold_on(*host, entry) && seen.iter().any(|&arch| syscall.exists_on(arch))
            })
    }

    /// Whether the target says nothing of architectures, or a syscall exists on
    /// one that is active there.
    #[must_use]
    pub fn may_have(&self, syscall: &Syscall) -> bool {
        let active = &self.architectures;
        active.is_empty() || active.iter().any(|&arch| syscall.exists_on(arch))
    }

    /// Whether a filter may see a bit, counted from 0, of a call's arguments: on a host of 32 bits
    /// registers have no upper half.
    #[must_use]
    pub fn may_see_bit(&self, syscall: &Syscall, bit: u8) -> bool {
        // Those that are asked of where nothing is said.
        const WIDE: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64];
        let hosts = self.target.architectures.as_slice();
        let hosts = if hosts.is_empty() { &WIDE } else { hosts };
        let mut hosts = hosts.iter().filter(|host| host.bits() > bit);
        hosts.any(|&host| syscall.direct_number(host).is_some())
    }

    /// Whether the target says nothing of architectures, or a rule entry may hold on a
    /// host of one: `includes.arches` and `excludes.arches` may say that it does not.
    #[must_use]
    pub fn may_apply(&self, entry: &RuleEntry<'_>) -> bool {
        let hosts = &self.target.architectures;
        hosts.is_empty() || hosts.iter().any(|&host| may_hold_on(host, entry))
    }
}

/// Whether a rule entry may hold on a host, as far as architectures go; engines differ
/// in what they call some hosts.
pub(super) fn may_hold_on(host: Arch, entry: &RuleEntry<'_>) -> bool {
    let mut names = host.docker_name().into_iter().chain([host.podman_name()]);
    let has = |arches: &[Text<'_>], name: &str| arches.iter().any(|arch| arch.value == name);
    let includes = entry.includes.as_ref().map(|filter| &filter.arches);
    let excludes = entry.excludes.as_ref().map(|filter| &filter.arches);
    let is_included = includes
        .is_none_or(|arches| arches.is_empty() || names.clone().any(|name| has(arches, name)));
    is_included && !excludes.is_some_and(|arches| names.all(|name| has(arches, name)))
}

fn names(targets: &[&Target]) -> Vec<&'static str> {
    targets.iter().filter_map(|target| target.name).collect()
}

/// Adds to a finding on which targets it holds, where the user named any: as a
/// fact, and in the message if there are others.
pub(super) fn on(finding: Finding, holding: &[&Target], all: &[TargetUse<'_>]) -> Finding {
    let mut finding = fact(finding, holding);
    let names = names(holding);
    if holding.len() < all.len() && !names.is_empty() {
        finding.message = format!("{} (on {})", finding.message, names.join(", "));
    }
    finding
}

/// Adds to a finding on which targets it holds, where the user named any, as a
/// fact only: for a message that says it.
pub(super) fn fact(finding: Finding, holding: &[&Target]) -> Finding {
    match names(holding) {
        names if names.is_empty() => finding,
        names => finding.fact("targets", names),
    }
}

//! For which containers profiles are resolved, to find the entries that were made from them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::capabilities::CAPABILITIES;
use crate::engine::{Circumstances, Engine};
use crate::syscalls::Arch;
use crate::target::Uname;
use crate::text::{Document, Node};

/// Every engine, with those first that commonly run crun: where several make the same section, the
/// first is named.
const ENGINES: [Engine; 4] = [
    Engine::Podman,
    Engine::Crio,
    Engine::Docker,
    Engine::Containerd,
];

/// How many sets of capabilities are tried that containers were seen to have. Whoever writes to the
/// audited directories decides how many there are.
const MOST_SETS: usize = 64;

/// How an engine made of a profile the section that an entry was made from. Others may make the same
/// of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolution {
    /// The engine.
    pub engine: Engine,
    /// What the container may do.
    pub capabilities: CapabilitySet,
}

impl Resolution {
    /// The circumstances on a host; `None` if no engine runs on its like.
    pub(super) fn circumstances(&self, uname: &Uname) -> Option<Circumstances> {
        Some(Circumstances {
            arch: Arch::from_name(&uname.machine).filter(|arch| arch.runs_engines())?,
            kernel: uname.release.parse().ok()?,
            capabilities: match &self.capabilities {
                CapabilitySet::Default => self.engine.default_capabilities().to_vec(),
                CapabilitySet::All => CAPABILITIES.to_vec(),
                CapabilitySet::None => Vec::new(),
                CapabilitySet::Of(set) => set.clone(),
            },
            // What it changes besides is that some engines give no filter.
            is_privileged: false,
        })
    }
}

/// The capabilities of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CapabilitySet {
    /// What the engine gives to containers that ask for nothing.
    Default,
    /// All: it is privileged, or asks for all.
    All,
    /// None at all.
    None,
    /// Those that a container was seen to have, in the order of the names.
    #[serde(untagged)]
    Of(Vec<&'static str>),
}

/// The sets of capabilities that containers were seen to have.
#[derive(Debug, Default)]
pub(super) struct SeenSets {
    sets: BTreeSet<Vec<&'static str>>,
    /// Whether there were more than are tried.
    pub(super) is_full: bool,
}

impl SeenSets {
    /// Adds the bounding set of a container's configuration.
    pub(super) fn add(&mut self, configuration: &Document<'_>) {
        let process = configuration.root().and_then(|root| root.get("process"));
        let capabilities = process.and_then(|process| process.get("capabilities"));
        let Some(bounding) = capabilities.and_then(|it| it.get("bounding")) else {
            return;
        };
        let names = bounding.elements().filter_map(Node::as_str);
        let known = |name| CAPABILITIES.iter().copied().find(|known| *known == name);
        let set: BTreeSet<_> = names.filter_map(known).collect();
        let set = Vec::from_iter(set);
        if self.sets.len() < MOST_SETS {
            self.sets.insert(set);
        } else {
            self.is_full |= !self.sets.contains(&set);
        }
    }

    /// All that profiles are resolved for on a host; nothing if no engine runs on its like.
    pub(super) fn resolutions(&self, uname: &Uname) -> Vec<(Resolution, Circumstances)> {
        let sets = [
            CapabilitySet::Default,
            CapabilitySet::All,
            CapabilitySet::None,
        ];
        let seen = self.sets.iter().cloned().map(CapabilitySet::Of);
        let sets: Vec<_> = sets.into_iter().chain(seen).collect();
        let of = |engine: Engine, set: &CapabilitySet| {
            let resolution = Resolution {
                engine,
                capabilities: set.clone(),
            };
            let circumstances = resolution.circumstances(uname)?;
            Some((resolution, circumstances))
        };
        let engines = ENGINES.into_iter();
        engines
            .flat_map(|engine| sets.iter().filter_map(move |set| of(engine, set)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{CapabilitySet, MOST_SETS, SeenSets};
    use crate::capabilities::CAPABILITIES;
    use crate::text::json;

    /// Whoever writes to the audited directories could make the audit take for ever.
    #[test]
    fn only_so_many_sets_are_tried() {
        let mut seen = SeenSets::default();
        let add = |seen: &mut SeenSets, number: usize| {
            let bits = CAPABILITIES.iter().enumerate();
            let set = bits.filter(|(bit, _)| number >> bit & 1 == 1);
            let names: Vec<_> = set.map(|(_, name)| format!("{name:?}")).collect();
            let names = names.join(",");
            let text =
                format!(r#"{{"process":{{"capabilities":{{"bounding":["CAP_NONE",{names}]}}}}}}"#);
            seen.add(&json::parse(text.as_bytes()));
        };
        for number in 1..=MOST_SETS {
            add(&mut seen, number);
        }
        add(&mut seen, 1);
        assert!(!seen.is_full);
        add(&mut seen, MOST_SETS + 1);
        assert!(seen.is_full);
        let uname = "6.1.0-13-amd64|#1 SMP|x86_64".parse().unwrap();
        let resolutions = seen.resolutions(&uname);
        assert_eq!(resolutions.len(), 4 * (3 + MOST_SETS));
        let sets = resolutions.iter().map(|(it, _)| &it.capabilities);
        let ours = CapabilitySet::Of(vec![CAPABILITIES[1], CAPABILITIES[0]]);
        let sorted = CapabilitySet::Of(vec![CAPABILITIES[0], CAPABILITIES[1]]);
        assert_eq!(sets.filter(|set| [&ours, &sorted].contains(set)).count(), 4);
    }
}

//! Which capabilities an engine gives a container: by these, profiles choose rule entries.

use super::Engine;
use crate::capabilities::CAPABILITIES;

/// What a user asks of an engine about a container's capabilities.
#[derive(Clone, Debug, Default)]
pub struct CapabilityOptions {
    /// Those to add: `NET_ADMIN`, `cap_net_admin`, `all`.
    pub add: Vec<String>,
    /// Those to drop.
    pub drop: Vec<String>,
    /// Whether the container is privileged.
    pub is_privileged: bool,
}

/// Why an engine refuses what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// There is no such capability.
    #[error("`{0}` is no capability; they are called NET_ADMIN, or CAP_NET_ADMIN")]
    Unknown(String),
    /// Podman refuses to add and to drop one.
    #[error("Podman refuses to both add and drop {0}")]
    AddedAndDropped(String),
}

/// One that stands for all of them.
const EVERY: &str = "ALL";

impl Engine {
    /// What containers have that ask for nothing.
    ///
    /// Sources: moby `oci/caps/defaults.go`, containerd `pkg/oci/spec.go`, containers/common
    /// `pkg/config/default.go` (a host's `containers.conf` may say otherwise), CRI-O
    /// `internal/config/capabilities` (`crio.conf` may say otherwise).
    #[must_use]
    pub const fn default_capabilities(self) -> &'static [&'static str] {
        match self {
            Self::Docker | Self::Containerd => &[
                "CAP_AUDIT_WRITE",
                "CAP_CHOWN",
                "CAP_DAC_OVERRIDE",
                "CAP_FOWNER",
                "CAP_FSETID",
                "CAP_KILL",
                "CAP_MKNOD",
                "CAP_NET_BIND_SERVICE",
                "CAP_NET_RAW",
                "CAP_SETFCAP",
                "CAP_SETGID",
                "CAP_SETPCAP",
                "CAP_SETUID",
                "CAP_SYS_CHROOT",
            ],
            Self::Podman => &[
                "CAP_CHOWN",
                "CAP_DAC_OVERRIDE",
                "CAP_FOWNER",
                "CAP_FSETID",
                "CAP_KILL",
                "CAP_NET_BIND_SERVICE",
                "CAP_SETFCAP",
                "CAP_SETGID",
                "CAP_SETPCAP",
                "CAP_SETUID",
                "CAP_SYS_CHROOT",
            ],
            Self::Crio => &[
                "CAP_CHOWN",
                "CAP_DAC_OVERRIDE",
                "CAP_FOWNER",
                "CAP_FSETID",
                "CAP_KILL",
                "CAP_NET_BIND_SERVICE",
                "CAP_SETGID",
                "CAP_SETPCAP",
                "CAP_SETUID",
            ],
        }
    }

    /// A container's bounding set, in the order of names. All capabilities are those that the kernel
    /// has: an engine that itself runs with fewer gives fewer.
    ///
    /// Sources: moby `oci/caps/utils.go` (`TweakCapabilities`), containers/common
    /// `pkg/capabilities` (`MergeCapabilities`), CRI-O `server/container_create.go`
    /// (`setupCapabilities`), containerd's CRI plugin (`WithCapabilities`).
    ///
    /// # Errors
    ///
    /// If a name is none, or the engine refuses the combination.
    pub fn capabilities(
        self,
        options: &CapabilityOptions,
    ) -> Result<Vec<&'static str>, CapabilityError> {
        let (adds_all, added) = normalized(&options.add)?;
        let (drops_all, unwanted) = normalized(&options.drop)?;
        // Docker and Podman do not look at what else is asked for.
        if options.is_privileged {
            return Ok(sorted(CAPABILITIES.to_vec()));
        }
        if self == Self::Podman {
            let both = added.iter().find(|name| unwanted.contains(name));
            let refused = match both {
                Some(name) if !adds_all && !drops_all => Some((*name).to_owned()),
                _ if adds_all && drops_all => Some("all capabilities".to_owned()),
                _ => None,
            };
            if let Some(name) = refused {
                return Err(CapabilityError::AddedAndDropped(name));
            }
        }
        let drops = |name: &&str| unwanted.contains(name);
        let every = || CAPABILITIES.iter().copied();
        let default = || self.default_capabilities().iter().copied();
        let set: Vec<&'static str> = match (self, adds_all, drops_all) {
            (Self::Docker | Self::Podman, true, _) => every().filter(|name| !drops(name)).collect(),
            (Self::Docker | Self::Podman, false, true) => added,
            // What is added is added last, and stays although it is dropped as well.
            (Self::Docker | Self::Podman, false, false) => {
                default().filter(|name| !drops(name)).chain(added).collect()
            }
            // All are added, all are dropped, then the others one by one.
            (Self::Crio | Self::Containerd, adds_all, drops_all) => {
                let all = every().filter(|_| adds_all && !drops_all);
                let default = default().filter(|_| !adds_all && !drops_all);
                let set = all.chain(default).chain(added);
                set.filter(|name| !drops(name)).collect()
            }
        };
        Ok(sorted(set))
    }
}

/// Whether all are meant, and the names of those that are.
fn normalized(names: &[String]) -> Result<(bool, Vec<&'static str>), CapabilityError> {
    let is_all = |name: &String| name.eq_ignore_ascii_case(EVERY);
    let others = names.iter().filter(|name| !is_all(name)).map(|name| {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let mut known = CAPABILITIES.iter();
        let found = known.find(|known| known.strip_prefix("CAP_") == Some(bare));
        found
            .copied()
            .ok_or_else(|| CapabilityError::Unknown(name.clone()))
    });
    Ok((names.iter().any(is_all), others.collect::<Result<_, _>>()?))
}

fn sorted(mut names: Vec<&'static str>) -> Vec<&'static str> {
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::{CapabilityError, CapabilityOptions};
    use crate::capabilities::{CAPABILITIES, is_capability};
    use crate::engine::Engine;

    fn set(
        engine: Engine,
        add: &[&str],
        drop: &[&str],
    ) -> Result<Vec<&'static str>, CapabilityError> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        engine.capabilities(&CapabilityOptions {
            add: owned(add),
            drop: owned(drop),
            is_privileged: false,
        })
    }

    /// A rule entry for a capability that a container has by default would be said to be out.
    #[test]
    fn the_defaults_are_capabilities() {
        for (engine, count) in Engine::ALL.into_iter().zip([14, 11, 9, 14]) {
            let default = engine.default_capabilities();
            assert_eq!(default.len(), count, "{engine:?}");
            assert!(default.iter().all(|name| is_capability(name)) && default.is_sorted());
            assert_eq!(set(engine, &[], &[]).as_deref(), Ok(default));
        }
    }

    /// A user who adds one by a name that the engine takes, and seclint does not, cannot ask.
    #[test]
    fn names_are_taken_in_every_way_that_engines_take() {
        for name in ["BPF", "bpf", "CAP_BPF", "cap_bpf"] {
            assert_eq!(set(Engine::Docker, &[name], &["all"]), Ok(vec!["CAP_BPF"]));
        }
        for name in ["", "CAP_", "CAP_CAP_BPF", "NET"] {
            let unknown = CapabilityError::Unknown(name.to_owned());
            assert_eq!(set(Engine::Docker, &[name], &[]), Err(unknown));
        }
    }

    /// What is both added and unwanted, each engine takes in its own way.
    #[test]
    fn engines_differ_in_what_they_make_of_contradictions() {
        let has = |set: Result<Vec<&str>, CapabilityError>| set.map(|set| set.contains(&"CAP_BPF"));
        assert_eq!(has(set(Engine::Docker, &["BPF"], &["BPF"])), Ok(true));
        assert_eq!(has(set(Engine::Crio, &["BPF"], &["BPF"])), Ok(false));
        assert!(has(set(Engine::Podman, &["BPF"], &["BPF"])).is_err());
        for engine in Engine::ALL {
            let all = set(engine, &["ALL"], &["BPF"]);
            assert_eq!(
                all.map(|all| all.len()),
                Ok(CAPABILITIES.len() - 1),
                "{engine:?}"
            );
            assert_eq!(set(engine, &["BPF"], &["ALL"]), Ok(vec!["CAP_BPF"]));
        }
        let both = |engine| set(engine, &["ALL"], &["ALL"]).map(|all| all.len());
        assert_eq!(both(Engine::Docker), Ok(CAPABILITIES.len()));
        assert_eq!(both(Engine::Crio), Ok(0));
        assert!(both(Engine::Podman).is_err());
    }
}

//! Engines: a profile and a container's circumstances -> the section that reaches the runtime.
//!
//! [`resolve`] does what an engine does, its mistakes included, and says of every rule entry why it
//! is in the section or not. All four are written in Go and read with `encoding/json` ([`go`]), from
//! which follows much of what they make of odd profiles.
//!
//! | | Docker | Podman, Buildah, CRI-O | containerd |
//! |---|---|---|---|
//! | reads | its own dialect | its own dialect | a section |
//! | `includes`, `excludes` | capabilities, architectures, `minKernel` | capabilities, architectures | unknown to it |
//! | `errno` by name | unknown to it | yes | unknown to it |
//! | neither default action nor rule entry | no filter | no filter | a section without a default action |
//! | privileged container | the profile is kept | kept by Podman, not by CRI-O | no filter |

mod capabilities;
mod containerd;
mod difference;
mod docker;
pub(crate) mod oci;
mod podman;
mod section;

pub use capabilities::{CapabilityError, CapabilityOptions};
pub use difference::{Decision, Difference, differences};
pub use podman::errno as podman_errno;
pub use section::{Section, SectionCondition, SectionEntry};

use crate::go;
use crate::profile::Dialects;
use crate::syscalls::{Arch, KernelVersion};
use crate::text::{Document, Kind, Node, Span};

/// What turns a profile into a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Docker (moby), as of 28.5: its profiles are read by moby/profiles. Up to 26.1 privileged
    /// containers had no filter.
    Docker,
    /// Podman, and Buildah, which reads profiles with the same library: containers/common.
    Podman,
    /// CRI-O, for a profile of type `Localhost`: containers/common as well.
    Crio,
    /// containerd's CRI plugin, for a profile of type `Localhost`.
    Containerd,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Crio, Self::Containerd];

    /// The dialect that the engine reads; other dialects' fields are unknown to it.
    #[must_use]
    pub const fn dialect(self) -> Dialects {
        match self {
            Self::Docker => Dialects::DOCKER,
            Self::Podman | Self::Crio => Dialects::PODMAN,
            Self::Containerd => Dialects::OCI,
        }
    }

    /// Whether the engine looks through `archMap` on hosts of an architecture.
    #[must_use]
    pub const fn reads_arch_map(self, host: Arch) -> bool {
        match self {
            Self::Docker => docker::is_mapped(host),
            Self::Podman | Self::Crio => podman::is_mapped(host),
            Self::Containerd => false,
        }
    }

    /// The engine's name on the command line: `docker`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Crio => "crio",
            Self::Containerd => "containerd",
        }
    }

    /// The engine's name as its makers write it: `CRI-O`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
            Self::Crio => "CRI-O",
            Self::Containerd => "containerd",
        }
    }
}

/// What an engine looks at besides the profile.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The host's architecture.
    pub arch: Arch,
    /// The host's kernel.
    pub kernel: KernelVersion,
    /// The container's bounding set, as [`Engine::capabilities`] gives it.
    pub capabilities: Vec<&'static str>,
    /// Whether the container is privileged.
    pub is_privileged: bool,
}

impl Circumstances {
    fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(&capability)
    }
}

/// What an engine makes of a profile.
#[derive(Debug)]
pub struct Resolved<'d> {
    /// The section, or why the container has no filter at all.
    pub section: Result<Section<'d>, NoFilter>,
    /// What becomes of each rule entry, in the order of the profile. Empty if there is no section.
    pub entries: Vec<(Node<'d>, Verdict<'d>)>,
}

impl Resolved<'_> {
    /// The section as JSON, as the engine writes it into the container's configuration; `null` for
    /// no filter.
    ///
    /// # Errors
    ///
    /// None that is known: all that is in a section can be written.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.section.as_ref().ok())
    }
}

/// Why a container runs without a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFilter {
    /// The profile has neither a default action nor a rule entry.
    #[error("the profile has neither a default action nor a rule entry")]
    Empty,
    /// The engine gives privileged containers none.
    #[error("privileged containers have none")]
    Privileged,
}

/// What becomes of a rule entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Verdict<'d> {
    /// It is in the section.
    #[error("it holds")]
    In,
    /// It excludes an architecture, which is the host's.
    #[error("it excludes {0}, the host's architecture")]
    ExcludesArch(&'d str),
    /// It excludes a capability, which the container has.
    #[error("it excludes {0}, which the container has")]
    ExcludesCapability(&'d str),
    /// It excludes kernels from a version on, and the host's is one.
    #[error("it excludes kernels from {0} on")]
    ExcludesKernel(MinKernel),
    /// It includes architectures, and the host's is none of them.
    #[error("its `includes.arches` does not name {}", host_arch(.0))]
    LacksArch(&'static str),
    /// It includes a capability that the container does not have.
    #[error("it includes {0}, which the container does not have")]
    LacksCapability(&'d str),
    /// It includes kernels from a version on, and the host's is older.
    #[error("it includes kernels from {0} on")]
    LacksKernel(MinKernel),
    /// It names no syscall, and Podman passes over it.
    #[error("it names no syscall")]
    Nameless,
    /// Its list came before another one of the same key, and what was decoded from it was
    /// overwritten, or added to a rule entry of the other.
    #[error("a later `syscalls` overwrites it")]
    Overwritten,
}

/// The host's architecture, by the name that an engine has for it, if it has one.
fn host_arch(name: &str) -> String {
    match name {
        "" => "the host's architecture, for which the engine has no name".to_owned(),
        name => format!("`{name}`, the host's architecture"),
    }
}

impl Verdict<'_> {
    /// A word for programs: `in`, `lacks-capability`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::In => "in",
            Self::ExcludesArch(_) => "excludes-arch",
            Self::ExcludesCapability(_) => "excludes-capability",
            Self::ExcludesKernel(_) => "excludes-kernel",
            Self::LacksArch(_) => "lacks-arch",
            Self::LacksCapability(_) => "lacks-capability",
            Self::LacksKernel(_) => "lacks-kernel",
            Self::Nameless => "nameless",
            Self::Overwritten => "overwritten",
        }
    }
}

/// The version that a `minKernel` asks for; 0.0, which every kernel is, if it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinKernel {
    major: u32,
    minor: u32,
}

impl MinKernel {
    fn is_reached_by(self, kernel: KernelVersion) -> bool {
        kernel >= KernelVersion::new(self.major, self.minor)
    }
}

impl std::fmt::Display for MinKernel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Why an engine does not take a profile. It displays as the engine's own words, as far as they are
/// the same in all versions.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// The text cannot be decoded.
    #[error("{prefix}: {error}")]
    Decoding {
        /// The engine's words before Go's.
        prefix: &'static str,
        /// What Go says.
        error: go::Error,
    },
    /// `architectures` and `archMap` are both given, and not empty.
    #[error("{words}")]
    ArchitecturesAndArchMap {
        /// The engine's words.
        words: &'static str,
    },
    /// A rule entry has both `name` and `names`.
    #[error("{words}")]
    NameAndNames {
        /// The engine's words.
        words: &'static str,
        /// The rule entry.
        span: Option<Span>,
    },
    /// An errno by a name that the engine does not have.
    #[error("unknown errno {name}")]
    UnknownErrno {
        /// The name.
        name: String,
        /// The rule entry; `None` for the default's.
        span: Option<Span>,
    },
    /// A `null` in a list of objects: the engine crashes.
    #[error("runtime error: invalid memory address or nil pointer dereference")]
    Null {
        /// The rule entry in which it stands, if it is not one itself.
        span: Option<Span>,
    },
}

/// A profile as an engine's Go reads it; `prefix` is what the engine says before Go's words.
fn decoded<'d, T: go::Decode<'d> + Default>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    circumstances: &Circumstances,
    prefix: &'static str,
) -> Result<T, Refusal> {
    let word = circumstances.arch.bits();
    go::decode(bytes, document, word).map_err(|error| Refusal::Decoding { prefix, error })
}

impl Refusal {
    /// Whether the engine does not refuse the profile so much as die of it.
    #[must_use]
    pub const fn is_crash(&self) -> bool {
        matches!(self, Self::Null { .. })
    }

    /// The bytes that are at fault, as far as they can be told.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Decoding { error, .. } => Some(error.span()),
            Self::ArchitecturesAndArchMap { .. } => None,
            Self::NameAndNames { span, .. }
            | Self::UnknownErrno { span, .. }
            | Self::Null { span } => *span,
        }
    }

    /// What the engine does not say, and a reader wants to know.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Decoding {
                error: go::Error::Type {
                    expected, pointer, ..
                },
                ..
            } => {
                let place = if pointer.is_empty() {
                    "the document"
                } else {
                    pointer
                };
                Some(format!("{place} must be {expected}"))
            }
            Self::Null { .. } => Some("null stands where an object must".to_owned()),
            _ => None,
        }
    }
}

/// What an engine makes of a profile.
///
/// `bytes` is the file, and `document` what was parsed from it: engines take the whole file for the
/// profile, also where it is a container's configuration with a profile in it.
///
/// # Errors
///
/// If the engine refuses the profile.
pub fn resolve<'d>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    engine: Engine,
    circumstances: &Circumstances,
) -> Result<Resolved<'d>, Refusal> {
    let reads = match engine {
        // These two do not look at the file for such a container.
        Engine::Crio | Engine::Containerd if circumstances.is_privileged => {
            return Ok(Resolved {
                section: Err(NoFilter::Privileged),
                entries: Vec::new(),
            });
        }
        Engine::Docker => docker::resolve,
        Engine::Podman | Engine::Crio => podman::resolve,
        Engine::Containerd => containerd::resolve,
    };
    let mut resolved = reads(bytes, document, circumstances)?;
    if resolved.section.is_ok() {
        add_overwritten(document, &mut resolved.entries);
    }
    Ok(resolved)
}

/// The conditions of a rule entry that an engine does not read, so that it is in the section
/// whether they are met or not: `includes.minKernel`.
#[must_use]
pub fn unread_conditions(engine: Engine, entry: Node<'_>) -> Vec<&'static str> {
    const CONDITIONS: [(&str, &str, &str); 6] = [
        ("includes", "caps", "includes.caps"),
        ("includes", "arches", "includes.arches"),
        ("includes", "minkernel", "includes.minKernel"),
        ("excludes", "caps", "excludes.caps"),
        ("excludes", "arches", "excludes.arches"),
        ("excludes", "minkernel", "excludes.minKernel"),
    ];
    let is_read = |condition: &str| match engine {
        Engine::Docker => true,
        Engine::Podman | Engine::Crio => condition != "minkernel",
        Engine::Containerd => false,
    };
    let is_given = |side: &str, condition: &str| {
        let mut sides = members(entry, side);
        sides.any(|side| {
            members(side, condition).any(|value| match value.kind() {
                Kind::Array => value.elements().next().is_some(),
                _ => value.as_str().is_some_and(|text| !text.is_empty()),
            })
        })
    };
    let unread = CONDITIONS
        .into_iter()
        .filter(|(side, condition, _)| !is_read(condition) && is_given(side, condition));
    unread.map(|(_, _, name)| name).collect()
}

/// The values of a key as engines find it, which is given here in small letters.
fn members<'d>(object: Node<'d>, name: &str) -> impl Iterator<Item = Node<'d>> {
    let is_it = move |key: Node<'_>| go::fold(key.as_str().unwrap_or_default()) == name;
    let found = object.members().filter(move |&(key, _)| is_it(key));
    found.map(|(_, value)| value)
}

/// The strings by which a rule entry names its syscalls, as engines find them.
pub fn names(entry: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let members = entry.members().filter(|(key, _)| {
        let key = go::fold(key.as_str().unwrap_or_default());
        key == "name" || key == "names"
    });
    let names = members.flat_map(|(_, value)| std::iter::once(value).chain(value.elements()));
    names.filter(|node| node.as_str().is_some_and(|name| !name.is_empty()))
}

/// Adds the rule entries of which nothing was left, and puts all in the profile's order.
fn add_overwritten<'d>(document: &'d Document<'d>, entries: &mut Vec<(Node<'d>, Verdict<'d>)>) {
    let members = document.root().into_iter().flat_map(Node::members);
    let lists = members.filter(|(key, list)| {
        let is_list = *list.kind() == Kind::Array;
        is_list && go::fold(key.as_str().unwrap_or_default()) == "syscalls"
    });
    let start = |node: &Node<'_>| node.span().start;
    entries.sort_by_key(|(node, _)| start(node));
    let decoded: Vec<u32> = entries.iter().map(|(node, _)| start(node)).collect();
    let objects = lists.flat_map(|(_, list)| list.elements().filter(|node| node.is_object()));
    let lost = objects.filter(|node| decoded.binary_search(&start(node)).is_err());
    let before = entries.len();
    entries.extend(lost.map(|node| (node, Verdict::Overwritten)));
    if entries.len() > before {
        entries.sort_by_key(|(node, _)| start(node));
    }
}

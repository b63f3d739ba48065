//! The formats that a profile may be in.

use std::fmt;
use std::ops::BitAnd;

/// A set of dialects: those that a profile may be in.
///
/// Many files are valid in several. What is wrong only in some of them is not
/// reported, since nobody but the user knows who will read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialects(u8);

impl Dialects {
    /// No dialect.
    pub const NONE: Self = Self(0);
    /// Docker's: moby's `Seccomp` type.
    pub const DOCKER: Self = Self(1);
    /// That of Podman, Buildah and CRI-O: containers/common's `Seccomp` type.
    pub const PODMAN: Self = Self(2);
    /// The runtime specification's `linux.seccomp`, which runtimes read.
    pub const OCI: Self = Self(4);
    /// That of security-profiles-operator: the `spec` of a `SeccompProfile`.
    pub const OPERATOR: Self = Self(8);
    /// What a file that is no Kubernetes object may be in.
    pub const FILES: Self = Self(7);
    /// Every dialect.
    pub const ALL: Self = Self(15);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::DOCKER, "docker"),
        (Self::PODMAN, "podman"),
        (Self::OCI, "oci"),
        (Self::OPERATOR, "operator"),
    ];

    /// Those in either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no dialect is left.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every dialect of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What reads files of these dialects, in words: "Docker, Podman and runc".
    /// Of the runtimes it is runc, which reads as engines do, being written in Go.
    #[must_use]
    pub fn go_readers(self) -> String {
        const READERS: [(Dialects, &str); 3] = [
            (Dialects::DOCKER, "Docker"),
            (Dialects::PODMAN, "Podman"),
            (Dialects::OCI, "runc"),
        ];
        let readers = READERS.into_iter();
        let readers: Vec<_> = readers
            .filter_map(|(dialect, reader)| self.contains(dialect).then_some(reader))
            .collect();
        listed(&readers)
    }

    /// Whether it is one dialect alone.
    #[must_use]
    pub const fn is_one(self) -> bool {
        self.0.is_power_of_two()
    }

    /// Every dialect with its name.
    #[must_use]
    pub fn named() -> [(&'static str, Self); 4] {
        Self::NAMES.map(|(dialect, name)| (name, dialect))
    }

    /// The dialects' names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let holds = move |&(dialect, _): &(Self, _)| self.contains(dialect);
        (Self::NAMES.into_iter().filter(holds)).map(|(_, name)| name)
    }
}

impl BitAnd for Dialects {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Display for Dialects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.write_str(&listed(&names))
    }
}

/// Words as a sentence has them: "a, b and c".
fn listed(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        few => few.concat(),
    }
}

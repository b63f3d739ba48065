//! The architectures that libseccomp has tables for.

use std::fmt;

use super::Release;
use super::table::ARCHES;

/// A call that carries others: its first argument says which one is meant.
///
/// A rule on a call that is reached this way becomes, in the filter, also a rule on the multiplexer
/// with that first argument, and the call's own arguments are out of the filter's sight, behind a
/// pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Multiplexer {
    /// `socketcall`, for sockets.
    Socketcall,
    /// `ipc`, for System V message queues, semaphores and shared memory.
    Ipc,
}

impl Multiplexer {
    /// The multiplexer's name as a system call.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Socketcall => "socketcall",
            Self::Ipc => "ipc",
        }
    }
}

impl fmt::Display for Multiplexer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An architecture, or rather an ABI, as libseccomp tells them apart: `SCMP_ARCH_X86_64` and
/// `SCMP_ARCH_X32` are two.
///
/// `SCMP_ARCH_NATIVE` is not here: it names whatever machine the filter is made on.
///
/// The facts are in `data/architectures.tsv`, whose rows are in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// 32 bit x86, also as the compatibility ABI of a 64 bit kernel.
    X86,
    /// 64 bit x86.
    X86_64,
    /// x86-64 with 32 bit pointers. Its numbers carry [`Arch::X32_BIT`].
    X32,
    /// 32 bit ARM, EABI.
    Arm,
    /// 64 bit ARM, little endian.
    Aarch64,
    /// 64 bit `LoongArch`.
    Loongarch64,
    /// Motorola 68000.
    M68k,
    /// MIPS o32, big endian.
    Mips,
    /// MIPS n64, big endian.
    Mips64,
    /// MIPS n32, big endian.
    Mips64N32,
    /// MIPS o32, little endian.
    Mipsel,
    /// MIPS n64, little endian.
    Mipsel64,
    /// MIPS n32, little endian.
    Mipsel64N32,
    /// 32 bit PA-RISC.
    Parisc,
    /// 64 bit PA-RISC.
    Parisc64,
    /// 32 bit Power.
    Ppc,
    /// 64 bit Power, big endian.
    Ppc64,
    /// 64 bit Power, little endian.
    Ppc64Le,
    /// 64 bit RISC-V.
    Riscv64,
    /// 31 bit S/390.
    S390,
    /// 64 bit S/390.
    S390X,
    /// `SuperH`, little endian.
    Sh,
    /// `SuperH`, big endian.
    Sheb,
}

/// A row of `data/architectures.tsv`.
#[derive(Debug)]
pub(super) struct ArchFacts {
    pub(super) token: &'static str,
    pub(super) name: &'static str,
    pub(super) other_names: &'static [&'static str],
    pub(super) bits: u8,
    pub(super) little_endian: bool,
    pub(super) audit_arch: u32,
    pub(super) multiplexers: &'static [Multiplexer],
    pub(super) first_release: Release,
    pub(super) go_name: &'static str,
    pub(super) moby_name: Option<&'static str>,
}

impl Arch {
    /// Every architecture, in the order of the variants.
    pub const ALL: [Self; 23] = [
        Self::X86,
        Self::X86_64,
        Self::X32,
        Self::Arm,
        Self::Aarch64,
        Self::Loongarch64,
        Self::M68k,
        Self::Mips,
        Self::Mips64,
        Self::Mips64N32,
        Self::Mipsel,
        Self::Mipsel64,
        Self::Mipsel64N32,
        Self::Parisc,
        Self::Parisc64,
        Self::Ppc,
        Self::Ppc64,
        Self::Ppc64Le,
        Self::Riscv64,
        Self::S390,
        Self::S390X,
        Self::Sh,
        Self::Sheb,
    ];

    /// The bit that tells an x32 call's number from an x86-64 one's: both have the same
    /// [`Arch::audit_arch`].
    pub const X32_BIT: u32 = 0x4000_0000;

    fn facts(self) -> &'static ArchFacts {
        &ARCHES[self as usize]
    }

    /// The name in OCI, Docker and Podman profiles: `SCMP_ARCH_X86_64`.
    #[must_use]
    pub fn token(self) -> &'static str {
        self.facts().token
    }

    /// libseccomp's own name, which is also what crun reads: `x86_64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What Podman, Buildah and CRI-O call a host of this architecture in
    /// `includes.arches`: the name in libseccomp's Go binding.
    #[must_use]
    pub fn podman_name(self) -> &'static str {
        self.facts().go_name
    }

    /// What Docker calls a host of this architecture in `includes.arches`; `None`
    /// if no such host has a name there.
    #[must_use]
    pub fn docker_name(self) -> Option<&'static str> {
        self.facts().moby_name
    }

    /// Whether Go, and with it any engine, runs on such a host.
    #[must_use]
    pub fn runs_engines(self) -> bool {
        match self {
            Self::X86
            | Self::X86_64
            | Self::Arm
            | Self::Aarch64
            | Self::Loongarch64
            | Self::Mips
            | Self::Mips64
            | Self::Mipsel
            | Self::Mipsel64
            | Self::Ppc64
            | Self::Ppc64Le
            | Self::Riscv64
            | Self::S390X => true,
            Self::X32
            | Self::M68k
            | Self::Mips64N32
            | Self::Mipsel64N32
            | Self::Parisc
            | Self::Parisc64
            | Self::Ppc
            | Self::S390
            | Self::Sh
            | Self::Sheb => false,
        }
    }

    /// The architecture of a token, exactly as written: `SCMP_ARCH_X86_64`.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.token() == token)
    }

    /// The architecture that people call `name`: libseccomp's name, Go's (`amd64`), Debian's
    /// (`armhf`) or what `uname -m` prints (`armv7l`), in lower case.
    ///
    /// `mips` and `mips64` are the big endian ones, as in Go and libseccomp, although `uname -m`
    /// prints them on little endian machines too.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.name() == name || arch.facts().other_names.contains(&name))
    }

    /// The size of a long and of a syscall argument as the filter compares it: 32 or 64.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.facts().bits
    }

    /// The byte order. libseccomp refuses to put architectures of both orders into one filter.
    #[must_use]
    pub fn is_little_endian(self) -> bool {
        self.facts().little_endian
    }

    /// The kernel's `AUDIT_ARCH_*` value, which a filter finds in `seccomp_data.arch`.
    /// [`Arch::X32`] has that of [`Arch::X86_64`].
    #[must_use]
    pub fn audit_arch(self) -> u32 {
        self.facts().audit_arch
    }

    /// The multiplexers that libseccomp reckons with on this architecture. Empty where sockets and
    /// System V IPC have only calls of their own.
    #[must_use]
    pub fn multiplexers(self) -> &'static [Multiplexer] {
        self.facts().multiplexers
    }

    /// The first libseccomp release that knows the architecture.
    #[must_use]
    pub fn first_release(self) -> Release {
        self.facts().first_release
    }
}

/// Writes [`Arch::name`].
impl fmt::Display for Arch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A slipped row would give every architecture after it another one's numbers.
    #[test]
    fn the_rows_are_in_the_order_of_the_variants() {
        assert_eq!(Arch::ALL.len(), ARCHES.len());
        for (index, arch) in Arch::ALL.into_iter().enumerate() {
            assert_eq!(arch as usize, index);
            assert_eq!(format!("SCMP_ARCH_{arch:?}").to_uppercase(), arch.token());
            assert_eq!(format!("scmp_arch_{arch}"), arch.token().to_lowercase());
        }
    }

    // `--arch` with what `uname -m`, Go or Debian call the machine would be refused.
    #[test]
    fn people_may_use_the_names_they_know() {
        for (name, arch) in [
            ("x86_64", Arch::X86_64),
            ("amd64", Arch::X86_64),
            ("386", Arch::X86),
            ("i686", Arch::X86),
            ("arm64", Arch::Aarch64),
            ("armv7l", Arch::Arm),
            ("loong64", Arch::Loongarch64),
            ("ppc64el", Arch::Ppc64Le),
            ("mips64le", Arch::Mipsel64),
            ("mips64p32", Arch::Mips64N32),
            ("riscv64", Arch::Riscv64),
            ("s390x", Arch::S390X),
        ] {
            assert_eq!(Arch::from_name(name), Some(arch), "{name}");
        }
        assert_eq!(Arch::from_name("sparc64"), None);
        assert_eq!(Arch::from_name("SCMP_ARCH_X86_64"), None);
    }

    // A right name in `includes.arches` would be called wrong, or the other way round.
    #[test]
    fn the_engines_names_are_names_that_people_use() {
        for arch in Arch::ALL {
            assert_eq!(Arch::from_name(arch.podman_name()), Some(arch));
            if let Some(name) = arch.docker_name() {
                assert_eq!(Arch::from_name(name), Some(arch), "{name}");
            }
        }
        // Where the two differ, as moby/profiles and libseccomp-golang have it.
        let differ = |arch: &Arch| arch.docker_name() != Some(arch.podman_name());
        let live = Arch::ALL.into_iter().filter(|arch| arch.runs_engines());
        let differing: Vec<_> = live.filter(differ).collect();
        assert_eq!(differing, [Arch::Loongarch64, Arch::Mips]);
    }

    // An architecture in a profile would be taken for an unknown one.
    #[test]
    fn tokens_are_read_exactly() {
        for arch in Arch::ALL {
            assert_eq!(Arch::from_token(arch.token()), Some(arch));
        }
        assert_eq!(Arch::from_token("scmp_arch_x86_64"), None);
        assert_eq!(Arch::from_token("SCMP_ARCH_NATIVE"), None);
    }
}

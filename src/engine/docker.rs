//! Docker: moby's profiles.
//!
//! Source: moby 26.1.5, `profiles/seccomp/seccomp.go` and `seccomp_linux.go` (`LoadProfile`,
//! `setupSeccomp`), since 28 in moby/profiles, where riscv64 and loong64 are among the hosts; moby
//! 28.5.2, `daemon/seccomp_linux.go`. Before the daemon sees a profile, the command line client
//! compacts it, and refuses what is no JSON with words of its own.

use super::oci::{Common, LinuxSyscall};
use super::section::SectionEntry;
use super::{Circumstances, MinKernel, NoFilter, Refusal, Resolved, Verdict, decoded};
use crate::go::{Decode, Decoder, Slice, Struct};
use crate::syscalls::Arch;
use crate::text::{Document, Node};

#[derive(Debug, Default)]
struct Seccomp<'d> {
    common: Common<'d>,
    arch_map: Slice<ArchMapEntry<'d>>,
    syscalls: Slice<Option<Syscall<'d>>>,
}

/// An element of `archMap`, which is the same in containers/common.
#[derive(Debug, Default)]
pub(super) struct ArchMapEntry<'d> {
    pub(super) architecture: &'d str,
    pub(super) sub_architectures: Slice<&'d str>,
}

#[derive(Debug, Default)]
struct Syscall<'d> {
    call: LinuxSyscall<'d>,
    name: &'d str,
    comment: &'d str,
    includes: Option<Filter<'d>>,
    excludes: Option<Filter<'d>>,
}

#[derive(Debug, Default)]
struct Filter<'d> {
    caps: Slice<&'d str>,
    arches: Slice<&'d str>,
    min_kernel: Option<MinKernel>,
}

impl<'d> Struct<'d> for Seccomp<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "archmap" => Some(&mut self.arch_map),
            "syscalls" => Some(&mut self.syscalls),
            name => self.common.field(name),
        }
    }
}

impl<'d> Struct<'d> for ArchMapEntry<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "architecture" => Some(&mut self.architecture),
            "subarchitectures" => Some(&mut self.sub_architectures),
            _ => None,
        }
    }
}

impl<'d> Struct<'d> for Syscall<'d> {
    fn begin(&mut self, object: Node<'d>) {
        self.call.begin(object);
    }

    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "name" => Some(&mut self.name),
            "comment" => Some(&mut self.comment),
            "includes" => Some(&mut self.includes),
            "excludes" => Some(&mut self.excludes),
            name => self.call.field(name),
        }
    }
}

impl<'d> Struct<'d> for Filter<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "caps" => Some(&mut self.caps),
            "arches" => Some(&mut self.arches),
            "minkernel" => Some(&mut self.min_kernel),
            _ => None,
        }
    }
}

/// `KernelVersion.UnmarshalJSON`.
impl<'d> Decode<'d> for MinKernel {
    fn decode(&mut self, node: Node<'d>, decoder: &mut Decoder<'d>) {
        let invalid = |reason: &str| {
            let written = decoder.written(node);
            format!("invalid kernel version: {written}, expected \"<kernel>.<major>\"{reason}")
        };
        let Some(text) = node.as_str() else {
            let words = invalid(": json: cannot unmarshal");
            return decoder.refuse(node, words);
        };
        if text.is_empty() {
            return;
        }
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let words = match parts.as_slice() {
            [major, minor] => match (part(major), part(minor)) {
                (Ok(0), Ok(0)) => invalid(": version cannot be 0.0"),
                (Ok(major), Ok(minor)) => {
                    *self = Self { major, minor };
                    return;
                }
                (Err(error), _) | (_, Err(error)) => invalid(&format!(": {error}")),
            },
            _ => invalid(""),
        };
        decoder.refuse(node, words);
    }
}

/// `strconv.ParseUint` into 8 bits, with its words.
fn part(digits: &str) -> Result<u32, String> {
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u8>() {
        Ok(number) if is_digits => Ok(number.into()),
        _ if is_digits => Err(format!(
            "strconv.ParseUint: parsing {digits:?}: value out of range"
        )),
        _ => Err(format!(
            "strconv.ParseUint: parsing {digits:?}: invalid syntax"
        )),
    }
}

/// The host architectures for which `archMap` is looked through, by what their element of it is
/// called. Others have a name that the daemon's two tables do not agree on: `mipsel`,
/// `loongarch64`; or none: `mips`.
pub(super) const fn is_mapped(arch: Arch) -> bool {
    matches!(
        arch,
        Arch::X86
            | Arch::X86_64
            | Arch::Arm
            | Arch::Aarch64
            | Arch::Mips64
            | Arch::Mipsel64
            | Arch::Ppc64
            | Arch::Ppc64Le
            | Arch::Riscv64
            | Arch::S390X
    )
}

pub(super) fn resolve<'d>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    circumstances: &Circumstances,
) -> Result<Resolved<'d>, Refusal> {
    let config: Seccomp<'d> = decoded(
        bytes,
        document,
        circumstances,
        "Decoding seccomp profile failed",
    )?;
    if config.common.default_action.is_empty() && config.syscalls.elements().is_empty() {
        return Ok(Resolved {
            section: Err(NoFilter::Empty),
            entries: Vec::new(),
        });
    }
    let arch_map = config.arch_map.elements();
    if !config.common.architectures.elements().is_empty() && !arch_map.is_empty() {
        return Err(Refusal::ArchitecturesAndArchMap {
            words: "both 'architectures' and 'archMap' are specified in the seccomp profile, \
                    use either 'architectures' or 'archMap'",
        });
    }
    let mut syscalls = Vec::new();
    let mut entries = Vec::new();
    for call in config.syscalls.elements() {
        let call = call.as_ref().ok_or(Refusal::Null { span: None })?;
        let entry = call.entry()?;
        let verdict = call.verdict(circumstances);
        entries.extend(call.call.origin.map(|origin| (origin, verdict)));
        if verdict == Verdict::In {
            syscalls.push(entry);
        }
    }
    let mut section = config.common.section(syscalls);
    if is_mapped(circumstances.arch) {
        add_arch_map(&mut section.architectures, arch_map, circumstances.arch);
    }
    Ok(Resolved {
        section: Ok(section),
        entries,
    })
}

/// Adds the architectures of the host's element of `archMap`, which is the first one.
pub(super) fn add_arch_map<'d>(
    architectures: &mut Vec<&'d str>,
    arch_map: &[ArchMapEntry<'d>],
    host: Arch,
) {
    let mut entries = arch_map.iter();
    if let Some(entry) = entries.find(|entry| entry.architecture == host.token()) {
        architectures.push(entry.architecture);
        architectures.extend(entry.sub_architectures.elements());
    }
}

impl<'d> Syscall<'d> {
    fn entry(&self) -> Result<SectionEntry<'d>, Refusal> {
        let mut entry = self.call.entry();
        if !self.name.is_empty() {
            if entry.names.is_some_and(|names| !names.is_empty()) {
                return Err(Refusal::NameAndNames {
                    words: "both 'name' and 'names' are specified in the seccomp profile, \
                            use either 'name' or 'names'",
                    span: self.call.origin.map(Node::span),
                });
            }
            entry.names = Some(vec![self.name]);
        }
        Ok(entry)
    }

    fn verdict(&self, circumstances: &Circumstances) -> Verdict<'d> {
        // A host without a name has the empty one.
        let arch = circumstances.arch.docker_name().unwrap_or_default();
        if let Some(excludes) = &self.excludes {
            if let Some(verdict) = excluded(&excludes.arches, &excludes.caps, arch, circumstances) {
                return verdict;
            }
            if let Some(kernel) = excludes.min_kernel
                && kernel.is_reached_by(circumstances.kernel)
            {
                return Verdict::ExcludesKernel(kernel);
            }
        }
        if let Some(includes) = &self.includes {
            if let Some(verdict) = lacking(&includes.arches, &includes.caps, arch, circumstances) {
                return verdict;
            }
            if let Some(kernel) = includes.min_kernel
                && !kernel.is_reached_by(circumstances.kernel)
            {
                return Verdict::LacksKernel(kernel);
            }
        }
        Verdict::In
    }
}

/// Why `excludes` takes a rule entry out, as Docker and containers/common look at it.
pub(super) fn excluded<'d>(
    arches: &Slice<&'d str>,
    caps: &Slice<&'d str>,
    arch: &'static str,
    circumstances: &Circumstances,
) -> Option<Verdict<'d>> {
    let arches = arches.elements();
    if let Some(arch) = arches.iter().find(|&&name| name == arch) {
        return Some(Verdict::ExcludesArch(arch));
    }
    let mut caps = caps.elements().iter();
    let had = caps.find(|cap| circumstances.has(cap))?;
    Some(Verdict::ExcludesCapability(had))
}

/// Why `includes` takes a rule entry out, as Docker and containers/common look at it.
pub(super) fn lacking<'d>(
    arches: &Slice<&'d str>,
    caps: &Slice<&'d str>,
    arch: &'static str,
    circumstances: &Circumstances,
) -> Option<Verdict<'d>> {
    let arches = arches.elements();
    if !arches.is_empty() && !arches.contains(&arch) {
        return Some(Verdict::LacksArch(arch));
    }
    let mut caps = caps.elements().iter();
    let lacked = caps.find(|cap| !circumstances.has(cap))?;
    Some(Verdict::LacksCapability(lacked))
}

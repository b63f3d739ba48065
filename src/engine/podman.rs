//! Podman, Buildah and CRI-O: containers/common's profiles.
//!
//! Source: containers/common 0.62.2 and 0.67.1, `pkg/seccomp/types.go` and `seccomp_linux.go`
//! (`LoadProfile`, `setupSeccomp`); CRI-O, `internal/config/seccomp/seccomp.go`, which has not been
//! run, and whose notifier is left out: it rewrites actions of containers that ask for it by
//! annotation.
//!
//! Podman 5.4.2 and 5.8.6 keep a profile that is given for a privileged container, unless it is
//! given by the path of their own default one (`/usr/share/containers/seccomp.json`).

use super::docker::{ArchMapEntry, add_arch_map, excluded, lacking};
use super::oci::{Common, LinuxSeccompArg};
use super::section::SectionEntry;
use super::{Circumstances, NoFilter, Refusal, Resolved, Verdict, decoded};
use crate::go::{self, Decode, Slice, Struct, Uint};
use crate::syscalls::Arch;
use crate::text::{Document, Node, Span};

include!(concat!(env!("OUT_DIR"), "/podman_errnos.rs"));

#[derive(Debug, Default)]
struct Seccomp<'d> {
    common: Common<'d>,
    default_errno: &'d str,
    arch_map: Slice<ArchMapEntry<'d>>,
    syscalls: Slice<Option<Syscall<'d>>>,
}

#[derive(Debug, Default)]
struct Syscall<'d> {
    origin: Option<Node<'d>>,
    name: &'d str,
    names: Slice<&'d str>,
    action: &'d str,
    args: Slice<Option<LinuxSeccompArg<'d>>>,
    comment: &'d str,
    includes: Filter<'d>,
    excludes: Filter<'d>,
    errno_ret: Option<Uint>,
    errno: &'d str,
}

#[derive(Debug, Default)]
struct Filter<'d> {
    caps: Slice<&'d str>,
    arches: Slice<&'d str>,
}

impl<'d> Struct<'d> for Seccomp<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "defaulterrno" => Some(&mut self.default_errno),
            "archmap" => Some(&mut self.arch_map),
            "syscalls" => Some(&mut self.syscalls),
            name => self.common.field(name),
        }
    }
}

impl<'d> Struct<'d> for Syscall<'d> {
    fn begin(&mut self, object: Node<'d>) {
        self.origin = Some(object);
    }

    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        Some(match name {
            "name" => &mut self.name,
            "names" => &mut self.names,
            "action" => &mut self.action,
            "args" => &mut self.args,
            "comment" => &mut self.comment,
            "includes" => &mut self.includes,
            "excludes" => &mut self.excludes,
            "errnoret" => &mut self.errno_ret,
            "errno" => &mut self.errno,
            _ => return None,
        })
    }
}

impl<'d> Struct<'d> for Filter<'d> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Decode<'d>> {
        match name {
            "caps" => Some(&mut self.caps),
            "arches" => Some(&mut self.arches),
            _ => None,
        }
    }
}

/// The host architectures for which `archMap` is looked through (`nativeToSeccomp`).
pub(super) const fn is_mapped(arch: Arch) -> bool {
    matches!(
        arch,
        Arch::X86_64 | Arch::Aarch64 | Arch::Mips64 | Arch::Mipsel64 | Arch::S390X
    )
}

pub(super) fn resolve<'d>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    circumstances: &Circumstances,
) -> Result<Resolved<'d>, Refusal> {
    let host = circumstances.arch;
    let config: Seccomp<'d> = decoded(
        bytes,
        document,
        circumstances,
        "decoding seccomp profile failed",
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
            words: "'architectures' and 'archMap' were specified in the seccomp profile, \
                    use either 'architectures' or 'archMap'",
        });
    }
    let default_errno = chosen_errno(
        config.default_errno,
        config.common.default_errno_ret,
        host,
        None,
    )?;
    let mut syscalls = Vec::new();
    let mut entries = Vec::new();
    for call in config.syscalls.elements() {
        let call = call.as_ref().ok_or(Refusal::Null { span: None })?;
        let verdict = call.verdict(circumstances);
        entries.extend(call.origin.map(|origin| (origin, verdict)));
        // Also of a rule entry that names nothing, mistakes are told.
        if let Verdict::In | Verdict::Nameless = verdict {
            syscalls.extend(call.entry(host)?);
        }
    }
    let mut section = config.common.section(syscalls);
    section.default_errno_ret = default_errno;
    if is_mapped(host) {
        add_arch_map(&mut section.architectures, arch_map, host);
    }
    Ok(Resolved {
        section: Ok(section),
        entries,
    })
}

impl<'d> Syscall<'d> {
    fn verdict(&self, circumstances: &Circumstances) -> Verdict<'d> {
        let arch = circumstances.arch.podman_name();
        let (excludes, includes) = (&self.excludes, &self.includes);
        let out = excluded(&excludes.arches, &excludes.caps, arch, circumstances)
            .or_else(|| lacking(&includes.arches, &includes.caps, arch, circumstances));
        match out {
            Some(verdict) => verdict,
            None if self.name.is_empty() && self.names.elements().is_empty() => Verdict::Nameless,
            None => Verdict::In,
        }
    }

    /// What it becomes in the section; `None` if it names no syscall.
    fn entry(&self, host: Arch) -> Result<Option<SectionEntry<'d>>, Refusal> {
        let span = self.origin.map(Node::span);
        let names = match (self.name, self.names.elements()) {
            ("", names) => names.to_vec(),
            (name, []) => vec![name],
            _ => {
                return Err(Refusal::NameAndNames {
                    words: "'name' and 'names' were specified in the seccomp profile, \
                            use either 'name' or 'names'",
                    span,
                });
            }
        };
        let errno_ret = chosen_errno(self.errno, self.errno_ret, host, span)?;
        if names.is_empty() {
            return Ok(None);
        }
        let args = self.args.elements().iter().map(|arg| {
            let arg = arg.as_ref().ok_or(Refusal::Null { span })?;
            Ok(arg.condition())
        });
        Ok(Some(SectionEntry {
            names: Some(names),
            action: self.action,
            errno_ret,
            args: args.collect::<Result<_, Refusal>>()?,
            origin: self.origin,
        }))
    }
}

/// The number that containers/common has for an errno by name or digits on a host; `None` if it has
/// none, and refuses the profile.
#[must_use]
pub fn errno(name: &str, host: Arch) -> Option<u64> {
    if let Some(number) = go::parse_uint(name).filter(|&number| number <= u32::MAX.into()) {
        return Some(number);
    }
    let is_mips = matches!(
        host,
        Arch::Mips | Arch::Mips64 | Arch::Mipsel | Arch::Mipsel64
    );
    let place = PODMAN_ERRNOS.binary_search_by(|(known, ..)| (*known).cmp(name));
    let &(_, number, mips) = PODMAN_ERRNOS.get(place.ok()?)?;
    Some(if is_mips { mips } else { number })
}

/// `getErrno`: the errno by name or digits, which counts before the one by number.
fn chosen_errno(
    name: &str,
    number: Option<Uint>,
    host: Arch,
    span: Option<Span>,
) -> Result<Option<u64>, Refusal> {
    if name.is_empty() {
        return Ok(number.map(|number| number.0));
    }
    errno(name, host)
        .map(Some)
        .ok_or_else(|| Refusal::UnknownErrno {
            name: name.to_owned(),
            span,
        })
}

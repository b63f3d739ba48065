//! What runc puts before libseccomp's program.
//!
//! Source: `generateEnosysStub` of runc's `libcontainer/seccomp/patchbpf` (1.1.15 and 1.3.6, which
//! differ only in jumps that are too long for any stub), and stubs in force.

use super::instruction::Raw;
use crate::runtime::{Plan, Stub};
use crate::syscalls::Arch;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Where `struct seccomp_data` has the syscall's number and the `AUDIT_ARCH_*` value.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The host's `ENOSYS`, which is what runc was built with.
const ENOSYS: u32 = 38;
const ENOSYS_ON_MIPS: u32 = 89;

/// The stub of a plan. runc puts the architectures in any order, another one each time; here they
/// are in the plan's.
pub(super) fn stub(plan: &Plan, stub: &Stub) -> Vec<Raw> {
    let enosys = code(RETURN, 0x0005_0000 | enosys(plan.native));
    let mut values: Vec<u32> = Vec::new();
    for arch in std::iter::once(&plan.native).chain(&plan.architectures) {
        if !values.contains(&arch.audit_arch()) {
            values.push(arch.audit_arch());
        }
    }
    // From its end, since that is where all of it jumps to.
    let mut sections = vec![enosys, code(JUMP, 1)];
    let mut starts = Vec::new();
    for &value in values.iter().rev() {
        let limits: Vec<_> = (stub.0.iter().copied())
            .filter(|(arch, _)| arch.audit_arch() == value)
            .collect();
        let section = section(&limits, sections.len() as u32, enosys);
        sections.extend(section.into_iter().rev());
        let is_limited = !limits.is_empty();
        starts.push((value, if is_limited { sections.len() } else { 0 }));
    }
    sections.push(code(JUMP, sections.len() as u32));
    for (value, start) in starts {
        let distance = sections.len() - start;
        sections.push(branch(JUMP_EQUAL, value, distance as u32, 0));
    }
    sections.push(code(LOAD, ARCHITECTURE));
    sections.reverse();
    sections
}

/// What is done with the calls of one `AUDIT_ARCH_*` value, `after` instructions before the filter.
fn section(limits: &[(Arch, u32)], after: u32, enosys: Raw) -> Vec<Raw> {
    /// The bit, if a section begins by telling x32's calls from those of x86-64, which have the
    /// same value.
    const X32_BIT: u32 = Arch::X32_BIT;
    // `after` counts from the end of the section: the filter is there, and ENOSYS one before it.
    let above = |limit, skipped| branch(JUMP_GREATER, limit, after - 1 + skipped, 0);
    let load = code(LOAD, NUMBER);
    let to_filter = code(JUMP, after);
    match *limits {
        [(Arch::X86_64, limit), (Arch::X32, of_x32)]
        | [(Arch::X32, of_x32), (Arch::X86_64, limit)] => vec![
            load,
            branch(JUMP_ANY_BIT, X32_BIT, 1, 0),
            Raw {
                jump_false: 1,
                ..above(limit, 2)
            },
            above(of_x32, 1),
            to_filter,
        ],
        [(arch, limit)] => {
            let mut section = vec![load];
            match arch {
                Arch::X86_64 => section.push(branch(JUMP_ANY_BIT, X32_BIT, 1, 0)),
                Arch::X32 => section.push(branch(JUMP_ANY_BIT, X32_BIT, 0, 1)),
                // Number 0 is what unknown calls come by.
                Arch::S390 | Arch::S390X => {
                    section.extend([branch(JUMP_EQUAL, 0, 0, 1), enosys]);
                }
                _ => {}
            }
            section.extend([above(limit, 1), to_filter]);
            section
        }
        _ => Vec::new(),
    }
}

/// The number of `ENOSYS` in the stub of a machine's runc.
pub(crate) fn enosys(native: Arch) -> u32 {
    match native {
        Arch::Mips
        | Arch::Mips64
        | Arch::Mips64N32
        | Arch::Mipsel
        | Arch::Mipsel64
        | Arch::Mipsel64N32 => ENOSYS_ON_MIPS,
        _ => ENOSYS,
    }
}

const fn code(code: u16, constant: u32) -> Raw {
    branch(code, constant, 0, 0)
}

/// No stub is long enough for a distance that does not fit: a byte order has fewer than twenty
/// architectures, of five instructions each.
const fn branch(code: u16, constant: u32, jump_true: u32, jump_false: u32) -> Raw {
    Raw {
        code,
        jump_true: jump_true as u8,
        jump_false: jump_false as u8,
        constant,
    }
}

//! The facts about architectures against the filters that the linked libseccomp makes for them.

use std::io::{Read, Seek};

use libseccomp::{ScmpAction, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use seclint::syscalls::Arch;

use crate::linked::{Library, scmp};

/// BPF's `ld [k]`.
const LOAD: u16 = 0x20;
/// Where `seccomp_data` has the architecture and the first argument.
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// The instructions of a filter that compares an argument, as operation and operand, read in the
/// byte order of `arch`.
fn filter(arch: Arch) -> Vec<(u16, u32)> {
    let mut context = ScmpFilterContext::new(ScmpAction::Allow).unwrap();
    if scmp(arch) != libseccomp::ScmpArch::native() {
        // The native architecture goes first: libseccomp does not put both byte orders into one
        // filter.
        context.remove_arch(libseccomp::ScmpArch::Native).unwrap();
        context.add_arch(scmp(arch)).unwrap();
    }
    let compare = ScmpArgCompare::new(0, ScmpCompareOp::Equal, 1);
    context
        .add_rule_conditional(
            ScmpAction::KillProcess,
            ScmpSyscall::from_name("read").unwrap(),
            &[compare],
        )
        .unwrap();
    let mut file = tempfile::tempfile().unwrap();
    context.export_bpf(&mut file).unwrap();
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    let little = arch.is_little_endian();
    let (instructions, rest) = bytes.as_chunks::<8>();
    assert!(!instructions.is_empty() && rest.is_empty());
    instructions
        .iter()
        .map(|&[c0, c1, _, _, k0, k1, k2, k3]| {
            let (code, operand) = ([c0, c1], [k0, k1, k2, k3]);
            if little {
                (u16::from_le_bytes(code), u32::from_le_bytes(operand))
            } else {
                (u16::from_be_bytes(code), u32::from_be_bytes(operand))
            }
        })
        .collect()
}

// When this fails filters are taken apart in the wrong byte order or for the wrong machine, and
// arguments are compared with the wrong width.
#[test]
fn byte_order_size_and_audit_value_are_those_of_real_filters() {
    for arch in Library::read().arches {
        let filter = filter(arch);
        assert_eq!(filter[0], (LOAD, ARCH), "{arch}: byte order");
        assert_eq!(filter[1].1, arch.audit_arch(), "{arch}: audit value");
        let words: Vec<u32> = filter
            .iter()
            .filter(|&&(code, offset)| code == LOAD && offset >= ARGUMENTS)
            .map(|&(_, offset)| offset)
            .collect();
        assert_eq!(
            words.len() * 32,
            usize::from(arch.bits()),
            "{arch}: words of an argument that are loaded: {words:?}"
        );
    }
}

//! Filters that libseccomp made: crun's entries, and some made here.

use std::fs;

use seclint::filter::{ByteOrder, Call, Filter, Verdict};
use seclint::profile::Action;
use seclint::syscalls::Arch;

use crate::entries;

/// A filter that libseccomp makes for an architecture: `mkdir` fails if its second argument is
/// above 2³² + 5, `reboot` kills.
fn by_libseccomp(arch: libseccomp::ScmpArch) -> Vec<u8> {
    use libseccomp::{ScmpAction, ScmpCompareOp, ScmpFilterContext, ScmpSyscall, scmp_cmp};
    let mut context = ScmpFilterContext::new(ScmpAction::Allow).expect("a context");
    context
        .remove_arch(libseccomp::ScmpArch::native())
        .expect("removed");
    context.add_arch(arch).expect("added");
    let call = |name| ScmpSyscall::from_name(name).expect("a call");
    let above = scmp_cmp!($arg1 > 0x1_0000_0005);
    assert_eq!(
        above,
        libseccomp::ScmpArgCompare::new(1, ScmpCompareOp::Greater, 0x1_0000_0005)
    );
    (context.add_rule_conditional(ScmpAction::Errno(13), call("mkdir"), &[above])).expect("a rule");
    (context.add_rule(ScmpAction::KillProcess, call("reboot"))).expect("a rule");
    let mut exported = tempfile::tempfile().expect("a file");
    context.export_bpf(&exported).expect("a filter");
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut exported).expect("a file");
    std::io::Read::read_to_end(&mut exported, &mut bytes).expect("a file");
    bytes
}

/// Filters of other machines, which entries are copied from for a look, would be called broken.
#[test]
fn filters_for_either_byte_order_do_what_libseccomp_was_asked_for() {
    use libseccomp::ScmpArch;
    for (name, arch) in [
        (ScmpArch::X8664, Arch::X86_64),
        (ScmpArch::S390X, Arch::S390X),
    ] {
        let filter = Filter::detect(&by_libseccomp(name)).expect("a filter");
        assert_eq!(filter.order(), ByteOrder::of(arch));
        let ends = |name: &str, second: u64| {
            let call = seclint::syscalls::lookup(name).expect("a call");
            filter.evaluate(&Call {
                number: call.direct_number(arch).expect("a number"),
                architecture: arch.audit_arch(),
                arguments: [0, second, 0, 0, 0, 0],
                instruction_pointer: 0,
            })
        };
        let denied = Verdict {
            action: Action::Errno,
            data: 13,
            is_known: true,
        };
        assert_eq!(ends("mkdir", 0x1_0000_0006), denied, "{arch}");
        assert_eq!(ends("mkdir", 0x2_0000_0000), denied, "{arch}");
        for allowed in [0, 6, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0005] {
            assert_eq!(
                ends("mkdir", allowed).action,
                Action::Allow,
                "{arch} {allowed:#x}"
            );
        }
        assert_eq!(ends("reboot", 0).action, Action::KillProcess, "{arch}");
        assert_eq!(ends("read", 0).action, Action::Allow, "{arch}");
        let syscalls: Vec<_> = filter
            .list()
            .into_iter()
            .filter_map(|line| line.syscall)
            .collect();
        assert!(
            syscalls.contains(&"mkdir") && syscalls.contains(&"reboot"),
            "{syscalls:?}"
        );
        let foreign = Call {
            architecture: Arch::Riscv64.audit_arch(),
            ..Call::default()
        };
        assert_eq!(
            filter.evaluate(&foreign).action,
            Action::KillThread,
            "{arch}"
        );
    }
}

/// Entries of working containers would be pruned.
#[test]
fn every_entry_that_crun_left_is_a_filter() {
    let entries = entries();
    assert!(entries.len() > 25, "{}", entries.len());
    for path in entries {
        let bytes = fs::read(&path).expect("an entry");
        let filter =
            Filter::detect(&bytes).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let lines = filter.list();
        assert_eq!(lines.len() * 8, bytes.len());
        assert!(
            lines.iter().all(|line| line.is_reachable),
            "{}",
            path.display()
        );
        assert!(
            lines.iter().any(|line| line.syscall.is_some()),
            "{}",
            path.display()
        );
    }
}

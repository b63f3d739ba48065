//! Filters that libseccomp made: crun's entries, and some made here.

use std::fs;
use std::io::{Read, Seek};

use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
};
use seclint::filter::{ByteOrder, Call, Filter};
use seclint::profile::Action;
use seclint::syscalls::{Arch, lookup};

use crate::entries;

/// A filter that libseccomp makes for an architecture, as a list or as a tree of numbers: `mkdirat`
/// fails if its second argument is above 2³² + 5, `reboot` kills. `None` if this libseccomp does not
/// know the architecture.
fn by_libseccomp(arch: Arch, is_tree: bool) -> Option<Vec<u8>> {
    let mut context = ScmpFilterContext::new(ScmpAction::Allow).expect("a context");
    let token = arch.token().parse().ok()?;
    (context.remove_arch(ScmpArch::native())).expect("removed");
    context.add_arch(token).ok()?;
    let level = if is_tree { 2 } else { 1 };
    context.set_ctl_optimize(level).expect("an attribute");
    let call = |name| ScmpSyscall::from_name(name).expect("a call");
    let above = ScmpArgCompare::new(1, ScmpCompareOp::Greater, 0x1_0000_0005);
    (context.add_rule_conditional(ScmpAction::Errno(13), call("mkdirat"), &[above]))
        .expect("a rule");
    (context.add_rule(ScmpAction::KillProcess, call("reboot"))).expect("a rule");
    for name in [
        "chdir", "close", "dup", "fchmodat", "getpid", "keyctl", "read", "umask",
    ] {
        context
            .add_rule(ScmpAction::Log, call(name))
            .expect("a rule");
    }
    let mut exported = tempfile::tempfile().expect("a file");
    context.export_bpf(&exported).expect("a filter");
    let mut bytes = Vec::new();
    exported.rewind().expect("a file");
    exported.read_to_end(&mut bytes).expect("a file");
    Some(bytes)
}

/// Filters of other machines, which entries are copied from for a look, would be called broken, or
/// be said to do something else.
#[test]
fn filters_for_every_architecture_do_what_libseccomp_was_asked_for() {
    let mut compared = 0;
    for (arch, is_tree) in Arch::ALL
        .into_iter()
        .flat_map(|arch| [(arch, false), (arch, true)])
    {
        let Some(bytes) = by_libseccomp(arch, is_tree) else {
            continue;
        };
        compared += 1;
        let filter = Filter::detect(&bytes).unwrap_or_else(|why| panic!("{arch}: {why}"));
        assert_eq!(filter.order(), ByteOrder::of(arch), "{arch}");
        let ends = |name: &str, second: u64| {
            let call = lookup(name).expect("a call");
            let verdict = filter.evaluate(&Call {
                number: call.direct_number(arch).expect("a number"),
                architecture: arch.audit_arch(),
                arguments: [0, second, 0, 0, 0, 0],
                instruction_pointer: 0,
            });
            (verdict.action, verdict.data)
        };
        for second in [
            0,
            5,
            6,
            0xffff_ffff,
            0x1_0000_0000,
            0x1_0000_0005,
            0x1_0000_0006,
            1 << 33,
        ] {
            let is_above = match arch.bits() {
                64 => second > 0x1_0000_0005,
                _ => second & 0xffff_ffff > 5,
            };
            let expected = if is_above {
                (Action::Errno, 13)
            } else {
                (Action::Allow, 0)
            };
            assert_eq!(ends("mkdirat", second), expected, "{arch} {second:#x}");
        }
        assert_eq!(ends("reboot", 0).0, Action::KillProcess, "{arch}");
        assert_eq!(ends("read", 0).0, Action::Log, "{arch}");
        assert_eq!(ends("openat", 0).0, Action::Allow, "{arch}");
        let lines = filter.list();
        for name in ["mkdirat", "reboot", "read"] {
            let is_named = lines.iter().any(|line| line.syscall == Some(name));
            assert!(is_named, "{arch}: {name} in {lines:#?}");
        }
        let foreign = Call {
            architecture: 0x1234,
            ..Call::default()
        };
        assert_eq!(
            filter.evaluate(&foreign).action,
            Action::KillThread,
            "{arch}"
        );
    }
    // libseccomp 2.5.4 knows 19 of the architectures.
    assert!(compared >= 38, "{compared}");
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

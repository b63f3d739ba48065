//! Filters that libseccomp makes of runtimes' plans, as `seclint compile` writes them.
#![cfg(feature = "libseccomp")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::sync::Arc as Shared;

use libseccomp::ScmpSyscall;
use seclint::filter::{ByteOrder, Call, CompileError, Filter, compile, linked};
use seclint::profile::{Action, Comparison, Effect};
use seclint::runtime::{Plan, Rule};
use seclint::syscalls::{self, Arch, Release, Syscall};

const ALLOW: Effect = Effect {
    action: Action::Allow,
    errno: 0,
};
const DENY: Effect = Effect {
    action: Action::Errno,
    errno: 13,
};

fn rule(syscall: &'static Syscall, comparisons: &[Comparison]) -> Rule {
    Rule {
        effect: DENY,
        syscall,
        comparisons: Shared::from(comparisons),
        entry: 0,
    }
}

fn plan(native: Arch, rules: Vec<Rule>) -> Plan {
    Plan {
        default: ALLOW,
        native,
        architectures: Vec::new(),
        rules,
        stub: None,
        is_tree: false,
    }
}

fn release() -> Release {
    linked().expect("libseccomp is there")
}

fn known_arches() -> impl Iterator<Item = Arch> {
    (Arch::ALL.into_iter()).filter(|arch| arch.first_release() <= release())
}

fn is_denied(filter: &Filter, arch: Arch, number: u32) -> bool {
    let verdict = filter.evaluate(&Call {
        number,
        architecture: arch.audit_arch(),
        ..Call::default()
    });
    verdict.action == Action::Errno && verdict.data == 13
}

/// A filter made here for another machine would deny other calls there than the one made there.
#[test]
fn every_call_is_found_on_every_architecture() {
    const UNTOLD: [&str; 2] = ["switch_endian", "sys_debug_setcontext"];
    let mut found = 0;
    for arch in known_arches() {
        for syscall in syscalls::all() {
            if !syscall.known_to(release()) {
                continue;
            }
            let name = syscall.name();
            let filter = match compile(&plan(arch, vec![rule(syscall, &[])])) {
                Ok(filter) => filter,
                // Two names have one number in libseccomp wherever there are no such calls.
                Err(CompileError::OneNumber { .. }) if UNTOLD.contains(&name) => continue,
                Err(why) => panic!("{name} on {arch}: {why}"),
            };
            assert_eq!(filter.order(), ByteOrder::of(arch), "{arch}");
            let token = arch.token().parse().unwrap();
            let number = ScmpSyscall::from_name_by_arch(name, token).map(i32::from);
            // Below 0 are names that the architecture lacks, or has in a multiplexer.
            if let Ok(number @ 0..) = number {
                let number = number.cast_unsigned();
                assert!(is_denied(&filter, arch, number), "{name} on {arch}");
                assert!(!is_denied(&filter, arch, number + 1), "{name} on {arch}");
            }
            found += 1;
        }
    }
    assert!(found > 8_000, "{found}");
}

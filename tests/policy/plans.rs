//! Plans that no runtime makes of a profile that anybody would write, made from a seed.

use std::sync::Arc;

use seclint::profile::{Action, Comparison, Effect, Operator};
use seclint::runtime::{Plan, Rule, Stub};
use seclint::syscalls::{Arch, Release, lookup};

/// Calls of every kind: with a number everywhere, or not; carried by others, or both; the carriers.
const NAMES: [&str; 21] = [
    "read",
    "clone",
    "mkdir",
    "personality",
    "chown32",
    "_llseek",
    "arch_prctl",
    "arm_fadvise64_64",
    "s390_pci_mmio_read",
    "socket",
    "socketcall",
    "connect",
    "send",
    "recvmmsg",
    "accept4",
    "ipc",
    "shmget",
    "semop",
    "semtimedop",
    "msgctl",
    "futex",
];

const ACTIONS: [Action; 8] = [
    Action::Allow,
    Action::Errno,
    Action::Errno,
    Action::KillProcess,
    Action::KillThread,
    Action::Log,
    Action::Trace,
    Action::Trap,
];

const OPERATORS: [Operator; 7] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Less,
    Operator::LessOrEqual,
    Operator::Greater,
    Operator::GreaterOrEqual,
    Operator::MaskedEqual,
];

const VALUES: [u64; 16] = [
    0,
    1,
    2,
    3,
    5,
    38,
    40,
    0xff,
    0x7e02_0000,
    u32::MAX as u64,
    1 << 32,
    (1 << 32) + 2,
    (1 << 33) + 5,
    (1 << 33) + 16,
    u64::MAX - 1,
    u64::MAX,
];

/// A source of numbers: xorshift.
struct Numbers(u64);

impl Numbers {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn is_one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }
}

/// The plan of a number, for a release of libseccomp.
pub(crate) fn plan(number: u64, release: Release) -> Plan {
    let seed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut numbers = Numbers((seed ^ seed >> 29) | 1);
    for _ in 0..4 {
        numbers.below(2);
    }
    let known: Vec<_> = (Arch::ALL.into_iter())
        .filter(|arch| arch.first_release() <= release)
        .collect();
    let native = numbers.of(&known);
    let like = |arch: &Arch| arch.is_little_endian() == native.is_little_endian();
    let known: Vec<_> = known.into_iter().filter(like).collect();
    let mut architectures = Vec::new();
    for _ in 0..numbers.below(3) {
        let arch = numbers.of(&known);
        if arch != native && !architectures.contains(&arch) {
            architectures.push(arch);
        }
    }
    let default = effect(&mut numbers);
    let names: Vec<_> = (0..=numbers.below(3)).map(|_| numbers.of(&NAMES)).collect();
    let effects = [
        effect(&mut numbers),
        effect(&mut numbers),
        effect(&mut numbers),
    ];
    // Few, so that conditions meet.
    let values: Vec<_> = (0..=numbers.of(&[1, 2, 15]))
        .map(|_| numbers.of(&VALUES))
        .collect();
    let mut rules = Vec::new();
    for entry in 0..numbers.below(8) {
        let rule = Rule {
            effect: numbers.of(&effects),
            syscall: lookup(numbers.of(&names)).expect("a syscall"),
            comparisons: comparisons(&mut numbers, &values),
            entry,
        };
        // The one number here that changed since 2.5.4, and the table has the newest.
        let has_changed = rule.syscall.name() == "_llseek"
            && (native == Arch::Parisc64 || architectures.contains(&Arch::Parisc64));
        // As every runtime does, and as far as the release goes.
        if rule.effect != default && rule.syscall.known_to(release) && !has_changed {
            rules.push(rule);
        }
    }
    let stub = numbers.is_one_in(3).then(|| {
        let arches = std::iter::once(native).chain(architectures.iter().copied());
        let mut limits = Vec::new();
        for arch in arches {
            let limit = lookup(numbers.of(&["close", "socket", "openat2"]));
            let limit = limit.and_then(|call| call.direct_number(arch));
            limits.extend(limit.map(|limit| (arch, limit)));
        }
        Stub(limits)
    });
    Plan {
        default,
        native,
        architectures,
        rules,
        stub,
        is_tree: numbers.is_one_in(4),
    }
}

fn effect(numbers: &mut Numbers) -> Effect {
    let errno = numbers.of(&[1, 2, 38, 4094]);
    Effect::new(numbers.of(&ACTIONS), Some(errno))
}

fn comparisons(numbers: &mut Numbers, values: &[u64]) -> Arc<[Comparison]> {
    let mut comparisons: Vec<Comparison> = Vec::new();
    // Mostly one, since libseccomp does not come to an end with many sets of more.
    for _ in 0..numbers.of(&[0, 1, 1, 1, 1, 1, 1, 1, 2, 3]) {
        let comparison = Comparison {
            index: numbers.of(&[0, 0, 1, 2, 5]),
            operator: numbers.of(&OPERATORS),
            value: numbers.of(values),
            value_two: numbers.of(values),
        };
        if comparisons.iter().all(|it| it.index != comparison.index) {
            comparisons.push(comparison);
        }
    }
    comparisons.into()
}

//! Filters compared for all calls. If one of these fails, a stale or planted filter passes for the
//! right one, or a change to a profile is said to change nothing.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use seclint::filter::{
    ByteOrder, Call, Comparison, Diagram, Diagrams, Field, Filter, Leaf, Test, Undecided, Witness,
    compare,
};
use seclint::profile::Action;
use seclint::syscalls::Arch;

use crate::{ALLOW, Code, ERRNO, entries, filter};

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const EQUAL: u16 = 0x15;
const GREATER: u16 = 0x25;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;
const X86_64: u32 = 0xc000_003e;

/// Compares, and checks that the witness is one.
fn compared(left: &Filter, right: &Filter) -> Comparison {
    let comparison = compare(left, right, &[Arch::X86_64, Arch::X86]);
    if let Comparison::Differs(witness) = comparison {
        assert_eq!(left.evaluate(&witness.call), witness.left);
        assert_eq!(right.evaluate(&witness.call), witness.right);
        assert_ne!(witness.left, witness.right);
    }
    comparison
}

fn witness(left: &[Code], right: &[Code]) -> Witness {
    match compared(&filter(left), &filter(right)) {
        Comparison::Differs(witness) => witness,
        other => panic!("{other:?}"),
    }
}

/// On x86-64, `condition` on the number leads to `EPERM`.
fn if_number(condition: Code) -> [Code; 6] {
    [
        (LOAD, 0, 0, 4),
        (EQUAL, 0, 3, X86_64),
        (LOAD, 0, 0, 0),
        condition,
        (RETURN, 0, 0, ERRNO | 1),
        (RETURN, 0, 0, ALLOW),
    ]
}

/// Every recompiled entry would be called a mismatch.
#[test]
fn the_same_in_other_words_is_equal() {
    let one = if_number((EQUAL, 0, 1, 83));
    let other = [
        (LOAD, 0, 0, 0),
        (GREATER, 4, 0, 83),
        (AT_LEAST, 0, 3, 83),
        (LOAD, 0, 0, 4),
        (EQUAL, 0, 1, X86_64),
        // The kernel has no larger errno than 4095, and looks at no number beside ALLOW.
        (RETURN, 0, 0, ERRNO | 1),
        (RETURN, 0, 0, ALLOW),
    ];
    assert_eq!(compared(&filter(&one), &filter(&other)), Comparison::Equal);
    let large = |errno| filter(&[(RETURN, 0, 0, ERRNO | errno)]);
    assert_eq!(compared(&large(4095), &large(0xffff)), Comparison::Equal);
}

/// A person would have to look up what 1,073,741,823 is.
#[test]
fn the_witness_is_one_that_people_know() {
    let all = if_number((AT_LEAST, 0, 1, 0));
    let found = witness(&if_number((EQUAL, 0, 1, 83)), &all);
    // `read`, since `mkdir` is the same.
    let read = Call {
        architecture: X86_64,
        ..Call::default()
    };
    assert_eq!(found.call, read);
    assert_eq!(
        (found.left.action, found.right.action),
        (Action::Allow, Action::Errno)
    );
    let above = witness(
        &if_number((GREATER, 0, 1, 2000)),
        &if_number((GREATER, 0, 1, 2004)),
    );
    assert_eq!(above.call.number, 2001, "no syscall, so the lowest number");
    let foreign = [
        (LOAD, 0, 0, 4),
        (EQUAL, 0, 1, 77),
        (RETURN, 0, 0, 0),
        (RETURN, 0, 0, ALLOW),
    ];
    let foreign = witness(&foreign, &[(RETURN, 0, 0, ALLOW)]);
    assert_eq!(foreign.call.architecture, 77);
}

/// Half an argument, or the instruction pointer, would be where a planted filter hides.
#[test]
fn every_word_counts() {
    for offset in (0..64).step_by(4) {
        let test = [
            (LOAD, 0, 0, offset),
            (EQUAL, 0, 1, 0x8000_0001),
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, ERRNO),
        ];
        let found = witness(&test, &[(RETURN, 0, 0, ERRNO)]);
        assert_eq!(found.left.action, Action::Allow, "{offset}");
    }
}

/// The masks of `clone` are compared bit by bit.
#[test]
fn masks_and_bits_are_told_apart() {
    let masked = |mask, value| {
        [
            (LOAD, 0, 0, 16),
            (AND, 0, 0, mask),
            (EQUAL, 0, 1, value),
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, ERRNO),
        ]
    };
    let bits = [
        (LOAD, 0, 0, 16),
        (ANY_BIT, 1, 0, 0x7e02_0000),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERRNO),
    ];
    let clone = filter(&masked(0x7e02_0000, 0));
    assert_eq!(compared(&clone, &filter(&bits)), Comparison::Equal);
    let found = witness(&masked(0x7e02_0000, 0), &masked(0x7c02_0000, 0));
    assert_eq!(found.call.arguments, [0x0200_0000, 0, 0, 0, 0, 0]);
}

/// What no diagram is made of would be called equal.
#[test]
fn what_is_not_decided_is_said_to_be_and_tried() {
    let sum = |addend| {
        filter(&[
            (LOAD, 0, 0, 0),
            (0x04, 0, 0, addend),
            (EQUAL, 0, 1, 90),
            (RETURN, 0, 0, ERRNO),
            (RETURN, 0, 0, ALLOW),
        ])
    };
    let same = [(0x05, 0, 0, 0), (RETURN, 0, 0, ALLOW)];
    match compare(&sum(0), &filter(&same), &[]) {
        Comparison::Undecided {
            reason,
            sampled: Some(found),
        } => {
            assert_eq!(reason, Undecided::Calculation(1));
            assert_ne!(found.left, found.right);
            assert_eq!(found.call.number, 90);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        compare(&sum(7), &sum(7), &[]),
        Comparison::Equal,
        "the same program"
    );
    let words = [
        (LOAD, 0, 0, 16),
        (0x07, 0, 0, 0),
        (LOAD, 0, 0, 24),
        (0x1d, 0, 1, 0),
        (RETURN, 0, 0, 0),
        (RETURN, 0, 0, ALLOW),
    ];
    let reason = |program: &[Code]| match compare(&filter(program), &sum(0), &[]) {
        Comparison::Undecided { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&words), Undecided::Words(3));
    assert_eq!(
        reason(&[(LOAD, 0, 0, 16), (0x16, 0, 0, 0)]),
        Undecided::Return(1)
    );
}

/// A planted filter would take all memory, and nothing else would be audited.
#[test]
fn a_filter_that_is_made_to_be_hard_is_given_up() {
    // Which of the bits of the first argument, and then which of the second, ..., each at odds
    // with the order in which bits are looked at.
    let mut program = Vec::new();
    for bit in 0..32 {
        for (offset, cell) in [(16, 0_u32), (56, 1)] {
            program.extend([
                (LOAD, 0, 0, offset),
                (AND, 0, 0, 1 << bit),
                (0x02, 0, 0, cell),
            ]);
        }
        program.extend([
            (0x60, 0, 0, 0),
            (EQUAL, 3, 0, 0),
            (0x60, 0, 0, 1),
            (EQUAL, 3, 0, 0),
            (JUMP, 0, 0, 3),
        ]);
        program.extend([(0x60, 0, 0, 1), (EQUAL, 1, 0, 0), (RETURN, 0, 0, 0)]);
    }
    program.push((RETURN, 0, 0, ALLOW));
    let hard = filter(&program);
    let easy = filter(&[(RETURN, 0, 0, 0x7fff_0000)]);
    match compare(&hard, &easy, &[]) {
        Comparison::Undecided {
            reason: Undecided::Size(_),
            sampled,
        } => assert!(sampled.is_some()),
        other => panic!("{other:?}"),
    }
}

/// What `seclint diff` tells of calls would be of others.
#[test]
fn numbers_come_in_ranges() {
    let mut diagrams = Diagrams::default();
    let filter = filter(&[
        (LOAD, 0, 0, 0),
        (EQUAL, 3, 0, 5),
        (EQUAL, 2, 0, 6),
        (AT_LEAST, 0, 2, 0x4000_0000),
        (RETURN, 0, 0, 0),
        (RETURN, 0, 0, ERRNO),
        (RETURN, 0, 0, ALLOW),
    ]);
    let diagram = diagrams.of_filter(&filter).expect("a diagram");
    let architectures: Vec<_> = diagrams.architectures(diagram).collect();
    assert_eq!(architectures, [(0..=u32::MAX, diagram)]);
    let of_arch = diagrams.architecture(diagram, X86_64);
    let numbers: Vec<_> = diagrams.numbers(of_arch).collect();
    let ranges: Vec<_> = numbers.iter().map(|(range, _)| range.clone()).collect();
    assert_eq!(
        ranges,
        [0..=4, 5..=6, 7..=0x3fff_ffff, 0x4000_0000..=u32::MAX]
    );
    assert_eq!(diagrams.number(of_arch, 6), numbers[1].1);
    assert_eq!(diagrams.leaves(diagram).len(), 3);
    let allowed = |leaf: &Leaf| leaf.verdict().is_some_and(|it| it.action.permits());
    let all = diagrams.leaf(Leaf::OneOf(Vec::new()));
    let set = diagrams
        .differing(diagram, all, |leaf, _| allowed(leaf))
        .expect("a set");
    let first = diagrams
        .calls(Field::ArgumentLow(2), u32::MAX, Test::Greater, 41)
        .expect("a set");
    let both = diagrams.both(set, first).expect("a set");
    let call = diagrams.first(both).expect("a call");
    assert_eq!((call.number, call.arguments), (0, [0, 0, 42, 0, 0, 0]));
    assert_eq!(diagrams.either(Diagram::ALL, both), Ok(Diagram::ALL));
}

/// Constants of programs, and words to try them on.
const CONSTANTS: [u32; 6] = [0, 1, 2, 3, 0x8000_0000, u32::MAX];

/// Programs of what a diagram can be made of.
fn programs() -> impl Strategy<Value = Vec<Code>> {
    let offset = prop::sample::select(vec![0_u32, 4, 16, 20, 56, 60]);
    let constant = || prop::sample::select(CONSTANTS.to_vec());
    let operator = prop::sample::select(vec![0x44_u16, AND, 0xa4, 0x4c, 0x5c]);
    let test = prop::sample::select(vec![EQUAL, GREATER, AT_LEAST, ANY_BIT]);
    let value = prop::sample::select(vec![ALLOW, ERRNO, ERRNO | 1, 0]);
    let code = prop_oneof![
        4 => offset.prop_map(|offset| (LOAD, 0, 0, offset)),
        1 => (operator, constant()).prop_map(|(code, k)| (code, 0, 0, k)),
        1 => (prop::sample::select(vec![0x64_u16, 0x74]), 0_u32..32).prop_map(|(code, k)| (code, 0, 0, k)),
        6 => (test, 0_u8..4, 0_u8..4, constant()).prop_map(|(code, t, f, k)| (code, t, f, k)),
        1 => value.prop_map(|k| (RETURN, 0, 0, k)),
        1 => prop::sample::select(vec![(0x02, 0, 0, 0), (0x60, 0, 0, 0), (0x61, 0, 0, 0), (0x07, 0, 0, 0), (0x87, 0, 0, 0), (0x84, 0, 0, 0)]),
    ];
    prop::collection::vec(code, 1..20).prop_map(|mut program| {
        program.insert(0, (0x02, 0, 0, 0));
        program.extend([(RETURN, 0, 0, ERRNO | 2); 4]);
        program
    })
}

fn calls() -> impl Strategy<Value = Call> {
    let near = (prop::sample::select(CONSTANTS.to_vec()), 0_u32..3);
    let word = || {
        near.clone()
            .prop_map(|(word, more)| word.wrapping_add(more).wrapping_sub(1))
    };
    let wide = || (word(), word()).prop_map(|(high, low)| u64::from(high) << 32 | u64::from(low));
    (word(), word(), wide(), wide()).prop_map(|(number, architecture, first, last)| Call {
        number,
        architecture,
        instruction_pointer: 0,
        arguments: [first, 0, 0, 0, 0, last],
    })
}

proptest! {
    /// A diagram that says anything else than the program does proves nothing.
    #[test]
    fn diagrams_decide_as_the_program_does(
        program in programs(),
        calls in prop::collection::vec(calls(), 32),
    ) {
        let filter = filter(&program);
        let mut diagrams = Diagrams::default();
        if let Ok(diagram) = diagrams.of_filter(&filter) {
            for call in calls {
                let decided = diagrams.decide(diagram, &call).verdict();
                prop_assert_eq!(decided, Some(filter.evaluate(&call)), "{:?}", call);
            }
        }
    }

    /// A difference in one instruction would not be found, or one found that is none.
    #[test]
    fn whatever_is_found_is_so(
        program in programs(),
        place: prop::sample::Index,
        constant in prop::sample::select(CONSTANTS.to_vec()),
        calls in prop::collection::vec(calls(), 32),
    ) {
        let mut changed = program.clone();
        let place = place.index(changed.len() - 4);
        if matches!(changed[place].0, EQUAL | GREATER | AT_LEAST | ANY_BIT | AND) {
            changed[place].3 = constant;
        }
        let (left, right) = (filter(&program), filter(&changed));
        if compared(&left, &right) == Comparison::Equal {
            for call in calls {
                prop_assert_eq!(left.evaluate(&call), right.evaluate(&call), "{:?}", call);
            }
        }
    }
}

/// Of crun's own entries, with one constant or jump changed, each is found to differ, or does not.
#[test]
fn a_change_to_an_entry_is_found() {
    let mut differing = 0;
    let entries = entries()
        .into_iter()
        .map(|path| fs::read(path).expect("an entry"));
    // Many are the same.
    for bytes in entries.collect::<BTreeSet<_>>() {
        let left = Filter::detect(&bytes).expect("a filter");
        for offset in 0..bytes.len() {
            // The constant's lowest and highest bytes, and both jumps.
            if !matches!(offset % 8, 2..=4 | 7) {
                continue;
            }
            let mut changed = bytes.clone();
            changed[offset] ^= 1;
            let Ok(right) = Filter::read(&changed, ByteOrder::Little) else {
                continue;
            };
            match compared(&left, &right) {
                Comparison::Differs(_) => differing += 1,
                Comparison::Equal => agree(&left, &right),
                other @ Comparison::Undecided { .. } => panic!("{other:?}"),
            }
        }
    }
    assert!(differing > 400, "{differing}");
}

/// Tries what the constants of both filters make of calls.
fn agree(left: &Filter, right: &Filter) {
    let constants = |filter: &Filter| filter.raw().iter().map(|raw| raw.constant).collect();
    let mut words: Vec<u32> = constants(left);
    words.extend::<Vec<_>>(constants(right));
    words.sort_unstable();
    words.dedup();
    for &number in &words {
        for &word in &words {
            for architecture in [X86_64, 0x4000_0003, word] {
                let call = Call {
                    number,
                    architecture,
                    instruction_pointer: 0,
                    arguments: [word.into(); 6],
                };
                assert_eq!(left.evaluate(&call), right.evaluate(&call), "{call:?}");
            }
        }
    }
}

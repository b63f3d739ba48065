//! The policy of one call.

use std::borrow::Cow;
use std::sync::Arc;

use seclint::filter::{Call, Diagrams, Leaf};
use seclint::policy::{CallPolicy, CallRule, Decided, Fate, Place, Policy};
use seclint::profile::{Action, Comparison, Effect, Operator};
use seclint::runtime::{Plan, Rule, Stub};
use seclint::syscalls::{Arch, lookup};

fn effect(action: Action) -> Effect {
    Effect::new(action, None)
}

fn comparison(index: u32, operator: Operator, value: u64, value_two: u64) -> Comparison {
    Comparison {
        index,
        operator,
        value,
        value_two,
    }
}

fn rules(rules: &[(Action, &[Comparison])]) -> Vec<CallRule<'static>> {
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(entry, (action, comparisons))| CallRule {
        effect: effect(*action),
        comparisons: Cow::Owned(comparisons.to_vec()),
        entry,
    });
    rules.collect()
}

fn policy(bits: u8, all: &[(Action, &[Comparison])]) -> CallPolicy<'static> {
    CallPolicy::new(effect(Action::Errno), bits, rules(all))
}

fn fates(policy: &CallPolicy<'_>) -> Vec<Fate> {
    let fates = policy.fates(&mut Diagrams::default());
    fates.expect("few nodes")
}

/// The action, and the rule that decides; `None` if it is not known.
fn decided(policy: &CallPolicy<'_>, first: u64) -> Option<(Action, Option<usize>)> {
    match policy.decide(&[first, 0, 0, 0, 0, 0]) {
        Decided::Effect { effect, rule } => Some((effect.action, rule)),
        Decided::OneOf { .. } => None,
    }
}

/// People believe that the last rule wins, or the strictest, or the most special.
#[test]
fn the_first_rule_without_conditions_wins() {
    let is_38 = [comparison(0, Operator::Equal, 38, 0)];
    let policy = policy(
        64,
        &[
            (Action::KillProcess, &is_38),
            (Action::Errno, &[]),
            (Action::Allow, &[]),
            (Action::Trap, &[]),
        ],
    );
    assert_eq!(decided(&policy, 38), Some((Action::Allow, Some(2))));
    let lost = Fate::LostTo(2);
    let expected = [lost.clone(), Fate::IsDefault, Fate::Decides, lost];
    assert_eq!(fates(&policy), expected);
}

/// A guess would be taken for a fact.
#[test]
fn only_where_rules_overlap_is_it_not_known() {
    let is_38 = [comparison(0, Operator::Equal, 38, 0)];
    let is_not_40 = [comparison(0, Operator::NotEqual, 40, 0)];
    let never = [comparison(0, Operator::Less, 0, 0)];
    let policy = policy(
        64,
        &[
            (Action::Allow, &is_not_40),
            (Action::KillProcess, &is_38),
            (Action::Trap, &never),
        ],
    );
    assert!(!policy.is_fragile());
    assert_eq!(decided(&policy, 38), None);
    assert_eq!(decided(&policy, 39), Some((Action::Allow, Some(0))));
    assert_eq!(decided(&policy, 40), Some((Action::Errno, None)));
    let expected = [
        Fate::Overlaps(vec![1]),
        Fate::Overlaps(vec![0]),
        Fate::NeverHolds,
    ];
    assert_eq!(fates(&policy), expected);
}

/// A condition on the upper half would be taken for one on nothing, or the other way round.
#[test]
fn conditions_are_as_wide_as_the_architecture() {
    let above = [comparison(0, Operator::Greater, 1 << 32, 0)];
    let upper = [comparison(0, Operator::MaskedEqual, 1 << 40, 1 << 40)];
    assert_eq!(
        decided(&policy(64, &[(Action::Allow, &above)]), 5),
        Some((Action::Errno, None))
    );
    let narrow = policy(32, &[(Action::Allow, &above)]);
    assert_eq!(decided(&narrow, 5), Some((Action::Allow, Some(0))));
    let unconditional = policy(32, &[(Action::Allow, &above), (Action::Log, &upper)]);
    assert_eq!(fates(&unconditional), [Fate::LostTo(1), Fate::Decides]);
}

/// The rules say what the diagram, which is compared with libseccomp, does not.
#[test]
fn the_diagram_and_the_decision_agree() {
    let operators = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::MaskedEqual,
    ];
    let values = [0, 1, 38, u64::from(u32::MAX), (1 << 32) + 1, u64::MAX];
    for bits in [32, 64] {
        for operator in operators {
            for value in values {
                let rule = [comparison(0, operator, value, value)];
                let policy = policy(bits, &[(Action::Allow, &rule)]);
                let mut diagrams = Diagrams::default();
                let diagram = policy.diagram(&mut diagrams).expect("few nodes");
                let near = values
                    .iter()
                    .flat_map(|it| [it.wrapping_sub(1), *it, it.wrapping_add(1)]);
                for first in near {
                    let call = Call {
                        arguments: [first, 0, 0, 0, 0, 0],
                        ..Call::default()
                    };
                    let verdict = diagrams.decide(diagram, &call).verdict();
                    let action = decided(&policy, first).map(|(action, _)| action);
                    assert_eq!(verdict.map(|it| it.action), action, "{rule:?} {first:#x}");
                }
            }
        }
    }
}

fn plan(native: Arch, names: &[&str], comparisons: &[Comparison]) -> Plan {
    let rules = names.iter().enumerate().map(|(entry, name)| Rule {
        effect: effect(Action::Allow),
        syscall: lookup(name).expect("a syscall"),
        comparisons: Arc::from(comparisons),
        entry,
    });
    Plan {
        default: effect(Action::Errno),
        native,
        architectures: Vec::new(),
        rules: rules.collect(),
        stub: None,
        is_tree: false,
    }
}

/// `seclint why socket` would not say that `socketcall` lets all sockets through.
#[test]
fn a_condition_on_a_carried_call_is_lost_on_its_carrier() {
    let plan = plan(
        Arch::X86,
        &["socket", "read"],
        &[comparison(0, Operator::NotEqual, 40, 0)],
    );
    let policy = Policy::of(&plan);
    let call = |number, first| {
        let call = Call {
            architecture: Arch::X86.audit_arch(),
            number,
            arguments: [first, 0, 0, 0, 0, 0],
            instruction_pointer: 0,
        };
        match policy.decide(&call) {
            Place::Call(_, Decided::Effect { effect, .. }) => Some(effect.action),
            _ => None,
        }
    };
    assert_eq!(call(359, 40), Some(Action::Errno));
    assert_eq!(call(102, 1), Some(Action::Allow));
    assert_eq!(call(102, 2), Some(Action::Errno));
}

/// What stands before, or outside, the rules would be said to be decided by them.
#[test]
fn other_architectures_and_the_stub_come_first() {
    let mut plan = plan(Arch::X86_64, &["read", "openat2"], &[]);
    plan.stub = Some(Stub(vec![(Arch::X86_64, 437)]));
    let policy = Policy::of(&plan);
    let mut diagrams = Diagrams::default();
    let diagram = policy.diagram(&mut diagrams).expect("few nodes");
    for (architecture, number, action, data) in [
        (Arch::X86_64, 0, Action::Allow, 0),
        (Arch::X86_64, 1, Action::Errno, 1),
        (Arch::X86_64, 438, Action::Errno, 38),
        (Arch::X86_64, Arch::X32_BIT, Action::KillThread, 0),
        (Arch::Aarch64, 0, Action::KillThread, 0),
    ] {
        let call = Call {
            architecture: architecture.audit_arch(),
            number,
            ..Call::default()
        };
        let effect = match policy.decide(&call) {
            Place::OtherArchitecture => effect(Action::KillThread),
            Place::Stub(effect)
            | Place::Default(effect)
            | Place::Call(_, Decided::Effect { effect, .. }) => effect,
            Place::Call(_, other @ Decided::OneOf { .. }) => panic!("{other:?}"),
        };
        let Leaf::Verdict(verdict) = diagrams.decide(diagram, &call) else {
            panic!("{call:?} is not decided");
        };
        assert_eq!((verdict.action, verdict.data), (action, data), "{call:?}");
        assert_eq!(effect.action, action, "{call:?}");
    }
}

/// libseccomp makes one part of the program for conditions that two calls have, and what it leaves
/// out for the one is missing for the other: here a0 == `0x2_0000_0003` is killed.
#[test]
fn what_is_shared_with_a_call_that_goes_wrong_is_not_known() {
    let rule = |name, action, operator, value| Rule {
        effect: effect(action),
        syscall: lookup(name).expect("a syscall"),
        comparisons: Arc::from([comparison(0, operator, value, 0)]),
        entry: 0,
    };
    let above = |name| rule(name, Action::KillThread, Operator::Greater, (2 << 32) + 5);
    let equal = rule(
        "arch_prctl",
        Action::KillThread,
        Operator::Equal,
        (2 << 32) + 16,
    );
    let mut plan = plan(Arch::X86_64, &[], &[]);
    plan.rules = vec![above("arch_prctl"), equal];
    let decided = |plan: &Plan| {
        let policy = Policy::of(plan);
        let call = policy.call(Arch::X86_64, 158).expect("arch_prctl");
        call.decide(&[(2 << 32) + 3, 0, 0, 0, 0, 0])
    };
    let known = Decided::Effect {
        effect: effect(Action::Errno),
        rule: None,
    };
    assert_eq!(decided(&plan), known);
    // A call of which nothing is known, which shares no condition.
    let below = rule("mkdir", Action::Log, Operator::LessOrEqual, 1 << 32);
    plan.rules.push(rule(
        "mkdir",
        Action::KillThread,
        Operator::Greater,
        (3 << 32) + 5,
    ));
    plan.rules.push(below);
    assert_eq!(decided(&plan), known);
    plan.rules.push(above("mkdir"));
    assert!(matches!(
        decided(&plan),
        Decided::OneOf {
            or_default: true,
            ..
        }
    ));
}

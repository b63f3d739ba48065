//! Two rule entries that differ in one of two conditions, or in having the other one, which libseccomp
//! may take for one.

use seclint::filter::{CompileError, compile, linked};
use seclint::profile::{Action, Comparison, Effect, Operator};
use seclint::runtime::{Model, Outcome, Plan, Rule, Surroundings, any_size};
use seclint::syscalls::{Arch, lookup};
use seclint::text::json;
use serde_json::{Value, json};

const VALUES: [u64; 3] = [5, 16, 0x1_0000_0005];

/// `seclint predict` would tell of containers that start, and do not, or the other way round.
#[test]
fn predictions_of_pairs_are_what_libseccomp_says() {
    let all = Operator::names().flat_map(|name| {
        let operator = Operator::from_name(name).expect("an operator");
        let of_value = move |value| (name, comparison(1, operator, value));
        VALUES.into_iter().map(of_value)
    });
    let all: Vec<_> = all.collect();
    let mut refused = 0;
    for first in &all {
        for second in &all {
            for others in [[Some(0); 2], [Some(2); 2], [Some(2), None]] {
                refused += usize::from(is_refused([*first, *second], others));
            }
        }
    }
    // The same twice, at least.
    assert!(refused > 2 * all.len(), "{refused}");
}

fn is_refused(pair: [(&str, Comparison); 2], others: [Option<u32>; 2]) -> bool {
    let effects = [Action::Allow, Action::KillProcess].map(|it| Effect::new(it, None));
    let entry = |(number, (operator, it)): (usize, (&str, Comparison))| {
        let other =
            others[number].map(|index| json!({ "index": index, "value": 5, "op": "SCMP_CMP_EQ" }));
        let one = json!({ "index": it.index, "value": it.value, "valueTwo": it.value_two, "op": operator });
        let args: Vec<_> = other.into_iter().chain([one]).collect();
        json!({ "names": ["ioctl"], "action": effects[number].action.name(), "args": args })
    };
    let entries: Vec<Value> = pair.into_iter().enumerate().map(entry).collect();
    let text = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": entries }).to_string();
    let document = json::parse(text.as_bytes());
    let surroundings = Surroundings {
        libseccomp: linked().expect("a libseccomp").into(),
        native: Arch::X86_64,
        no_new_privileges: true,
        fits: any_size,
    };
    let model = Model::of("crun", "1.28").expect("a runtime");
    let prediction = model.predict(&document, text.as_bytes(), surroundings);
    let rules = pair.into_iter().enumerate().map(|(entry, (_, it))| Rule {
        effect: effects[entry],
        syscall: lookup("ioctl").expect("a call"),
        comparisons: {
            let other = others[entry].map(|index| comparison(index, Operator::Equal, 5));
            other.into_iter().chain([it]).collect::<Vec<_>>().into()
        },
        entry,
    });
    let made = compile(&Plan {
        default: Effect::new(Action::Errno, None),
        native: Arch::X86_64,
        architectures: Vec::new(),
        rules: rules.collect(),
        stub: None,
        is_tree: false,
    });
    let is_refused = matches!(made, Err(CompileError::Rule { .. }));
    assert!(is_refused || made.is_ok(), "{made:?}: {text}");
    assert_eq!(
        prediction.outcome == Outcome::Refuses,
        is_refused,
        "{:?}: {text}",
        prediction.error
    );
    is_refused
}

fn comparison(index: u32, operator: Operator, value: u64) -> Comparison {
    Comparison {
        index,
        operator,
        value,
        value_two: value,
    }
}

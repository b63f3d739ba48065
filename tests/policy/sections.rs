//! Sections that nobody would write, made from a seed, on their way through a runtime.

use std::sync::Arc;

use seclint::filter::{CompileError, compile};
use seclint::profile::{Comparison, Effect, Operator};
use seclint::runtime::{Model, Outcome, Plan, Rule, Surroundings, any_size, in_rules};
use seclint::syscalls::{Arch, Release, lookup};
use seclint::text::json;
use serde_json::{Map, Value, json};

use crate::plans::{ACTIONS, NAMES, Numbers, OPERATORS, VALUES};
use crate::worker::{Line, compared, shown};

/// Names that come to nothing: of no call, of a call that is gone, of none at all.
const OTHERS: [&str; 4] = ["mkdri", "uselib", "create_module", "Read"];

/// A section, and what libseccomp would be asked for it by a runtime that looks at nothing.
struct Section {
    native: Arch,
    value: Value,
    plan: Plan,
}

/// What a runtime makes of the section of a number, against the linked libseccomp.
pub(crate) fn checked(number: u64, release: Release) -> Line {
    let mut numbers = Numbers::of_case(number);
    let (name, version, _) = numbers.of(&Model::RECORDED);
    let model = Model::of(name, version).expect("a runtime");
    let section = section(&mut numbers, release);
    let text = section.value.to_string();
    let document = json::parse(text.as_bytes());
    let surroundings = Surroundings {
        libseccomp: release.into(),
        native: section.native,
        no_new_privileges: true,
        fits: any_size,
    };
    let prediction = model.predict(&document, text.as_bytes(), surroundings);
    let Some(plan) = &prediction.plan else {
        assert_eq!(prediction.outcome, Outcome::Refuses, "{text}");
        let words = prediction.error.unwrap_or_default();
        if !words.to_lowercase().ends_with("file exists") {
            return Line::Unplanned;
        }
        return match compile(&section.plan) {
            Err(CompileError::Rule { .. }) => Line::Foreseen,
            Err(CompileError::OneNumber { .. }) => Line::Unplanned,
            other => Line::Unfounded(format!(
                "{name} {version} on {}: {words} is not what libseccomp says, but {:?}: {text}\n{}",
                section.native,
                other.map(|filter| filter.list().len()),
                shown(&section.plan)
            )),
        };
    };
    match compared(plan) {
        Line::Differs(how) => Line::Differs(format!(
            "{name} {version} on {}: {text}\n{how}",
            section.native
        )),
        Line::Refused(how) => Line::Refused(format!(
            "{name} {version} on {}: {text}\n{how}",
            section.native
        )),
        line => line,
    }
}

fn section(numbers: &mut Numbers, release: Release) -> Section {
    let known = Arch::ALL.into_iter();
    let known: Vec<_> = known.filter(|it| it.first_release() <= release).collect();
    let native = numbers.of(&known);
    let mut listed = Vec::new();
    for _ in 0..numbers.below(4) {
        let arch = numbers.of(&Arch::ALL);
        // Now and then one that libseccomp or the runtime refuses.
        let fits = known.contains(&arch) && arch.is_little_endian() == native.is_little_endian();
        if fits || numbers.is_one_in(12) {
            listed.push(arch);
        }
    }
    let mut value = Map::new();
    let default = effect(numbers, &mut value, "defaultAction", "defaultErrnoRet");
    value.insert(
        "architectures".to_owned(),
        listed.iter().map(|arch| arch.token()).collect(),
    );
    let mut plan = Plan {
        default,
        native,
        architectures: Vec::new(),
        rules: Vec::new(),
        stub: None,
        is_tree: false,
    };
    for &arch in &listed {
        if arch != native && !plan.architectures.contains(&arch) {
            plan.architectures.push(arch);
        }
    }
    // The one number that changed since 2.5.4, and the table has the newest.
    let has_changed = native == Arch::Parisc64 || listed.contains(&Arch::Parisc64);
    let mut common: Vec<_> = (0..=numbers.below(3)).map(|_| numbers.of(&NAMES)).collect();
    common.push(numbers.of(&OTHERS));
    common.retain(|&name| name != "_llseek" || !has_changed);
    // Few, so that conditions meet.
    let values: Vec<_> = (0..=numbers.of(&[1, 2, 15]))
        .map(|_| numbers.of(&VALUES))
        .collect();
    let mut entries = Vec::new();
    for position in 0..numbers.below(8) {
        let mut entry = Map::new();
        let effect = effect(numbers, &mut entry, "action", "errnoRet");
        let names: Vec<_> = (0..=numbers.below(2))
            .map(|_| numbers.of(&common))
            .collect();
        let (args, comparisons) = conditions(numbers, &values);
        entry.insert("names".to_owned(), json!(names));
        if !args.is_empty() || numbers.is_one_in(2) {
            entry.insert("args".to_owned(), Value::Array(args));
        }
        entries.push(Value::Object(entry));
        if effect == default {
            continue;
        }
        for syscall in names.iter().filter_map(|name| lookup(name)) {
            if !syscall.known_to(release) {
                continue;
            }
            for comparisons in in_rules(comparisons.clone()) {
                plan.rules.push(Rule {
                    effect,
                    syscall,
                    comparisons: Arc::clone(&comparisons),
                    entry: position,
                });
            }
        }
    }
    value.insert("syscalls".to_owned(), Value::Array(entries));
    Section {
        native,
        value: Value::Object(value),
        plan,
    }
}

/// An action with its errno, as a section has them.
fn effect(numbers: &mut Numbers, into: &mut Map<String, Value>, key: &str, errno: &str) -> Effect {
    let action = numbers.of(&ACTIONS);
    into.insert(key.to_owned(), action.name().into());
    let takes_errno = action.takes_errno() || numbers.is_one_in(50);
    let ret = takes_errno.then(|| numbers.of(&[None, Some(1), Some(2), Some(38), Some(4094)]));
    let ret = ret.flatten();
    if let Some(ret) = ret {
        into.insert(errno.to_owned(), ret.into());
    }
    Effect::new(action, ret)
}

/// Conditions as a section has them, and as they are meant. Now and then there are two on one
/// argument, of which each is enough.
fn conditions(numbers: &mut Numbers, values: &[u64]) -> (Vec<Value>, Vec<Comparison>) {
    let mut args = Vec::new();
    let mut comparisons = Vec::new();
    for _ in 0..numbers.of(&[0, 0, 1, 1, 1, 1, 1, 1, 2, 3]) {
        let value_two = numbers.of(values);
        let comparison = Comparison {
            index: numbers.of(&[0, 0, 1, 2, 5]),
            operator: numbers.of(&OPERATORS),
            value: numbers.of(values),
            value_two,
        };
        let mut arg = Map::new();
        arg.insert("index".to_owned(), comparison.index.into());
        arg.insert("value".to_owned(), comparison.value.into());
        arg.insert("op".to_owned(), operator(comparison.operator).into());
        if comparison.value_two != 0 || numbers.is_one_in(2) {
            arg.insert("valueTwo".to_owned(), comparison.value_two.into());
        }
        args.push(Value::Object(arg));
        comparisons.push(comparison);
    }
    (args, comparisons)
}

fn operator(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "SCMP_CMP_EQ",
        Operator::NotEqual => "SCMP_CMP_NE",
        Operator::Less => "SCMP_CMP_LT",
        Operator::LessOrEqual => "SCMP_CMP_LE",
        Operator::Greater => "SCMP_CMP_GT",
        Operator::GreaterOrEqual => "SCMP_CMP_GE",
        Operator::MaskedEqual => "SCMP_CMP_MASKED_EQ",
    }
}

//! The comparison of one plan's policy with its filter, in a process of its own: libseccomp does
//! not come to an end with some plans, and nothing else ends it.

use std::ops::Range;

use seclint::filter::{CompileError, Diagram, Diagrams, Filter, Leaf, compile, linked};
use seclint::policy::Policy;
use seclint::runtime::Plan;
use serde::{Deserialize, Serialize};

use crate::plans::plan;
use crate::sections;

/// What came of a plan: a line that a worker writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    /// This one is next.
    Next(u64),
    /// The policy says what the filter does.
    Agrees {
        /// The calls that rules are about, of all architectures.
        calls: usize,
        /// Those for some of whose arguments the policy says that it does not know.
        undecided: usize,
        /// Whether what is not known was had from some of the rules.
        by_some: bool,
    },
    /// It does not.
    Differs(String),
    /// libseccomp refuses a rule.
    Refused(String),
    /// It does, and so it was said.
    Foreseen,
    /// It was said to, and does not.
    Unfounded(String),
    /// The runtime refuses the section for other reasons.
    Unplanned,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Plans, whoever may make them.
    Plans,
    /// Sections, as a runtime reads them.
    Sections,
}

/// Compares the plans or sections of these numbers.
pub(crate) fn work(kind: Kind, numbers: Range<u64>) {
    let release = linked().expect("a libseccomp");
    for number in numbers {
        print(&Line::Next(number));
        print(&match kind {
            Kind::Plans => compared(&plan(number, release)),
            Kind::Sections => sections::checked(number, release),
        });
    }
}

fn print(line: &Line) {
    // The test harness writes into the same lines.
    println!("\n{MARK}{}", serde_json::to_string(line).expect("JSON"));
}

/// What a worker's lines begin with.
pub(crate) const MARK: &str = "oracle: ";

/// A plan's policy against its filter.
pub(crate) fn compared(plan: &Plan) -> Line {
    let filter = match compile(plan) {
        Ok(filter) => filter,
        Err(why @ (CompileError::Rule { .. } | CompileError::OneNumber { .. })) => {
            return Line::Refused(why.to_string());
        }
        Err(why) => return Line::Differs(format!("{why}: {}", shown(plan))),
    };
    let policy = Policy::of(plan);
    let mut diagrams = Diagrams::default();
    let made = diagrams.of_filter(&filter).expect("decided");
    let meant = policy.diagram(&mut diagrams).expect("small");
    let is_other = |made: &Leaf, meant: &Leaf| match (made, meant) {
        (Leaf::Verdict(made), Leaf::OneOf(verdicts)) => !verdicts.contains(made),
        _ => true,
    };
    let differing = diagrams.differing(made, meant, is_other).expect("small");
    if differing != Diagram::NONE {
        let mut arches = plan.architectures.clone();
        arches.push(plan.native);
        let call = diagrams.readable(differing, &arches).expect("a call");
        return Line::Differs(format!(
            "{call:x?}: the filter says {:?}, the policy {:?}: {}\n{}",
            diagrams.decide(made, &call),
            diagrams.decide(meant, &call),
            shown(plan),
            listed(&filter)
        ));
    }
    if let Some(how) = told_otherwise(&policy, meant, made, &mut diagrams) {
        return Line::Differs(format!("{how}: {}", shown(plan)));
    }
    let mut calls = 0;
    let mut undecided = 0;
    for (_, _, call) in policy.calls() {
        let diagram = call.diagram(&mut diagrams).expect("small");
        let leaves = diagrams.leaves(diagram);
        calls += 1;
        undecided += usize::from(leaves.iter().any(|leaf| leaf.verdict().is_none()));
    }
    let some = policy.open().expect("small").rules.len();
    Line::Agrees {
        calls,
        undecided,
        by_some: undecided > 0 && some < plan.rules.len(),
    }
}

/// How what the policy does not know is decided otherwise in the filter of the rules that it is
/// about than in that of all; `None` if it is not.
fn told_otherwise(
    policy: &Policy<'_>,
    meant: Diagram,
    made: Diagram,
    diagrams: &mut Diagrams,
) -> Option<String> {
    let filter = match policy.open_filter() {
        Ok(filter) => filter,
        Err(why) => return Some(format!("of the open rules alone: {why}")),
    };
    let few = diagrams.of_filter(&filter).expect("decided");
    let mut told = |made| {
        let told = diagrams.combine(meant, made, |meant, made| match meant {
            Leaf::OneOf(_) => made.clone(),
            _ => meant.clone(),
        });
        told.expect("small")
    };
    (told(made) != told(few)).then(|| "the open rules alone decide otherwise".to_owned())
}

/// A filter, a line an instruction.
fn listed(filter: &Filter) -> String {
    let lines = filter.list().into_iter().enumerate();
    let lines = lines.map(|(index, line)| format!("{index:6}  {}\n", line.text));
    lines.collect()
}

/// A plan, a line a rule.
pub(crate) fn shown(plan: &Plan) -> String {
    let Plan {
        default,
        native,
        architectures,
        rules,
        stub,
        is_tree,
    } = plan;
    let shown = rules.iter().map(|rule| {
        let comparisons = rule.comparisons.iter().map(|it| {
            let (value, value_two) = (it.value, it.value_two);
            format!(" {} {:?} {value:#x} {value_two:#x};", it.index, it.operator)
        });
        let comparisons: String = comparisons.collect();
        let name = rule.syscall.name();
        format!("\n    {name} {:?} if{comparisons}", rule.effect)
    });
    let shown: String = shown.collect();
    format!("{native} {architectures:?} {default:?} {stub:?} {is_tree}{shown}")
}

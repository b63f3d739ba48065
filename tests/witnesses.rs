//! Findings that name a call, held against the filter that libseccomp makes of the profile: with
//! the arguments in the finding, does the call meet what the finding says? If one of these fails, a
//! user is given a proof that proves nothing.

#![cfg(feature = "libseccomp")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/runtimes.rs"]
mod runtimes;

use std::path::Path;
use std::sync::Arc;

use seclint::filter::{Call, Filter, compile, linked};
use seclint::finding::Finding;
use seclint::lint::{Linter, find_rule, lint_rules};
use seclint::profile::Dialects;
use seclint::runtime::{Model, Surroundings, any_size};
use seclint::syscalls::{Arch, lookup};
use seclint::target::Target;
use seclint::text::{Source, json};

use runtimes::Case;

const ARCH: Arch = Arch::X86_64;

fn cases() -> Vec<Case> {
    let sections = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtimes/sections.jsonl");
    Case::all(Path::new(sections))
}

/// What crun loads for a section, if it loads anything.
fn filter(section: &[u8]) -> Option<Filter> {
    let document = json::parse(section);
    let surroundings = Surroundings {
        libseccomp: linked()?.into(),
        native: ARCH,
        no_new_privileges: true,
        fits: any_size,
    };
    let model = Model::of("crun", "1.28").expect("a version");
    let prediction = model.predict(&document, section, surroundings);
    compile(prediction.plan.as_ref()?).ok()
}

fn findings(rule: &str, section: &[u8]) -> Vec<Finding> {
    find_rule(rule).expect("a rule");
    let rules = lint_rules().iter().copied();
    let linter = Linter {
        rules: rules.filter(|it| it.rule.id == rule).collect(),
        targets: vec![Target::default()],
        dialects: Some(Dialects::OCI),
        ..Linter::default()
    };
    let source = Source::new("section.json".to_owned(), section.to_vec());
    linter.lint(&Arc::new(source)).findings
}

fn call(finding: &Finding) -> Call {
    let name = finding.facts["syscall"].as_str().expect("a name");
    let arguments = finding.facts["arguments"].as_array().expect("arguments");
    let arguments: Vec<_> = arguments
        .iter()
        .filter_map(serde_json::Value::as_u64)
        .collect();
    Call {
        number: lookup(name)
            .and_then(|it| it.direct_number(ARCH))
            .expect("a number"),
        architecture: ARCH.audit_arch(),
        arguments: arguments.try_into().expect("six arguments"),
        ..Call::default()
    }
}

/// Runs `judge` on every finding of a rule in a section that makes a filter, and wants as many as
/// `least`.
fn each(rule: &str, least: usize, judge: impl Fn(&Filter, &Finding)) {
    let mut judged = 0;
    // Of odd ones crun reads something else than a person.
    let is_plain = |case: &Case| {
        ["rule ", "generated "]
            .iter()
            .any(|it| case.case.starts_with(it))
    };
    for case in cases().into_iter().filter(is_plain) {
        let section = case.section();
        let found = findings(rule, &section);
        let Some(filter) = filter(&section).filter(|_| !found.is_empty()) else {
            continue;
        };
        let is_known = |finding: &Finding| {
            let syscall = lookup(finding.facts["syscall"].as_str().expect("a name"));
            syscall
                .expect("a call")
                .known_to(linked().expect("libseccomp"))
        };
        for finding in found.into_iter().filter(is_known) {
            judge(&filter, &finding);
            judged += 1;
        }
    }
    assert!(judged >= least, "{rule}: {judged}");
}

/// The call as the kernel takes it.
fn taken(finding: &Finding) -> Call {
    let mut taken = call(finding);
    let number = |fact: &str| finding.facts[fact].as_u64().expect("a number");
    taken.arguments[number("index") as usize] = number("taken");
    taken
}

#[test]
fn what_passes_by_its_upper_bits_is_denied_without_them() {
    each("int-arg-upper-bits-bypass", 3, |filter, finding| {
        assert!(filter.evaluate(&call(finding)).action.permits());
        if finding.facts["certain"] == true {
            assert!(!filter.evaluate(&taken(finding)).action.permits());
        }
    });
}

#[test]
fn what_is_rejected_for_its_upper_bits_is_allowed_without_them() {
    each("int-arg-upper-bits-reject", 1, |filter, finding| {
        assert!(!filter.evaluate(&call(finding)).action.permits());
        if finding.facts["certain"] == true {
            assert!(filter.evaluate(&taken(finding)).action.permits());
        }
    });
}

#[test]
fn what_an_ineffective_rule_entry_denies_is_allowed() {
    each("ineffective-deny", 1, |filter, finding| {
        assert!(filter.evaluate(&call(finding)).action.permits());
    });
}

/// The page's example, of which it says what comes of it.
#[test]
fn the_overlap_of_the_page_lets_the_call_through() {
    let case = cases().into_iter();
    let mut case = case.filter(|it| it.case == "rule overlapping-conditions, bad 1");
    let section = case.next().expect("the example").section();
    let filter = filter(&section).expect("a filter");
    let found = findings("overlapping-conditions", &section);
    let [finding] = found.as_slice() else {
        panic!("{} findings", found.len());
    };
    assert!(filter.evaluate(&call(finding)).action.permits());
}

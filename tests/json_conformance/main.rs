//! Conformance of the tolerant JSON parser: all of `test_parsing` of Nicolas Seriot's
//! [`JSONTestSuite`](https://github.com/nst/JSONTestSuite) (MIT), and cases of our own.
//!
//! Names are `JSONTestSuite`'s without `.json`, so that a reader can find them. When a case of
//! `accept` fails, a user gets complaints about a good profile; of `reject`, a profile that no
//! container runtime loads passes; of `either` or `own`, the user is told of another mistake than
//! the one that was made, or the linter crashes or hangs on the file.

mod accept;
mod either;
mod own;
mod reject;

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::thread;

use own::Expected;
use seclint::text::json;

/// The kinds of the deviations of `bytes`, in their order; or what the parser must never do.
fn kinds(bytes: &[u8]) -> Result<Vec<String>, String> {
    let deviations = catch_unwind(|| {
        let document = json::parse(bytes);
        let told = document.deviations().iter();
        told.map(|it| (it.kind.name().to_owned(), it.span.start, it.span.end))
            .collect::<Vec<_>>()
    })
    .map_err(|_| "a panic".to_owned())?;
    deviations
        .into_iter()
        .map(|(kind, start, end)| {
            if start <= end && end as usize <= bytes.len() {
                Ok(kind)
            } else {
                Err(format!("{kind} at {start}..{end} of {} bytes", bytes.len()))
            }
        })
        .collect()
}

/// What is shown of a case that failed.
fn failure(name: &str, bytes: &[u8], expected: &str, got: &Result<Vec<String>, String>) -> String {
    const SHOWN: usize = 80;
    let start = &bytes[..bytes.len().min(SHOWN)];
    let more = if bytes.len() > SHOWN { "..." } else { "" };
    let got = match got {
        Ok(kinds) if kinds.is_empty() => "nothing".to_owned(),
        Ok(kinds) if kinds.len() > 12 => {
            format!("{} and {} more", kinds[..12].join(", "), kinds.len() - 12)
        }
        Ok(kinds) => kinds.join(", "),
        Err(wrong) => wrong.clone(),
    };
    let bytes = start.escape_ascii();
    format!("{name}\n    bytes    {bytes}{more}\n    expected {expected}\n    got      {got}")
}

/// Fails with all of `failures` at once, and when cases were lost or named twice.
fn conclude(names: &[&str], count: usize, failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        names.len(),
        failures.join("\n")
    );
    let different: HashSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "two cases have one name");
    assert_eq!(names.len(), count, "the number of cases");
}

#[test]
fn accept_what_is_json() {
    let mut failures = Vec::new();
    for &(name, bytes) in accept::CASES {
        let got = kinds(bytes);
        if got != Ok(Vec::new()) {
            failures.push(failure(name, bytes, "nothing", &got));
        }
        if let Err(error) = serde_json::from_slice::<serde_json::Value>(bytes) {
            failures.push(format!("{name}\n    serde_json refuses it: {error}"));
        }
    }
    let names: Vec<_> = accept::CASES.iter().map(|case| case.0).collect();
    conclude(&names, 95, &failures);
}

#[test]
fn reject_what_is_not_json() {
    let generated = reject::generated();
    let generated = generated
        .iter()
        .map(|(name, bytes, allowed)| (*name, &bytes[..], *allowed));
    let cases: Vec<_> = reject::CASES.iter().copied().chain(generated).collect();
    let mut failures = Vec::new();
    for &(name, bytes, allowed) in &cases {
        let got = kinds(bytes);
        let first = got.as_ref().ok().and_then(|kinds| kinds.first());
        if !first.is_some_and(|kind| allowed.contains(&kind.as_str())) {
            let expected = format!("{} first", allowed.join(" or "));
            failures.push(failure(name, bytes, &expected, &got));
        }
        // Says that the case is one: that its bytes were not spoiled here.
        if serde_json::from_slice::<serde_json::Value>(bytes).is_ok() {
            failures.push(format!("{name}\n    serde_json takes it"));
        }
    }
    let names: Vec<_> = cases.iter().map(|case| case.0).collect();
    conclude(&names, 188, &failures);
}

#[test]
fn say_what_is_expected_of_what_may_be_either() {
    let mut failures = Vec::new();
    for &(name, bytes, expected) in either::CASES {
        let mut got = kinds(bytes);
        if let Ok(kinds) = &mut got {
            kinds.dedup(); // two lone surrogates are two deviations, bad bytes one or several
        }
        if got != Ok(expected.iter().map(ToString::to_string).collect()) {
            failures.push(failure(name, bytes, expected.unwrap_or("nothing"), &got));
        }
    }
    let (nested, bytes) = either::nested();
    let got = kinds(&bytes);
    if !matches!(&got, Ok(kinds) if kinds.iter().all(|kind| kind == "too-deep")) {
        failures.push(failure(nested, &bytes, "nothing or too-deep", &got));
    }
    let names = either::CASES.iter().map(|case| case.0).chain([nested]);
    conclude(&names.collect::<Vec<_>>(), 35, &failures);
}

#[test]
fn name_every_mistake_of_people_once_and_go_on() {
    let mut failures = Vec::new();
    for &(name, bytes, allowed) in own::CASES {
        let got = kinds(bytes);
        if !matches!(&got, Ok(kinds) if allowed.iter().any(|list| kinds == list)) {
            let expected: Vec<_> = allowed.iter().map(|list| list.join(", ")).collect();
            failures.push(failure(name, bytes, &expected.join("; or "), &got));
        }
    }
    let names: Vec<_> = own::CASES.iter().map(|case| case.0).collect();
    conclude(&names, 51, &failures);
}

/// On half the stack that a thread of rayon has. A stack overflow ends the run: the thread that it
/// names is the case.
#[test]
fn long_documents_take_little_stack() -> std::io::Result<()> {
    const STACK: usize = 1 << 20;
    let mut names = Vec::new();
    let mut failures = Vec::new();
    for (name, bytes, expected) in own::long() {
        names.push(name);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK);
        let parser = thread.spawn(move || (kinds(&bytes), bytes))?;
        let (got, bytes) = parser.join().expect("kinds() catches panics");
        let right = got.as_ref().is_ok_and(|kinds| match expected {
            Expected::Only(kind) => kinds.iter().all(|got| got == kind) && !kinds.is_empty(),
            Expected::Last(kind) => kinds.last().is_some_and(|got| got == kind),
            Expected::Something => !kinds.is_empty(),
        });
        if !right {
            failures.push(failure(name, &bytes, &format!("{expected:?}"), &got));
        }
    }
    conclude(&names, 9, &failures);
    Ok(())
}

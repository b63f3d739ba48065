//! Any bytes at all, linted as a profile: nothing panics, every place that is
//! reported is in the file, and what is called JSON is what `serde_json` calls so.
//! The same bytes are linted as YAML.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use seclint::engine::Engine;
use seclint::lint::{Demands, Linter, lint_rules};
use seclint::profile::Dialects;
use seclint::target::Target;
use seclint::text::{Deviation, DeviationKind, Source, json};

fuzz_target!(|bytes: &[u8]| {
    let document = json::parse(bytes);
    for deviation in document.deviations() {
        assert!(deviation.span.start <= deviation.span.end);
        assert!(deviation.span.end as usize <= bytes.len());
    }
    // Surrogates and depth are no matter of RFC 8259's grammar, and serde_json
    // has a limit of its own on the second.
    let is_deeper = |it: &Deviation| it.kind == DeviationKind::TooDeep;
    let is_grammar = |it: &&Deviation| it.kind != DeviationKind::LoneSurrogate;
    if !document.deviations().iter().any(is_deeper) {
        let is_json = document.deviations().iter().filter(is_grammar).count() == 0;
        let text = std::str::from_utf8(bytes);
        let verdict =
            text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
        assert_eq!(is_json, verdict, "{}", bytes.escape_ascii());
    }

    for name in ["fuzz.json", "fuzz.yaml"] {
        let source = Arc::new(Source::new(name, bytes.to_vec()));
        for dialects in [None, Some(Dialects::OCI), Some(Dialects::OPERATOR)] {
            let linter = Linter {
                rules: lint_rules().to_vec(),
                targets: vec![Target::default()],
                engines: Engine::ALL.to_vec(),
                dialects,
                demands: Demands::default(),
            };
            for finding in linter.lint(&source).findings {
                let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
                let spans = finding
                    .location
                    .span
                    .into_iter()
                    .chain(edits.map(|edit| edit.span));
                for span in spans {
                    assert!(span.start <= span.end && span.end as usize <= bytes.len());
                    let _ = source.position(span.start);
                }
            }
        }
    }
});

//! One set of findings through every format: what stands in one of them must
//! stand in the others, and nothing that a profile holds may become anything
//! but text.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::sync::Arc;

use seclint::finding::{
    Applicability, Category, Edit, Finding, Fix, Location, Rule, RuleSet, Severity,
};
use seclint::report::{
    Against, Conclusion, Github, Human, Json, Look, Report, Sarif, Summary, Workspace,
};
use seclint::target::Target;
use seclint::text::{Source, Span};
use serde_json::Value;
use support::{results, sarif};

static MISSPELT: Rule = Rule {
    id: "misspelt-word",
    category: Category::Correctness,
    severity: Severity::Error,
    set: RuleSet::Default,
    page: "# misspelt-word\n\ncorrectness · error\n\nA word is\nmisspelt.\n\n## Why it hurts\n\nNobody\nunderstands it.\n\nTruly nobody.\n\n## Examples\n\n```json bad\n{}\n```\n\n## When to ignore it\n\nNever.\n",
};
static ODD: Rule = Rule {
    id: "odd-file",
    category: Category::Style,
    severity: Severity::Info,
    set: RuleSet::Default,
    page: "# odd-file\n\nstyle · info\n\nA file is odd.\n",
};

/// The span of a text in a source.
fn span(source: &Source, text: &str) -> Span {
    let bytes = source.bytes();
    let start = (bytes.windows(text.len()))
        .position(|window| window == text.as_bytes())
        .expect("the text is there");
    Span::new(start as u32, (start + text.len()) as u32)
}

fn at(source: &Arc<Source>, text: &str, pointer: &str) -> Location {
    Location {
        source: Arc::clone(source),
        span: Some(span(source, text)),
        pointer: Some(pointer.to_owned()),
    }
}

/// What formats differ in: characters beyond ASCII, labels elsewhere, spans over
/// lines, files without a place, and a profile that is out for mischief.
fn findings() -> Vec<Vec<Finding>> {
    let plain = "{\n  \"größe\": \"λ\", \"names\": [\"mkdirr\", \"mkdirr\"],\n  \"args\": [\n    1\n  ]\n}\n";
    let plain = Arc::new(Source::new(
        "./profiles/a b.json",
        plain.as_bytes().to_vec(),
    ));
    let other = Arc::new(Source::new("/etc/ü.json", b"{\"names\": []}".to_vec()));
    let hostile = Arc::new(Source::new(
        "p,1:2\n::error::name%0A",
        b"\"a\n::error::b\"".to_vec(),
    ));
    let mkdirr = |pointer: &str| {
        Finding::new(
            &MISSPELT,
            at(&plain, "\"mkdirr\"", pointer),
            "no call is `mkdirr`",
        )
        .here("here")
        .label(
            at(&other, "[]", "/names"),
            "the list that it is missing from",
        )
        .help("write `mkdir`")
        .fact("syscall", "mkdirr")
        .fact("suggestion", "mkdir")
        .fix(
            Applicability::Unsafe,
            span(&plain, "\"mkdirr\""),
            "\"mkdir\"",
        )
    };
    let mut cut = Finding::new(
        &ODD,
        at(&plain, "[\n    1\n  ]", "/args"),
        "three lines for a number",
    )
    .severity(Severity::Warning);
    let edits = [("[\n", ""), ("  ]", "]")].map(|(text, new)| Edit {
        span: span(&plain, text),
        text: new.to_owned(),
    });
    cut.fix = Some(Fix {
        applicability: Applicability::Safe,
        edits: edits.into(),
    });
    let evil = "a\r\n::error::owned%0A::stop-commands::x ##[error]owned [click](https://evil.example) \u{1b}[2J\u{202e}{0}";
    vec![
        vec![mkdirr("/names/0"), mkdirr("/names/1"), cut],
        vec![Finding::new(&ODD, Location::file(&other), "an odd file").help("move it")],
        vec![
            Finding::new(&MISSPELT, at(&hostile, "\"a\n::error::b\"", ""), evil)
                .here(evil)
                .label(Location::file(&hostile), evil)
                .help(evil)
                .fact("syscall", evil),
            Finding::new(
                &ODD,
                Location::file(&Arc::new(Source::new("<stdin>", Vec::new()))),
                "odd",
            ),
        ],
    ]
}

fn write(report: &mut dyn Report) {
    let targets = [Target::default()];
    let against = Against {
        targets: &targets,
        engines: &[],
        dialects: None,
    };
    report.begin().expect("memory");
    let mut summary = Summary::default();
    for file in findings() {
        summary.files += 1;
        summary.profiles += 1;
        for finding in &file {
            summary.count(finding);
        }
        report.findings(&file).expect("memory");
    }
    let conclusion = Conclusion {
        summary: &summary,
        against,
        gone: None,
    };
    report.end(&conclusion).expect("memory");
    report.finish(true).expect("memory");
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("reports are UTF-8")
}

fn in_github() -> String {
    written(|out| write(&mut Github::new(out, Workspace::default())))
}

fn in_sarif() -> String {
    written(|out| {
        write(&mut Sarif::new(
            out,
            vec![&MISSPELT, &ODD],
            Workspace::default(),
        ));
    })
}

/// A report without the version that it was written by.
fn without_version(text: &str) -> String {
    text.replace(
        &format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        "\"[version]\"",
    )
}

#[test]
fn for_people() {
    let look = Look {
        color: false,
        unicode: true,
    };
    insta::assert_snapshot!(written(|out| write(&mut Human::new(out, look))));
}

#[test]
fn as_json() {
    insta::assert_snapshot!(without_version(&written(|out| write(&mut Json::new(out)))));
}

#[test]
fn as_sarif() {
    let text = in_sarif();
    let report = format!("{:#}", sarif(&text));
    insta::assert_snapshot!(without_version(&report));
}

#[test]
fn as_workflow_commands() {
    insta::assert_snapshot!(in_github());
}

/// What a runner would make of a line, by the rules of its source: a command of
/// the present form begins the line, one of the old form stands anywhere in it.
fn command(line: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    assert!(!line.contains("##["), "an old command: {line}");
    let line = line.trim_start().strip_prefix("::")?;
    let (head, _) = line.split_once("::").expect("a command");
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',');
    let properties = properties.map(|property| property.split_once('=').expect("a property"));
    Some((name, properties.collect()))
}

fn unescaped(text: &str) -> String {
    let text = text.replace("%0A", "\n").replace("%0D", "\r");
    text.replace("%3A", ":")
        .replace("%2C", ",")
        .replace("%25", "%")
}

/// `::stop-commands::` in a profile would switch off all that a job says after it.
#[test]
fn no_profile_commands_a_runner() {
    let text = in_github();
    let findings = findings().concat();
    // A runner ends lines at carriage returns as well.
    let lines: Vec<_> = text.trim_end().split(['\n', '\r']).collect();
    assert_eq!(lines.len(), findings.len() + 1, "a line a finding: {text}");
    let (last, lines) = lines.split_last().expect("a line");
    assert_eq!(command(last), None, "the summary is no command");
    for (line, finding) in lines.iter().zip(&findings) {
        let (name, properties) = command(line).expect("a command");
        let expected = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        assert_eq!(name, expected);
        let property = |name: &str| {
            let found = properties.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| unescaped(value))
        };
        let source = &finding.location.source;
        let path = (source.name() != Source::STANDARD_INPUT).then(|| source.name());
        let path = path.map(|path| path.trim_start_matches("./").to_owned());
        assert_eq!(property("file"), path);
        assert_eq!(
            property("title"),
            Some(format!("seclint ({})", finding.rule.id))
        );
        assert_eq!(
            property("col").is_some(),
            property("line").is_some() && property("line") == property("endLine")
        );
    }
}

/// A runner's log is read in terminals.
#[test]
fn no_name_of_a_file_commands_a_terminal() {
    let source = Arc::new(Source::new("a\u{1b}[31m.json", b"{}".to_vec()));
    let finding = Finding::new(&ODD, Location::file(&source), "odd");
    let mut out = Vec::new();
    let written = Github::new(&mut out, Workspace::default()).findings(&[finding]);
    written.expect("written");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.contains("file=a\u{fffd}[31m.json,"), "{text:?}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

/// A viewer shows `[text](address)` in a message as a link.
#[test]
fn no_profile_puts_links_into_sarif() {
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| match value {
                Value::String(text) if key == "text" => found.push(text.clone()),
                _ => texts(value, found),
            }),
            Value::Array(array) => array.iter().for_each(|value| texts(value, found)),
            _ => {}
        }
    }
    let report = sarif(&in_sarif());
    let mut found = Vec::new();
    texts(&Value::Array(results(&report).clone()), &mut found);
    let evil = found.iter().filter(|text| text.contains("evil.example"));
    assert_eq!(evil.count(), 3, "{found:#?}");
    for text in found {
        let links = text
            .match_indices("](")
            .filter(|(at, _)| !text[..*at].ends_with('\\'));
        assert_eq!(links.count(), 0, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}

/// What is held of a report grows with the number of files, if it is not written.
#[test]
fn sarif_is_written_as_it_comes() {
    /// What was written, and how much of it had been when it was asked.
    #[derive(Default)]
    struct Out(std::rc::Rc<std::cell::Cell<usize>>);
    impl std::io::Write for Out {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.set(self.0.get() + bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let out = Out::default();
    let length = std::rc::Rc::clone(&out.0);
    let mut report = Sarif::new(out, vec![&MISSPELT, &ODD], Workspace::default());
    let mut before = 0;
    for file in findings() {
        report.findings(&file).expect("written");
        let messages: usize = file.iter().map(|finding| finding.message.len()).sum();
        assert!(length.get() > before + messages);
        before = length.get();
    }
    report.finish(true).expect("written");
    assert!(length.get() < before + 100, "only the end is left");
}

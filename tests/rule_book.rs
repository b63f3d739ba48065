//! The rule book says what seclint does. If one of these fails, `seclint explain`
//! tells a user something that is not so.
//!
//! A page's fences are run: ` ```json bad --dialect oci ` or ` ```yaml bad ` gives the
//! profile to `seclint check` with those options and only the page's rule, and must give the
//! findings in the ` ```findings ` fence after it, no more and no less; `good`
//! must give none. A profile that is too long for a page is named: ` ```file bad ` holds the
//! name of a file in tests/fixtures/profiles. A ` ```toml config ` fence is the `seclint.toml` beside the examples after it; it
//! must be one, whatever it says. In a page about the cache, the fence says ` cache ` and holds
//! the name of a state root in tests/fixtures/cache.
//!
//! `SECLINT_UPDATE=1` writes what the examples give into the pages; read the
//! difference before you keep it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{StateRoot, repository, run};

/// A fence of a page.
struct Fence {
    line: usize,
    info: String,
    text: String,
}

fn pages() -> Vec<(String, String, String)> {
    let mut pages = Vec::new();
    for category in fs::read_dir(repository("rules")).expect("rules") {
        let category = category.expect("a category").path();
        for page in fs::read_dir(&category).expect("a category") {
            let page = page.expect("a page").path();
            let name = |path: &Path| {
                path.file_stem()
                    .expect("a name")
                    .to_str()
                    .expect("UTF-8")
                    .to_owned()
            };
            let text = fs::read_to_string(&page).expect("a page");
            pages.push((name(&category), name(&page), text));
        }
    }
    pages.sort();
    pages
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<Fence> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let (line, info, text) = (number + 1, info.to_owned(), String::new());
                open = Some(Fence { line, info, text });
            }
            (Some(_), Some("")) => fences.extend(open.take()),
            (Some(fence), _) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    fences
}

/// A finding as pages write it: `3:10 error message`, or `path: error message`.
fn written(finding: &Value, root: &str) -> String {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let place = match &finding["span"] {
        Value::Null => {
            let path = text(&finding["path"]);
            let path = path.strip_prefix(root).unwrap_or(&path);
            format!("{}:", path.trim_start_matches('/'))
        }
        span => format!("{}:{}", span["start"]["line"], span["start"]["column"]),
    };
    let message = text(&finding["message"]).replace(root, "ROOT");
    format!("{place} {} {message}\n", text(&finding["severity"]))
}

fn findings(rule: &str, fence: &Fence, config: Option<&Fence>) -> String {
    let mut words = fence.info.split(' ');
    let language = words.next().unwrap_or_default();
    let options: Vec<_> = words.skip(1).map(str::to_owned).collect();
    let (ran, root) = if language == "cache" {
        let root = StateRoot::of(fence.text.trim());
        let mut arguments = vec!["--select", rule, "--format", "json"];
        arguments.extend(options.iter().map(String::as_str));
        (root.audit(&arguments), root.path().display().to_string())
    } else {
        let (name, text) = if language == "file" {
            let name = fence.text.trim();
            let path = repository(&format!("tests/fixtures/profiles/{name}"));
            let text = fs::read_to_string(path).expect("a profile");
            (name.to_owned(), text)
        } else {
            (format!("profile.{language}"), fence.text.clone())
        };
        let (directory, path) = support::file(&name, &text);
        if let Some(config) = config {
            fs::write(directory.path().join("seclint.toml"), &config.text).expect("a file");
        }
        let path = path.display().to_string();
        let arguments = ["check", "--select", rule, "--format", "json", &path];
        let arguments = arguments.map(str::to_owned).into_iter().chain(options);
        (run(arguments), path)
    };
    assert!(ran.code < 2, "{rule}, line {}: {}", fence.line, ran.stderr);
    let report = ran.report();
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| written(finding, &root))
        .collect()
}

/// An example that does not do what the page says teaches the wrong thing.
#[test]
fn every_example_does_what_its_page_says() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for (category, rule, mut page) in pages() {
        // Their pages are for a seclint with libseccomp; tests/hostile.rs and tests/security_rules.rs
        // are for one without.
        let asks_libseccomp = ["filter-too-large", "overlapping-conditions"];
        if asks_libseccomp.contains(&rule.as_str()) && cfg!(not(feature = "libseccomp")) {
            continue;
        }
        let fences = fences(&page);
        let (mut bad, mut good) = (0, 0);
        for (index, fence) in fences.iter().enumerate() {
            let kind = fence.info.split(' ').nth(1).unwrap_or_default();
            let expected = match kind {
                "bad" => {
                    bad += 1;
                    match fences.get(index + 1).filter(|next| next.info == "findings") {
                        Some(next) => next.text.clone(),
                        None => panic!("{rule}, line {}: no findings follow", fence.line),
                    }
                }
                "good" => {
                    good += 1;
                    String::new()
                }
                _ => continue,
            };
            ran += 1;
            let is_config = |fence: &&Fence| fence.info == "toml config";
            let config = fences[..index].iter().rev().find(is_config);
            let got = findings(&rule, fence, config);
            if got != expected && std::env::var_os("SECLINT_UPDATE").is_some() {
                let (old, new) = (
                    format!("```findings\n{expected}```"),
                    format!("```findings\n{got}```"),
                );
                page = page.replacen(&old, &new, 1);
                fs::write(repository(&format!("rules/{category}/{rule}.md")), &page)
                    .expect("a page");
            } else if got != expected {
                let line = fence.line;
                wrong.push(format!(
                    "{rule}, line {line}: expected\n{expected}but got\n{got}"
                ));
            }
        }
        if bad == 0 || good == 0 {
            wrong.push(format!("{rule}: a page has a bad example and a good one"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 20, "only {ran} examples were found");
}

/// People copy what a page calls good, and get an error of another rule for it. A fence that says
/// `--ignore` is about something else than that rule.
#[test]
fn good_examples_are_good_for_every_rule() {
    // Examples are excerpts: no program starts with the few calls that an allowlist has there.
    const EXCERPT: &str = "missing-runtime-syscalls";
    let mut wrong = Vec::new();
    for (_, rule, page) in pages() {
        for fence in fences(&page) {
            let mut words = fence.info.split(' ');
            let is_profile = matches!(words.next(), Some("json" | "yaml"));
            if !is_profile || words.next() != Some("good") {
                continue;
            }
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("profile");
            fs::write(&path, &fence.text).expect("a file");
            let path = path.display().to_string();
            let fixed = ["check", "--no-config", "--format=json", &path];
            let report = run(fixed.into_iter().chain(words)).report();
            let findings = report["findings"].as_array().expect("findings");
            let bad = findings.iter().filter(|it| it["severity"] == "error");
            for it in bad.filter(|it| it["rule"] != EXCERPT) {
                wrong.push(format!(
                    "{rule}:{}: {} {}",
                    fence.line, it["rule"], it["message"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A rule without a page cannot be explained, a page without a rule promises
/// what seclint does not do, and a wrong head misleads about both.
#[test]
fn the_registry_the_pages_and_the_code_name_the_same_rules() {
    let rules = run(["rules", "--format", "json"]);
    let rules: Value = serde_json::from_str(&rules.stdout).expect("rules");
    let rules = rules.as_array().expect("rules");
    let of = |rule: &Value, key: &str| rule[key].as_str().expect("text").to_owned();
    let registered: BTreeSet<_> = (rules.iter())
        .map(|rule| (of(rule, "category"), of(rule, "id"), of(rule, "page")))
        .collect();
    assert_eq!(registered, pages().into_iter().collect());
    for rule in rules {
        let (id, page) = (of(rule, "id"), of(rule, "page"));
        let (category, severity) = (of(rule, "category"), of(rule, "severity"));
        let strict = if of(rule, "set") == "strict" {
            " · strict"
        } else {
            ""
        };
        let head = format!("# {id}\n\n{category} · {severity}{strict}\n\n");
        assert!(
            page.starts_with(&head),
            "{id}: the page begins with\n{head}"
        );
        let summary = of(rule, "summary");
        assert!(
            summary.ends_with('.'),
            "{id}: the summary is a sentence: {summary}"
        );
    }
    let files = fs::read_dir(repository("src/lint/rules")).expect("src/lint/rules");
    let code: BTreeSet<_> = files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| name != "mod.rs")
        .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
        .collect();
    let lint = rules.iter().filter(|rule| of(rule, "category") != "cache");
    assert_eq!(code, lint.map(|rule| of(rule, "id")).collect());
}

/// `seclint rules` is read from top to bottom, and the source adds a line in order.
#[test]
fn rules_are_sorted_by_name() {
    let listed = run(["rules"]).stdout;
    let names: Vec<_> = listed
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    let registry = fs::read_to_string(repository("src/lint/rules/mod.rs")).expect("a registry");
    let lines = registry
        .lines()
        .skip_while(|line| *line != "lint_rules! {")
        .skip(1);
    let modules: Vec<_> = lines.take_while(|line| *line != "}").collect();
    assert!(modules.is_sorted() && modules.len() > 10, "{modules:?}");
}

/// What stands in two pages is corrected in one of them, and the other goes on saying it.
#[test]
fn no_page_says_what_another_says() {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut sentences = 0;
    for (_, rule, page) in pages() {
        let prose = page
            .split("```")
            .step_by(2)
            .flat_map(|text| text.split("\n\n"));
        let prose = prose.filter(|paragraph| !paragraph.trim_start().starts_with(['|', '#']));
        for paragraph in prose {
            let words: Vec<_> = paragraph.split_whitespace().collect();
            let is_end = |word: &&str| word.ends_with(['.', ':', ';']);
            for sentence in words.split_inclusive(is_end).filter(|it| it.len() > 8) {
                sentences += 1;
                if let Some(other) = said.insert(sentence.join(" "), rule.clone()) {
                    assert_eq!(other, rule, "{}", sentence.join(" "));
                }
            }
        }
    }
    assert!(sentences > 1_000, "{sentences}");
}

//! The JSON Schema of `seclint.toml`, which editors complete and check it by. If one of these fails,
//! an editor offers what seclint refuses, or marks what it takes.
//!
//! The schema is generated from the keys and words that the parser knows: `SECLINT_UPDATE=1` writes
//! it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use seclint::config::{self, Config};
use seclint::engine::Engine;
use seclint::lint::lint_rules;
use seclint::profile::Dialects;
use seclint::syscalls::Arch;
use seclint::target::{Target, platforms};
use seclint::text::Source;
use serde_json::{Map, Value, json};
use support::repository;

const FILE: &str = "schemas/seclint.toml.1.json";

fn schema() -> Value {
    let mut schema = object(&config::KEYS, &[], key);
    let rules = lint_rules().iter().map(|rule| rule.rule.id);
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "seclint.toml/1",
        "description": "What a repository says once of its profiles: the file `seclint.toml`, found upwards from each profile that is checked. The command line beats it. Keys may be added; none is removed or given another meaning under the same number.",
        "$defs": {
            "rule": {
                "description": "`seclint rules` lists them; those of `seclint cache-audit` are not among them.",
                "enum": words(rules),
            },
            "reason": {"description": "Why; never empty.", "type": "string", "pattern": r"\S"},
            "ignore": object(&config::IGNORE_KEYS, &["rule", "reason"], ignore_key),
            "demand": object(&config::DEMAND_KEYS, &["syscalls", "reason"], demand_key),
        },
    });
    let head = head.as_object().expect("an object").clone();
    schema.as_object_mut().expect("an object").extend(head);
    schema
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<&'w str> {
    words.into_iter().collect()
}

/// A table with these keys and no others.
fn object(keys: &[&str], required: &[&str], value: fn(&str) -> Value) -> Value {
    let properties: Map<_, _> = (keys.iter())
        .map(|&key| (key.to_owned(), value(key)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// What stands under a key at the top.
fn key(key: &str) -> Value {
    let arches = Arch::ALL.map(Arch::name);
    let targets = platforms().iter().map(|platform| platform.name);
    match key {
        "targets" => json!({
            "description": "Platforms that the profiles will run on, as `seclint targets` lists them, or `host`.",
            "type": "array",
            "items": {"enum": words(targets.chain([Target::HOST]))},
        }),
        "architectures" => json!({
            "description": "Architectures of the hosts; the libseccomp tokens, such as SCMP_ARCH_AARCH64, name them too.",
            "type": "array",
            "items": {"type": "string", "examples": arches},
        }),
        "kernel" => json!({
            "description": "Kernel of the hosts, such as 5.10.",
            "type": "string",
            "pattern": r"^[0-9]+\.[0-9]+([.\-+_~].*)?$",
        }),
        "libseccomp" => json!({
            "description": "libseccomp release that the runtime runs with, such as 2.5.4.",
            "type": "string",
            "pattern": r"^[0-9]+\.[0-9]+(\.[0-9]+)?$",
        }),
        "engines" => json!({
            "description": "Engines that read the profiles.",
            "type": "array",
            "items": {"enum": Engine::ALL.map(Engine::name)},
        }),
        "dialect" => json!({
            "description": "The dialect that every file is in; otherwise seclint finds out.",
            "enum": Dialects::named().map(|(name, _)| name),
        }),
        "fail-on" => json!({
            "description": "Least severity that makes the exit code 1.",
            "enum": ["error", "warning", "info", "never"],
            "default": "error",
        }),
        "rules" => described(
            "Which rules are checked, and how bad what they find is.",
            object(&config::RULES_KEYS, &[], rules_key),
        ),
        "ignore" => json!({
            "description": "Findings that are not reported.",
            "type": "array",
            "items": {"$ref": "#/$defs/ignore"},
        }),
        "policy" => described(
            "What is wanted of every profile.",
            object(&config::POLICY_KEYS, &[], policy_key),
        ),
        _ => panic!("say what stands under `{key}`"),
    }
}

fn described(description: &str, mut schema: Value) -> Value {
    schema["description"] = json!(description);
    schema
}

/// What stands under a key of `rules`.
fn rules_key(key: &str) -> Value {
    let some = |description: &str| {
        json!({
            "description": description,
            "type": "array",
            "items": {"$ref": "#/$defs/rule"},
        })
    };
    match key {
        "strict" => json!({
            "description": "Check the strict rules as well.",
            "type": "boolean",
            "default": false,
        }),
        "select" => some("Check only these rules."),
        "ignore" => some("Do not check these rules."),
        "severity" => json!({
            "description": "The severity of all findings of a rule.",
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/rule"},
            "additionalProperties": {"enum": ["error", "warning", "info"]},
        }),
        _ => panic!("say what stands under `rules.{key}`"),
    }
}

/// What stands under a key of an `ignore`.
fn ignore_key(key: &str) -> Value {
    match key {
        "rule" => json!({"$ref": "#/$defs/rule"}),
        "path" => json!({
            "description": "The files, relative to the directory of this one: ? is a character and * any number of them, neither a slash; ** is any number of directories.",
            "type": "string",
            "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$)).",
        }),
        "syscall" => json!({
            "description": "The syscall that the finding is about, as the profile writes it.",
            "type": "string",
        }),
        "pointer" => json!({
            "description": "JSON Pointer of the value that the finding is about, or of what it stands in.",
            "type": "string",
            "pattern": "^(/|$)",
        }),
        "reason" => json!({"$ref": "#/$defs/reason"}),
        _ => panic!("say what stands under `{key}` of an `ignore`"),
    }
}

/// What stands under a key of `policy`.
fn policy_key(key: &str) -> Value {
    let description = match key {
        "forbid" => "Syscalls that no profile may permit: the rule policy-forbidden-syscall.",
        "require" => "Syscalls that every profile must permit: the rule policy-required-syscall.",
        _ => panic!("say what stands under `policy.{key}`"),
    };
    json!({
        "description": description,
        "type": "array",
        "items": {"$ref": "#/$defs/demand"},
    })
}

/// What stands under a key of a `policy.forbid` or a `policy.require`.
fn demand_key(key: &str) -> Value {
    match key {
        "syscalls" => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        "reason" => json!({"$ref": "#/$defs/reason"}),
        _ => panic!("say what stands under `{key}` of a `policy.forbid`"),
    }
}

/// A key or a rule that is new would be marked as a mistake in every editor.
#[test]
fn the_schema_in_the_repository_is_generated_from_what_is_read() {
    let generated = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    let kept = fs::read_to_string(repository(FILE)).unwrap_or_default();
    if kept != generated && std::env::var_os("SECLINT_UPDATE").is_some() {
        fs::write(repository(FILE), generated).expect("the schema");
    } else {
        assert!(
            kept == generated,
            "{FILE} is not what is generated: SECLINT_UPDATE=1 writes it"
        );
    }
}

/// What the schema takes the parser takes, and the other way round.
#[test]
fn the_schema_and_the_parser_agree() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    for (text, is_good) in [
        ("", true),
        ("targets = ['debian-12', 'host']", true),
        ("targets = 'debian-12'", false),
        ("targets = ['debian-1']", false),
        (
            "architectures = ['aarch64']\nkernel = '5.10'\nlibseccomp = '2.5.4'",
            true,
        ),
        ("kernel = 5.10", false),
        ("kernel = 'five'", false),
        ("libseccomp = 'x'", false),
        ("engines = ['crio']\ndialect = 'podman'", true),
        ("engines = ['runc']", false),
        ("dialect = 'runc'", false),
        ("fail-on = 'never'", true),
        ("fail-on = 'always'", false),
        ("fail_on = 'never'", false),
        (
            "rules = {strict = true, select = ['unknown-flag'], ignore = [], severity = {unknown-flag = 'info'}}",
            true,
        ),
        ("rules.strict = 'yes'", false),
        ("rules.severity = {unknown-flag = 'never'}", false),
        ("ignore = ['unknown-flag']", false),
        ("[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'", true),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npath = 'a/**'\nsyscall = 'x'\npointer = '/flags'",
            true,
        ),
        ("[[ignore]]\nrule = 'unknown-flag'", false),
        ("[[ignore]]\nrule = 'unknown-flag'\nreason = ''", false),
        ("[[ignore]]\nreason = 'r'", false),
        (
            "[[policy.forbid]]\nsyscalls = ['mount']\nreason = 'r'",
            true,
        ),
        (
            "[[policy.require]]\nsyscalls = ['exit_group']\nreason = 'r'",
            true,
        ),
        (
            "[[policy.require]]\nsyscalls = 'exit_group'\nreason = 'r'",
            false,
        ),
        ("[[policy.forbid]]\nreason = 'r'", false),
        ("[[policy.forbid]]\nsyscalls = []\nreason = 'r'", false),
        ("rules.ignore = ['cache-stale']", false),
        ("[[ignore]]\nrule = 'cache-stale'\nreason = 'r'", false),
        ("[[ignore]]\nrule = 'no-such-rule'\nreason = 'r'", false),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npointer = 'flags/0'",
            false,
        ),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npath = '/a.json'",
            false,
        ),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npath = 'a/../b.json'",
            false,
        ),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npath = ''",
            false,
        ),
        (
            "[[ignore]]\nrule = 'unknown-flag'\nreason = 'r'\npath = './a..b/*.json'",
            true,
        ),
        (
            "[[policy.allow]]\nsyscalls = ['mount']\nreason = 'r'",
            false,
        ),
    ] {
        let source = Arc::new(Source::new("seclint.toml", text.as_bytes().to_vec()));
        let parsed = Config::parse(&source, Path::new("/"));
        assert_eq!(parsed.is_ok(), is_good, "the parser: {text}: {parsed:?}");
        let value: toml::Table = text.parse().expect("TOML");
        let value = serde_json::to_value(value).expect("JSON");
        assert_eq!(validator.is_valid(&value), is_good, "the schema: {text}");
    }
}

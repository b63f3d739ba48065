//! Profiles, and what real engines made of them: the files of `tests/engines`, which the plain
//! tests read and `tests/live` makes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "shared by test programs, each of which uses a part of it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use seclint::engine::{CapabilityOptions, Circumstances, Engine};
use seclint::syscalls::{Arch, KernelVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an engine made of a profile: the section, which is null for no filter, or its error.
pub type Outcome = Result<Value, String>;

/// A profile, the options that it was given with, and what came of it: a line of a record.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// Its name, and the options.
    pub case: String,
    /// As they are given to the engine, and `--arch` and `--kernel` of the host.
    pub options: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// The profile if it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_hex: Option<String>,
    /// The section, which is null for no filter, unless the engine refused.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub section: Value,
    /// What each version of the engine said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, String>,
}

impl Observed {
    /// What nobody has run yet.
    pub fn new(name: &str, profile: &str, options: Vec<String>) -> Self {
        let with = match options.as_slice() {
            [] => String::new(),
            options => format!(" with {}", options.join(" ")),
        };
        Self {
            case: format!("{name}{with}"),
            options,
            profile: Some(profile.to_owned()),
            profile_hex: None,
            section: Value::Null,
            refusals: BTreeMap::new(),
        }
    }

    /// All that a file holds.
    pub fn all(file: &Path) -> io::Result<Vec<Self>> {
        let text = fs::read_to_string(file)?;
        let lines = text.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// Makes a file of them.
    pub fn write_all(file: &Path, all: &[Self]) -> io::Result<()> {
        let mut text = String::new();
        for observed in all {
            text.push_str(&serde_json::to_string(observed)?);
            text.push('\n');
        }
        fs::write(file, text)
    }

    /// The profile, as the engine reads it.
    pub fn profile(&self) -> Vec<u8> {
        match (&self.profile, &self.profile_hex) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, digits) => {
                let digits = digits.as_deref().expect("a profile").as_bytes();
                let byte = |pair: &[u8]| {
                    let pair = std::str::from_utf8(pair).expect("digits");
                    u8::from_str_radix(pair, 16).expect("a byte")
                };
                digits.chunks(2).map(byte).collect()
            }
        }
    }

    /// What the options say that the engine looks at besides the profile.
    pub fn circumstances(&self, engine: Engine) -> Circumstances {
        let mut arch = Arch::X86_64;
        let mut kernel = KernelVersion::new(6, 18);
        let mut asked = CapabilityOptions::default();
        let mut words = self.options.iter().map(String::as_str);
        while let Some(option) = words.next() {
            let mut value = || words.next().expect("a value");
            let list = |value: &str| value.split(',').map(str::to_owned).collect();
            match option {
                "--arch" => arch = Arch::from_name(value()).expect("an architecture"),
                "--kernel" => kernel = value().parse().expect("a kernel"),
                "--cap-add" => asked.add = list(value()),
                "--cap-drop" => asked.drop = list(value()),
                "--privileged" => asked.is_privileged = true,
                option => panic!("{option}: not an option"),
            }
        }
        Circumstances {
            arch,
            kernel,
            capabilities: engine.capabilities(&asked).expect("capabilities"),
            is_privileged: asked.is_privileged,
        }
    }

    /// Whether a version did now what is on record; how versions that are not word a refusal is
    /// not.
    pub fn is(&self, outcome: &Outcome, version: &str) -> bool {
        match outcome {
            Ok(section) => self.refusals.is_empty() && *section == self.section,
            Err(words) => {
                let recorded = self.refusals.get(version);
                !self.refusals.is_empty() && recorded.is_none_or(|recorded| recorded == words)
            }
        }
    }

    /// Records what a version did. What others did stays if it refused as they did.
    pub fn record(&mut self, outcome: &Outcome, version: &str) {
        match outcome {
            Ok(section) => {
                self.section = section.clone();
                self.refusals.clear();
            }
            Err(words) => {
                self.section = Value::Null;
                self.refusals.insert(version.to_owned(), words.clone());
            }
        }
    }
}

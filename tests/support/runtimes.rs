//! Sections, and what real runtimes did with them: the files of `tests/runtimes`,
//! which the plain tests read and `tests/live` makes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::struct_field_names,
    dead_code,
    unreachable_pub,
    reason = "shared by test programs, each of which uses a part of it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A section and the container that it is given: a line of `sections.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the section tries, in words.
    pub case: String,
    /// The section's text, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    /// The section's bytes as hexadecimal digits, where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    section_hex: Option<String>,
    /// The container's `process.noNewPrivileges`.
    pub no_new_privileges: bool,
    /// The container's annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Case {
    /// A case with nothing about it but its section.
    #[allow(dead_code, reason = "the live tests make some")]
    pub fn new(case: String, section: String, no_new_privileges: bool) -> Self {
        Self {
            case,
            section: Some(section),
            section_hex: None,
            no_new_privileges,
            annotations: BTreeMap::new(),
        }
    }

    /// The cases of a file.
    pub fn all(file: &Path) -> Vec<Self> {
        let cases: Vec<Self> = lines(file);
        let mut names = std::collections::BTreeSet::new();
        for case in &cases {
            let name = &case.case;
            assert!(names.insert(name), "two cases are named {name:?}");
            let given = [&case.section, &case.section_hex];
            let given = given.into_iter().flatten().count();
            assert_eq!(given, 1, "{name:?} needs `section` or `section_hex`");
        }
        cases
    }

    /// The section as the runtime gets it.
    pub fn section(&self) -> Vec<u8> {
        match (&self.section, &self.section_hex) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, digits) => bytes(digits.as_deref().unwrap_or_default()),
        }
    }

    /// A container's `config.json` with the section in it as it is written, so that
    /// what is no JSON reaches the runtime too. `rootfs` is the root file system's
    /// path, and its `/program` is what runs.
    pub fn config(&self, rootfs: &str) -> Vec<u8> {
        let namespaces = ["pid", "ipc", "uts", "mount"].map(|it| serde_json::json!({ "type": it }));
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
        let config = serde_json::json!({
            "ociVersion": "1.0.0",
            "process": {
                "user": { "uid": 0, "gid": 0 },
                "args": ["/program"],
                "env": ["PATH=/bin", "HOME=/"],
                "cwd": "/",
                "capabilities": {
                    "bounding": capabilities,
                    "effective": capabilities,
                    "permitted": capabilities,
                },
                "noNewPrivileges": self.no_new_privileges,
            },
            "root": { "path": rootfs, "readonly": true },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"] },
            ],
            "annotations": self.annotations,
        });
        let namespaces = serde_json::json!(namespaces).to_string();
        let mut text = config.to_string().into_bytes();
        text.pop();
        text.extend_from_slice(br#","linux":{"namespaces":"#);
        text.extend_from_slice(namespaces.as_bytes());
        text.extend_from_slice(br#","seccomp":"#);
        text.extend(self.section());
        text.extend_from_slice(b"}}");
        text
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| std::str::from_utf8(pair).expect("hexadecimal digits"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits"))
        .collect()
}

/// What a runtime did with a case: a line of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The name of the case.
    pub case: String,
    /// What became of the container.
    pub outcome: Outcome,
    /// The runtime's last error; empty if it gave none.
    pub error: String,
    /// The names that crun warned of, one a message, in order; bytes that are no
    /// UTF-8 are replaced.
    pub warned: Vec<String>,
    /// The names that runc ignored with a message in its debug log, one a message,
    /// in order. What crun drops without a message cannot be seen: empty.
    pub dropped: Vec<String>,
    /// The name of the entry that crun left in its cache, also if it refused then.
    pub key: Option<String>,
    /// It was still running when it was killed.
    pub hung: bool,
    /// Not every run came to the same: the filter hits threads of the runtime that race.
    /// All but `key` is what one of the runs came to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varies: bool,
}

/// What became of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its program ran.
    Starts,
    /// The filter was loaded, and the program never ran.
    Dies,
    /// No filter was loaded, and the program never ran.
    Refuses,
}

/// The runtime that a record is of, and where it ran: the record's first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `crun` or `runc`.
    pub runtime: String,
    /// As the runtime prints it.
    pub version: String,
    /// The libseccomp that the runtime uses, by its own word.
    pub libseccomp: String,
    /// The kernel, which is a part of crun's keys.
    pub uname: Uname,
}

/// What uname(2) says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uname {
    /// Such as `6.1.0-35-amd64`.
    pub release: String,
    /// Such as `#1 SMP PREEMPT_DYNAMIC Debian 6.1.137-1`.
    pub version: String,
    /// Such as `x86_64`.
    pub machine: String,
}

impl Header {
    /// The runtime with its upstream version, as in `runc-1.1.15`: distributions
    /// add to a version what says how they packaged it.
    pub fn name(&self) -> String {
        let upstream = self.version.split('+').next().unwrap_or_default();
        format!("{}-{upstream}", self.runtime)
    }
}

/// What a runtime did with the cases of a file.
#[derive(Debug, Clone)]
pub struct Record {
    /// Whose it is.
    pub header: Header,
    /// A line for each case, in the order of the cases.
    pub observations: Vec<Observation>,
}

impl Record {
    /// Reads the record `name` from a directory; `None` if it is not there.
    pub fn read(directory: &Path, name: &str) -> Option<Self> {
        let file = directory.join(format!("{name}.jsonl"));
        let text = fs::read_to_string(&file).ok()?;
        let (header, observations) = text.split_once('\n').expect("a record has a header");
        Some(Self {
            header: serde_json::from_str(header).expect(name),
            observations: parsed(observations, &file),
        })
    }

    /// Writes it into a directory, under its name.
    pub fn write(&self, directory: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string(&self.header)? + "\n";
        for observation in &self.observations {
            text += &serde_json::to_string(observation)?;
            text += "\n";
        }
        let file = directory.join(format!("{}.jsonl", self.header.name()));
        fs::write(file, text)
    }

    /// What the runtime did with one case.
    pub fn of(&self, case: &str) -> Option<&Observation> {
        self.observations.iter().find(|it| it.case == case)
    }
}

fn lines<T: for<'de> Deserialize<'de>>(file: &Path) -> Vec<T> {
    let text = fs::read_to_string(file);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    parsed(&text, file)
}

fn parsed<T: for<'de> Deserialize<'de>>(text: &str, file: &Path) -> Vec<T> {
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("{}, line {}: {error}: {line}", file.display(), number + 1)
        })
    };
    text.lines().enumerate().map(parse).collect()
}

//! A profile with something to fix, and seclint run on it in a directory of its own.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Ran, seclint};

/// Safe: a name twice, an errno that counts for nothing. Not safe: a misspelt name.
pub const PROFILE: &str = "{\r\n\t\"defaultAction\":   \"SCMP_ACT_ERRNO\",\r\n  \"syscalls\": [ {\"names\": [\"read\",\"read\" ,\"mkdirr\"],\r\n \"action\":\"SCMP_ACT_ALLOW\" ,\"errnoRet\": 1 } ]}";
pub const SAFE: &str = "{\r\n\t\"defaultAction\":   \"SCMP_ACT_ERRNO\",\r\n  \"syscalls\": [ {\"names\": [\"read\" ,\"mkdirr\"],\r\n \"action\":\"SCMP_ACT_ALLOW\" } ]}";
pub const RULES: &str =
    "--select=duplicate-entry,errno-on-non-errno-action,unknown-syscall,unused-ignore";

pub fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (name, contents) in files {
        fs::write(directory.path().join(name), contents).expect("a file");
    }
    directory
}

pub fn check(directory: &Path, arguments: &[&str]) -> Ran {
    let mut command = seclint();
    command.current_dir(directory).arg("check").args(arguments);
    Ran::from(command.output().expect("seclint runs"))
}

pub fn read(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).expect(name)
}

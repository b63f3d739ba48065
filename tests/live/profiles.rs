//! Profiles that are in use, and belong to others: they are not in the repository, so that there is
//! no record of them, and what runtimes do with them is compared with predictions only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::runtimes::Case;

/// The default profile of Debian's containers-common, in a root.
const DEFAULT_PROFILE: &str = "usr/share/containers/seccomp.json";

/// Podman's default profile as it is written, and as seclint says that Podman hands it on; and the
/// default profiles among the real ones in the directory that `SECLINT_CORPUS` names, if it does.
pub(crate) fn cases(root: &Path) -> io::Result<Vec<Case>> {
    let default = root.join(DEFAULT_PROFILE);
    let written = fs::read_to_string(&default)?;
    let mut cases = Vec::new();
    for no_new_privileges in [false, true] {
        let mut add = |name: &str, section: String| {
            let privileges = if no_new_privileges {
                ", no_new_privs"
            } else {
                ""
            };
            let name = format!("Podman's default{name}{privileges}");
            cases.push(Case::new(name, section, no_new_privileges));
        };
        add(" as it is written", written.clone());
        for option in [None, Some("--cap-drop=all"), Some("--cap-add=all")] {
            let mut seclint = Command::new(env!("CARGO_BIN_EXE_seclint"));
            let seclint = seclint.args(["resolve", "--engine=podman"]).arg(&default);
            let printed = seclint.args(option).output()?;
            let name = option.map_or(String::new(), |option| format!(" with {option}"));
            add(&name, String::from_utf8_lossy(&printed.stdout).into_owned());
        }
    }
    if let Some(corpus) = std::env::var_os("SECLINT_CORPUS") {
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(corpus)? {
            paths.push(entry?.path());
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.contains("default") && name.ends_with(".json") {
                let section = fs::read_to_string(&path)?;
                cases.push(Case::new(name.into_owned(), section, false));
            }
        }
    }
    Ok(cases)
}

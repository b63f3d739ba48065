//! What the tests share: seclint run as a user runs it, its reports held against
//! their schemas, and state roots laid out from what real ones held.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    reason = "shared by test programs, each of which uses a part of it"
)]

pub mod fixing;
mod sarif;
mod why;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

pub use sarif::{results, sarif};
pub use why::{ARCH, PROFILE, decided, on, why};

/// seclint, with nothing of this machine's in its way.
pub fn seclint() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seclint"));
    command.env_clear().env("PATH", "/nonexistent");
    command
}

/// The user who owns nothing.
const NOBODY: u32 = 65534;

/// Gives a tree to the user that [`seclint_as_user`] runs as.
pub fn give_to_user(path: &Path) {
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("a directory") {
            give_to_user(&entry.expect("an entry").path());
        }
    }
}

/// seclint as a user who may not do everything: root runs it as nobody, for whom
/// it is copied into `directory`, which must be open to all.
pub fn seclint_as_user(directory: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return seclint();
    }
    let copy = directory.join("seclint-for-nobody");
    // Not by this process: another test's child could hold it open for writing.
    let binary = env!("CARGO_BIN_EXE_seclint");
    let copied = Command::new("cp").arg(binary).arg(&copy).status();
    assert!(copied.expect("cp runs").success());
    let mut command = Command::new(copy);
    command.env_clear().env("PATH", "/nonexistent");
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// Runs seclint; what it wrote, as text.
pub fn run<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Ran {
    Ran::from(seclint().args(arguments).output().expect("seclint runs"))
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output
                .status
                .code()
                .expect("seclint is not killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("reports are UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }
}

impl Ran {
    /// The report, which must be SARIF and fit its schema.
    pub fn sarif(&self) -> Value {
        sarif(&self.stdout)
    }

    /// The report, which must be JSON and fit its schema.
    pub fn report(&self) -> Value {
        let report: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"));
        let schema = report["schema"]
            .as_str()
            .expect("a report names its schema");
        let file = format!("schemas/{}.json", schema.replace('/', "."));
        let schema: Value = serde_json::from_slice(&fs::read(repository(&file)).expect(&file))
            .expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
        let errors: Vec<_> = (validator.iter_errors(&report))
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\nin {report:#}");
        report
    }
}

/// A text with all edits of findings' fixes made, which do not overlap.
pub fn fixed<'f>(text: &str, findings: impl IntoIterator<Item = &'f Value>) -> String {
    let edits = findings.into_iter().flat_map(|finding| {
        let edits = finding["fix"]["edits"].as_array();
        edits.unwrap_or_else(|| panic!("no edits: {finding}"))
    });
    let mut edits: Vec<_> = edits
        .map(|edit| {
            let byte = |end: &str| edit["span"][end]["byte"].as_u64().expect("a byte") as usize;
            let text = edit["text"].as_str().expect("text");
            (byte("start")..byte("end"), text)
        })
        .collect();
    edits.sort_unstable_by_key(|(span, _)| (span.start, span.end));
    let mut text = text.to_owned();
    for (span, new) in edits.into_iter().rev() {
        text.replace_range(span, new);
    }
    text
}

/// A `SeccompProfile` of a name, with a base and rule entries.
pub fn object(name: &str, base: &str, entries: &str) -> String {
    let base = match base {
        "" => String::new(),
        base => format!("  baseProfileName: {base}\n"),
    };
    format!(
        "---\nkind: SeccompProfile\nmetadata: {{name: {name}}}\nspec:\n  \
         defaultAction: SCMP_ACT_ERRNO\n{base}  syscalls: [{entries}]\n"
    )
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file in a directory of its own, that goes with the value.
pub fn file(name: &str, contents: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join(name);
    fs::write(&path, contents).expect("a temporary file");
    (directory, path)
}

/// A state root, laid out as it was when it was recorded.
pub struct StateRoot {
    directory: TempDir,
    /// What was recorded of it besides its files.
    pub record: Value,
}

impl StateRoot {
    /// Lays out `tests/fixtures/cache/<name>`: its files, and what git does not
    /// keep, which stands in its `fixture.json`.
    pub fn of(name: &str) -> Self {
        let fixture = repository(&format!("tests/fixtures/cache/{name}"));
        let record = fs::read(fixture.join("fixture.json")).expect(name);
        let record: Value = serde_json::from_slice(&record).expect(name);
        let directory = TempDir::new().expect("a temporary directory");
        let root = directory.path().join("crun");
        copy(&fixture.join("root"), &root);
        let pairs = |key: &str| -> Vec<(String, String)> {
            let pairs = record[key].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().expect("a path").to_owned();
            pairs
                .iter()
                .map(|pair| (text(&pair[0]), text(&pair[1])))
                .collect()
        };
        for (link, file) in pairs("links") {
            fs::hard_link(root.join(file), root.join(link)).expect("a hard link");
        }
        for (link, target) in pairs("symlinks") {
            symlink(target, root.join(link)).expect("a symbolic link");
        }
        for (path, time) in record["modified"].as_object().into_iter().flatten() {
            let time = Duration::from_secs(time.as_u64().expect("seconds"));
            let file = fs::File::options()
                .write(true)
                .open(root.join(path))
                .expect(path);
            file.set_modified(SystemTime::UNIX_EPOCH + time)
                .expect("a time");
        }
        for (path, mode) in record["modes"].as_object().into_iter().flatten() {
            let mode = u32::from_str_radix(mode.as_str().expect("octal digits"), 8).expect("octal");
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(root.join(path), mode).expect(path);
        }
        Self { directory, record }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("crun")
    }

    /// The options that say which host it came from.
    pub fn host(&self) -> Vec<String> {
        let text = |key: &str| self.record[key].as_str().expect(key);
        vec![
            format!("--runtime=crun@{}", text("crun")),
            format!("--libseccomp={}", text("libseccomp")),
            format!("--uname={}", text("uname")),
        ]
    }

    /// Audits it, with further arguments.
    pub fn audit(&self, arguments: &[&str]) -> Ran {
        let root = self.path().display().to_string();
        let arguments = arguments.iter().map(ToString::to_string);
        let audit = ["cache-audit".to_owned(), root];
        run(audit.into_iter().chain(self.host()).chain(arguments))
    }

    /// A text without the place that the root happens to have.
    pub fn without_place(&self, text: &str) -> String {
        let root = self.path().display().to_string();
        text.replace(&root, "/run/crun")
    }
}

/// The first entry in the cache of a state root.
pub fn cached(root: &Path) -> PathBuf {
    let mut entries = fs::read_dir(root.join(".cache/seccomp")).expect("a cache");
    entries.next().expect("an entry").expect("an entry").path()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a fixture") {
        let entry = entry.expect("a fixture");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
}

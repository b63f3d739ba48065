//! Entries of containers that Podman ran with its own default profile, which is for an engine and
//! not in the repository: `seclint cache-audit` must tell by the profile where each comes from, and
//! by Podman's storage, when crun has forgotten the containers.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::buildah::Step;
use crate::namespaces;

/// How long Podman may take. It takes half a second.
const LIMIT: Duration = Duration::from_mins(1);

/// The default profile of Debian's containers-common.
const DEFAULT_PROFILE: &str = "/usr/share/containers/seccomp.json";

/// The same where Podman does not take it for the default one, which privileged containers do not
/// have.
const COPY: &str = "/tmp/storage-test/default.json";

/// Where Podman keeps its containers.
const STORAGE: &str = "/tmp/storage-test/storage";

/// Runs containers with Podman in a root that has been [mounted](namespaces::mount), and audits what
/// crun caches.
pub(crate) fn steps(root: &Path, seclint: &Path) -> io::Result<Vec<Step>> {
    let host = Host { root };
    host.lay_out(seclint)?;
    let mut steps = Vec::new();
    let mut step = |name: &str, expected: Value, found: Value| {
        steps.push(Step {
            passed: found == expected,
            said: format!("{name}: {found}"),
        });
    };
    let default = "--security-opt=seccomp=/usr/share/containers/seccomp.json";
    host.podman(&["create", "--name=stored", default])?;
    host.podman(&["start", "--attach", "stored"])?;
    // Only now is it sure that crun was told to forget the container.
    host.podman(&["wait", "stored"])?;
    host.podman(&["container", "cleanup", "stored"])?;
    let audit = |options: &[&str]| host.audit(options);
    let podman = |capabilities: &str| json!(["podman", capabilities]);
    step(
        "without help, a container's entry",
        json!([[]]),
        audit(&[])?,
    );
    step(
        "by Podman's default profile",
        json!([[podman("default")]]),
        audit(&["--profile", DEFAULT_PROFILE])?,
    );
    step(
        "by Podman's storage",
        json!([["stored"]]),
        audit(&["--storage", STORAGE])?,
    );
    // The next entries, of containers that are gone for good.
    let copy = format!("--security-opt=seccomp={COPY}");
    for (options, capabilities) in [
        (&["--privileged"][..], "all"),
        (&["--cap-drop=all"], "none"),
    ] {
        fs::remove_dir_all(host.path("run/crun/.cache"))?;
        host.podman(&[&["run", "--rm", &copy], options].concat())?;
        step(
            &format!("by the profile, with {}", options.join(" ")),
            json!([[podman(capabilities)]]),
            audit(&["--profile", COPY])?,
        );
    }
    fs::remove_dir_all(host.path("run/crun/.cache"))?;
    host.build()?;
    step(
        "by the profile, of a build with Buildah",
        json!([[podman("default")]]),
        audit(&["--profile", COPY])?,
    );
    Ok(steps)
}

/// A root as Podman and Buildah see it.
struct Host<'a> {
    root: &'a Path,
}

impl Host<'_> {
    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn lay_out(&self, seclint: &Path) -> io::Result<()> {
        let image = self.path("/tmp/storage-test/image");
        fs::create_dir_all(image.join("bin"))?;
        fs::copy(self.path("/bin/busybox"), image.join("bin/busybox"))?;
        fs::write(
            image.join("Containerfile"),
            "FROM scratch\nCOPY bin/busybox /bin/busybox\nRUN [\"/bin/busybox\", \"true\"]\n",
        )?;
        fs::copy(seclint, self.path("/tmp/storage-test/seclint"))?;
        fs::copy(self.path(DEFAULT_PROFILE), self.path(COPY))?;
        let script = format!(
            "cd /tmp/storage-test && tar -C image -cf image.tar . && {} import image.tar base",
            PODMAN.join(" ")
        );
        self.run(&["sh", "-c", &script])
    }

    /// Creates, runs or handles a container that does nothing.
    fn podman(&self, command: &[&str]) -> io::Result<()> {
        let mut arguments = PODMAN.to_vec();
        arguments.extend(command);
        if let Some(&("create" | "run")) = command.first() {
            arguments.extend(["--network=none", "--cgroups=disabled"]);
            // No limits above those that are.
            arguments.extend(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]);
            arguments.extend(["base", "/bin/busybox", "true"]);
        }
        self.run(&arguments)
    }

    fn build(&self) -> io::Result<()> {
        self.run(&[
            "buildah",
            "--storage-driver=vfs",
            "build",
            "--isolation=oci",
            "--network=host",
            "--cgroupns=host",
            "--ulimit=nofile=1024:1024",
            "--ulimit=nproc=1024:1024",
            "--runtime=crun",
            "--runtime-flag=cgroup-manager=disabled",
            &format!("--security-opt=seccomp={COPY}"),
            "/tmp/storage-test/image",
        ])
    }

    fn run(&self, arguments: &[&str]) -> io::Result<()> {
        let log = self.path("/tmp/storage-test/log");
        let mut command = namespaces::command(self.root);
        let status = namespaces::run(command.args(arguments), &log, LIMIT, || true)?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Err(io::Error::other(format!("{}: {said}", arguments.join(" "))))
    }

    /// What the default state root's entries are attributed to: of each a list of the engine and
    /// capabilities, or of the name of a container.
    fn audit(&self, options: &[&str]) -> io::Result<Value> {
        let mut seclint = namespaces::command(self.root);
        seclint.args(["/tmp/storage-test/seclint", "cache-audit", "--format=json"]);
        let output = seclint.args(options).output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let entries = list(&report["entries"]).into_iter().map(|entry| {
            let attributed = list(&entry["attributed"]).into_iter().map(|it| {
                let resolved = &it["resolved"];
                match it["container"].as_str() {
                    Some(id) => self.name(id),
                    None => json!([resolved["engine"], resolved["capabilities"]]),
                }
            });
            attributed.collect::<Value>()
        });
        Ok(entries.collect::<Value>())
    }

    /// The name that a container was given.
    fn name(&self, id: &str) -> Value {
        let mut podman = namespaces::command(self.root);
        let inspect = ["inspect", "--format={{.Name}}", id];
        let output = podman.args(PODMAN).args(inspect).output();
        let name = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        json!(name.unwrap_or_default())
    }
}

/// Podman with storage of its own, and without the system's help.
const PODMAN: [&str; 8] = [
    "podman",
    "--root=/tmp/storage-test/storage",
    "--runroot=/tmp/storage-test/run",
    "--storage-driver=vfs",
    "--runtime=crun",
    "--runtime-flag=cgroup-manager=disabled",
    "--cgroup-manager=cgroupfs",
    "--events-backend=none",
];

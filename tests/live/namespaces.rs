//! A root with namespaces of its own, and commands in it.
//!
//! [`enter`] starts this program again with a mount and a PID namespace of its own,
//! in which [`mount`] makes the root one that containers can run in. Each [`Command`]
//! of [`run`] has another PID namespace below it: killing its first process ends all
//! that it left, even what spins in another session.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What starts a program with namespaces of its own.
fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--fork", "--kill-child"]);
    unshare.args(["--propagation", "private"]);
    unshare
}

/// Whether namespaces and a pure cgroup2 tree can be had here.
pub(crate) fn available() -> io::Result<bool> {
    let mut unshare = unshare();
    unshare.args(["--mount-proc", "sh", "-c", "mount -t cgroup2 none /mnt"]);
    let output = unshare.stdin(Stdio::null()).output()?;
    Ok(output.status.success())
}

/// This program again, in namespaces of its own.
pub(crate) fn enter() -> io::Result<Command> {
    let mut unshare = unshare();
    unshare.arg("--").arg(std::env::current_exe()?);
    Ok(unshare)
}

/// Mounts what containers need into `root`: only for the process that [`enter`]
/// started and those below it. Nothing that they write there stays.
pub(crate) fn mount(root: &Path) -> io::Result<()> {
    let at = |path: &str| root.join(path).into_os_string();
    let mounts: [(&[&str], _); 9] = [
        // crun changes the container's root with pivot_root(2), which needs a mount point.
        (&["--bind"], at("")),
        (&["-t", "proc", "proc"], at("proc")),
        (&["-t", "sysfs", "sysfs"], at("sys")),
        // crun refuses a tree that has both versions of control groups in it.
        (&["-t", "cgroup2", "cgroup2"], at("sys/fs/cgroup")),
        (&["--rbind", "/dev"], at("dev")),
        (&["-t", "tmpfs", "tmpfs"], at("run")),
        (&["-t", "tmpfs", "tmpfs"], at("tmp")),
        (&["-t", "tmpfs", "tmpfs"], at("mnt")),
        (&["-t", "tmpfs", "tmpfs"], at("var/lib/containers")),
    ];
    // A root in which no engine has ever run has none.
    std::fs::create_dir_all(at("var/lib/containers"))?;
    for (arguments, target) in mounts {
        let mut mount = Command::new("mount");
        mount.args(arguments);
        if arguments == ["--bind"] {
            mount.arg(root);
        }
        let status = mount.arg(&target).stdin(Stdio::null()).status()?;
        if !status.success() {
            let target = target.display();
            return Err(io::Error::other(format!("cannot mount {target}: {status}")));
        }
    }
    Ok(())
}

/// Ends this process, and with it all in its PID namespace, when the one that
/// started it has ended and left standard input: the first process in a namespace
/// is not told to end by an interrupt.
#[allow(clippy::exit, reason = "there is nobody left to return to")]
pub(crate) fn end_with_the_outside() {
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}

/// A command in a root, in a PID namespace that goes with it.
pub(crate) fn command(root: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg("--root")
        .arg(root)
        .arg("--")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// Runs a [`command`] until it ends, is no longer `wanted`, or has had its time; what
/// was left of it then is killed. `None` if it did not end by itself.
pub(crate) fn run(
    command: &mut Command,
    output: &Path,
    limit: Duration,
    mut wanted: impl FnMut() -> bool,
) -> io::Result<Option<ExitStatus>> {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::from(File::create(output)?));
    let mut child = Killed(command.spawn()?);
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(Some(status));
        }
        if !wanted() || Instant::now() > end {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The status that a shell would give: 128 and the signal for what a signal ended.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Ends with the value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

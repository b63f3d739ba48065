//! What a runtime's own process calls between loading the filter and the container's program, and
//! what comes of a call that the filter does not let through.
//!
//! Source: each of 101 calls was denied alone, with three errnos and killed in three ways, in
//! containers of root with and without `noNewPrivileges`; each was left out of a list of what is
//! allowed; and so was each with another one of those that runtimes survive without.

use std::sync::LazyLock;

use super::libseccomp::Met;
use super::plan::Plan;
use super::runc;
use crate::profile::{Action, Effect};
use crate::syscalls::{self, Syscall};
use Survives::{AnyErrno, AnyFailure, Fallback, Nothing, Success};

/// A call that a runtime makes behind the filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Its name.
    name: &'static str,
    /// What the runtime survives.
    survives: Survives,
    /// What it calls instead where this one fails.
    instead: &'static [Call],
}

/// What a runtime survives when a call is not let through. None survives being killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survives {
    /// Any errno.
    AnyErrno,
    /// Any errno but 0, which looks like success.
    AnyFailure,
    /// `EPERM` and `ENOSYS`, which Go takes for a call that is not there, and 0.
    Fallback,
    /// Only an errno of 0.
    Success,
    /// None.
    Nothing,
}

/// What comes of the container's start.
pub(super) enum Start {
    /// The program runs.
    Runs,
    /// It never does, because of these calls.
    Dies(Vec<&'static str>),
    /// Nobody can tell without the arguments of this call.
    Depends(&'static str),
    /// It may run or not: the runtime makes this call now and then.
    Varies(&'static str),
}

/// What comes of a start behind the filter that a plan makes.
pub(super) fn start(plan: &Plan, calls: &Calls) -> Start {
    let (fatal, depends) = fatal(calls.always, &|syscall| plan.meets(syscall));
    if !fatal.is_empty() {
        return Start::Dies(fatal);
    }
    let mut varies = calls.sometimes.iter();
    let varies = varies.find(|name| is_stopped(name, |syscall| plan.meets(syscall)));
    match (depends, varies) {
        (Some(call), _) => Start::Depends(call),
        (None, Some(call)) => Start::Varies(call),
        (None, None) => Start::Runs,
    }
}

/// The calls that a runtime does not survive, and the first one of which nobody can tell.
fn fatal(
    calls: &[Call],
    meets: &impl Fn(&'static Syscall) -> Met,
) -> (Vec<&'static str>, Option<&'static str>) {
    let mut depends = None;
    let mut lost = Vec::new();
    for call in calls {
        let Some(syscall) = syscalls::lookup(call.name) else {
            continue;
        };
        let effect = match meets(syscall) {
            Met::Effect(effect) => effect,
            Met::Depends => {
                depends = depends.or(Some(call.name));
                continue;
            }
        };
        let errno = match effect.action {
            Action::Allow | Action::Log => continue,
            Action::Errno => effect.errno,
            // Without a tracer or a listener the kernel says that there is no such call.
            Action::Trace | Action::Notify => 38,
            Action::KillProcess | Action::KillThread | Action::Trap => {
                lost.push(call.name);
                continue;
            }
        };
        let is_survived = match call.survives {
            AnyErrno => true,
            AnyFailure => errno != 0,
            Fallback => matches!(errno, 0 | 1 | 38),
            Success => errno == 0,
            Nothing => false,
        };
        if !is_survived {
            lost.push(call.name);
        } else if errno != 0 {
            let (of_instead, unknown) = fatal(call.instead, meets);
            lost.extend(of_instead);
            depends = depends.or(unknown);
        }
    }
    lost.dedup();
    (lost, depends)
}

/// Whether a call does not get through.
fn is_stopped(name: &str, meets: impl Fn(&'static Syscall) -> Met) -> bool {
    let met = syscalls::lookup(name).map(meets);
    matches!(met, Some(Met::Effect(effect)) if !effect.action.permits())
}

/// What a runtime calls behind the filter.
#[derive(Debug)]
pub(super) struct Calls {
    always: &'static [Call],
    /// By chance.
    sometimes: &'static [&'static str],
}

/// What Go's scheduler calls when it has something to do.
const GO_SCHEDULER: &[&str] = &["futex", "tgkill", "rt_sigreturn"];

const fn call(name: &'static str, survives: Survives) -> Call {
    Call {
        name,
        survives,
        instead: &[],
    }
}

/// Paths below `/proc` are looked up by it, or step by step.
const OPENAT2: Call = Call {
    name: "openat2",
    survives: AnyFailure,
    instead: &[call("fcntl", Nothing), call("readlinkat", Nothing)],
};

/// Whether the program may be executed is asked by it, or told from its mode and owner.
const FACCESSAT2: Call = Call {
    name: "faccessat2",
    survives: Fallback,
    instead: &[call("geteuid", AnyErrno)],
};

/// crun 1.21 and 1.28, when the container has `noNewPrivileges`: the filter is loaded last.
static CRUN: Calls = Calls {
    always: &[
        call("close", AnyErrno),
        call("close_range", AnyErrno),
        call("execve", Nothing),
    ],
    sometimes: &[],
};

/// The same without: privileges are dropped behind the filter.
static CRUN_PRIVILEGED: Calls = Calls {
    always: &[
        call("close", AnyErrno),
        call("prctl", Success),
        call("capset", Success),
        call("setresgid", Success),
        call("setresuid", Success),
        call("write", Nothing),
        call("rt_sigprocmask", Success),
        call("rt_sigaction", Success),
        call("close_range", AnyErrno),
        call("execve", Nothing),
    ],
    sometimes: &[],
};

/// runc 1.1.15 with `noNewPrivileges`.
static RUNC_1_1: Calls = Calls {
    always: &[
        call("write", Nothing),
        call("close", Nothing),
        call("openat", Nothing),
        call("fcntl", AnyErrno),
        call("epoll_ctl", AnyErrno),
        call("fstatfs", Nothing),
        call("getdents64", Success),
        call("getpid", AnyErrno),
        call("execve", Nothing),
    ],
    sometimes: GO_SCHEDULER,
};

/// The same without.
static RUNC_1_1_PRIVILEGED: Calls = Calls {
    always: &[
        call("write", Nothing),
        call("read", Success),
        call("close", Nothing),
        call("openat", Nothing),
        call("fcntl", AnyErrno),
        call("epoll_ctl", AnyErrno),
        call("fstat", Success),
        call("newfstatat", Success),
        FACCESSAT2,
        call("setgroups", Success),
        call("setgid", Success),
        call("setuid", Success),
        call("chdir", Success),
        call("getcwd", Nothing),
        call("capget", Success),
        call("capset", Success),
        call("prctl", Success),
        call("getppid", Success),
        call("fstatfs", Nothing),
        call("getdents64", Success),
        call("getpid", AnyErrno),
        call("execve", Nothing),
    ],
    sometimes: GO_SCHEDULER,
};

/// runc 1.3.6 with `noNewPrivileges`.
static RUNC_1_3: Calls = Calls {
    always: &[
        call("write", Nothing),
        call("close", Nothing),
        call("openat", Nothing),
        OPENAT2,
        call("fcntl", AnyErrno),
        call("fstat", Nothing),
        call("fstatfs", Nothing),
        call("statx", Nothing),
        call("getdents64", Success),
        call("execve", Nothing),
    ],
    sometimes: GO_SCHEDULER,
};

/// The same without.
static RUNC_1_3_PRIVILEGED: Calls = Calls {
    always: &[
        call("write", Nothing),
        call("read", Nothing),
        call("close", Nothing),
        call("close_range", AnyErrno),
        call("openat", Nothing),
        OPENAT2,
        call("fcntl", AnyFailure),
        call("epoll_ctl", AnyErrno),
        call("fstat", Nothing),
        call("newfstatat", Success),
        FACCESSAT2,
        call("statx", Nothing),
        call("setgroups", Success),
        call("setgid", Success),
        call("setuid", Success),
        call("chdir", Success),
        call("getcwd", Nothing),
        call("capget", Success),
        call("capset", Success),
        call("prctl", Success),
        call("getppid", Success),
        call("fstatfs", Nothing),
        call("getdents64", Success),
        call("getpid", AnyErrno),
        call("execve", Nothing),
    ],
    sometimes: GO_SCHEDULER,
};

/// What crun calls behind the filter.
pub(super) const fn crun(has_no_new_privileges: bool) -> &'static Calls {
    if has_no_new_privileges {
        &CRUN
    } else {
        &CRUN_PRIVILEGED
    }
}

/// What runc calls behind the filter.
pub(super) fn runc(version: (u32, u32), has_no_new_privileges: bool) -> &'static Calls {
    match (version < runc::FIRST_WITH_FLAGS, has_no_new_privileges) {
        (true, true) => &RUNC_1_1,
        (true, false) => &RUNC_1_1_PRIVILEGED,
        (false, true) => &RUNC_1_3,
        (false, false) => &RUNC_1_3_PRIVILEGED,
    }
}

/// A runtime whose start was measured, on x86-64.
#[derive(Debug)]
pub struct Starter {
    /// The runtime.
    pub runtime: &'static str,
    /// The versions that were run, for a sentence.
    pub versions: &'static str,
    privileged: &'static Calls,
    unprivileged: &'static Calls,
}

/// Each that differs from the others in what it calls behind the filter.
pub static STARTERS: [Starter; 3] = [
    Starter {
        runtime: "crun",
        versions: "1.21 and 1.28",
        privileged: &CRUN_PRIVILEGED,
        unprivileged: &CRUN,
    },
    Starter {
        runtime: "runc",
        versions: "1.1.15",
        privileged: &RUNC_1_1_PRIVILEGED,
        unprivileged: &RUNC_1_1,
    },
    Starter {
        runtime: "runc",
        versions: "1.3.6",
        privileged: &RUNC_1_3_PRIVILEGED,
        unprivileged: &RUNC_1_3,
    },
];

impl Starter {
    /// Whether a version of the runtime calls the same behind the filter.
    #[must_use]
    pub fn stands_for(&self, version: &str) -> bool {
        let is_old = runc::runc_knows_flags(version) != Some(true);
        self.runtime != "runc"
            || is_old == std::ptr::eq(self.privileged, &raw const RUNC_1_1_PRIVILEGED)
    }

    /// The calls without which no program is started. `denied` gives what comes of a call that is
    /// never let through, and nothing for others.
    #[must_use]
    pub fn missing(
        &self,
        has_no_new_privileges: bool,
        denied: impl Fn(&'static Syscall) -> Option<Effect>,
    ) -> Vec<&'static str> {
        let calls = if has_no_new_privileges {
            self.unprivileged
        } else {
            self.privileged
        };
        fatal(calls.always, &|syscall| {
            denied(syscall).map_or(Met::Depends, Met::Effect)
        })
        .0
    }

    /// Every call that a runtime makes behind the filter whatever happens, each once.
    #[must_use]
    pub fn all_calls() -> &'static [&'static Syscall] {
        static ALL: LazyLock<Vec<&'static Syscall>> = LazyLock::new(|| {
            let calls = STARTERS
                .iter()
                .flat_map(|it| [it.privileged, it.unprivileged]);
            let names = calls.flat_map(|calls| calls.always).map(|call| call.name);
            let mut all: Vec<_> = names.filter_map(syscalls::lookup).collect();
            all.sort_by_key(|syscall| syscall.index());
            all.dedup();
            all
        });
        &ALL
    }
}

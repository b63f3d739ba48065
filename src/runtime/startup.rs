//! What a runtime's own process calls between loading the filter and the container's program, and
//! what comes of a call that the filter does not let through.
//!
//! Source: each of 101 calls was denied alone, with three errnos and killed in three ways, in
//! containers of root with and without `noNewPrivileges`. Calls that a runtime falls back to when
//! another one fails are not here.

use super::libseccomp::Met;
use super::plan::Plan;
use crate::profile::Action;
use crate::syscalls;

/// A call that a runtime makes behind the filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Its name.
    pub(super) name: &'static str,
    /// What the runtime survives.
    pub(super) survives: Survives,
}

/// What a runtime survives when a call is not let through. None survives being killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survives {
    /// Any errno.
    AnyErrno,
    /// `ENOSYS`, for which it has another way.
    NoSuchCall,
    /// Only an errno of 0, which looks like success.
    Success,
    /// None.
    Nothing,
}

/// What comes of the container's start.
pub(super) enum Start {
    /// The program runs.
    Runs,
    /// It never does, because of this call.
    Dies(&'static str),
    /// Nobody can tell without the arguments of this call.
    Depends(&'static str),
}

/// What comes of a start behind the filter that a plan makes.
pub(super) fn start(plan: &Plan, calls: &[Call]) -> Start {
    let mut depends = None;
    for call in calls {
        let Some(syscall) = syscalls::lookup(call.name) else {
            continue;
        };
        let effect = match plan.meets(syscall, [None; 6]) {
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
                return Start::Dies(call.name);
            }
        };
        let is_survived = match call.survives {
            Survives::AnyErrno => true,
            Survives::NoSuchCall => errno == 38,
            Survives::Success => errno == 0,
            Survives::Nothing => false,
        };
        if !is_survived {
            return Start::Dies(call.name);
        }
    }
    depends.map_or(Start::Runs, Start::Depends)
}

const fn call(name: &'static str, survives: Survives) -> Call {
    Call { name, survives }
}

/// What crun 1.21 and 1.28 call behind the filter when the container has `noNewPrivileges`: the
/// filter is loaded last.
static CRUN: [Call; 3] = [
    call("close", Survives::AnyErrno),
    call("close_range", Survives::AnyErrno),
    call("execve", Survives::Nothing),
];

/// The same without: privileges are dropped behind the filter.
static CRUN_PRIVILEGED: [Call; 10] = [
    call("close", Survives::AnyErrno),
    call("prctl", Survives::Success),
    call("capset", Survives::Success),
    call("setresgid", Survives::Success),
    call("setresuid", Survives::Success),
    call("write", Survives::Nothing),
    call("rt_sigprocmask", Survives::Success),
    call("rt_sigaction", Survives::Success),
    call("close_range", Survives::AnyErrno),
    call("execve", Survives::Nothing),
];

/// What crun calls behind the filter.
pub(super) const fn crun(has_no_new_privileges: bool) -> &'static [Call] {
    if has_no_new_privileges {
        &CRUN
    } else {
        &CRUN_PRIVILEGED
    }
}

/// What runc calls behind the filter.
pub(super) const fn runc(_version: (u32, u32), _no_new_privileges: bool) -> &'static [Call] {
    &CRUN
}

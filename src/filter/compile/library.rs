//! What is asked of libseccomp. Nothing else here asks it anything.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use libseccomp::error::{SeccompErrno, SeccompError};
use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
    ScmpVersion,
};
use rustix::fs::{MemfdFlags, memfd_create};

use super::CompileError;
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::runtime::{Plan, Rule};
use crate::syscalls::{Arch, Release, Syscall};

impl From<SeccompError> for CompileError {
    fn from(error: SeccompError) -> Self {
        Self::Library(error.to_string())
    }
}

/// The release of the libseccomp that filters are made with.
#[must_use]
pub fn linked() -> Option<Release> {
    Some(release())
}

fn release() -> Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    *RELEASE.get_or_init(|| {
        let version = ScmpVersion::current().unwrap_or(ScmpVersion::from((0, 0, 0)));
        Release::new(version.major, version.minor, version.micro)
    })
}

/// Does with libseccomp what the plan says, and counts the rules that were added.
pub(super) fn program(plan: &Plan, added: &AtomicUsize) -> Result<Vec<u8>, CompileError> {
    let syscalls = resolved(plan)?;
    pretend_a_new_kernel();
    let mut context =
        ScmpFilterContext::new(action(plan.default)).map_err(|_| CompileError::DefaultAction)?;
    let native = token(plan.native)?;
    if native != ScmpArch::native() {
        // First, since libseccomp puts no two byte orders into one filter.
        context.remove_arch(ScmpArch::native())?;
        add(&mut context, plan.native)?;
    }
    for &arch in &plan.architectures {
        add(&mut context, arch)?;
    }
    if plan.is_tree {
        context.set_ctl_optimize(2)?;
    }
    for (rule, syscall) in plan.rules.iter().zip(syscalls) {
        let comparisons: Vec<_> = rule.comparisons.iter().map(comparison).collect();
        context
            .add_rule_conditional(action(rule.effect), syscall, &comparisons)
            .map_err(|error| refused(rule, error))?;
        added.fetch_add(1, Ordering::Relaxed);
    }
    let file = memfd_create("filter", MemfdFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut file = File::from(file);
    context.export_bpf(&file)?;
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What libseccomp calls the plan's calls. It looks them up again by these numbers for each
/// architecture, which are therefore those of this machine, whatever the plan's native one is.
fn resolved(plan: &Plan) -> Result<Vec<ScmpSyscall>, CompileError> {
    let native = token(plan.native)?;
    let mut unknown = Vec::new();
    let mut last: Option<(&'static Syscall, ScmpSyscall)> = None;
    let mut syscalls = Vec::with_capacity(plan.rules.len());
    for rule in &plan.rules {
        let known = match last {
            Some((syscall, number)) if syscall == rule.syscall => Ok(number),
            _ => ScmpSyscall::from_name(rule.syscall.name()),
        };
        match known {
            Ok(number) => {
                if native != ScmpArch::native() {
                    check(number, rule.syscall.name(), plan.native)?;
                }
                last = Some((rule.syscall, number));
                syscalls.push(number);
            }
            Err(_) if unknown.contains(&rule.syscall.name()) => {}
            Err(_) => unknown.push(rule.syscall.name()),
        }
    }
    if unknown.is_empty() {
        Ok(syscalls)
    } else {
        Err(CompileError::Syscalls {
            release: release(),
            names: unknown,
        })
    }
}

/// Refuses a call of the plan's machine that is taken for another one here: where a call does not
/// exist, it has a pseudo number, and of these `switch_endian` and `sys_debug_setcontext` of Power
/// have the same one, up to 2.6.1 at least.
fn check(number: ScmpSyscall, syscall: &'static str, native: Arch) -> Result<(), CompileError> {
    let there = ScmpSyscall::from_name_by_arch(syscall, token(native)?).map(i32::from);
    let other = number.get_name().unwrap_or_default();
    if there.is_ok_and(|there| there >= 0) && other != syscall {
        return Err(CompileError::OneNumber {
            syscall,
            other,
            native,
        });
    }
    Ok(())
}

/// libseccomp takes the newer actions only from a kernel that has them, which this machine's need
/// not be, and which a sandbox may keep it from asking.
fn pretend_a_new_kernel() {
    /// The highest that a release has: 7 since 2.5.5, 6 since 2.5.0, 5 since 2.4.3.
    const LEVELS: [u32; 3] = [7, 6, 5];
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = LEVELS
            .into_iter()
            .find(|&level| libseccomp::set_api(level).is_ok());
    });
}

fn token(arch: Arch) -> Result<ScmpArch, CompileError> {
    let token = arch.token().parse();
    token.map_err(|_| CompileError::Architecture(release(), arch))
}

fn add(context: &mut ScmpFilterContext, arch: Arch) -> Result<(), CompileError> {
    let added = context.add_arch(token(arch)?);
    added.map(|_| ()).map_err(|error| match error.errno() {
        Some(SeccompErrno::EINVAL) => CompileError::Architecture(release(), arch),
        _ => error.into(),
    })
}

fn action(effect: Effect) -> ScmpAction {
    match effect.action {
        Action::Allow => ScmpAction::Allow,
        Action::Errno => ScmpAction::Errno(effect.errno.into()),
        Action::KillProcess => ScmpAction::KillProcess,
        Action::KillThread => ScmpAction::KillThread,
        Action::Log => ScmpAction::Log,
        Action::Notify => ScmpAction::Notify,
        Action::Trace => ScmpAction::Trace(effect.errno),
        Action::Trap => ScmpAction::Trap,
    }
}

fn comparison(comparison: &Comparison) -> ScmpArgCompare {
    let Comparison {
        index,
        operator,
        value,
        value_two,
    } = *comparison;
    let (operator, value) = match operator {
        Operator::NotEqual => (ScmpCompareOp::NotEqual, value),
        Operator::Less => (ScmpCompareOp::Less, value),
        Operator::LessOrEqual => (ScmpCompareOp::LessOrEqual, value),
        Operator::Equal => (ScmpCompareOp::Equal, value),
        Operator::GreaterOrEqual => (ScmpCompareOp::GreaterEqual, value),
        Operator::Greater => (ScmpCompareOp::Greater, value),
        Operator::MaskedEqual => (ScmpCompareOp::MaskedEqual(value), value_two),
    };
    ScmpArgCompare::new(index, operator, value)
}

fn refused(rule: &Rule, error: SeccompError) -> CompileError {
    let words = match error.errno() {
        Some(SeccompErrno::EEXIST) => "File exists",
        Some(SeccompErrno::EINVAL) => "Invalid argument",
        Some(SeccompErrno::EACCES) => "Permission denied",
        Some(SeccompErrno::EFAULT) => "Bad address",
        Some(SeccompErrno::EOPNOTSUPP) => "Operation not supported",
        _ => return error.into(),
    };
    CompileError::Rule {
        syscall: rule.syscall.name(),
        entry: rule.entry,
        words,
    }
}

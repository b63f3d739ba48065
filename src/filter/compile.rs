//! Plans made into filters by libseccomp, the one that seclint is linked to.
//!
//! Only this file uses libseccomp, and only where the feature of that name is on.

use std::io::{self, Read, Seek};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use libseccomp::error::{SeccompErrno, SeccompError};
use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
    ScmpVersion,
};

use super::stub::stub;
use super::{ByteOrder, Filter, Refused};
use crate::profile::{Action, Comparison, Effect, Operator};
use crate::runtime::{Plan, Rule};
use crate::syscalls::{Arch, Release, Syscall};

/// How long libseccomp may take. The largest filters that the kernel takes are made in well under a
/// second.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// libseccomp refuses the default action.
    #[error("libseccomp makes no filter with this default action")]
    DefaultAction,
    /// The linked release is older than the architecture.
    #[error("libseccomp {release}, which seclint is linked to, does not know the architecture {0}", release = linked())]
    Architecture(Arch),
    /// The linked release does not know names that the plan's release knows.
    #[error("libseccomp {release}, which seclint is linked to, does not know {}", listed(.0), release = linked())]
    Syscalls(Vec<&'static str>),
    /// On this machine libseccomp cannot tell a call of the plan's machine from another one.
    #[error(
        "libseccomp takes `{syscall}` for `{other}` where the machine is not {native}: only there can this be compiled"
    )]
    OneNumber {
        /// The call.
        syscall: &'static str,
        /// What it would be taken for.
        other: String,
        /// The plan's machine.
        native: Arch,
    },
    /// libseccomp does not add a rule.
    #[error("libseccomp does not add the rule for `{syscall}` of rule entry {}: {words}", .entry + 1)]
    Rule {
        /// The rule's call.
        syscall: &'static str,
        /// The rule entry, counted from 0.
        entry: usize,
        /// What `strerror` says of its errno.
        words: &'static str,
    },
    /// libseccomp is not done with a rule after seconds, and most likely never would be.
    #[error("libseccomp does not come to an end with the rule for `{syscall}` of rule entry {}", .entry + 1)]
    Endless {
        /// The rule's call.
        syscall: &'static str,
        /// The rule entry, counted from 0.
        entry: usize,
    },
    /// libseccomp has added all rules, and does not come to an end with the program.
    #[error("libseccomp does not come to an end with the program")]
    EndlessProgram,
    /// libseccomp fails.
    #[error("libseccomp: {0}")]
    Library(#[from] SeccompError),
    /// The kernel would not take the program: it is too large.
    #[error("the kernel refuses the program: {0}")]
    Refused(#[from] Refused),
    /// The program could not be had from libseccomp.
    #[error("no filter could be made: {0}")]
    System(#[from] io::Error),
}

/// The release of the libseccomp that filters are made with.
#[must_use]
pub fn linked() -> Release {
    static LINKED: OnceLock<Release> = OnceLock::new();
    *LINKED.get_or_init(|| {
        let version = ScmpVersion::current().unwrap_or(ScmpVersion::from((0, 0, 0)));
        Release::new(version.major, version.minor, version.micro)
    })
}

/// What a runtime's plan comes to: the filter, byte for byte, that a host of the plan's native
/// architecture gets where its libseccomp is of the release that is [`linked`] here.
///
/// libseccomp never comes to an end with some rules. It is left to them after a few seconds, in a
/// thread that goes on until the process ends.
///
/// # Errors
/// If libseccomp does not make the filter, or the kernel would not take it.
pub fn compile(plan: &Plan) -> Result<Filter, CompileError> {
    let order = ByteOrder::of(plan.native);
    let mut bytes = Vec::new();
    if let Some(limits) = &plan.stub {
        bytes.extend(
            stub(plan, limits)
                .into_iter()
                .flat_map(|raw| raw.bytes(order)),
        );
    }
    bytes.extend(in_time(plan)?);
    Ok(Filter::read(&bytes, order)?)
}

/// libseccomp's program.
fn in_time(plan: &Plan) -> Result<Vec<u8>, CompileError> {
    let added = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = sync_channel(1);
    let work = {
        let (plan, added) = (plan.clone(), Arc::clone(&added));
        move || {
            // Whoever waits may have gone.
            let _ = sender.send(program(&plan, &added));
        }
    };
    thread::Builder::new()
        .name("libseccomp".to_owned())
        .spawn(work)?;
    match receiver.recv_timeout(PATIENCE) {
        Ok(program) => program,
        Err(RecvTimeoutError::Timeout) => {
            Err(match plan.rules.get(added.load(Ordering::Relaxed)) {
                Some(rule) => CompileError::Endless {
                    syscall: rule.syscall.name(),
                    entry: rule.entry,
                },
                None => CompileError::EndlessProgram,
            })
        }
        Err(RecvTimeoutError::Disconnected) => {
            Err(io::Error::other("the thread ended without a word").into())
        }
    }
}

/// Does with libseccomp what the plan says, and counts the rules that were added.
fn program(plan: &Plan, added: &AtomicUsize) -> Result<Vec<u8>, CompileError> {
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
    let mut file = std::fs::File::from(
        rustix::fs::memfd_create("filter", rustix::fs::MemfdFlags::CLOEXEC)
            .map_err(io::Error::from)?,
    );
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
        Err(CompileError::Syscalls(unknown))
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
    token.map_err(|_| CompileError::Architecture(arch))
}

fn add(context: &mut ScmpFilterContext, arch: Arch) -> Result<(), CompileError> {
    let added = context.add_arch(token(arch)?);
    added.map(|_| ()).map_err(|error| match error.errno() {
        Some(SeccompErrno::EINVAL) => CompileError::Architecture(arch),
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

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

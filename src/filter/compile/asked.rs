//! What libseccomp is asked, and for how long: never for ever, and not twice.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::CompileError;
use crate::runtime::Plan;

/// How many threads may be left to libseccomp before it is asked nothing more. They leave less of the
/// machine to all else, and some end only with the process.
pub(super) const MOST_ABANDONED: usize = 4;

/// How many answers are remembered. Several runtimes make the same plan of a profile, and a command
/// may ask of one plan more than once.
const MOST_REMEMBERED: usize = 8;

/// All that this process asked.
pub(super) static ASKED: Asked = Asked::new();

/// A plan, without what runc puts before its filter, and its program; or how many rules libseccomp
/// had added when it was left to itself.
type Answer = (Plan, Result<Vec<u8>, usize>);

/// What was asked.
pub(super) struct Asked {
    abandoned: AtomicUsize,
    /// The newest first.
    last: Mutex<VecDeque<Answer>>,
}

impl Asked {
    const fn new() -> Self {
        Self {
            abandoned: AtomicUsize::new(0),
            last: Mutex::new(VecDeque::new()),
        }
    }

    /// The program that `make` makes of a plan, or has made, if it takes no longer than `patience`.
    pub(super) fn program(
        &self,
        plan: &Plan,
        patience: Duration,
        make: impl FnOnce(&Plan, &AtomicUsize) -> Result<Vec<u8>, CompileError> + Send + 'static,
    ) -> Result<Vec<u8>, CompileError> {
        let plan = Plan {
            stub: None,
            ..plan.clone()
        };
        let known = {
            let last = self.last();
            let known = last.iter().find(|(known, _)| *known == plan);
            known.map(|(_, answer)| answer.clone())
        };
        let answer = if let Some(answer) = known {
            answer
        } else {
            let answer = self.in_time(&plan, patience, make)?;
            let mut last = self.last();
            last.truncate(MOST_REMEMBERED - 1);
            last.push_front((plan.clone(), answer.clone()));
            answer
        };
        answer.map_err(|added| match plan.rules.get(added) {
            Some(rule) => CompileError::Endless {
                syscall: rule.syscall.name(),
                entry: rule.entry,
            },
            None => CompileError::EndlessProgram,
        })
    }

    fn last(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_time(
        &self,
        plan: &Plan,
        patience: Duration,
        make: impl FnOnce(&Plan, &AtomicUsize) -> Result<Vec<u8>, CompileError> + Send + 'static,
    ) -> Result<Result<Vec<u8>, usize>, CompileError> {
        if self.abandoned.load(Ordering::Relaxed) >= MOST_ABANDONED {
            return Err(CompileError::GivenUp);
        }
        let added = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = sync_channel(1);
        let work = {
            let (plan, added) = (plan.clone(), Arc::clone(&added));
            move || {
                // Whoever waits may have gone.
                let _ = sender.send(make(&plan, &added));
            }
        };
        let thread = thread::Builder::new().name("libseccomp".to_owned());
        thread.spawn(work)?;
        match receiver.recv_timeout(patience) {
            Ok(program) => program.map(Ok),
            Err(RecvTimeoutError::Timeout) => {
                self.abandoned.fetch_add(1, Ordering::Relaxed);
                Ok(Err(added.load(Ordering::Relaxed)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("the thread ended without a word").into())
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::profile::{Action, Effect};
    use crate::syscalls::Arch;

    const PATIENCE: Duration = Duration::from_mins(1);

    /// Plans that differ in what a call without a rule gets.
    fn plan(errno: u16) -> Plan {
        Plan {
            default: Effect {
                action: Action::Errno,
                errno,
            },
            native: Arch::X86_64,
            architectures: Vec::new(),
            rules: Vec::new(),
            stub: None,
            is_tree: false,
        }
    }

    /// Goes on until the test ends.
    fn endless(asked: &Asked, plan: &Plan) -> (Sender<()>, Result<Vec<u8>, CompileError>) {
        let (end, ended): (_, Receiver<()>) = channel();
        let make = move |_: &Plan, _: &AtomicUsize| {
            let _ = ended.recv();
            Ok(Vec::new())
        };
        (end, asked.program(plan, Duration::ZERO, make))
    }

    /// A directory of profiles with which libseccomp never ends would have a thread at work for each,
    /// and take seconds for each.
    #[test]
    fn libseccomp_is_not_asked_any_more_after_some_plans_without_end() {
        let asked = Asked::new();
        let mut ends = Vec::new();
        for errno in 0..MOST_ABANDONED as u16 {
            let (end, made) = endless(&asked, &plan(errno));
            ends.push(end);
            assert!(matches!(made, Err(CompileError::EndlessProgram)));
        }
        let made = asked.program(&plan(100), PATIENCE, |_, _| Ok(vec![1]));
        assert!(matches!(made, Err(CompileError::GivenUp)));
    }

    /// seclint would take seconds for each runtime and each question about one profile.
    #[test]
    fn libseccomp_is_asked_once_about_a_plan() {
        let asked = Asked::new();
        let (_end, _) = endless(&asked, &plan(1));
        let made = asked.program(&plan(1), PATIENCE, |_, _| Ok(vec![1]));
        assert!(matches!(made, Err(CompileError::EndlessProgram)));
        let program = |errno, byte| {
            let made = asked.program(&plan(errno), PATIENCE, move |_, _| Ok(vec![byte]));
            made.expect("a program")
        };
        assert_eq!(program(2, 1), [1]);
        assert_eq!(program(2, 2), [1]);
        // What was asked long ago is asked anew: memory does not grow.
        for errno in 0..MOST_REMEMBERED as u16 {
            assert_eq!(program(100 + errno, 3), [3]);
        }
        assert_eq!(program(2, 2), [2]);
        assert_eq!(asked.last().len(), MOST_REMEMBERED);
    }
}

//! What becomes of the calls that a profile does not let run.

use std::sync::LazyLock;

use crate::engine::podman_errno;
use crate::finding::Location;
use crate::profile::{Action, Decision, Dialects, Effect, GivenErrno, Mistake};
use crate::syscalls::{self, Arch, Relation, Syscall};

use super::inherited::base_of;
use super::{Context, NameUse, Permission};

/// What becomes of a call that never runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denial<'c> {
    /// The place in the profile that decides.
    pub decision: Decision<'c>,
    /// What happens.
    pub effect: Effect,
}

/// Whether all that reaches the runtime is known, and was read as it is meant.
fn is_whole(context: &Context<'_>) -> bool {
    let is_misread = |mistake: &Mistake<'_>| {
        matches!(
            mistake,
            Mistake::DuplicateKey { .. } | Mistake::WrongType { .. } | Mistake::MissingField { .. }
        )
    };
    let profiles = context.whole();
    profiles.is_some_and(|mut all| !all.any(|it| it.mistakes.iter().any(is_misread)))
}

/// Whether a call is always allowed whose related one is denied, and not by name: what is denied by
/// name is meant to be.
pub(super) fn is_lacking(context: &Context<'_>, pair: &Relation) -> bool {
    context.permission(pair.related) == Some(Permission::Never)
        && context.permission(pair.syscall) == Some(Permission::Always)
        && context.uses(pair.related).next().is_none()
}

impl<'c> Denial<'c> {
    /// What comes of a call that the kernel does not have.
    pub(super) const ENOSYS: Effect = Effect {
        action: Action::Errno,
        errno: 38,
    };

    /// What comes of a decision to readers of some dialects.
    pub(super) fn new(decision: Decision<'c>, readers: Dialects) -> Self {
        // Only Podman reads an errno by name; the numbers are those of most architectures.
        let named = |errno: GivenErrno<'_>| podman_errno(errno.node.as_str()?, Arch::X86_64);
        let errno = decision.errno(readers);
        let errno = errno.and_then(|it| it.number.map(u64::from).or_else(|| named(it)));
        Self {
            decision,
            effect: Effect::new(decision.action, errno),
        }
    }

    /// The default of a profile that is judged for what it lacks: it denies, and nothing is added
    /// to the profile that is not seen here.
    pub(super) fn by_default(context: &Context<'c>) -> Option<Self> {
        let default = Self::default_of(context).filter(|_| base_of(context).is_none());
        default.filter(|default| default.effect.action.denies())
    }

    /// The default of a profile of which all is seen here, whatever it does.
    pub(super) fn default_of(context: &Context<'c>) -> Option<Self> {
        let default = context.profile()?.default_decision()?;
        is_whole(context).then(|| Self::new(default, context.readers()))
    }

    /// The default of a profile under which programs run, so that what it does to them matters: a
    /// runtime may start them, and all of the profile is seen here.
    pub(super) fn of_programs(context: &Context<'c>) -> Option<Self> {
        static EXECVE: LazyLock<Option<&Syscall>> = LazyLock::new(|| syscalls::lookup("execve"));
        let may_start = context.permission((*EXECVE)?)? != Permission::Never;
        let is_judged = may_start && base_of(context).is_none();
        Self::default_of(context).filter(|_| is_judged)
    }

    /// Whether a program may start threads.
    pub(super) fn lets_start_threads(context: &Context<'_>) -> bool {
        let clones = ["clone", "clone3"].into_iter().filter_map(syscalls::lookup);
        let mut clones = clones.map(|call| context.permission(call));
        clones.any(|permission| permission != Some(Permission::Never))
    }

    /// Where it is decided: the call's name in a rule entry, or the default action.
    pub(super) fn place(&self, context: &Context<'_>, syscall: &Syscall) -> Location {
        let of_entry = self.decision.entry.and_then(|entry| {
            let mut uses = context.uses(syscall);
            uses.find(|name| std::ptr::eq(name.entry, entry))
        });
        context.at(of_entry.map_or(self.decision.text.node, |name| name.text.node))
    }

    /// What comes of a call that the profile never lets run; `None` if it does now and then, or
    /// nobody can tell.
    pub(super) fn of(context: &Context<'c>, default: Self, syscall: &Syscall) -> Option<Self> {
        if context.permission(syscall) != Some(Permission::Never) {
            return None;
        }
        let profile = context.profile()?;
        let uses = context.uses(syscall);
        let named = uses.filter(|name| name.entry.args.is_empty());
        let mut named = named.filter_map(|name| {
            let decision = profile.decision_of(name.entry)?;
            Some(Self::new(decision, context.readers()))
        });
        // One that does as the default does is left out by runtimes, and still is where it is said.
        let mut decided = named.next();
        if decided.is_none_or(|it| it.effect == default.effect) {
            let other = named.find(|it| it.effect != default.effect);
            decided = other.or(decided);
        }
        Some(decided.unwrap_or(default))
    }

    /// Whether the call fails as one that the kernel does not have.
    pub(super) fn is_enosys(&self) -> bool {
        self.effect == Self::ENOSYS
    }

    /// What it is for some calls: "fail with errno 1".
    pub(super) fn words(&self, calls: usize) -> String {
        let [fail, are] = if calls == 1 {
            ["fails", "is"]
        } else {
            ["fail", "are"]
        };
        match self.effect.action {
            Action::Errno => format!("{fail} with errno {}", self.effect.errno),
            Action::Trap => format!("{are} trapped"),
            _ => format!("{are} killed"),
        }
    }
}

/// The name with the largest number on an architecture, and that number: calls with larger ones
/// fail with `ENOSYS` under runc, whatever the default action is.
pub(super) fn largest_named<'a, 'c>(
    context: &'a Context<'c>,
    arch: Arch,
) -> Option<(u32, &'a NameUse<'c>)> {
    let mut downwards = syscalls::above(arch, 0).rev();
    downwards.find_map(|call| Some((call.direct_number(arch)?, context.uses(call).last()?)))
}

/// Whether runc answers a call with `ENOSYS`, since it is newer than all that the profile names.
/// Since Linux 5.1 new calls have the same number everywhere.
pub(super) fn is_newer_than_all(context: &Context<'_>, syscall: &Syscall) -> bool {
    let largest = largest_named(context, Arch::X86_64);
    let number = syscall.direct_number(Arch::X86_64);
    largest
        .zip(number)
        .is_some_and(|((largest, _), number)| number > largest)
}

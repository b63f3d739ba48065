//! What a profile can have done with a call, and when two ways to say it are one.
//!
//! Sources: runtime-spec `config-linux.md`; that an errno is 16 bits wide, and that `KILL` is
//! `KILL_THREAD`, was measured with crun 1.21, crun 1.28 and runc 1.3.

use super::{Dialects, Digits, Profile, RuleEntry, Text};
use crate::text::Node;

/// An action of the runtime specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The call runs.
    Allow,
    /// The call fails with an errno.
    Errno,
    /// The whole process is killed.
    KillProcess,
    /// The calling thread is killed. `SCMP_ACT_KILL` means this.
    KillThread,
    /// The call runs and is logged.
    Log,
    /// A listener decides.
    Notify,
    /// A tracer decides.
    Trace,
    /// The thread gets a `SIGSYS` that it can handle.
    Trap,
}

impl Action {
    /// The actions by name, in the order of the names. Names are case sensitive.
    const SPELLINGS: [(&str, Self); 9] = [
        ("SCMP_ACT_ALLOW", Self::Allow),
        ("SCMP_ACT_ERRNO", Self::Errno),
        ("SCMP_ACT_KILL", Self::KillThread),
        ("SCMP_ACT_KILL_PROCESS", Self::KillProcess),
        ("SCMP_ACT_KILL_THREAD", Self::KillThread),
        ("SCMP_ACT_LOG", Self::Log),
        ("SCMP_ACT_NOTIFY", Self::Notify),
        ("SCMP_ACT_TRACE", Self::Trace),
        ("SCMP_ACT_TRAP", Self::Trap),
    ];

    /// The action of a name; `None` if the specification has none of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let spelling = (Self::SPELLINGS.iter()).find(|(spelling, _)| *spelling == name);
        spelling.map(|&(_, action)| action)
    }

    /// The action's name. Of the two that mean [`Self::KillThread`], the one that says so.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = Self::SPELLINGS.iter().rev();
        let name = names.find(|(_, action)| *action == self);
        name.map_or("", |&(name, _)| name)
    }

    /// The names of all actions, in their order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::SPELLINGS.into_iter().map(|(name, _)| name)
    }

    /// Whether an errno may stand beside it. For `Trace` the number goes to the tracer.
    #[must_use]
    pub const fn takes_errno(self) -> bool {
        matches!(self, Self::Errno | Self::Trace)
    }

    /// Whether the call runs, and nobody else is asked.
    #[must_use]
    pub const fn permits(self) -> bool {
        matches!(self, Self::Allow | Self::Log)
    }

    /// Whether the call does not run, and nobody else is asked.
    #[must_use]
    pub const fn denies(self) -> bool {
        !self.permits() && !matches!(self, Self::Notify | Self::Trace)
    }
}

/// An action as libseccomp's constant tells it apart from others: with its errno, where it takes
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Effect {
    /// The action.
    pub action: Action,
    /// Its errno, of which libseccomp keeps 16 bits; 0 where the action takes none.
    pub errno: u16,
}

impl Effect {
    /// What runtimes make of an errno that is not given.
    const EPERM: u64 = 1;

    /// The effect of an action and the errno beside it.
    #[must_use]
    pub fn new(action: Action, errno: Option<u64>) -> Self {
        let errno = match errno {
            _ if !action.takes_errno() => 0,
            errno => errno.unwrap_or(Self::EPERM),
        };
        Self {
            action,
            errno: (errno & 0xffff) as u16,
        }
    }

    /// The effect of an action and its errno in a section.
    pub(super) fn of(action: Option<Text<'_>>, errno: Option<Digits<'_>>) -> Option<Self> {
        let action = Action::of_name(action?.value)?;
        let errno = errno.and_then(|errno| errno.value.parse::<u32>().ok());
        Some(Self::new(action, errno.map(u64::from)))
    }
}

/// An errno that stands beside an action.
#[derive(Clone, Copy, Debug)]
pub struct GivenErrno<'d> {
    /// The field that it stands in: `errnoRet`.
    pub field: &'static str,
    /// Its value there.
    pub node: Node<'d>,
    /// The number; `None` if it is given by name, or does not fit into 32 bits, in which case
    /// crun refuses the profile.
    pub number: Option<u32>,
}

/// A place where a profile says what happens to calls: its default action, or a rule entry's.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'d> {
    /// The action.
    pub action: Action,
    /// The action as written.
    pub text: Text<'d>,
    /// The errno beside it by name or digits.
    by_name: Option<Text<'d>>,
    /// The one by number.
    by_number: Option<Digits<'d>>,
    /// The object that both stand in.
    pub object: Node<'d>,
    /// The rule entry; `None` for the default action.
    pub entry: Option<&'d RuleEntry<'d>>,
}

impl<'d> Profile<'d> {
    /// What the profile says happens to calls that no rule entry matches, if its action is one.
    #[must_use]
    pub fn default_decision(&'d self) -> Option<Decision<'d>> {
        let text = self.default_action?;
        Some(Decision {
            action: self.default_effect?.action,
            text,
            by_name: self.default_errno,
            by_number: self.default_errno_ret,
            object: self.node,
            entry: None,
        })
    }

    /// Every place where the profile decides, in the order of the source but for the default,
    /// which comes first; without those whose action is none.
    pub fn decisions(&'d self) -> impl Iterator<Item = Decision<'d>> {
        let entries = (self.entries.iter()).filter_map(|entry| self.decision_of(entry));
        self.default_decision().into_iter().chain(entries)
    }

    /// What one of its rule entries says happens to the calls that it matches, if its action is one.
    #[must_use]
    pub fn decision_of(&'d self, entry: &'d RuleEntry<'d>) -> Option<Decision<'d>> {
        let text = entry.action?;
        Some(Decision {
            action: entry.known_action()?,
            text,
            by_name: entry.errno,
            by_number: entry.errno_ret,
            object: entry.node,
            entry: Some(entry),
        })
    }

    /// Whether every call runs that a rule entry names. An action that is none may have been meant
    /// to deny.
    #[must_use]
    pub fn denies_nothing(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| entry.names.is_empty() || entry.permits() == Some(true))
    }

    /// The first place that sends calls to a listener. A rule entry without names sends none.
    #[must_use]
    pub fn first_notification(&'d self) -> Option<Decision<'d>> {
        self.decisions().find(|decision| {
            let is_about_something = |entry: &RuleEntry<'_>| !entry.names.is_empty();
            decision.action == Action::Notify && decision.entry.is_none_or(is_about_something)
        })
    }
}

impl<'d> Decision<'d> {
    /// The errnos that readers of some dialects take. Podman, and nothing else, reads a name or digits
    /// in `errno`; it then ignores `errnoRet`.
    pub fn errnos(&self, readers: Dialects) -> impl Iterator<Item = GivenErrno<'d>> + use<'d> {
        let by_name = self.named().filter(|_| readers.contains(Dialects::PODMAN));
        let is_read = by_name.is_none() || readers != Dialects::PODMAN;
        by_name
            .into_iter()
            .chain(self.numbered().filter(|_| is_read))
    }

    /// The one that counts: where Podman is not the only reader, the one that it alone ignores.
    #[must_use]
    pub fn errno(&self, readers: Dialects) -> Option<GivenErrno<'d>> {
        let by_name = self.named().filter(|_| readers == Dialects::PODMAN);
        by_name.or_else(|| self.numbered())
    }

    fn named(&self) -> Option<GivenErrno<'d>> {
        let name = self.by_name.filter(|name| !name.value.is_empty())?;
        Some(self.given(["defaultErrno", "errno"], name))
    }

    fn numbered(&self) -> Option<GivenErrno<'d>> {
        Some(self.given(["defaultErrnoRet", "errnoRet"], self.by_number?))
    }

    /// An errno, in the field of the default action or of a rule entry.
    fn given(&self, [default, field]: [&'static str; 2], given: Text<'d>) -> GivenErrno<'d> {
        // Rust reads a sign before digits, Podman does not.
        let digits = Some(given.value).filter(|digits| !digits.starts_with('+'));
        GivenErrno {
            field: if self.entry.is_some() { field } else { default },
            node: given.node,
            number: digits.and_then(|digits| digits.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Effect};
    use crate::profile::{Dialects, Found, find};
    use crate::text::json;

    fn effects(entries: &str) -> Vec<Option<Effect>> {
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{entries}]}}"#);
        let document = json::parse(text.as_bytes());
        let Found::Profile(profile) = find(&document, None) else {
            panic!("no profile");
        };
        let entries = profile.entries.iter();
        entries.map(|entry| entry.effect).collect()
    }

    /// crun passes over rule entries that do what the default does: the cache audit would expect
    /// warnings that crun never gives.
    #[test]
    fn two_spellings_of_one_effect_are_equal() {
        let same = effects(
            r#"{"action":"SCMP_ACT_ERRNO"},{"action":"SCMP_ACT_ERRNO","errnoRet":1},
               {"action":"SCMP_ACT_ERRNO","errnoRet":65537}"#,
        );
        assert!(same.windows(2).all(|pair| pair[0] == pair[1]), "{same:?}");
        let killed = effects(r#"{"action":"SCMP_ACT_KILL"},{"action":"SCMP_ACT_KILL_THREAD"}"#);
        assert_eq!(killed[0], killed[1]);
        let other = effects(r#"{"action":"SCMP_ACT_TRACE"},{"action":"SCMP_ACT_KILL_PROCESS"}"#);
        assert!(other[0] != same[0] && other[1] != killed[0], "{other:?}");
    }

    /// A name that a runtime refuses would be taken for an action.
    #[test]
    fn names_are_exact() {
        assert!(Action::names().all(|name| Action::of_name(name).is_some()));
        assert_eq!(Action::of_name("scmp_act_allow"), None);
        assert_eq!(Action::of_name("SCMP_ACT_DENY"), None);
    }

    /// An action that came without its errno in one place, and with it in another, would look the
    /// same to a rule.
    #[test]
    fn podman_takes_the_errno_by_name_before_the_one_by_number() {
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","defaultErrnoRet":0,
            "syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"","errnoRet":7}]}"#;
        let document = json::parse(text.as_bytes());
        let Found::Profile(profile) = find(&document, None) else {
            panic!("no profile");
        };
        let errnos: Vec<_> = (profile.decisions())
            .flat_map(|decision| decision.errnos(Dialects::PODMAN))
            .map(|errno| (errno.field, errno.number))
            .collect();
        assert_eq!(errnos, [("defaultErrno", None), ("errnoRet", Some(7))]);
    }
}

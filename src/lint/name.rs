//! The names in rule entries, and what they are.

use crate::profile::{Action, RuleEntry, Text};
use crate::syscalls::{self, Spelling, Syscall};

/// A name in a rule entry.
#[derive(Debug)]
pub struct NameUse<'c> {
    /// The name as written.
    pub text: &'c Text<'c>,
    /// The rule entry that it stands in.
    pub entry: &'c RuleEntry<'c>,
    /// What the syscall table says of it.
    pub spelling: Spelling,
}

impl<'c> NameUse<'c> {
    /// Those of a rule entry.
    pub(super) fn all(entry: &'c RuleEntry<'c>) -> impl Iterator<Item = Self> {
        entry.names.iter().map(move |text| NameUse {
            text,
            entry,
            spelling: syscalls::spelling(text.value),
        })
    }

    /// Whether there is something to say of the name by itself: whether it is no syscall's, or one's
    /// that [is gone](Syscall::is_gone).
    pub(super) fn is_odd(&self) -> bool {
        !matches!(self.spelling, Spelling::Known(syscall) if !syscall.is_gone())
    }

    /// What a name that no runtime knows most likely means; `None` if they know it.
    #[must_use]
    pub fn meant(&self) -> Option<&'static str> {
        match &self.spelling {
            Spelling::Known(_) | Spelling::NotACall(_) => None,
            Spelling::Alias(alias) => alias.candidates.first().map(|call| call.name()),
            Spelling::Malformed(malformed) => malformed.correction.map(Syscall::name),
            Spelling::Unknown => syscalls::suggest(self.text.value),
        }
    }

    /// Whether the rule entry lets the call run, for some arguments at least.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.entry.permits() == Some(true)
    }

    /// Whether the rule entry lets the call run whatever its arguments are, and whatever capabilities
    /// the container has.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let sides = [&self.entry.includes, &self.entry.excludes];
        let mut filters = sides.into_iter().flatten();
        self.is_allowed()
            && self.entry.args.is_empty()
            && filters.all(|filter| filter.caps.is_empty())
    }

    /// Whether the rule entry denies the call, for some arguments at least.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.entry.known_action().is_some_and(Action::denies)
    }

    /// What the rule entry fails to do for a name that no runtime knows.
    #[must_use]
    pub fn effect(&self) -> &'static str {
        match self.entry.known_action() {
            Some(Action::Allow) => "rule entry allows nothing",
            Some(Action::Log) => "rule entry logs nothing",
            Some(Action::Errno | Action::KillProcess | Action::KillThread | Action::Trap) => {
                "rule entry denies nothing"
            }
            _ => "rule entry does nothing",
        }
    }
}

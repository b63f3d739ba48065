//! A section as a runtime holds it after reading: what is left of the text.

use std::borrow::Cow;

use crate::text::Node;

/// What a runtime read of `linux.seccomp`. Fields that it takes for absent are absent here.
#[derive(Clone, Debug, Default)]
pub struct Section<'d> {
    /// What happens to a call that no rule entry matches.
    pub default_action: Str<'d>,
    /// The errno of `default_action`.
    pub default_errno: Option<u64>,
    /// The architectures besides the host's own.
    pub architectures: Vec<Str<'d>>,
    /// Flags for loading the filter; `None` if the field is absent.
    pub flags: Option<Vec<Str<'d>>>,
    /// Where the container's syscalls of rule entries that notify are sent.
    pub listener_path: Option<Str<'d>>,
    /// The rule entries.
    pub entries: Vec<Entry<'d>>,
}

/// A rule entry as a runtime holds it.
#[derive(Clone, Debug, Default)]
pub struct Entry<'d> {
    /// The syscalls that it is about.
    pub names: Vec<Str<'d>>,
    /// What happens to them.
    pub action: Str<'d>,
    /// The errno of `action`.
    pub errno: Option<u64>,
    /// What their arguments must be.
    pub args: Vec<Argument<'d>>,
}

/// A condition as a runtime holds it.
#[derive(Clone, Debug, Default)]
pub struct Argument<'d> {
    /// Which argument, counted from 0; 0 if absent.
    pub index: Option<u64>,
    /// What it is compared with; 0 if absent.
    pub value: Option<u64>,
    /// What the masked argument is compared with; 0 if absent.
    pub value_two: Option<u64>,
    /// How it is compared.
    pub op: Str<'d>,
}

/// A string as a runtime holds it: bytes, which need not be UTF-8.
#[derive(Clone, Debug, Default)]
pub struct Str<'d> {
    /// Its bytes.
    pub bytes: Cow<'d, [u8]>,
    /// Whether there is no string at all, which C takes as far as the first use.
    pub is_null: bool,
    /// What it was read from.
    pub node: Option<Node<'d>>,
}

impl Str<'_> {
    /// The string, if it is UTF-8, as all names that mean something are.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or("\u{fffd}")
    }

    /// The string as messages show it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.is_null {
            // What C's printf makes of it.
            return "(null)".to_owned();
        }
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

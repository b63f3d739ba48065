//! Whether a profile lets calls run, told from its text alone, for all hosts, engines and
//! containers at once.

use crate::profile::{Action, Dialects, Effect, Filter, Profile, RuleEntry};
use crate::syscalls::{self, Spelling, Syscall};

use super::NameUse;
use super::denial::Denial;

/// Whether a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Always, whatever its arguments are and whoever runs the container.
    Always,
    /// It depends: on its arguments, on capabilities, the architecture or the kernel, or on who
    /// traces or listens.
    Sometimes,
    /// Never.
    Never,
}

impl Permission {
    fn of(action: Action) -> Self {
        match action {
            Action::Trace | Action::Notify => Self::Sometimes,
            _ if action.permits() => Self::Always,
            _ => Self::Never,
        }
    }

    fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Sometimes }
    }
}

/// The permission of every syscall in the table, and where the profile names it.
#[derive(Debug)]
pub(super) struct Permissions {
    /// Of calls that no rule entry names.
    default: Option<Permission>,
    /// What there is of each syscall. Empty if no call is named, as in a file of thousands of empty
    /// profiles.
    calls: Vec<Call>,
    /// For each name the place of the next use of the same syscall, plus one.
    next: Vec<u32>,
    /// The syscalls that more than one name is of, in the order of the table.
    repeated: Vec<&'static Syscall>,
    /// The places of the first uses of these, and of those in rule entries with conditions.
    contested: Vec<u32>,
}

/// What there is of a syscall.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    /// The place of its first use among the names, plus one; 0 if there is none.
    first: u32,
    /// The same of the last.
    last: u32,
    /// What rule entries ask for it.
    state: State,
}

impl Permissions {
    /// One pass over the names, as libseccomp takes them: of rule entries without conditions the
    /// first decides; it beats those with conditions; what does as the default does is never added.
    pub(super) fn new<'c>(
        profile: &'c Profile<'c>,
        readers: Dialects,
        names: &[NameUse<'c>],
    ) -> Self {
        let count = if names.is_empty() {
            0
        } else {
            syscalls::all().len()
        };
        let mut calls = vec![Call::default(); count];
        let mut next: Vec<u32> = vec![0; names.len()];
        let mut repeated = Vec::new();
        let mut contested = Vec::new();
        let default = profile.default_decision();
        let default = default.map(|default| Denial::new(default, readers).effect);
        let mut last: Option<(&RuleEntry<'_>, Option<Standing>)> = None;
        for (number, name) in (1..).zip(names) {
            let Spelling::Known(syscall) = name.spelling else {
                continue;
            };
            let standing = match last {
                Some((entry, standing)) if std::ptr::eq(entry, name.entry) => standing,
                _ => Standing::of(profile, name.entry, readers, default),
            };
            last = Some((name.entry, standing));
            let call = &mut calls[syscall.index()];
            call.state.add(standing);
            match (call.last as usize).checked_sub(1) {
                None => call.first = number,
                Some(before) => {
                    next[before] = number;
                    if call.first == call.last {
                        repeated.push(syscall);
                        contested.push(call.first - 1);
                    }
                }
            }
            call.last = number;
            if !name.entry.args.is_empty() {
                contested.push(call.first - 1);
            }
        }
        repeated.sort_unstable_by_key(|it| it.index());
        contested.sort_unstable();
        contested.dedup();
        let default = default.map(|default| Permission::of(default.action));
        Self {
            default,
            calls,
            next,
            repeated,
            contested,
        }
    }

    /// `None` where the default action, or that of a rule entry that names the call, is none.
    pub(super) fn of(&self, syscall: &Syscall) -> Option<Permission> {
        let call = self.calls.get(syscall.index());
        call.map_or(self.default, |it| it.state.permission(self.default))
    }

    /// The syscalls that more than one name is of, in the order of the table.
    pub(super) fn repeated(&self) -> &[&'static Syscall] {
        &self.repeated
    }

    /// The places among the names where syscalls are first used that more than one name is of, or that
    /// are in a rule entry with conditions.
    pub(super) fn contested(&self) -> impl Iterator<Item = usize> {
        self.contested.iter().map(|&place| place as usize)
    }

    /// The place among the names where a syscall is first used.
    pub(super) fn first_use(&self, syscall: &Syscall) -> Option<usize> {
        let call = self.calls.get(syscall.index())?;
        (call.first as usize).checked_sub(1)
    }

    /// The place where the syscall is used next that is used at a `place`.
    pub(super) fn next_use(&self, place: usize) -> Option<usize> {
        let next = *self.next.get(place)?;
        (next as usize).checked_sub(1)
    }
}

/// What a rule entry asks for.
#[derive(Clone, Copy)]
struct Standing {
    /// `None` if it does as the default does.
    permission: Option<Permission>,
    /// Whether it holds for every container.
    is_everywhere: bool,
    has_conditions: bool,
}

impl Standing {
    /// `None` if there is no such action.
    fn of<'c>(
        profile: &'c Profile<'c>,
        entry: &'c RuleEntry<'c>,
        readers: Dialects,
        default: Option<Effect>,
    ) -> Option<Self> {
        let effect = match entry.errno {
            None => entry.effect?,
            // By name only Podman reads it.
            Some(_) => Denial::new(profile.decision_of(entry)?, readers).effect,
        };
        Some(Self {
            permission: (Some(effect) != default).then(|| Permission::of(effect.action)),
            is_everywhere: is_blank(entry.includes.as_ref()) && is_blank(entry.excludes.as_ref()),
            has_conditions: !entry.args.is_empty(),
        })
    }
}

fn is_blank(filter: Option<&Filter<'_>>) -> bool {
    filter.is_none_or(|it| it.caps.is_empty() && it.arches.is_empty() && it.min_kernel.is_none())
}

/// What the rule entries so far ask for a call.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Of the first one without conditions that always holds: nothing after it counts.
    decided: Option<Permission>,
    /// Of those without conditions that hold for some containers.
    somewhere: Option<Permission>,
    /// Of those with conditions.
    conditional: Option<Permission>,
    is_unknown: bool,
}

impl State {
    fn add(&mut self, standing: Option<Standing>) {
        let Some(standing) = standing else {
            self.is_unknown = true;
            return;
        };
        let Some(permission) = standing.permission.filter(|_| self.decided.is_none()) else {
            return;
        };
        let place = if standing.has_conditions {
            &mut self.conditional
        } else if standing.is_everywhere {
            &mut self.decided
        } else {
            &mut self.somewhere
        };
        *place = Some(place.map_or(permission, |before| before.or(permission)));
    }

    fn permission(self, default: Option<Permission>) -> Option<Permission> {
        let default = default.filter(|_| !self.is_unknown)?;
        let base = match self.decided {
            Some(decided) => decided,
            None => self.conditional.map_or(default, |it| it.or(default)),
        };
        Some(self.somewhere.map_or(base, |somewhere| somewhere.or(base)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Permissions};
    use crate::lint::NameUse;
    use crate::profile::{Found, find};
    use crate::syscalls::lookup;
    use crate::text::json;

    fn permission(default: &str, entries: &str) -> (Option<Permission>, usize) {
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_{default}","syscalls":[{entries}]}}"#);
        let document = json::parse(text.as_bytes());
        let Found::Profile(profile) = find(&document, None) else {
            panic!("no profile");
        };
        let mut names = Vec::new();
        for entry in &profile.entries {
            names.extend(NameUse::all(entry));
        }
        let permissions = Permissions::new(&profile, profile.dialects, &names);
        let read = lookup("read").unwrap();
        let first = permissions.first_use(read);
        let uses = std::iter::successors(first, |place| permissions.next_use(*place));
        (permissions.of(read), uses.count())
    }

    const ALLOW: &str = r#"{"names":["write","read"],"action":"SCMP_ACT_ALLOW"}"#;
    const DENY: &str = r#"{"names":["read"],"action":"SCMP_ACT_ERRNO"}"#;
    const DENY_38: &str = r#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#;
    const DENY_EPERM: &str =
        r#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EPERM","errnoRet":38}"#;
    const DENY_ENOSYS: &str = r#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"}"#;
    const IF: &str = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}"#;
    const CAP: &str =
        r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}"#;
    const UNKNOWN: &str = r#"{"names":["read"],"action":"SCMP_ACT_X"}"#;

    /// A rule would call a call permitted that is denied, or the other way round.
    #[test]
    fn entries_count_as_in_libseccomp() {
        use Permission::{Always, Never, Sometimes};
        for (default, entries, expected) in [
            ("ERRNO", vec![], Some(Never)),
            ("ALLOW", vec![], Some(Always)),
            ("NOTIFY", vec![], Some(Sometimes)),
            ("ERRNO", vec![ALLOW], Some(Always)),
            ("ERRNO", vec![DENY, ALLOW], Some(Always)),
            ("ERRNO", vec![DENY_38, ALLOW], Some(Never)),
            ("ERRNO", vec![DENY_EPERM, ALLOW], Some(Always)),
            ("ERRNO", vec![DENY_ENOSYS, ALLOW], Some(Never)),
            ("ERRNO", vec![ALLOW, DENY_38], Some(Always)),
            ("ERRNO", vec![IF], Some(Sometimes)),
            ("ERRNO", vec![IF, ALLOW], Some(Always)),
            ("ERRNO", vec![CAP], Some(Sometimes)),
            ("ERRNO", vec![CAP, DENY_38], Some(Sometimes)),
            ("ERRNO", vec![ALLOW, CAP], Some(Always)),
            ("ALLOW", vec![IF, CAP], Some(Always)),
            ("ERRNO", vec![ALLOW, UNKNOWN], None),
            ("X", vec![ALLOW], None),
        ] {
            let found = permission(default, &entries.join(","));
            assert_eq!(found, (expected, entries.len()), "{default}: {entries:?}");
        }
    }
}

//! Profiles merged with their bases, as security-profiles-operator does it: see [`super::base`].

use std::collections::HashMap;
use std::fmt;

use super::{Action, Profile, RuleEntry};
use crate::text::{Extract, Kind, Node};

/// A profile with what its bases add to it.
#[derive(Debug)]
pub struct Merged<'p, 'd> {
    /// The rule entries in the order in which the runtime gets them. Each has the number of the
    /// profile that it is from: 0 for the profile itself, 1 for its base, 2 for the base's base.
    pub entries: Vec<(usize, &'p RuleEntry<'d>)>,
    /// Whether runtimes leave out what allows a call: the default action does so as well.
    allows_by_default: bool,
}

impl<'p, 'd> Merged<'p, 'd> {
    /// The profile first, then its bases from the nearest on.
    #[must_use]
    pub fn of(profiles: &[&'p Profile<'d>]) -> Self {
        let all = profiles.iter().enumerate().rev();
        let mut entries: Vec<_> = all
            .flat_map(|(number, profile)| profile.entries.iter().map(move |it| (number, it)))
            .collect();
        entries.sort_by_key(|(_, entry)| entry.action.map_or("", |action| action.value));
        let default = profiles.first().and_then(|profile| profile.default_effect);
        Self {
            entries,
            allows_by_default: default.is_some_and(|it| it.action == Action::Allow),
        }
    }

    /// The names of which releases of the operator do not make the same, in byte order: more than one
    /// of the profiles is about them, and it matters in which way they are merged. All agree where one
    /// allows a call whatever its arguments are, unless that is the default, or all want the same of
    /// it whatever these are.
    #[must_use]
    pub fn disputed(&self) -> Vec<&'d str> {
        struct Claim<'d> {
            number: usize,
            wish: Option<[Option<&'d str>; 2]>,
            is_shared: bool,
            is_same: bool,
            is_allowed: bool,
        }
        let mut claims: HashMap<&str, Claim<'_>> = HashMap::new();
        for &(number, entry) in &self.entries {
            let wish = [
                entry.action.map(|it| it.value),
                entry.errno_ret.map(|it| it.value),
            ];
            let wish = entry.args.is_empty().then_some(wish);
            let counts = entry.args.is_empty() && !self.allows_by_default;
            let is_allowed = counts && entry.known_action() == Some(Action::Allow);
            for name in &entry.names {
                let claim = claims.entry(name.value).or_insert(Claim {
                    number,
                    wish,
                    is_shared: false,
                    is_same: true,
                    is_allowed,
                });
                claim.is_shared |= claim.number != number;
                claim.is_same &= wish.is_some() && claim.wish == wish;
                claim.is_allowed |= is_allowed;
            }
        }
        let disputed = |claim: &Claim<'_>| claim.is_shared && !claim.is_same && !claim.is_allowed;
        let mut names: Vec<_> = claims
            .into_iter()
            .filter_map(|(name, claim)| disputed(&claim).then_some(name))
            .collect();
        names.sort_unstable();
        names
    }

    /// The file that the operator writes of the profile, whose object `spec` is.
    #[must_use]
    pub fn file(&self, spec: Node<'_>) -> Extract {
        let elements: Vec<_> = self
            .entries
            .iter()
            .map(|(number, entry)| (*number, entry.node))
            .collect();
        Extract::with_elements(spec, "syscalls", &elements, "names", is_left_out)
    }
}

/// Whether the operator leaves a member out of the file that it writes: to Go 0 is empty there.
pub(super) fn is_left_out(key: &str, value: &Kind<'_>) -> bool {
    key == "errnoRet" && matches!(value, Kind::Number(digits) if digits.parse() == Ok(0_u64))
}

/// What is to be said of calls of which releases of the operator make different things.
#[must_use]
pub fn disputed_words(names: &[impl fmt::Display]) -> Option<String> {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "both the profile and a base are about {}, and newer releases of security-profiles-operator than 0.9 let the less restrictive of them win; told as older ones merge them",
            names.join(", ")
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::Merged;
    use crate::profile::base::tests::{lazily, object, source, with_first};
    use crate::profile::{BaseFinder, Bases};

    /// A denial that newer releases of the operator drop would be told as if it were certain.
    #[test]
    fn what_the_default_allows_beats_no_denial() {
        let denies = "{action: SCMP_ACT_KILL, names: [a, b]}, {action: SCMP_ACT_KILL, names: [c]}";
        let base = source("base", object("name: b", "", denies));
        let entries = "{action: SCMP_ACT_ALLOW, names: [a]}, {action: SCMP_ACT_KILL, names: [c]}";
        let text = object("name: w", "  baseProfileName: b\n", entries);
        let disputed = |text: String| {
            let own = source("own", text);
            let (none, given) = (Bases::default(), lazily(&[&base]));
            with_first(&own, |profile| {
                let layers = BaseFinder::new(&own, &none, &given).of(profile).unwrap();
                let names = Merged::of(&[profile, &layers[0].profile]).disputed();
                names.into_iter().map(str::to_owned).collect::<Vec<_>>()
            })
        };
        assert!(disputed(text.clone()).is_empty());
        assert_eq!(disputed(text.replace("_ERRNO", "_ALLOW")), ["a"]);
    }

    /// The filter would be another one than the operator's.
    #[test]
    fn entries_of_all_are_sorted_by_action() {
        let base = source(
            "base",
            object(
                "name: b",
                "",
                "{action: SCMP_ACT_LOG, names: [z, a]}, {action: SCMP_ACT_ALLOW, names: [q, c]}",
            ),
        );
        let own = source(
            "own",
            object(
                "name: w",
                "  baseProfileName: b\n",
                "{action: SCMP_ACT_ALLOW, names: [a]}, {action: SCMP_ACT_KILL, names: [c, z]}",
            ),
        );
        let given = lazily(&[&base]);
        let names = with_first(&own, |profile| {
            let none = Bases::default();
            let layers = BaseFinder::new(&own, &none, &given).of(profile).unwrap();
            let merged = Merged::of(&[profile, &layers[0].profile]);
            assert_eq!(merged.disputed(), ["z"]);
            let file = merged.file(profile.node);
            String::from_utf8(file.bytes().to_vec()).unwrap()
        });
        let expected = r#"{"defaultAction":"SCMP_ACT_ERRNO","baseProfileName":"b","syscalls":[{"action":"SCMP_ACT_ALLOW","names":["c","q"]},{"action":"SCMP_ACT_ALLOW","names":["a"]},{"action":"SCMP_ACT_KILL","names":["c","z"]},{"action":"SCMP_ACT_LOG","names":["a","z"]}]}"#;
        assert_eq!(names, expected);
    }
}

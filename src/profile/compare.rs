//! When two rule entries are one.

use super::{Condition, Digits, Filter, RuleEntry, Text};

impl RuleEntry<'_> {
    /// Whether both hold in the same places, for the same arguments, and do the same with a call, as
    /// far as their texts tell.
    #[must_use]
    pub fn does_the_same(&self, other: &RuleEntry<'_>) -> bool {
        self.effect.is_some()
            && self.effect == other.effect
            && text(self.errno) == text(other.errno)
            && self.args.len() == other.args.len()
            && (self.args.iter().zip(&other.args)).all(|(a, b)| condition(a) == condition(b))
            && filter(self.includes.as_ref()).eq(filter(other.includes.as_ref()))
            && filter(self.excludes.as_ref()).eq(filter(other.excludes.as_ref()))
    }
}

fn text(text: Option<Text<'_>>) -> &str {
    text.map_or("", |text| text.value)
}

fn condition<'d>(condition: &Condition<'d>) -> [&'d str; 4] {
    let number = |number: Option<Digits<'d>>| number.map_or("0", |number| number.value);
    [
        number(condition.index),
        number(condition.value),
        number(condition.value_two),
        text(condition.op),
    ]
}

/// All that a filter asks for, field by field.
fn filter<'a>(filter: Option<&'a Filter<'_>>) -> impl Iterator<Item = (u8, &'a str)> {
    filter.into_iter().flat_map(|filter| {
        let caps = filter.caps.iter().map(|cap| (0, cap.value));
        let arches = filter.arches.iter().map(|arch| (1, arch.value));
        let kernel = filter.min_kernel.iter().map(|kernel| (2, kernel.value));
        caps.chain(arches).chain(kernel)
    })
}

#[cfg(test)]
mod tests {
    use crate::profile::{Found, find};
    use crate::text::json;

    fn are_one(a: &str, b: &str) -> bool {
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{a},{b}]}}"#);
        let document = json::parse(text.as_bytes());
        let Found::Profile(profile) = find(&document, None) else {
            panic!("no profile");
        };
        profile.entries[0].does_the_same(&profile.entries[1])
    }

    /// A rule entry that is told to be superfluous, and is not, is one that somebody removes.
    #[test]
    fn entries_differ_in_anything_that_they_ask_for() {
        let deny = r#"{"names":["a"],"action":"SCMP_ACT_ERRNO"}"#;
        let same = [
            r#"{"names":["b"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[],"comment":"x"}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","includes":{},"excludes":{"caps":[]}}"#,
        ];
        for entry in same {
            assert!(are_one(deny, entry), "{entry}");
        }
        let other = [
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":2}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_TRACE"}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_BPF"]}}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","excludes":{"arches":["arm"]}}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"5.0"}}"#,
            r#"{"names":["a"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}"#,
        ];
        for (index, entry) in other.iter().enumerate() {
            assert!(!are_one(deny, entry), "{entry}");
            assert!(
                other[..index].iter().all(|before| !are_one(before, entry)),
                "{entry}"
            );
        }
        assert!(!are_one(
            r#"{"action":"SCMP_ACT_DENY"}"#,
            r#"{"action":"SCMP_ACT_DENY"}"#
        ));
    }
}

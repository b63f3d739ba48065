//! In what sections differ: the same profile, made into sections by several engines.

use std::collections::BTreeMap;

use super::{Section, SectionCondition};
use crate::profile::{Action, Effect};
use crate::syscalls::{self, Arch};

/// What a section has done with one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision<'d> {
    /// The same, whatever its arguments are.
    Always(Effect),
    /// That depends on its arguments: the rule entries that are about it, in their order.
    Depends(Vec<(Effect, Vec<SectionCondition<'d>>)>),
}

/// Calls with which sections do different things.
#[derive(Debug)]
pub struct Difference<'d> {
    /// What each section has done with them, in the order of the sections.
    pub decisions: Vec<Decision<'d>>,
    /// The calls, in the order of their names.
    pub syscalls: Vec<&'d str>,
}

/// The calls of a host's own architecture with which sections do different things, those together
/// with which each does the same. `None` if a section has an action that is none.
///
/// As libseccomp has it, a rule entry without conditions counts before those with conditions, and
/// the first of several without; those that do what the default does are none.
#[must_use]
pub fn differences<'d>(sections: &[Section<'d>], host: Arch) -> Option<Vec<Difference<'d>>> {
    let mut named = BTreeMap::new();
    for (index, section) in sections.iter().enumerate() {
        let default = effect(section.default_action, section.default_errno_ret)?;
        for entry in &section.syscalls {
            let effect = effect(entry.action, entry.errno_ret)?;
            for &name in entry.names.iter().flatten() {
                let exists = || syscalls::lookup(name).is_some_and(|call| call.exists_on(host));
                if !named.contains_key(name) && !exists() {
                    continue;
                }
                let rules: &mut Vec<Vec<_>> = named
                    .entry(name)
                    .or_insert_with(|| vec![Vec::new(); sections.len()]);
                if let Some(rules) = rules.get_mut(index).filter(|_| effect != default) {
                    rules.push((effect, entry.args.as_slice()));
                }
            }
        }
    }
    let mut all: Vec<Difference<'d>> = Vec::new();
    for (name, rules) in named {
        let decisions: Option<Vec<_>> = sections
            .iter()
            .zip(rules)
            .map(|(section, rules)| {
                let default = effect(section.default_action, section.default_errno_ret)?;
                Some(decision(default, &rules))
            })
            .collect();
        let decisions = decisions?;
        if decisions.windows(2).all(|pair| pair.first() == pair.last()) {
            continue;
        }
        match all.iter_mut().find(|other| other.decisions == decisions) {
            Some(other) => other.syscalls.push(name),
            None => all.push(Difference {
                decisions,
                syscalls: vec![name],
            }),
        }
    }
    Some(all)
}

fn effect(action: &str, errno: Option<u64>) -> Option<Effect> {
    Some(Effect::new(Action::of_name(action)?, errno))
}

fn decision<'d>(default: Effect, rules: &[(Effect, &[SectionCondition<'d>])]) -> Decision<'d> {
    if let Some((effect, _)) = rules.iter().find(|(_, conditions)| conditions.is_empty()) {
        return Decision::Always(*effect);
    }
    if rules.is_empty() {
        return Decision::Always(default);
    }
    let rules = rules.iter();
    Decision::Depends(
        rules
            .map(|&(effect, conditions)| (effect, conditions.to_vec()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Decision, differences};
    use crate::engine::{Circumstances, Engine, resolve};
    use crate::profile::Action;
    use crate::syscalls::{Arch, KernelVersion};
    use crate::text::json;

    /// A call that one engine lets through and another stops would go unseen, or one with which
    /// both do the same would be called different.
    #[test]
    fn sections_differ_where_calls_meet_something_else() {
        let profile = br#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
            {"names":["read","mount","chroot"],"action":"SCMP_ACT_ALLOW",
             "includes":{"caps":["CAP_SYS_ADMIN"]}},
            {"names":["read"],"action":"SCMP_ACT_ALLOW"},
            {"names":["ptrace","mkdri"],"action":"SCMP_ACT_ALLOW",
             "args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}],"excludes":{"arches":["amd64"]}},
            {"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"includes":{"caps":["CAP_BPF"]}},
            {"names":["waitpid"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}"#;
        let document = json::parse(profile);
        let circumstances = Circumstances {
            arch: Arch::X86_64,
            kernel: KernelVersion::new(6, 1),
            capabilities: Vec::new(),
            is_privileged: false,
        };
        let sections: Vec<_> = [Engine::Docker, Engine::Containerd]
            .into_iter()
            .map(|engine| {
                let resolved = resolve(profile, &document, engine, &circumstances);
                resolved.unwrap().section.unwrap()
            })
            .collect();
        let found = differences(&sections, Arch::X86_64).unwrap();
        let names: Vec<_> = found.iter().map(|it| it.syscalls.clone()).collect();
        assert_eq!(names, [vec!["chroot", "mount"], vec!["ptrace"]]);
        let actions = |decision: &Decision<'_>| match decision {
            Decision::Always(effect) => Some(effect.action),
            Decision::Depends(_) => None,
        };
        let actions: Vec<_> = (found.iter())
            .map(|it| it.decisions.iter().map(actions).collect::<Vec<_>>())
            .collect();
        let errno = Some(Action::Errno);
        assert_eq!(
            actions,
            [[errno, Some(Action::Allow)], [errno, None]].map(|it| it.to_vec())
        );
    }
}

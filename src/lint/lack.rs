//! What runtimes lack in a profile, to start containers.

use crate::runtime::{STARTERS, Starter};
use crate::syscalls::Syscall;

use super::Context;
use super::denial::{Denial, is_newer_than_all};
use super::inherited::{Base, base_of};

/// What a runtime lacks; nothing if it starts containers.
pub(super) struct Lack {
    /// The runtime.
    pub starter: &'static Starter,
    /// The calls without which it does not start the container that the profile is in, or no
    /// container that lacks `noNewPrivileges`.
    pub calls: Vec<&'static str>,
    /// Whether it does not start that container, or none with `noNewPrivileges` either.
    pub is_always: bool,
}

/// What each runtime lacks that a target may have, and that the profile is for.
pub(super) fn of_runtimes<'c>(context: &Context<'c>, default: Denial<'c>) -> Vec<Lack> {
    (STARTERS.iter())
        .filter(|starter| is_meant(context, starter))
        .map(|starter| lack(context, default, starter))
        .collect()
}

/// Whether a target may have the runtime in such a version, and the profile is not a base for
/// another one.
fn is_meant(context: &Context<'_>, starter: &Starter) -> bool {
    if let Some(Base::OfRuntime(runtime)) = base_of(context)
        && runtime != starter.runtime
    {
        return false;
    }
    context.targets().iter().any(|it| {
        let version = match starter.runtime {
            "crun" => &it.target.crun,
            _ => &it.target.runc,
        };
        let version = version.as_deref();
        version.is_none_or(|version| starter.stands_for(version))
    })
}

fn lack<'c>(context: &Context<'c>, default: Denial<'c>, starter: &'static Starter) -> Lack {
    let denied = |syscall: &'static Syscall| {
        let denial = Denial::of(context, default, syscall)?;
        let has_stub = starter.runtime == "runc" && is_newer_than_all(context, syscall);
        Some(if has_stub {
            Denial::ENOSYS
        } else {
            denial.effect
        })
    };
    let missing = |has_no_new_privileges| starter.missing(has_no_new_privileges, denied);
    let known = context.has_no_new_privileges();
    let calls = missing(known.unwrap_or_default());
    let is_always = match known {
        Some(_) => !calls.is_empty(),
        None => !missing(true).is_empty(),
    };
    Lack {
        starter,
        calls,
        is_always,
    }
}

impl Lack {
    /// Whether it starts no container, or none without `noNewPrivileges`.
    pub(super) fn is_dead(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Its name and the versions of which this is known.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.starter.runtime, self.starter.versions)
    }
}

/// Which containers do not start.
pub(super) fn who(lacks: &[Lack]) -> String {
    let is_like = |it: &Lack, other: &Lack| {
        it.is_dead() == other.is_dead() && it.is_always == other.is_always
    };
    let titles = |is_always: bool| {
        let mut titles: Vec<String> = Vec::new();
        for lack in lacks
            .iter()
            .filter(|it| it.is_dead() && it.is_always == is_always)
        {
            let runtime = lack.starter.runtime;
            let mut versions = lacks.iter().filter(|it| it.starter.runtime == runtime);
            let is_all = versions.all(|it| is_like(it, lack));
            let title = if is_all {
                runtime.to_owned()
            } else {
                lack.title()
            };
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.join(" and ")
    };
    let (always, others) = (titles(true), titles(false));
    match (always.is_empty(), others.is_empty()) {
        (_, true) => format!("containers do not start with {always}"),
        (true, _) => format!("containers without `noNewPrivileges` do not start with {others}"),
        _ => format!(
            "containers do not start with {always}, and with {others} only those with `noNewPrivileges`"
        ),
    }
}

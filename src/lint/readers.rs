//! Who reads a profile.

use crate::engine::Engine;
use crate::profile::Dialects;

use super::Context;

/// Those of a profile's readers of which something is to be said; never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readers(Vec<&'static str>);

/// The formats that have `name`, `archMap`, `includes` and `excludes`.
pub(super) const FORMATS: Dialects = Dialects::DOCKER.or(Dialects::PODMAN);

impl Readers {
    /// The engines that are meant to read the profile and of which something holds: each of those
    /// that were named with `--engine`; if none was, all that can be meant, provided that it holds
    /// of every one. A section of a container's configuration, and what
    /// security-profiles-operator makes of its objects, is not what engines read.
    pub(super) fn engines(context: &Context<'_>, holds: impl Fn(Engine) -> bool) -> Option<Self> {
        let profile = context.profile()?;
        if context.is_section() || profile.is_for_operator() {
            return None;
        }
        let holds = |engine: &Engine| holds(*engine);
        let engines: Vec<_> = if context.engines().is_empty() {
            let is_meant = |engine: &Engine| profile.dialects.contains(engine.dialect());
            let meant: Vec<_> = Engine::ALL.into_iter().filter(is_meant).collect();
            if meant.iter().all(holds) {
                meant
            } else {
                Vec::new()
            }
        } else {
            let named = context.engines().iter().copied();
            named.filter(holds).collect()
        };
        let titles = engines.into_iter().map(Engine::title).collect();
        Some(Self(titles)).filter(|readers| !readers.0.is_empty())
    }

    /// The engines among them that know what only [their formats](FORMATS) have.
    pub(super) fn of_formats(context: &Context<'_>) -> Option<Self> {
        Self::engines(context, |engine| FORMATS.contains(engine.dialect()))
    }

    /// Whether those that are meant may know `includes` and `excludes`, so that these can be advised.
    pub(super) fn know_filters(context: &Context<'_>) -> bool {
        !(context.readers() & FORMATS).is_empty()
    }

    /// Those that do not know a field, of which `dialects` do.
    pub(super) fn without_field(context: &Context<'_>, dialects: Dialects) -> Option<Self> {
        let profile = context.profile()?;
        let lacks = |dialect: Dialects| (dialect & dialects).is_empty();
        let is_runtimes = profile.dialects == Dialects::OCI && context.engines().is_empty();
        if (is_runtimes || context.is_section()) && lacks(Dialects::OCI) {
            return Some(Self(vec!["crun", "runc"]));
        }
        Self::engines(context, |engine| lacks(engine.dialect()))
    }

    /// Their names before a verb, of which there are two forms: "Podman ignores".
    pub(super) fn before(&self, one: &str, many: &str) -> String {
        match self.0.as_slice() {
            [first @ .., last] if !first.is_empty() => {
                format!("{} and {last} {many}", first.join(", "))
            }
            few => format!("{} {one}", few.concat()),
        }
    }
}

//! What base profiles add to a profile, so that it is judged for all that reaches the runtime; and
//! which profiles are bases, to which others add.

use std::sync::Arc;

use super::Context;
use crate::finding::{Finding, Location};
use crate::profile::{BaseFinder, BaseLayer, Found, Merged, Profile, UnseenBase};
use crate::text::{Node, Source};

/// What is known of the base that a profile names.
#[derive(Debug)]
pub(super) enum Inherited<'b> {
    /// The base, its own base, and so on.
    Seen(Vec<BaseLayer<'b>>),
    /// Something of it was not found.
    Unseen(UnseenBase),
}

impl<'b> Inherited<'b> {
    /// What is added to what was found; `None` if it names no base.
    pub(super) fn of(found: &Found<'_>, finder: &mut BaseFinder<'b>) -> Option<Self> {
        let Found::Profile(profile) = found else {
            return None;
        };
        profile.base()?;
        Some(match finder.of(profile) {
            Ok(layers) => Self::Seen(layers),
            Err(unseen) => Self::Unseen(unseen),
        })
    }

    pub(super) fn layers(&self) -> &[BaseLayer<'b>] {
        match self {
            Self::Seen(layers) => layers,
            Self::Unseen(_) => &[],
        }
    }

    /// The profile and its bases, merged.
    pub(super) fn merged<'p>(&'p self, profile: &'p Profile<'b>) -> Merged<'p, 'b> {
        let bases = self.layers().iter().map(|layer| &*layer.profile);
        Merged::of(&std::iter::once(profile).chain(bases).collect::<Vec<_>>())
    }

    /// The file that a node of a base stands in.
    pub(super) fn source_of(&self, node: Node<'_>) -> Option<&Arc<Source>> {
        let mut layers = self.layers().iter();
        layers.find_map(|it| node.is_of(it.base.document()).then(|| it.base.source()))
    }

    /// Whether a place is in a base.
    fn holds(&self, place: &Location) -> bool {
        let Some(span) = place.span else {
            return false;
        };
        self.layers().iter().any(|layer| {
            let all = layer.profile.node.span();
            layer.base.source().name() == place.source.name()
                && all.start <= span.start
                && span.end <= all.end
        })
    }
}

/// A profile that is made for others to add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// It has what a runtime calls, which the operator's own bases are named after.
    OfRuntime(&'static str),
    /// Nobody can tell what it is to have.
    Other,
}

/// What base a profile is, as far as can be told: its name says so, or another one in its file names
/// it as its own. It is no whole profile then, and what it lacks may be in those that name it, which
/// are judged together with it.
pub(super) fn base_of(context: &Context<'_>) -> Option<Base> {
    let name = context.profile()?.object_name()?;
    let runtime = ["runc", "crun"].into_iter().find(|runtime| {
        let rest = name.strip_prefix(runtime);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("-v"))
    });
    let says_so = |part: &str| part == "base" || part == "baseprofile";
    if let Some(runtime) = runtime {
        return Some(Base::OfRuntime(runtime));
    }
    let is_base = context.place.is_named_as_base || name.split(['-', '.']).any(says_so);
    is_base.then_some(Base::Other)
}

/// Makes a finding about a profile that has bases one of its own file; `false` if it is none. What is
/// all in a base is found in the base.
pub(super) fn settle(context: &Context<'_>, finding: &mut Finding) -> bool {
    let Some((base, inherited)) = context.seen_base() else {
        return true;
    };
    let is_elsewhere = inherited.holds(&finding.location);
    let labels = || finding.labels.iter().map(|label| &label.location);
    let (mut others, mut all) = (labels(), labels());
    if others.any(|place| inherited.holds(place)) || is_elsewhere {
        // Only the profile's own file can be edited.
        finding.fix = None;
    }
    if !is_elsewhere {
        return true;
    }
    if all.all(|place| inherited.holds(place)) {
        return false;
    }
    if let Some(rest) = finding.message.strip_prefix("this rule entry ") {
        finding.message = format!("a rule entry of the base profile {rest}");
    }
    let place = context.at(base.node);
    let there = std::mem::replace(&mut finding.location, place);
    let words = finding.here.replace("in this base profile".to_owned());
    let words = words.unwrap_or_else(|| "here".to_owned());
    *finding = finding.clone().label(there, words);
    true
}

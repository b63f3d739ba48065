//! What base profiles add to a profile, so that it is judged for all that reaches the runtime.

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
    let place = context.at(base.node);
    let there = std::mem::replace(&mut finding.location, place);
    let words = finding.here.replace("in this base profile".to_owned());
    let words = words.unwrap_or_else(|| "here".to_owned());
    *finding = finding.clone().label(there, words);
    true
}

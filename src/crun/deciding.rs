//! Where a configuration says what becomes of a call.

use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

use super::candidate::{Candidate, move_to_profile};
use super::content::Witness;
use super::{Host, key};
use crate::engine;
use crate::filter::{Call, Verdict};
use crate::finding::Location;
use crate::policy::{CallPolicy, Decided, Place, Policy, verdict};
use crate::profile::{self, Found, ProfileFile};
use crate::runtime::crun::{self, Conditions, Parser};
use crate::runtime::{Section, Str};
use crate::syscalls::{Arch, lookup};
use crate::text::{Node, Source, json};

/// A place, and what it decides.
pub(super) type Told = (Location, String);

/// What was found out of configurations, which outlive it. Each is read again for that, and many
/// entries may be asked for by the same one.
#[derive(Default)]
pub(super) struct Deciders(HashMap<Asked, Vec<Told>>);

/// A configuration, a call, and what it is to get.
type Asked = (*const Candidate, Call, Option<Verdict>);

impl Deciders {
    /// Where a configuration decides about a call: a rule entry where it names the call, or the
    /// default action; several where it is not known which.
    pub(super) fn places(
        &mut self,
        candidate: &Candidate,
        witness: &Witness,
        host: &Host,
    ) -> Vec<Told> {
        let asked = (
            ptr::from_ref(candidate),
            witness.call,
            witness.configuration,
        );
        let known = self.0.entry(asked);
        known
            .or_insert_with(|| deciding(candidate, witness, host))
            .clone()
    }
}

fn deciding(candidate: &Candidate, witness: &Witness, host: &Host) -> Vec<Told> {
    let none = profile::no_bases();
    let bases = candidate.bases.as_deref().unwrap_or(&none);
    let files = profile::files(&candidate.source, bases);
    let mut told = files
        .iter()
        .filter_map(|file| in_file(file, candidate, witness, host));
    told.next().unwrap_or_default()
}

/// Where a node of a profile stands, in its own file or in that of a base.
pub(super) fn place_in(file: &ProfileFile<'_>, source: &Arc<Source>, node: Node<'_>) -> Location {
    match (file.origin(node), file.in_base(node)) {
        (Some(there), _) => Location::node(source, there),
        (None, Some((base, there))) => Location::node(base.source(), there),
        (None, None) => Location::file(source),
    }
}

fn in_file(
    file: &ProfileFile<'_>,
    candidate: &Candidate,
    witness: &Witness,
    host: &Host,
) -> Option<Vec<Told>> {
    let (document, bytes) = (file.document(), file.bytes());
    let Found::Profile(profile) = profile::find(document, None) else {
        return None;
    };
    let default = profile.node.get("defaultAction");
    let place = |node: Node<'_>| place_in(file, &candidate.source, node);
    let Some(resolution) = &candidate.resolved else {
        let section = key::section(document, bytes, &profile, &host.crun).ok()?;
        return places(&section, default, witness, host, place);
    };
    let circumstances = resolution.circumstances(&host.uname)?;
    let resolved = engine::resolve(bytes, document, resolution.engine, &circumstances).ok()?;
    let (handed, text) = (resolved.section.as_ref().ok()?, resolved.to_json().ok()?);
    let parsed = json::parse(&text);
    let mut section = crun::read(&parsed, &text, Parser::of(&host.crun)).ok()??;
    move_to_profile(&mut section, handed);
    places(&section, default, witness, host, place)
}

/// `None` if the section asks for something else, as another profile of the same file may.
fn places<'d>(
    section: &Section<'d>,
    default: Option<Node<'d>>,
    witness: &Witness,
    host: &Host,
    place: impl Fn(Node<'d>) -> Location,
) -> Option<Vec<Told>> {
    let conditions = Conditions {
        parser: Parser::of(&host.crun),
        libseccomp: host.libseccomp.into(),
        native: Arch::from_name(&host.uname.machine)?,
        fails_on_unknown: false,
    };
    let plan = crun::plan(section, conditions).plan.ok()??;
    let policy = Policy::of(&plan);
    let at = |architecture| witness.configuration.map(|it| it.words(architecture));
    // Of several it is not known which decides, and so what for.
    let asked = at(witness.call.architecture).unwrap_or_else(|| "something else".to_owned());
    let by_rule = |call: &CallPolicy<'_>, rule: usize| {
        let entry = section.entries.get(call.rules().get(rule)?.entry)?;
        let arch = witness.call.arch()?;
        let is_it = |name: &&Str<'_>| {
            lookup(name.as_str())
                .is_some_and(|syscall| syscall.direct_number(arch) == Some(witness.call.number))
        };
        // A call that is carried by this one has another name.
        let name = entry.names.iter().find(is_it).or(entry.names.first())?;
        Some(place(name.node?))
    };
    let by_default = || {
        Some((
            place(default?),
            format!("the default action asks for {asked}"),
        ))
    };
    Some(match policy.decide(&witness.call) {
        Place::OtherArchitecture | Place::Stub(_) => Vec::new(),
        Place::Default(_) => by_default().into_iter().collect(),
        Place::Call(call, Decided::Effect { effect, rule }) => {
            let decided = verdict(effect);
            if witness.configuration.is_some_and(|asked| asked != decided) {
                return None;
            }
            let told = match rule {
                Some(rule) => by_rule(call, rule)
                    .map(|place| (place, format!("this rule entry asks for {asked}"))),
                None => by_default(),
            };
            told.into_iter().collect()
        }
        Place::Call(call, Decided::OneOf { rules, .. }) => {
            let may_be = |rule: &usize| {
                let rule = call.rules().get(*rule);
                let decided = rule.map(|rule| verdict(rule.effect));
                witness.configuration.is_none() || decided == witness.configuration
            };
            let rules = rules.into_iter().filter(may_be);
            let places = rules.filter_map(|rule| by_rule(call, rule));
            let places = places.map(|place| (place, format!("this rule entry asks for {asked}")));
            places.take(MOST_PLACES).collect()
        }
    })
}

/// How many places are told where it is not known which decides.
const MOST_PLACES: usize = 8;

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::profile::Action;
    use crate::syscalls::Release;
    use crate::text::Source;

    /// Whoever gives one filter thousands of names in the cache would have one configuration read
    /// thousands of times.
    #[test]
    fn a_configuration_is_read_once_for_a_call() {
        let text = br#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {"names":["chmod"],"action":"SCMP_ACT_ERRNO"}]}"#;
        let candidate = Candidate {
            source: Arc::new(Source::new("a.json", text.to_vec())),
            bases: None,
            container: None,
            resolved: None,
            filter: None,
            key: None,
            section: None,
            agrees: None,
            hidden: Vec::new().into(),
        };
        let host = Host {
            crun: "1.21".to_owned(),
            libseccomp: Release::new(2, 6, 0),
            uname: "6.1.0|#1 SMP|x86_64".parse().expect("a uname"),
        };
        let verdict = |action, data| Verdict {
            action,
            data,
            is_known: true,
        };
        let witness = |number| Witness {
            call: Call {
                number,
                architecture: Arch::X86_64.audit_arch(),
                ..Call::default()
            },
            entry: verdict(Action::Log, 0),
            configuration: None,
        };
        let mut deciders = Deciders::default();
        let told = deciders.places(&candidate, &witness(90), &host);
        assert_eq!(told[0].1, "this rule entry asks for something else");
        // What is known is what is told.
        for told in deciders.0.values_mut() {
            told.clear();
        }
        for _ in 0..1_000 {
            assert!(deciders.places(&candidate, &witness(90), &host).is_empty());
        }
        let told = deciders.places(&candidate, &witness(0), &host);
        assert_eq!(told[0].1, "the default action asks for something else");
        assert_eq!(deciders.0.len(), 2);
    }
}

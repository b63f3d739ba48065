//! What a file comes to, whatever it is: a profile, a section, a filter.

mod decided;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc as Shared;

use clap::Args;

pub(super) use decided::{is_open, verdicts, words};

use super::CliError;
use super::engine::{ChosenEngine, EngineOptions, EngineRefusal, by_dialect_note, of_dialect};
use super::host::{OneTarget, SupposedHost};
use super::profile::{self as profile_options, ProfileOptions, part_notes};
use super::runtime::{Foreseen, RuntimeOptions, foreign_note, unrecorded_note};
use crate::crun::{Host, cache_key};
use crate::engine::{self, Engine, Verdict, names};
use crate::filter::{Filter, Size, size};
use crate::finding::Location;
use crate::profile::{self, Found, GivenBases, ProfileFile};
use crate::runtime::{Ignored, Model, Outcome, Plan, Prediction, Surroundings, any_size};
use crate::syscalls::{Arch, Release};
use crate::text::{Document, Node, Source, Span, json};

/// By what profiles are turned into filters.
#[derive(Debug, Args)]
pub(super) struct MeaningOptions {
    #[command(flatten)]
    pub(super) which: ProfileOptions,
    #[command(flatten)]
    target: OneTarget,
    #[command(flatten)]
    runtime: RuntimeOptions,
    #[command(flatten)]
    engine: EngineOptions,
}

/// Finds out what files come to.
pub(super) struct Reader<'o> {
    options: &'o EngineOptions,
    chosen: Option<ChosenEngine>,
    pub(super) runtime: Foreseen,
    pub(super) bases: GivenBases,
    native: Arch,
    host: SupposedHost,
    /// What is to be said of all that is read.
    notes: Vec<String>,
}

/// What a file comes to.
pub(super) struct Operand {
    pub(super) source: Shared<Source>,
    pub(super) meaning: Meaning,
    /// The engine that resolved it, if one did.
    pub(super) engine: Option<Engine>,
    /// The host's architecture.
    native: Arch,
    /// What else is to be said.
    pub(super) notes: Vec<String>,
}

/// A meaning, or why there is none.
pub(super) enum Meaning {
    /// That of a runtime's plan.
    Plan(Box<OfPlan>),
    /// That of a filter as it is.
    Filter(Filter),
    /// There is no filter: everything runs.
    NoFilter(String),
    /// Nothing runs, since the engine, the runtime or the kernel refuses it.
    Refused(String),
}

/// A plan, and where it came from.
pub(super) struct OfPlan {
    pub(super) plan: Plan,
    /// The rule entries that were written, in their order.
    pub(super) entries: Vec<WrittenEntry>,
    /// The name of the entry in the cache of this machine's crun.
    pub(super) key: Option<String>,
    /// The names that the runtime warns of.
    pub(super) warned: Vec<String>,
    /// Those that it passes over.
    pub(super) dropped: Vec<String>,
}

/// A rule entry as it was written.
pub(super) struct WrittenEntry {
    pub(super) location: Location,
    /// Its names, and where they stand.
    pub(super) names: Vec<(String, Option<Span>)>,
    /// Its place in the section, or why the engine left it out.
    pub(super) place: Result<usize, String>,
}

impl<'o> Reader<'o> {
    /// `usual` is the libseccomp of the runtime, if nobody says which; `files` are where base
    /// profiles are looked for as well.
    pub(super) fn new(
        options: &'o MeaningOptions,
        usual: Option<Release>,
        files: &[PathBuf],
    ) -> Result<Self, CliError> {
        let host = options.target.host();
        let mut notes = Vec::new();
        let chosen = options.engine.chosen(&host)?;
        let engine = chosen.as_ref().map(|chosen| chosen.engine);
        let runtime = &options.runtime;
        Ok(Self {
            runtime: runtime.chosen(&host, engine, usual, &mut notes)?,
            chosen,
            native: host.native(options.engine.arch)?,
            bases: options.which.bases.given(files)?,
            options: &options.engine,
            host,
            notes,
        })
    }

    /// What a file comes to. It holds one profile, or one of a `name`, or is a filter. What is for an
    /// engine is taken as that of its dialect reads it, unless one was chosen.
    pub(super) fn read(
        &self,
        source: &Shared<Source>,
        name: Option<&str>,
    ) -> Result<Operand, CliError> {
        if is_binary(source) {
            return Ok(self.filter(source));
        }
        let files = profile::files(source, &self.bases);
        let file = profile_options::one(&files, source, name, "a filter")?;
        let engine = match profile::find(file.document(), None) {
            Found::Profile(profile) => of_dialect(&profile),
            _ => None,
        };
        self.profile(source, file, engine)
    }

    /// Whether an engine was chosen.
    pub(super) fn has_engine(&self) -> bool {
        self.chosen.is_some()
    }

    /// What a filter comes to, as it is.
    pub(super) fn filter(&self, source: &Shared<Source>) -> Operand {
        let meaning = match Filter::detect(source.bytes()) {
            Ok(filter) => Meaning::Filter(filter),
            Err(refused) => Meaning::Refused(format!("the kernel refuses it: {refused}")),
        };
        self.operand(source, meaning)
    }

    fn operand(&self, source: &Shared<Source>, meaning: Meaning) -> Operand {
        Operand {
            source: Shared::clone(source),
            meaning,
            engine: None,
            native: self.native,
            notes: Vec::new(),
        }
    }

    /// What a profile comes to, as an engine reads it: the chosen one, or else the one of its
    /// `dialect`, or else none.
    pub(super) fn profile(
        &self,
        source: &Shared<Source>,
        file: &ProfileFile<'_>,
        dialect: Option<Engine>,
    ) -> Result<Operand, CliError> {
        profile_options::check_manifest(file, source)?;
        let by_dialect = dialect.filter(|_| self.chosen.is_none());
        let by_dialect = by_dialect.map(|engine| self.options.as_read_by(engine, &self.host));
        let by_dialect = by_dialect.transpose()?;
        let mut notes = part_notes(file, source);
        notes.extend(unrecorded_note(&self.runtime.model));
        notes.extend_from_slice(&self.notes);
        if let Some(by_dialect) = &by_dialect {
            notes.push(by_dialect_note(by_dialect.engine));
        }
        let engine = self.chosen.as_ref().or(by_dialect.as_ref());
        notes.extend(self.options.notes(&self.host, engine.is_some()));
        let meaning = if let Some(engine) = engine {
            self.resolved(engine, source, file)?
        } else {
            notes.extend(foreign_note(&profile::find(file.document(), None)));
            self.of_section(file.document(), file.bytes(), |prediction| {
                let mut entries = written(file.document());
                entries.truncate(prediction.section.as_ref()?.entries.len());
                let entries = entries.into_iter().enumerate();
                Some(
                    entries
                        .map(|(place, node)| entry(source, file, node, Ok(place)))
                        .collect(),
                )
            })
        };
        Ok(Operand {
            engine: engine.map(|engine| engine.engine),
            notes,
            ..self.operand(source, meaning)
        })
    }

    /// What it comes to by way of an engine.
    fn resolved(
        &self,
        chosen: &ChosenEngine,
        source: &Shared<Source>,
        file: &ProfileFile<'_>,
    ) -> Result<Meaning, CliError> {
        let engine = chosen.engine;
        let resolved =
            engine::resolve(file.bytes(), file.document(), engine, &chosen.circumstances);
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(refusal) => {
                let refusal = EngineRefusal::new(engine, source, &refusal, file);
                let words = format!("{} {} it: {}", engine.title(), refusal.does, refusal.words);
                return Ok(Meaning::Refused(words));
            }
        };
        let section = match &resolved.section {
            Ok(section) => section,
            Err(why) => {
                let words = format!("{} gives no filter: {why}", engine.title());
                return Ok(Meaning::NoFilter(words));
            }
        };
        let json = resolved.to_json().map_err(std::io::Error::from)?;
        let document = json::parse(&json);
        Ok(self.of_section(&document, &json, |_| {
            // Of those from one entry the first is its place.
            let places = section.syscalls.iter().enumerate().rev();
            let places = places.filter_map(|(place, it)| Some((it.origin?, place)));
            let places: HashMap<_, _> = places.collect();
            let entries = resolved.entries.iter().map(|&(node, verdict)| {
                let place = match (verdict, places.get(&node).copied()) {
                    (Verdict::In, Some(place)) => Ok(place),
                    (verdict, _) => Err(format!("{}: {verdict}", engine.title())),
                };
                entry(source, file, node, place)
            });
            Some(entries.collect())
        }))
    }

    fn of_section(
        &self,
        document: &Document<'_>,
        bytes: &[u8],
        entries: impl FnOnce(&Prediction<'_>) -> Option<Vec<WrittenEntry>>,
    ) -> Meaning {
        let Foreseen { model, libseccomp } = &self.runtime;
        let surroundings = Surroundings {
            libseccomp: *libseccomp,
            native: self.native,
            // Nothing of it is in a filter.
            no_new_privileges: true,
            // It is asked below.
            fits: any_size,
        };
        let prediction = model.predict(document, bytes, surroundings);
        let ignored =
            |names: &[Ignored<'_>]| names.iter().map(|ignored| ignored.name.clone()).collect();
        let Some(plan) = plan_of(&prediction) else {
            return match prediction.outcome {
                Outcome::Refuses => Meaning::Refused(no_plan(model, &prediction)),
                Outcome::Starts | Outcome::Dies => Meaning::NoFilter(no_plan(model, &prediction)),
            };
        };
        if let Size::TooLarge | Size::TooLargeWithStub = size(plan) {
            return Meaning::Refused(
                "the kernel refuses it: the filter has more than 4096 instructions".to_owned(),
            );
        }
        let host = Host {
            crun: model.version().to_owned(),
            libseccomp: libseccomp.release,
            uname: self.host.uname.clone(),
        };
        // With another kernel it is another one, and the same for the same profiles.
        let section = prediction.section.as_ref();
        let section = section.filter(|_| prediction.leaves_entry && model.name() == "crun");
        let key =
            section.and_then(|section| cache_key(section, prediction.fails_on_unknown, &host).ok());
        Meaning::Plan(Box::new(OfPlan {
            plan: plan.clone(),
            entries: entries(&prediction).unwrap_or_default(),
            key,
            warned: ignored(&prediction.warned),
            dropped: ignored(&prediction.dropped),
        }))
    }
}

/// The rule entries of a section, or of the one in a container's configuration.
fn written<'d>(document: &'d Document<'d>) -> Vec<Node<'d>> {
    let root = document.root();
    let inner = root.and_then(|root| root.get("linux")?.get("seccomp"));
    let list = inner.or(root).and_then(|section| section.get("syscalls"));
    list.into_iter().flat_map(Node::elements).collect()
}

fn entry(
    source: &Shared<Source>,
    file: &ProfileFile<'_>,
    node: Node<'_>,
    place: Result<usize, String>,
) -> WrittenEntry {
    let names = names(node).filter_map(|name| {
        let there = file.origin(name).map(Node::text_span);
        Some((name.as_str()?.to_owned(), there))
    });
    WrittenEntry {
        location: match (file.origin(node), file.in_base(node)) {
            (Some(there), _) => Location::node(source, there),
            (None, Some((base, there))) => Location::node(base.source(), there),
            (None, None) => Location::file(source),
        },
        names: names.collect(),
        place,
    }
}

/// Whether a file is none of text. No instruction of a filter is a text.
pub(super) fn is_binary(source: &Source) -> bool {
    source.bytes().iter().take(8).any(|&byte| byte < b'\t')
}

/// Why there is no plan.
fn no_plan(model: &Model, prediction: &Prediction<'_>) -> String {
    let told = prediction.error.iter().chain(&prediction.notes);
    let told: Vec<_> = told.map(String::as_str).collect();
    let does = match prediction.outcome {
        Outcome::Refuses => "refuses the profile",
        Outcome::Starts | Outcome::Dies => "makes no filter",
    };
    let title = format!("{} {}", model.name(), model.version());
    format!("{title} {does}: {}", told.join("; "))
}

/// The plan that is carried out, though it be for a container that dies, or that needs somebody to
/// listen.
fn plan_of<'p>(prediction: &'p Prediction<'_>) -> Option<&'p Plan> {
    // crun leaves an entry before it looks at the flags.
    let is_too_late = prediction.outcome == Outcome::Refuses && prediction.leaves_entry;
    prediction.plan.as_ref().filter(|_| !is_too_late)
}

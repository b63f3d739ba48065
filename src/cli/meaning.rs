//! What a file comes to, whatever it is: a profile, a section, a filter.

use std::sync::Arc as Shared;

use clap::Args;

use super::CliError;
use super::compile::{no_plan, plan_of};
use super::engine::{ChosenEngine, EngineOptions, EngineRefusal, native, only_profile, part_notes};
use super::runtime::{Foreseen, foreign_note, unrecorded_note};
use crate::crun::{Host, cache_key};
use crate::engine::{self, Engine, Verdict, names};
use crate::filter::{
    CompileError, Diagram, Diagrams, Filter, Leaf, Verdict as FilterVerdict, compile, linked,
};
use crate::finding::Location;
use crate::policy::Policy;
use crate::profile::{self, Found, ProfileFile};
use crate::runtime::{Model, Outcome, Plan, Prediction, Surroundings, any_size};
use crate::syscalls::{Arch, Release, all};
use crate::target::{Runtime, Uname};
use crate::text::{Document, Node, Source, Span, json};

/// By what profiles are turned into filters.
#[derive(Debug, Args)]
pub(super) struct MeaningOptions {
    /// Runtime whose filter it is
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        help = "Runtime whose filter it is: crun@VERSION, runc@VERSION, or crun, which is asked for its version [default: the newest crun that was compared with its predictions]"
    )]
    runtime: Option<Runtime>,
    /// libseccomp release that the runtime runs with [default: the one that the runtime was compared with]
    #[arg(long, value_name = "RELEASE")]
    libseccomp: Option<Release>,
    #[command(flatten)]
    engine: EngineOptions,
}

/// Finds out what files come to.
pub(super) struct Reader<'o> {
    options: &'o EngineOptions,
    chosen: Option<ChosenEngine>,
    pub(super) runtime: Foreseen,
    native: Arch,
    uname: Uname,
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
    /// The name of the entry in crun's cache.
    pub(super) key: Option<String>,
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
    pub(super) fn new(options: &'o MeaningOptions) -> Result<Self, CliError> {
        let uname = Uname::of_this_machine();
        let [_, (name, version, release), ..] = Model::RECORDED;
        Ok(Self {
            runtime: match &options.runtime {
                Some(runtime) => Foreseen::of(runtime, options.libseccomp)?,
                None => Foreseen::new(name, version, options.libseccomp.unwrap_or(release))?,
            },
            chosen: options.engine.chosen(&uname)?,
            native: native(options.engine.arch, &uname)?,
            options: &options.engine,
            uname,
        })
    }

    /// What a file comes to. It holds one profile, or is a filter.
    pub(super) fn read(&self, source: &Shared<Source>) -> Result<Operand, CliError> {
        let bytes = source.bytes();
        let operand = |meaning| Operand {
            source: Shared::clone(source),
            meaning,
            engine: None,
            native: self.native,
            notes: Vec::new(),
        };
        // No instruction of a filter is a text.
        if bytes.iter().take(8).any(|&byte| byte < b'\t') {
            return Ok(operand(match Filter::detect(bytes) {
                Ok(filter) => Meaning::Filter(filter),
                Err(refused) => Meaning::Refused(format!("the kernel refuses it: {refused}")),
            }));
        }
        let files = profile::files(source);
        let file = only_profile(&files, source, "filter")?;
        let found = profile::find(file.document(), None);
        let by_dialect = match (&self.chosen, &found) {
            (None, Found::Profile(profile)) => self.options.of_dialect(profile, &self.uname)?,
            _ => None,
        };
        let mut notes = part_notes(file, source);
        notes.extend(unrecorded_note(&self.runtime.model));
        if let Some(by_dialect) = &by_dialect {
            notes.push(format!(
                "it is for an engine: taken as {} reads it (--engine)",
                by_dialect.engine.title()
            ));
        }
        let engine = self.chosen.as_ref().or(by_dialect.as_ref());
        let meaning = if let Some(engine) = engine {
            self.resolved(engine, source, file)?
        } else {
            notes.extend(foreign_note(&found));
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
            ..operand(meaning)
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
        let place_of = |node: Node<'_>| {
            let mut places = section.syscalls.iter();
            places.position(|it| it.origin == Some(node))
        };
        Ok(self.of_section(&document, &json, |_| {
            let entries = resolved.entries.iter().map(|&(node, verdict)| {
                let place = match (verdict, place_of(node)) {
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
            fits: any_size,
        };
        let prediction = model.predict(document, bytes, surroundings);
        let Some(plan) = plan_of(&prediction) else {
            return match prediction.outcome {
                Outcome::Refuses => Meaning::Refused(no_plan(model, &prediction)),
                Outcome::Starts | Outcome::Dies => Meaning::NoFilter(no_plan(model, &prediction)),
            };
        };
        let host = Host {
            crun: model.version().to_owned(),
            libseccomp: *libseccomp,
            uname: self.uname.clone(),
        };
        let section = prediction.section.as_ref();
        let section = section.filter(|_| prediction.leaves_entry && model.name() == "crun");
        let key =
            section.and_then(|section| cache_key(section, prediction.fails_on_unknown, &host).ok());
        Meaning::Plan(Box::new(OfPlan {
            plan: plan.clone(),
            entries: entries(&prediction).unwrap_or_default(),
            key,
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
        location: match file.origin(node) {
            Some(there) => Location::node(source, there),
            None => Location::file(source),
        },
        names: names.collect(),
        place,
    }
}

impl Operand {
    /// The architectures of the filter, the host's own first; of a bare filter those that it
    /// decides about as about no unknown one.
    pub(super) fn architectures(&self, diagrams: &Diagrams, diagram: Diagram) -> Vec<Arch> {
        match &self.meaning {
            Meaning::Plan(of) => {
                let native = std::iter::once(of.plan.native);
                native
                    .chain(of.plan.architectures.iter().copied())
                    .collect()
            }
            Meaning::Filter(_) => {
                let mut found = architectures(diagrams, diagram);
                if found.is_empty() {
                    // It does not ask, or decides nothing.
                    found.push(self.native);
                }
                found
            }
            Meaning::NoFilter(_) | Meaning::Refused(_) => Vec::new(),
        }
    }

    /// What is decided for all calls; `None` if nothing runs at all. What the policy does not know
    /// is as the linked libseccomp makes it, if that `matters`.
    pub(super) fn diagram(
        &mut self,
        diagrams: &mut Diagrams,
        matters: impl FnOnce(&Diagrams, Diagram, &[Arch]) -> bool,
    ) -> Result<Option<Diagram>, CliError> {
        let Some(known) = self.known(diagrams)? else {
            return Ok(None);
        };
        let arches = self.architectures(diagrams, known);
        if is_open(diagrams, known) && matters(diagrams, known, &arches) {
            let made = self.made();
            return self.completed(diagrams, known, made).map(Some);
        }
        Ok(Some(known))
    }

    /// What is known to be decided for all calls without libseccomp; `None` if nothing runs at all.
    pub(super) fn known(&self, diagrams: &mut Diagrams) -> Result<Option<Diagram>, CliError> {
        match &self.meaning {
            Meaning::Refused(_) => Ok(None),
            Meaning::NoFilter(_) => {
                let all = FilterVerdict::of(0x7fff_0000);
                Ok(Some(diagrams.leaf(Leaf::Verdict(all))))
            }
            Meaning::Filter(filter) => {
                let diagram = diagrams.of_filter(filter);
                diagram.map(Some).map_err(|why| self.failed(why))
            }
            Meaning::Plan(of) => {
                let known = Policy::of(&of.plan).diagram(diagrams);
                known.map(Some).map_err(|why| self.failed(why))
            }
        }
    }

    /// The filter that the linked libseccomp makes of a plan; `None` for what is none.
    pub(super) fn made(&self) -> Option<Result<Filter, CompileError>> {
        match &self.meaning {
            Meaning::Plan(of) => Some(compile(&of.plan)),
            _ => None,
        }
    }

    /// What is decided for all calls: what is `known`, and the rest as in the filter that was made.
    pub(super) fn completed(
        &mut self,
        diagrams: &mut Diagrams,
        known: Diagram,
        made: Option<Result<Filter, CompileError>>,
    ) -> Result<Diagram, CliError> {
        let Some(made) = made else {
            return Ok(known);
        };
        let begins = "what rules decide is up to libseccomp's inner order here, or to its mistakes";
        let Some(release) = linked() else {
            self.notes.push(format!(
                "{begins}; this seclint was built without libseccomp, and cannot tell how"
            ));
            return Ok(known);
        };
        let made = match made {
            Ok(filter) => diagrams.of_filter(&filter).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        match made {
            Ok(made) => {
                let whole = diagrams.combine(known, made, |known, made| {
                    if matches!(known, Leaf::OneOf(_)) {
                        made.clone()
                    } else {
                        known.clone()
                    }
                });
                self.notes.push(format!(
                    "{begins}: told as libseccomp {release} does it, which seclint is linked to"
                ));
                whole.map_err(|why| self.failed(why))
            }
            Err(why) => {
                self.notes
                    .push(format!("{begins}, which is not known: {why}"));
                Ok(known)
            }
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> CliError {
        CliError::Usage(format!("{}: {why}", self.source.name()))
    }
}

/// Whether something is not known of what is decided.
pub(super) fn is_open(diagrams: &Diagrams, diagram: Diagram) -> bool {
    let leaves = diagrams.leaves(diagram).into_iter();
    leaves
        .into_iter()
        .any(|leaf| matches!(leaf, Leaf::OneOf(_)))
}

/// The architectures that a filter tells from unknown ones.
fn architectures(diagrams: &Diagrams, diagram: Diagram) -> Vec<Arch> {
    // No architecture has this value.
    let other = diagrams.architecture(diagram, 0);
    let numbers = |arch: Arch| {
        all()
            .iter()
            .filter_map(move |call| call.direct_number(arch))
    };
    Arch::ALL
        .into_iter()
        .filter(|&arch| {
            let of_arch = diagrams.architecture(diagram, arch.audit_arch());
            numbers(arch).any(|number| diagrams.number(of_arch, number) != other)
        })
        .collect()
}

/// What may be done, of what is decided.
pub(super) fn verdicts(leaf: &Leaf) -> &[FilterVerdict] {
    match leaf {
        Leaf::Verdict(verdict) => std::slice::from_ref(verdict),
        Leaf::OneOf(verdicts) => verdicts,
        Leaf::Outside | Leaf::Inside => &[],
    }
}

/// What is decided, in words: `ERRNO(EPERM)`, or `ALLOW or KILL_THREAD` where that is not known.
pub(super) fn words(leaf: &Leaf, arch: Arch) -> String {
    let words = verdicts(leaf)
        .iter()
        .map(|verdict| verdict.words(arch.audit_arch()));
    words.collect::<Vec<_>>().join(" or ")
}

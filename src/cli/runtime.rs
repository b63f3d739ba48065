//! Runtimes that are asked about, and what is to be said of any of them.

use clap::Args;

use super::CliError;
use super::host::SupposedHost;
use crate::crun::Host;
use crate::engine::Engine;
use crate::profile::{Dialects, Found};
use crate::runtime::Model;
use crate::syscalls::{Release, TABLE_RELEASE};
use crate::target::{Libseccomp, Runtime};

/// Which runtime is meant, and with which libseccomp.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct RuntimeOptions {
    /// Runtime whose filter it is
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        help = "Runtime whose filter it is: crun@VERSION or runc@VERSION; without a version the target's, or else the installed crun [default: the target's crun, or else its runc; without a target the newest crun that was compared with its predictions; with --engine docker or containerd, which run runc, runc instead]"
    )]
    runtime: Option<Runtime>,
    /// libseccomp release that the runtime runs with [default: the target's, or else the one that the runtime was compared with]
    #[arg(long, value_name = "RELEASE")]
    libseccomp: Option<Release>,
}

impl RuntimeOptions {
    /// The runtime; `usual` is its libseccomp if nobody says which, and what is to be said of it goes
    /// to the notes. Without a choice it is the one that an `engine` runs.
    pub(super) fn chosen(
        &self,
        host: &SupposedHost,
        engine: Option<Engine>,
        usual: Option<Release>,
        notes: &mut Vec<String>,
    ) -> Result<Foreseen, CliError> {
        let runs_runc = matches!(engine, Some(Engine::Docker | Engine::Containerd));
        let says_runc = host.target.as_ref().is_some_and(|it| it.runc.is_some());
        let newest = Model::RECORDED.into_iter().rfind(|it| it.0 == "runc");
        let runc = newest
            .filter(|_| runs_runc)
            .map(|(name, version, _)| Runtime {
                name: name.to_owned(),
                version: (!says_runc).then(|| version.to_owned()),
            });
        let asked = self.runtime.as_ref().or(runc.as_ref());
        Foreseen::of(asked, self.libseccomp, host, usual, notes)
    }
}

/// A runtime, and what it runs with.
#[derive(PartialEq, Eq)]
pub(super) struct Foreseen {
    pub(super) model: Model,
    pub(super) libseccomp: Libseccomp,
}

impl Foreseen {
    pub(super) fn new(name: &str, version: &str, libseccomp: Libseccomp) -> Result<Self, CliError> {
        let model = Model::of(name, version).map_err(|error| CliError::Usage(error.to_string()))?;
        Ok(Self { model, libseccomp })
    }

    /// The runtime that was asked for, or that of the host's platform, or else the newest crun that
    /// was compared with its predictions. The installed crun is asked for what nobody says of it, but
    /// for the `usual` libseccomp, if there is one. What the platform does not say goes to the notes.
    pub(super) fn of(
        asked: Option<&Runtime>,
        libseccomp: Option<Release>,
        host: &SupposedHost,
        usual: Option<Release>,
        notes: &mut Vec<String>,
    ) -> Result<Self, CliError> {
        let target = host.target.as_ref();
        let title = host.name().unwrap_or_default();
        let of_target = |name: &str| {
            let target = target?;
            let version = match name {
                "crun" => target.crun.clone(),
                "runc" => target.runc.clone(),
                _ => None,
            };
            version.map(|version| (name.to_owned(), version))
        };
        let said = libseccomp.map(Libseccomp::from);
        let said = said.or_else(|| target?.libseccomp);
        let mut lacking = Vec::new();
        let (name, version) = match asked {
            Some(Runtime {
                name,
                version: Some(version),
            }) => (name.clone(), version.clone()),
            Some(Runtime { name, .. }) => match of_target(name) {
                Some(found) => found,
                None if name == "crun" => {
                    lacking.push("crun");
                    let version = Host::installed_crun()?;
                    if said.is_none() && usual.is_none() {
                        let libseccomp = Host::installed_libseccomp()?.into();
                        return Self::new(name, &version, libseccomp);
                    }
                    (name.clone(), version)
                }
                None => {
                    // What is no runtime at all has no versions.
                    Self::new(name, "1.0", TABLE_RELEASE.into())?;
                    let of = host.name().map(|it| format!("{it} says none; "));
                    let of = of.unwrap_or_default();
                    let words =
                        format!("{of}say which version of {name}: --runtime {name}@VERSION");
                    return Err(CliError::Usage(words));
                }
            },
            None => {
                let found = of_target("crun").or_else(|| of_target("runc"));
                found.unwrap_or_else(|| {
                    lacking.push("runtimes");
                    let [_, (name, version, _), ..] = Model::RECORDED;
                    (name.to_owned(), version.to_owned())
                })
            }
        };
        let is_it =
            |&(other, recorded, _): &(&str, &str, Release)| other == name && recorded == version;
        let recorded = Model::RECORDED.into_iter().find(is_it);
        let usual = usual.or(recorded.map(|(_, _, release)| release));
        let usual = usual.unwrap_or(TABLE_RELEASE);
        if said.is_none() {
            lacking.push("libseccomp");
        }
        let found = Self::new(&name, &version, said.unwrap_or(usual.into()))?;
        if target.is_some() {
            notes.extend(lacking.iter().map(|fact| {
                let instead = match *fact {
                    "libseccomp" => format!("{} is taken (--libseccomp)", found.libseccomp.release),
                    _ => format!("{name} {version} is taken (--runtime)"),
                };
                format!("{title} says nothing of its {fact}: {instead}")
            }));
        }
        if found.libseccomp.backported.is_none() {
            notes.push(format!(
                "nobody has looked which names {title} added to libseccomp {}: those of later releases are taken for unknown",
                found.libseccomp.release
            ));
        }
        Ok(found)
    }
}

/// What is to be said of a version that nobody has run.
pub(super) fn unrecorded_note(model: &Model) -> Option<String> {
    (!model.is_recorded()).then(|| {
        format!(
            "{0} {1} was not compared with its predictions; the nearest that was is {0} {2}",
            model.name(),
            model.version(),
            model.nearest()
        )
    })
}

/// What is to be said of a document that reaches runtimes as it is, whatever the runtime.
pub(super) fn foreign_note(found: &Found<'_>) -> Option<String> {
    let Found::Profile(profile) = found else {
        let is_nothing = matches!(found, Found::Nothing);
        return is_nothing.then(|| "this does not look like a profile".to_owned());
    };
    if profile.dialects.contains(Dialects::OCI) {
        return None;
    }
    let keys = profile.foreign.iter().filter_map(|key| key.as_str());
    let mut fields: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
    fields.sort_unstable();
    fields.dedup();
    if fields.is_empty() {
        return None;
    }
    let fields = fields.join(", ");
    Some(format!(
        "runtimes do not read {fields}: this is for an engine, which makes a section of it (--engine)"
    ))
}

//! Runtimes that are asked about, and what is to be said of any of them.

use super::CliError;
use crate::crun::Host;
use crate::profile::{Dialects, Found};
use crate::runtime::Model;
use crate::syscalls::{Release, TABLE_RELEASE};
use crate::target::Runtime;

/// A runtime, and what it runs with.
#[derive(PartialEq, Eq)]
pub(super) struct Foreseen {
    pub(super) model: Model,
    pub(super) libseccomp: Release,
}

impl Foreseen {
    pub(super) fn new(name: &str, version: &str, libseccomp: Release) -> Result<Self, CliError> {
        let model = Model::of(name, version).map_err(|error| CliError::Usage(error.to_string()))?;
        Ok(Self { model, libseccomp })
    }

    /// The runtime that was asked for. The installed crun is asked for what was not said.
    pub(super) fn of(runtime: &Runtime, libseccomp: Option<Release>) -> Result<Self, CliError> {
        let Runtime { name, version } = runtime;
        match (version, name.as_str()) {
            (Some(version), _) => {
                let is_it = |&(other, recorded, _): &(&str, &str, Release)| {
                    other == name && recorded == version
                };
                let recorded = Model::RECORDED.into_iter().find(is_it);
                let usual = recorded.map_or(TABLE_RELEASE, |(_, _, release)| release);
                Self::new(name, version, libseccomp.unwrap_or(usual))
            }
            (None, "crun") => {
                let version = Host::installed_crun()?;
                let libseccomp = match libseccomp {
                    Some(release) => release,
                    None => Host::installed_libseccomp()?,
                };
                Self::new(name, &version, libseccomp)
            }
            (None, _) => {
                // What is no runtime at all has no versions.
                Self::new(name, "1.0", TABLE_RELEASE)?;
                let words = format!("say which version of {name}: --runtime {name}@VERSION");
                Err(CliError::Usage(words))
            }
        }
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

//! Options about the engine that reads a profile, and what it hands the runtime.

use std::io;

use clap::{Args, ValueEnum};

use super::CliError;
use super::host::SupposedHost;
use super::options::parse_arch;
use super::profile::written_place;
use crate::config::Config;
use crate::engine::{CapabilityOptions, Circumstances, Engine, Refusal, resolve};
use crate::profile::{Dialects, Profile, ProfileFile};
use crate::syscalls::{Arch, KernelVersion};
use crate::text::Source;

/// The engine that reads profiles, and what it looks at besides them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineOptions {
    /// Engine that reads the profile, and makes a section of it
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// Architecture of the host; otherwise the target's, or this machine's
    #[arg(long, value_name = "ARCH", value_parser = parse_arch)]
    pub(super) arch: Option<Arch>,
    /// Kernel of the host, such as 5.10; otherwise the target's, or this machine's
    #[arg(long, value_name = "VERSION", requires = "engine")]
    kernel: Option<KernelVersion>,
    /// Capability that the container gets besides the engine's default ones, or all (may be repeated)
    #[arg(long, value_name = "CAP", value_delimiter = ',', requires = "engine")]
    cap_add: Vec<String>,
    /// Capability that it does not get, or all (may be repeated)
    #[arg(long, value_name = "CAP", value_delimiter = ',', requires = "engine")]
    cap_drop: Vec<String>,
    /// The container is privileged
    #[arg(long, requires = "engine")]
    privileged: bool,
}

/// An engine, and what it looks at.
pub(super) struct ChosenEngine {
    pub(super) engine: Engine,
    pub(super) circumstances: Circumstances,
}

impl EngineOptions {
    /// The engine that was chosen, if one was; the host is asked for what was not said.
    pub(super) fn chosen(&self, host: &SupposedHost) -> Result<Option<ChosenEngine>, CliError> {
        let Some(engine) = self.engine else {
            return Ok(None);
        };
        self.as_read_by(engine.into(), host).map(Some)
    }

    /// An engine that was not chosen.
    pub(super) fn as_read_by(
        &self,
        engine: Engine,
        host: &SupposedHost,
    ) -> Result<ChosenEngine, CliError> {
        let circumstances = self.circumstances(engine, host)?;
        Ok(ChosenEngine {
            engine,
            circumstances,
        })
    }

    /// What is to be said of facts that the host's platform lacks.
    pub(super) fn notes(&self, host: &SupposedHost, has_engine: bool) -> Vec<String> {
        host.notes(self.arch, self.kernel, has_engine)
    }

    fn circumstances(
        &self,
        engine: Engine,
        host: &SupposedHost,
    ) -> Result<Circumstances, CliError> {
        let asked = CapabilityOptions {
            add: self.cap_add.clone(),
            drop: self.cap_drop.clone(),
            is_privileged: self.privileged,
        };
        let capabilities = engine.capabilities(&asked);
        let arch = host.native(self.arch)?;
        if !arch.runs_engines() {
            let title = engine.title();
            return Err(CliError::Usage(format!("{title} does not run on {arch}")));
        }
        let kernel = host.kernel(self.kernel)?;
        Ok(Circumstances {
            arch,
            kernel,
            capabilities: capabilities.map_err(|error| CliError::Usage(error.to_string()))?,
            is_privileged: self.privileged,
        })
    }
}

/// The engines that profiles are for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct EnginesOption {
    /// Engine that reads the profiles (may be repeated)
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<EngineName>,
}

impl EnginesOption {
    /// Each engine that was named, or else that a `seclint.toml` names, once, in the order of
    /// [`Engine::ALL`].
    pub(super) fn engines(&self, config: Option<&Config>) -> Vec<Engine> {
        let named = self.engine.iter().map(|&name| Engine::from(name));
        let mut named: Vec<_> = named.collect();
        if let Some(config) = config.filter(|_| named.is_empty()) {
            named.clone_from(&config.engines);
        }
        let is_named = |engine: &Engine| named.contains(engine);
        Engine::ALL.into_iter().filter(is_named).collect()
    }
}

/// The engines' names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineName {
    /// Docker
    Docker,
    /// Podman and Buildah
    Podman,
    /// CRI-O
    Crio,
    /// containerd, for Kubernetes
    Containerd,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Docker => Self::Docker,
            EngineName::Podman => Self::Podman,
            EngineName::Crio => Self::Crio,
            EngineName::Containerd => Self::Containerd,
        }
    }
}

/// What an engine hands the runtime.
pub(super) struct Handed {
    /// The section as JSON; `null` for no filter.
    pub(super) json: Vec<u8>,
    /// Why there is no filter, if there is none.
    pub(super) no_filter: Option<String>,
}

/// An engine's refusal of a profile. It displays as `profile.json:3:5: Podman refuses the profile:
/// its words (what else there is to know)`.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {} {} the profile: {words}", .engine.title(), .does)]
pub(super) struct EngineRefusal {
    pub(super) engine: Engine,
    /// "refuses", or "crashes on".
    pub(super) does: &'static str,
    pub(super) place: String,
    pub(super) words: String,
}

impl EngineRefusal {
    /// A refusal of a file, or of a part of it.
    pub(super) fn new(
        engine: Engine,
        source: &Source,
        refusal: &Refusal,
        file: &ProfileFile<'_>,
    ) -> Self {
        let detail = refusal.detail();
        let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
        // Places in a part are not those of the file.
        let place = match refusal.span().filter(|_| !file.is_part()) {
            Some(span) => written_place(source, span),
            None => source.name().to_owned(),
        };
        Self {
            engine,
            does: if refusal.is_crash() {
                "crashes on"
            } else {
                "refuses"
            },
            place,
            words: format!("{refusal}{detail}"),
        }
    }
}

/// The engine that a profile is for which is no section.
pub(super) fn of_dialect(profile: &Profile<'_>) -> Option<Engine> {
    let is_section = profile.dialects.contains(Dialects::OCI) || profile.foreign.is_empty();
    of_dialects(profile.dialects).filter(|_| !is_section)
}

/// What is to be said of a profile that is read as by the engine of its dialect.
pub(super) fn by_dialect_note(engine: Engine) -> String {
    let title = engine.title();
    format!("it is for an engine: taken as {title} reads it (--engine)")
}

/// The engine that reads profiles of some dialects.
pub(super) fn of_dialects(dialects: Dialects) -> Option<Engine> {
    if dialects.contains(Dialects::DOCKER) {
        Some(Engine::Docker)
    } else if dialects.contains(Dialects::PODMAN) {
        Some(Engine::Podman)
    } else {
        None
    }
}

impl ChosenEngine {
    /// What becomes of a profile; the inner error is the engine's.
    pub(super) fn hand(
        &self,
        source: &Source,
        file: &ProfileFile<'_>,
    ) -> Result<Result<Handed, EngineRefusal>, CliError> {
        let engine = self.engine;
        match resolve(file.bytes(), file.document(), engine, &self.circumstances) {
            Ok(resolved) => {
                let title = engine.title();
                let reason = resolved.section.as_ref().err();
                Ok(Ok(Handed {
                    json: resolved.to_json().map_err(io::Error::from)?,
                    no_filter: reason.map(|reason| format!("{title} gives no filter: {reason}")),
                }))
            }
            Err(refusal) => {
                let refusal = EngineRefusal::new(engine, source, &refusal, file);
                Ok(Err(refusal))
            }
        }
    }
}

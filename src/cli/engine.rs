//! Options about the engine that reads a profile, and what it hands the runtime.

use std::io;

use clap::{Args, ValueEnum};

use super::CliError;
use super::options::parse_arch;
use crate::config::Config;
use crate::engine::{CapabilityOptions, Circumstances, Engine, Refusal, resolve};
use crate::profile::{Found, ProfileFile, find};
use crate::syscalls::{Arch, KernelVersion};
use crate::target::Uname;
use crate::text::{DeviationKind, Document, Source, Span, read};

/// The engine that reads profiles, and what it looks at besides them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineOptions {
    /// Engine that reads the profile, and makes a section of it
    #[arg(long, value_enum)]
    engine: Option<EngineName>,
    /// Architecture of the host; otherwise this machine's
    #[arg(long, value_name = "ARCH", value_parser = parse_arch)]
    pub(super) arch: Option<Arch>,
    /// Kernel of the host, such as 5.10; otherwise this machine's
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
    pub(super) fn chosen(&self, host: &Uname) -> Result<Option<ChosenEngine>, CliError> {
        let Some(engine) = self.engine else {
            return Ok(None);
        };
        let engine = engine.into();
        let circumstances = self.circumstances(engine, host)?;
        Ok(Some(ChosenEngine {
            engine,
            circumstances,
        }))
    }

    /// Why no key can be told: it would hold another host's kernel than the one that is meant.
    pub(super) fn contradicts(&self, host: &Uname) -> Option<String> {
        let (arch, machine) = (self.arch?, &host.machine);
        (Arch::from_name(machine) != Some(arch)).then(|| {
            format!(
                "no key of a cache entry is told: --arch says {arch}, and the kernel that would be in it {machine}; --uname says another one"
            )
        })
    }

    fn circumstances(&self, engine: Engine, host: &Uname) -> Result<Circumstances, CliError> {
        let asked = CapabilityOptions {
            add: self.cap_add.clone(),
            drop: self.cap_drop.clone(),
            is_privileged: self.privileged,
        };
        let capabilities = engine.capabilities(&asked);
        let unknown = |option: &str, value: String| {
            CliError::Usage(format!("`{value}` is unknown here: say it with {option}"))
        };
        let arch = match self.arch.or_else(|| Arch::from_name(&host.machine)) {
            Some(arch) if arch.runs_engines() => arch,
            Some(arch) => {
                let title = engine.title();
                return Err(CliError::Usage(format!("{title} does not run on {arch}")));
            }
            None => return Err(unknown("--arch", host.machine.clone())),
        };
        let Some(kernel) = self.kernel.or_else(|| host.release.parse().ok()) else {
            return Err(unknown("--kernel", host.release.clone()));
        };
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

/// The host's architecture: the one that was said, or that of its kernel.
pub(super) fn native(arch: Option<Arch>, uname: &Uname) -> Result<Arch, CliError> {
    arch.or_else(|| Arch::from_name(&uname.machine))
        .ok_or_else(|| {
            let machine = &uname.machine;
            let words = format!("`{machine}` is no architecture that is known: give one by --arch");
            CliError::Usage(words)
        })
}

/// What is to be said of a profile that is a part of a file.
pub(super) fn part_notes(file: &ProfileFile<'_>, source: &Source) -> Vec<String> {
    let root = file.document().root().filter(|_| file.is_part());
    let place = root.and_then(|root| file.origin(root)).map(|there| {
        let place = written_place(source, there.span());
        format!("of the profile at {place}")
    });
    let base = file.base.as_ref().map(|base| {
        format!("security-profiles-operator adds the profile `{base}`, which is not seen here")
    });
    place.into_iter().chain(base).collect()
}

/// The one profile of a file.
pub(super) fn only_profile<'f, 's>(
    files: &'f [ProfileFile<'s>],
    source: &Source,
    what: &str,
) -> Result<&'f ProfileFile<'s>, CliError> {
    let name = source.name();
    match files {
        [file] => check_manifest(file, source).map(|()| file),
        several => {
            let count = several.len();
            let words =
                format!("{name}: {count} profiles are in it, each with a {what} of its own");
            Err(CliError::Usage(words))
        }
    }
}

/// Refuses a Kubernetes manifest without a profile, of which nobody asks what becomes of it as it
/// is.
pub(super) fn check_manifest(file: &ProfileFile<'_>, source: &Source) -> Result<(), CliError> {
    let is_manifest = |document: &Document<'_>| {
        let has = |key: &str| document.root().is_some_and(|root| root.get(key).is_some());
        has("apiVersion") && has("kind")
    };
    let name = source.name();
    // What was not read, or is not known to have been read, cannot be modelled.
    let unread = [DeviationKind::TooLarge, DeviationKind::FarTooDeep];
    let deviations = file.document().deviations();
    let unread = deviations.iter().find(|it| unread.contains(&it.kind));
    if let Some(deviation) = unread {
        let what = deviation.kind.message();
        return Err(CliError::Usage(format!("{name}: {what}")));
    }
    if file.document().unlisted_deviations() > 0 {
        let count = deviations.len();
        return Err(CliError::Usage(format!(
            "{name}: more than {count} departures from JSON: nobody can tell what is made of them"
        )));
    }
    let is_profile = || matches!(find(file.document(), None), Found::Profile(_));
    if file.is_part() || is_profile() || !read(source).iter().any(is_manifest) {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "{name}: a Kubernetes manifest without a profile: no SeccompProfile, and no ConfigMap that holds one"
    )))
}

/// `profile.json:3:5`.
pub(super) fn written_place(source: &Source, span: Span) -> String {
    let at = source.position(span.start);
    format!("{}:{}:{}", source.name(), at.line, at.column)
}

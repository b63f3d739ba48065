//! `seclint cache-audit`.

use std::path::PathBuf;

use clap::Args;

use super::input::inputs;
use super::options::{Checker, FailOn, HostOptions, SelectionOptions, StrictOptions};
use super::output::{Format, OutputOptions};
use super::{CliError, Ending, complain};
use crate::crun::{Pruned, RootError, Sources, StateRoot, Storage, audit};

/// Audit crun's cache.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// State roots of crun
    #[arg(
        value_name = "ROOT",
        help = "State roots of crun [default: /run/crun and $XDG_RUNTIME_DIR/crun]"
    )]
    roots: Vec<PathBuf>,
    /// Profiles that containers run with, and their base profiles, to explain entries by (files or directories; may be repeated)
    #[arg(long, value_name = "PATH")]
    profile: Vec<PathBuf>,
    /// Directory where Podman, Buildah or CRI-O store containers, to explain entries by: /var/lib/containers/storage, /run/containers/storage (may be repeated)
    #[arg(long, value_name = "DIR")]
    storage: Vec<PathBuf>,
    /// Remove the entries that hide warnings, are not what they should be, or are no filters, pinned ones as well; crun makes them anew
    #[arg(long)]
    prune: bool,
    /// With --prune: say what it would remove, and remove nothing
    #[arg(long, requires = "prune")]
    dry_run: bool,
    /// Least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    fail_on: FailOn,
    #[command(flatten)]
    host: HostOptions,
    #[command(flatten)]
    selection: SelectionOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending, CliError> {
    arguments.host.check_runtime()?;
    let sets = StrictOptions::default();
    let selection = (arguments.selection).selection(&sets, None, Checker::CacheAudit)?;
    let mut reports = arguments.output.open(&arguments.profile)?;
    let roots = roots(&arguments.roots);
    if roots.is_empty() {
        complain("note", "crun has left no state root here: nothing to audit");
        reports.finish(true)?;
        return Ok(Ending::Clean);
    }
    let mut profiles = Vec::new();
    for input in inputs(&arguments.profile) {
        profiles.extend(input?.read()?);
    }
    let storages = arguments.storage.iter();
    let storages: Vec<_> = storages
        .map(|path| Storage::open(path))
        .collect::<Result<_, _>>()?;
    let sources = Sources {
        profiles: &profiles,
        storages: &storages,
    };
    let host = arguments.host.host();
    let libseccomp = match &host {
        Ok(host) => Some(host.libseccomp),
        Err(_) => arguments.host.libseccomp,
    };
    let host = host.as_ref().map_err(ToString::to_string);
    let mut ending = Ending::Clean;
    for root in roots {
        // Of the other roots as much is to be known as without this one.
        let audited = root.and_then(|root| audit(&root, host.clone(), libseccomp, sources));
        let mut audit = match audited {
            Ok(audit) => audit,
            Err(error) => {
                complain("error", &error.to_string());
                ending = Ending::Incomplete;
                continue;
            }
        };
        audit.retain(|rule| selection.holds(rule));
        // The other formats have a place for them.
        if let Format::Human | Format::Github = arguments.output.format() {
            for note in &audit.notes {
                complain("note", &format!("{}: {note}", audit.root));
            }
        }
        if arguments.prune {
            audit.prune(arguments.dry_run, |rule| selection.holds(rule));
        }
        reports.write(|report| report.audit(&audit))?;
        if audit
            .findings
            .iter()
            .any(|finding| arguments.fail_on.fails(finding))
        {
            ending = ending.max(Ending::Findings);
        }
        if audit
            .entries
            .iter()
            .any(|entry| entry.pruned == Some(Pruned::Failed))
        {
            complain(
                "error",
                &format!("{}: not all could be removed", audit.root),
            );
            ending = Ending::Incomplete;
        }
    }
    if let Some(unused) = unused(arguments, host.err()) {
        complain("error", &unused);
        ending = Ending::Incomplete;
    }
    reports.finish(ending != Ending::Incomplete)?;
    Ok(ending)
}

/// What was given to explain entries by and could not be used, since nobody knows what crun makes
/// of it; `why` not.
fn unused(arguments: &Arguments, why: Option<String>) -> Option<String> {
    let given = [
        (!arguments.profile.is_empty(), "--profile"),
        (!arguments.storage.is_empty(), "--storage"),
    ];
    let given = given.iter().filter(|(is_given, _)| *is_given);
    let options: Vec<_> = given.map(|(_, option)| *option).collect();
    let why = why.filter(|_| !options.is_empty())?;
    let options = options.join(" and ");
    Some(format!(
        "{options} explained nothing: {why}; of a cache from another host, --uname says its kernel"
    ))
}

/// The roots that were named, or those of them where crun keeps its state by
/// default that are there. crun goes by `XDG_RUNTIME_DIR` for root as well, but
/// engines that run as services start it without.
fn roots(named: &[PathBuf]) -> Vec<Result<StateRoot, RootError>> {
    if !named.is_empty() {
        let roots = named.iter().map(|root| {
            let root = StateRoot::open(root)?;
            root.check().map(|()| root)
        });
        return roots.collect();
    }
    let of_root = rustix::process::geteuid()
        .is_root()
        .then(|| PathBuf::from("/run/crun"));
    let runtime_directory = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty());
    let of_user = runtime_directory.map(|path| PathBuf::from(path).join("crun"));
    let by_default = of_root.into_iter().chain(of_user);
    let roots = by_default.map(|path| StateRoot::open(&path));
    roots
        .filter(|root| !matches!(root, Err(RootError::Missing(_))))
        .collect()
}

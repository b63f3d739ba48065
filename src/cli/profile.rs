//! Which profile of a file is meant, and what is to be said of it.

use std::collections::HashMap;

use clap::Args;

use super::CliError;
use super::base::BaseOptions;
use crate::profile::{Addition, Found, ProfileFile, UnseenBase, disputed_words, find};
use crate::text::{DeviationKind, Document, Source, Span, read};

/// Which profile is meant.
#[derive(Debug, Args)]
pub(super) struct ProfileOptions {
    /// Profile that is meant, where a file has several: the name of a `SeccompProfile`, or the key
    /// in a `ConfigMap`; `NAMESPACE/NAME` and `CONFIGMAP/KEY` tell those apart that are called alike
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) bases: BaseOptions,
}

impl ProfileOptions {
    /// The profile that is meant of those of a file. `what` each of them has: "a filter".
    pub(super) fn one<'f, 's>(
        &self,
        files: &'f [ProfileFile<'s>],
        source: &Source,
        what: &str,
    ) -> Result<&'f ProfileFile<'s>, CliError> {
        one(files, source, self.name.as_deref(), what)
    }
}

/// The profile of a name; without one there must be but one.
pub(super) fn one<'f, 's>(
    files: &'f [ProfileFile<'s>],
    source: &Source,
    name: Option<&str>,
    what: &str,
) -> Result<&'f ProfileFile<'s>, CliError> {
    let path = source.name();
    let all = Names::of(files);
    let found: Vec<_> = match name {
        None => files.iter().collect(),
        Some(name) => called(files, name),
    };
    match (found.as_slice(), name) {
        ([file], _) => check_manifest(file, source).map(|()| *file),
        ([], Some(name)) => Err(CliError::Usage(format!(
            "{path}: no profile is called `{name}` there; {}",
            all.listed(files.iter(), source)
        ))),
        (several, name) => {
            let count = several.len();
            let called = name.map_or_else(String::new, |name| format!(" called `{name}`"));
            Err(CliError::Usage(format!(
                "{path}: {count} profiles{called} are in it, each with {what} of its own; {}",
                all.listed(several.iter().copied(), source)
            )))
        }
    }
}

/// The profiles of a name, which is rather a whole one than the end of one.
fn called<'f, 's>(files: &'f [ProfileFile<'s>], name: &str) -> Vec<&'f ProfileFile<'s>> {
    let is_whole = |file: &&ProfileFile<'_>| file.names().last().is_some_and(|it| it == name);
    let whole: Vec<_> = files.iter().filter(is_whole).collect();
    if !whole.is_empty() {
        return whole;
    }
    let is_short = |file: &&ProfileFile<'_>| file.names().iter().any(|it| it == name);
    files.iter().filter(is_short).collect()
}

/// The names of the profiles of a file.
pub(super) struct Names {
    /// How many have each.
    counts: HashMap<String, usize>,
}

impl Names {
    pub(super) fn of(files: &[ProfileFile<'_>]) -> Self {
        let mut counts = HashMap::new();
        for name in files.iter().flat_map(ProfileFile::names) {
            *counts.entry(name.clone()).or_default() += 1;
        }
        Self { counts }
    }

    /// Whether only one profile has a name.
    fn is_one(&self, name: &str) -> bool {
        self.counts.get(name) == Some(&1)
    }

    /// What tells a profile from the others, the shortest that does.
    pub(super) fn telling<'f>(&self, file: &'f ProfileFile<'_>) -> Option<&'f str> {
        let mut names = file.names().iter();
        let only = names.clone().find(|name| self.is_one(name));
        only.or(names.next_back()).map(String::as_str)
    }

    /// What can be written to mean each of some profiles.
    fn listed<'f, 's: 'f>(
        &self,
        files: impl Iterator<Item = &'f ProfileFile<'s>>,
        source: &Source,
    ) -> String {
        // Nobody reads more.
        const MOST_LISTED: usize = 20;
        let named: Vec<_> = files
            .filter_map(|file| Some((self.telling(file)?, file)))
            .collect();
        let mut alike: HashMap<&str, usize> = HashMap::new();
        for (name, _) in &named {
            *alike.entry(name).or_default() += 1;
        }
        let is_alike = |name: &str| alike.get(name) != Some(&1);
        let listed = named.iter().take(MOST_LISTED).map(|(name, file)| {
            if is_alike(name) {
                format!("{name} at {}", place_of(file, source))
            } else {
                (*name).to_owned()
            }
        });
        let mut listed: Vec<_> = listed.collect();
        if named.len() > MOST_LISTED {
            listed.push(format!("and {} more", named.len() - MOST_LISTED));
        }
        let listed = listed.join(", ");
        if named.is_empty() {
            return "none of them has a name".to_owned();
        }
        let help = "rename them, or put them into files of their own";
        if named.iter().all(|(name, _)| is_alike(name)) {
            format!("nothing tells them apart: {listed}: {help}")
        } else if named.iter().any(|(name, _)| is_alike(name)) {
            format!(
                "--name says which: {listed}; nothing tells those apart that have the same: {help}"
            )
        } else {
            format!("--name says which: {listed}")
        }
    }
}

/// Where a profile stands.
fn place_of(file: &ProfileFile<'_>, source: &Source) -> String {
    let root = file.document().root().filter(|_| file.is_part());
    root.and_then(|root| file.origin(root)).map_or_else(
        || source.name().to_owned(),
        |there| written_place(source, there.span()),
    )
}

/// What is to be said of a profile that is a part of a file, or that others are added to.
pub(super) fn part_notes(file: &ProfileFile<'_>, source: &Source) -> Vec<String> {
    let root = file.document().root().filter(|_| file.is_part());
    let place = root.and_then(|root| file.origin(root)).map(|there| {
        let place = written_place(source, there.span());
        format!("of the profile at {place}")
    });
    let mut notes: Vec<_> = place.into_iter().collect();
    match &file.addition {
        None => {}
        Some(Addition::Unseen(unseen)) => notes.push(format!(
            "{unseen}: security-profiles-operator adds its rule entries, and they are left out here ({})",
            unseen.help()
        )),
        Some(Addition::Merged { bases, disputed }) => {
            let names = bases
                .iter()
                .map(|base| format!("`{}` of {}", base.name(), base.source().name()));
            notes.push(format!(
                "with the rule entries of its base profile {}",
                names.collect::<Vec<_>>().join(" and of ")
            ));
            notes.extend(disputed_words(disputed));
        }
    }
    notes
}

/// Refuses a Kubernetes manifest without a profile, of which nobody asks what becomes of it as it
/// is, and a profile that security-profiles-operator never installs.
pub(super) fn check_manifest(file: &ProfileFile<'_>, source: &Source) -> Result<(), CliError> {
    let is_manifest = |document: &Document<'_>| {
        let has = |key: &str| document.root().is_some_and(|root| root.get(key).is_some());
        has("apiVersion") && has("kind")
    };
    let name = source.name();
    if let Some(Addition::Unseen(endless @ (UnseenBase::Endless(_) | UnseenBase::TooLong(_)))) =
        &file.addition
    {
        let place = place_of(file, source);
        return Err(CliError::Usage(format!(
            "{place}: {endless}; security-profiles-operator never installs the profile"
        )));
    }
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

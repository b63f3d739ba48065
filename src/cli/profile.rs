//! Which profile of a file is meant, and what is to be said of it.

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
    let is_meant =
        |file: &&ProfileFile<'_>| name.is_none_or(|name| file.names().iter().any(|it| it == name));
    let found: Vec<_> = files.iter().filter(is_meant).collect();
    let path = source.name();
    // What tells each from the others.
    let listed = || {
        let names = files.iter().filter_map(|file| telling_name(file, files));
        let names: Vec<_> = names.collect();
        if names.is_empty() {
            "none of them has a name".to_owned()
        } else {
            format!("--name says which: {}", names.join(", "))
        }
    };
    match (found.as_slice(), name) {
        ([file], _) => check_manifest(file, source).map(|()| *file),
        ([], Some(name)) => Err(CliError::Usage(format!(
            "{path}: no profile is called `{name}` there; {}",
            listed()
        ))),
        (several, _) => {
            let count = several.len();
            Err(CliError::Usage(format!(
                "{path}: {count} profiles are in it, each with {what} of its own; {}",
                listed()
            )))
        }
    }
}

/// What tells a profile from the others of its file, the shortest that does.
pub(super) fn telling_name<'f>(
    file: &'f ProfileFile<'_>,
    files: &[ProfileFile<'_>],
) -> Option<&'f str> {
    let short = file.names().first()?;
    let alike = files.iter().filter(|it| it.names().first() == Some(short));
    if alike.count() == 1 {
        Some(short)
    } else {
        file.names().last().map(String::as_str)
    }
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
    if let Some(Addition::Unseen(endless @ UnseenBase::Endless(_))) = &file.addition {
        return Err(CliError::Usage(format!(
            "{name}: {endless}; security-profiles-operator never installs the profile"
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

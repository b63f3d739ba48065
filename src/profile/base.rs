//! Base profiles: what security-profiles-operator adds to a `SeccompProfile` that names one.
//!
//! Source: security-profiles-operator `internal/pkg/daemon/seccompprofile/seccompprofile.go`
//! (`resolveSyscallsForProfile`) and `internal/pkg/util/union_syscalls.go` (`UnionSyscalls`). Of a base
//! only `syscalls` counts. Its rule entries come before those of the profile, those of its own base
//! before them, and so on; then all are sorted by action, and the names in each. Everything else is
//! the profile's own. The base is a `SeccompProfile` of that very name in the profile's namespace, or
//! after `oci://` an artifact in a registry. The names of those that the operator brings along hold
//! the version of a runtime (`runc-v1.3.3`), which means nothing to it.
//!
//! Go's sort is not stable where there are more than 12 rule entries, so that those with the same
//! action may come in another order than here. Releases before 0.5 dropped the arguments, and newer
//! ones than 0.9 (API `v1`) let the less restrictive action win where both are about a call: see
//! [`Merged::disputed`](super::Merged::disputed).

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use memchr::memmem;

use super::kubernetes::{find, objects};
use super::{Found, Profile};
use crate::text::{Document, Extract, Source, read};

/// How many bases the operator follows one another: at the fifteenth it gives up.
const MOST_BASES: usize = 14;

/// What a base costs though it adds nothing: it is remembered.
const SIZE_ALONE: usize = 16;

/// How much of bases the profiles of a file may hold together, by [`Extract::size_of`]: thousands of
/// profiles of a small file can name one large base. It is the base of 400 names for 2,000 profiles.
const MOST_SIZE: usize = 1 << 20;

/// A `SeccompProfile` that others may name as their base.
#[derive(Clone, Debug)]
pub struct BaseProfile {
    name: String,
    namespace: Option<String>,
    source: Arc<Source>,
    document: Arc<Document<'static>>,
    /// Which object of its document it is.
    place: usize,
    /// The base that it names itself.
    base: Option<String>,
    /// How much a profile holds of it, by [`Extract::size_of`].
    size: usize,
}

impl BaseProfile {
    /// Its `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it stands in.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The document that it stands in.
    #[must_use]
    pub fn document(&self) -> &Document<'static> {
        &self.document
    }

    /// The profile itself.
    #[must_use]
    pub fn profile(&self) -> Option<Box<Profile<'_>>> {
        let object = objects(self.document.root()?)?.nth(self.place)?;
        match find(object)? {
            Found::Profile(profile) => Some(profile),
            _ => None,
        }
    }
}

/// The `SeccompProfile`s of some files, by their names.
#[derive(Debug, Default)]
pub struct Bases {
    by_name: HashMap<String, Vec<BaseProfile>>,
}

/// Those that the user gave, which are not read before a profile names one.
///
/// [`no_bases`] gives none.
pub type GivenBases = LazyLock<Bases, Box<dyn FnOnce() -> Bases + Send>>;

/// None at all.
#[must_use]
pub fn no_bases() -> GivenBases {
    GivenBases::new(Box::new(Bases::default))
}

/// Those of some files.
#[must_use]
pub fn bases_of(sources: &[Arc<Source>]) -> GivenBases {
    let sources = sources.to_vec();
    GivenBases::new(Box::new(move || {
        let mut bases = Bases::default();
        for source in &sources {
            bases.add(source);
        }
        bases
    }))
}

impl Bases {
    /// Adds those of a file.
    pub fn add(&mut self, source: &Arc<Source>) {
        // More of a name than anyone can tell apart.
        const MOST_ALIKE: usize = 16;
        if memmem::find(source.bytes(), b"SeccompProfile").is_none() {
            return;
        }
        for document in read(source) {
            let document = Arc::new(document.into_owned());
            let root = document.root().filter(|root| root.is_object());
            let all = root.and_then(objects).into_iter().flatten();
            for (place, object) in all.enumerate() {
                let Some(Found::Profile(profile)) = find(object) else {
                    continue;
                };
                let metadata = |key| object.get("metadata")?.get(key)?.as_str();
                let Some(name) = metadata("name") else {
                    continue;
                };
                let alike = self.by_name.entry(name.to_owned()).or_default();
                let sizes = profile.entries.iter();
                let sizes = sizes.map(|entry| Extract::size_of(entry.node));
                if alike.len() < MOST_ALIKE {
                    alike.push(BaseProfile {
                        name: name.to_owned(),
                        namespace: metadata("namespace").map(str::to_owned),
                        source: Arc::clone(source),
                        document: Arc::clone(&document),
                        place,
                        base: profile.base().map(|base| base.value.to_owned()),
                        size: SIZE_ALONE + sizes.sum::<usize>(),
                    });
                }
            }
        }
    }

    /// Adds those of others that it lacks: a base is known by its name and its namespace.
    pub fn or(&mut self, others: &Self) {
        for (name, alike) in &others.by_name {
            let own = self.by_name.entry(name.clone()).or_default();
            let namespaces: HashSet<_> = own.iter().map(|it| it.namespace.clone()).collect();
            let is_new = |it: &&BaseProfile| !namespaces.contains(&it.namespace);
            own.extend(alike.iter().filter(is_new).cloned());
        }
    }

    /// Those of a name that a profile of `namespace` may mean: of its own namespace, if one is.
    fn of(&self, name: &str, namespace: Option<&str>) -> Vec<&BaseProfile> {
        let alike = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let is_same = |it: &&BaseProfile| it.namespace.as_deref() == namespace;
        let fits = |it: &&BaseProfile| it.namespace.is_none() || namespace.is_none();
        let same: Vec<_> = alike.iter().filter(is_same).collect();
        if same.is_empty() {
            alike.iter().filter(fits).collect()
        } else {
            same
        }
    }
}

/// Why it is not known what is added to a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnseenBase {
    /// It is in a registry.
    #[error("the base profile `{0}` is in a registry, and is not seen here")]
    Remote(String),
    /// It is in no file that was given.
    #[error("the base profile `{0}` is in no file that was given")]
    Missing(String),
    /// Several of the name were given.
    #[error("which base profile `{name}` is meant cannot be told: several have the name, in {}", .places.join(", "))]
    Several {
        /// Their name.
        name: String,
        /// The files.
        places: Vec<String>,
    },
    /// The profiles of a file have more bases, or larger ones, than are merged for one file.
    #[error(
        "the base profile `{0}` was not looked at here: those of this file's profiles are too much together"
    )]
    TooMuch(String),
    /// There is no end of bases: their names, from the first on.
    #[error("there is no end of base profiles: {}", way(.0))]
    Endless(Vec<String>),
    /// There are more bases than the operator follows: the names of as many as are too many.
    #[error("there are more than {MOST_BASES} base profiles: {}", way(.0))]
    TooLong(Vec<String>),
}

impl UnseenBase {
    /// What can be done about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) => "give the file that holds it as well, by --base-profile",
            Self::Remote(_) => "registries are not looked into",
            Self::Several { .. } => "give the file that holds the right one, and not the others",
            Self::TooMuch(_) => "put the profiles into several files",
            Self::Endless(_) => "have the last of them stand alone",
            Self::TooLong(_) => "make the chain shorter: put some of them together",
        }
    }
}

/// `a`, whose base is `b`, whose base is `a`.
fn way(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", whose base is ")
}

/// The base of a profile of `source`, the base of that one, and so on.
fn chain<'b>(
    profile: &Profile<'_>,
    source: &Source,
    own: &'b Bases,
    given: &'b GivenBases,
) -> Result<Vec<&'b BaseProfile>, UnseenBase> {
    let object = profile.node.parent();
    let metadata = |key| object?.get("metadata")?.get(key)?.as_str();
    let mut namespace = metadata("namespace");
    let mut chain: Vec<&BaseProfile> = Vec::new();
    let mut wanted: Option<&str> = profile.base().map(|base| base.value);
    while let Some(name) = wanted {
        if name.starts_with("oci://") {
            return Err(UnseenBase::Remote(name.to_owned()));
        }
        let file = chain.last().map_or(source.name(), |it| it.source.name());
        let is_near = |it: &&BaseProfile| it.source.name() == file;
        let mut found = if file == source.name() {
            own.of(name, namespace)
        } else {
            Vec::new()
        };
        if found.is_empty() {
            found = given.of(name, namespace);
            if found.iter().any(&is_near) {
                found.retain(is_near);
            }
        }
        let base = match found[..] {
            [base] => base,
            [] => return Err(UnseenBase::Missing(name.to_owned())),
            _ => {
                let mut places: Vec<_> = found.iter().map(|it| it.source.name()).collect();
                places.dedup();
                let places = places.into_iter().map(str::to_owned).collect();
                return Err(UnseenBase::Several {
                    name: name.to_owned(),
                    places,
                });
            }
        };
        let is_again = chain.iter().any(|it| std::ptr::eq(*it, base));
        if is_again || chain.len() == MOST_BASES {
            let names = chain.iter().chain([&base]).map(|it| it.name.clone());
            let why = if is_again {
                UnseenBase::Endless
            } else {
                UnseenBase::TooLong
            };
            return Err(why(names.collect()));
        }
        namespace = base.namespace.as_deref().or(namespace);
        wanted = base.base.as_deref();
        chain.push(base);
    }
    Ok(chain)
}

/// A base profile, read.
#[derive(Debug)]
pub struct BaseLayer<'b> {
    /// Where it stands.
    pub base: &'b BaseProfile,
    /// What stands there.
    pub profile: Rc<Profile<'b>>,
}

/// Finds the bases of the profiles of one file.
#[derive(Debug)]
pub struct BaseFinder<'b> {
    source: &'b Source,
    own: &'b Bases,
    given: &'b GivenBases,
    /// How much may still be merged.
    room: usize,
    /// What was read of bases, which many profiles may have in common.
    read: HashMap<*const BaseProfile, Rc<Profile<'b>>>,
}

impl<'b> BaseFinder<'b> {
    /// For the profiles of `source`, whose own `SeccompProfile`s come before those that were given.
    #[must_use]
    pub fn new(source: &'b Source, own: &'b Bases, given: &'b GivenBases) -> Self {
        Self {
            source,
            own,
            given,
            room: MOST_SIZE,
            read: HashMap::new(),
        }
    }

    /// The bases of a profile, the nearest first; none if it names none.
    ///
    /// # Errors
    /// If one is not to be found, or there is no end. Nothing is known then of what is added.
    pub fn of(&mut self, profile: &Profile<'_>) -> Result<Vec<BaseLayer<'b>>, UnseenBase> {
        let bases = chain(profile, self.source, self.own, self.given)?;
        let mut layers = Vec::with_capacity(bases.len());
        for base in bases {
            let Some(room) = self.room.checked_sub(base.size) else {
                return Err(UnseenBase::TooMuch(base.name.clone()));
            };
            self.room = room;
            let profile = match self.read.get(&std::ptr::from_ref(base)) {
                Some(profile) => Rc::clone(profile),
                None => match base.profile() {
                    Some(profile) => {
                        let profile = Rc::from(profile);
                        self.read.insert(base, Rc::clone(&profile));
                        profile
                    }
                    None => continue,
                },
            };
            layers.push(BaseLayer { base, profile });
        }
        Ok(layers)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(super) mod tests {
    use std::sync::Arc;

    use super::{Bases, GivenBases, UnseenBase, chain};
    use crate::profile::{Found, Profile, find};
    use crate::text::{Source, read};

    pub(in crate::profile) fn object(name: &str, base: &str, entries: &str) -> String {
        format!(
            "---\napiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n\
             metadata: {{{name}}}\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n{base}  syscalls: [{entries}]\n"
        )
    }

    pub(in crate::profile) fn source(name: &str, text: String) -> Arc<Source> {
        Arc::new(Source::new(name, text.into_bytes()))
    }

    pub(in crate::profile) fn lazily(sources: &[&Arc<Source>]) -> GivenBases {
        let bases = bases(sources);
        GivenBases::new(Box::new(|| bases))
    }

    pub(in crate::profile) fn bases(sources: &[&Arc<Source>]) -> Bases {
        let mut bases = Bases::default();
        for source in sources {
            bases.add(source);
        }
        bases
    }

    pub(in crate::profile) fn with_first<T>(
        source: &Arc<Source>,
        then: impl FnOnce(&Profile<'_>) -> T,
    ) -> T {
        let documents = read(source);
        let Found::Profile(profile) = find(&documents[0], None) else {
            panic!("no profile");
        };
        then(&profile)
    }

    /// A profile would get the rule entries of another namespace's base, or of a file that has
    /// nothing to do with it.
    #[test]
    fn the_base_is_that_of_the_same_namespace_and_file() {
        let web = |metadata: &str| source("web", object(metadata, "  baseProfileName: b\n", ""));
        let one = source("one", object("name: b, namespace: left", "", ""));
        let two = source("two", object("name: b, namespace: right", "", ""));
        let any = source("any", object("name: b", "", ""));
        let found = |web: &Arc<Source>, given: &[&Arc<Source>]| {
            let (own, given) = (bases(&[web]), lazily(given));
            with_first(web, |profile| {
                let found = chain(profile, web, &own, &given);
                found.map(|it| it[0].source().name().to_owned())
            })
        };
        let in_right = web("name: w, namespace: right");
        assert_eq!(found(&in_right, &[&one, &two, &any]).unwrap(), "two");
        assert_eq!(found(&in_right, &[&one, &any]).unwrap(), "any");
        let missing = UnseenBase::Missing("b".to_owned());
        assert_eq!(found(&in_right, &[&one]), Err(missing));
        let in_none = web("name: w");
        assert_eq!(found(&in_none, &[&one]).unwrap(), "one");
        let several = UnseenBase::Several {
            name: "b".to_owned(),
            places: ["one", "two"].map(str::to_owned).to_vec(),
        };
        assert_eq!(found(&in_none, &[&one, &two]), Err(several));
        let text = object("name: w", "  baseProfileName: b\n", "") + &object("name: b", "", "");
        assert_eq!(found(&source("web", text), &[&any, &one]).unwrap(), "web");
        let remote = object("name: w", "  baseProfileName: oci://x/b\n", "");
        let remote = found(&source("web", remote), &[&any]);
        assert_eq!(remote, Err(UnseenBase::Remote("oci://x/b".to_owned())));
    }

    /// An old version would lack the base of one namespace since it has one of the name in another, or
    /// would get today's in place of its own.
    #[test]
    fn what_is_added_is_what_lacks_by_name_and_namespace() {
        let base = |file: &str, namespace: &str| {
            let metadata = format!("name: b, namespace: {namespace}");
            source(file, object(&metadata, "", ""))
        };
        let mut old = bases(&[&base("old", "left")]);
        let [left, right] = ["left", "right"].map(|namespace| base("new", namespace));
        old.or(&bases(&[&left, &right]));
        let found = |namespace| {
            let found = old.of("b", Some(namespace)).into_iter();
            found
                .map(|it| it.source.name().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("left"), ["old"]);
        assert_eq!(found("right"), ["new"]);
    }

    /// The linter would go round for ever, or take a profile for good that is never installed.
    #[test]
    fn the_operator_gives_up_where_there_is_no_end() {
        let link = |at: usize, last: usize| {
            let base = format!("  baseProfileName: p{}\n", at + 1);
            let base = if at == last { String::new() } else { base };
            object(&format!("name: p{at}"), &base, "")
        };
        let length = |last: usize| {
            let text = (0..=last).map(|at| link(at, last)).collect();
            let file = source("all", text);
            let own = bases(&[&file]);
            let none = lazily(&[]);
            with_first(&file, |profile| {
                chain(profile, &file, &own, &none).map(|it| it.len())
            })
        };
        assert_eq!(length(14), Ok(14));
        assert!(matches!(length(15), Err(UnseenBase::TooLong(names)) if names.len() == 15));
        let text = object("name: a", "  baseProfileName: b\n", "")
            + &object("name: b", "  baseProfileName: a\n", "");
        let file = source("all", text);
        let own = bases(&[&file]);
        let none = lazily(&[]);
        let found = with_first(&file, |profile| {
            chain(profile, &file, &own, &none).map(|it| it.len())
        });
        let names = ["b", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(found, Err(UnseenBase::Endless(names)));
    }
}

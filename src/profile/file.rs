//! Profiles as engines and runtimes get them: files of JSON, also where a person keeps them in
//! Kubernetes objects.

use std::rc::Rc;
use std::sync::Arc;

use memchr::memmem;

use super::kubernetes::objects;
use super::merged::is_left_out;
use super::{
    BaseFinder, BaseProfile, Bases, Found, GivenBases, Merged, Profile, UnseenBase, find_all,
    unfold,
};
use crate::text::{Document, Extract, Node, Source, Syntax, json, read};

/// A file of JSON that an engine or a runtime is given, and where it stands in the file that a
/// person wrote.
///
/// Of a `ConfigMap` it is what the kubelet would write; of a `SeccompProfile` it is its `spec`, which
/// security-profiles-operator writes for CRI-O or containerd.
#[derive(Debug)]
pub struct ProfileFile<'s> {
    bytes: &'s [u8],
    document: Rc<Document<'s>>,
    extract: Option<Extract>,
    /// What base profiles add to it; `None` if it names no base.
    pub addition: Option<Addition>,
    names: Vec<String>,
}

/// What base profiles add to a profile.
#[derive(Debug)]
pub enum Addition {
    /// Nobody knows, and it is not there.
    Unseen(UnseenBase),
    /// Rule entries, which are there.
    Merged {
        /// The base, its own base, and so on.
        bases: Vec<BaseProfile>,
        /// The calls of which releases of the operator make different things.
        disputed: Vec<String>,
    },
}

/// The profiles of a file, with what base profiles add to them. What is no Kubernetes object is one as
/// it is, whatever is in it.
#[must_use]
pub fn files<'s>(source: &'s Arc<Source>, given: &GivenBases) -> Vec<ProfileFile<'s>> {
    let whole = |document| ProfileFile {
        bytes: source.bytes(),
        document: Rc::new(document),
        extract: None,
        addition: None,
        names: Vec::new(),
    };
    let is_object = |document: &Document<'_>| {
        let root = document.root().filter(|root| root.is_object());
        root.is_some_and(|root| objects(root).is_some())
    };
    let mut documents = read(source);
    if Syntax::of(source) == Syntax::Json && !documents.iter().any(is_object) {
        return documents.drain(..).map(whole).collect();
    }
    let mut own = Bases::default();
    if memmem::find(source.bytes(), b"baseProfileName").is_some() {
        own.add(source);
    }
    let mut finder = BaseFinder::new(source, &own, given);
    let mut files = Vec::new();
    let mut outer = None;
    for document in unfold(source, documents) {
        let document = Rc::new(document);
        if !document.is_embedded() {
            outer = Some(Rc::clone(&document));
        }
        for found in find_all(&document, None) {
            // No reader of profiles reads YAML.
            let Found::Profile(profile) = found else {
                continue;
            };
            if profile.is_for_operator() || document.is_embedded() {
                let (extract, addition) = extract(&profile, &mut finder);
                files.push(ProfileFile {
                    bytes: source.bytes(),
                    document: Rc::clone(&document),
                    extract: Some(extract),
                    addition,
                    names: names(&profile, &document, outer.as_deref()),
                });
            }
        }
    }
    if files.is_empty() {
        files.push(whole(json::parse(source.bytes())));
    }
    files
}

/// A profile as a file of its own, with what its bases add to it.
fn extract(profile: &Profile<'_>, finder: &mut BaseFinder<'_>) -> (Extract, Option<Addition>) {
    let alone = || {
        if profile.is_for_operator() {
            Extract::of(profile.node, is_left_out)
        } else {
            Extract::of(profile.node, |_, _| false)
        }
    };
    if profile.base().is_none() {
        return (alone(), None);
    }
    let layers = match finder.of(profile) {
        Ok(layers) => layers,
        Err(unseen) => return (alone(), Some(Addition::Unseen(unseen))),
    };
    let bases = layers.iter().map(|layer| &*layer.profile);
    let merged = Merged::of(&std::iter::once(profile).chain(bases).collect::<Vec<_>>());
    let disputed = merged.disputed().into_iter().map(str::to_owned);
    let addition = Addition::Merged {
        disputed: disputed.collect(),
        bases: layers.iter().map(|layer| layer.base.clone()).collect(),
    };
    (merged.file(profile.node), Some(addition))
}

/// What a profile in a Kubernetes object is called, the shortest first: `web` and `shop/web` for a
/// `SeccompProfile` in a namespace, the key and the name before the key in a `ConfigMap`.
fn names(
    profile: &Profile<'_>,
    document: &Document<'_>,
    outer: Option<&Document<'_>>,
) -> Vec<String> {
    let (prefix, name) = if document.is_embedded() {
        let pointer = profile.node.pointer();
        let mut steps = pointer.rsplit('/');
        let key = steps.next().unwrap_or_default();
        let key = key.replace("~1", "/").replace("~0", "~");
        let place = steps.nth(1).and_then(|place| place.parse().ok());
        let root = outer.and_then(Document::root);
        let mut all = root.and_then(objects).into_iter().flatten();
        let map = all.nth(place.unwrap_or(0));
        let name = map.and_then(|map| map.get("metadata")?.get("name")?.as_str());
        (name.map(str::to_owned), Some(key))
    } else {
        let object = profile.node.parent();
        let metadata = |key| object?.get("metadata")?.get(key)?.as_str();
        let own = |key| metadata(key).map(str::to_owned);
        (own("namespace"), own("name"))
    };
    let Some(name) = name else {
        return Vec::new();
    };
    let whole = prefix.map(|prefix| format!("{prefix}/{name}"));
    std::iter::once(name).chain(whole).collect()
}

impl ProfileFile<'_> {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.extract.as_ref().map_or(self.bytes, Extract::bytes)
    }

    /// What was read of them.
    #[must_use]
    pub fn document(&self) -> &Document<'_> {
        match &self.extract {
            Some(extract) => extract.document(),
            None => &self.document,
        }
    }

    /// Whether it stands in another file, and is not all of it.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.extract.is_some()
    }

    /// What it is called, the shortest name first; nothing if it stands in no Kubernetes object.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The base that a node of [`ProfileFile::document`] is from, and where it stands there; `None`
    /// for what is the profile's own.
    #[must_use]
    pub fn in_base<'d>(&'d self, node: Node<'d>) -> Option<(&'d BaseProfile, Node<'d>)> {
        let Some(Addition::Merged { bases, .. }) = &self.addition else {
            return None;
        };
        let extract = self.extract.as_ref()?;
        bases.iter().enumerate().find_map(|(place, base)| {
            let there = extract.origin_in(place + 1, base.document(), node)?;
            Some((base, there))
        })
    }

    /// Where a node of [`ProfileFile::document`] stands in the file that a person wrote; `None` for
    /// what is from a base.
    #[must_use]
    pub fn origin<'d>(&'d self, node: Node<'d>) -> Option<Node<'d>> {
        match &self.extract {
            Some(extract) => extract.origin(&self.document, node),
            None => Some(node),
        }
    }
}

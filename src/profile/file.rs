//! Profiles as engines and runtimes get them: files of JSON, also where a person keeps them in
//! Kubernetes objects.

use std::rc::Rc;

use super::kubernetes::objects;
use super::{Found, find_all, unfold};
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
    /// The profile that security-profiles-operator adds to it, which is not seen here.
    pub base: Option<String>,
}

/// The profiles of a file. What is no Kubernetes object is one as it is, whatever is in it.
#[must_use]
pub fn files(source: &Source) -> Vec<ProfileFile<'_>> {
    let whole = |document| ProfileFile {
        bytes: source.bytes(),
        document: Rc::new(document),
        extract: None,
        base: None,
    };
    let is_object = |document: &Document<'_>| {
        let root = document.root().filter(|root| root.is_object());
        root.is_some_and(|root| objects(root).is_some())
    };
    let mut documents = read(source);
    if Syntax::of(source) == Syntax::Json && !documents.iter().any(is_object) {
        return documents.drain(..).map(whole).collect();
    }
    let mut files = Vec::new();
    for document in unfold(source, documents) {
        let document = Rc::new(document);
        for found in find_all(&document, None) {
            // No reader of profiles reads YAML.
            let Found::Profile(profile) = found else {
                continue;
            };
            if profile.is_for_operator() || document.is_embedded() {
                files.push(ProfileFile {
                    bytes: source.bytes(),
                    document: Rc::clone(&document),
                    extract: Some(Extract::of(profile.node)),
                    base: profile.base().map(|base| base.value.to_owned()),
                });
            }
        }
    }
    if files.is_empty() {
        files.push(whole(json::parse(source.bytes())));
    }
    files
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

    /// Where a node of [`ProfileFile::document`] stands in the file that a person wrote.
    #[must_use]
    pub fn origin<'d>(&'d self, node: Node<'d>) -> Option<Node<'d>> {
        match &self.extract {
            Some(extract) => extract.origin(&self.document, node),
            None => Some(node),
        }
    }
}

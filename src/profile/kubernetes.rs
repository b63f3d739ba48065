//! Profiles in Kubernetes objects: `SeccompProfile`s of security-profiles-operator,
//! and `ConfigMap`s that carry files.
//!
//! Of a `ConfigMap` only `data` is looked at: kubectl puts a file into `binaryData`
//! where it is no UTF-8, and then it is no profile that anything reads.

use std::collections::HashSet;

use memchr::memmem;

use super::{Dialects, Found, has_default_action, looks_like_profile, schema};
use crate::text::{Document, Node, Source, Syntax, embed};

/// The API groups that `SeccompProfile`s of the operator have had, the present one
/// first.
pub const API_GROUPS: [&str; 2] = [
    "security-profiles-operator.x-k8s.io",
    "seccomp-operator.x-k8s.io",
];

/// The objects of a manifest: the root itself, or the items of a list. `None` if
/// the root is no Kubernetes object.
pub(super) fn objects(root: Node<'_>) -> Option<impl Iterator<Item = Node<'_>>> {
    let kind = root.get("kind")?.as_str()?;
    let is_list = kind == "List" || kind == "SeccompProfileList";
    let is_object = is_list || root.get("apiVersion").is_some() || kind == "SeccompProfile";
    let items = root.get("items").filter(|_| is_list);
    let items = items.into_iter().flat_map(Node::elements);
    let own = (!is_list).then_some(root);
    is_object.then(|| own.into_iter().chain(items))
}

/// What an object is; `None` if it is not about profiles of the operator.
pub(super) fn find(object: Node<'_>) -> Option<Found<'_>> {
    let kind = object.get("kind")?;
    let spec = object.get("spec");
    let group = object.get("apiVersion").and_then(Node::as_str);
    let group = group.and_then(|version| version.split('/').next());
    let is_operators = group.is_some_and(|group| API_GROUPS.contains(&group));
    if kind.as_str()? != "SeccompProfile" {
        // The operator's other kinds have no such field.
        let is_meant = is_operators && spec.is_some_and(has_default_action);
        return is_meant.then_some(Found::OtherKind(kind));
    }
    match spec.filter(|spec| spec.is_object()) {
        // Others have kinds of that name with other fields.
        Some(spec) if is_operators || has_default_action(spec) => {
            let profile = schema::read(spec, Some(Dialects::OPERATOR));
            Some(Found::Profile(Box::new(profile)))
        }
        None if is_operators => Some(Found::NoSpec(spec.unwrap_or(object))),
        _ => None,
    }
}

/// Adds to the documents of a file those that are profiles in the strings of its
/// `ConfigMap`s, each behind the one that it was found in.
#[must_use]
pub fn unfold<'s>(source: &Source, documents: Vec<Document<'s>>) -> Vec<Document<'s>> {
    let mut all = Vec::with_capacity(documents.len());
    for document in documents {
        let inner = in_strings(source, &document);
        all.push(document);
        all.extend(inner);
    }
    all
}

fn in_strings(source: &Source, document: &Document<'_>) -> Vec<Document<'static>> {
    let root = document.root().filter(|root| root.is_object());
    let objects = root.and_then(|root| objects(root)).into_iter().flatten();
    let kind = |object: &Node<'_>| object.get("kind").and_then(Node::as_str) == Some("ConfigMap");
    let data = objects.filter(kind).filter_map(|map| map.get("data"));
    // What aliases repeat stands in the file once.
    let mut seen = HashSet::new();
    let values = data.flat_map(Node::members).map(|(_, value)| value);
    let texts = values.filter(|value| {
        let text = value.as_str().unwrap_or_default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
        text.starts_with(['{', '/']) && seen.insert(value.span())
    });
    let documents = texts.filter_map(|text| embed(source.bytes(), text));
    let is_profile = |document: &Document<'_>| {
        let root = document.root().filter(|root| root.is_object());
        root.is_some_and(looks_like_profile)
    };
    documents.filter(is_profile).collect()
}

/// Whether a file can hold a profile at all, as far as that can be told without
/// reading it as what it is. Most YAML in a repository is about something else.
#[must_use]
pub fn may_hold_profile(source: &Source) -> bool {
    Syntax::of(source) == Syntax::Json || speaks_of_profiles(source)
}

/// Whether a word is in a file that is in nearly every profile, and seldom elsewhere.
#[must_use]
pub fn speaks_of_profiles(source: &Source) -> bool {
    const WORDS: [&str; 3] = ["SCMP_ACT_", "SeccompProfile", "defaultAction"];
    let holds = |word: &&str| memmem::find(source.bytes(), word.as_bytes()).is_some();
    WORDS.iter().any(holds)
}

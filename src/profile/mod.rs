//! Profiles: what a person writes, typed, every field with its place.
//!
//! [`find_all`] looks for profiles in a document, and [`Profile`] is what it reads
//! there; [`unfold`] finds the documents in the strings of `ConfigMap`s, and [`files`]
//! gives all as engines get them. Reading never stops at a mistake: each becomes a
//! [`Mistake`], and the rest is read as if it were right.

mod action;
mod base;
mod compare;
mod comparison;
mod dialect;
mod fields;
mod file;
mod kubernetes;
mod merged;
mod schema;

pub use action::{Action, Decision, Effect, GivenErrno};
pub use base::{
    BaseFinder, BaseLayer, BaseProfile, Bases, GivenBases, UnseenBase, bases_of, no_bases,
};
pub use comparison::{Comparison, Operator};
pub use dialect::Dialects;
pub use fields::{Field, Shape};
pub use file::{Addition, ProfileFile, files};
pub use kubernetes::{API_GROUPS, may_hold_profile, speaks_of_profiles, unfold};
pub use merged::{Merged, disputed_words};

use crate::text::{Document, Kind, Node, Syntax};

/// A value and the node that it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Spanned<'d, T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub node: Node<'d>,
}

/// A string in a profile.
pub type Text<'d> = Spanned<'d, &'d str>;

/// A number in a profile, as it was written: `value` holds its digits.
pub type Digits<'d> = Spanned<'d, &'d str>;

impl Digits<'_> {
    /// The number, if it is a whole one that fits into 64 bits and is written as digits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let is_digits = self.value.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| self.value.parse().ok()).flatten()
    }
}

/// A profile, in any dialect.
#[derive(Debug)]
pub struct Profile<'d> {
    /// The object that it was read from.
    pub node: Node<'d>,
    /// The dialects that it may be in; never none.
    pub dialects: Dialects,
    /// What happens to a call that no rule entry matches.
    pub default_action: Option<Text<'d>>,
    /// The errno of `default_action`.
    pub default_errno_ret: Option<Digits<'d>>,
    /// What the two come to in a section; `None` if there is no such action.
    pub default_effect: Option<Effect>,
    /// The same by name (Podman).
    pub default_errno: Option<Text<'d>>,
    /// The architectures besides the host's own.
    pub architectures: Vec<Text<'d>>,
    /// The same by host architecture (Docker, Podman).
    pub arch_map: Vec<ArchMapEntry<'d>>,
    /// Flags for loading the filter; `None` if the field is absent or null.
    pub flags: Option<Vec<Text<'d>>>,
    /// Where the container's syscalls of rule entries that notify are sent.
    pub listener_path: Option<Text<'d>>,
    /// What is sent along with them.
    pub listener_metadata: Option<Text<'d>>,
    /// The rule entries.
    pub entries: Vec<RuleEntry<'d>>,
    /// The keys of fields that runtimes do not know: those of engines' and the operator's dialects.
    pub foreign: Vec<Node<'d>>,
    /// What could not be read, in no order.
    pub mistakes: Vec<Mistake<'d>>,
    /// Whether it has neither a default action nor a rule entry, which everything
    /// that is written in Go takes for the wish for no filter.
    pub is_disabled: bool,
}

impl<'d> Profile<'d> {
    /// Whether it is the `spec` of a `SeccompProfile`, which the API server checks.
    #[must_use]
    pub fn is_for_operator(&self) -> bool {
        self.dialects == Dialects::OPERATOR
    }

    /// The profile that security-profiles-operator adds to this one.
    #[must_use]
    pub fn base(&self) -> Option<Text<'d>> {
        let node = self.node.get("baseProfileName");
        let node = node.filter(|_| self.is_for_operator())?;
        let value = node.as_str().filter(|name| !name.is_empty())?;
        Some(Spanned { value, node })
    }

    /// The `metadata.name` of the `SeccompProfile` that it is the `spec` of.
    #[must_use]
    pub fn object_name(&self) -> Option<&'d str> {
        let object = self.node.parent().filter(|_| self.is_for_operator())?;
        object.get("metadata")?.get("name")?.as_str()
    }

    /// Every `includes` and `excludes` of its rule entries.
    pub fn filters(&self) -> impl Iterator<Item = (Side, &Filter<'d>)> {
        self.entries.iter().flat_map(|entry| {
            let includes = entry.includes.iter().map(|filter| (Side::Includes, filter));
            let excludes = entry.excludes.iter().map(|filter| (Side::Excludes, filter));
            includes.chain(excludes)
        })
    }

    /// The field whose key `written` is but for the case of its letters.
    #[must_use]
    pub fn field_in_other_case(
        &self,
        written: &str,
        known: &'static [Field],
    ) -> Option<&'static Field> {
        known.iter().find(|field| {
            field.name != written
                && field.name.eq_ignore_ascii_case(written)
                && !(field.dialects & self.dialects).is_empty()
        })
    }
}

/// Which of a rule entry's filters one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `includes`: the rule entry holds only where all of it is so.
    Includes,
    /// `excludes`: it does not hold where any of it is so.
    Excludes,
}

/// One element of `archMap`.
#[derive(Debug)]
pub struct ArchMapEntry<'d> {
    /// The host's architecture.
    pub architecture: Option<Text<'d>>,
    /// What is added on such a host.
    pub sub_architectures: Vec<Text<'d>>,
}

/// One element of `syscalls`.
#[derive(Debug)]
pub struct RuleEntry<'d> {
    /// The object that it was read from.
    pub node: Node<'d>,
    /// Which list of rule entries it is in, where the key is given more than once: a reader takes
    /// one of them.
    pub list: u32,
    /// The node of `names`, whatever it is.
    pub names_node: Option<Node<'d>>,
    /// The syscalls that it is about, those of `name` included where a dialect has it.
    pub names: Vec<Text<'d>>,
    /// A single syscall that it is about (Docker, Podman); deprecated.
    pub name: Option<Text<'d>>,
    /// What happens to them.
    pub action: Option<Text<'d>>,
    /// The errno of `action`.
    pub errno_ret: Option<Digits<'d>>,
    /// What the two come to in a section; `None` if there is no such action.
    pub effect: Option<Effect>,
    /// The same by name (Podman).
    pub errno: Option<Text<'d>>,
    /// What their arguments must be.
    pub args: Vec<Condition<'d>>,
    /// Where the rule entry holds (Docker, Podman).
    pub includes: Option<Filter<'d>>,
    /// Where it does not hold (Docker, Podman).
    pub excludes: Option<Filter<'d>>,
    /// What its author says of it (Docker, Podman).
    pub comment: Option<Text<'d>>,
}

impl RuleEntry<'_> {
    /// The action, if there is one of that name.
    #[must_use]
    pub fn known_action(&self) -> Option<Action> {
        self.effect.map(|effect| effect.action)
    }

    /// Whether a call that the rule entry matches runs, logged or not. `None` if there is no such
    /// action.
    #[must_use]
    pub fn permits(&self) -> Option<bool> {
        self.known_action().map(Action::permits)
    }
}

/// `includes` or `excludes` of a rule entry.
#[derive(Debug)]
pub struct Filter<'d> {
    /// The object that it was read from.
    pub node: Node<'d>,
    /// Capabilities that the container has.
    pub caps: Vec<Text<'d>>,
    /// Architectures of the host, in the engine's own names.
    pub arches: Vec<Text<'d>>,
    /// The least kernel (Docker).
    pub min_kernel: Option<Text<'d>>,
}

/// One element of a rule entry's `args`.
#[derive(Debug)]
pub struct Condition<'d> {
    /// The object that it was read from.
    pub node: Node<'d>,
    /// Which argument, counted from 0.
    pub index: Option<Digits<'d>>,
    /// What it is compared with; the mask for `SCMP_CMP_MASKED_EQ`.
    pub value: Option<Digits<'d>>,
    /// What the masked argument is compared with.
    pub value_two: Option<Digits<'d>>,
    /// How it is compared.
    pub op: Option<Text<'d>>,
    /// All of it, typed; `None` if something is missing or wrong, which is a [`Mistake`] or for
    /// rules about that field to say.
    pub comparison: Option<Comparison>,
}

impl<'d> Condition<'d> {
    /// Where it says what it compares with: at its operator, if that is left out for 0.
    #[must_use]
    pub fn value_place(&self) -> Option<Node<'d>> {
        let value = self.value.map(|it| it.node);
        value.or_else(|| Some(self.op?.node))
    }
}

/// Something in a profile that is not as its dialects want it.
#[derive(Clone, Debug)]
pub enum Mistake<'d> {
    /// A key that occurs twice in an object, or that differs only in case.
    DuplicateKey {
        /// The key that came first.
        first: Node<'d>,
        /// The one that came again.
        again: Node<'d>,
    },
    /// A key that no dialect of the profile knows.
    UnknownField {
        /// The key.
        key: Node<'d>,
        /// What the object is, with its article: "a rule entry".
        object: &'static str,
        /// The fields that may stand there.
        known: &'static [Field],
    },
    /// A value of another JSON type than its field has.
    WrongType {
        /// The value.
        node: Node<'d>,
        /// The field's name.
        field: &'static str,
        /// What must stand there, with its article.
        expected: &'static str,
        /// Whether the value is an element of the field's array.
        is_element: bool,
    },
    /// A field that must be there and is not.
    MissingField {
        /// The object that lacks it.
        object: Node<'d>,
        /// What the object is, with its article.
        what: &'static str,
        /// The field's name.
        field: &'static str,
    },
}

/// What a document turned out to be.
#[derive(Debug)]
pub enum Found<'d> {
    /// It holds a profile.
    Profile(Box<Profile<'d>>),
    /// A container's configuration without a seccomp section: no filter at all.
    /// The node is what stands in its place, if anything does.
    NoSection(Option<Node<'d>>),
    /// A `SeccompProfile` without a `spec`, or with something else in its place.
    NoSpec(Node<'d>),
    /// What has the spec of a `SeccompProfile` in the operator's API, and another kind;
    /// the node is the kind.
    OtherKind(Node<'d>),
    /// An object without a key that no profile has, and without all that would
    /// make it one: `{}`.
    Blank(Node<'d>),
    /// It is not about seccomp.
    Nothing,
}

/// Looks for profiles in a document, and reads them: only a list of Kubernetes
/// objects can hold several. At least one is returned. With `dialects` given, what
/// is no Kubernetes object is taken for a profile of those dialects, whatever it
/// looks like.
#[must_use]
pub fn find_all<'d>(document: &'d Document<'d>, dialects: Option<Dialects>) -> Vec<Found<'d>> {
    let Some(root) = document.root().filter(|root| root.is_object()) else {
        return vec![Found::Nothing];
    };
    let Some(objects) = kubernetes::objects(root) else {
        return vec![find_in_file(document, root, dialects)];
    };
    let mut found: Vec<_> = objects.filter_map(kubernetes::find).collect();
    if found.is_empty() {
        found.push(Found::Nothing);
    }
    found
}

/// The first of what [`find_all`] finds.
#[must_use]
pub fn find<'d>(document: &'d Document<'d>, dialects: Option<Dialects>) -> Found<'d> {
    let found = find_all(document, dialects).into_iter().next();
    found.unwrap_or(Found::Nothing)
}

/// What a document is that is no Kubernetes object.
fn find_in_file<'d>(
    document: &Document<'_>,
    root: Node<'d>,
    dialects: Option<Dialects>,
) -> Found<'d> {
    if is_container_configuration(root) {
        let sections = every(root, "linux").flat_map(|linux| every(linux, "seccomp"));
        // Of several the last that can be one: which of them counts depends on
        // the runtime, and that there are several is a mistake of its own.
        let Some(section) = sections
            .clone()
            .filter(|section| section.is_object())
            .last()
        else {
            return Found::NoSection(sections.last());
        };
        let mut profile = schema::read(section, Some(Dialects::OCI));
        schema::find_duplicates_on_the_way(root, &mut profile);
        return Found::Profile(Box::new(profile));
    }
    // No reader of profiles reads YAML: there it takes more to look like one.
    let is_meant = match document.syntax() {
        Syntax::Json => looks_like_profile(root),
        Syntax::Yaml => has_default_action(root),
    };
    if dialects.is_some() || is_meant {
        return Found::Profile(Box::new(schema::read(root, dialects)));
    }
    if document.syntax() == Syntax::Json && schema::is_blank(root) {
        return Found::Blank(root);
    }
    Found::Nothing
}

/// Whether a document is a container's configuration, which has the section in it.
pub(crate) fn is_container_configuration(root: Node<'_>) -> bool {
    // What `crun features` prints has a `linux.seccomp` of another kind.
    if root.get("ociVersionMin").is_some() {
        return false;
    }
    let linux = root.get("linux").filter(|linux| linux.is_object());
    linux.is_some_and(|linux| linux.get("seccomp").is_some() || root.get("ociVersion").is_some())
        || (root.get("ociVersion").is_some() && root.get("process").is_some())
}

/// Whether an object is meant as a profile: it has a default action, or a list
/// of rule entries or architectures. A list of mere names is another tool's.
fn looks_like_profile(root: Node<'_>) -> bool {
    let has_list = root.members().any(|(key, value)| match key.as_str() {
        Some("syscalls" | "archMap") => {
            let mut elements = value.elements();
            let is_empty = *value.kind() == Kind::Array && elements.clone().next().is_none();
            is_empty || elements.any(|element| element.as_str().is_none())
        }
        _ => false,
    });
    has_list || has_default_action(root)
}

/// Whether a key is meant as `defaultAction`.
fn has_default_action(object: Node<'_>) -> bool {
    let is_default_action = |key: &str| {
        let letters = key.bytes().filter(u8::is_ascii_alphabetic);
        letters
            .map(|letter| letter.to_ascii_lowercase())
            .eq(*b"defaultaction")
    };
    let mut keys = object.members().filter_map(|(key, _)| key.as_str());
    keys.any(is_default_action)
}

/// All values of a key, should it be given more than once.
fn every<'d>(object: Node<'d>, key: &'static str) -> impl Iterator<Item = Node<'d>> + Clone {
    let same = move |&(name, _): &(Node<'d>, Node<'d>)| name.as_str() == Some(key);
    object.members().filter(same).map(|(_, value)| value)
}

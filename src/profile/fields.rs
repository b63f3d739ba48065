//! The fields that an object of a profile may have, by dialect.
//!
//! Sources: runtime-spec `schema/defs-linux.json`, moby `profiles/seccomp`,
//! containers/common `pkg/seccomp/types.go`, security-profiles-operator
//! `api/seccompprofile` (v1alpha1, v1beta1 and v1 together).

use super::Dialects;
use crate::text::Kind;

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    String,
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// An object.
    Object,
    /// An array of strings.
    Strings,
    /// An array of objects.
    Objects,
}

impl Shape {
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Shape::String => "a string",
            Shape::Number => "a number",
            Shape::Bool => "a boolean",
            Shape::Object => "an object",
            Shape::Strings => "an array of strings",
            Shape::Objects => "an array of objects",
        }
    }

    pub(super) fn fits(self, kind: &Kind<'_>) -> bool {
        matches!(
            (self, kind),
            (Shape::String, Kind::String(_))
                | (Shape::Number, Kind::Number(_))
                | (Shape::Bool, Kind::Bool(_))
                | (Shape::Object, Kind::Object)
                | (Shape::Strings | Shape::Objects, Kind::Array)
        )
    }

    /// What the elements of an array must be.
    pub(super) const fn element(self) -> Option<Shape> {
        match self {
            Shape::Strings => Some(Shape::String),
            Shape::Objects => Some(Shape::Object),
            _ => None,
        }
    }
}

/// A field that may stand in an object of a profile.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// The dialects that know it.
    pub dialects: Dialects,
    /// The dialects in which it must be there.
    pub required: Dialects,
}

const fn field(name: &'static str, shape: Shape, dialects: Dialects) -> Field {
    Field {
        name,
        shape,
        dialects,
        required: Dialects::NONE,
    }
}

const fn required(name: &'static str, shape: Shape, required: Dialects) -> Field {
    Field {
        name,
        shape,
        dialects: Dialects::ALL,
        required,
    }
}

pub(super) const ENGINES: Dialects = Dialects::DOCKER.or(Dialects::PODMAN);

const FILES: Dialects = Dialects::FILES;
const ALL: Dialects = Dialects::ALL;
const OPERATOR: Dialects = Dialects::OPERATOR;

pub(super) static PROFILE: [Field; 13] = [
    required("defaultAction", Shape::String, ALL),
    field("defaultErrnoRet", Shape::Number, FILES),
    field("defaultErrno", Shape::String, Dialects::PODMAN),
    field("architectures", Shape::Strings, ALL),
    field("archMap", Shape::Objects, ENGINES),
    field("flags", Shape::Strings, ALL),
    field("syscalls", Shape::Objects, ALL),
    field("listenerPath", Shape::String, ALL),
    field("listenerMetadata", Shape::String, ALL),
    field("baseProfileName", Shape::String, OPERATOR),
    field("state", Shape::String, OPERATOR),
    field("disabled", Shape::Bool, OPERATOR),
    field("targetWorkload", Shape::String, OPERATOR),
];

pub(super) static ARCH_MAP_ENTRY: [Field; 2] = [
    required("architecture", Shape::String, ENGINES),
    field("subArchitectures", Shape::Strings, ENGINES),
];

pub(super) static RULE_ENTRY: [Field; 9] = [
    field("names", Shape::Strings, ALL),
    field("name", Shape::String, ENGINES),
    required("action", Shape::String, ALL),
    field("errnoRet", Shape::Number, ALL),
    field("errno", Shape::String, Dialects::PODMAN),
    field("args", Shape::Objects, ALL),
    field("includes", Shape::Object, ENGINES),
    field("excludes", Shape::Object, ENGINES),
    field("comment", Shape::String, ENGINES),
];

pub(super) static CONDITION: [Field; 4] = [
    required("index", Shape::Number, ALL),
    // The operator writes it, and leaves it out where it is 0.
    required("value", Shape::Number, FILES),
    field("valueTwo", Shape::Number, ALL),
    required("op", Shape::String, ALL),
];

pub(super) static FILTER: [Field; 3] = [
    field("caps", Shape::Strings, ENGINES),
    field("arches", Shape::Strings, ENGINES),
    field("minKernel", Shape::String, Dialects::DOCKER),
];

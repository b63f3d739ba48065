//! How a profile is read.

use super::fields::{
    ARCH_MAP_ENTRY, CONDITION, ENGINES, FILTER, Field, PROFILE, RULE_ENTRY, Shape,
};
use super::{
    ArchMapEntry, Comparison, Condition, Dialects, Digits, Effect, Filter, Mistake, Profile,
    RuleEntry, Spanned, Text, every,
};
use crate::text::{Kind, Node};

/// Reads the profile that `node` is.
pub(super) fn read(node: Node<'_>, forced: Option<Dialects>) -> Profile<'_> {
    Reader {
        possible: forced.unwrap_or(Dialects::FILES),
        is_forced: forced.is_some(),
        mistakes: Vec::new(),
        foreign: Vec::new(),
    }
    .profile(node)
}

/// Whether an object is a disabled profile and nothing else: every key is that
/// of a field of a profile.
pub(super) fn is_blank(object: Node<'_>) -> bool {
    let is_field = |key: &str| PROFILE.iter().any(|field| field.name == key);
    let mut keys = object.members().map(|(key, _)| key.as_str());
    is_disabled(object) && keys.all(|key| key.is_some_and(is_field))
}

/// Whether a profile has neither a default action nor a rule entry, as Go reads
/// it: in any case of letters, and null being the same as nothing.
fn is_disabled(node: Node<'_>) -> bool {
    node.members().all(|(key, value)| {
        let is = |name: &str| {
            key.as_str()
                .is_some_and(|key| key.eq_ignore_ascii_case(name))
        };
        if is("defaultAction") {
            value.is_null() || value.as_str() == Some("")
        } else if is("syscalls") {
            let is_empty = *value.kind() == Kind::Array && value.elements().next().is_none();
            value.is_null() || is_empty
        } else {
            true
        }
    })
}

/// Whether an object has a key that is `name` but for the case of its letters.
fn has_in_other_case(object: Node<'_>, name: &str) -> bool {
    object.members().any(|(key, _)| {
        key.as_str()
            .is_some_and(|key| key != name && key.eq_ignore_ascii_case(name))
    })
}

/// A key given twice above the section can hide the section that is linted.
pub(super) fn find_duplicates_on_the_way<'d>(root: Node<'d>, profile: &mut Profile<'d>) {
    let objects = std::iter::once((root, "linux"));
    for (object, key) in objects.chain(every(root, "linux").map(|linux| (linux, "seccomp"))) {
        let mut keys = object.members().map(|(name, _)| name);
        let first = keys.find(|name| name.as_str() == Some(key));
        let again = keys.find(|name| name.as_str() == Some(key));
        if let (Some(first), Some(again)) = (first, again) {
            profile
                .mistakes
                .push(Mistake::DuplicateKey { first, again });
        }
    }
}

struct Reader<'d> {
    possible: Dialects,
    is_forced: bool,
    mistakes: Vec<Mistake<'d>>,
    foreign: Vec<Foreign<'d>>,
}

/// A field that only some dialects know. Whether it is unknown can be told when
/// all of the profile has been seen.
struct Foreign<'d> {
    key: Node<'d>,
    dialects: Dialects,
    object: &'static str,
    known: &'static [Field],
}

impl<'d> Reader<'d> {
    fn profile(mut self, node: Node<'d>) -> Profile<'d> {
        let [
            default_action,
            default_errno_ret,
            default_errno,
            architectures,
            arch_map,
            flags,
            _syscalls,
            listener_path,
            listener_metadata,
            ..,
        ] = self.members(node, "the profile", &PROFILE);
        let arch_map = elements(arch_map)
            .map(|entry| self.arch_map_entry(entry))
            .collect();
        // Each array of a key that was given twice: whichever is read, its
        // mistakes are there.
        let lists = node
            .members()
            .filter(|(key, _)| key.as_str() == Some("syscalls"));
        let objects = (0..)
            .zip(lists)
            .flat_map(|(number, (_, list))| list.elements().map(move |entry| (number, entry)))
            .filter(|(_, entry)| entry.is_object());
        let mut entries = Vec::with_capacity(objects.clone().count());
        entries.extend(objects.map(|(list, entry)| self.rule_entry(list, entry)));
        let mut foreign = Vec::with_capacity(self.foreign.len());
        for seen in self.foreign {
            if !seen.dialects.contains(Dialects::OCI) {
                foreign.push(seen.key);
            }
            if (self.possible & seen.dialects).is_empty() {
                self.mistakes.push(Mistake::UnknownField {
                    key: seen.key,
                    object: seen.object,
                    known: seen.known,
                });
            }
        }
        // The API server wants a default action.
        let is_disabled = self.possible != Dialects::OPERATOR && is_disabled(node);
        if is_disabled {
            // That there is no default action is then all that there is to say.
            self.mistakes.retain(|mistake| match mistake {
                Mistake::MissingField { object, .. } => *object != node,
                Mistake::WrongType { field, .. } => *field != "defaultAction",
                _ => true,
            });
        }
        Profile {
            node,
            dialects: self.possible,
            default_action: text(default_action),
            default_errno_ret: digits(default_errno_ret),
            default_effect: Effect::of(text(default_action), digits(default_errno_ret)),
            default_errno: text(default_errno),
            architectures: texts(architectures),
            arch_map,
            flags: flags
                .filter(|flags| !flags.is_null())
                .map(|flags| texts(Some(flags))),
            listener_path: text(listener_path),
            listener_metadata: text(listener_metadata),
            entries,
            foreign,
            mistakes: self.mistakes,
            is_disabled,
        }
    }

    fn arch_map_entry(&mut self, node: Node<'d>) -> ArchMapEntry<'d> {
        let [architecture, sub_architectures] =
            self.members(node, "an archMap entry", &ARCH_MAP_ENTRY);
        ArchMapEntry {
            architecture: text(architecture),
            sub_architectures: texts(sub_architectures),
        }
    }

    fn rule_entry(&mut self, list: u32, node: Node<'d>) -> RuleEntry<'d> {
        const WHAT: &str = "a rule entry";
        let [
            names,
            name,
            action,
            errno_ret,
            errno,
            args,
            includes,
            excludes,
            comment,
        ] = self.members(node, WHAT, &RULE_ENTRY);
        let has = |field| has_in_other_case(node, field);
        let has_name = name.is_some() || (names.is_none() && has("name"));
        let knows_name = !(self.possible & ENGINES).is_empty();
        if names.is_none() && !(has_name && knows_name) && !has("names") {
            self.mistakes.push(Mistake::MissingField {
                object: node,
                what: WHAT,
                field: "names",
            });
        }
        let mut all_names = Vec::new();
        for names in every(node, "names") {
            extend(&mut all_names, names);
        }
        all_names.extend(text(name).filter(|name| knows_name && !name.value.is_empty()));
        RuleEntry {
            node,
            list,
            names_node: names,
            name: text(name),
            names: all_names,
            action: text(action),
            errno_ret: digits(errno_ret),
            effect: Effect::of(text(action), digits(errno_ret)),
            errno: text(errno),
            args: elements(args).map(|arg| self.condition(arg)).collect(),
            includes: self.filter(includes),
            excludes: self.filter(excludes),
            comment: text(comment),
        }
    }

    fn filter(&mut self, node: Option<Node<'d>>) -> Option<Filter<'d>> {
        let node = node.filter(|node| node.is_object())?;
        let [caps, arches, min_kernel] = self.members(node, "a filter", &FILTER);
        Some(Filter {
            node,
            caps: texts(caps),
            arches: texts(arches),
            min_kernel: text(min_kernel),
        })
    }

    fn condition(&mut self, node: Node<'d>) -> Condition<'d> {
        let [index, value, value_two, op] = self.members(node, "a condition", &CONDITION);
        let mut condition = Condition {
            node,
            index: digits(index),
            value: digits(value),
            value_two: digits(value_two),
            op: text(op),
            comparison: None,
        };
        let absent = (self.possible == Dialects::OPERATOR).then_some(0);
        condition.comparison = Comparison::read(&condition, absent);
        condition
    }

    /// The values of an object's fields, in the order of `fields`; of a key that
    /// is given twice the last, as Go takes it. All that is wrong with the
    /// object's own members becomes a mistake.
    fn members<const N: usize>(
        &mut self,
        object: Node<'d>,
        what: &'static str,
        fields: &'static [Field; N],
    ) -> [Option<Node<'d>>; N] {
        let mut values = [None; N];
        let mut keys: [Option<Node<'d>>; N] = [None; N];
        let mut unknown: Vec<Node<'d>> = Vec::new();
        for (key, value) in object.members() {
            let Some(name) = key.as_str() else { continue };
            let slot = fields.iter().position(|field| field.name == name);
            let Some((slot, field)) = slot.and_then(|slot| Some((slot, fields.get(slot)?))) else {
                unknown.push(key);
                continue;
            };
            self.saw(field, key, what, fields);
            self.check_type(field, value);
            if let Some(first) = keys[slot].replace(key) {
                let again = key;
                self.mistakes.push(Mistake::DuplicateKey { first, again });
            }
            values[slot] = Some(value);
        }
        for (field, value) in fields.iter().zip(&values) {
            let is_required = field.required.contains(self.possible);
            if is_required && value.is_none() && !has_in_other_case(object, field.name) {
                self.mistakes.push(Mistake::MissingField {
                    object,
                    what,
                    field: field.name,
                });
            }
        }
        self.check_unknown(&keys, unknown, what, fields);
        values
    }

    /// Narrows the dialects by a field that only some of them know.
    fn saw(
        &mut self,
        field: &'static Field,
        key: Node<'d>,
        object: &'static str,
        known: &'static [Field],
    ) {
        if field.dialects == Dialects::ALL {
            return;
        }
        let left = self.possible & field.dialects;
        if !left.is_empty() && !self.is_forced {
            self.possible = left;
        }
        let dialects = field.dialects;
        self.foreign.push(Foreign {
            key,
            dialects,
            object,
            known,
        });
    }

    fn check_type(&mut self, field: &'static Field, value: Node<'d>) {
        let wrong = |node: Node<'d>, shape: Shape| Mistake::WrongType {
            node,
            field: field.name,
            expected: shape.describe(),
            is_element: node != value,
        };
        match value.kind() {
            Kind::Broken => {}
            Kind::Null if field.required.is_empty() && field.name != "names" => {}
            kind if !field.shape.fits(kind) => self.mistakes.push(wrong(value, field.shape)),
            _ => {
                if let Some(shape) = field.shape.element() {
                    let misfits = value.elements().filter(|element| {
                        *element.kind() != Kind::Broken && !shape.fits(element.kind())
                    });
                    self.mistakes
                        .extend(misfits.map(|element| wrong(element, shape)));
                }
            }
        }
    }

    fn check_unknown(
        &mut self,
        keys: &[Option<Node<'d>>],
        unknown: Vec<Node<'d>>,
        object: &'static str,
        known: &'static [Field],
    ) {
        if unknown.is_empty() {
            return;
        }
        // Go ignores case, the API server does not.
        let ignores_case = self.possible != Dialects::OPERATOR;
        let folded = |key: Node<'d>| match key.as_str().unwrap_or_default() {
            key if ignores_case => key.to_ascii_lowercase(),
            key => key.to_owned(),
        };
        let mut seen: std::collections::HashMap<String, Node<'d>> = (keys.iter().flatten())
            .map(|&key| (folded(key), key))
            .collect();
        for key in unknown {
            match seen.entry(folded(key)) {
                std::collections::hash_map::Entry::Occupied(first) => {
                    let (first, again) = (*first.get(), key);
                    self.mistakes.push(Mistake::DuplicateKey { first, again });
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(key);
                    self.mistakes
                        .push(Mistake::UnknownField { key, object, known });
                }
            }
        }
    }
}

fn text(node: Option<Node<'_>>) -> Option<Text<'_>> {
    let node = node?;
    let value = node.as_str()?;
    Some(Spanned { value, node })
}

fn digits(node: Option<Node<'_>>) -> Option<Digits<'_>> {
    let node = node?;
    let value = node.as_number()?;
    Some(Spanned { value, node })
}

fn texts(node: Option<Node<'_>>) -> Vec<Text<'_>> {
    let mut texts = Vec::new();
    if let Some(node) = node {
        extend(&mut texts, node);
    }
    texts
}

/// Adds the strings of an array.
fn extend<'d>(texts: &mut Vec<Text<'d>>, array: Node<'d>) {
    texts.reserve(array.descendants());
    texts.extend(array.elements().filter_map(|element| text(Some(element))));
}

fn elements(node: Option<Node<'_>>) -> impl Iterator<Item = Node<'_>> {
    let elements = node.into_iter().flat_map(Node::elements);
    elements.filter(|element| element.is_object())
}

//! What is decided for all calls at once: decision diagrams.
//!
//! A diagram is a graph that asks for one bit of a call after the other, always in the same order,
//! and ends at a [`Leaf`]. All diagrams of a [`Diagrams`] share their nodes, and no two nodes are
//! alike, so two diagrams decide alike for every call if and only if they are the same [`Diagram`].
//!
//! Source: R. Bryant, Graph-Based Algorithms for Boolean Function Manipulation, 1986; with more
//! leaves than two.

mod map;
mod ranges;
mod ways;

pub use ranges::Ranges;
pub use ways::Way;

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet};

use map::Map;

use super::evaluate::{Call, Verdict};
use super::instruction::{Field, Test};

/// A diagram of a [`Diagrams`]. Equal ones decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Diagram(u32);

impl Diagram {
    /// The set that no call is in.
    pub const NONE: Self = Self(Self::IS_LEAF);
    /// The set that every call is in.
    pub const ALL: Self = Self(Self::IS_LEAF | 1);

    /// Set in what is the index of a leaf rather than that of a node.
    const IS_LEAF: u32 = 1 << 31;

    /// The diagram of a set with every call or none.
    const fn constant(is_in: bool) -> Self {
        if is_in { Self::ALL } else { Self::NONE }
    }
}

/// What is decided for a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// Of a set of calls: the call is not in it.
    Outside,
    /// It is.
    Inside,
    /// This.
    Verdict(Verdict),
    /// One of these, in their order, and nothing that is known here says which.
    OneOf(Vec<Verdict>),
}

impl Leaf {
    /// What is decided; `None` if that is not known.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Verdict(verdict) => Some(*verdict),
            _ => None,
        }
    }
}

/// The diagrams have more nodes than are worth their while. libseccomp's largest filters need a
/// tenth of that; programs can be written that need all memory there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deciding it for all calls takes too much memory")]
pub struct TooLarge;

/// A question for a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    variable: u16,
    /// Where it goes on if the bit is set.
    set: Diagram,
    /// Where it goes on if it is not.
    clear: Diagram,
}

/// The words of a call, in the order in which they are asked for: their highest bit first.
const WORDS: [Field; 16] = [
    Field::Architecture,
    Field::Number,
    Field::ArgumentHigh(0),
    Field::ArgumentLow(0),
    Field::ArgumentHigh(1),
    Field::ArgumentLow(1),
    Field::ArgumentHigh(2),
    Field::ArgumentLow(2),
    Field::ArgumentHigh(3),
    Field::ArgumentLow(3),
    Field::ArgumentHigh(4),
    Field::ArgumentLow(4),
    Field::ArgumentHigh(5),
    Field::ArgumentLow(5),
    Field::PointerHigh,
    Field::PointerLow,
];

const BITS: u16 = u32::BITS as u16;

/// The variable after the last one.
const END: u16 = WORDS.len() as u16 * BITS;

/// The place of a word in [`WORDS`].
pub(super) const fn place(field: Field) -> u16 {
    match field {
        Field::Architecture => 0,
        Field::Number => 1,
        Field::ArgumentHigh(index) => 2 + 2 * index as u16,
        Field::ArgumentLow(index) => 3 + 2 * index as u16,
        Field::PointerHigh => 14,
        Field::PointerLow => 15,
    }
}

/// A bit of a word, or its opposite, or neither.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bit {
    /// Always the same.
    Constant(bool),
    /// A bit of a word of the call, counted from the lowest.
    Of {
        /// The word.
        field: Field,
        /// The bit.
        bit: u32,
        /// Whether it is the opposite.
        is_opposite: bool,
    },
}

/// Diagrams that share their nodes.
#[derive(Debug)]
pub struct Diagrams {
    nodes: Vec<Node>,
    by_node: Map<Node, Diagram>,
    leaves: Vec<Leaf>,
    by_leaf: HashMap<Leaf, Diagram>,
    chosen: Map<[Diagram; 3], Diagram>,
    /// What was looked at to make nodes.
    steps: usize,
}

impl Default for Diagrams {
    fn default() -> Self {
        let leaves = vec![Leaf::Outside, Leaf::Inside];
        let ids = [Diagram::NONE, Diagram::ALL];
        Self {
            nodes: Vec::new(),
            by_node: Map::default(),
            by_leaf: leaves.iter().cloned().zip(ids).collect(),
            leaves,
            chosen: Map::default(),
            steps: 0,
        }
    }
}

impl Diagrams {
    /// The most nodes, and the most steps to make them.
    const LIMIT: usize = 1 << 20;

    /// The diagram that decides the same for all calls.
    pub fn leaf(&mut self, leaf: Leaf) -> Diagram {
        if let Some(&known) = self.by_leaf.get(&leaf) {
            return known;
        }
        let diagram = Diagram(self.leaves.len() as u32 | Diagram::IS_LEAF);
        self.leaves.push(leaf.clone());
        self.by_leaf.insert(leaf, diagram);
        diagram
    }

    /// What a diagram decides, if it is the same for all calls.
    fn leaf_of(&self, diagram: Diagram) -> Option<&Leaf> {
        let index = diagram.0.checked_sub(Diagram::IS_LEAF)?;
        self.leaves.get(index as usize)
    }

    fn node_of(&self, diagram: Diagram) -> Option<Node> {
        self.nodes.get(diagram.0 as usize).copied()
    }

    fn variable(&self, diagram: Diagram) -> u16 {
        self.node_of(diagram).map_or(END, |node| node.variable)
    }

    /// What follows if a bit is set, and if it is not. The diagram asks for no bit before it.
    fn split(&self, diagram: Diagram, variable: u16) -> [Diagram; 2] {
        match self.node_of(diagram) {
            Some(node) if node.variable == variable => [node.set, node.clear],
            _ => [diagram, diagram],
        }
    }

    fn node(&mut self, variable: u16, set: Diagram, clear: Diagram) -> Result<Diagram, TooLarge> {
        if set == clear {
            return Ok(set);
        }
        let node = Node {
            variable,
            set,
            clear,
        };
        let next = self.nodes.len();
        match self.by_node.entry(node) {
            Occupied(known) => Ok(*known.get()),
            Vacant(_) if next >= Self::LIMIT => Err(TooLarge),
            Vacant(place) => {
                self.nodes.push(node);
                Ok(*place.insert(Diagram(next as u32)))
            }
        }
    }

    /// The diagram that decides as `inside` for the calls in a set, and as `outside` for others.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn choose(
        &mut self,
        set: Diagram,
        inside: Diagram,
        outside: Diagram,
    ) -> Result<Diagram, TooLarge> {
        match set {
            Diagram::ALL => return Ok(inside),
            Diagram::NONE => return Ok(outside),
            _ if inside == outside => return Ok(inside),
            _ if inside == Diagram::ALL && outside == Diagram::NONE => return Ok(set),
            _ => {}
        }
        let key = [set, inside, outside];
        let variables = key.map(|it| self.variable(it));
        let variable = variables.into_iter().min().unwrap_or(END);
        let [s, i, o] = key.map(|it| self.split(it, variable));
        // A test of a word is one way through its bits, and what leaves it is settled at once.
        // Nothing of that is asked for again, so that it need not be kept.
        let is_one_way = s[0] != s[1] && s.iter().any(|&it| self.leaf_of(it).is_some());
        if !is_one_way && let Some(&known) = self.chosen.get(&key) {
            return Ok(known);
        }
        self.step()?;
        let if_set = self.choose(s[0], i[0], o[0])?;
        let if_clear = self.choose(s[1], i[1], o[1])?;
        let diagram = self.node(variable, if_set, if_clear)?;
        if !is_one_way {
            self.chosen.insert(key, diagram);
        }
        Ok(diagram)
    }

    /// Counts a step.
    fn step(&mut self) -> Result<(), TooLarge> {
        self.steps += 1;
        if self.steps > Self::LIMIT {
            return Err(TooLarge);
        }
        Ok(())
    }

    /// The calls that are in both sets.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn both(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, TooLarge> {
        self.choose(one, other, Diagram::NONE)
    }

    /// The calls that are in either set.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn either(&mut self, one: Diagram, other: Diagram) -> Result<Diagram, TooLarge> {
        self.choose(one, Diagram::ALL, other)
    }

    /// The calls for which a test of a word holds: of the word's bits, from the lowest, which are
    /// constants or bits of one word of the call in its order.
    pub(super) fn test(
        &mut self,
        bits: [Bit; 32],
        test: Test,
        constant: u32,
    ) -> Result<Diagram, TooLarge> {
        let mut set = Diagram::constant(matches!(test, Test::Equal | Test::GreaterOrEqual));
        for (power, bit) in bits.into_iter().enumerate() {
            let [one, zero] = match (test, constant >> power & 1 == 1) {
                (Test::Equal | Test::Greater | Test::GreaterOrEqual, true) => [set, Diagram::NONE],
                (Test::Equal, false) => [Diagram::NONE, set],
                (Test::AnyBit, false) => continue,
                (Test::AnyBit, true) | (Test::Greater | Test::GreaterOrEqual, false) => {
                    [Diagram::ALL, set]
                }
            };
            set = match bit {
                Bit::Constant(true) => one,
                Bit::Constant(false) => zero,
                Bit::Of {
                    field,
                    bit,
                    is_opposite,
                } => {
                    let variable = (place(field) + 1) * BITS - 1 - bit as u16;
                    let [if_set, if_clear] = if is_opposite {
                        [zero, one]
                    } else {
                        [one, zero]
                    };
                    self.node(variable, if_set, if_clear)?
                }
            };
        }
        Ok(set)
    }

    /// The calls for which a test of a word, or of the bits of it that are in a mask, holds.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn calls(
        &mut self,
        field: Field,
        mask: u32,
        test: Test,
        constant: u32,
    ) -> Result<Diagram, TooLarge> {
        let bits = std::array::from_fn(|bit| match mask >> bit & 1 {
            0 => Bit::Constant(false),
            _ => Bit::Of {
                field,
                bit: bit as u32,
                is_opposite: false,
            },
        });
        self.test(bits, test, constant)
    }

    /// The diagram that decides what two together do.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn combine(
        &mut self,
        left: Diagram,
        right: Diagram,
        by: impl Fn(&Leaf, &Leaf) -> Leaf,
    ) -> Result<Diagram, TooLarge> {
        self.combined(left, right, &by, &mut Map::default())
    }

    fn combined(
        &mut self,
        left: Diagram,
        right: Diagram,
        by: &impl Fn(&Leaf, &Leaf) -> Leaf,
        known: &mut Map<[Diagram; 2], Diagram>,
    ) -> Result<Diagram, TooLarge> {
        if let (Some(one), Some(other)) = (self.leaf_of(left), self.leaf_of(right)) {
            let leaf = by(one, other);
            return Ok(self.leaf(leaf));
        }
        let key = [left, right];
        if let Some(&known) = known.get(&key) {
            return Ok(known);
        }
        self.step()?;
        let variable = self.variable(left).min(self.variable(right));
        let [l, r] = key.map(|it| self.split(it, variable));
        let if_set = self.combined(l[0], r[0], by, known)?;
        let if_clear = self.combined(l[1], r[1], by, known)?;
        let diagram = self.node(variable, if_set, if_clear)?;
        known.insert(key, diagram);
        Ok(diagram)
    }

    /// The calls for which two diagrams decide differently, in a way that `counts`.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn differing(
        &mut self,
        left: Diagram,
        right: Diagram,
        counts: impl Fn(&Leaf, &Leaf) -> bool,
    ) -> Result<Diagram, TooLarge> {
        self.combine(left, right, |one, other| {
            if one != other && counts(one, other) {
                Leaf::Inside
            } else {
                Leaf::Outside
            }
        })
    }

    /// What is decided for a call.
    #[must_use]
    pub fn decide(&self, mut diagram: Diagram, call: &Call) -> &Leaf {
        while let Some(node) = self.node_of(diagram) {
            let word = call.field(WORDS[usize::from(node.variable / BITS)]);
            diagram = follow(node, word);
        }
        self.leaf_of(diagram).unwrap_or(&Leaf::Outside)
    }

    /// All that a diagram may decide, each once.
    #[must_use]
    pub fn leaves(&self, diagram: Diagram) -> Vec<&Leaf> {
        let mut pending = vec![diagram];
        let mut seen: HashSet<_> = HashSet::from([diagram]);
        let mut found = Vec::new();
        while let Some(next) = pending.pop() {
            found.extend(self.leaf_of(next));
            let targets = self.node_of(next).map(|node| [node.set, node.clear]);
            let targets = targets.into_iter().flatten();
            pending.extend(targets.filter(|&target| seen.insert(target)));
        }
        found
    }

    /// The first call of a set: the words in their order are as small as can be.
    #[must_use]
    pub fn first(&self, mut set: Diagram) -> Option<Call> {
        let mut words = [0_u32; WORDS.len()];
        while let Some(node) = self.node_of(set) {
            // Each node leads to both leaves.
            let is_set = node.clear == Diagram::NONE;
            let word = &mut words[usize::from(node.variable / BITS)];
            *word |= u32::from(is_set) << (BITS - 1 - node.variable % BITS);
            set = if is_set { node.set } else { node.clear };
        }
        let [architecture, number, halves @ ..] = words;
        let (halves, _) = halves.as_chunks::<2>();
        let whole = |[high, low]: [u32; 2]| u64::from(high) << u32::BITS | u64::from(low);
        let [first @ .., pointer] = halves else {
            return None;
        };
        let mut arguments = [0; 6];
        for (argument, &halves) in arguments.iter_mut().zip(first) {
            *argument = whole(halves);
        }
        (set == Diagram::ALL).then(|| Call {
            number,
            architecture,
            instruction_pointer: whole(*pointer),
            arguments,
        })
    }
}

/// Where a node goes on, whose word has this value.
const fn follow(node: Node, word: u32) -> Diagram {
    let bit = BITS - 1 - node.variable % BITS;
    if word >> bit & 1 == 1 {
        node.set
    } else {
        node.clear
    }
}

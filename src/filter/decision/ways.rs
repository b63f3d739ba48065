//! What a set of calls asks for, in a form that can be put into words.

use super::{BITS, Diagram, Diagrams, Leaf, TooLarge, WORDS, place};
use crate::filter::Field;
use crate::filter::decision::map::Map;

/// Calls that have certain bits alike; a set is made of such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// By word, which bits are asked for, and what they are.
    words: [(u32, u32); WORDS.len()],
}

impl Way {
    /// Which bits of an argument are asked for, and what they are.
    #[must_use]
    pub fn argument(&self, index: u8) -> (u64, u64) {
        let word = |field| self.words[usize::from(place(field))];
        let (high_mask, high) = word(Field::ArgumentHigh(index));
        let (low_mask, low) = word(Field::ArgumentLow(index));
        let whole = |high, low| u64::from(high) << u32::BITS | u64::from(low);
        (whole(high_mask, low_mask), whole(high, low))
    }

    /// Whether something other than arguments is asked for.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        let fields = [
            Field::Architecture,
            Field::Number,
            Field::PointerHigh,
            Field::PointerLow,
        ];
        let mut places = fields.into_iter().map(|field| usize::from(place(field)));
        places.any(|place| self.words[place].0 != 0)
    }
}

impl Diagrams {
    /// The parts of a set, in ascending order, of which no two have a call in common; `None` if
    /// they are more than `most`.
    #[must_use]
    pub fn ways(&self, set: Diagram, most: usize) -> Option<Vec<Way>> {
        let mut ways = Vec::new();
        let mut pending = vec![(
            set,
            Way {
                words: [(0, 0); WORDS.len()],
            },
        )];
        while let Some((diagram, way)) = pending.pop() {
            match self.node_of(diagram) {
                Some(node) => {
                    let word = usize::from(node.variable / BITS);
                    let bit = 1 << (BITS - 1 - node.variable % BITS);
                    let (mut set, mut clear) = (way, way);
                    set.words[word].0 |= bit;
                    set.words[word].1 |= bit;
                    clear.words[word].0 |= bit;
                    pending.push((node.set, set));
                    pending.push((node.clear, clear));
                }
                None if diagram == Diagram::NONE => {}
                None if ways.len() == most => return None,
                None => ways.push(way),
            }
        }
        Some(ways)
    }

    /// The calls for which this is decided.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn decided_so(&mut self, diagram: Diagram, leaf: &Leaf) -> Result<Diagram, TooLarge> {
        self.combine(diagram, Diagram::NONE, |one, _| {
            if one == leaf {
                Leaf::Inside
            } else {
                Leaf::Outside
            }
        })
    }

    /// What is decided for calls with this argument; it is asked for no more.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn with_argument(
        &mut self,
        diagram: Diagram,
        index: u8,
        value: u64,
    ) -> Result<Diagram, TooLarge> {
        let high = Field::ArgumentHigh(index);
        let diagram = self.fixed(
            diagram,
            high,
            (value >> u32::BITS) as u32,
            &mut Map::default(),
        )?;
        let low = Field::ArgumentLow(index);
        self.fixed(diagram, low, value as u32, &mut Map::default())
    }

    fn fixed(
        &mut self,
        diagram: Diagram,
        field: Field,
        value: u32,
        known: &mut Map<[Diagram; 2], Diagram>,
    ) -> Result<Diagram, TooLarge> {
        let Some(node) = self.node_of(diagram) else {
            return Ok(diagram);
        };
        if node.variable / BITS > place(field) {
            return Ok(diagram);
        }
        if let Some(&known) = known.get(&[diagram, diagram]) {
            return Ok(known);
        }
        let made = if node.variable / BITS == place(field) {
            let next = super::follow(node, value);
            self.fixed(next, field, value, known)?
        } else {
            let set = self.fixed(node.set, field, value, known)?;
            let clear = self.fixed(node.clear, field, value, known)?;
            self.node(node.variable, set, clear)?
        };
        known.insert([diagram, diagram], made);
        Ok(made)
    }
}

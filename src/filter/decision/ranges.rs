//! The architectures and numbers that a diagram tells apart, and diagrams made of them.

use std::ops::RangeInclusive;

use super::{BITS, Diagram, Diagrams, TooLarge, follow, place};
use crate::filter::Field;

impl Diagrams {
    /// The diagram that decides by a word: as each of these from its value up to that of the next.
    /// The values rise, from 0 on, and none of the diagrams asks for the word, or one before it.
    ///
    /// # Errors
    /// If there are too many nodes.
    pub fn by_ranges(
        &mut self,
        field: Field,
        ranges: &[(u32, Diagram)],
    ) -> Result<Diagram, TooLarge> {
        self.by_bits(place(field) * BITS, u32::BITS, 0, ranges)
    }

    /// The same for the values that have all but their lowest `bits` from the first one of all.
    fn by_bits(
        &mut self,
        variable: u16,
        bits: u32,
        first: u32,
        ranges: &[(u32, Diagram)],
    ) -> Result<Diagram, TooLarge> {
        let bits = match ranges {
            [] => return Ok(Diagram::NONE),
            [(_, only)] => return Ok(*only),
            _ => bits.saturating_sub(1),
        };
        let middle = first | 1 << bits;
        let above = ranges.partition_point(|&(value, _)| value < middle);
        let begins = ranges.get(above).is_some_and(|&(value, _)| value == middle);
        let from = if begins {
            above
        } else {
            above.saturating_sub(1)
        };
        let if_set = self.by_bits(variable + 1, bits, middle, &ranges[from..])?;
        let if_clear = self.by_bits(variable + 1, bits, first, &ranges[..above])?;
        self.node(variable, if_set, if_clear)
    }

    /// What is decided for an architecture, by its `AUDIT_ARCH_*` value.
    #[must_use]
    pub fn architecture(&self, diagram: Diagram, architecture: u32) -> Diagram {
        self.with(diagram, Field::Architecture, architecture)
    }

    /// What is decided for a number, of what is decided for an architecture.
    #[must_use]
    pub fn number(&self, diagram: Diagram, number: u32) -> Diagram {
        self.with(diagram, Field::Number, number)
    }

    /// What is decided for a value of a word, where no word before it is asked for any more.
    fn with(&self, mut diagram: Diagram, field: Field, value: u32) -> Diagram {
        while let Some(node) = self.node_of(diagram) {
            if node.variable / BITS > place(field) {
                break;
            }
            diagram = follow(node, value);
        }
        diagram
    }

    /// The numbers in ascending order, and what is decided for each range of them, of what is
    /// decided for an architecture. There may be as many ranges as there are numbers.
    #[must_use]
    pub fn numbers(&self, diagram: Diagram) -> Ranges<'_> {
        self.ranges(diagram, Field::Number)
    }

    /// The architectures likewise, by their `AUDIT_ARCH_*` values.
    #[must_use]
    pub fn architectures(&self, diagram: Diagram) -> Ranges<'_> {
        self.ranges(diagram, Field::Architecture)
    }

    fn ranges(&self, diagram: Diagram, field: Field) -> Ranges<'_> {
        Ranges {
            diagrams: self,
            diagram,
            field,
            next: Some(0),
        }
    }
}

/// The values of a word in ascending order, and what is decided for them: see
/// [`Diagrams::numbers`]. Neighbouring ranges decide differently.
#[derive(Clone, Debug)]
pub struct Ranges<'d> {
    diagrams: &'d Diagrams,
    diagram: Diagram,
    field: Field,
    next: Option<u32>,
}

impl Ranges<'_> {
    /// What is decided for a value, and the last one after it that is on the same way.
    fn at(&self, value: u32) -> (Diagram, u32) {
        let mut diagram = self.diagram;
        let mut untested = u32::MAX;
        while let Some(node) = self.diagrams.node_of(diagram) {
            if node.variable / BITS > place(self.field) {
                break;
            }
            untested = (1 << (BITS - 1 - node.variable % BITS)) - 1;
            diagram = follow(node, value);
        }
        (diagram, value | untested)
    }
}

impl Iterator for Ranges<'_> {
    type Item = (RangeInclusive<u32>, Diagram);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.next?;
        let (diagram, mut last) = self.at(first);
        loop {
            self.next = last.checked_add(1);
            match self.next.map(|next| self.at(next)) {
                Some((same, end)) if same == diagram => last = end,
                _ => return Some((first..=last, diagram)),
            }
        }
    }
}

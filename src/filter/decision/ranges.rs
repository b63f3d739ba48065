//! The architectures and numbers that a diagram tells apart.

use std::ops::RangeInclusive;

use super::{BITS, Diagram, Diagrams, follow, place};
use crate::filter::Field;

impl Diagrams {
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

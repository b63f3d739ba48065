//! The calls for which conditions hold.

use crate::filter::{Diagram, Diagrams, Field, Test, TooLarge};
use crate::profile::{Comparison, Operator};

/// Whether libseccomp takes a condition for none: no bit is compared.
pub(super) fn is_void(comparison: &Comparison) -> bool {
    comparison.operator == Operator::MaskedEqual && comparison.value == 0
}

/// The calls for which all of a rule's conditions hold, on an architecture of 32 or 64 `bits`,
/// whatever call it is.
///
/// # Errors
/// If there are too many nodes.
pub fn calls_of(
    comparisons: &[Comparison],
    bits: u8,
    diagrams: &mut Diagrams,
) -> Result<Diagram, TooLarge> {
    let mut all = Diagram::ALL;
    for &comparison in comparisons {
        let calls = calls_of_one(comparison.truncated(bits), bits, diagrams)?;
        all = diagrams.both(all, calls)?;
    }
    Ok(all)
}

fn calls_of_one(
    comparison: Comparison,
    bits: u8,
    diagrams: &mut Diagrams,
) -> Result<Diagram, TooLarge> {
    // There are six arguments: libseccomp refuses a rule about another one.
    let index = u8::try_from(comparison.index).ok().filter(|it| *it < 6);
    let Some(index) = index else {
        return Ok(Diagram::NONE);
    };
    let is_wide = bits == 64;
    let [high, low] = halves(comparison.value);
    let [value_high, value_low] = halves(comparison.value & comparison.value_two);
    let (test, is_opposite) = match comparison.operator {
        Operator::Equal => (Test::Equal, false),
        Operator::NotEqual => (Test::Equal, true),
        Operator::GreaterOrEqual => (Test::GreaterOrEqual, false),
        Operator::Less => (Test::GreaterOrEqual, true),
        Operator::Greater => (Test::Greater, false),
        Operator::LessOrEqual => (Test::Greater, true),
        Operator::MaskedEqual => {
            let of_low = Field::ArgumentLow(index);
            let set = diagrams.calls(of_low, low, Test::Equal, value_low)?;
            if !is_wide {
                return Ok(set);
            }
            let of_high = Field::ArgumentHigh(index);
            let of_high = diagrams.calls(of_high, high, Test::Equal, value_high)?;
            return diagrams.both(of_high, set);
        }
    };
    let mut set = diagrams.calls(Field::ArgumentLow(index), u32::MAX, test, low)?;
    if is_wide {
        let field = Field::ArgumentHigh(index);
        let same = diagrams.calls(field, u32::MAX, Test::Equal, high)?;
        let otherwise = match test {
            Test::Equal => Diagram::NONE,
            _ => diagrams.calls(field, u32::MAX, Test::Greater, high)?,
        };
        set = diagrams.choose(same, set, otherwise)?;
    }
    if is_opposite {
        set = diagrams.choose(set, Diagram::NONE, Diagram::ALL)?;
    }
    Ok(set)
}

const fn halves(value: u64) -> [u32; 2] {
    [(value >> u32::BITS) as u32, value as u32]
}

#[cfg(test)]
mod tests {
    use super::calls_of;
    use crate::filter::{Diagram, Diagrams};
    use crate::profile::{Comparison, Operator};

    /// A file with such a condition ends seclint, and nothing is said of the other files.
    #[test]
    fn no_call_has_a_seventh_argument() {
        for index in [6, 7, 255, 256, u32::MAX] {
            let comparison = Comparison {
                index,
                operator: Operator::Equal,
                value: 1,
                value_two: 0,
            };
            let mut diagrams = Diagrams::default();
            let calls = calls_of(&[comparison], 64, &mut diagrams);
            assert_eq!(calls, Ok(Diagram::NONE), "{index}");
        }
    }
}

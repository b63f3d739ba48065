//! Sets of calls, put into words by what they ask of the arguments.

use crate::filter::{Diagram, Diagrams, TooLarge, Way};
use crate::profile::{Comparison, Operator};

/// For which calls something is so, of one syscall on one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// For all of them.
    Always,
    /// For these, in words: `a0 == 38 (AF_ALG)`.
    Words(String),
    /// For some, and it takes too many words to say which.
    Sometimes,
}

/// What people call the value of an argument, if they call it anything.
pub type Names<'n> = &'n dyn Fn(usize, u64) -> Option<String>;

/// As many as are still read.
const MOST_WAYS: usize = 4;
const MOST_SPANS: usize = 3;
const MOST_VALUES: usize = 8;

/// The most parts that a set is looked at in: a range of 64 bits has up to 126.
const MOST_PARTS: usize = 512;

/// For which calls of a syscall something is so, given the set of them, on an architecture of 32 or
/// 64 `bits`.
///
/// # Errors
/// If there are too many nodes.
pub fn condition(
    diagrams: &mut Diagrams,
    set: Diagram,
    bits: u8,
    names: Names<'_>,
) -> Result<Condition, TooLarge> {
    if set == Diagram::ALL {
        return Ok(Condition::Always);
    }
    let others = diagrams.choose(set, Diagram::NONE, Diagram::ALL)?;
    let [ways, others] = [set, others].map(|set| diagrams.ways(set, MOST_PARTS));
    let words = ways.as_ref().and_then(|ways| by_spans(ways, bits, names));
    let words = words.or_else(|| by_ways(ways.as_ref()?, bits, names));
    let words =
        words.or_else(|| Some(format!("not ({})", by_ways(others.as_ref()?, bits, names)?)));
    Ok(words.map_or(Condition::Sometimes, Condition::Words))
}

/// A condition as a profile has it.
#[must_use]
pub fn comparison(comparison: &Comparison, names: Names<'_>) -> String {
    let Comparison {
        index,
        operator,
        value,
        value_two,
    } = *comparison;
    let sign = match operator {
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Equal => "==",
        Operator::GreaterOrEqual => ">=",
        Operator::Greater => ">",
        Operator::MaskedEqual => return format!("a{index} & {value:#x} == {value_two:#x}"),
    };
    format!("a{index} {sign} {}", number(index as usize, value, names))
}

/// A value of an argument, with what people call it.
fn number(index: usize, value: u64, names: Names<'_>) -> String {
    /// From here on people know numbers by their bits.
    const LARGE: u64 = 1024;
    let number = if value < LARGE {
        value.to_string()
    } else {
        format!("{value:#x}")
    };
    match names(index, value) {
        Some(name) => format!("{number} ({name})"),
        None => number,
    }
}

/// The one argument that is asked for.
fn only_argument(ways: &[Way]) -> Option<u8> {
    let mut asked = (0..6).filter(|&index| ways.iter().any(|way| way.argument(index).0 != 0));
    let index = asked.next()?;
    let is_all = asked.next().is_none() && !ways.iter().any(Way::asks_for_more);
    is_all.then_some(index)
}

/// What is looked at of an argument: all of it, or the lower half.
fn width(ways: &[Way], index: u8) -> u64 {
    let is_whole = |way: &Way| way.argument(index).0 > u64::from(u32::MAX);
    if ways.iter().any(is_whole) {
        u64::MAX
    } else {
        u32::MAX.into()
    }
}

fn subject(index: u8, width: u64, bits: u8) -> String {
    if bits == 64 && width < u64::MAX {
        format!("(a{index} & {width:#x})")
    } else {
        format!("a{index}")
    }
}

/// The set as ranges of one argument.
fn by_spans(ways: &[Way], bits: u8, names: Names<'_>) -> Option<String> {
    let index = only_argument(ways)?;
    let width = width(ways, index);
    let mut parts = Vec::new();
    for way in ways {
        let (mask, first) = way.argument(index);
        let free = width & !mask;
        // What is free behind all that is asked for makes a range; each other bit makes two.
        let range = (1_u64.checked_shl(free.trailing_ones()).unwrap_or(0)).wrapping_sub(1);
        let others = free & !range;
        if others.count_ones() > MOST_VALUES.ilog2() {
            return None;
        }
        let mut bits = 0_u64;
        loop {
            let first = first | bits;
            parts.push((first, first | range));
            bits = bits.wrapping_sub(others) & others;
            if bits == 0 {
                break;
            }
        }
    }
    parts.sort_unstable();
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (first, last) in parts {
        match spans.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => spans.push((first, last)),
        }
    }
    let subject = subject(index, width, bits);
    let number = |value| number(index.into(), value, names);
    // What is left out, if that is shorter.
    let mut gaps = Vec::new();
    let mut next = Some(0);
    for &(first, last) in &spans {
        if let Some(start) = next.filter(|&start| start < first) {
            gaps.push((start, first - 1));
        }
        next = last.checked_add(1).filter(|&next| next <= width);
    }
    gaps.extend(next.map(|next| (next, width)));
    for (spans, signs) in [(&spans, ["==", "is"]), (&gaps, ["!=", "is not"])] {
        if let Some(values) = values(spans) {
            let values: Vec<_> = values.into_iter().map(number).collect();
            return Some(match values.split_last() {
                Some((last, others)) if !others.is_empty() => {
                    format!("{subject} {} {} or {last}", signs[1], others.join(", "))
                }
                _ => format!("{subject} {} {}", signs[0], values.concat()),
            });
        }
    }
    if spans.len() > MOST_SPANS {
        return None;
    }
    let spans = spans.iter().map(|&(first, last)| match (first, last) {
        _ if first == last => format!("{subject} == {}", number(first)),
        (0, last) => format!("{subject} <= {}", number(last)),
        (first, last) if last == width => format!("{subject} >= {}", number(first)),
        (first, last) => format!("{} <= {subject} <= {}", number(first), number(last)),
    });
    Some(spans.collect::<Vec<_>>().join(" or "))
}

/// The values in ranges, if they are few.
fn values(spans: &[(u64, u64)]) -> Option<Vec<u64>> {
    let mut values = Vec::new();
    for &(first, last) in spans {
        if last - first >= MOST_VALUES as u64 {
            return None;
        }
        values.extend(first..=last);
    }
    // Of a range alone the ends are enough.
    let is_range = spans.len() == 1 && values.len() > 2;
    let is_few = (1..=MOST_VALUES).contains(&values.len()) && !is_range;
    is_few.then_some(values)
}

/// The set part by part.
fn by_ways(ways: &[Way], bits: u8, names: Names<'_>) -> Option<String> {
    if ways.is_empty() || ways.len() > MOST_WAYS || ways.iter().any(Way::asks_for_more) {
        return None;
    }
    let whole = if bits == 64 {
        u64::MAX
    } else {
        u64::from(u32::MAX)
    };
    let parts = ways.iter().map(|way| {
        let arguments = (0..6).filter_map(|index| {
            let (mask, value) = way.argument(index);
            match mask {
                0 => None,
                _ if mask == whole => {
                    let value = number(index.into(), value, names);
                    Some(format!("a{index} == {value}"))
                }
                _ => Some(format!("a{index} & {mask:#x} == {value:#x}")),
            }
        });
        arguments.collect::<Vec<_>>().join(" and ")
    });
    Some(parts.collect::<Vec<_>>().join(" or "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{Condition, condition};
    use crate::filter::Diagrams;
    use crate::policy::calls_of;
    use crate::profile::{Comparison, Operator};

    fn words(bits: u8, comparisons: &[(u32, Operator, u64, u64)]) -> String {
        let comparisons: Vec<_> = comparisons
            .iter()
            .map(|&(index, operator, value, value_two)| Comparison {
                index,
                operator,
                value,
                value_two,
            })
            .collect();
        let mut diagrams = Diagrams::default();
        let set = calls_of(&comparisons, bits, &mut diagrams).unwrap();
        let names = |_: usize, value: u64| (value == 38).then(|| "AF_ALG".to_owned());
        match condition(&mut diagrams, set, bits, &names).unwrap() {
            Condition::Words(words) => words,
            other => format!("{other:?}"),
        }
    }

    // What a person reads of a change would be about other arguments than those that it is about.
    #[test]
    fn a_set_is_told_as_it_was_written() {
        use Operator::{Equal, Greater, Less, LessOrEqual, MaskedEqual, NotEqual};
        assert_eq!(words(64, &[(0, Equal, 38, 0)]), "a0 == 38 (AF_ALG)");
        assert_eq!(words(32, &[(0, Equal, 38, 0)]), "a0 == 38 (AF_ALG)");
        assert_eq!(words(64, &[(2, NotEqual, 1, 0)]), "a2 != 1");
        assert_eq!(words(64, &[(1, Greater, 4, 0)]), "a1 >= 5");
        assert_eq!(
            words(64, &[(1, LessOrEqual, 1 << 33, 0)]),
            "a1 <= 0x200000000"
        );
        assert_eq!(words(32, &[(1, Greater, 4, 0)]), "a1 >= 5");
        assert_eq!(
            words(64, &[(1, Greater, 4, 0), (1, Less, 9, 0)]),
            "5 <= a1 <= 8"
        );
        let mask = 0x7e02_0000;
        assert_eq!(
            words(64, &[(0, MaskedEqual, mask, 0)]),
            "a0 & 0x7e020000 == 0x0"
        );
        assert_eq!(
            words(64, &[(0, Equal, 1, 0), (3, Equal, 2, 0)]),
            "a0 == 1 and a3 == 2"
        );
        assert_eq!(words(64, &[]), "Always");
        let two_bits = u64::MAX - 0x20008;
        assert_eq!(
            words(64, &[(0, MaskedEqual, two_bits, 0)]),
            "a0 is 0, 8, 0x20000 or 0x20008"
        );
        let low = u64::from(u32::MAX);
        assert_eq!(
            words(64, &[(0, MaskedEqual, low, 38)]),
            "(a0 & 0xffffffff) == 38 (AF_ALG)"
        );
        assert_eq!(
            words(64, &[(0, Greater, 5, 0), (1, Greater, 6, 0)]),
            "Sometimes"
        );
    }
}

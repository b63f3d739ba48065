//! Rule entries with one condition each: it is enough to meet one of them.

use crate::profile::{Comparison, Condition, Operator};

use super::condition::leave_none_out;
use super::rivals::{Containers, Contested, Rival};

/// A rule that has one condition, and makes an exception to the default.
pub(super) struct Alternative<'a, 'c> {
    rival: &'a Rival<'c>,
    /// The condition.
    pub condition: &'c Condition<'c>,
    /// What it compares.
    pub comparison: Comparison,
}

impl<'a, 'c> Alternative<'a, 'c> {
    /// Those of a call, where nothing without conditions beats them.
    pub(super) fn all(contested: &'a Contested<'c>) -> Vec<Self> {
        // Each is held against all others, and nobody has as many.
        const MOST: usize = 64;
        let by_default = contested.default.action.permits();
        let rivals = contested.contradicting();
        let rivals = rivals.filter(|it| it.effect.action.permits() != by_default);
        let all = rivals.flat_map(|rival| {
            let mut conditions = rival.entry.args.iter();
            rival.rules().filter_map(move |rule| match *rule {
                [comparison] => conditions.next().map(|condition| Self {
                    rival,
                    condition,
                    comparison,
                }),
                _ => None,
            })
        });
        all.take(MOST).collect()
    }

    /// As few as possible, of several rule entries, that leave no value of an argument out together,
    /// and in which containers.
    pub(super) fn leaving_none_out<'s>(all: &'s [Self]) -> Option<(Containers<'c>, Vec<&'s Self>)> {
        // A list of values, which is what most are, leaves nearly all out.
        let is_value = |it: &Self| match it.comparison.operator {
            Operator::Equal => true,
            // As many are needed as its bits have values.
            Operator::MaskedEqual => all.len() >> it.comparison.value.count_ones().min(63) == 0,
            _ => false,
        };
        if all.iter().all(is_value) {
            return None;
        }
        all.iter().find_map(|of| {
            let is_beside = |it: &&Self| {
                it.comparison.index == of.comparison.index && it.rival.holds_where(of.rival)
            };
            let mut beside: Vec<_> = all.iter().filter(is_beside).collect();
            if !cover(&beside) {
                return None;
            }
            for place in (0..beside.len()).rev() {
                let left_out = beside.remove(place);
                if !cover(&beside) {
                    beside.insert(place, left_out);
                }
            }
            // What one rule entry does by itself is told as that.
            let mut pairs = beside.iter().zip(beside.iter().skip(1));
            let is_of_several = pairs.any(|(one, next)| !std::ptr::eq(one.rival, next.rival));
            let containers = of.rival.together(of.rival).filter(|_| is_of_several)?;
            Some((containers, beside))
        })
    }
}

/// Whether no value meets none of them.
fn cover(all: &[&Alternative<'_, '_>]) -> bool {
    let comparisons: Vec<_> = all.iter().map(|it| it.comparison).collect();
    leave_none_out(&comparisons)
}

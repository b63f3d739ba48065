//! What a condition compares, read once for all rules.

use super::Condition;

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `SCMP_CMP_NE`
    NotEqual,
    /// `SCMP_CMP_LT`
    Less,
    /// `SCMP_CMP_LE`
    LessOrEqual,
    /// `SCMP_CMP_EQ`
    Equal,
    /// `SCMP_CMP_GE`
    GreaterOrEqual,
    /// `SCMP_CMP_GT`
    Greater,
    /// `SCMP_CMP_MASKED_EQ`
    MaskedEqual,
}

impl Operator {
    /// The operators by name, in the order of the names.
    const SPELLINGS: [(&str, Self); 7] = [
        ("SCMP_CMP_EQ", Self::Equal),
        ("SCMP_CMP_GE", Self::GreaterOrEqual),
        ("SCMP_CMP_GT", Self::Greater),
        ("SCMP_CMP_LE", Self::LessOrEqual),
        ("SCMP_CMP_LT", Self::Less),
        ("SCMP_CMP_MASKED_EQ", Self::MaskedEqual),
        ("SCMP_CMP_NE", Self::NotEqual),
    ];

    /// The operator of a name, exactly as the runtime specification has it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let spelling = (Self::SPELLINGS.iter()).find(|(spelling, _)| *spelling == name);
        spelling.map(|&(_, operator)| operator)
    }

    /// The names of all operators, in their order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::SPELLINGS.into_iter().map(|(name, _)| name)
    }
}

/// A condition as libseccomp gets it from every runtime that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// Which argument, counted from 0. Only up to 5 are there.
    pub index: u32,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with; the mask for [`Operator::MaskedEqual`].
    pub value: u64,
    /// What the masked argument is compared with; 0 if absent.
    pub value_two: u64,
}

impl Comparison {
    /// What a condition compares. `None` if something of it is missing or wrong, so that runtimes
    /// disagree about it or refuse it. `absent` is what a missing `value` stands for, if anything.
    pub(super) fn read(condition: &Condition<'_>, absent: Option<u64>) -> Option<Self> {
        let value_two = match &condition.value_two {
            Some(digits) => digits.as_u64()?,
            None => 0,
        };
        Some(Self {
            index: condition.index.as_ref()?.as_u64()?.try_into().ok()?,
            operator: Operator::from_name(condition.op.as_ref()?.value)?,
            value: match &condition.value {
                Some(digits) => digits.as_u64()?,
                None => absent?,
            },
            value_two,
        })
    }

    /// The condition as an architecture of 32 or 64 `bits` has it: one of 32 looks at the lower
    /// halves of the argument and of what it is compared with.
    #[must_use]
    pub fn truncated(mut self, bits: u8) -> Self {
        if bits == 32 {
            self.value &= u64::from(u32::MAX);
            self.value_two &= u64::from(u32::MAX);
        }
        self
    }

    /// An argument of 64 bits that [meets](Self::holds) it, if any does.
    #[must_use]
    pub fn example(&self) -> u64 {
        match self.operator {
            Operator::Equal | Operator::GreaterOrEqual | Operator::LessOrEqual => self.value,
            Operator::NotEqual | Operator::Greater => self.value.wrapping_add(1),
            Operator::Less => self.value.wrapping_sub(1),
            Operator::MaskedEqual => self.value & self.value_two,
        }
    }

    /// An argument of 64 bits that does not [meet](Self::holds) it, if any does not.
    #[must_use]
    pub fn counterexample(&self) -> u64 {
        match self.operator {
            Operator::NotEqual | Operator::Less | Operator::Greater => self.value,
            Operator::Equal | Operator::LessOrEqual => self.value.wrapping_add(1),
            Operator::GreaterOrEqual => self.value.wrapping_sub(1),
            // Another one in the lowest bit that is compared.
            Operator::MaskedEqual => {
                let lowest = self.value & self.value.wrapping_neg();
                (self.value & self.value_two) ^ lowest
            }
        }
    }

    /// Whether an argument of 64 bits meets it, as libseccomp compares it: bits outside the mask
    /// are taken out of both sides.
    #[must_use]
    pub fn holds(&self, argument: u64) -> bool {
        match self.operator {
            Operator::NotEqual => argument != self.value,
            Operator::Less => argument < self.value,
            Operator::LessOrEqual => argument <= self.value,
            Operator::Equal => argument == self.value,
            Operator::GreaterOrEqual => argument >= self.value,
            Operator::Greater => argument > self.value,
            Operator::MaskedEqual => argument & self.value == self.value_two & self.value,
        }
    }
}

//! The call that is asked about.

use crate::cli::CliError;
use crate::syscalls::{self, Arch, Flag, Subcall, Syscall};

/// The call that is asked about.
pub(super) struct AskedCall {
    pub(super) which: Which,
    pub(super) arguments: Vec<Argument>,
}

/// A syscall.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// By its name.
    Named(&'static Syscall),
    /// By its number, whatever it means.
    Numbered(u32),
}

/// An argument.
pub(super) struct Argument {
    /// As it was written; `_` for any.
    pub(super) written: String,
    /// Which of the call's it is, counted from 0.
    index: u8,
    /// What is joined; nothing for any.
    parts: Vec<Part>,
}

enum Part {
    Number(u64),
    Flag(&'static Flag),
}

impl AskedCall {
    pub(super) fn parse(syscall: &str, arguments: &[String]) -> Result<Self, CliError> {
        let number = number(syscall).and_then(|number| u32::try_from(number).ok());
        let which = match (number, syscalls::lookup(syscall)) {
            (Some(number), _) => Which::Numbered(number),
            (None, Some(syscall)) => Which::Named(syscall),
            (None, None) => return Err(super::super::syscalls::unknown(syscall)),
        };
        let arguments = (0..).zip(arguments);
        let arguments = arguments.map(|(index, text)| Argument::parse(text, which, index));
        Ok(Self {
            which,
            arguments: arguments.collect::<Result<_, _>>()?,
        })
    }

    /// The syscall on an architecture, if it has one there.
    pub(super) fn syscall(&self, arch: Arch) -> Option<&'static Syscall> {
        match self.which {
            Which::Named(syscall) => Some(syscall),
            Which::Numbered(number) => syscalls::with_number(arch, number),
        }
    }

    /// The numbers by which it comes on an architecture, with the call that carries it.
    pub(super) fn ways(&self, arch: Arch) -> impl Iterator<Item = (Option<Subcall>, u32)> + use<> {
        let direct = match self.which {
            Which::Named(syscall) => syscall.direct_number(arch),
            // x86-64's and x32's numbers are told apart by a bit.
            Which::Numbered(number) => Some(number).filter(|number| match arch {
                Arch::X86_64 => number & Arch::X32_BIT == 0,
                Arch::X32 => number & Arch::X32_BIT != 0,
                _ => true,
            }),
        };
        let subcall = self.syscall(arch).and_then(|syscall| syscall.subcall(arch));
        let carrier = subcall.and_then(|subcall| {
            let carrier = syscalls::lookup(subcall.multiplexer.name())?;
            Some((Some(subcall), carrier.direct_number(arch)?))
        });
        direct
            .map(|number| (None, number))
            .into_iter()
            .chain(carrier)
    }

    /// How it was asked for.
    pub(super) fn name(&self) -> String {
        match self.which {
            Which::Named(syscall) => syscall.name().to_owned(),
            Which::Numbered(number) => number.to_string(),
        }
    }
}

impl Argument {
    fn parse(text: &str, which: Which, index: u8) -> Result<Self, CliError> {
        let syscall = match which {
            Which::Named(syscall) => Some(syscall),
            Which::Numbered(_) => None,
        };
        let place = syscall.map(|syscall| (syscall, index));
        let parts = match text {
            "_" => Vec::new(),
            text => {
                let parts = text.split('|').map(|part| Part::parse(part.trim(), place));
                parts.collect::<Result<_, _>>()?
            }
        };
        let argument = Self {
            written: text.to_owned(),
            index,
            parts,
        };
        // A name may be one of another argument on some architectures; it must be one on some.
        if let Some(syscall) = syscall {
            let mut all = Arch::ALL.into_iter();
            let misplaced = argument.misplaced(syscall, Arch::X86_64);
            if let Some(words) = misplaced
                && all.all(|arch| argument.misplaced(syscall, arch).is_some())
            {
                return Err(CliError::Usage(words));
            }
        }
        Ok(argument)
    }

    /// Why its names are none of the argument of a call on an architecture, if they are not.
    fn misplaced(&self, syscall: &Syscall, arch: Arch) -> Option<String> {
        let mut one = None;
        for part in &self.parts {
            let Part::Flag(flag) = part else { continue };
            let Some(place) = flag.place(syscall, self.index, arch) else {
                let belongs = belongs(flag, syscall, arch);
                let (flag, index, name) = (flag.name(), self.index, syscall.name());
                return Some(format!(
                    "`{flag}` is no value of argument {index} of {name}; {belongs}"
                ));
            };
            if place.is_one()
                && let Some(other) = one.replace(flag.name())
            {
                let (flag, index, name) = (flag.name(), self.index, syscall.name());
                return Some(format!(
                    "argument {index} of {name} cannot be both `{other}` and `{flag}`: they are values, not bits"
                ));
            }
        }
        None
    }

    /// As it was written, and the value of what is octal in it.
    pub(super) fn shown(&self) -> String {
        let mut parts = self.parts.iter();
        let value = parts.try_fold(0, |all, part| match part {
            Part::Number(number) => Some(all | number),
            Part::Flag(_) => None,
        });
        match value {
            Some(value) if self.written.split('|').any(|part| is_octal(part.trim())) => {
                format!("{} = {value}", self.written)
            }
            _ => self.written.clone(),
        }
    }

    /// Its value for a call on an architecture, `None` for any; or why it means nothing there.
    pub(super) fn value(
        &self,
        syscall: Option<&Syscall>,
        arch: Arch,
    ) -> Result<Option<u64>, String> {
        if let Some(words) = syscall.and_then(|syscall| self.misplaced(syscall, arch)) {
            return Err(words);
        }
        let mut value = None;
        for part in &self.parts {
            let bits = match part {
                Part::Number(number) => *number,
                Part::Flag(flag) => flag
                    .value(arch)
                    .ok_or_else(|| format!("`{}` means nothing there", flag.name()))?,
            };
            value = Some(value.unwrap_or(0) | bits);
        }
        // Of 32 bit ABIs the kernel shows filters no upper halves.
        let mask = if arch.bits() == 64 {
            u64::MAX
        } else {
            u32::MAX.into()
        };
        Ok(value.map(|value| value & mask))
    }
}

impl Part {
    fn parse(text: &str, place: Option<(&Syscall, u8)>) -> Result<Self, CliError> {
        if let Some(number) = number(text) {
            return Ok(Self::Number(number));
        }
        if let Some(flag) = syscalls::flag(text) {
            return Ok(Self::Flag(flag));
        }
        if is_octal(text) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CliError::Usage(format!(
                "`{text}` is no number of 64 bits: one that begins with 0 is octal, as in C"
            )));
        }
        let hint = match syscalls::suggest_flag(text, place) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "give its number".to_owned(),
        };
        Err(CliError::Usage(format!(
            "`{text}` is neither a number of 64 bits nor a flag that is known here; {hint}"
        )))
    }
}

/// Which arguments take a name on an architecture, in words: of this call, if one does.
fn belongs(flag: &Flag, syscall: &Syscall, arch: Arch) -> String {
    const MOST: usize = 6;
    let mut places: Vec<_> = flag
        .places()
        .filter(|place| place.is_on(arch))
        .map(|place| (place.index(), place.syscall()))
        .collect();
    if places.iter().any(|&(_, name)| name == syscall.name()) {
        places.retain(|&(_, name)| name == syscall.name());
    }
    places.sort_unstable();
    let more = places.len().saturating_sub(MOST);
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for (index, syscall) in places.into_iter().take(MOST) {
        words.push(match last.replace(index) {
            Some(before) if before == index => syscall.to_owned(),
            _ => format!("argument {index} of {syscall}"),
        });
    }
    if more > 0 {
        words.push(format!("{more} more"));
    }
    if words.is_empty() {
        return "it stands in what an argument points to, which no filter sees".to_owned();
    }
    format!("it belongs to {} (counted from 0)", words.join(", "))
}

/// `38`, `0x26`, `046`, `0o46`, `-1`: as C has them, so that a leading zero makes it octal.
fn number(text: &str) -> Option<u64> {
    if let Some((digits, radix)) = prefixed(text) {
        let is_sign = digits.starts_with(['+', '-']);
        return u64::from_str_radix(digits, radix).ok().filter(|_| !is_sign);
    }
    let number = text.parse().ok();
    number.or_else(|| text.parse::<i64>().ok().map(i64::cast_unsigned))
}

/// The digits of a number that is not decimal, and their radix.
fn prefixed(text: &str) -> Option<(&str, u32)> {
    let rest = text.strip_prefix('0').filter(|rest| !rest.is_empty())?;
    Some(match rest.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (rest.strip_prefix(['o', 'O']).unwrap_or(rest), 8),
    })
}

/// Whether a number has to be worked out by who reads it.
fn is_octal(text: &str) -> bool {
    prefixed(text).is_some_and(|(_, radix)| radix == 8)
}

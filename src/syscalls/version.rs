//! Versions of the two things that decide whether a call exists: libseccomp and the kernel.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A libseccomp release, compared number by number. Distributions add names to old releases: what a
/// [`Release`] knows is what upstream's knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The 2 of 2.5.4.
    pub major: u32,
    /// The 5 of 2.5.4.
    pub minor: u32,
    /// The 4 of 2.5.4.
    pub micro: u32,
}

/// Text that is no libseccomp release.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no libseccomp release: write it as 2.5.4, or 2.5 for 2.5.0")]
pub struct ParseReleaseError(String);

impl Release {
    /// The release `major.minor.micro`.
    #[must_use]
    pub const fn new(major: u32, minor: u32, micro: u32) -> Self {
        Self {
            major,
            minor,
            micro,
        }
    }
}

/// Reads `2.5.4`, or `2.5` for 2.5.0. A distribution's revision (`2.5.4-1+deb12u1`) is refused,
/// because it may know more than the release.
impl FromStr for Release {
    type Err = ParseReleaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor]) => Ok(Self::new(major, minor, 0)),
            Some(&[major, minor, micro]) => Ok(Self::new(major, minor, micro)),
            _ => Err(ParseReleaseError(text.to_owned())),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.micro)
    }
}

/// A Linux version as far as new calls depend on it: `5.10`. Calls do not come with stable updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelVersion {
    /// The 5 of 5.10.
    pub major: u32,
    /// The 10 of 5.10.
    pub minor: u32,
}

/// Text that does not begin with a Linux version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no kernel version: write it as 5.10, or as `uname -r` prints it")]
pub struct ParseKernelVersionError(String);

impl KernelVersion {
    /// The version `major.minor`.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// Reads `5.10` and what `uname -r` prints, such as `5.10.0-23-amd64`.
impl FromStr for KernelVersion {
    type Err = ParseKernelVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let version = text.split_once('.').and_then(|(major, rest)| {
            let end = rest
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(rest.len());
            let (minor, rest) = rest.split_at(end);
            // A letter would mean that this is no number, as in 5.10x; everything after a separator
            // is the builder's own.
            let ends = rest.is_empty() || rest.starts_with(['.', '-', '+', '_', '~']);
            ends.then_some(Self::new(number(major)?, number(minor)?))
        });
        version.ok_or_else(|| ParseKernelVersionError(text.to_owned()))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// A number in ASCII digits and nothing else; `u32::from_str` alone would accept `+5`.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // `--libseccomp` and crun's own report of its library would be misread.
    #[test]
    fn releases_are_read_whole() {
        assert_eq!("2.5.4".parse(), Ok(Release::new(2, 5, 4)));
        assert_eq!("2.5".parse(), Ok(Release::new(2, 5, 0)));
        for text in [
            "",
            "2",
            "2.5.4.1",
            "2.5.4-1+deb12u1",
            "v2.5.4",
            "2..4",
            "2.+5.4",
            " 2.5.4",
            "2.5.99999999999",
        ] {
            assert_eq!(
                text.parse::<Release>(),
                Err(ParseReleaseError(text.to_owned()))
            );
        }
    }

    // 2.10 would be taken for older than 2.5, and its names for unknown.
    #[test]
    fn versions_are_compared_by_number() {
        assert!(Release::new(3, 0, 0) > Release::new(2, 6, 1));
        assert!(Release::new(2, 10, 0) > Release::new(2, 5, 4));
        assert!(Release::new(2, 5, 10) > Release::new(2, 5, 4));
        assert!(KernelVersion::new(6, 1) > KernelVersion::new(5, 19));
        assert!(KernelVersion::new(5, 10) > KernelVersion::new(5, 9));
        assert_eq!(Release::new(2, 5, 0).to_string(), "2.5.0");
        assert_eq!(KernelVersion::new(5, 10).to_string(), "5.10");
    }

    // `--kernel "$(uname -r)"` and a profile's minKernel would be refused.
    #[test]
    fn kernel_versions_are_read_as_uname_prints_them() {
        for text in [
            "5.10",
            "5.10.0",
            "5.10.0-23-amd64",
            "5.10-rc3",
            "5.10+",
            "5.10_custom",
        ] {
            assert_eq!(text.parse(), Ok(KernelVersion::new(5, 10)), "{text}");
        }
        for text in [
            "",
            "5",
            "5.",
            ".10",
            "5.x",
            "5.10x",
            "+5.10",
            "five.ten",
            "5.99999999999",
        ] {
            assert_eq!(
                text.parse::<KernelVersion>(),
                Err(ParseKernelVersionError(text.to_owned()))
            );
        }
    }
}

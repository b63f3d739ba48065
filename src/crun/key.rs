//! The name that crun gives a section's cache entry.
//!
//! Source: crun's `calculate_seccomp_checksum`, and the entries that crun 1.21
//! and 1.28 left for the sections in `tests/runtimes/sections.jsonl`.

use sha2::Digest as _;

use super::Host;
use crate::profile::{Dialects, Profile};
use crate::runtime::crun::Parser;
use crate::runtime::{self, Section, Str};
use crate::text::Document;

/// How the name is made, by crun's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScheme {
    /// crun 1.7 to 1.13: SHA-256, without `defaultErrnoRet`. Only in builds with libgcrypt.
    Sha256,
    /// crun 1.14 to 1.29: BLAKE3.
    Blake3,
}

impl KeyScheme {
    /// The scheme of the newest crun that is known here.
    pub(super) const NEWEST: Self = Self::Blake3;

    /// The scheme of a crun version; `None` for versions without a cache, and
    /// for those that are newer than what is known here, and for what no crun prints.
    #[must_use]
    pub fn of(crun: &str) -> Option<Self> {
        if !is_printed(crun) {
            return None;
        }
        let mut parts = crun
            .split(['.', '-'])
            .map_while(|part| part.parse::<u32>().ok());
        match (parts.next()?, parts.next()?, parts.next().unwrap_or(0)) {
            (1, 7..=13, _) => Some(Self::Sha256),
            // After 1.29.1 an entry's errnoRet is said to be in the key as well.
            (1, 14..=28, _) | (1, 29, 0..=1) => Some(Self::Blake3),
            _ => None,
        }
    }

    /// The scheme's name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "crun-1.7-sha256",
            Self::Blake3 => "crun-1.14-blake3",
        }
    }
}

/// Whether crun can print this for its version: numbers with dots between, and behind them in
/// builds from a repository the abbreviated commit and `dirty`. A package's version, such as
/// 1.21-1, is not what is hashed.
fn is_printed(crun: &str) -> bool {
    let mut parts = crun.split('-');
    let mut numbers = parts.next().unwrap_or_default().split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let is_commit = |part: &str| part.len() >= 4 && part.bytes().all(|it| it.is_ascii_hexdigit());
    numbers.clone().count() > 1
        && numbers.all(is_number)
        && parts.all(|part| part == "dirty" || is_commit(part))
}

/// Why a profile has no key that could be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// crun's version is not known here.
    #[error("how crun {0} names its cache entries is not known; versions 1.7 to 1.29.1 are")]
    UnknownScheme(String),
    /// No version as crun prints it.
    #[error(
        "`{0}` is not what `crun --version` prints, such as 1.21, and with another version the key is another"
    )]
    NoVersion(String),
    /// The profile is no section yet.
    #[error(
        "`{0}` is for an engine to resolve: what reaches crun depends on the engine (--engine), the host and the container"
    )]
    NeedsEngine(String),
    /// crun refuses the section.
    #[error("crun refuses this profile: {0}")]
    Refused(String),
    /// crun sees no section, so that there is no filter either.
    #[error("crun reads no section here, and starts containers without a filter")]
    NoSection,
}

/// The section that crun reads of a profile that is one, or of a container's configuration.
///
/// # Errors
/// If the profile is for an engine to resolve, or crun refuses it or sees no section.
pub fn section<'d>(
    document: &'d Document<'d>,
    source: &'d [u8],
    profile: &Profile<'_>,
    crun: &str,
) -> Result<Section<'d>, KeyError> {
    if !profile.dialects.contains(Dialects::OCI) {
        let mut keys = profile.foreign.iter().filter_map(|key| key.as_str());
        if let Some(key) = keys.find(|key| *key != "comment") {
            return Err(KeyError::NeedsEngine(key.to_owned()));
        }
    }
    let read = runtime::crun::read(document, source, Parser::of(crun));
    read.map_err(|refusal| KeyError::Refused(refusal.0))?
        .ok_or(KeyError::NoSection)
}

/// The name of the cache entry that crun on `host` makes of a section: 64 lower-case hexadecimal
/// digits.
///
/// # Errors
/// If this crun is not known.
pub fn cache_key(
    section: &Section<'_>,
    fails_on_unknown: bool,
    host: &Host,
) -> Result<String, KeyError> {
    let scheme = KeyScheme::of(&host.crun).ok_or_else(|| {
        let crun = host.crun.clone();
        if is_printed(&crun) {
            KeyError::UnknownScheme(crun)
        } else {
            KeyError::NoVersion(crun)
        }
    })?;
    Ok(cache_key_by(scheme, section, fails_on_unknown, host))
}

/// [`cache_key`] by a scheme that is not asked of crun's version. That entries have such names is
/// for the caller to see.
pub(super) fn cache_key_by(
    scheme: KeyScheme,
    section: &Section<'_>,
    fails_on_unknown: bool,
    host: &Host,
) -> String {
    let mut hashed = Hashed {
        bytes: Vec::with_capacity(8 << 10),
        is_little_endian: host.is_little_endian(),
    };
    hashed.text(&host.crun);
    hashed.u32(host.libseccomp.major);
    hashed.u32(host.libseccomp.minor);
    hashed.u32(host.libseccomp.micro);
    hashed.text(&host.uname.release);
    hashed.text(&host.uname.version);
    hashed.text(&host.uname.machine);
    hashed.u32(u32::from(fails_on_unknown));
    hashed.section(section, scheme);
    match scheme {
        KeyScheme::Blake3 => blake3::hash(&hashed.bytes).to_hex().to_string(),
        KeyScheme::Sha256 => {
            let hash: [u8; 32] = sha2::Sha256::digest(&hashed.bytes).into();
            // Only for its hexadecimal digits, which both kinds of hash write alike.
            blake3::Hash::from_bytes(hash).to_hex().to_string()
        }
    }
}

/// What goes into the hash, one item after the other with nothing between.
struct Hashed {
    bytes: Vec<u8>,
    is_little_endian: bool,
}

impl Hashed {
    fn section(&mut self, section: &Section<'_>, scheme: KeyScheme) {
        if scheme == KeyScheme::Blake3 {
            self.number(section.default_errno.unwrap_or(0));
        }
        self.string(&section.default_action);
        self.strings(section.flags.as_deref().unwrap_or_default());
        self.strings(&section.architectures);
        for entry in &section.entries {
            self.string(&entry.action);
            self.strings(&entry.names);
            for argument in &entry.args {
                if let Some(index) = argument.index {
                    self.number(index);
                }
                if let Some(value) = argument.value {
                    self.u64(value);
                }
                if let Some(value) = argument.value_two {
                    self.u64(value);
                }
                self.string(&argument.op);
            }
        }
    }

    fn strings(&mut self, texts: &[Str<'_>]) {
        for text in texts {
            self.string(text);
        }
    }

    /// A string as it was read, which C has cut at its first NUL by then.
    fn string(&mut self, text: &Str<'_>) {
        self.bytes.extend_from_slice(&text.bytes);
    }

    /// What the host says of itself.
    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A number that crun holds in 32 bits, and has read as such.
    fn number(&mut self, number: u64) {
        self.u32(u32::try_from(number).unwrap_or(u32::MAX));
    }

    fn u32(&mut self, value: u32) {
        let bytes = if self.is_little_endian {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        };
        self.bytes.extend_from_slice(&bytes);
    }

    fn u64(&mut self, value: u64) {
        let bytes = if self.is_little_endian {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        };
        self.bytes.extend_from_slice(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::KeyScheme;

    /// A wrong scheme gives every entry a wrong name, so that none is explained.
    #[test]
    fn the_scheme_follows_the_version() {
        assert_eq!(KeyScheme::of("1.6"), None);
        assert_eq!(KeyScheme::of("1.8.1"), Some(KeyScheme::Sha256));
        assert_eq!(KeyScheme::of("1.13"), Some(KeyScheme::Sha256));
        assert_eq!(KeyScheme::of("1.14"), Some(KeyScheme::Blake3));
        assert_eq!(KeyScheme::of("1.21"), Some(KeyScheme::Blake3));
        assert_eq!(KeyScheme::of("1.29.1"), Some(KeyScheme::Blake3));
        assert_eq!(KeyScheme::of("1.29.2"), None);
        assert_eq!(KeyScheme::of("1.30"), None);
        assert_eq!(KeyScheme::of("2.0"), None);
        assert_eq!(KeyScheme::of("UNKNOWN"), None);
        assert_eq!(KeyScheme::of("1.21.23-3f3d-dirty"), Some(KeyScheme::Blake3));
    }

    /// What a package is called is no part of the key: a key of it would be the name of nothing.
    #[test]
    fn a_packages_version_is_none_of_crun() {
        for version in [
            "1.21-1",
            "1.21-1+b2",
            "1.21+ds1",
            "1.14.1-1ubuntu1",
            "1.21~rc1",
            "1.",
        ] {
            assert_eq!(KeyScheme::of(version), None, "{version}");
        }
    }
}

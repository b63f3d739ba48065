//! The name that crun gives a section's cache entry.
//!
//! Source: crun's `calculate_seccomp_checksum`, and the entries that crun 1.21
//! and 1.28 left for the sections in `tests/fixtures/crun_keys.jsonl`.

use sha2::Digest as _;

use super::Host;
use crate::profile::{Dialects, Digits, Mistake, Profile};
use crate::text::{Deviation, Document};

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
    /// for those that are newer than what is known here.
    #[must_use]
    pub fn of(crun: &str) -> Option<Self> {
        let mut parts = crun
            .split(['.', '-', '+'])
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

/// How a section reached crun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// As it stands in the file.
    AsWritten,
    /// Read and written again by an engine in Go, whose `valueTwo` is left out when it is 0.
    ThroughGo,
}

/// Why a profile has no key that could be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// crun's version is not known here.
    #[error("how crun {0} names its cache entries is not known; versions 1.7 to 1.29.1 are")]
    UnknownScheme(String),
    /// The profile is no section yet.
    #[error(
        "`{0}` is for an engine to resolve: what reaches crun depends on the engine, the host and the container"
    )]
    NeedsEngine(String),
    /// Runtimes do not agree on what the text says.
    #[error("what crun reads here depends on its version: {0}")]
    Ambiguous(String),
    /// crun refuses the section.
    #[error("crun refuses this profile: {0}")]
    Refused(String),
}

/// The name of the cache entry that crun on `host` makes of a profile that is
/// already a section: 64 lower-case hexadecimal digits.
///
/// # Errors
/// If the profile is no section, if crun's versions read it differently, if crun
/// refuses it, or if this crun is not known. Never a wrong key.
pub fn cache_key(
    document: &Document<'_>,
    profile: &Profile<'_>,
    fails_on_unknown: bool,
    passage: Passage,
    host: &Host,
) -> Result<String, KeyError> {
    let scheme =
        KeyScheme::of(&host.crun).ok_or_else(|| KeyError::UnknownScheme(host.crun.clone()))?;
    cache_key_by(scheme, document, profile, fails_on_unknown, passage, host)
}

/// [`cache_key`] by a scheme that is not asked of crun's version. That entries
/// have such names is for the caller to see.
pub(super) fn cache_key_by(
    scheme: KeyScheme,
    document: &Document<'_>,
    profile: &Profile<'_>,
    fails_on_unknown: bool,
    passage: Passage,
    host: &Host,
) -> Result<String, KeyError> {
    check_readable(document, profile)?;
    let mut hashed = Hashed {
        bytes: Vec::with_capacity(8 << 10),
        is_little_endian: host.is_little_endian(),
    };
    hashed.string(&host.crun);
    hashed.u32(host.libseccomp.major);
    hashed.u32(host.libseccomp.minor);
    hashed.u32(host.libseccomp.micro);
    hashed.string(&host.uname.release);
    hashed.string(&host.uname.version);
    hashed.string(&host.uname.machine);
    hashed.u32(u32::from(fails_on_unknown));
    hashed.section(profile, scheme, passage)?;
    Ok(match scheme {
        KeyScheme::Blake3 => blake3::hash(&hashed.bytes).to_hex().to_string(),
        KeyScheme::Sha256 => {
            let hash: [u8; 32] = sha2::Sha256::digest(&hashed.bytes).into();
            // Only for its hexadecimal digits, which both kinds of hash write alike.
            blake3::Hash::from_bytes(hash).to_hex().to_string()
        }
    })
}

/// Refuses what crun refuses, and what its versions read in different ways.
fn check_readable(document: &Document<'_>, profile: &Profile<'_>) -> Result<(), KeyError> {
    if let Some(Deviation { kind, .. }) = document.deviations().first() {
        return Err(KeyError::Ambiguous(kind.message().to_owned()));
    }
    if !profile.dialects.contains(Dialects::OCI) {
        let mut keys = profile.foreign.iter().filter_map(|key| key.as_str());
        if let Some(key) = keys.find(|key| *key != "comment") {
            return Err(KeyError::NeedsEngine(key.to_owned()));
        }
    }
    for mistake in &profile.mistakes {
        return Err(match *mistake {
            // C cuts keys at a NUL as well, so that this may be a field to crun.
            Mistake::UnknownField { key, .. }
                if key.as_str().is_some_and(|key| key.contains('\0')) =>
            {
                KeyError::Ambiguous("a key has a NUL in it".to_owned())
            }
            // Left out of the key; a condition without its index or value has 0 in the filter.
            Mistake::UnknownField { .. }
            | Mistake::MissingField {
                field: "index" | "value",
                ..
            } => continue,
            // Taken for absent. Elements are another matter, and so is what must be there.
            Mistake::WrongType {
                field,
                is_element: false,
                ..
            } if !matches!(field, "defaultAction" | "names" | "action" | "op") => {
                continue;
            }
            Mistake::DuplicateKey { again, .. } => {
                let key = again.as_str().unwrap_or_default();
                KeyError::Ambiguous(format!("`{key}` is given twice"))
            }
            Mistake::WrongType { field, .. } => {
                KeyError::Ambiguous(format!("`{field}` has the wrong type"))
            }
            Mistake::MissingField { field, .. } => {
                KeyError::Refused(format!("`{field}` is missing"))
            }
        });
    }
    Ok(())
}

/// What goes into the hash, one item after the other with nothing between.
struct Hashed {
    bytes: Vec<u8>,
    is_little_endian: bool,
}

impl Hashed {
    fn section(
        &mut self,
        profile: &Profile<'_>,
        scheme: KeyScheme,
        passage: Passage,
    ) -> Result<(), KeyError> {
        if scheme == KeyScheme::Blake3 {
            self.u32(match &profile.default_errno_ret {
                Some(errno) => u32_of(errno)?,
                None => 0,
            });
        }
        self.strings(profile.default_action.as_slice());
        self.strings(profile.flags.as_deref().unwrap_or_default());
        self.strings(&profile.architectures);
        for entry in &profile.entries {
            self.strings(entry.action.as_slice());
            self.strings(&entry.names);
            for condition in &entry.args {
                if let Some(index) = &condition.index {
                    self.u32(u32_of(index)?);
                }
                if let Some(value) = &condition.value {
                    self.u64(u64_of(value)?);
                }
                if let Some(value) = &condition.value_two {
                    let value = u64_of(value)?;
                    if value != 0 || passage == Passage::AsWritten {
                        self.u64(value);
                    }
                }
                self.strings(condition.op.as_slice());
            }
        }
        Ok(())
    }

    fn strings(&mut self, texts: &[crate::profile::Text<'_>]) {
        for text in texts {
            self.string(text.value);
        }
    }

    /// A string as C sees it: cut at its first NUL.
    fn string(&mut self, text: &str) {
        let length = text.find('\0').unwrap_or(text.len());
        self.bytes.extend_from_slice(&text.as_bytes()[..length]);
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

fn u64_of(digits: &Digits<'_>) -> Result<u64, KeyError> {
    let refused = || KeyError::Refused(format!("`{}` is no 64-bit number", digits.value));
    digits.as_u64().ok_or_else(refused)
}

fn u32_of(digits: &Digits<'_>) -> Result<u32, KeyError> {
    let refused = || KeyError::Refused(format!("`{}` is no 32-bit number", digits.value));
    u64_of(digits)?.try_into().map_err(|_| refused())
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
    }
}

//! What tells a result of one run from the others, and finds it again in the next.

use std::collections::HashMap;

use super::place::uri;
use crate::finding::{Finding, identity};
use crate::report::Workspace;

/// How many bytes of a hash are written.
const BYTES: usize = 16;

/// Makes the fingerprints of one file's findings.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    seen: HashMap<[u8; BYTES], u32>,
}

impl Fingerprints {
    /// The next finding's: a hash of its rule, its file and what it is about,
    /// and which of the findings that share it this one is. Lines, columns and
    /// places in arrays are left out, since edits elsewhere in the file move them.
    pub(super) fn of(&mut self, finding: &Finding, workspace: &Workspace) -> String {
        let mut hasher = blake3::Hasher::new();
        // The length keeps `ab`, `c` apart from `a`, `bc`.
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(finding.rule.id);
        part(&uri(&workspace.path(&finding.location.source)));
        let pointer = finding.location.pointer.as_deref();
        for about in identity(pointer, &finding.facts) {
            part(&about);
        }
        let mut short = [0; BYTES];
        hasher.finalize_xof().fill(&mut short);
        let count = self.seen.entry(short).or_default();
        *count += 1;
        format!("{:032x}:{count}", u128::from_be_bytes(short))
    }
}

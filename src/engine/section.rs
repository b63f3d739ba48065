//! The section: what an engine hands the runtime.

use serde::Serialize;

use crate::text::Node;

/// The runtime specification's `LinuxSeccomp`, which serializes to JSON as Go writes it: the same
/// fields in the same order, and empty ones left out where Go leaves them out.
///
/// Source: runtime-spec v1.2.0, `specs-go/config.go`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Section<'d> {
    /// What happens to calls that no rule matches.
    pub default_action: &'d str,
    /// The errno of `default_action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u64>,
    /// The architectures besides the host's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<&'d str>,
    /// Flags for loading the filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<&'d str>,
    /// Where notifications are sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub listener_path: &'d str,
    /// What is sent along with them.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub listener_metadata: &'d str,
    /// The rule entries that hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub syscalls: Vec<SectionEntry<'d>>,
}

/// A rule entry of a section.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SectionEntry<'d> {
    /// The syscalls that it is about; `None` is `null`.
    pub names: Option<Vec<&'d str>>,
    /// What happens to them.
    pub action: &'d str,
    /// The errno of `action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u64>,
    /// What their arguments must be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<SectionCondition<'d>>,
    /// The profile's rule entry that it is; `None` for one that stands there as `null`. Of several
    /// objects that were decoded into one it is the last.
    #[serde(skip)]
    pub origin: Option<Node<'d>>,
}

/// A condition of a section's rule entry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SectionCondition<'d> {
    /// Which argument, counted from 0.
    pub index: u64,
    /// What it is compared with; the mask for `SCMP_CMP_MASKED_EQ`.
    pub value: u64,
    /// What the masked argument is compared with. Left out when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub value_two: u64,
    /// How it is compared.
    pub op: &'d str,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands references to it"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

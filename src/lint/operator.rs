//! What the schema of `SeccompProfile` takes.
//!
//! Source: the definition that security-profiles-operator installs,
//! `deploy/base-crds/crds/seccompprofile.yaml`.

use crate::profile::API_GROUPS;

const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];
/// Where the sockets of listeners are.
pub(super) const SOCKETS: &str = "/var/run/security-profiles-operator/";
/// How many conditions a rule entry may have.
pub(super) const MOST_CONDITIONS: usize = 6;
/// The largest `errnoRet` and `index`.
pub(super) const INT32: u64 = i32::MAX as u64;
/// The largest `value` and `valueTwo`.
pub(super) const INT64: u64 = i64::MAX as u64;

/// Whether it has not got an architecture that runtimes know.
pub(super) fn lacks(architecture: &str) -> bool {
    const UNLISTED: [&str; 4] = [
        "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K",
        "SCMP_ARCH_SH",
        "SCMP_ARCH_SHEB",
    ];
    UNLISTED.contains(&architecture)
}

/// Whether a release of the operator has it in this API, such as `group/v1beta1`.
pub(super) fn has_api(written: &str) -> bool {
    API_GROUPS.iter().any(|group| {
        let rest = written.strip_prefix(group);
        let version = rest.and_then(|rest| rest.strip_prefix('/'));
        version.is_some_and(|version| VERSIONS.contains(&version))
    })
}

/// The newest API is not in every operator that runs somewhere.
pub(super) fn api_help() -> String {
    let [group, ..] = API_GROUPS;
    let [newest, before, _] = VERSIONS;
    format!(
        "write `{group}/{newest}`, or `{group}/{before}` for an operator that does not have it \
         yet: `kubectl explain seccompprofile` says what yours has"
    )
}

/// Whether a `listenerPath` is one.
pub(super) fn is_socket(path: &str) -> bool {
    let name = path.strip_prefix(SOCKETS).unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    // An empty path is none at all to the operator.
    path.is_empty() || (!name.is_empty() && name.bytes().all(is_part))
}

//! containerd: a `Localhost` profile is read as a section, so that all that only other engines know
//! vanishes from it: conditions, `archMap`, `name`, errnos by name.
//!
//! Source: containerd 1.7.24 and 2.1.9, `contrib/seccomp/seccomp.go` (`WithProfile`) and
//! `internal/cri/sputil/seccomp_linux.go`.

use super::oci::{LinuxSeccomp, LinuxSyscall};
use super::{Circumstances, Refusal, Resolved, Verdict, decoded};
use crate::text::Document;

pub(super) fn resolve<'d>(
    bytes: &'d [u8],
    document: &'d Document<'d>,
    circumstances: &Circumstances,
) -> Result<Resolved<'d>, Refusal> {
    // The file's name stands behind the prefix.
    let config: LinuxSeccomp<'d> = decoded(
        bytes,
        document,
        circumstances,
        "decoding seccomp profile failed",
    )?;
    let calls = config.syscalls.elements();
    Ok(Resolved {
        entries: (calls.iter().filter_map(|call| call.origin))
            .map(|origin| (origin, Verdict::In))
            .collect(),
        section: Ok((config.common).section(calls.iter().map(LinuxSyscall::entry).collect())),
    })
}

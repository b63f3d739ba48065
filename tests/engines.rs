//! What real engines made of profiles: `tests/engines/*.jsonl`, a line for each profile and the
//! options that it was given with. If one of these fails, `seclint resolve` prints a section that
//! no runtime gets.
//!
//! - `podman.jsonl`: what `podman run` handed its runtime, 5.4.2 and 5.8.6 the same, on `x86_64`.
//! - `containers-common.jsonl`, `docker.jsonl`, `containerd.jsonl`: what `LoadProfile` of
//!   containers/common 0.62.2 and of moby 26.1.5, and `WithProfile` of containerd 1.7.24, gave when
//!   called by themselves, with the host's architecture and kernel put in from outside.
//!
//! `SECLINT_LIVE=record cargo test --test live -- engines` writes them: it runs the cases again, and
//! those of the rule book's examples as they are then.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/engines.rs"]
mod records;
mod support;

use records::Observed;
use seclint::engine::{Circumstances, Engine, Resolved, Verdict, resolve};
use seclint::syscalls::{Arch, KernelVersion};
use seclint::text::json;
use support::repository;

fn cases(file: &str) -> Vec<Observed> {
    Observed::all(&repository("tests/engines").join(file)).expect(file)
}

/// What seclint does otherwise than the engine.
fn difference(case: &Observed, engine: Engine) -> Option<String> {
    let bytes = case.profile();
    let document = json::parse(&bytes);
    let resolved = resolve(&bytes, &document, engine, &case.circumstances(engine));
    match resolved {
        Ok(resolved) => {
            check_entries(&resolved);
            let section = resolved.section.as_ref().ok();
            let section = serde_json::to_value(section).expect("JSON");
            let is_same = case.refusals.is_empty() && section == case.section;
            (!is_same).then(|| format!("resolves to {section}"))
        }
        Err(refusal) => {
            let words = refusal.to_string();
            let mut said = case.refusals.values();
            let is_same = said.any(|said| said.contains(&words));
            (!is_same).then(|| format!("refuses: {words}"))
        }
    }
}

/// Every rule entry that is said to be in is there, in its place, and no other.
fn check_entries(resolved: &Resolved<'_>) {
    let Ok(section) = &resolved.section else {
        return assert!(resolved.entries.is_empty());
    };
    let told = resolved.entries.iter();
    let told = told.filter(|(_, verdict)| *verdict == Verdict::In);
    let mut told: Vec<_> = told.map(|(node, _)| node.span().start).collect();
    let there = section.syscalls.iter().filter_map(|entry| entry.origin);
    let mut there: Vec<_> = there.map(|node| node.span().start).collect();
    // A duplicate list can put what is written last first.
    told.sort_unstable();
    there.sort_unstable();
    assert_eq!(told, there);
}

fn compare(file: &str, engine: Engine, at_least: [usize; 2]) {
    let cases = cases(file);
    let mut wrong = Vec::new();
    for case in &cases {
        if let Some(difference) = difference(case, engine) {
            wrong.push(format!("{}: {difference}", case.case));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
    let refused = (cases.iter()).filter(|case| !case.refusals.is_empty());
    let refused = refused.count();
    let counts = [cases.len() - refused, refused];
    assert!(
        counts[0] >= at_least[0] && counts[1] >= at_least[1],
        "{counts:?}"
    );
}

/// A user of Podman or Buildah would be shown a section that the runtime does not get.
#[test]
fn podman() {
    compare("podman.jsonl", Engine::Podman, [300, 100]);
}

/// The same on hosts of other architectures; CRI-O reads with the same library, but adds other
/// capabilities by default, which these cases do not depend on.
#[test]
fn containers_common() {
    for engine in [Engine::Podman, Engine::Crio] {
        compare("containers-common.jsonl", engine, [230, 40]);
    }
}

/// A user of Docker would be shown a section that the runtime does not get.
#[test]
fn docker() {
    compare("docker.jsonl", Engine::Docker, [290, 75]);
}

/// A user of Kubernetes on containerd would be shown a section that the runtime does not get.
#[test]
fn containerd() {
    compare("containerd.jsonl", Engine::Containerd, [230, 35]);
}

fn explained(profile: &str, engine: Engine, circumstances: &Circumstances) -> Vec<String> {
    let document = json::parse(profile.as_bytes());
    let resolved = resolve(profile.as_bytes(), &document, engine, circumstances);
    let resolved = resolved.expect("a section");
    let entries = resolved.entries.iter();
    let told = entries.map(|(node, verdict)| format!("{} {}", node.pointer(), verdict.name()));
    told.collect()
}

/// A user who asks why a rule entry does nothing would be told another reason, or of another rule
/// entry.
#[test]
fn the_reason_is_the_first_that_the_engine_meets() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO",
        "syscalls":[{"names":["a"]},{"names":["b"]},{"names":["c"]}],
        "Syscalls":[
            {"names":["a"],"excludes":{"arches":["amd64"],"caps":["CAP_CHOWN"]}},
            {"names":["a"],"excludes":{"caps":["CAP_BPF","CAP_CHOWN"],"minKernel":"4.8"}},
            {"names":["a"],"excludes":{"minKernel":"4.8"}},
            {"names":["a"],"includes":{"arches":["arm"],"caps":["CAP_BPF"]}},
            {"names":["a"],"includes":{"caps":["CAP_CHOWN","CAP_BPF"],"minKernel":"99.0"}},
            {"names":["a"],"includes":{"minKernel":"99.0"}},
            {"names":["a"],"includes":{"caps":["CAP_CHOWN"],"minKernel":""}},
            {"action":"SCMP_ACT_ALLOW"}]}"#;
    let circumstances = Circumstances {
        arch: Arch::X86_64,
        kernel: KernelVersion::new(6, 1),
        capabilities: vec!["CAP_CHOWN"],
        is_privileged: false,
    };
    let docker = [
        "/syscalls/0 overwritten",
        "/syscalls/1 overwritten",
        "/syscalls/2 overwritten",
        "/Syscalls/0 excludes-arch",
        "/Syscalls/1 excludes-capability",
        "/Syscalls/2 excludes-kernel",
        "/Syscalls/3 lacks-arch",
        "/Syscalls/4 lacks-capability",
        "/Syscalls/5 lacks-kernel",
        "/Syscalls/6 in",
        "/Syscalls/7 in",
    ];
    assert_eq!(explained(profile, Engine::Docker, &circumstances), docker);
    let podman = explained(profile, Engine::Podman, &circumstances);
    let others = podman.iter().zip(docker).filter(|(a, b)| *a != b);
    let others: Vec<_> = others.map(|(podman, _)| podman.as_str()).collect();
    assert_eq!(
        others,
        ["/Syscalls/2 in", "/Syscalls/5 in", "/Syscalls/7 nameless"]
    );
    let containerd = explained(profile, Engine::Containerd, &circumstances);
    assert!(containerd[3..].iter().all(|told| told.ends_with(" in")));
}

/// On MIPS an errno by name is another number, and the filter another filter.
#[test]
fn errnos_by_name_are_the_hosts() {
    let profile = br#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS"}"#;
    let document = json::parse(profile);
    for (arch, errno) in [(Arch::X86_64, 38), (Arch::Mipsel64, 89)] {
        let circumstances = Circumstances {
            arch,
            kernel: KernelVersion::new(6, 1),
            capabilities: Vec::new(),
            is_privileged: false,
        };
        let resolved = resolve(profile, &document, Engine::Podman, &circumstances);
        let section = resolved.expect("resolved").section.expect("a section");
        assert_eq!(section.default_errno_ret, Some(errno));
    }
}

//! The table against the linked libseccomp.

use std::collections::BTreeSet;
use std::{env, fs};

use seclint::syscalls::{self, Arch, Multiplexer, Release, Syscall, TABLE_RELEASE};

use crate::linked::Library;

/// A difference that is known, and why it is no mistake of the table.
#[derive(Debug)]
struct Reason {
    name: &'static str,
    /// Where the numbers differ; `None` if the library knows a name that upstream's release does
    /// not.
    arch: Option<Arch>,
    builds: Builds,
    #[expect(dead_code, reason = "it is for the reader")]
    why: &'static str,
}

/// The builds of libseccomp that a reason is for.
#[derive(Debug)]
enum Builds {
    /// Every release up to this one.
    Through(Release),
    /// Debian 12's 2.5.4-1+deb12u1. The library cannot be asked for that: it is the 2.5.4 that
    /// knows fchmodat2.
    DebianBookworm,
}

impl Builds {
    fn contain(&self, library: &Library) -> bool {
        match self {
            Self::Through(release) => library.release <= *release,
            Self::DebianBookworm => {
                library.release == Release::new(2, 5, 4) && library.names.contains_key("fchmodat2")
            }
        }
    }
}

const BACKPORT: &str = "Debian bug 1071822: the calls up to Linux 6.7 were added to 2.5.4";

const REASONS: [Reason; 8] = [
    backport("cachestat"),
    backport("fchmodat2"),
    backport("futex_requeue"),
    backport("futex_wait"),
    backport("futex_wake"),
    backport("map_shadow_stack"),
    Reason {
        name: "map_shadow_stack",
        arch: Some(Arch::X32),
        builds: Builds::DebianBookworm,
        why: "the backport does not have it on x32, as 2.6.0 and later do",
    },
    Reason {
        name: "_llseek",
        arch: Some(Arch::Parisc64),
        builds: Builds::Through(Release::new(2, 6, 0)),
        why: "140 is lseek's variant for 32 bit; 2.6.1 took it from the 64 bit table",
    },
];

const fn backport(name: &'static str) -> Reason {
    Reason {
        name,
        arch: None,
        builds: Builds::DebianBookworm,
        why: BACKPORT,
    }
}

/// The cell of `data/syscalls.tsv`.
fn cell(syscall: &Syscall, arch: Arch) -> String {
    let direct = syscall.direct_number(arch).map(|number| number.to_string());
    match syscall.subcall(arch) {
        Some(subcall) => {
            let base = match subcall.multiplexer {
                Multiplexer::Socketcall => 100,
                Multiplexer::Ipc => 200,
            };
            let pseudo = format!("-{}", base + subcall.call);
            direct.map_or_else(|| pseudo.clone(), |direct| format!("{pseudo}/{direct}"))
        }
        None => direct.unwrap_or_else(|| "-".to_owned()),
    }
}

// When this fails seclint reports names that the runtime resolves, or passes names that it drops
// without a word.
#[test]
fn names_and_numbers_are_those_of_the_linked_library() {
    let library = Library::read();
    let mut differences: BTreeSet<(&str, Option<Arch>)> = BTreeSet::new();
    let mut compared = 0;
    for name in library.names.keys() {
        let known = syscalls::lookup(name);
        assert!(
            known.is_some(),
            "libseccomp {} knows {name}: make the table anew",
            library.release
        );
    }
    for syscall in syscalls::all() {
        let cells = library.names.get(syscall.name());
        if syscall.known_to(library.release) != cells.is_some() {
            assert!(
                cells.is_some(),
                "libseccomp {} does not know {}",
                library.release,
                syscall.name()
            );
            differences.insert((syscall.name(), None));
        }
        for (&arch, found) in cells.into_iter().flatten() {
            compared += 1;
            if *found != cell(syscall, arch) {
                differences.insert((syscall.name(), Some(arch)));
            }
        }
    }
    println!(
        "libseccomp {}: {} names, {} architectures, {compared} cells compared, {} differences",
        library.release,
        library.names.len(),
        library.arches.len(),
        differences.len()
    );
    for reason in REASONS
        .iter()
        .filter(|reason| reason.builds.contain(&library))
    {
        let explains = differences.remove(&(reason.name, reason.arch));
        assert!(explains, "no difference needs this any more: {reason:?}");
    }
    assert!(differences.is_empty(), "without a reason: {differences:?}");
}

// When this fails a profile's architecture is called unknown to a release that has it, or the other
// way round.
#[test]
fn architectures_are_those_of_the_linked_library() {
    let library = Library::read();
    let expected: BTreeSet<Arch> = Arch::ALL
        .into_iter()
        .filter(|arch| arch.first_release() <= library.release)
        .collect();
    assert_eq!(library.arches, expected);
}

// When this fails a maintainer who makes the table anew gets changes that no library made. It is
// also how they do that.
#[test]
fn the_table_can_be_made_anew() {
    let library = Library::read();
    let dropped: Vec<_> = syscalls::all()
        .iter()
        .filter(|syscall| !library.names.contains_key(syscall.name()))
        .collect();
    let text = library.table(&dropped);
    if let Some(path) = env::var_os("SECLINT_WRITE_SYSCALLS") {
        fs::write(&path, &text).unwrap();
    } else if library.release == TABLE_RELEASE {
        assert!(
            text == include_str!("../../data/syscalls.tsv"),
            "data/syscalls.tsv is not what libseccomp {TABLE_RELEASE} gives"
        );
    }
    if library.release >= TABLE_RELEASE {
        assert!(
            dropped
                .iter()
                .all(|syscall| syscall.last_release().is_some()),
            "dropped names need their last release: {dropped:?}"
        );
    }
}

/// A name that libseccomp does not know is reported as unknown; to say of it that Linux does not
/// implement it would be a second finding about one mistake. A call that the kernel has in its
/// headers for every architecture is hardly one that nobody implements.
#[test]
fn unimplemented_calls_are_names_that_the_library_knows() {
    let library = Library::read();
    let listed = fs::read_to_string("data/unimplemented_syscalls.tsv").expect("the table");
    let listed: BTreeSet<_> = (listed.lines().skip(1))
        .filter_map(|row| row.split('\t').next())
        .collect();
    let built: BTreeSet<_> = (syscalls::all().iter())
        .filter(|syscall| syscall.unimplemented().is_some())
        .map(Syscall::name)
        .collect();
    assert_eq!(listed, built);
    assert!(listed.len() > 20, "{listed:?}");
    for name in listed {
        assert!(library.names.contains_key(name), "{name}");
        let row = syscalls::lookup(name).expect("a row");
        assert!(row.first_kernel().is_none(), "{name} came with a kernel");
        // Architectures that came after it was gone have no number for it; nfsservctl kept its own.
        let is_everywhere = Arch::ALL.into_iter().all(|arch| row.exists_on(arch));
        assert!(!is_everywhere, "{name}");
    }
}

//! The named platforms against the libseccomp of the one that this runs on.

use std::fs;

use seclint::syscalls::{self, TABLE_RELEASE};
use seclint::target::{Platform, platforms};

use crate::linked::Library;

/// The name that the table would have for this system: `debian-12`.
fn this_system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |key: &str| {
        let mut values = release.lines().filter_map(|line| line.strip_prefix(key));
        values
            .next()
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned()
    };
    format!("{}-{}", field("ID="), field("VERSION_ID="))
}

// When this fails `--target` reports names that the platform's libseccomp was given by its
// distribution, or passes names that it does not know.
#[test]
fn this_platforms_library_knows_what_the_table_says() {
    for platform in platforms() {
        let release = platform.libseccomp.map(|libseccomp| libseccomp.release);
        assert!(release <= Some(TABLE_RELEASE), "{platform:?}");
    }
    let system = this_system();
    let Some(libseccomp) = Platform::named(&system).and_then(|platform| platform.libseccomp) else {
        println!("{system} is no platform with a libseccomp: nothing to compare");
        return;
    };
    let library = Library::read();
    assert_eq!(libseccomp.release, library.release, "{system}");
    let added: Vec<_> = (syscalls::all().iter())
        .filter(|syscall| library.release < syscall.first_release())
        .map(syscalls::Syscall::name)
        .filter(|name| library.names.contains_key(*name))
        .collect();
    println!(
        "{system}: {} names added to {}: {added:?}",
        added.len(),
        library.release
    );
    if let Some(backported) = libseccomp.backported {
        assert_eq!(backported, added, "{system}");
    }
}

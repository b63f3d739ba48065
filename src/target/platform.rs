//! Platforms by name, as `data/platforms.tsv` has them.

use super::{Kernel, Libseccomp, Target};

/// What `build.rs` made of the table.
mod generated {
    use crate::syscalls::{KernelVersion, Release};
    use crate::target::{Kernel, Libseccomp, Platform};

    include!(concat!(env!("OUT_DIR"), "/platforms.rs"));
}

/// A distribution's release, and what it brings. Where nothing was read the fact is left out.
#[derive(Debug)]
pub struct Platform {
    /// Its name on the command line: `debian-12`.
    pub name: &'static str,
    /// Its name in full.
    pub title: &'static str,
    /// The kernel that it came out with.
    pub kernel: Option<Kernel>,
    /// Its libseccomp, updates included.
    pub libseccomp: Option<Libseccomp>,
    /// The version of its crun, updates included.
    pub crun: Option<&'static str>,
    /// The version of its runc, updates included.
    pub runc: Option<&'static str>,
    /// Where the facts were read, and of when they are.
    pub source: &'static str,
}

/// Every platform, in byte order of the names.
#[must_use]
pub fn platforms() -> &'static [Platform] {
    &generated::PLATFORMS
}

impl Platform {
    /// The platform of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        platforms().iter().find(|platform| platform.name == name)
    }
}

impl From<&'static Platform> for Target {
    fn from(platform: &'static Platform) -> Self {
        Self {
            name: Some(platform.name),
            architectures: Vec::new(),
            kernel: platform.kernel,
            libseccomp: platform.libseccomp,
            crun: platform.crun.map(str::to_owned),
            runc: platform.runc.map(str::to_owned),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{Platform, platforms};
    use crate::syscalls::lookup;

    /// A profile for Debian 12 would be reported for names that its library was given.
    #[test]
    fn backported_names_are_known_there() {
        let libseccomp = Platform::named("debian-12").unwrap().libseccomp.unwrap();
        assert!(!libseccomp.lacks(lookup("fchmodat2").unwrap()));
        assert!(libseccomp.lacks(lookup("mseal").unwrap()));
        assert!(!libseccomp.lacks(lookup("openat2").unwrap()));
        for libseccomp in platforms()
            .iter()
            .filter_map(|platform| platform.libseccomp)
        {
            let names = libseccomp.backported.unwrap_or_default();
            assert!(names.is_sorted());
            for name in names {
                let first = lookup(name).unwrap().first_release();
                assert!(libseccomp.release < first, "{name} came with {first}");
            }
        }
    }

    /// A call that Red Hat added to an old kernel would be reported as missing from it.
    #[test]
    fn a_kernel_with_later_calls_is_not_known_to_lack_any() {
        let kernel = |name| Platform::named(name).unwrap().kernel.unwrap();
        let fsopen = lookup("fsopen").unwrap().first_kernel().unwrap();
        assert!(kernel("rhel-8").version < fsopen);
        assert!(!kernel("rhel-8").lacks(fsopen));
        let mseal = lookup("mseal").unwrap().first_kernel().unwrap();
        assert!(kernel("debian-12").lacks(mseal));
        assert!(!kernel("debian-13").lacks(mseal));
    }
}

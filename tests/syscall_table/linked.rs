//! What the linked libseccomp knows, asked from the library itself.

use std::collections::{BTreeMap, BTreeSet};

use libseccomp::{ScmpArch, ScmpSyscall, ScmpVersion};
use seclint::syscalls::{Arch, Multiplexer, Release, Syscall};

/// The linked libseccomp's tables.
pub(crate) struct Library {
    pub(crate) release: Release,
    pub(crate) arches: BTreeSet<Arch>,
    /// Every name that the library has on any of its architectures, with the cell of
    /// `data/syscalls.tsv` for each of them.
    pub(crate) names: BTreeMap<String, BTreeMap<Arch, String>>,
}

/// Where numbers can be: the tables of all architectures with the offsets of MIPS (4000, 5000,
/// 6000), ARM's private calls, x32, and the pseudo numbers, which the library hands out to every
/// name that some architecture lacks. Reading the last of these finds names that no list mentions.
const NUMBERS: [std::ops::Range<i32>; 4] = [
    0..10_000,
    0xf_0000..0xf_0100,
    0x4000_0000..0x4000_2000,
    -20_000..-1,
];

impl Library {
    pub(crate) fn read() -> Self {
        let version = ScmpVersion::current().expect("the library has a version");
        let arches: BTreeSet<Arch> = Arch::ALL
            .into_iter()
            .filter(|&arch| resolve("read", arch).is_some())
            .collect();
        let mut numbers: BTreeMap<(String, Arch), i32> = BTreeMap::new();
        for &arch in &arches {
            for number in NUMBERS.into_iter().flatten() {
                if let Ok(name) = ScmpSyscall::from(number).get_name_by_arch(scmp(arch)) {
                    // The library also takes numbers without MIPS' offset or x32's bit; the
                    // greatest is the one that the kernel sees.
                    let greatest = numbers.entry((name, arch)).or_insert(number);
                    *greatest = number.max(*greatest);
                }
            }
        }
        let mut names: BTreeMap<String, BTreeMap<Arch, String>> = BTreeMap::new();
        for (name, _) in numbers.keys() {
            if !names.contains_key(name) {
                let cells = arches
                    .iter()
                    .map(|&arch| (arch, cell(name, arch, &numbers)))
                    .collect();
                names.insert(name.clone(), cells);
            }
        }
        Self {
            release: Release::new(version.major, version.minor, version.micro),
            arches,
            names,
        }
    }

    /// The text of `data/syscalls.tsv` as this library would have it. `dropped` are names of former
    /// releases, which it does not know.
    pub(crate) fn table(&self, dropped: &[&'static Syscall]) -> String {
        let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, cells) in &self.names {
            rows.insert(
                name,
                Arch::ALL
                    .iter()
                    .map(|arch| cells.get(arch).map_or("-", String::as_str))
                    .collect(),
            );
        }
        for syscall in dropped {
            rows.insert(syscall.name(), vec!["-"; Arch::ALL.len()]);
        }
        let header: Vec<&str> = Arch::ALL.into_iter().map(Arch::name).collect();
        let mut text = format!("syscall\t{}\tsource\n", header.join("\t"));
        let source = format!("libseccomp {}", self.release);
        for (name, cells) in rows {
            let mut columns = vec![name];
            columns.extend(cells);
            columns.push(&source);
            text += &columns.join("\t");
            text.push('\n');
        }
        text
    }
}

/// libseccomp's value for an architecture.
pub(crate) fn scmp(arch: Arch) -> ScmpArch {
    arch.token()
        .parse()
        .expect("the libseccomp crate knows every architecture")
}

/// The number of a name, pseudo or not; none if the library does not know the name or the
/// architecture.
fn resolve(name: &str, arch: Arch) -> Option<i32> {
    ScmpSyscall::from_name_by_arch(name, scmp(arch))
        .ok()
        .map(i32::from)
}

fn cell(name: &str, arch: Arch, numbers: &BTreeMap<(String, Arch), i32>) -> String {
    let number = resolve(name, arch).expect("a name that one architecture has resolves on all");
    let direct = numbers
        .get(&(name.to_owned(), arch))
        .filter(|&&number| number >= 0);
    let multiplexer = match number {
        0.. => {
            assert_eq!(
                direct,
                Some(&number),
                "{name} on {arch}: name and number resolve differently"
            );
            return number.to_string();
        }
        -120..=-101 => Multiplexer::Socketcall,
        -224..=-201 => Multiplexer::Ipc,
        _ => return "-".to_owned(),
    };
    // The pseudo numbers for socket calls are handed out everywhere; only where the multiplexer
    // exists do they lead anywhere.
    if resolve(multiplexer.name(), arch).is_none_or(|number| number < 0) {
        return "-".to_owned();
    }
    direct.map_or_else(|| number.to_string(), |direct| format!("{number}/{direct}"))
}
